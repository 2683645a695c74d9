"""`name/release`: the candidates of what a package needs follow it into its release, where they must.

A need that what is installed or the present candidate fulfils is left alone; of the others, a versioned one makes
the first alternative whose version in the release fits the new candidate, and so on down. A present candidate
counts only if all it needs itself is there already. Where a critical need cannot be met the branch is given up,
which shows only when its package turns out to be broken (apt's `pkgDepCache::SetCandidateRelease`).
"""

from __future__ import annotations

from collections.abc import Iterable

from pinner.apt import relations
from pinner.apt.relations import Relation
from pinner.resolve.marks import Marks
from pinner.resolve.needs import Need
from pinner.resolve.universe import Offer


def switch(marks: Marks, asked: Iterable[tuple[Offer, str]]) -> None:
    """Switch candidates for all the versions asked for by release."""
    starts = list(asked)
    for offer, _ in starts:
        marks.set_candidate(offer)
    changed: list[Offer] = []
    for offer, release in starts:
        changed.append(offer)
        _switch(marks, offer, release, changed)


def _switch(marks: Marks, target: Offer, release: str, changed: list[Offer]) -> bool:
    marks.set_candidate(target)
    before = len(changed)
    for need in marks.universe.needs(target):
        if need.negative or not marks.wanted(need) or _is_met(marks, need):
            continue
        if not _meet(marks, need, release, changed) and need.critical:
            del changed[before:]
            return False
    return True


def _is_met(marks: Marks, need: Need) -> bool:
    universe = marks.universe
    for relation in need.clause:
        name = relation.name
        now = universe.installed(name)
        if now is not None and relations.satisfied(relation, now.version):
            return True
        if not relation.op and universe.providers(name):
            if any(
                marks[p.name].candidate is p and _needs_nothing(marks, p) for p in universe.providers(name)
            ):
                return True
            continue
        candidate = marks[name].candidate
        if (
            candidate is not None
            and relations.satisfied(relation, candidate.version)
            and _needs_nothing(marks, candidate)
        ):
            return True
    return False


def _needs_nothing(marks: Marks, offer: Offer) -> bool:
    return all(marks.holds(need) for need in marks.universe.needs(offer) if need.critical)


def _meet(marks: Marks, need: Need, release: str, changed: list[Offer]) -> bool:
    """Switch the first alternative that its version in the release makes fit."""
    for relation in need.clause:
        offer = _fitting(marks, relation, release)
        if offer is None:
            continue
        old = marks[offer.name].candidate
        if offer is old and any(other.name == offer.name for other in changed):
            return True
        changed.append(offer)
        if _switch(marks, offer, release, changed):
            return True
        if relation is need.clause[-1]:
            return False
        if old is not None:
            marks.set_candidate(old)
        changed.pop()
    return False


def _fitting(marks: Marks, relation: Relation, release: str) -> Offer | None:
    if not relation.op:
        return None
    offer = marks.universe.in_release(relation.name, release)
    return offer if offer is not None and relations.satisfied(relation, offer.version) else None
