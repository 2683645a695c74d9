"""Dependencies that nothing needs any more: they are not installed, or `autoremove` removes them.

Packages that were asked for, are held back, or are marked Essential, Protected or required are roots; what they depend
on, recommend or suggest is reached from them (apt's `pkgDepCache::MarkRequired`).
"""

from __future__ import annotations

from pinner.apt import relations, version
from pinner.regex import later
from pinner.resolve.marking import Marker
from pinner.resolve.marks import MODERN, Mark, Marks
from pinner.resolve.needs import Need
from pinner.resolve.universe import Offer

# APT::NeverAutoRemove of 01autoremove; kernels (APT::VersionedKernelPackages) are kept, too: one of a root is the
# newest.
_NEVER = later(r"firmware-linux.*|linux-firmware|linux-image-[a-z0-9]*(-[a-z0-9]*)?|linux-.*-\d+\..*")


def find_garbage(marks: Marks, *, suggestions: bool = True) -> None:
    """Set `garbage` on every package that is, or is to be, installed and that no root leads to.

    Without `suggestions`, which are many to look up, it is set on all of them and maybe on some more.
    """
    everything, modern = marks.all(), marks.universe.apt_since(MODERN)
    for mark in everything:
        mark.reached = mark.garbage = False
    stack = []
    for mark in everything:
        offer = _present(mark)
        if offer is not None and (not mark.automatic or _is_root(marks, mark)):
            stack.append(mark)
    while stack:
        mark = stack.pop()
        offer = _present(mark)
        if mark.reached or offer is None:
            continue
        mark.reached = True
        for need in marks.universe.needs(offer):
            if not need.negative and (suggestions or need.kind != "Suggests") and marks.follows(need):
                stack.extend(_followed(marks, need, modern=modern))
    for mark in everything:
        mark.garbage = not mark.reached and (mark.current is not None or mark.installing)


def _present(mark: Mark) -> Offer | None:
    """The version that will be there, of a package that is not on its way out."""
    if mark.current is None:
        return None if mark.mode == "keep" else mark.target
    return None if mark.mode == "delete" else (mark.target if mark.installing else mark.current)


def _is_root(marks: Marks, mark: Mark) -> bool:
    if mark.current is not None and mark.current.package.priority == "required":
        return True
    if mark.current is not None and (mark.name in marks.universe.held or _NEVER.fullmatch(mark.name)):
        return True
    return marks.universe.essential(mark.name) or marks.universe.important(mark.name)


def _followed(marks: Marks, need: Need, *, modern: bool) -> list[Mark]:
    """All that fulfils any alternative; of several binaries of one source only those of its newest version."""
    found: list[Mark] = []
    for relation in need.clause:
        by_source: dict[str, list[Offer]] = {}
        for mark in marks.answering(relation):
            offer = _present(mark)
            if offer is not None and need.is_met_by(offer, relation):
                by_source.setdefault(offer.package.source, []).append(offer)
        groups = []
        for offers in by_source.values():
            if len(offers) > 1:
                newest = max(version.key(offer.package.source_version) for offer in offers)
                offers = [each for each in offers if version.key(each.package.source_version) == newest]
            groups.append(offers)
        chosen = [marks[offer.name] for group in groups for offer in group]
        if modern and len(groups) >= 2 and any(mark.current is not None for mark in chosen):
            chosen = [mark for mark in chosen if mark.current is not None]
        found.extend(chosen)
    return found


def garbage(marks: Marks) -> tuple[Offer, ...]:
    """What `apt-get autoremove` removes (apt-get(8))."""
    find_garbage(marks)
    return tuple(mark.current for mark in marks.all() if mark.garbage and mark.current is not None)


def drop_garbage(marker: Marker) -> None:
    """Take back what is brought along for nothing, unless that leaves a package without what it names."""
    marks = marker.marks
    for suggestions in (False, True):
        find_garbage(marks, suggestions=suggestions)
        dropped = [mark for mark in marks.all() if mark.garbage and mark.installing and mark.current is None]
        if not dropped:
            return
    for mark in dropped:
        marks.delete(mark)
    if not any(marks.lacking(mark) for mark in marks.all()):
        return
    named: set[str] = set()
    for mark in marks.all():
        named |= _named(marks, mark)
    changed = True
    while changed:
        changed = False
        for mark in list(dropped):
            if mark.candidate is None or not (_own_names(mark.candidate) & named):
                continue
            dropped.remove(mark)
            if marker.install(mark, follow=False):
                named |= _named(marks, mark)
                changed = True


def _own_names(offer: Offer) -> set[str]:
    return {offer.name, *(clause[0].name for clause in relations.parse(offer.package.provides))}


def _named(marks: Marks, mark: Mark) -> set[str]:
    offer = _present(mark)
    if offer is None or (mark.installing and mark.candidate is not offer):
        return set()
    return {
        relation.name
        for need in marks.universe.needs(offer)
        if not need.negative and marks.wanted(need)
        for relation in need.clause
    }
