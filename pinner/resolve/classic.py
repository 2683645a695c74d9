"""Which packages would apt install? The classic solver of apt 2.x and 3.0, with the cause of every choice.

The steps, each in a module that lists its rules:

1. What is asked for becomes versions (`universe.Universe.select`, facts of apt-get(8)).
2. Removals go first; then, in command-line order, every package asked for is marked and protected.
3. Then in command-line order, before apt 2.5.3 in the order in which apt met them, each one's needs are marked, depth
   first (`marking`).
4. What is still broken goes to the scoring problem resolver (`problems`).
5. What was brought along for nothing is dropped again (`sweep`).

Candidates alone are ever installed: `app=1.0` that needs `lib (= 1.0)` fails where lib's candidate is 2.0.

Refused rather than guessed: what the problem resolver would decide by its order among equal scores, which is an
accident of apt's hash table (both orders are tried, a difference is refused).

Not modelled: the sections `metapackages`, `tasks` and `oldlibs` (which only move marks of upgrades).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from pinner.errors import Refused, Unsatisfiable
from pinner.resolve.marking import Marker
from pinner.resolve.marks import TOO_DEEP, Mark, Marks
from pinner.resolve.needs import Need
from pinner.resolve.problems import Problems
from pinner.resolve.resolution import (
    Cause,
    Chosen,
    Extent,
    Resolution,
    ResolvedArgument,
    add_causes,
    after,
    candidate_hint,
    named,
)
from pinner.resolve.sweep import drop_garbage
from pinner.resolve.switching import switch
from pinner.resolve.universe import Offer, Universe
from pinner.resolve.upgrade import upgrade

_FRAMES_PER_LEVEL = 4
_MOST_TROUBLES = 3  # reported of one command; the rest mostly follows from them


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
    an upgrade.

    Raises `Unsatisfiable`, with the chain of causes, where apt fails.
    """

    def marks() -> Marks:
        return Marks(
            universe, recommends=recommends, suggests=suggests, suggests_important=suggests_important
        )

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, TOO_DEEP * _FRAMES_PER_LEVEL))
    try:
        return _solve(marks, asked, extent)
    finally:
        sys.setrecursionlimit(limit)


def brought(
    universe: Universe, offer: Offer, *, recommends: bool, suggests: bool = False
) -> frozenset[Offer] | None:
    """What apt marks for installation for one package alone, in a fraction of the time of `solve`.

    It may hold more than `solve` finds, which drops what is brought along for nothing. None where apt would remove or
    replace something or would have to solve problems: then `solve` must tell.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, TOO_DEEP * _FRAMES_PER_LEVEL))
    try:
        marks = Marks(universe, recommends=recommends, suggests=suggests)
        marker = Marker(marks)
        mark = marks[offer.name]
        marks.set_candidate(offer)
        mark.protected = True
        marker.install(mark, follow=False, by_user=True)
        marker.install(mark, by_user=True)
        changed = [mark for mark in marks.all() if mark.target is not mark.current]
        if any(mark.current is not None for mark in changed) or marks.all_broken():
            return None
        return frozenset(mark.target for mark in changed if mark.target is not None)
    finally:
        sys.setrecursionlimit(limit)


def _solve(make: Callable[[], Marks], asked: Sequence[ResolvedArgument], extent: Extent | None) -> Resolution:
    marker, tied = _mark(make(), asked, extent, latest_first=True)
    marks = marker.marks
    broken = marks.all_broken()
    if not broken:  # apt looks for them before it drops what is not needed
        drop_garbage(marker)
    if tied:
        other, _ = _mark(make(), asked, extent, latest_first=False)
        if not other.marks.all_broken():
            drop_garbage(other)
        if _outcome(other.marks) != _outcome(marks):
            raise Refused(
                "apt would have to remove or hold back packages of equal standing: pinner does not guess which",
                hint="name the packages that are to stay in the same call",
            )
    if broken:
        raise Unsatisfiable(_explain(marker, broken), hint=_hint(marks, broken))
    wanted = [wish.offer for wish in asked if not wish.remove]
    if extent is not None:
        wanted += [mark.target for mark in marks.all() if mark.installing and mark.current and mark.target]
    return _result(marker, wanted)


def _mark(
    marks: Marks, asked: Sequence[ResolvedArgument], extent: Extent | None, *, latest_first: bool
) -> tuple[Marker, bool]:
    """All steps up to the problem resolver; `latest_first` is the order among equal scores, and whether it was asked
    for is returned."""
    marker = Marker(marks)
    wishes = list(dict.fromkeys(asked))
    leaving = dict.fromkeys(wish.offer.name for wish in wishes if wish.remove)
    for name in leaving:
        mark = marks[name]
        mark.protected = True
        if mark.current is None:
            mark.held = True
        else:
            marks.delete(mark, by_user=True)
    wanted = [wish for wish in wishes if not wish.remove]
    for wish in wanted:
        mark = marks[wish.offer.name]
        marks.set_candidate(wish.offer)
        mark.protected = True
        marker.install(mark, follow=False, by_user=True)
    switch(marks, [(wish.offer, wish.release) for wish in wanted if wish.release])
    if len(wanted) > 1 and not marks.universe.apt_since("2.5.3"):
        wanted.sort(key=lambda wish: marks.universe.order(wish.offer.name))
    for wish in wanted:
        marker.install(marks[wish.offer.name], by_user=True)
    if extent is not None:
        return marker, upgrade(marker, extent, latest_first=latest_first)
    names = {wish.offer.name for wish in wishes}
    problems = Problems(marker, names, set(leaving), upgrades=True, latest_first=latest_first)
    problems.solve()
    return marker, problems.tied


def _outcome(marks: Marks) -> frozenset[Offer]:
    """What would be there, or nothing if that could not be."""
    if marks.all_broken():
        return frozenset()
    return frozenset(mark.target for mark in marks.all() if mark.target is not None)


# --- the result ------------------------------------------------------------------------------------------


def _result(marker: Marker, wanted: Sequence[Offer]) -> Resolution:
    marks = marker.marks
    targets = {mark.name: mark.target for mark in marks.all() if mark.target is not None}
    causes: dict[str, list[Cause]] = {
        mark.name: [] for mark in marks.all() if mark.installing and mark.target is not None
    }
    for offer in dict.fromkeys(wanted):
        if targets.get(offer.name) is offer and offer.name in causes:
            causes[offer.name].append(Cause(None, None))
    for name, reason in marker.reasons.items():
        if name in causes and reason.parent is not None and targets.get(reason.parent.name) is reason.parent:
            causes[name].append(reason)
    add_causes(marks, targets, causes)
    for name, found in causes.items():
        # What a package brought along stays when that package is dropped again, as it does with apt.
        if not found and name in marker.reasons:
            found.append(marker.reasons[name])
    chosen = tuple(Chosen(targets[name], tuple(found), marks[name].current) for name, found in causes.items())
    removed = tuple(
        mark.current for mark in marks.all() if mark.mode == "delete" and mark.current is not None
    )
    automatic = {mark.name for mark in marks.all() if mark.automatic} - {offer.name for offer in wanted}
    return Resolution(chosen, removed, after(marks.universe, targets.values(), automatic))


# --- failures --------------------------------------------------------------------------------------------


def _explain(marker: Marker, broken: Iterable[Mark]) -> str:
    """What is broken, in up to three sentences: what the request itself rules out first, then conflicts."""
    marks = marker.marks
    lines: dict[str, int] = {}
    for mark in broken:
        offer = mark.target
        if offer is None:
            continue
        for need in marks.universe.needs(offer):
            if need.critical and not marks.holds(need):
                rank, trouble = _trouble(marks, need)
                lines.setdefault(f"{named(offer)} {trouble}{_chain(marker, mark.name)}", rank)
    told = sorted(lines, key=lambda line: lines[line])
    more = len(told) - _MOST_TROUBLES
    return "; ".join(told[:_MOST_TROUBLES]) + (f"; and {more} more" if more > 0 else "")


def _trouble(marks: Marks, need: Need) -> tuple[int, str]:
    """How near to the cause a need is, the nearest first, and what is wrong with it."""
    relation = " | ".join(map(str, need.clause))
    if need.negative:
        others = [o for options in need.options for o in options if marks[o.name].target is o]
        verb = "conflicts with" if need.kind == "Conflicts" else "breaks"
        return 1, f"{verb} {relation}, and {' and '.join(map(named, others))} would be there"
    found = [
        _missing(marks, name.name, options) for name, options in zip(need.clause, need.options, strict=True)
    ]
    return min(rank for rank, _ in found), f"needs {relation}, but {', '.join(text for _, text in found)}"


def _missing(marks: Marks, name: str, options: Sequence[Offer]) -> tuple[int, str]:
    """Why nothing of that name fulfils a need."""
    mark = marks[name]
    best = mark.target or marks.universe.candidate(name)
    enemy = _enemy(marks, best) if best is not None and best in options else ""
    if enemy:
        return 1, enemy
    if mark.protected and mark.target is None:
        return 0, f"{name} is to be removed"
    if best is None:
        provided = marks.universe.providers(name)
        return 2, f"no provider of {name} can be installed" if provided else f"there is no {name}"
    if best in options:
        return 3, f"{named(best)} cannot be installed"
    return 2, f"{named(best)} is {'to be there' if mark.target else 'the candidate'}"


def _enemy(marks: Marks, offer: Offer) -> str:
    """What is to be there and conflicts with an offer, "" if nothing does."""
    there = [mark.target for mark in marks.all() if mark.target is not None]
    for owner in (offer, *there):
        for need in marks.universe.needs(owner):
            if not need.negative:
                continue
            others = [one for options in need.options for one in options]
            if owner is offer:
                other = next((one for one in others if marks[one.name].target is one), None)
            else:
                other = owner if offer in others else None
            if other is not None:
                return f"{named(offer)} conflicts with {named(other)}"
    return ""


def _chain(marker: Marker, name: str) -> str:
    text, seen = "", {name}
    while (reason := marker.reasons.get(name)) and reason.parent and reason.parent.name not in seen:
        name = reason.parent.name
        seen.add(name)
        text += f", required by {named(reason.parent)}"
    return text


def _hint(marks: Marks, broken: Iterable[Mark]) -> str:
    for mark in broken:
        if mark.target is None:
            continue
        for need in marks.universe.needs(mark.target):
            if need.critical and not need.negative and not marks.holds(need):
                return candidate_hint(marks.universe, need)
    return ""
