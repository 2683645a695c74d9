"""What the files' stages install, as the lock states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pinner.archive.distributions import PLATFORMS
from pinner.errors import Refused, Unsatisfiable
from pinner.lockfile import Lock, Locked, LockedPackage, LockedSource, Target
from pinner.resolve.solver import Chosen
from pinner.resolve.universe import Offer
from pinner.text.installs import Request
from pinner.workflow.archives import Archives
from pinner.workflow.choose import Choice, short
from pinner.workflow.closure import Closures, Installed, Root
from pinner.workflow.images import Named
from pinner.workflow.read import Call, File


@dataclass(frozen=True, slots=True)
class Problem:
    """An install call that apt could not carry out as it stands, or that pinner does not follow, and where."""

    call: Call
    platforms: tuple[str, ...]
    error: Unsatisfiable

    def choice(self) -> Choice:
        """The problem as a finding. Only what apt itself would refuse counts against the run."""
        where = ", ".join(map(short, self.platforms))
        return Choice(
            "unsolved",
            reason="unsolved",
            detail=f"{self.error.message} ({where})",
            hint=self.error.hint,
            fails=not isinstance(self.error, Refused),
        )


class Targets:
    """Gathers the targets of a run, and the packages and sources they refer to."""

    def __init__(self, archives: Archives, old: Lock) -> None:
        self._archives = archives
        self._closures = Closures(archives)
        self._old = {target.key: target for target in old.targets}
        self._old_packages = {package.id: package for package in old.packages}
        self._targets: list[Target] = []
        self._packages: dict[str, LockedPackage] = {}
        self.suites: dict[str, dict[Named, None]] = {}

    def add(self, file: File, choices: Mapping[Request, Choice]) -> tuple[Problem, ...]:
        """Add what the stages of a file install, and return the calls that cannot be carried out."""
        platforms: dict[str, None] = {}
        for call in file.calls():
            where = self._archives.named(call.base.where)
            if where is not None:
                for platform in call.base.platforms:
                    platforms[platform] = None
                    self.suites.setdefault(platform, {})[where] = None
        problems: dict[tuple[int, str], Problem] = {}
        for platform in platforms:
            for stage, (root, calls) in self._closures.of(file, choices, platform).items():
                self._target(file, stage, platform, root, calls, choices)
                for done in calls:
                    if done.problem is not None and not any(
                        choices[word].fails for word in done.call.requests
                    ):
                        key = (done.call.install.span.start, done.problem.message)
                        before = problems[key].platforms if key in problems else ()
                        problems[key] = Problem(done.call, (*before, platform), done.problem)
        return tuple(problems.values())

    def _target(
        self,
        file: File,
        stage: int,
        platform: str,
        root: Root,
        calls: list[Installed],
        choices: Mapping[Request, Choice],
    ) -> None:
        where = self._archives.named(calls[0].call.base.where)
        assert where is not None
        asked: dict[str, str] = {}
        packages: dict[str, Locked] = {}
        used: dict[str, LockedPackage] = {}
        for done in calls:
            for request in done.call.requests:
                choice = choices[request]
                offer = (choice.offers or {}).get(platform)
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
        problem = next((done.problem.message for done in calls if done.problem is not None), "")
        target = Target(
            file.path,
            file.stage_name(stage),
            platform,
            calls[0].call.base.image,
            where.suite.codename,
            root.label,
            tuple(_line(done.call, choices) for done in calls),
            tuple(packages.values()),
            problem,
        )
        kept = self._kept(target, where, platform)
        if kept is not None:
            target, used = kept
        if target.packages:
            self._targets.append(target)
            self._packages |= used

    def _kept(
        self, target: Target, where: Named, platform: str
    ) -> tuple[Target, dict[str, LockedPackage]] | None:
        """The old target, where it answers the same question and all it holds is still in the archive."""
        old = self._old.get(target.key)
        if old is None or old.problem or target.problem or old.inputs != target.inputs:
            return None
        used = {locked.id: self._old_packages[locked.id] for locked in old.packages}
        if old.packages == target.packages:
            return None
        universe = self._archives.universe(where, PLATFORMS[platform], "")
        for package in used.values():
            if not any(
                offer.version == package.version and offer.package.sha256 == package.sha256
                for offer in universe.versions(package.name)
            ):
                return None
        return old, used

    def lock(self) -> Lock:
        """The lock of this run's files alone."""
        sources: tuple[LockedSource, ...] = self._archives.sources(self.suites)
        return Lock(sources, tuple(self._targets), tuple(self._packages.values()))


def _by(chosen: Chosen, asked: Mapping[str, str]) -> str:
    """The package that first brought this one along; "" for one that was asked for."""
    parent = chosen.causes[0].parent
    return "" if parent is None or chosen.offer.name in asked else parent.name


def _line(call: Call, choices: Mapping[Request, Choice]) -> str:
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
        package.filename,
        package.size,
        package.sha256,
    )
