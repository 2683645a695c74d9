"""What the files' stages install, as the lock states it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import Refused, Unsatisfiable
from pinner.lock.lockfile import Lock, Locked, LockedPackage, Target
from pinner.recipe.installs import Request
from pinner.resolve.universe import Offer
from pinner.workflow.archives import Archives
from pinner.workflow.choose import Choice, short
from pinner.workflow.images import Named
from pinner.workflow.read import Call, File
from pinner.workflow.refusals import MOVES
from pinner.workflow.stages import chain, told_to_apt

if TYPE_CHECKING:  # the resolver is loaded only where something must be resolved
    from pinner.resolve.solver import Chosen
    from pinner.workflow.closure import Closures, Installed


class Problem(NamedTuple):
    """An install call that apt could not carry out as it stands, or that pinner does not follow, and where.

    `heals` says which pin to move so that it works, "" if that does not help. `known` tells that what the call brings
    in is known all the same.
    """

    call: Call
    platforms: tuple[str, ...]
    error: Unsatisfiable
    heals: str
    known: bool

    def choice(self) -> Choice:
        """The problem as a finding. Only what apt itself would refuse counts against the run."""
        where = ", ".join(map(short, self.platforms))
        fails = not isinstance(self.error, Refused)
        unlocked = "" if fails or self.known else "what it brings along is not locked: "
        hints = (self.heals,) if self.heals and self.error.hint == MOVES else (self.error.hint, self.heals)
        return Choice(
            "unsolved",
            reason="unsolved",
            detail=f"{unlocked}{self.error.message} ({where})",
            hint="; or ".join(filter(None, hints)),
            fails=fails,
        )


class Targets:
    """Gathers the targets of a run, and the packages and sources they refer to."""

    def __init__(self, archives: Archives, old: Lock) -> None:
        self._archives = archives
        self._old = {target.key: target for target in old.targets}
        self._old_packages = {package.id: package for package in old.packages}
        self._old_sources = frozenset(old.sources)
        self._same: dict[str, bool] = {}
        self._targets: list[Target] = []
        self._packages: dict[str, LockedPackage] = {}
        self._suites: dict[str, dict[Named, None]] = {}

    @cached_property
    def _closures(self) -> Closures:
        from pinner.workflow.closure import Closures

        return Closures(self._archives)

    def add(self, file: File, choices: Mapping[Request, Choice]) -> tuple[Problem, ...]:
        """Add what the stages of a file install, and return the calls that cannot be carried out."""
        problems: dict[tuple[int, str], Problem] = {}
        for platform, stages in self._stages(file).items():
            bare = {
                stage: self._bare(file, calls, choices, platform, stages) for stage, calls in stages.items()
            }
            parents = {target.parent for target in bare.values()}
            if all(map(self._answered, bare.values())):
                for target in bare.values():
                    self._reuse(self._old[target.key])
                continue
            for stage, calls in self._closures.of(file, choices, platform).items():
                self._fill(bare[stage], calls, choices, needed=bare[stage].stage in parents)
                for done in calls:
                    if done.problem is not None and not any(
                        _told(choices[word], platform) for word in done.call.requests
                    ):
                        key = (done.call.install.span.start, done.problem.message)
                        if key in problems:
                            platforms = (*problems[key].platforms, platform)
                            problems[key] = problems[key]._replace(platforms=platforms)
                        else:
                            heals = self._heals(file, done, choices, platform)
                            problems[key] = Problem(
                                done.call, (platform,), done.problem, heals, bool(done.chosen)
                            )
        return tuple(problems.values())

    def _heals(self, file: File, done: Installed, choices: Mapping[Request, Choice], platform: str) -> str:
        from pinner.workflow.healing import heal

        if isinstance(done.problem, Refused):
            return ""
        return heal(file, done.call, choices, platform, self._archives, self._closures)

    def _stages(self, file: File) -> dict[str, dict[int, list[Call]]]:
        """The calls whose suite is known, by platform and stage."""
        found: dict[str, dict[int, list[Call]]] = {}
        for call in file.calls():
            where = self._archives.named(call.base.where)
            if where is not None and call.requests:
                for platform in call.base.platforms:
                    found.setdefault(platform, {}).setdefault(call.install.stage, []).append(call)
                    self._suites.setdefault(platform, {})[where] = None
        return found

    def _bare(
        self,
        file: File,
        calls: list[Call],
        choices: Mapping[Request, Choice],
        platform: str,
        stages: Container[int],
    ) -> Target:
        """The target of a stage as far as it is known without a resolver. `stages` are those with a target."""
        base = calls[0].base
        where = self._archives.named(base.where)
        assert where is not None
        own = file.dockerfile.stages[calls[0].install.stage]
        below = [stage.index for stage in chain(file.dockerfile, own)[1:] if stage.index in stages]
        return Target(
            file.path,
            file.stage_name(calls[0].install.stage),
            platform,
            base.images.get(platform, base.image),
            where.suite.codename,
            base.root(platform).label,
            tuple(line(call, choices) for call in calls),
            (),
            parent=file.stage_name(below[0]) if below else "",
            digest=base.digest(platform),
            apt=told_to_apt([call.base.where for call in calls], PLATFORMS[platform]),
        )

    def _answered(self, bare: Target) -> bool:
        """Whether the old lock has resolved the same calls from the very same indices."""
        old = self._old.get(bare.key)
        if old is None or old.problem or old.inputs != bare.inputs:
            return False
        platform = bare.platform
        if platform not in self._same:
            now = self._archives.sources({platform: self._suites[platform]})
            self._same[platform] = self._old_sources.issuperset(now)
        return self._same[platform]

    def _fill(
        self, bare: Target, calls: list[Installed], choices: Mapping[Request, Choice], *, needed: bool
    ) -> None:
        """Add the target with what a resolver found; one that installs nothing only if others are built on it."""
        asked: dict[str, str] = {}
        packages: dict[str, Locked] = {}
        used: dict[str, LockedPackage] = {}
        for done in calls:
            for request in done.call.requests:
                choice = choices[request]
                offer = (choice.offers or {}).get(bare.platform)
                if offer is not None and choice.status in {"pinned", "kept"}:
                    word = f"{request.name}:{request.arch}" if request.arch else request.name
                    asked[offer.name] = word
                    if done.problem is not None:
                        package = _package(offer)
                        used[package.id] = package
                        packages[package.name] = Locked(package.id, asked=word)
            for chosen in done.chosen:
                package = _package(chosen.offer)
                used[package.id] = package
                packages[package.name] = Locked(package.id, asked.get(package.name, ""), _by(chosen, asked))
        problems = (done.problem for done in calls if done.problem is not None and _counts(done))
        problem = next((problem.message for problem in problems), "")
        target = bare._replace(packages=tuple(packages.values()), problem=problem)
        where = self._archives.named(calls[-1].call.base.where)
        if where is not None and self._still_there(target, where):
            self._reuse(self._old[target.key])
        elif packages or needed:
            self._targets.append(target)
            self._packages |= used

    def _reuse(self, old: Target) -> None:
        self._targets.append(old)
        self._packages |= {locked.id: self._old_packages[locked.id] for locked in old.packages}

    def _still_there(self, target: Target, where: Named) -> bool:
        """Whether the old target answers the same question and all it holds can still be had."""
        old = self._old.get(target.key)
        if old is None or old.problem or target.problem or old.inputs != target.inputs:
            return False
        universe = self._archives.universe(where, PLATFORMS[target.platform], "")
        read = {index.source.uri for index in universe.indexes}
        return all(
            package.uri in read
            and any(
                offer.version == package.version and offer.package.sha256 == package.sha256
                for offer in universe.versions(package.name)
            )
            for package in (self._old_packages[locked.id] for locked in old.packages)
        )

    def lock(self) -> Lock:
        """The lock of this run's files alone."""
        return Lock(
            self._archives.sources(self._suites), tuple(self._targets), tuple(self._packages.values())
        )


def _counts(done: Installed) -> bool:
    """Whether the lock states a call's problem: nothing is known of what it brings in, or the build fails for sure."""
    return not done.chosen or not isinstance(done.problem, Refused)


def _told(choice: Choice, platform: str) -> bool:
    """Whether a word's own finding says already that its call cannot be carried out on the platform."""
    return choice.fails or bool(choice.offers and platform not in choice.offers)


def _by(chosen: Chosen, asked: Mapping[str, str]) -> str:
    """The package that first brought this one along; "" for one that was asked for."""
    parent = chosen.causes[0].parent
    return "" if parent is None or chosen.offer.name in asked else parent.name


def line(call: Call, choices: Mapping[Request, Choice]) -> str:
    """The call as the file has it now, reduced to what decides its outcome."""
    words = ["apt-get", "install"]
    if not call.recommends:
        words.append("--no-install-recommends")
    if call.install.suggests:
        words.append("--install-suggests")
    if call.install.target_release:
        words += ("-t", call.install.target_release)
    for request in call.requests:
        choice = choices[request]
        if choice.status == "pinned":
            arch = f":{request.arch}" if request.arch else ""
            words.append(f"{request.name}{arch}={choice.version}")
        else:
            words.append(request.word.raw if request.word.value is None else request.word.value)
    return " ".join(words)


def _package(offer: Offer) -> LockedPackage:
    package, index = offer.package, offer.index
    assert index is not None  # what is only installed is never chosen
    return LockedPackage(
        package.name,
        package.version,
        package.architecture,
        index.source.suite,
        index.source.uri,
        index.source.place(package.filename),
        package.size,
        package.sha256,
    )
