"""What a file asks for, before any archive is asked: its install calls with the suite and platforms of each."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING

from pinner.apt import decisions
from pinner.apt.packages import PackageFile
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.tables import is_one
from pinner.edit.span import Lines, Place, Span
from pinner.errors import InputError, PinnerError
from pinner.recipe import installs, kinds, lists
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.installs import Install, Request, Skipped
from pinner.recipe.kinds import Around, FileKind
from pinner.regex import later
from pinner.shell.expand import not_known
from pinner.stages import running, wrappers
from pinner.stages.apt_files import View, decisions_of
from pinner.stages.bases import ImageLookup
from pinner.stages.image_names import Named, Unnamed
from pinner.stages.sources import snapshot_problem, without_snapshot
from pinner.stages.suites import Doubt, Options, StageBase, base_of, image_of, suite_told
from pinner.stages.views import Views
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.stages.steps import LockedCommand

# One of these is in every text that changes what is installed otherwise than by `apt-get install NAME`.
_OTHER_COMMANDS = later(
    r"\b(?:remove|purge|auto-?remove|autopurge|(?:dist-|full-|safe-)?(?<!--)upgrade|apt-mark|satisfy|build-dep|(?:un)?hold"
    r"|markauto|unmarkauto|set-selections)\b|\bdpkg\s+-|\.deb\b"
)
# What is said of the arguments of a script.
_GIVEN = frozenset(map(not_known, "@*123456789"))
# Before an install call in its instruction, this may leave it out.
_CONDITION = later(r"\b(?:case|if|test|while|until|[ef]?grep|sed)\s|\b(?:exit|return|false)\b|[!\[]\s|\|\|")
_MOST = 2**31
#: What apt's `name:arch` may say for the architecture that is resolved for (apt-get(8)).
OWN_ARCHITECTURE = frozenset({"", "native", "any", "all", "*"})


class InstallCommand(NamedTuple):
    """One install command and its base image.

    Its requests are weighed already against the stage's suite, its repositories and the caller's wishes.
    `recommends` tells whether apt follows Recommends here; `architectures` are those that were added to dpkg;
    `doubts` are about what apt reads here and pinner does not; `lists` are the files that it takes words from. `others`
    are what it may stand on instead, where a `condition` decides. `step` is there for a command that is no install
    call, but changes what is installed or how it is marked. `script` is the file of the build context that it stands
    in, where a stage runs that: it has the place of the instruction then. `files` are its words that name files of the
    build context, with what these say if they are packages.
    """

    install: Install
    base: StageBase
    recommends: bool
    architectures: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()
    lists: tuple[str, ...] = ()
    others: tuple[InstallCommand, ...] = ()
    condition: str = ""
    step: LockedCommand | None = None
    script: str = ""
    files: tuple[tuple[str, PackageFile | None], ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it may change what is installed."""
        return bool(self.step or self.requests)

    @property
    def unread(self) -> str:
        """A clause about what apt reads here and pinner does not, "" if there is nothing."""
        return self.doubts[0].why if self.doubts else ""

    @property
    def requests(self) -> tuple[Request, ...]:
        """The package words, in order."""
        return self.install.requests


class Use(NamedTuple):
    """A Dockerfile that runs a script, or takes packages from a list: what its text from `start` to `end` sees.

    `answered` tells of a command that the packages which its script is given are named in the Dockerfile.
    """

    dockerfile: str
    base: StageBase
    view: View
    start: int
    end: int
    answered: bool = False


class File(NamedTuple):
    """A file as read. `path` is how it is named to people and in the lock; `found` is in file order.

    `uses` tell who runs it, or installs from it. `steps` are the calls of a stage on a platform, in the order in which
    they run, where commands of other kinds are among them.
    """

    path: str
    dockerfile: Dockerfile
    lines: Lines
    found: tuple[InstallCommand | Skipped, ...]
    uses: tuple[Use, ...] = ()
    views: Views | None = None
    steps: Mapping[tuple[int, str], tuple[InstallCommand, ...]] = MappingProxyType({})

    @property
    def platforms(self) -> tuple[str, ...]:
        """Those for which it has commands."""
        return tuple(dict.fromkeys(platform for call in self.every() for platform in call.base.platforms))

    def commands(self, platform: str) -> Iterator[InstallCommand]:
        """All that changes what is installed on a platform, stage by stage, in order."""
        calls = [call for call in self.calls() if platform in call.base.platforms]
        for stage in self.dockerfile.stages:
            own = (call for call in calls if call.install.stage == stage.index)
            yield from self.steps.get((stage.index, platform), own)

    def every(self) -> Iterator[InstallCommand]:
        """The install calls and the other commands that change what is installed."""
        yield from self.calls()
        for calls in self.steps.values():
            yield from (call for call in calls if call.step or call.script)

    def scripted(self) -> Iterator[InstallCommand]:
        """The install calls in scripts that the stages run."""
        return (call for call in self.every() if call.script)

    def calls(self) -> Iterator[InstallCommand]:
        """The install calls alone."""
        return (item for item in self.found if isinstance(item, InstallCommand))

    @property
    def assumed(self) -> tuple[str, ...]:
        """The base images of install commands, of which neither the content nor the name is known."""
        bases = (call.base.image for call in self.calls() if call.base.is_assumed)
        return tuple(dict.fromkeys(each or "an image that a build argument names" for each in bases))

    @property
    def leaves_words(self) -> bool:
        """Whether a word stays without a pin and no comment or configuration says that it may."""
        calls = (item for item in self.found if isinstance(item, Skipped))
        words = (request for call in self.calls() for request in call.requests if request.action == "skip")
        return (
            bool(self.assumed)
            or any(not item.allowed for item in calls)
            or any(not word.allowed and word.reason != "ignored" for word in words)
        )

    def stage_name(self, index: int) -> str:
        """The stage as the lock and people name it: its name, or else its number."""
        return self.dockerfile.stages[index].name or str(index)


def place(file: File, span: Span) -> Place:
    """Where a span of the file begins and ends."""
    return Place(file.path, *file.lines.position(span.start), *file.lines.position(span.end))


class _Begun(NamedTuple):
    """A file of which all is known but what its base images say. A package list has no `kind`."""

    path: str
    kind: FileKind | None
    dockerfile: Dockerfile
    found: tuple[Install | Skipped, ...]
    options: Options
    views: Views

    @property
    def is_used(self) -> bool:
        """Whether it is there for Dockerfiles to use, or runs in what one of them makes."""
        return self.kind in ("script", None) or (
            self.kind == "devcontainer" and not all(each.base for each in self.dockerfile.stages)
        )

    def images(self, *, every: bool) -> Iterator[tuple[str, str]]:
        """The base images of its install commands, with platforms; with `every` those that a script may be run on."""
        stages = dict.fromkeys(item.stage for item in self.found if isinstance(item, Install))
        if every:
            stages = dict.fromkeys(each.index for each in self.dockerfile.stages)
        for stage in stages:
            for each in self.options.platforms if self.dockerfile.varies else ("",):
                own = self.dockerfile.on(each)
                options = self.options._replace(platforms=(each,)) if each else self.options
                image, platforms = image_of(own, own.stages[stage], options)
                yield from ((image, platform) for platform in platforms if image)


def read_file(path: str, text: str, options: Options, uses: Sequence[Use] = ()) -> File:
    """Find the install calls of a file, which is used as is told. Raises `InputError`, with the place, for what cannot
    be used at all, and what reading a base image raises."""
    return _weigh(_begin(path, text, options), uses)


def read_all(
    texts: Mapping[str, str], told: Mapping[str, Options], *, steps: bool = True
) -> dict[str, File | PinnerError]:
    """Files, by path, each read by its own options, or the error of `read_file`. Their base images are read together.

    Without `steps` the install calls alone are looked for, which takes half of the time.

    Scripts and lists see what the Dockerfiles see that use them, those of `World.beside` among them.
    """
    begun: dict[str, _Begun | PinnerError] = {}
    for path, text in texts.items():
        try:
            begun[path] = _begin(path, text, told[path])
        except PinnerError as error:
            begun[path] = error
    used = {path: each.kind for path, each in begun.items() if isinstance(each, _Begun) and each.is_used}
    users: list[_Begun] = []
    if used:
        users = [each for each in begun.values() if isinstance(each, _Begun) and each.kind == "dockerfile"]
        options = told[next(iter(used))]
        for path, text in options.world.beside().items():
            with suppress(InputError):
                users.append(_begin(path, text, options))
        if {*used.values()} == {"script"}:
            users = [each for each in users if each.views.runs_files]
    wanted: dict[ImageLookup, list[tuple[str, str]]] = {}
    for each in (*users, *(each for each in begun.values() if each not in users)):
        if isinstance(each, _Begun) and each.options.world.look:
            every = each in users
            wanted.setdefault(each.options.world.look, []).extend(each.images(every=every))
    for look, images in wanted.items():
        look.ahead(images)
    uses: dict[str, list[Use]] = {}
    for each in users:
        with suppress(PinnerError):  # it is said where the file itself is read
            for name, use in _uses(each, used):
                uses.setdefault(name, []).append(use)
    found: dict[str, File | PinnerError] = {}
    for path, each in begun.items():
        try:
            own = uses.get(path, ())
            found[path] = _weigh(each, own, steps=steps) if isinstance(each, _Begun) else each
        except PinnerError as error:
            found[path] = error
    return found


def _uses(begun: _Begun, wanted: Container[str]) -> Iterator[tuple[str, Use]]:
    """The scripts and lists that a Dockerfile's stages use, of those that are wanted, each with what it sees."""
    options = _with_suite(begun)
    for stage in begun.dockerfile.stages if _takes_files(begun.dockerfile) else ():
        base = base_of(begun.dockerfile, stage, options)
        views = begun.views
        for seen in views.seen(stage, base):
            name = views.name(seen.file) if seen.file else ""
            lists = [each for each in map(views.name, seen.lists) if each in wanted]
            if name not in wanted and not lists:
                continue
            view = views.view(stage, seen, base)
            if name in wanted:
                answered = views.is_answered(seen, base)
                yield name, Use(begun.path, base, view, seen.start, seen.end, answered)
            for each in lists:
                yield each, Use(begun.path, base, view, 0, _MOST)
    for build in options.world.around.get(begun.path, Around()).builds:
        if build.by in wanted and kinds.by_name(build.by) == "devcontainer":
            own = [each for each in begun.dockerfile.stages if not each.suite]
            stage = own[build.last(own)]
            base = base_of(begun.dockerfile, stage, options)
            yield build.by, Use(begun.path, base, begun.views.end(stage, base), 0, _MOST)


def _takes_files(dockerfile: Dockerfile) -> bool:
    """Whether a Dockerfile may bring files of its build context into a stage."""
    return any(
        each.keyword in ("COPY", "ADD") or any(flag.startswith("--mount") for flag in each.flags)
        for stage in dockerfile.stages
        for each in stage.instructions
    )


def read_each(
    texts: Mapping[str, str], told: Mapping[str, Options]
) -> Iterator[tuple[str, File | PinnerError]]:
    """As `read_all` without steps, one file after the other where none is used by others: then one alone is in memory.

    Base images are read one by one.
    """
    if any(
        path in told[path].world.lists or kinds.of(path, text) == "script" for path, text in texts.items()
    ):
        yield from read_all(texts, told, steps=False).items()
        return
    for path, text in texts.items():
        yield from read_all({path: text}, told, steps=False).items()


def _begin(path: str, text: str, options: Options) -> _Begun:
    try:
        kind: FileKind | None = None
        if path in options.world.lists:
            parsed = lists.parse(text, trailing=True)
        else:
            kind = kinds.of(path, text)
            parsed = kinds.parse(kind, text, around=options.world.around.get(path, Around()))
        views = Views(path, parsed, options)
        found = tuple(installs.find(parsed, options.wrappers))
        own: Mapping[str, str] = {}
        if kind == "script":
            own = options.world.wrappers.get(path, {})
        elif kind == "dockerfile" and (
            parsed.once(wrappers.may_run)
            or any(each.reason in ("wrapper", "string") for each in found if isinstance(each, Skipped))
        ):
            own = views.wrappers()
        if own:
            found = tuple(installs.find(parsed, {**own, **options.wrappers}))
        return _Begun(path, kind, parsed, found, options, views)
    except InputError as error:
        if error.line:
            error.path = path
        raise


def _with_suite(begun: _Begun) -> Options:
    """The options of a file, with the suite that the configuration says it has."""
    options = begun.options
    suite = next((suite for glob, suite in options.files.items() if fnmatchcase(begun.path, glob)), "")
    if suite and not options.suite:
        suite_told(suite, "[files]")
        return options._replace(suite=suite)
    return options


def _weigh(begun: _Begun, uses: Sequence[Use] = (), *, steps: bool = True) -> File:
    path, parsed = begun.path, begun.dockerfile
    try:
        options = _with_suite(begun)
        told = options.suite or any(
            each.key == "suite" for stage in parsed.stages for each in stage.directives
        )
        elsewhere = "APT_CONFIG" in parsed.text
        bases: dict[int, StageBase] = {}
        found: list[InstallCommand | Skipped] = []
        for item in begun.found:
            if isinstance(item, Skipped):
                found.append(item)
                continue
            if item.stage not in bases:
                bases[item.stage] = base_of(parsed, parsed.stages[item.stage], options)
            base, view = bases[item.stage], None
            own = [use for use in uses if use.start <= item.span.start < use.end]
            if told or parsed.stages[item.stage].suite:
                own = []
            if own:
                base, view, answered = _used(own)
                if answered:
                    requests = (each for each in item.requests if each.detail not in _GIVEN)
                    item = item._replace(requests=tuple(requests))
            elif not isinstance(base.where, Unnamed):
                view = begun.views.of(parsed.stages[item.stage], item.span.start, base)
            found.append(call_of(item, base, view, options, elsewhere=elsewhere))
    except InputError as error:
        if error.line:
            error.path = path
        raise
    if options.world.lists and begun.kind == "dockerfile":
        found = [_listed(item, begun, bases) for item in found]
    file = File(path, parsed, Lines(parsed.text), tuple(_in_one_suite(found)), tuple(uses), begun.views)
    if not steps or not (
        any(map(_OTHER_COMMANDS.search, running.texts(parsed) if _OTHER_COMMANDS.search(parsed.text) else ()))
        or begun.views.runs_files
        or _is_conditional(file)
    ):
        return file
    from pinner.stages.steps import of

    return file._replace(steps=of(file, bases, options))


def _is_conditional(file: File) -> bool:
    """Whether a test in its instruction may leave out an install call."""
    return any(
        _CONDITION.search(file.dockerfile.text, instruction.span.start, call.install.span.start)
        for call in file.calls()
        for instruction in file.dockerfile.stages[call.install.stage].instructions
        if instruction.span.start <= call.install.span.start < instruction.span.end
    )


def _used(uses: Sequence[Use]) -> tuple[StageBase, View, bool]:
    """What a text sees that is used so: the same everywhere, or nothing is known; whether all uses are answered."""
    size = min(use.end - use.start for use in uses)
    own = [use for use in uses if use.end - use.start == size]
    base, view = own[0].base, own[0].view
    answered = all(use.answered for use in own)
    if any(
        (use.base.where, use.base.platforms, use.view) != (base.where, base.platforms, view) for use in own
    ):
        shown = " and ".join(dict.fromkeys(use.dockerfile for use in own))
        problem = f"the stages that use it see other packages ({shown})"
        view = next((use.view for use in own if use.view and use.view.problem), View(view.where, problem))
    return base, view, answered


def _listed(
    item: InstallCommand | Skipped, begun: _Begun, bases: dict[int, StageBase]
) -> InstallCommand | Skipped:
    """The call, what is not read of it explained where a list holds it that is pinned itself."""
    lists = begun.options.world.lists
    if isinstance(item, Skipped):
        if item.reason != "xargs":
            return item
        stage = begun.dockerfile.stages[item.stage]
        if item.stage not in bases:
            bases[item.stage] = base_of(begun.dockerfile, stage, _with_suite(begun))
        place = [
            each for each in begun.views.lists(stage, item.span.start, bases[item.stage]) if each in lists
        ]
        return item._replace(allowed=True, detail=f"the packages are listed in {place[0]}") if place else item
    place = [each for each in item.lists if each in lists]
    requests = tuple(
        request._replace(allowed=True, detail=f"the packages are listed in {' and '.join(place)}")
        if place and request.reason in ("command-substitution", "variable-unknown")
        else request
        for request in item.requests
    )
    return item._replace(install=item.install._replace(requests=requests))


def _in_one_suite(found: Sequence[InstallCommand | Skipped]) -> Iterator[InstallCommand | Skipped]:
    """The calls; a word that several of them share, as one in a variable, is only pinned if all mean the same suite."""
    spans = [each.word.span for item in found if isinstance(item, InstallCommand) for each in item.requests]
    if len(spans) == len({*spans}):
        yield from found
        return
    meant: dict[Span, set[object]] = {}
    for item in found:
        if isinstance(item, InstallCommand):
            for request in item.requests:
                base = item.base
                meant.setdefault(request.word.span, set()).add(
                    (base.where, base.platforms, item.install.target_release)
                )
    for item in found:
        if isinstance(item, InstallCommand) and any(
            len(meant[request.word.span]) > 1 for request in item.requests
        ):
            requests = tuple(
                request._replace(
                    action="skip",
                    reason="several-suites",
                    detail="calls on several suites or platforms share it",
                )
                if request.action == "pin" and len(meant[request.word.span]) > 1
                else request
                for request in item.requests
            )
            yield item._replace(install=item.install._replace(requests=requests))
        else:
            yield item


def _configured(install: Install, base: StageBase, view: View | None) -> tuple[Install, StageBase, str]:
    """The call and what it stands on as apt's configuration has it, by files and by the call's options.

    With it a clause about what is not followed, "" if there is nothing of that kind.
    """
    where = base.where
    if not isinstance(where, Named):
        return install, base, ""
    program = install.command.partition(" ")[0]
    if view is not None and view.settings is not None:
        install = install._replace(settings=view.settings)
    try:
        own = decisions_of(where.configuration, program)
        if view is not None and view.included:
            found = decisions.of(where.configuration, program, install.settings, view.include)
        else:
            found = decisions_of(where.configuration, program, install.settings)
    except InputError as error:
        return (
            install,
            base,
            f"{error.path or 'apt'} has a setting here that decides versions: {error.message}",
        )
    install = install._replace(
        target_release=found.release,
        recommends=found.recommends,
        suggests=found.suggests,
        settings=(*install.settings, *(each for each in found.said if each not in install.settings)),
    )
    decided = found._replace(release=own.release, recommends=True, suggests=False, said=())
    where = where._replace(
        configuration=(),
        decided=decided,
        preferences=tuple(
            (path, text)
            for path, text in where.preferences
            if path == found.places.preferences or path.rpartition("/")[0] == found.places.preferencesparts
        ),
    )
    base = base._replace(where=where)
    asked = any(each.key == "APT::Snapshot" for each in install.settings)
    return install, base, snapshot_problem(base, asked=asked)


def call_of(
    install: Install, base: StageBase, view: View | None, options: Options, *, elsewhere: bool
) -> InstallCommand:
    """An install call with what it stands on, its words weighed; `elsewhere` if APT_CONFIG may name a file."""
    where, unread = base.where, base.unread
    doubts: tuple[Doubt, ...] = (base.doubt,) if base.doubt else ()
    error = ""
    others = tuple(
        call_of(install, base, each._replace(others=()), options, elsewhere=elsewhere)
        for each in (view.others if view is not None else ())
    )
    doubts += tuple(doubt for each in others for doubt in each.doubts if doubt not in doubts)
    if view is not None:
        if not isinstance(where, Unnamed) and isinstance(view.where, Named):
            base = base._replace(where=view.where)
            where = view.where
        unread, error = unread or view.problem, view.error
        doubts += view.doubts
    install, base, problem = _configured(install, base, view)
    unread = unread or problem
    if elsewhere and (view is None or view.settings is None):
        unread = unread or "APT_CONFIG names a file of apt.conf, which pinner does not read"
    where = base.where
    if not isinstance(where, Unnamed) and where.at is not None:
        unread = unread or without_snapshot(base)
    doubts = (Doubt(unread), *doubts) if unread else doubts
    ends = view is not None and view.ends
    if doubts or options.ignore or not isinstance(where, Named) or where.preferences or error or ends:
        requests = tuple(
            _weighed(request, base, doubts, options, error, ends=ends) for request in install.requests
        )
        install = install._replace(requests=requests)
    architectures = view.architectures if view is not None else ()
    lists = view.lists if view is not None else ()
    condition = view.condition if view is not None else ""
    return InstallCommand(
        install, base, install.recommends is not False, architectures, doubts, lists, others, condition
    )


def _pinned_elsewhere(arch: str, base: StageBase) -> bool:
    """Whether preferences name packages, which means those of the native architecture, and `arch` is another one."""
    where = base.where
    if arch in OWN_ARCHITECTURE or not isinstance(where, Named) or not where.preferences:
        return False
    from pinner.stages.repositories import preferences_of

    native = {PLATFORMS[platform] for platform in base.platforms}
    return native != {arch} and any(each.names for each in preferences_of(where))


def doubt_of(name: str, doubts: Iterable[Doubt]) -> Doubt | None:
    """The first doubt about what a name would be."""
    return next((doubt for doubt in doubts if is_one(name, doubt.serves)), None)


def _weighed(
    request: Request, base: StageBase, doubts: Sequence[Doubt], options: Options, error: str, *, ends: bool
) -> Request:
    if request.action == "skip" and not request.expansion:
        return request
    reason, detail = "", ""
    if any(fnmatchcase(request.name, pattern) for pattern in options.ignore):
        reason, detail = "ignored", "ignored by the configuration"
    elif isinstance(base.where, Unnamed):
        reason, detail = base.where.reason, base.where.why
    elif error or ends:
        reason = "refused"
        detail = error or "its line ends in CR LF, and apt takes the CR for a part of the name"
    elif request.action != "keep" and (doubt := doubt_of(request.name, doubts)):
        reason, detail = "other-repository", doubt.why
    elif request.action != "keep" and _pinned_elsewhere(request.arch, base):
        reason, detail = "other-repository", f"preferences by name, which are not followed for {request.arch}"
    return request._replace(action="skip", reason=reason, detail=detail, expansion=()) if reason else request
