"""A quick proof that apt can install commands as they stand; where it fails, the solver must tell.

If each package that is asked for is the candidate, if apt can install each one alone in the root without removing or
replacing anything, and if nothing of all that this installs conflicts with anything else of it, then apt can install
them together: it takes candidates alone, a need that is met already adds nothing, and no choice that it makes for one
package alone is barred by another. Installed one by one, packages that many files ask for are resolved once.
"""

from __future__ import annotations

from collections.abc import Mapping

from pinner.errors import Refused, Unsatisfiable
from pinner.recipe.installs import Request
from pinner.resolve.classic import brought
from pinner.resolve.resolution import ResolvedArgument
from pinner.resolve.solver import is_classic
from pinner.resolve.universe import Offer, Universe
from pinner.stages.choice import Choice
from pinner.stages.install_commands import File
from pinner.stages.suites import chain
from pinner.workflow.closure import Closures, asked_of

_Set = frozenset[Offer]


class QuickProof:
    """Proves files. What was found out about a package is remembered."""

    def __init__(self, closures: Closures) -> None:
        self._closures = closures
        self._alone: dict[tuple[Universe, ResolvedArgument, bool, bool], _Set | None] = {}
        self._enemies: dict[Offer, _Set] = {}
        self._followed: dict[Universe, bool] = {}

    def covers(self, file: File, choices: Mapping[Request, Choice], platform: str) -> bool:
        """Whether every call of the file is proved on the platform. All that stands on one root is taken together."""
        if any(call.step or call.script for call in file.commands(platform)):
            return False
        roots: dict[int, set[Offer]] = {}
        for call in file.calls():
            if platform not in call.base.platforms or not call.requests:
                continue
            stages = chain(file.dockerfile, file.dockerfile.stages[call.install.stage])
            together = roots.setdefault(stages[-1].index, set())
            if call.install.target_release:
                return False
            try:
                universe = self._closures.root(call, platform)
                if universe is None:
                    continue
                asked = tuple(asked_of(call, choices, universe, platform))
            except Unsatisfiable:
                return False
            if not self._is_followed(universe):
                return False
            for one in asked:
                found = self._of(universe, one, call.recommends, bool(call.install.suggests))
                if found is None:
                    return False
                together |= found
            if any(not self._enemies_of(universe, offer).isdisjoint(together) for offer in together):
                return False
        return True

    def _is_followed(self, universe: Universe) -> bool:
        if universe not in self._followed:
            try:
                self._followed[universe] = is_classic(universe)
            except Refused:
                self._followed[universe] = False
        return self._followed[universe]

    def _of(self, universe: Universe, one: ResolvedArgument, recommends: bool, suggests: bool) -> _Set | None:
        """What the package brings alone, itself included; None where that is not as the proof wants it."""
        key = (universe, one, recommends, suggests)
        if key not in self._alone:
            plain = not (one.remove or one.release) and universe.candidate(one.offer.name) is one.offer
            self._alone[key] = (
                brought(universe, one.offer, recommends=recommends, suggests=suggests) if plain else None
            )
        return self._alone[key]

    def _enemies_of(self, universe: Universe, offer: Offer) -> _Set:
        if offer not in self._enemies:
            bars = (options for need in universe.needs(offer) if need.negative for options in need.options)
            self._enemies[offer] = frozenset(enemy for options in bars for enemy in options)
        return self._enemies[offer]
