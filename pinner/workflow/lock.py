"""`pinner lock`: pin what is unpinned, keep what is pinned, and write down where every version came from.

The story: read each file, learn the suite of each stage, load the indices of all suites and platforms at once, choose
a version for each word, edit, read the edited text again, and state the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pinner.archive.distributions import PLATFORMS
from pinner.archive.sources import Source
from pinner.errors import InputError, Unsatisfiable
from pinner.lockfile import Lock, Locked, LockedPackage, LockedSource, Target
from pinner.resolve.universe import Index, Offer, Universe
from pinner.text.installs import Request, Skipped, pin
from pinner.text.span import Span, apply
from pinner.workflow.choose import Choice, choose
from pinner.workflow.images import Alias, Named, Unnamed
from pinner.workflow.read import Call, File, read
from pinner.workflow.stages import Options, alias_source, sources_of

Load = Callable[[Sequence[Source]], tuple[Sequence[Index], Sequence[str]]]
Codename = Callable[[Source], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one word, or of a call that was not read (`choice.reason` tells)."""

    path: str
    line: int
    column: int
    span: Span
    raw: str
    name: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class Planned:
    """One file: its text before and after, and what became of each word."""

    path: str
    old: str
    new: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run would write and say. `lock` holds these files' targets alone."""

    files: tuple[Planned, ...]
    lock: Lock
    platforms: tuple[str, ...]
    suites: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all files."""
        return tuple(finding for planned in self.files for finding in planned.findings)

    @property
    def fails(self) -> bool:
        """Whether something was found that must not count as good."""
        return any(finding.choice.fails for finding in self.findings)


class Archives:
    """The indices of a run, loaded once for all files, and the universes made of them."""

    def __init__(self, load: Load, codename: Codename) -> None:
        self._load = load
        self._codename = codename
        self._named: dict[Alias, Named] = {}
        self._indexes: dict[tuple[Named, str], tuple[Index, ...]] = {}
        self._universes: dict[tuple[Named, str, str], Universe] = {}
        self.notes: dict[str, None] = {}

    def named(self, where: Named | Alias) -> Named:
        """The suite itself, an alias looked up in its Release."""
        if isinstance(where, Named):
            return where
        if where not in self._named:
            codename = self._codename(alias_source(where))
            suites = {suite.codename: suite for suite in where.distribution.suites}
            if codename not in suites:
                raise InputError(
                    f"{where.name} is now {codename}, a suite that this pinner does not know",
                    hint="use a newer pinner",
                )
            self._named[where] = Named(where.distribution, suites[codename])
        return self._named[where]

    def prepare(self, calls: Sequence[Call]) -> None:
        """Load what these calls need and was not loaded yet, all at once."""
        needed: dict[tuple[Named, str], tuple[Source, ...]] = {}
        for call in calls:
            if isinstance(call.base.where, Named | Alias) and any(
                word.action != "skip" for word in call.requests
            ):
                where = self.named(call.base.where)
                for platform in call.base.platforms:
                    if (where, platform) not in self._indexes:
                        needed[where, platform] = sources_of(where, platform)
        sources = [source for group in needed.values() for source in group]
        if not sources:
            return
        indexes, notes = self._load(sources)
        self.notes.update(dict.fromkeys(notes))
        for key, group in needed.items():
            self._indexes[key] = tuple(index for index in indexes if index.source in group)

    def universes(self, call: Call) -> dict[str, Universe]:
        """What the stage of a call could install, by platform. Raises `Unsatisfiable` for a `-t` that nothing has."""
        assert not isinstance(call.base.where, Unnamed)
        where = self.named(call.base.where)
        return {
            platform: self._universe(where, platform, call.install.target_release)
            for platform in call.base.platforms
        }

    def _universe(self, where: Named, platform: str, target_release: str) -> Universe:
        key = (where, platform, target_release)
        if key not in self._universes:
            indexes = self._indexes[where, platform]
            self._universes[key] = Universe(indexes, arch=PLATFORMS[platform], target_release=target_release)
        return self._universes[key]

    def indexes(self) -> Mapping[str, tuple[Index, ...]]:
        """What was read, by platform."""
        found: dict[str, tuple[Index, ...]] = {}
        for (_, platform), indexes in self._indexes.items():
            found[platform] = found.get(platform, ()) + indexes
        return found


def plan(texts: Mapping[str, str], options: Options, archives: Archives) -> Plan:
    """What `pinner lock` would do to these files, by path. Raises `PinnerError`; writes nothing."""
    files = [read(path, text, options) for path, text in texts.items()]
    archives.prepare([call for file in files for call in file.calls()])
    planned = []
    targets: list[Target] = []
    packages: dict[str, LockedPackage] = {}
    for file in files:
        choices = _choices(file, archives)
        edits = pin(
            file.dockerfile.text,
            {request: choice.version for request, choice in choices.items() if choice.status == "pinned"},
        )
        new = apply(file.dockerfile.text, edits)
        if edits:
            _prove(file, new, choices, options)
        planned.append(Planned(file.path, file.dockerfile.text, new, _findings(file, choices)))
        targets += _targets(file, choices, archives, packages)
    sources = _sources(archives)
    return Plan(
        tuple(planned),
        Lock(sources, tuple(targets), tuple(packages.values())),
        tuple(dict.fromkeys(source.platform for source in sources)),
        tuple(dict.fromkeys(source.suite for source in sources)),
        tuple(archives.notes),
    )


def _choices(file: File, archives: Archives) -> dict[Request, Choice]:
    choices: dict[Request, Choice] = {}
    for call in file.calls():
        for request in call.requests:
            if request.action == "skip":
                choices[request] = Choice("skipped", reason=request.reason, detail=request.detail)
                continue
            try:
                universes = archives.universes(call)
            except Unsatisfiable as error:
                choices[request] = Choice(
                    "missing", reason="target-release", detail=error.message, hint=error.hint, fails=True
                )
                continue
            choices[request] = choose(request, universes, asked=call.base.asked)
    return choices


def _prove(file: File, new: str, choices: Mapping[Request, Choice], options: Options) -> None:
    """The edited text must ask for the same words, pinned, and nothing else; anything else is a bug of pinner's."""
    again = read(file.path, new, options)
    old = [request for call in file.calls() for request in call.requests]
    now = [request for call in again.calls() for request in call.requests]
    expected = [
        (
            request.name,
            request.arch,
            choices[request].version if choices[request].status == "pinned" else request.pin,
        )
        for request in old
    ]
    if [(request.name, request.arch, request.pin) for request in now] != expected:
        raise AssertionError(
            f"{file.path}: the edited file would not ask for what was chosen; nothing was written"
        )


def _findings(file: File, choices: Mapping[Request, Choice]) -> tuple[Finding, ...]:
    found = []
    for item in file.found:
        if isinstance(item, Skipped):
            line, column = file.lines.position(item.span.start)
            raw = item.span.of(file.dockerfile.text)
            choice = Choice("skipped", reason=item.reason, detail=item.detail)
            found.append(Finding(file.path, line, column, item.span, raw, "", choice))
            continue
        for request in item.requests:
            line, column = file.lines.position(request.word.span.start)
            span = request.word.span
            found.append(
                Finding(file.path, line, column, span, request.word.raw, request.name, choices[request])
            )
    return tuple(found)


def _targets(
    file: File, choices: Mapping[Request, Choice], archives: Archives, packages: dict[str, LockedPackage]
) -> list[Target]:
    targets: dict[tuple[int, str], Target] = {}
    for call in file.calls():
        if not isinstance(call.base.where, Named | Alias):
            continue
        where = archives.named(call.base.where)
        for platform in call.base.platforms:
            key = (call.install.stage, platform)
            target = targets.get(key) or Target(
                file.path,
                file.stage_name(call.install.stage),
                platform,
                call.base.image,
                where.suite.codename,
            )
            for request in call.requests:
                choice = choices[request]
                offer = (choice.offers or {}).get(platform)
                if offer is None or choice.status not in {"pinned", "kept"}:
                    continue
                package = _locked_package(offer)
                packages[package.id] = package
                asked = f"{request.name}:{request.arch}" if request.arch else request.name
                locked = Locked(package.id, asked, choice.version)
                if locked not in target.packages:
                    target = replace(target, packages=(*target.packages, locked))
            targets[key] = target
    return [target for target in targets.values() if target.packages]


def _locked_package(offer: Offer) -> LockedPackage:
    package = offer.package
    assert offer.index is not None  # what is only installed was never chosen
    return LockedPackage(
        package.name,
        package.version,
        package.architecture,
        offer.index.source.suite,
        offer.index.source.uri,
        package.filename,
        package.size,
        package.sha256,
    )


def _sources(archives: Archives) -> tuple[LockedSource, ...]:
    return tuple(
        LockedSource(
            index.source.uri,
            index.source.suite,
            index.component,
            platform,
            index.release.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
            index.release_sha256,
        )
        for platform, indexes in archives.indexes().items()
        for index in indexes
    )
