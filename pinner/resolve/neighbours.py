"""Which installed packages an upgrade concerns: those that name the package, and those of the same source."""

from __future__ import annotations

from collections.abc import Sequence

from pinner.apt.relations import Relation
from pinner.resolve.needs import Need
from pinner.resolve.universe import Universe


class Neighbours:
    """Look-ups among what is installed, made at the first question."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._dependents: dict[str, list[tuple[Need, Relation]]] | None = None
        self._binaries: dict[str, list[str]] | None = None

    def dependents(self, name: str) -> Sequence[tuple[Need, Relation]]:
        """The positive needs of installed packages that name it, each with the alternative that does."""
        if self._dependents is None:
            self._dependents = {}
            for offer in self._universe.all_installed():
                for need in self._universe.needs(offer):
                    if not need.negative:
                        for relation in need.clause:
                            self._dependents.setdefault(relation.name, []).append((need, relation))
        return self._dependents.get(name, ())

    def binaries(self, source: str) -> Sequence[str]:
        """The installed packages some version of which comes from the source package."""
        if self._binaries is None:
            self._binaries = {}
            for installed in self._universe.all_installed():
                versions = self._universe.versions(installed.name)
                for name in dict.fromkeys(offer.package.source for offer in versions):
                    self._binaries.setdefault(name, []).append(installed.name)
        return self._binaries.get(source, ())
