"""apt's scoring problem resolver: what to give up when the marks do not fit together.

Every package has a score by its priority, by what needs it and by being asked for. From the highest score to the
lowest each broken package is looked at: where the other side of the trouble scores higher it is held back or
removed itself, else the other side is (apt's `pkgProblemResolver::ResolveInternal`). apt's order among equal
scores is an accident of its hash table: `tied` says that it was asked for, and `latest_first` takes the one order
or the other, so that the caller can see whether it matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from pinner.resolve.marking import Marker
from pinner.resolve.marks import Mark
from pinner.resolve.needs import Need
from pinner.resolve.scores import reckon
from pinner.resolve.sweep import find_garbage
from pinner.resolve.universe import Offer

ROUNDS = 20


@dataclass(slots=True)
class _Look:
    """The state of looking at one broken package: what to remove for it, and how its or-group is to end."""

    kills: list[tuple[Mark, Need]] = field(default_factory=list)
    keep: bool = False


class Problems:
    """One run of the resolver. `asked` are the names on the command line, `leaving` those to be removed.

    `upgrades` is whether what is broken may be upgraded for that: not by `dist-upgrade`, which has tried.
    """

    def __init__(
        self, marker: Marker, asked: set[str], leaving: set[str], *, upgrades: bool, latest_first: bool
    ) -> None:
        self.marker = marker
        self.marks = marker.marks
        self.asked = asked
        self.leaving = leaving
        self.upgrades = upgrades
        self.latest_first = latest_first
        self.tied = False
        self.scores: Counter[str] = Counter()
        self._ranks: Counter[str] = Counter()
        self.tried: set[str] = set()
        self.changed = False
        self.round = 0

    def solve(self) -> None:
        """Change marks until nothing is broken, or until nothing changes any more."""
        marks = self.marks
        again = self.upgrades
        while again:
            again = False
            for mark in marks.all():
                if not mark.installing and marks.broken(mark):
                    self.marker.install(mark, follow=False)
                    again |= mark.installing
        everything = marks.all()
        installing = {mark.name for mark in everything if mark.installing}

        reinstate = set(installing)
        if not any(marks.broken(mark) or self._was_downgraded(mark) for mark in everything):
            return
        find_garbage(marks)
        self.scores = reckon(marks, self.asked)
        self._ranks = self.scores.copy()
        self.changed = True
        looked_at: set[str] = set()
        for self.round in range(ROUNDS):
            if not self.changed:
                break
            self.changed = False
            for mark in self._by_rank():
                if mark.name in reinstate and self._was_downgraded(mark):
                    reinstate.discard(mark.name)
                    self.tried.add(mark.name)
                    self._reinstate(mark)
                if marks.broken(mark):
                    looked_at.add(mark.name)
                    self.tied |= any(
                        self._ranks[name] == self._ranks[mark.name] and name != mark.name
                        for name in {*looked_at, *(other.name for other in marks.all_broken())}
                    )
                    self._investigate(mark)
        for mark in marks.all():
            if mark.installing and mark.newness == 2 and mark.name not in installing:
                mark.automatic = True

    def _by_rank(self) -> Iterator[Mark]:
        """Every package from the highest first score to the lowest, those too that turn up on the way."""
        waiting: list[Mark] = []
        known: set[str] = set()
        current: float = inf
        while True:
            new = [mark for mark in self.marks.all() if mark.name not in known]
            if new:
                known.update(mark.name for mark in new)
                if not self.latest_first:
                    new.reverse()
                waiting += [mark for mark in new if self._ranks[mark.name] <= current]
                waiting.sort(key=lambda mark: self._ranks[mark.name])
            if not waiting:
                return
            mark = waiting.pop()
            current = self._ranks[mark.name]
            yield mark

    def _was_downgraded(self, mark: Mark) -> bool:
        return (
            mark.current is not None
            and mark.target is not None
            and mark.candidate is not mark.target
            and not mark.protected
        )

    def _reinstate(self, mark: Mark) -> None:
        before = len(self.marks.all_broken())
        self.marker.install(mark, follow=False)
        if self.marks.broken(mark) or before < len(self.marks.all_broken()):
            self.marks.keep(mark)

    # --- one broken package ------------------------------------------------------------------------------

    def _investigate(self, mark: Mark) -> None:
        marks = self.marks
        assert mark.target is not None
        look = _Look()
        for need in marks.universe.needs(mark.target):
            if not need.critical or marks.holds(need):
                continue
            if len(need.clause) == 1:
                if self._try_alternative(mark, need, 0, look):
                    break
                continue
            kills_before = len(look.kills)
            look.keep = False
            for number in range(len(need.clause)):
                if marks.holds(need):
                    break
                self._try_alternative(mark, need, number, look)
            else:
                if len(look.kills) == kills_before:
                    if look.keep:
                        marks.keep(mark)
                        self.changed = True
                    elif not mark.protected:
                        marks.delete(mark)
                        self.changed = True
        if mark.target is not None:
            for other, need in look.kills:
                self._apply(mark, other, need)

    def _try_alternative(self, mark: Mark, need: Need, number: int, look: _Look) -> bool:
        """Deal with one alternative of a need that does not hold; True if something was done about it."""
        marks, scores = self.marks, self.scores
        options = need.options[number]
        in_or = len(need.clause) > 1
        if not options and not mark.protected and not need.negative and not marks.broken_before(mark):
            if in_or:
                return False
            self.changed = True
            marks.keep(mark)
            return True
        held_before = any(marks.universe.installed(offer.name) is offer for offer in options) != need.negative
        for offer in options:
            other = marks[offer.name]
            if need.negative and other.target is not offer:
                continue
            if scores[mark.name] <= scores[other.name] or (not held_before and not need.negative):
                if mark.protected:
                    if self._upgrade(other):
                        scores[other.name] = min(scores[other.name], scores[mark.name])
                        break
                    continue
                self._give_up(mark, need, number, other, look)
                self.changed = True
                return True
            if need.kind == "Breaks" and marks.possible(need):
                self.marker.install(other, follow=False)
                continue
            if other.protected and other.mode != "delete":
                continue
            look.kills.append((other, need))
            if not need.negative:
                break
        if not options and not need.negative and not mark.protected:
            was_installing = mark.installing
            marks.keep(mark, by_user=True)
            if not marks.broken(mark):
                look.keep = True
                if in_or and was_installing:
                    self.marker.install(mark, follow=False)
            elif not in_or:
                marks.delete(mark)
            self.changed = True
            return True
        return False

    def _give_up(self, mark: Mark, need: Need, number: int, other: Mark, look: _Look) -> None:
        """Hold the package back, or if that is no help upgrade it, remove it, or install what it lacks."""
        marks = self.marks
        in_or = len(need.clause) > 1
        was_installing = mark.installing
        marks.keep(mark)
        if not marks.broken(mark):
            look.keep = True
            if in_or and was_installing:
                self.marker.install(mark, follow=False)
            return
        if self.upgrades and self._upgrade(mark):
            return
        if not in_or or mark.garbage:
            marks.delete(mark)
            if self.round > 1:
                self.scores[mark.name] = max(self.scores[mark.name], self.scores[other.name])
            return
        lacking = marks[need.clause[number].name]
        if (
            lacking.current is None
            and lacking.mode != "delete"
            and lacking.name not in self.leaving
            and lacking.candidate is not None
        ):
            before = len(marks.all_broken())
            self.marker.install(lacking, 1)
            look.keep = look.keep or self.marker.modern
            if marks.broken(lacking) or len(marks.all_broken()) > before:
                marks.delete(lacking, 1)
                if self.marker.modern:
                    look.keep = False

    def _upgrade(self, mark: Mark) -> bool:
        """Install the candidate in place of what is there, if what it needs is there or can be upgraded too."""
        marks = self.marks
        if mark.name in self.tried or mark.newness < 1 or mark.candidate is None:
            return False
        if mark.name in self.asked:
            return False
        self.tried.add(mark.name)
        was_kept = mark.mode == "keep"
        if not self.marker.install(mark, follow=False) or mark.target is None:
            return False
        for need in marks.universe.needs(mark.target):
            if need.critical and not self._upgrade_for(need):
                if was_kept:
                    marks.keep(mark)
                else:
                    marks.delete(mark)
                return False
        return True

    def _upgrade_for(self, need: Need) -> bool:
        marks = self.marks
        fine = True
        for relation, options in zip(need.clause, need.options, strict=True):
            if marks.holds(need):
                return fine
            other = marks[self._smart_target(need.owner, relation.name)]
            candidate_fits = any(marks[offer.name].published is offer for offer in options) != need.negative
            if other.protected:
                fine = False
            elif candidate_fits:
                fine = self._upgrade(other)
                if fine:
                    return True
            elif need.negative:
                return fine
            else:
                fine = False
        return fine

    def _smart_target(self, owner: Offer, name: str) -> str:
        """The package a relation is about: the sole provider of a purely virtual name, else the name."""
        if self.marks.universe.versions(name):
            return name
        providers = [o.name for o in self.marks.universe.providers(name) if o.name != owner.name]
        return providers[0] if providers else name

    def _apply(self, mark: Mark, other: Mark, need: Need) -> None:
        marks, scores = self.marks, self.scores
        held_before = marks.held_before(need)
        done = marks.keep(other) if held_before else need.negative and marks.delete(other)
        if (not done or self.round > 1) and scores[mark.name] > scores[other.name]:
            scores[other.name] = scores[mark.name]
            self.changed = True
        self.changed |= done
