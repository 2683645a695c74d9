"""The scores by which apt's problem resolver decides who has to give way (apt's `pkgProblemResolver::MakeScores`).

A package that will be there scores by its priority, gains for each package that needs it and loses for each that
conflicts with it; then what needs it hands on its own first score, and what is provided hands on its gain to the
provider. Being asked for, Essential or Protected outweighs all of that.
"""

from __future__ import annotations

from collections import Counter

from pinner.apt import relations
from pinner.resolve.marks import PRIORITIES, Marks
from pinner.resolve.needs import Need
from pinner.resolve.offers import provides

_BY_PRIORITY = {1: 3, 2: 2, 3: 1, 4: -1, 5: -2}
_BY_KIND = {"Pre-Depends": 1, "Depends": 1, "Recommends": 1, "Conflicts": -1, "Breaks": -1, "Suggests": 0}
_ESSENTIAL, _ASKED_FOR, _NEVER_REMOVED = 100, 10_000, 5_000


def reckon(marks: Marks, asked: set[str]) -> Counter[str]:
    """The score of every name that has one; `asked` are the names on the command line."""
    universe = marks.universe
    scores: Counter[str] = Counter()
    present = [(mark, mark.target) for mark in marks.all() if mark.target is not None]
    for mark, offer in present:
        if universe.essential(mark.name) or universe.important(mark.name):
            scores[mark.name] += _ESSENTIAL
        rank = PRIORITIES.get(offer.package.priority, 5) if offer.pockets else 5
        scores[mark.name] += _BY_PRIORITY[rank]
        if mark.current is not None and mark.candidate is not None and mark.candidate.pockets:
            scores[mark.name] += 1
        for need in universe.needs(offer):
            weight = _BY_KIND[need.kind]
            if weight:
                for name in _supporters(marks, need):
                    scores[name] += weight
    first = scores.copy()
    for _, offer in present:
        inherited = first[offer.name]
        if inherited > 0:
            for need in universe.needs(offer):
                if need.kind in ("Pre-Depends", "Depends", "Recommends"):
                    for relation in need.clause:
                        if not relation.arch and marks[relation.name].target is not None:
                            scores[relation.name] += inherited
    for mark, _ in present:
        transfer = abs(scores[mark.name] - first[mark.name])
        if transfer:
            for provider in dict.fromkeys(universe.providers(mark.name)):
                if marks[provider.name].target is provider:
                    scores[provider.name] += transfer
    for mark in marks.all():
        if mark.name in asked:
            scores[mark.name] += _ASKED_FOR
        if universe.essential(mark.name) or universe.important(mark.name):
            scores[mark.name] += _NEVER_REMOVED
    return scores


def _supporters(marks: Marks, need: Need) -> list[str]:
    """The names that gain or lose by the need: per alternative the name itself and its providers there."""
    found: list[str] = []
    for relation, options in zip(need.clause, need.options, strict=True):
        there = {offer.name for offer in options if marks[offer.name].target is offer}
        own = relation.name
        if not relation.arch and not (need.negative and own == need.owner.name):
            if relation.op and own not in there:
                continue
            found.append(own)
        found.extend(there - {own})
        if own in there and any(
            relations.satisfied(relation, given.version)
            for offer in options
            if offer.name == own and marks[own].target is offer
            for given in provides(offer.package, own)
        ):
            found.append(own)
    return found
