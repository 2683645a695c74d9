"""What a file asks for, before any archive is asked: its install calls with the suite and platforms of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pinner.apt import decisions
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.tables import is_one
from pinner.edit.span import Lines, Span
from pinner.errors import InputError, PinnerError
from pinner.recipe import installs, kinds, lists
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.installs import Install, Request, Skipped
from pinner.recipe.kinds import Around
from pinner.recipe.repositories import additions, adds_components
from pinner.recipe.settings import Setting, settings
from pinner.workflow.bases import Look
from pinner.workflow.images import Named, Unnamed
from pinner.workflow.stages import (
    Base,
    Doubt,
    Options,
    base_of,
    chain,
    image_of,
    snapshot_problem,
    suite_told,
    without_snapshot,
)

if TYPE_CHECKING:
    from pinner.workflow.setup import Setup

#: What apt's `name:arch` may say for the architecture that is resolved for (apt-get(8)).
OWN_ARCHITECTURE = frozenset({"", "native", "any", "all", "*"})

_T = TypeVar("_T")


class Call(NamedTuple):
    """One install call and what it stands on.

    Its requests are weighed already against the stage's suite, its repositories and the caller's wishes.
    `recommends` tells whether apt follows Recommends here; `architectures` are those that dpkg was told to add;
    `doubts` are about what apt reads here and pinner does not.
    """

    install: Install
    base: Base
    recommends: bool
    architectures: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()

    @property
    def unread(self) -> str:
        """A clause about what apt reads here and pinner does not, "" if there is nothing."""
        return self.doubts[0].why if self.doubts else ""

    @property
    def requests(self) -> tuple[Request, ...]:
        """The package words, in order."""
        return self.install.requests


class File(NamedTuple):
    """A file as read. `path` is how it is named to people and in the lock; `found` is in file order."""

    path: str
    dockerfile: Dockerfile
    lines: Lines
    found: tuple[Call | Skipped, ...]

    def calls(self) -> Iterator[Call]:
        """The install calls alone."""
        return (item for item in self.found if isinstance(item, Call))

    @property
    def assumed(self) -> tuple[str, ...]:
        """The images that calls stand on, of which neither the content nor the name is known."""
        bases = dict.fromkeys(call.base.image for call in self.calls() if call.base.is_assumed)
        return tuple(bases)

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


class _Begun(NamedTuple):
    """A file of which all is known but what its base images say."""

    path: str
    dockerfile: Dockerfile
    found: tuple[Install | Skipped, ...]
    options: Options

    def images(self) -> Iterator[tuple[str, str]]:
        """The base images, with platforms, that its calls stand on."""
        stages = dict.fromkeys(item.stage for item in self.found if isinstance(item, Install))
        for stage in stages:
            for each in self.options.platforms if self.dockerfile.varies else ("",):
                own = self.dockerfile.on(each)
                options = self.options._replace(platforms=(each,)) if each else self.options
                image, platforms = image_of(own, own.stages[stage], options)
                yield from ((image, platform) for platform in platforms if image)


def read(path: str, text: str, options: Options) -> File:
    """Find the install calls of a file. Raises `InputError`, with the place, for what cannot be used at all, and what
    reading a base image raises."""
    return _weigh(_begin(path, text, options))


def read_all(texts: Mapping[str, str], told: Mapping[str, Options]) -> dict[str, File | PinnerError]:
    """Files, by path, each read by its own options, or the error of `read`. Their base images are read together."""
    begun: dict[str, _Begun | PinnerError] = {}
    for path, text in texts.items():
        try:
            begun[path] = _begin(path, text, told[path])
        except PinnerError as error:
            begun[path] = error
    wanted: dict[Look, list[tuple[str, str]]] = {}
    for each in begun.values():
        if isinstance(each, _Begun) and each.options.look:
            wanted.setdefault(each.options.look, []).extend(each.images())
    for look, images in wanted.items():
        look.ahead(images)
    found: dict[str, File | PinnerError] = {}
    for path, each in begun.items():
        try:
            found[path] = _weigh(each) if isinstance(each, _Begun) else each
        except PinnerError as error:
            found[path] = error
    return found


def files_of(texts: Mapping[str, str], told: Mapping[str, Options]) -> list[File]:
    """The files, where one that cannot be read ends all. Raises the first error of `read_all`."""
    found: list[File] = []
    for each in read_all(texts, told).values():
        if not isinstance(each, File):
            raise each
        found.append(each)
    return found


def _begin(path: str, text: str, options: Options) -> _Begun:
    try:
        listed = options.lists.get(path)
        if listed is not None:
            parsed = lists.parse(text, listed.image)
        else:
            image, around = options.scripts.get(path, ""), options.around.get(path, Around())
            parsed = kinds.parse(kinds.of(path, text), text, image, around)
        return _Begun(path, parsed, tuple(installs.find(parsed)), options)
    except InputError as error:
        if error.line:
            error.path = path
        raise


def _weigh(begun: _Begun) -> File:
    path, parsed, options = begun.path, begun.dockerfile, begun.options
    try:
        suite = next((suite for glob, suite in options.files.items() if fnmatchcase(path, glob)), "")
        if suite and not options.suite:
            suite_told(suite, "[files]")
            options = options._replace(suite=suite)
        added = additions(parsed)
        elsewhere = "APT_CONFIG" in parsed.text
        told = settings(parsed)
        setup: Setup | None = None
        if added or adds_components(parsed.text):
            from pinner.workflow.setup import Setup

            foreign = [each.architecture for each in told if each.architecture]
            setup = Setup(path, parsed, added, foreign, options)
        bases: dict[int, Base] = {}
        found: list[Call | Skipped] = []
        for item in begun.found:
            if isinstance(item, Skipped):
                found.append(item)
                continue
            if item.stage not in bases:
                bases[item.stage] = base_of(parsed, parsed.stages[item.stage], options)
            base, unread = bases[item.stage], bases[item.stage].unread
            doubts: tuple[Doubt, ...] = (base.doubt,) if base.doubt else ()
            if setup is not None and isinstance(base.where, Named):
                state = setup.before(item, base.where, base.platforms)
                base, unread = replace(base, where=state.where), unread or state.problem
                doubts += state.doubts
            elif before := _before(parsed, item, [(each.stage, each.span.start, each) for each in added]):
                unread = unread or f"{before[-1].what} ({before[-1].by}), which pinner does not read here"
            item, base, problem = _configured(item, base)
            unread = unread or problem
            if elsewhere:
                unread = unread or "APT_CONFIG names a file of apt.conf, which pinner does not read"
            if not isinstance(base.where, Unnamed) and base.where.at is not None:
                unread = unread or without_snapshot(base)
            doubts = (Doubt(unread), *doubts) if unread else doubts
            requests = tuple(_weighed(request, base, doubts, options) for request in item.requests)
            found.append(_call(item._replace(requests=requests), base, doubts, parsed, told))
    except InputError as error:
        if error.line:
            error.path = path
        raise
    files = {each.written: place for place, each in options.lists.items() if each.dockerfile == path}
    if files:
        found = [_listed(item, parsed.text, files) for item in found]
    return File(path, parsed, Lines(parsed.text), tuple(_in_one_suite(found)))


def _listed(item: Call | Skipped, text: str, files: Mapping[str, str]) -> Call | Skipped:
    """The call, what is not read of it explained where a list holds it that is pinned itself."""

    def list_in(span: Span) -> str:
        return next((place for written, place in files.items() if written in span.of(text)), "")

    if isinstance(item, Skipped):
        # What prints the list stands before the command, up to where the one before that ends.
        begin = max(text.rfind(mark, 0, item.span.start) for mark in ("&&", ";", "RUN "))
        place = list_in(Span(max(begin, 0), item.span.end)) if item.reason == "xargs" else ""
        return item._replace(allowed=True, detail=f"the packages stand in {place}") if place else item
    requests = tuple(
        request._replace(allowed=True, detail=f"the packages stand in {place}")
        if request.reason == "command-substitution" and (place := list_in(request.word.span))
        else request
        for request in item.requests
    )
    return item._replace(install=item.install._replace(requests=requests))


def _in_one_suite(found: Sequence[Call | Skipped]) -> Iterator[Call | Skipped]:
    """The calls; a word that several of them share, as one in a variable, is only pinned if all mean the same suite."""
    meant: dict[Span, set[object]] = {}
    for item in found:
        if isinstance(item, Call):
            for request in item.requests:
                base = item.base
                meant.setdefault(request.word.span, set()).add(
                    (base.where, base.platforms, item.install.target_release)
                )
    for item in found:
        if isinstance(item, Call) and any(len(meant[request.word.span]) > 1 for request in item.requests):
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


def _configured(install: Install, base: Base) -> tuple[Install, Base, str]:
    """The call and what it stands on as apt's configuration has it, by files and by the call's options.

    With it a clause about what is not followed, "" if there is nothing of that kind.
    """
    where = base.where
    if not isinstance(where, Named):
        return install, base, ""
    program = install.command.partition(" ")[0]
    try:
        own = decisions.of(where.configuration, program)
        found = decisions.of(where.configuration, program, install.settings)
    except InputError as error:
        return (
            install,
            base,
            f"{error.path or 'apt'} is told what decides about versions here: {error.message}",
        )
    install = install._replace(
        target_release=found.release, recommends=found.recommends, suggests=found.suggests
    )
    decided = found._replace(release=own.release, recommends=True, suggests=False)
    where = where._replace(
        configuration=(),
        decided=decided,
        preferences=tuple(
            (path, text)
            for path, text in where.preferences
            if (found.preferences if path == "/etc/apt/preferences" else found.preferences_parts)
        ),
    )
    base = replace(base, where=where)
    asked = any(each.key == "APT::Snapshot" for each in install.settings)
    return install, base, snapshot_problem(base, asked=asked)


def _call(
    install: Install, base: Base, doubts: tuple[Doubt, ...], parsed: Dockerfile, told: Sequence[Setting]
) -> Call:
    seen = _before(parsed, install, [(each.stage, each.at, each) for each in told])
    architectures = tuple(each.architecture for each in seen if each.architecture)
    return Call(install, base, install.recommends is not False, architectures, doubts)


def _before(parsed: Dockerfile, install: Install, places: Sequence[tuple[int, int, _T]]) -> list[_T]:
    """Those (stage, offset, thing) that took effect before the call: earlier in its stage, or in one below it."""
    if not places:
        return []
    stages = [stage.index for stage in chain(parsed, parsed.stages[install.stage])]
    return [
        thing
        for stage, at, thing in places
        if stage in stages and (stage != install.stage or at < install.span.start)
    ]


def _pinned_elsewhere(arch: str, base: Base) -> bool:
    """Whether preferences name packages, which means those of the native architecture, and `arch` is another one."""
    where = base.where
    if arch in OWN_ARCHITECTURE or not isinstance(where, Named) or not where.preferences:
        return False
    from pinner.workflow.repositories import preferences_of

    native = {PLATFORMS[platform] for platform in base.platforms}
    return native != {arch} and any(each.names for each in preferences_of(where))


def doubt_of(name: str, doubts: Iterable[Doubt]) -> Doubt | None:
    """The first doubt about what a name would be."""
    return next((doubt for doubt in doubts if is_one(name, doubt.serves)), None)


def _weighed(request: Request, base: Base, doubts: Sequence[Doubt], options: Options) -> Request:
    if request.action == "skip" and not request.expansion:
        return request
    reason, detail = "", ""
    if any(fnmatchcase(request.name, pattern) for pattern in options.ignore):
        reason, detail = "ignored", "ignored by the configuration"
    elif isinstance(base.where, Unnamed):
        reason, detail = "suite-unknown", base.where.why
    elif request.action != "keep" and (doubt := doubt_of(request.name, doubts)):
        reason, detail = "other-repository", doubt.why
    elif request.action != "keep" and _pinned_elsewhere(request.arch, base):
        reason, detail = "other-repository", f"preferences by name, which are not followed for {request.arch}"
    return request._replace(action="skip", reason=reason, detail=detail, expansion=()) if reason else request
