"""What `apt-get upgrade` and `dist-upgrade` do to a root by the classic solver (apt-get(8)).

- All that is installed and not held moves to its candidate. `upgrade` neither installs nor removes packages: what would
  need that is kept back, and so is what would lose a recommendation that is fulfilled now.
- `dist-upgrade` also installs what the new versions need and, as a last resort, removes packages; so does `apt
  upgrade`, but for the removals.

Where `dist-upgrade` has to keep something back or to remove it, the order in which apt decides is not known.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinner.errors import Refused
from pinner.resolve.marking import Marker
from pinner.resolve.marks import Mark, Marks
from pinner.resolve.problems import Problems
from pinner.resolve.resolution import Cause, Chosen, Extent, Resolution, add_causes, after
from pinner.resolve.solver3.cache_order import cache_key
from pinner.resolve.sweep import drop_garbage


def upgrade(marks: Marks, extent: Extent) -> Resolution:
    """Upgrade what the marks' universe holds by the classic solver. Raises `Refused` where the outcome is not known."""
    marker = Marker(marks)
    newer = [mark for mark in marks.all() if mark.newness == 1 and mark.current and not mark.held]
    newer.sort(key=lambda mark: cache_key(mark.name))
    for mark in newer:
        if extent == "none":
            marks.take_candidate(mark, by_user=False)
        else:
            marker.install(mark)
    if extent == "none":
        kept = _keep_back(marks)
    else:
        for mark in newer:
            if not mark.installing:
                marker.install(mark, follow=False)
        Problems(marker, set(), set(), latest_first=True).solve()
        kept = any(not mark.installing for mark in newer) or bool(_removed(marks))
        if not marks.all_broken():
            drop_garbage(marker)
    if marks.all_broken() or (kept and extent != "none"):
        raise Refused(
            "not everything can be upgraded here, and pinner does not know what apt keeps back or removes"
        )
    return _result(marks, marker)


def _removed(marks: Marks) -> list[Mark]:
    return [mark for mark in marks.all() if mark.current is not None and mark.target is None]


def _keep_back(marks: Marks) -> bool:
    """Keep back what is broken, or what breaks it, until nothing is (apt's `ResolveByKeep`); whether there was any."""
    kept = False
    for _ in range(len(list(marks.all())) + 1):
        broken = [mark for mark in marks.all() if _is_worse(marks, mark)]
        if not broken:
            break
        mark = broken[0]
        kept = True
        if mark.installing:
            marks.keep(mark, by_user=True)
            continue
        blamed = [other for other in _behind(marks, mark) if other.installing]
        if not blamed:
            break
        for other in blamed:
            marks.keep(other, by_user=True)
    return kept


def _is_worse(marks: Marks, mark: Mark) -> bool:
    """Whether a package is broken, or lacks a recommendation though it lacked none before."""
    if mark.target is None:
        return False
    if marks.broken(mark):
        return True
    if mark.current is None or mark.target is mark.current or not marks.lacking(mark):
        return False
    needs = marks.universe.needs(mark.current)
    return all(marks.held_before(need) for need in needs if marks.wanted(need))


def _behind(marks: Marks, mark: Mark) -> Iterable[Mark]:
    """The packages that the needs of a package which do not hold are about."""
    assert mark.target is not None
    for need in marks.universe.needs(mark.target):
        if need.critical and not marks.holds(need):
            for relation in need.clause:
                yield marks[relation.name]
                yield from (marks[offer.name] for offer in marks.universe.providers(relation.name))


def _result(marks: Marks, marker: Marker) -> Resolution:
    universe = marks.universe
    targets = {mark.name: mark.target for mark in marks.all() if mark.target is not None}
    causes: dict[str, list[Cause]] = {
        mark.name: [Cause(None, None)] if mark.current is not None else [marker.reasons[mark.name]]
        for mark in marks.all()
        if mark.installing and mark.target is not None
    }
    add_causes(universe, targets, causes, marks.wanted)
    chosen = tuple(Chosen(targets[name], tuple(found), marks[name].current) for name, found in causes.items())
    automatic = {mark.name for mark in marks.all() if mark.automatic}
    removed = tuple(mark.current for mark in _removed(marks) if mark.current is not None)
    return Resolution(chosen, removed, after(universe, targets.values(), automatic))
