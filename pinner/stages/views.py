"""How a stage has configured apt (sources, preferences, keys) by the time of a command, as the walk saw it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from pinner.apt.sources import Keys
from pinner.apt.sources_list import SourceEntry
from pinner.distributions.catalogue import PLATFORMS
from pinner.edit.span import Lines
from pinner.recipe.dockerfile import Dockerfile, Stage
from pinner.recipe.walk import Walked
from pinner.regex import later
from pinner.shell import plain
from pinner.shell.content import UNKNOWN, BuildContext, Content, KeyOrigin
from pinner.shell.outcomes import AptCommand, SeenInstall
from pinner.shell.state import State, added
from pinner.stages import running
from pinner.stages.apt_files import NO_SOURCES, UNREAD, AptFiles, View, named_of, signers
from pinner.stages.image_names import Alias, Named
from pinner.stages.repositories import (
    Repository,
    joined,
    listed_of,
    texts_of,
)
from pinner.stages.suites import Options, Seen, StageBase, base_of, chain

_FLAG = (
    r"-(?:[yqfm]++|-(?:yes|assume-yes|quiet|(?:no-)?install-(?:recommends|suggests)|fix-(?:broken|missing)))"
)
# What is installed by name: which names these are changes nothing that apt reads.
_INSTALLS = later(
    rf"\bapt(?:-get)?(?:[ \t]+{_FLAG})*[ \t]+install(?:[ \t]+{_FLAG})*"
    r"(?P<names>(?:[ \t]+[a-z0-9](?!\S*\.deb)[a-z0-9.+-]+(?:=[a-zA-Z0-9.+:~*-]+)?(?![^\s;&|]))+)"
    r"(?=[ \t]*(?:[;&|\n]|\Z))"
)
_WITHOUT_EFFECT = frozenset(
    ("CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL", "USER", "VOLUME")
)


class _Held:
    """What bases hold on platforms."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[StageBase, Mapping[str, Content]]] = {}

    def of(self, base: StageBase, platform: str) -> Mapping[str, Content]:
        """The files, by path."""
        key = id(base), platform
        if key not in self._known:  # the base is held with its files, so that its id stays its own
            self._known[key] = base, _files(base, platform)
        return self._known[key][1]


class Views:
    """Answers what the calls of a file see."""

    def __init__(self, path: str, dockerfile: Dockerfile, options: Options) -> None:
        self._path = path
        self._file = dockerfile
        self.options = options
        self._context = options.world.context(path)
        self._walked: dict[str, tuple[Walked, dict[int, StageBase]]] = {}
        self._held = _Held()
        self._read: list[tuple[tuple[object, ...], View]] = []

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self._file.text)

    def of(self, stage: Stage, at: int, base: StageBase) -> View:
        """What the call at an offset of the Dockerfile sees."""
        seen = self.options.world.seen
        key = self._told(stage, at, base, seen) if seen is not None else None
        if seen is not None and key and (known := seen.get(key)):
            return known
        found = self._around(stage, at, base)
        view = self.view(stage, found, base, at) if found else _of_image(base)
        if seen is not None and key and view == View(view.where, settings=view.settings):
            seen.keep(key, view, base)
        return view

    def _told(self, stage: Stage, at: int, base: StageBase, seen: Seen) -> tuple[object, ...] | None:
        """All that decides what the call at an offset sees, for files that say the same up to there; None where more
        than the text does: the build context, the platform, a comment."""
        file, where = self._file, base.where
        if not isinstance(where, Named) or file.varies or file.builds or "pinner" in file.text:
            return None
        told: list[object] = [
            seen.kind(self.options),
            file.escape,
            base.image,
            base.platforms,
            base.unread,
            base.roots,
        ]
        told += (id(where.distribution), id(where.suite), where[2:], *map(id, base.contents.values()))
        told += (each.text.text for each in file.arguments)
        for each in chain(file, stage)[::-1]:
            told.append(None)
            for instruction in each.instructions:
                span, keyword, text = instruction.span, instruction.keyword, instruction.text.text
                if each is stage and span.start > at:
                    break
                if (
                    keyword in ("COPY", "ADD")
                    or instruction.heredocs
                    or any("mount" in one for one in instruction.flags)
                ):
                    return None
                if keyword in _WITHOUT_EFFECT:
                    continue
                if each is stage and at < span.end:
                    index = instruction.text.index(at)
                    ends = (one.end_byte for one in plain.commands(text) if one.end_byte > index)
                    text = text[: next(ends, None)]  # what stands behind a plain command comes later
                    told.append(len(_nameless(text[:index])))
                text = _nameless(text) if keyword == "RUN" else text
                told.append((keyword, instruction.onbuild, instruction.argv, text))
        return tuple(told)

    def view(self, stage: Stage, seen: SeenInstall, base: StageBase, until: int | None = None) -> View:
        """What a command sees that was met in a stage (with `until` no further than that offset of the Dockerfile): the
        same on all platforms and in all turns, else a problem."""
        if not isinstance(base.where, Named):
            found = self._unnamed(stage, seen, base)
            if not found.problem or not isinstance(base.where, Alias):
                return found
            where = self.options.world.named(base.where)
            return self.view(stage, seen, base._replace(where=where)) if where else found
        place = seen.file, seen.start, seen.end
        views: dict[str, list[View]] = {}
        for platform in base.platforms:
            met = self._walk(platform, stage, base, until).places[stage.index].get(place, ())
            views[platform] = [
                view for each in met for view in self._alternatives(each, platform, stage, base)
            ]
        return _united(views)

    def end(self, stage: Stage, base: StageBase) -> View:
        """What a command sees that runs in what a stage makes."""
        if isinstance(base.where, Alias) and (where := self.options.world.named(base.where)):
            base = base._replace(where=where)
        if not isinstance(base.where, Named):
            return View(base.where)
        at = len(self._file.text)
        for platform in base.platforms:
            walked = self._walk(platform, stage, base)
            seen = SeenInstall("", at, at, walked.stage(stage.index))
            walked.places[stage.index]["", at, at] = [seen]
        return self.view(stage, seen, base)

    def _around(self, stage: Stage, at: int, base: StageBase) -> SeenInstall | None:
        """What was met at an offset of the Dockerfile: a command, or else the instruction."""
        for platform in base.platforms:
            found = self._walk(platform, stage, base, at).around(stage.index, at)
            if found:
                return found
        return None

    def seen(self, stage: Stage, base: StageBase) -> Iterator[SeenInstall]:
        """The scripts and install commands that were met in a stage."""
        places: dict[tuple[str, int, int], SeenInstall] = {}
        for platform in base.platforms:
            for each in self._walk(platform, stage, base).seen[stage.index]:
                places.setdefault((each.file, each.start, each.end), each)
        return iter(places.values())

    def commands(self, stage: Stage, base: StageBase, platform: str) -> list[AptCommand]:
        """The commands of a stage that may change what is installed on a platform, in the order in which they run."""
        return self._walk(platform, stage, base).commands[stage.index]

    def passes(self, at: int, stage: Stage, base: StageBase, platform: str) -> bool:
        """Whether what stands at an offset of the Dockerfile is never done on a platform, as decided tests have it."""
        walked = self._walk(platform, stage, base)
        return any(start <= at < end for start, end in walked.walk.passed) and not any(
            not each.file and each.settings is not None and each.start <= at < each.end
            for each in walked.seen[stage.index]
        )

    def at(self, command: AptCommand, platform: str, stage: Stage, base: StageBase) -> View:
        """What a command sees on a platform."""
        if not isinstance(base.where, Named):
            return self._unnamed(stage, command.seen, base)
        return self._view(command.seen, platform, stage, base)

    def source_packages(self, command: AptCommand, platform: str, base: StageBase) -> tuple[Repository, ...]:
        """The repositories of source packages at a command. Raises `InputError` where they are not known."""
        return AptFiles(self, command.seen.state, platform, base, ignores=False).source_packages()

    def lists(self, stage: Stage, at: int, base: StageBase) -> tuple[str, ...]:
        """The files of the project that the call at an offset takes words from."""
        found = self._around(stage, at, base)
        return tuple(map(self.name, found.lists)) if found else ()

    def name(self, file: str) -> str:
        """What the project calls a file of the build context."""
        return self._context.name(file) if self._context is not None else file

    def text(self, file: str) -> str:
        """The text of a file of the build context."""
        return (self._context.text(file) if self._context is not None else None) or ""

    @cached_property
    def _alone(self) -> Walked:
        return alone(self._file, self._context)

    @cached_property
    def runs_files(self) -> bool:
        """Whether a stage may run a file of the build context."""
        return self._context is not None and running.runs_files(self._file, self._context)

    def runs(self, stage: Stage) -> bool:
        """Whether a stage runs a file of the build context that changes what is installed."""
        return self.runs_files and any(each.seen.file for each in self._alone.commands[stage.index])

    def wrappers(self) -> Mapping[str, str]:
        """The programs of the build context that run an install command which they are given, and those that add what
        they are given to one of theirs, as functions of sourced files may."""
        if self._context is None or not (self.runs_files or running.writes_programs(self._file)):
            return {}
        return self._alone.walk.wrappers

    def is_answered(self, seen: SeenInstall, base: StageBase) -> bool:
        """Whether the packages that a command of a script is given are all named where the script is called."""
        place = seen.file, seen.start, seen.end
        walked = [self._walked[platform][0].walk for platform in base.platforms if platform in self._walked]
        return bool(walked) and all(each.answered.get(place, False) for each in walked)

    def changes(self, stage: Stage, base: StageBase) -> list[int]:
        """Where a stage and those below it change what apt reads."""
        return [at for at, _ in self._walk(base.platforms[0], stage, base).walk.changes]

    def _unnamed(self, stage: Stage, seen: SeenInstall, base: StageBase) -> View:
        """What is to be said where it is not known yet which suite the image has."""
        walked = self._walk(base.platforms[0], stage, base, None if seen.file else seen.start)
        before = [at for at, _ in walked.walk.changes if not seen.file and at < seen.start]
        problem = ""
        if before and any(each.at >= 0 for each in seen.state.sources().values()):
            problem = f"{self.line(Content(at=before[-1]))}, which pinner does not read here"
        return View(base.where, problem, lists=tuple(map(self.name, seen.lists)), ends=seen.ends)

    def _walk(self, platform: str, stage: Stage, base: StageBase, until: int | None = None) -> Walked:
        dockerfile = self._file.on(platform)
        root = chain(dockerfile, dockerfile.stages[stage.index])[-1].index
        own = self._walked.get(platform)
        if own is None and self._walked:
            # The walk of another platform serves, if that platform has not mattered and the images are the same.
            first, bases = next(iter(self._walked.values()))
            first.stage(stage.index, until)
            one = next(iter(self._walked))
            if not first.asked and all(
                self._held.of(each, one) == self._held.of(each, platform) for each in (*bases.values(), base)
            ):
                own = first, bases
        if own is None or own[1].get(root, base).where != base.where:
            bases, file, options, held = {root: base}, self._file, self.options, self._held

            def files(below: Stage) -> Mapping[str, Content]:  # it holds no views, which hold it
                if below.index not in bases:
                    bases[below.index] = base_of(file, file.stages[below.index], options)
                return held.of(bases[below.index], platform)

            own = Walked(dockerfile, platform, PLATFORMS[platform], files, self._context), bases
            self._walked.setdefault(platform, own)
        own[1].setdefault(root, base)
        own[0].stage(stage.index, until)
        return own[0]

    def _alternatives(self, seen: SeenInstall, platform: str, stage: Stage, base: StageBase) -> list[View]:
        """What a command may see. Where apt refuses its sources, or has none, the build ends: that is left aside."""
        states = seen.state.alternatives()
        views = [
            self._view(seen._replace(state=each), platform, stage, base) for each in states or [seen.state]
        ]
        views = [each for each in views if not each.error and each.problem != NO_SOURCES] or views[:1]
        decisive = [each for each in seen.state.files.values() if each.others]
        if all(each == views[0] for each in views):
            return views[:1]
        said = self.line(max(decisive, key=lambda each: each.at)) if decisive else "apt-get update runs"
        return [
            each._replace(condition=f"{said}, under a condition that is not known here") for each in views
        ]

    def _view(self, seen: SeenInstall, platform: str, stage: Stage, base: StageBase) -> View:
        where = base.where
        assert isinstance(where, Named)
        state = seen.state
        ignores = any(
            each.key == "repositories" and each.value == "ignore"
            for own in chain(self._file, stage)
            for each in own.directives
        )
        view = View(
            where,
            architectures=state.architectures,
            lists=tuple(map(self.name, seen.lists)),
            ends=seen.ends,
            settings=seen.settings,
            included=tuple(
                (each.value, found.known)
                for each in seen.settings or ()
                if each.file and each.value and (found := state.read(state.path(each.value)))
                if found.known is not None
            ),
        )
        if seen.unclear and not ignores:
            return view._replace(problem=f"an earlier command changes what apt reads in a way {UNREAD[6:]}")
        # Most commands of a file see the same. No state that was met changes any more.
        key = (
            *(view, platform, ignores, state.files, state.layers, state.fetched, state.architectures),
            *(state.base, state.exported, state.variables.get("APT_CONFIG"), state.cwd, base),
        )
        for known, there in self._read:
            if known == key and known[-1] is base:
                return there
        made = AptFiles(self, state, platform, base, ignores=ignores).read(view)
        self._read = [(key, made), *self._read[:3]]
        return made

    def says(self, content: Content, path: str) -> str:
        """Where something changes what apt reads, and by what."""
        line, _ = self._lines.position(max(content.at, 0))
        place = path if not path.startswith("?") else content.by
        by = (content.by or place).replace(UNKNOWN, "…")
        return f"line {line} changes where apt takes packages from ({by})"

    def line(self, content: Content) -> str:
        """Where something changes what apt reads."""
        line, _ = self._lines.position(max(content.at, 0))
        return f"line {line} changes where apt takes packages from"

    def vouch(self, state: State, entry: SourceEntry) -> Keys | str:
        """Who may sign an entry, by the keys that the stage holds for it."""
        return self.options.world.vouch(self._path, entry, signers(state, entry.signed_by))


@lru_cache(maxsize=256)  # each call of a stage asks for what stands above it
def _nameless(text: str) -> str:
    """A shell text with one name in the place of those that are installed."""
    if "install" not in text:
        return text
    return _INSTALLS.sub(lambda match: match[0][: match.start("names") - match.start()] + " x", text)


def _united(by_platform: Mapping[str, Sequence[View]]) -> View:
    """One view for several turns and platforms; where they differ from turn to turn, with the others."""
    for each in (view for own in by_platform.values() for view in own):
        if each.problem or each.error:
            return each
    ways = {platform: list(dict.fromkeys(own)) for platform, own in by_platform.items() if own}
    count = max(map(len, ways.values()))
    if any(len(own) not in (1, count) for own in ways.values()):
        return ways.popitem()[1][0]._replace(problem="what apt reads differs from platform to platform")
    first, *others = (
        _joined({platform: own[at % len(own)] for platform, own in ways.items()}) for at in range(count)
    )
    return first._replace(others=tuple(others))


def _joined(views: Mapping[str, View]) -> View:
    """One view for several platforms."""
    first = next(iter(views.values()))
    if all(each == first for each in views.values()):
        return first
    wheres = [named_of(view) for view in views.values()]
    if len({(where.preferences, where.configuration) for where in wheres}) > 1:
        return first._replace(problem="what apt prefers differs from platform to platform")
    if any((view.settings, view.included) != (first.settings, first.included) for view in views.values()):
        return first._replace(problem="apt's options differ from platform to platform")
    own = [
        each
        for platform, view in views.items()
        for each in listed_of(named_of(view), [PLATFORMS[platform]])
        if each.entry.serves(PLATFORMS[platform])
    ]
    return first._replace(
        where=named_of(first)._replace(listed=tuple(joined(own))),
        doubts=tuple(dict.fromkeys(doubt for each in views.values() for doubt in each.doubts)),
        architectures=tuple(dict.fromkeys(name for each in views.values() for name in each.architectures)),
        lists=tuple(dict.fromkeys(name for each in views.values() for name in each.lists)),
    )


def alone(dockerfile: Dockerfile, context: BuildContext | None) -> Walked:
    """A walk through a file of whose base images nothing is known."""
    walked = Walked(dockerfile, "linux/amd64", "amd64", lambda stage: {}, context)
    for stage in dockerfile.stages:
        walked.stage(stage.index)
    return walked


def _files(base: StageBase, platform: str) -> Mapping[str, Content]:
    """The files of a base image that matter: as it was read, or else as the distribution's own image has them."""
    if not isinstance(base.where, Named):
        return {}
    where, content = base.where, base.contents.get(platform)
    texts = dict(_release(where))
    if content is not None and content.read and not where.variant:
        texts |= content.sources
    else:
        texts |= texts_of(where, PLATFORMS[platform])
    texts |= where.preferences
    texts |= where.configuration
    texts |= content.architectures if content is not None else ()
    found = {path: Content(text) for path, text in texts.items()}
    for path, key in content.keys if content is not None else ():
        found[path] = Content(origins=(KeyOrigin(image=f"{base.image}:{path}", content=key),))
    return found


def _of_image(base: StageBase) -> View:
    """What a command sees that no other one has changed anything for."""
    texts = (text for each in base.contents.values() for _, text in each.architectures)
    return View(
        base.where, architectures=tuple(dict.fromkeys(name for text in texts for name in added(text)))
    )


def _release(where: Named) -> Iterator[tuple[str, str]]:
    """os-release(5) and lsb-release in an image of the suite, as far as they are certain."""
    name, suite = where.distribution.name, where.suite
    lines = [f"ID={name}"]
    if suite.version:
        lines += [f"VERSION_CODENAME={suite.codename}", f'VERSION_ID="{suite.version}"']
    if name == "ubuntu":
        lines += [
            f"UBUNTU_CODENAME={suite.codename}",
            'NAME="Ubuntu"',
            "ID_LIKE=debian",
            f'VERSION="{UNKNOWN}"',
        ]
        lsb = f"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE={suite.version}\nDISTRIB_CODENAME={suite.codename}\n"
        yield "/etc/lsb-release", lsb
    else:
        yield "/etc/debian_version", f"{suite.version}.{UNKNOWN}\n" if suite.version else UNKNOWN
        lines += ['NAME="Debian GNU/Linux"']
        lines += [f'VERSION="{suite.version} ({suite.codename})"'] if suite.version else []
    text = "\n".join([*lines, ""])
    yield "/etc/os-release", text
    yield "/usr/lib/os-release", text
