"""What a command of a stage does to what is installed, and to apt's marks (apt-get(8), apt-mark(8), dpkg(1)).

Where it is not known whether a package is still there, as behind `apt-mark manual` for what a program prints, both ways
are followed: what comes later must be the same with it and without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pinner.apt.packages import Package
from pinner.errors import Refused, Unsatisfiable
from pinner.resolve import solver, words
from pinner.resolve.resolution import Cause, Chosen, Extent, Resolution, ResolvedArgument, marked
from pinner.resolve.universe import Universe
from pinner.shell.content import UNKNOWN
from pinner.shell.outcomes import marks_at
from pinner.stages.starting_set import key
from pinner.stages.steps import LockedCommand, option
from pinner.values import NamedTuple
from pinner.workflow.refusals import forbidden

#: Answers what apt sees in a root that holds these packages.
Sees = Callable[[tuple[Package, ...]], Universe]
#: Solves a request, given whether Recommends, Suggests and what is suggested by installed packages count.
Solve = Callable[[Universe, tuple[ResolvedArgument, ...], bool, bool, bool], Resolution]


#: What apt calls the package that has the dependencies to be satisfied.
_WISH = "satisfy:command-line"


class Present(NamedTuple):
    """What is installed at a place of a stage. Of `maybe`, by name, it is not known whether they are still there.

    `unsure` tells that packages which are marked as automatic may be none; `noted` are the names that were marked as
    manual when `apt-mark showmanual` was run, by its number. `barred` are names that are held back and not there.
    """

    packages: tuple[Package, ...]
    maybe: frozenset[str] = frozenset()
    unsure: bool = False
    noted: Mapping[int, frozenset[str]] = {}
    barred: frozenset[str] = frozenset()


class ResolverOptions(NamedTuple):
    """What is configured for a command: whether apt follows Recommends and Suggests, and which of them keep what is
    installed from being removed as unneeded (`APT::AutoRemove::*Important`)."""

    recommends: bool
    suggests: bool
    suggests_important: bool
    recommends_important: bool
    solver: Solve

    def solve(self, universe: Universe, asked: tuple[ResolvedArgument, ...]) -> Resolution:
        """What apt makes of a request. Raises `Unsatisfiable`."""
        return self.solver(universe, asked, self.recommends, self.suggests, self.suggests_important)

    def swept(self, result: Resolution, sees: Sees) -> Resolution:
        """The result without what nothing needs any more, as `--auto-remove` has it."""
        universe = sees(result.after)
        found = solver.autoremove(
            universe,
            recommends=self.recommends,
            suggests=self.suggests,
            recommends_important=self.recommends_important,
            suggests_important=self.suggests_important,
        )
        unneeded = {offer.name: offer for offer in found}
        if not unneeded:
            return result
        brought = {each.offer.name: each for each in result.chosen}
        old = {name: each.replaces for name, each in brought.items()}
        removed = [old.get(name) or offer for name, offer in unneeded.items()]
        new = {name for name, replaced in old.items() if replaced is None}
        return Resolution(
            tuple(each for name, each in brought.items() if name not in unneeded),
            (*result.removed, *(offer for offer in removed if offer.name not in new)),
            tuple(each for each in result.after if _name(each, universe) not in unneeded),
        )


class CommandEffect(NamedTuple):
    """What a command installs, and what is installed after it; `gap` says what of it is not followed."""

    chosen: tuple[Chosen, ...]
    after: Present
    gap: str = ""


def changed(
    present: Present, sees: Sees, run: Callable[[Universe], Resolution]
) -> tuple[Resolution, Present]:
    """What a command does that a solver tells, with and without what may be there. Raises `Refused` if that differs."""
    result = run(sees(present.packages))
    universe = sees(result.after)
    maybe = frozenset[str]()
    if present.maybe:
        certain = (each for each in present.packages if _name(each, universe) not in present.maybe)
        least = run(sees(tuple(certain)))
        if _outside(result, present.maybe) != _outside(least, present.maybe):
            raise Refused("it depends on packages of which it is not known whether they are still there")
        chosen = {each.offer.name: each for each in (*least.chosen, *result.chosen)}
        there = {_name(each, universe) for each in least.after}
        maybe = frozenset(_name(each, universe) for each in result.after) - there
        result = result._replace(chosen=tuple(chosen.values()))
    bad = [each.offer.name for each in result.chosen if each.offer.name in present.barred]
    if bad:
        raise Refused(f"{', '.join(bad)} is held back here (apt-mark hold)")
    return result, present._replace(packages=result.after, maybe=maybe)


def _outside(result: Resolution, names: frozenset[str]) -> set[tuple[str, str]]:
    return {(each.offer.name, each.offer.version) for each in result.chosen if each.offer.name not in names}


def _name(package: Package, universe: Universe) -> str:
    return key(package.name, package.architecture, universe.arch)


def effect(step: LockedCommand, present: Present, options: ResolverOptions, sees: Sees) -> CommandEffect:
    """What a command other than an install command does. What cannot be followed is a `gap`, and changes nothing."""
    try:
        return _effect(step, present, options, sees)
    except Unsatisfiable as problem:
        return CommandEffect((), present, problem.message)


def _effect(step: LockedCommand, present: Present, options: ResolverOptions, sees: Sees) -> CommandEffect:
    universe = sees(present.packages)
    if step.verb in ("file", "other"):
        raise Refused(f"what {step.text} installs is not read")
    if step.verb == "upgrade":
        return _upgrade(step, present, options, sees)
    if step.verb == "satisfy":
        return _satisfy(step, present, options, sees)
    if step.verb in ("remove", "autoremove"):
        asked = tuple(_leaving(step, universe))
        sweeps = step.verb == "autoremove" or option(step.settings, "APT::Get::AutomaticRemove")

        def run(seen: Universe) -> Resolution:
            done = options.solve(seen, asked) if asked else Resolution((), (), seen.packages)
            if refused := forbidden(step.settings, done, seen):
                raise refused
            return options.swept(done, sees) if sweeps else done

        result, after = changed(present, sees, run)
        gone = {offer.name for offer in result.removed}
        kept = frozenset[str]()  # it may be there all the same
        if step.maybe:
            kept = frozenset(gone)
        elif present.unsure:
            direct = options.solve(universe, asked).removed if asked else ()
            kept = frozenset(gone) - {offer.name for offer in direct}
        if kept:
            again = tuple(each for each in present.packages if _name(each, universe) in kept)
            after = after._replace(packages=(*after.packages, *again), maybe=after.maybe | kept)
        return CommandEffect(result.chosen, after)
    if step.verb == "erase":
        names = {name for word in step.words for name in _names(step, universe, word)}
        if step.maybe:
            return CommandEffect((), present._replace(maybe=present.maybe | names))
        return CommandEffect((), _without(present, names, universe))
    return CommandEffect((), _marked(step, present, universe))


def _names(step: LockedCommand, universe: Universe, word: str) -> tuple[str, ...]:
    if UNKNOWN in word:
        raise Refused("a value that is not known decides what it is about")
    return words.names(universe, word, step.program)


def _leaving(step: LockedCommand, universe: Universe) -> list[ResolvedArgument]:
    """What the arguments of `remove` ask for; `name+` installs."""
    found = []
    for word in step.words:
        plain = word.partition("=")[0].partition("/")[0]
        if plain.endswith("+") and not universe.known(plain):
            found.append(ResolvedArgument(universe.select(plain[:-1])))
            continue
        for name in _names(step, universe, plain):
            versions = universe.versions(name)
            if versions:
                found.append(ResolvedArgument(universe.installed(name) or versions[0], remove=True))
    return found


def _without(present: Present, names: set[str], universe: Universe) -> Present:
    left = tuple(each for each in present.packages if _name(each, universe) not in names)
    return present._replace(packages=left, maybe=present.maybe - names)


def _upgrade(step: LockedCommand, present: Present, options: ResolverOptions, sees: Sees) -> CommandEffect:
    if step.maybe:
        raise Refused("a condition that is not known decides whether there is an upgrade")
    universe = sees(present.packages)
    names = (name for word in step.words for name in _names(step, universe, word))
    asked = tuple(ResolvedArgument(universe.select(name)) for name in names)
    new = option(step.settings, "APT::Get::Upgrade-Allow-New", step.program == "apt")
    extent: Extent = "all" if step.subcommand != "upgrade" else "install" if new else "none"
    sweeps = option(step.settings, "APT::Get::AutomaticRemove")

    def run(seen: Universe) -> Resolution:
        done = solver.solve(
            seen,
            asked,
            extent,
            recommends=options.recommends,
            suggests=options.suggests,
            suggests_important=options.suggests_important,
        )
        return options.swept(done, sees) if sweeps else done

    result, after = changed(present, sees, run)
    return CommandEffect(result.chosen, after)


def _satisfy(step: LockedCommand, present: Present, options: ResolverOptions, sees: Sees) -> CommandEffect:
    """What dependencies bring in: as if a package that has them were installed; what fulfils them is manual."""
    if step.maybe or any(UNKNOWN in word for word in step.words):
        raise Refused("a value that is not known decides which dependencies are fulfilled")
    depends, conflicts = list[str](), list[str]()
    for word in step.words:
        kind, colon, text = word.partition(": ")
        (conflicts if colon and kind == "Conflicts" else depends).append(text if colon else word)
    arch = sees(present.packages).arch
    wish = Package(_WISH, "0", arch, depends=", ".join(depends), conflicts=", ".join(conflicts))

    def run(seen: Universe) -> Resolution:
        universe = sees((*seen.packages, wish))
        own = universe.installed(_WISH)
        assert own is not None
        result = options.solve(universe, (ResolvedArgument(own),))
        own_wish = [each for each in result.chosen if any(cause.parent is own for cause in each.causes)]
        asked = {each.offer.name: each._replace(causes=(Cause(None, None),)) for each in own_wish}
        after = (
            marked(each, held=each.held, automatic=each.automatic and _name(each, universe) not in asked)
            for each in result.after
            if each.name != _WISH
        )
        chosen = (asked.get(each.offer.name, each) for each in result.chosen)
        return result._replace(chosen=tuple(chosen), after=tuple(after))

    result, after = changed(present, sees, run)
    return CommandEffect(result.chosen, after)


def _marked(step: LockedCommand, present: Present, universe: Universe) -> Present:
    if step.verb == "note":
        manual = frozenset(_name(each, universe) for each in present.packages if not each.automatic)
        return present._replace(noted={**present.noted, step.number: manual})
    names: set[str] = set()
    for word in step.words:
        number = next((each for each in present.noted if word == marks_at(each)), None)
        if number is not None:
            names |= present.noted[number]
        elif UNKNOWN in word and step.verb == "manual":
            present = present._replace(unsure=True)
        else:
            names |= set(_names(step, universe, word))
    if step.maybe and step.verb in ("hold", "unhold"):
        raise Refused("a condition that is not known decides what is held back")
    if step.verb in ("auto", "manual"):
        automatic = step.verb == "auto"
        everything = names.issuperset(_name(each, universe) for each in present.packages)
        unsure = (present.unsure and not (automatic and everything)) or step.maybe
        packages = tuple(
            marked(each, held=each.held, automatic=automatic) if _name(each, universe) in names else each
            for each in present.packages
        )
        return present._replace(packages=packages, unsure=unsure)
    held = step.verb == "hold"
    packages = tuple(
        marked(each, held=held, automatic=each.automatic) if _name(each, universe) in names else each
        for each in present.packages
    )
    absent = {name for name in names if universe.installed(name) is None}
    return present._replace(
        packages=packages, barred=present.barred | absent if held else present.barred - absent
    )


def reinstalled(asked: tuple[ResolvedArgument, ...], result: Resolution, universe: Universe) -> Resolution:
    """The result of `install --reinstall`: what is there already is fetched once more."""
    there = {each.offer.name for each in result.chosen}
    again = (
        Chosen(wish.offer, (Cause(None, None),), wish.offer)
        for wish in asked
        if not wish.remove
        and wish.offer.name not in there
        and universe.installed(wish.offer.name) is wish.offer
    )
    return result._replace(chosen=(*result.chosen, *(each for each in again if each.offer.index is not None)))
