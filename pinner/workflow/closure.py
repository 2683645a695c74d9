"""What the install calls of a file bring in, stage by stage: each call sees what came before it.

A stage starts from its base image's packages, or from what the stage it is built on left behind. Words whose meaning is
not known here are left out, and so the closure says nothing of what they would bring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinner.apt.packages import Package
from pinner.distributions import minbase
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import Refused, Unsatisfiable
from pinner.recipe.installs import Request
from pinner.resolve.resolution import Asked, Chosen, Resolution
from pinner.resolve.solver import solve
from pinner.resolve.universe import Universe
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice, is_unread
from pinner.stages.image_names import Named
from pinner.stages.install_commands import OWN_ARCHITECTURE, Call, File
from pinner.stages.locked_index import LockedIndex, NotLocked
from pinner.stages.starting_set import Root, held
from pinner.stages.suites import chain
from pinner.values import NamedTuple
from pinner.workflow.refusals import refusal


class Installed(NamedTuple):
    """One install call on one platform: what it brings in, in apt's order, and why apt would not carry it out.

    `universe` is what apt saw before the call, with what was installed by then.
    """

    call: Call
    chosen: tuple[Chosen, ...] = ()
    problem: Unsatisfiable | None = None
    universe: Universe | None = None


class Closures:
    """Follows files through their stages. Equal questions, as many files ask them, are answered once."""

    def __init__(self, archives: Archives) -> None:
        self._archives = archives
        self._minimal: dict[tuple[Named, str], tuple[Package, ...]] = {}
        self._told: dict[tuple[Named, Root, tuple[str, ...]], tuple[Package, ...]] = {}
        # The packages are kept with the universe: their identity is part of the key.
        self._universes: dict[
            tuple[Named, str, tuple[str, ...], str, int], tuple[tuple[Package, ...], Universe]
        ] = {}
        self._solved: dict[tuple[object, ...], Resolution | Unsatisfiable] = {}

    def of(self, file: File, choices: Mapping[Request, Choice], platform: str) -> dict[int, list[Installed]]:
        """What the calls of each stage bring in, on one platform."""
        after: dict[int, tuple[Package, ...]] = {}
        starts: dict[int, tuple[Package, ...]] = {}
        found: dict[int, list[Installed]] = {}
        for call in file.calls():
            where = self._archives.named(call.base.where)
            if where is None or platform not in call.base.platforms or not call.requests:
                continue
            stages = [
                stage.index for stage in chain(file.dockerfile, file.dockerfile.stages[call.install.stage])
            ]
            before = next((after[index] for index in stages if index in after), None)
            try:
                arch = PLATFORMS[platform]
                foreign = self._archives.foreign(call, arch)
                if before is None:
                    before = self._start(call.base.root(platform), where, arch, foreign)
                    starts[stages[-1]] = before
                universe = self._universe(where, arch, foreign, call.install.target_release, before)
                asked = tuple(asked_of(call, choices, universe, platform))
                important = call.base.root(platform).suggests_important
                result = self._solve(universe, asked, call.recommends, bool(call.install.suggests), important)
            except Unsatisfiable as problem:
                done = Installed(call, problem=problem)
            else:
                refused = refusal(call, result, universe, starts.get(stages[-1], ()))
                done = Installed(call, result.chosen, refused, universe)
                before = result.after
            if before is not None:
                after[stages[0]] = before
            found.setdefault(stages[0], []).append(done)
        return found

    def root(self, call: Call, platform: str) -> Universe | None:
        """What apt sees in the root that the call's stages begin with; None if no suite is known."""
        where = self._archives.named(call.base.where)
        if where is None:
            return None
        arch = PLATFORMS[platform]
        foreign = self._archives.foreign(call, arch)
        start = self._start(call.base.root(platform), where, arch, foreign)
        return self._universe(where, arch, foreign, call.install.target_release, start)

    def _start(self, root: Root, where: Named, arch: str, foreign: tuple[str, ...]) -> tuple[Package, ...]:
        """What the root holds; of the minimal set the versions that the indices have now."""
        if root.told:
            if (where, root, foreign) not in self._told:
                universe = self._archives.universe(where, arch, "", foreign)
                self._told[where, root, foreign] = tuple(held(root, universe))
            return self._told[where, root, foreign]
        key = (where, arch)
        if key not in self._minimal:
            universe = self._archives.universe(where, arch, "")
            found = map(universe.candidate, minbase.names(where.suite.codename, arch))
            self._minimal[key] = tuple(offer.package for offer in found if offer is not None)
        return self._minimal[key]

    def _universe(
        self,
        where: Named,
        arch: str,
        foreign: tuple[str, ...],
        target_release: str,
        packages: tuple[Package, ...],
    ) -> Universe:
        key = (where, arch, foreign, target_release, id(packages))
        if key not in self._universes:
            bare = self._archives.universe(where, arch, target_release, foreign)
            if any(isinstance(each, LockedIndex) for each in bare.indexes):
                raise NotLocked  # it has no dependencies
            self._universes[key] = packages, bare.with_installed(packages)
        return self._universes[key][1]

    def _solve(
        self,
        universe: Universe,
        asked: tuple[Asked, ...],
        recommends: bool,
        suggests: bool,
        suggests_important: bool,
    ) -> Resolution:
        key = (universe, asked, recommends, suggests, suggests_important)
        if key not in self._solved:
            try:
                self._solved[key] = solve(
                    universe,
                    asked,
                    recommends=recommends,
                    suggests=suggests,
                    suggests_important=suggests_important,
                )
            except Unsatisfiable as problem:
                self._solved[key] = problem
        result = self._solved[key]
        if isinstance(result, Unsatisfiable):
            raise result
        return result


def asked_of(
    call: Call, choices: Mapping[Request, Choice], universe: Universe, platform: str
) -> Iterator[Asked]:
    """The package arguments of a call as apt takes them. Raises `Unsatisfiable` where it finds nothing to take."""
    for request in call.requests:
        choice = choices[request]
        if choice.fails and choice.status == "missing":
            raise Unsatisfiable(choice.detail, hint=choice.hint)
        if is_unread(request, choice):
            continue
        if choice.offers and platform not in choice.offers:
            raise Refused(f"there is no package {request.name} for {platform}")
        name = request.name
        if request.arch not in OWN_ARCHITECTURE and request.arch != universe.arch:
            name = f"{name}:{request.arch}"
            if request.arch not in universe.foreign:
                raise Refused(f"{name} is of an architecture that dpkg was not told to add here")
        if request.reason == "removal":
            versions = universe.versions(name)
            if versions:
                yield Asked(universe.installed(name) or versions[0], remove=True)
            continue
        pin = choice.version if choice.status in {"pinned", "kept"} else request.pin
        if name.endswith("+") and not universe.versions(name):
            name = name[:-1]  # apt's mark for installing it (apt-get(8))
        yield Asked(universe.select(name, version_text=pin, release=request.release), release=request.release)
