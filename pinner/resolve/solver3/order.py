"""Which version the solver of apt 3.1 tries first among those that fulfil a dependency."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key

from pinner.resolve.marks import PRIORITIES
from pinner.resolve.universe import Offer, Universe


class Order:
    """Of one package the installed version comes first, then the higher pin priority, then the higher version.

    Of different packages, in this order: Multi-Arch: same where a sibling is installed, installed, of the target's own
    name, Essential, Important, of the native architecture, by the Priority field, by name.
    """

    def __init__(self, universe: Universe, is_obsolete: Callable[[str], bool] | None = None) -> None:
        """`is_obsolete` is given for an upgrade: candidates come first then, and what is obsolete last."""
        self._universe = universe
        self._is_obsolete = is_obsolete
        self._of_package: dict[str, tuple[Offer, ...]] = {}

    def versions(self, name: str) -> tuple[Offer, ...]:
        """All versions of a package, the best first."""
        found = self._of_package.get(name)
        if found is None:
            installed = self._universe.installed(name)
            versions = self._universe.versions(name)
            if len(versions) > 1:
                first = self._universe.candidate(name) if self._is_obsolete else None
                versions = tuple(
                    sorted(versions, key=lambda one: (one is not first, one is not installed, -one.priority))
                )
            found = self._of_package[name] = versions
        return found

    def sort(self, offers: Sequence[Offer], target: str) -> list[Offer]:
        """The offers, the best first; `target` is the name that the dependency gives, "" for `x:any`.

        One that provides its own name is there twice, as it is to apt, which sees a choice in that.
        """
        found = list(offers)
        if len(found) > 1:
            found.sort(key=cmp_to_key(lambda a, b: self._compare(a, b, target)))
        return found

    def packages(self, names: Iterable[str]) -> list[str]:
        """Packages, the best first. Each counts as the worst of its versions."""
        return [offer.name for offer in self.sort([self.versions(name)[-1] for name in names], "")]

    def _compare(self, a: Offer, b: Offer, target: str) -> int:
        if a.name == b.name:
            ranked = self.versions(a.name)
            return ranked.index(a) - ranked.index(b)
        left, right = self._rank(a, target), self._rank(b, target)
        return -1 if left < right else 1

    def _rank(self, offer: Offer, target: str) -> tuple[bool | int | bytes, ...]:
        universe, name = self._universe, offer.name
        absent = universe.installed(name) is None
        return (
            self._is_obsolete is not None and self._is_obsolete(name),
            not universe.has_installed_like(offer),
            absent,
            offer.package.name != target.partition(":")[0],
            not universe.essential(name),
            not universe.important(name),
            offer.foreign != "",
            PRIORITIES.get(offer.package.priority, 5),
            name.encode(),
        )
