"""Which packages would apt install? The solver that is apt's default since 3.1.10, with the cause of every choice.

What is requested, and what is installed and must stay, are facts; installed packages that could go are kept as long
as nothing speaks against it. Then `search` looks for versions that fulfil all clauses (`clauses`), taking the best
solution of each (`order`). Found out by asking apt 3.2 and 3.3; candidates alone are ever installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from pinner.apt import version
from pinner.errors import Unsatisfiable
from pinner.resolve.marking import Marker
from pinner.resolve.marks import Mark, Marks
from pinner.resolve.resolution import (
    Cause,
    Chosen,
    Extent,
    Resolution,
    ResolvedArgument,
    add_causes,
    after,
)
from pinner.resolve.solver3 import failure
from pinner.resolve.solver3.cache_order import cache_key
from pinner.resolve.solver3.clauses import (
    FALSE,
    INSTALL_MANUAL,
    KEEP_AUTO,
    TRUE,
    UPGRADE_AUTO,
    UPGRADE_MANUAL,
    Clauses,
    SolverClause,
    SolverVariable,
)
from pinner.resolve.solver3.search import Search
from pinner.resolve.sweep import drop_garbage
from pinner.resolve.switching import switch
from pinner.resolve.universe import Offer, Universe

_SUGGESTS_EARLY = "3.3.1"


def solve(
    universe: Universe,
    asked: Sequence[ResolvedArgument],
    extent: Extent | None = None,
    *,
    apt: str,
    recommends: bool = True,
    suggests: bool = False,
    suggests_important: bool = True,
) -> Resolution:
    """What `apt-get install` of these packages would do to the root that the universe describes; or, of an `extent`,
    an upgrade.

    `apt` is the version of apt. Raises `Unsatisfiable`, with the chain of causes, where apt fails.
    """
    wishes = list(dict.fromkeys(asked))
    marks = Marks(universe, recommends=recommends, suggests=suggests, suggests_important=suggests_important)
    _request(marks, wishes)
    return _solve(marks, apt, [wish for wish in wishes if not wish.remove], extent)


def _solve(marks: Marks, apt: str, wanted: Sequence[ResolvedArgument], extent: Extent | None) -> Resolution:
    suggests_early = version.compare(apt, _SUGGESTS_EARLY) >= 0
    search = Search(Clauses(marks, suggests_early=suggests_early, extent=extent))
    manual = _state_facts(search)
    if manual is None or not search.propagate():
        _fail(search)
    for name in search.clauses.order.packages(manual):
        assumed = search.assume(search.clauses.package(name), TRUE)
        if not (assumed and search.propagate()) and not search.go_back():
            _fail(search)
    if not search.solve():
        _fail(search)
    return _result(search, wanted)


def _request(marks: Marks, wishes: Sequence[ResolvedArgument]) -> None:
    """Mark what is requested, with nothing of what it needs."""
    for wish in wishes:
        if wish.remove:
            mark = marks[wish.offer.name]
            mark.protected = True
            marks.delete(mark, by_user=True)
    wanted = [wish for wish in wishes if not wish.remove]
    for wish in wanted:
        mark = marks[wish.offer.name]
        marks.set_candidate(wish.offer)
        mark.protected = True
        marks.take_candidate(mark, by_user=True)
    switch(marks, [(wish.offer, wish.release) for wish in wanted if wish.release])


def _state_facts(search: Search) -> list[str] | None:
    """Enter what the request and the root demand; the names that are kept if possible, None after a conflict."""
    clauses, manual = search.clauses, []
    universe = clauses.marks.universe
    essentials = universe.essentials() if clauses.extent == "all" else set()
    for name in essentials:
        clauses.marks[name]  # makes its mark
    for mark in sorted(clauses.marks.all(), key=lambda mark: cache_key(mark.name)):
        package = clauses.package(mark.name)
        if mark.held and not mark.protected:
            fact = (clauses.version(mark.current), TRUE) if mark.current is not None else (package, FALSE)
            if not search.set(*fact):
                return None
        if mark.mode == "delete" or mark.barred:
            if not search.set(package, FALSE):
                return None
        elif mark.installing or mark.current is not None or mark.name in essentials:
            stays = clauses.extent in ("none", "install") or mark.protected
            if stays or universe.essential(mark.name) or universe.important(mark.name):
                demanded = clauses.version(mark.candidate) if mark.installing and mark.candidate else package
                if not search.set(demanded, TRUE):
                    return None
            else:
                _keep(search, mark, package)
                if not mark.automatic or mark.current is None:
                    manual.append(mark.name)
    if clauses.extent == "none":
        search.discover_waiting()
        search.wait_between([each for each in clauses.excluded if each.offer is None], _place)
    search.wait_first(sorted((each for each in clauses.excluded if each.offer is not None), key=_place))
    return manual


def _place(variable: SolverVariable) -> tuple[int, int, str, str]:
    return cache_key(variable.name)


def _keep(search: Search, mark: Mark, package: SolverVariable) -> None:
    """Keep an installed package unless something speaks against it."""
    clauses = search.clauses
    group = (INSTALL_MANUAL, KEEP_AUTO) if mark.candidate is mark.current else (UPGRADE_MANUAL, UPGRADE_AUTO)
    versions = clauses.ordered(mark.name)
    for solutions in ([package], versions):
        clause = SolverClause(None, solutions, group[mark.automatic], optional=True)
        search.register(clause)
        search.add_work(clause)
    if len(versions) > 1:
        search.discover(package)


# --- the result ------------------------------------------------------------------------------------------


def _result(search: Search, wanted: Sequence[ResolvedArgument]) -> Resolution:
    marks = search.clauses.marks
    universe = marks.universe
    there = {
        each.name: each.offer
        for each in search.trail
        if isinstance(each, SolverVariable) and each.offer is not None and each.value == TRUE
    }
    _drop_garbage(marks, there)
    kept = {each.name: there[each.name] for each in universe.all_installed() if each.name in there}
    targets = kept | there
    asked = {wish.offer for wish in wanted}
    causes = {}
    for name, offer in there.items():
        if offer is not universe.installed(name):
            first = _first_cause(search, offer, targets)
            causes[name] = [Cause(None, None)] if offer in asked or first is None else []
            causes[name] += [first] if first is not None else []
    add_causes(marks, targets, causes)
    chosen = tuple(
        Chosen(targets[name], tuple(found), universe.installed(name)) for name, found in causes.items()
    )
    removed = tuple(offer for offer in universe.all_installed() if offer.name not in targets)
    wished = {wish.offer.name for wish in wanted}
    automatic = {
        name
        for name in targets
        if name not in wished and (name in universe.automatic or universe.installed(name) is None)
    }
    return Resolution(chosen, removed, after(universe, targets.values(), automatic))


def _drop_garbage(marks: Marks, there: dict[str, Offer]) -> None:
    """Take out of what was found what apt drops afterwards, as after the classic solver; and mark what is left."""
    for mark in marks.all():
        if mark.name not in there and mark.target is not None:
            mark.mode, mark.target = ("keep" if mark.current is None else "delete"), None
    for name, offer in there.items():
        mark = marks[name]
        mark.automatic = mark.automatic or (mark.current is None and mark.mode != "install")
        mark.mode = "keep" if offer is mark.current else "install"
        marks.set_target(mark, offer)
    drop_garbage(Marker(marks))
    for name in [name for name in there if marks[name].target is None]:
        del there[name]


def _first_cause(search: Search, offer: Offer, targets: Mapping[str, Offer]) -> Cause | None:
    """What first made the version necessary, None for what was asked for."""
    clauses = search.clauses
    for variable in (clauses.version(offer), clauses.package(offer.name)):
        clause = variable.reason
        if clause is not None and clause.reason is not None and (clause.need or clause.siblings):
            parent = clause.reason.offer or targets.get(clause.reason.name)
            if parent is not None and targets.get(parent.name) is parent:  # else it was dropped
                return Cause(clause.need and clause.need.of(parent), parent)
    old = clauses.marks[offer.name].current
    clause = clauses.version(old).reason if old is not None else None
    if clause is None or clause.need is None or clause.reason is None:
        return None
    if clause.reason.offer is not old:
        return Cause(clause.need, clause.reason.offer or targets[clause.reason.name])
    names = [each.name for each in clause.solutions if each.name in targets]
    return Cause(clause.need, targets[names[0]]) if names else None


def _fail(search: Search) -> NoReturn:
    raise Unsatisfiable(failure.explain(search), hint=failure.hint(search))
