"""What `apt-get upgrade` and `dist-upgrade` do to a root by the classic solver (apt-get(8)).

What is asked for by name is marked before, as for an install. Then all that is installed and not held moves to its
candidate:

- `upgrade` neither installs nor removes anything for that: what would need it is kept back.
- `upgrade --with-new-pkgs`, and `apt upgrade`, install what the new versions need.
- `dist-upgrade` does that too, installs Essential packages that are not there, and has problems solved as an install
  has (`problems`).

The first two keep back, from the highest score to the lowest, what is broken or has lost a recommendation that was
fulfilled, and else what is in its way (apt's `ResolveByKeep`). Compared with apt 2.4, 2.6 and 2.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from pinner.errors import Unsatisfiable
from pinner.resolve.marking import Marker
from pinner.resolve.marks import Mark, Marks
from pinner.resolve.problems import Problems
from pinner.resolve.resolution import Extent
from pinner.resolve.scores import reckon
from pinner.resolve.solver3.cache_order import cache_key


def upgrade(marker: Marker, extent: Extent, *, latest_first: bool) -> bool:
    """Mark what is upgraded beside what is marked already; whether the order among equals was asked for.

    `latest_first` is that order. Raises `Unsatisfiable` where apt gives up.
    """
    marks = marker.marks
    requested = {mark.name for mark in marks.all() if mark.installing}
    there = [mark for mark in marks.all() if mark.current is not None and mark.candidate is not None]
    there.sort(key=lambda mark: cache_key(mark.name))
    for mark in there:
        marker.install(mark, follow=False)
    if extent == "all":
        return _upgrade_everything(marker, there, latest_first=latest_first)
    if extent == "none":
        for name in requested:
            marks[name].protected = True
        return _keep_back(marks, requested, latest_first=latest_first)
    for mark in _walk(marks):
        if mark.installing:
            marker.install(mark)
    for mark in marks.all():
        if mark.mode == "delete":
            marks.keep(mark)
    return _keep_back(marks, set(), latest_first=latest_first)


def _upgrade_everything(marker: Marker, there: Iterable[Mark], *, latest_first: bool) -> bool:
    marks = marker.marks
    for mark in there:
        marker.install(mark)
    for name in sorted(marks.universe.essentials(), key=cache_key):
        if not marks[name].installing:
            marker.install(marks[name])
    for mark in there:
        marker.install(mark, follow=False)
    held = {mark.name for mark in marks.all() if mark.held}
    for name in held:
        marks[name].protected = True
    problems = Problems(marker, held, set(), upgrades=False, latest_first=latest_first)
    problems.solve()
    return problems.tied


def _walk(marks: Marks) -> Iterator[Mark]:
    """Every package in apt's order, those too that turn up on the way."""
    waiting: list[tuple[tuple[int, int, str, str], Mark]] = []
    known, place = 0, (-1, 0, "", "")
    while True:
        for mark in list(marks.all())[known:]:
            known += 1
            if cache_key(mark.name) > place:
                heappush(waiting, (cache_key(mark.name), mark))
        if not waiting:
            return
        place, mark = heappop(waiting)
        yield mark


def _keep_back(marks: Marks, requested: set[str], *, latest_first: bool) -> bool:
    """Keep back what is worse off than before, or what makes it so, until nothing is."""
    scores = reckon(marks, requested)
    ranked = sorted(marks.all(), key=lambda mark: cache_key(mark.name))
    if not latest_first:
        ranked.reverse()
    ranked.sort(key=lambda mark: -scores[mark.name])
    last, tied = None, False
    while True:
        worse = [mark for mark in ranked if _is_worse(marks, mark)]
        ranks = [scores[mark.name] for mark in worse]
        tied |= len(set(ranks)) < len(ranks)
        for mark in worse:
            if mark.installing:
                marks.keep(mark)
                if not _is_worse(marks, mark):
                    break
            if mark.name not in requested:
                _keep_what_is_in_the_way(marks, mark)
            if not _is_worse(marks, mark):
                if mark is last:
                    raise Unsatisfiable(f"apt cannot decide what to keep back for {mark.name}")
                last = mark
                break
        else:
            return tied


def _keep_what_is_in_the_way(marks: Marks, mark: Mark) -> None:
    """Keep back what the critical needs that do not hold are about, one after the other, while that is of use."""
    assert mark.target is not None
    for need in marks.universe.needs(mark.target):
        if not need.critical or marks.holds(need):
            continue
        for offer in (offer for options in need.options for offer in options):
            other = marks[offer.name]
            if other.target is not None and other.current is not None:
                marks.keep(other)
                if not _is_worse(marks, mark):
                    return


def _is_worse(marks: Marks, mark: Mark) -> bool:
    """Whether a package is broken, or lacks a need that counts though it lacked none before."""
    if mark.target is None or not marks.lacking(mark):
        return False
    if mark.current is None or marks.broken(mark):
        return True
    needs = marks.universe.needs(mark.current)
    return all(marks.held_before(need) for need in needs if marks.wanted(need))
