"""Pins that are below what the base image holds: `apt-get -y` refuses to go back (apt-get(8), --allow-downgrades)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinner.errors import Refused, Unsatisfiable
from pinner.resolve.universe import Universe
from pinner.resolve.version import compare
from pinner.workflow.read import Call

if TYPE_CHECKING:
    from pinner.resolve.solver import Chosen

#: What to do where the archive has a version that is not below the image's.
MOVES = "pinner refresh moves the pin"


def downgrade(call: Call, chosen: Sequence[Chosen], universe: Universe) -> Unsatisfiable | None:
    """That apt would have to downgrade.

    What an assumed starting set holds proves nothing about the image: then it is only a `Refused`.
    """
    if any(option.value in {"--allow-downgrades", "--force-yes"} for option in call.install.options):
        return None
    held = {
        each.offer.name: (each.replaces.version, each.offer.version)
        for each in chosen
        if each.replaces is not None and each.downgrades
    }
    if not held:
        return None
    lower = ", ".join(f"{name} from {before} to {after}" for name, (before, after) in held.items())
    ahead = [name for name, (before, _) in held.items() if not _offered(universe, name, before)]
    off = f"take the version off {' and '.join(ahead)}: the image holds a newer one than its archive offers"
    known = any(root.arch == universe.arch for root in call.base.roots)
    return (Unsatisfiable if known else Refused)(
        f"apt would have to downgrade {lower}, which {'the' if known else 'a fresh'} base image holds",
        hint=off if ahead else MOVES,
    )


def _offered(universe: Universe, name: str, least: str) -> bool:
    return any(
        offer.index is not None and compare(offer.version, least) >= 0 for offer in universe.versions(name)
    )
