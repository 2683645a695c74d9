"""What the install commands of a file install, stage by stage: each one sees what came before it.

A stage starts from its base image's packages, or from what the stage it is built on left behind. Words whose meaning is
not known here are left out, and so the closure says nothing of what they would bring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pinner.apt.packages import Package
from pinner.distributions import minbase
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.suite import Suite
from pinner.errors import Refused, Unsatisfiable
from pinner.lock.schema import Incomplete
from pinner.recipe.installs import Request
from pinner.resolve import words
from pinner.resolve.resolution import Cause, Chosen, Resolution, ResolvedArgument, marked
from pinner.resolve.solver import solve
from pinner.resolve.universe import Universe
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice, is_unread, stands_for_several
from pinner.stages.image_names import Named
from pinner.stages.install_commands import OWN_ARCHITECTURE, File, InstallCommand
from pinner.stages.locked_index import LockedIndex, NotLocked
from pinner.stages.starting_set import Root, held
from pinner.stages.steps import option
from pinner.stages.suites import chain
from pinner.values import NamedTuple
from pinner.workflow.effects import Present, ResolverOptions, Sees, changed, effect, reinstalled
from pinner.workflow.refusals import refusal


class Installed(NamedTuple):
    """One command on one platform: what it installs, in apt's order, and why apt would not carry it out.

    `universe` is what apt saw before it, with what was installed by then; `after` is what is there behind it. `gaps`
    say what of it is not followed.
    """

    call: InstallCommand
    chosen: tuple[Chosen, ...] = ()
    problem: Unsatisfiable | None = None
    universe: Universe | None = None
    after: Present | None = None
    gaps: tuple[Incomplete, ...] = ()


class _View(NamedTuple):
    """What decides which packages apt has to choose from: the sources, the architectures and the release."""

    where: Named
    arch: str
    foreign: tuple[str, ...] = ()
    release: str = ""


class Closures:
    """Follows files through their stages. Equal questions, as many files ask them, are answered once."""

    def __init__(self, archives: Archives) -> None:
        self._archives = archives
        self._starts: dict[tuple[_View, Root | None], tuple[Package, ...]] = {}
        # The packages are kept with the universe: their identity is part of the key.
        self._universes: dict[tuple[_View, int], tuple[tuple[Package, ...], Universe]] = {}
        self._solved: dict[tuple[object, ...], Resolution | Unsatisfiable] = {}

    def of(self, file: File, choices: Mapping[Request, Choice], platform: str) -> dict[int, list[Installed]]:
        """What the commands of each stage install, on one platform, in the order in which they run."""
        after: dict[int, Present] = {}
        starts: dict[int, tuple[Package, ...]] = {}
        found: dict[int, list[Installed]] = {}
        for call in file.commands(platform):
            where = self._archives.named(call.base.where)
            if where is None or not call.changes:
                continue
            own = file.dockerfile.stages[call.install.stage]
            stages = [stage.index for stage in chain(file.dockerfile, own)]
            before = next((after[index] for index in stages if index in after), None)
            try:
                view = self._view(call, where, platform)
                if before is None:
                    before = Present(self._start(call.base.root(platform), view))
                    starts[stages[-1]] = before.packages
                sees = partial(self._universe, view)
                done = self._follow(call, choices, platform, before, sees, starts.get(stages[-1], ()))
            except Unsatisfiable as problem:
                done = Installed(call, problem=problem, after=before)
                if call.step:  # it is said of an install command before it, if there is one
                    known = any(each.problem for each in found.get(stages[0], ()))
                    done = Installed(call, after=before, gaps=() if known else _gap(call, problem.message))
            if done.after is not None:
                after[stages[0]] = done.after
            found.setdefault(stages[0], []).append(done)
        return found

    def _follow(
        self,
        call: InstallCommand,
        choices: Mapping[Request, Choice],
        platform: str,
        before: Present,
        sees: Sees,
        start: tuple[Package, ...],
    ) -> Installed:
        """What a command does to what is there; `start` was there at first. Raises `Unsatisfiable`."""
        settings = call.install.settings
        important = call.base.root(platform).suggests_important
        options = ResolverOptions(
            call.recommends,
            bool(call.install.suggests),
            option(settings, "APT::AutoRemove::SuggestsImportant", important),
            option(settings, "APT::AutoRemove::RecommendsImportant", True),
            self._solve,
        )
        local = [each.package for _, each in call.files if each is not None]
        if local:
            sees = partial(_offering, sees, local)
        universe = sees(before.packages)
        if call.step and (call.step.verb != "file" or not _is_read(call)):
            step = call.step
            if step.verb == "build-dep":  # apt follows no Recommends there, whatever is configured
                from pinner.workflow.build_dep import as_satisfy

                where = self._archives.named(call.base.where)
                assert where is not None  # or there were no universe
                step = as_satisfy(step, universe, self._archives, where)
                options = options._replace(recommends=False)
            done = effect(step, before, options, sees)
            return Installed(call, done.chosen, None, universe, done.after, _gap(call, done.gap))
        gaps: list[Incomplete] = []
        if call.step:  # dpkg installs files; what they need is there, or is brought by `apt-get install -f`
            options = options._replace(recommends=False)
            asked = tuple(ResolvedArgument(universe.select(each.name)) for each in local)
        else:
            asked = tuple(_wanted(call, choices, platform, universe, gaps))
        if call.install.command.endswith(" download"):
            chosen = tuple(Chosen(wish.offer, (Cause(None, None),)) for wish in asked)
            return Installed(call, chosen, None, universe, before)
        problem: Unsatisfiable | None = None

        def run(seen: Universe) -> Resolution:
            nonlocal problem
            result = options.solve(seen, asked)
            problem = refusal(call, result, seen, start)
            if option(settings, "APT::Get::ReInstall") or call.install.command.endswith(" reinstall"):
                result = reinstalled(asked, result, seen)
            return options.swept(result, sees) if option(settings, "APT::Get::AutomaticRemove") else result

        result, after = changed(before, sees, run)
        if option(settings, "APT::Get::Download-Only"):
            after = before
        return Installed(call, result.chosen, problem, universe, after, tuple(gaps))

    def root(self, call: InstallCommand, platform: str) -> Universe | None:
        """What apt sees in the root that the call's stages begin with; None if no suite is known."""
        where = self._archives.named(call.base.where)
        if where is None:
            return None
        view = self._view(call, where, platform)
        return self._universe(view, self._start(call.base.root(platform), view))

    def _view(self, call: InstallCommand, where: Named, platform: str) -> _View:
        arch = PLATFORMS[platform]
        return _View(where, arch, self._archives.foreign(call, arch), call.install.target_release)

    def _bare(self, view: _View) -> Universe:
        return self._archives.universe(view.where, view.arch, view.release, view.foreign)

    def _start(self, root: Root, view: _View) -> tuple[Package, ...]:
        """What the root holds; of the minimal set the versions that the suite's own pockets have now."""
        view = view._replace(release="") if root.told else _View(view.where, view.arch)
        key = view, root if root.told else None
        if key in self._starts:
            return self._starts[key]
        universe = self._bare(view)
        if root.told:
            found = held(root, universe)
        else:
            suite = view.where.suite
            offers = map(_own(suite, universe).candidate, minbase.names(suite.codename, view.arch))
            found = (marked(each.package, held=False, automatic=True) for each in offers if each is not None)
        self._starts[key] = tuple(found)
        return self._starts[key]

    def _universe(self, view: _View, packages: tuple[Package, ...]) -> Universe:
        key = view, id(packages)
        if key not in self._universes:
            bare = self._bare(view)
            if any(isinstance(each, LockedIndex) for each in bare.indexes):
                raise NotLocked  # it has no dependencies
            self._universes[key] = packages, bare.with_installed(packages)
        return self._universes[key][1]

    def _solve(
        self,
        universe: Universe,
        asked: tuple[ResolvedArgument, ...],
        recommends: bool,
        suggests: bool,
        suggests_important: bool,
    ) -> Resolution:
        key = (universe, asked, recommends, suggests, suggests_important)
        result = self._solved.get(key)
        if result is None:
            options = {"recommends": recommends, "suggests": suggests}
            try:
                result = solve(universe, asked, None, **options, suggests_important=suggests_important)
            except Unsatisfiable as problem:
                result = problem
            self._solved[key] = result
        if isinstance(result, Unsatisfiable):
            raise result
        return result


def _own(suite: Suite, universe: Universe) -> Universe:
    """What the pockets of a suite alone offer, since its images hold nothing of the sources that a stage adds.

    Raises `Refused` where the stage's sources lack the release itself.
    """
    pockets = {suite.codename, *(each.suite for each in suite.pockets)}
    own = [
        each
        for each in universe.indexes
        if not pockets.isdisjoint((each.source.suite, each.release.codename))
    ]
    if all(suite.codename not in (each.source.suite, each.release.codename) for each in own):
        raise Refused(
            f"the base image was not read, and {suite.codename} is not among the sources here: "
            "what the image holds is not known"
        )
    return universe if len(own) == len(universe.indexes) else Universe(own, arch=universe.arch)


def _wanted(
    call: InstallCommand,
    choices: Mapping[Request, Choice],
    platform: str,
    universe: Universe,
    gaps: list[Incomplete],
) -> Iterator[ResolvedArgument]:
    """What a call asks for, given what is there (apt-get(8), --only-upgrade and --no-upgrade)."""
    only = option(call.install.settings, "APT::Get::Only-Upgrade")
    never = not option(call.install.settings, "APT::Get::Upgrade", True)
    for wish in asked_of(call, choices, universe, platform, gaps):
        there = universe.installed(wish.offer.name)
        if wish.remove or not ((only and there is None) or (never and there is not None)):
            yield wish


def _offering(sees: Sees, local: Sequence[Package], packages: tuple[Package, ...]) -> Universe:
    """What apt sees where these packages are in files that a command names."""
    universe = sees(packages)
    for each in local:
        universe = universe.offering(each)
    return universe


def _is_read(call: InstallCommand) -> bool:
    named = {word for word, _ in call.files}
    return call.step is not None and named == {*call.step.words} and all(each for _, each in call.files)


def _gap(call: InstallCommand, reason: str) -> tuple[Incomplete, ...]:
    return (Incomplete("argument", call.step.text, reason),) if call.step and reason else ()


def asked_of(
    call: InstallCommand,
    choices: Mapping[Request, Choice],
    universe: Universe,
    platform: str,
    gaps: list[Incomplete] | None = None,
) -> Iterator[ResolvedArgument]:
    """The package arguments of a call as apt takes them. Raises `Unsatisfiable` where it finds nothing to take.

    That a pattern finds nothing is added to the `gaps`, if there is a list of these.
    """
    for request in call.requests:
        choice = choices[request]
        if choice.fails and choice.status == "missing":
            raise Unsatisfiable(choice.detail, hint=choice.hint)
        if stands_for_several(request):
            try:
                yield from _several(call, request, universe)
            except Unsatisfiable as problem:
                if gaps is None:
                    raise
                gaps.append(Incomplete("argument", request.word.value or "", problem.message))
            continue
        local = [each for word, each in call.files if word == request.word.value]
        if local and all(local):
            yield from (ResolvedArgument(universe.select(each.package.name)) for each in local if each)
            continue
        if is_unread(request, choice):
            continue
        if choice.offers and platform not in choice.offers:
            raise Refused(f"there is no package {request.name} for {platform}")
        name = request.name
        if request.arch not in OWN_ARCHITECTURE and request.arch != universe.arch:
            name = f"{name}:{request.arch}"
            if request.arch not in universe.foreign:
                raise Refused(f"{name} is of an architecture that dpkg --add-architecture has not added here")
        if request.reason == "removal":
            versions = universe.versions(name)
            if versions:
                yield ResolvedArgument(universe.installed(name) or versions[0], remove=True)
            continue
        pin = choice.version if choice.status in {"pinned", "kept"} else request.pin
        if name.endswith("+") and not universe.versions(name):
            name = name[:-1]  # apt's mark for installing it (apt-get(8))
        yield ResolvedArgument(
            universe.select(name, version_text=pin, release=request.release), release=request.release
        )


def _several(call: InstallCommand, request: Request, universe: Universe) -> Iterator[ResolvedArgument]:
    """What apt takes for a glob or a regular expression: each package that has a candidate."""
    text = request.word.value or ""
    at = max(text.rfind("="), text.rfind("/"))
    word, version, release = text, "", ""
    if at >= 0:
        word = text[:at]
        version, release = (text[at + 1 :], "") if text[at] == "=" else ("", text[at + 1 :])
    program = call.install.command.partition(" ")[0]
    for name in words.names(universe, word, program):
        if version or release or universe.candidate(name) is not None:
            found = universe.select(name, version_text=version, release=release)
            yield ResolvedArgument(found, release=release)
