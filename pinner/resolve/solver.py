"""Which packages would apt install? Chooses the solver of the apt that runs the call."""

from __future__ import annotations

from collections.abc import Sequence

from pinner.apt import version
from pinner.errors import Refused
from pinner.resolve import classic
from pinner.resolve.resolution import Asked, Resolution
from pinner.resolve.universe import Universe

#: From this version on apt and apt-get use solver 3.0 (`Version::3.1::APT::Solver` of `apt-config dump`).
SOLVER3_SINCE = "3.1.10"


def apt_version(universe: Universe) -> str:
    """The version of the apt that runs in the root: installed, else offered. Raises `Refused` if there is none."""
    apt = universe.installed("apt") or universe.candidate("apt")
    if apt is None:
        raise Refused("the starting set holds no apt, and the archive offers none")
    return apt.version


def is_classic(universe: Universe) -> bool:
    """Whether the root's apt has the classic solver."""
    return version.compare(apt_version(universe), SOLVER3_SINCE) < 0


def solve(
    universe: Universe,
    asked: Sequence[Asked],
    *,
    recommends: bool = True,
    suggests: bool = False,
    suggests_important: bool = True,
) -> Resolution:
    """What `apt-get install` of these packages would do to the root that the universe describes.

    `suggests_important` is `APT::AutoRemove::SuggestsImportant`. For a following call use
    `universe.with_installed(resolution.after)`. Raises `Unsatisfiable`, with the chain of causes, where apt fails.
    """
    if is_classic(universe):
        return classic.solve(universe, asked, recommends=recommends, suggests=suggests)
    from pinner.resolve.solver3.solver import solve as solve3  # not every archive needs it

    return solve3(
        universe,
        asked,
        apt=apt_version(universe),
        recommends=recommends,
        suggests=suggests,
        suggests_important=suggests_important,
    )
