"""What an install call asks for and what it does, with the cause of every choice: the values of both solvers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Literal

from pinner.apt import version
from pinner.apt.packages import Package
from pinner.resolve.marks import Marks
from pinner.resolve.needs import Need
from pinner.resolve.universe import Offer, Universe
from pinner.values import NamedTuple


class ResolvedArgument(NamedTuple):
    """One package argument of an install call: a version as `Universe.select` gives it.

    `remove` for `name-`. `release` is that of `name/release`, which also switches the candidates of dependencies.
    """

    offer: Offer
    remove: bool = False
    release: str = ""


class Cause(NamedTuple):
    """Why a package is there. Both are None for what was asked for.

    `need` is a clause of `parent` that the package fulfils or, by an upgrade, no longer violates. An upgrade can
    also be made since `parent` replaces a version that the old one needed, then `need` is a clause of that old
    one; or since it is of the same source as `parent`, then `need` is None.
    """

    need: Need | None
    parent: Offer | None


class Chosen(NamedTuple):
    """A version that will be installed. `replaces` is the version it upgrades or downgrades, None for a new one.

    `causes` has the one that brought it along first, then the others; never empty. The package that brought it along
    may have been dropped again.
    """

    offer: Offer
    causes: tuple[Cause, ...]
    replaces: Offer | None = None

    @property
    def requested(self) -> bool:
        """Whether it was asked for."""
        return self.causes[0].parent is None


#: What an upgrade may do beside moving to newer versions: also install, and remove as well.
Extent = Literal["none", "install", "all"]


class Resolution(NamedTuple):
    """What an install call does: `chosen` in the order of choice, `removed` versions, and what is there after."""

    chosen: tuple[Chosen, ...]
    removed: tuple[Offer, ...]
    after: tuple[Package, ...]


def add_causes(marks: Marks, targets: Mapping[str, Offer], causes: dict[str, list[Cause]]) -> None:
    """Add to the causes, by the names of what is installed, every need of what will be there that it fulfils.

    `targets` are the versions that will be there, by name.
    """
    for parent in targets.values():
        for need in marks.universe.needs(parent):
            if not need.negative and marks.wanted(need):
                for offer in marks.fulfilling(need):
                    found = causes.get(offer.name)
                    if found is not None and all(each.need is not need for each in found):
                        found.append(Cause(need, parent))


def after(universe: Universe, targets: Iterable[Offer], automatic: Container[str]) -> tuple[Package, ...]:
    """What is installed after a call: these versions, with the names that are `automatic`; what was held stays so."""
    return tuple(
        marked(each.package, held=each.name in universe.held, automatic=each.name in automatic)
        for each in targets
    )


def marked(package: Package, *, held: bool, automatic: bool) -> Package:
    """An installed package with these marks (apt-mark(8))."""
    if (package.held, package.automatic) == (held, automatic):
        return package
    return package._replace(held=held, automatic=automatic)


def named(offer: Offer) -> str:
    """`name version`, for messages."""
    return f"{offer.name} {offer.version}"


def candidate_hint(universe: Universe, need: Need) -> str:
    """What to ask for where only a version that is not its package's candidate fulfils the need."""
    fitting = [offer for options in need.options for offer in options]
    if not fitting or any(universe.candidate(offer.name) is offer for offer in fitting):
        return ""
    there = universe.installed(fitting[0].name)
    if there is not None and version.compare(fitting[0].version, there.version) < 0:
        return ""  # that would be a downgrade
    return f"ask for {fitting[0].name}={fitting[0].version} as well: apt takes candidates only"
