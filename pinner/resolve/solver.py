"""Which packages would apt install? Chooses the solver of the apt that runs the call."""

from __future__ import annotations

from collections.abc import Sequence

from pinner.apt import version
from pinner.distributions.suite import SOLVER_3_SINCE
from pinner.errors import Refused, Unsatisfiable
from pinner.resolve import classic
from pinner.resolve.marks import Marks
from pinner.resolve.resolution import Extent, Resolution, ResolvedArgument
from pinner.resolve.sweep import garbage
from pinner.resolve.universe import Offer, Universe

#: From this version on apt falls back on solver 3.0 where the classic one fails.
_FALLBACK_SINCE = "2.9.33"


def apt_version(universe: Universe) -> str:
    """The version of the apt that runs in the root: installed, else offered. Raises `Refused` if there is none."""
    apt = universe.installed("apt") or universe.candidate("apt")
    if apt is None:
        raise Refused("the starting set holds no apt, and the archive offers none")
    return apt.version


def is_classic(universe: Universe) -> bool:
    """Whether the root's apt has the classic solver."""
    return version.compare(apt_version(universe), SOLVER_3_SINCE) < 0


def solve(
    universe: Universe,
    asked: Sequence[ResolvedArgument],
    extent: Extent | None = None,
    *,
    recommends: bool = True,
    suggests: bool = False,
    suggests_important: bool = True,
) -> Resolution:
    """What `apt-get install` of these packages would do to the root that the universe describes; or, of an `extent`,
    an upgrade with these arguments.

    `suggests_important` is `APT::AutoRemove::SuggestsImportant`. For a following call use
    `universe.with_installed(resolution.after)`. Raises `Unsatisfiable`, with the chain of causes, where apt fails.
    """
    from pinner.resolve.solver3 import solver as solver3  # not every archive needs it

    apt = apt_version(universe)
    options = {"recommends": recommends, "suggests": suggests, "suggests_important": suggests_important}
    if not is_classic(universe):
        return solver3.solve(universe, asked, extent, apt=apt, **options)
    try:
        return classic.solve(universe, asked, extent, **options)
    except Refused:
        raise
    except Unsatisfiable:
        if version.compare(apt, _FALLBACK_SINCE) < 0 or (extent is not None and asked):
            raise
        # Both look for a solution until there is none, but in another order.
        try:
            solver3.solve(universe, asked, extent, apt=apt, **options)
        except Refused:
            raise
        except Unsatisfiable:
            pass
        else:
            raise Refused(
                f"apt {apt} falls back on an early form of solver 3.0 here: "
                "there is a solution, but pinner does not know which"
            ) from None
        raise


def autoremove(
    universe: Universe,
    *,
    recommends: bool,
    suggests: bool,
    recommends_important: bool,
    suggests_important: bool,
) -> tuple[Offer, ...]:
    """What `apt-get autoremove` takes away: automatic packages that nothing needs any more."""
    marks = Marks(
        universe,
        recommends=recommends,
        suggests=suggests,
        recommends_important=recommends_important,
        suggests_important=suggests_important,
    )
    return garbage(marks)
