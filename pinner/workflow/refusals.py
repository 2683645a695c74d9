"""What `apt-get -y install` refuses to do to the packages of the base image: to go back, to change what is held, and to
remove what the system cannot do without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pinner.apt.command_line import Setting
from pinner.apt.packages import Package
from pinner.apt.version import compare
from pinner.errors import Refused, Unsatisfiable
from pinner.resolve.universe import Universe
from pinner.stages.install_commands import InstallCommand
from pinner.stages.steps import option

if TYPE_CHECKING:
    from pinner.resolve.resolution import Resolution

#: What to do where the archive has a version that is not below the image's.
MOVES = "pinner refresh moves the pin"


class Downgrade(Unsatisfiable):
    """A command would put packages (`names`) in place of newer ones that an earlier command has installed."""

    def __init__(self, message: str, names: Iterable[str], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.names = frozenset(names)


class Removal(Unsatisfiable):
    """A command would remove what an earlier one has installed for an argument."""


def refusal(
    call: InstallCommand, result: Resolution, universe: Universe, start: Iterable[Package]
) -> Unsatisfiable | None:
    """What apt would refuse of what a call does (apt-get(8), --allow-downgrades and its like).

    `start` is what the root held before the first command. Where that is only assumed, it proves nothing about the
    image: then it is a `Refused`.
    """
    if refused := forbidden(call.install.settings, result, universe):
        return refused
    changed = [(each.offer, each.replaces) for each in result.chosen if each.replaces is not None]
    lower = [pair for pair in changed if compare(pair[0].version, pair[1].version) < 0]
    if lower and not _allows(call.install.settings, "allow-downgrades"):
        names = ", ".join(f"{offer.name} from {old.version} to {offer.version}" for offer, old in lower)
        at_first = {each[:3] for each in start}  # name, version, architecture
        before = {offer.name: old.package for offer, old in lower}
        later = [name for name, each in before.items() if each[:3] not in at_first]
        ahead = [offer.name for offer, old in lower if not _offered(universe, offer.name, old.version)]
        off = f"take the version off {' and '.join(ahead)}"
        if later:
            message = f"apt would have to downgrade {names}, which an earlier command installs"
            return Downgrade(message, later, hint=off if ahead else MOVES)
        known = any(root.arch == universe.arch for root in call.base.roots)
        return (Unsatisfiable if known else Refused)(
            f"apt would have to downgrade {names}, which {'the' if known else 'a fresh'} base image holds",
            hint=f"{off}: the image holds a newer one than its archive offers" if ahead else MOVES,
        )
    return None


def forbidden(settings: Iterable[Setting], result: Resolution, universe: Universe) -> Unsatisfiable | None:
    """What apt would refuse to change or remove with these options, whatever the command."""
    held = [each.offer.name for each in result.chosen if each.replaces and each.offer.name in universe.held]
    held += [offer.name for offer in result.removed if offer.name in universe.held]
    ignored = option(settings, "APT::Ignore-Hold") or _allows(settings, "allow-change-held-packages")
    if held and not ignored:
        return Unsatisfiable(
            f"apt would have to change {', '.join(held)}, which is held back (apt-mark hold)",
            hint="take it off the line, or add --allow-change-held-packages",
        )
    removed = [each.name for each in result.removed]
    vital = [each for each in removed if universe.essential(each) or universe.important(each)]
    if vital and not _allows(settings, "allow-remove-essential"):
        return Unsatisfiable(
            f"apt would have to remove {', '.join(vital)}, which the system cannot do without",
            hint="take it off the line, or add --allow-remove-essential",
        )
    return None


def _allows(settings: Iterable[Setting], name: str) -> bool:
    return any(option(settings, f"APT::Get::{each}") for each in (name, "force-yes"))


def _offered(universe: Universe, name: str, least: str) -> bool:
    offers = (each for each in universe.versions(name) if each.index is not None)
    return any(compare(each.version, least) >= 0 for each in offers)
