"""Why the solver of apt 3.1 finds no solution: the conflict that it ends with, and what led to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pinner.resolve.needs import Need
from pinner.resolve.resolution import candidate_hint, named
from pinner.resolve.solver3.clauses import FALSE, TRUE, SolverClause, SolverVariable

if TYPE_CHECKING:
    from pinner.resolve.solver3.search import Search

_MOST_SENTENCES, _DEEPEST = 3, 8


def explain(search: Search) -> str:
    """The conflict in up to three sentences, its cause first."""
    conflict = search.conflict
    assert conflict is not None
    explainer = _Explainer(search)
    variable, clause = conflict.variable, conflict.reason
    if clause is None:
        found = explainer.false(variable, _DEEPEST)
    elif clause.negative:
        found = iter([explainer.excluded(clause)])
    else:
        found = explainer.unmet(clause, _DEEPEST)
    sentences = list(dict.fromkeys([*found, *explainer.passed_over(variable)]))
    more = len(sentences) - _MOST_SENTENCES
    return "; ".join(sentences[:_MOST_SENTENCES]) + (f"; and {more} more" if more > 0 else "")


def hint(search: Search) -> str:
    """What to do about the conflict, "" if nothing is known to help."""
    clause = search.conflict.reason if search.conflict is not None else None
    while clause is not None and clause.need is not None and not clause.negative:
        if text := candidate_hint(search.clauses.marks.universe, clause.need):
            return text
        deeper = [each.reason for each in clause.solutions if each.value == FALSE and each.reason is not None]
        clause = deeper[0] if deeper and deeper[0] is not clause else None
    return ""


class _Explainer:
    def __init__(self, search: Search) -> None:
        self._refuted = search.refuted
        self._clauses = search.clauses
        self._marks = search.clauses.marks

    def unmet(self, clause: SolverClause, depth: int) -> Iterator[str]:
        """Why none of the solutions of a positive clause can be had: what is wrong deeper down comes first."""
        reason = clause.reason
        if clause.need is None or reason is None:
            for solution in clause.solutions:
                yield from self.false(solution, depth - 1)
            return
        required = f", required by {self._name(reason)}{self._chain(reason)}"
        deeper = [each for each in clause.solutions if self._has_cause(each)] if depth else []
        for solution in deeper:
            for text in self.false(solution, depth - 1):
                yield text if text.endswith(required) else text + required
        if len(deeper) != 1 or len(clause.need.clause) > 1:
            needs = f"{self._name(reason)} needs {' | '.join(map(str, clause.need.clause))}"
            yield f"{needs}, but {', '.join(self._plainly(clause.need))}{self._chain(reason)}"

    def _has_cause(self, solution: SolverVariable) -> bool:
        """Whether more can be said than that a version is not the candidate, or what else is to be there."""
        if solution in self._refuted:
            return True
        reason = solution.reason
        return (
            solution.value == FALSE
            and reason is not None
            and (reason.need is not None or solution.offer is None)
        )

    def false(self, variable: SolverVariable, depth: int) -> Iterator[str]:
        """Why a variable is false."""
        clause = variable.reason
        if variable in self._refuted:
            yield self._refuted[variable]
        elif clause is None or depth <= 0:
            gone = self._marks[variable.name].mode == "delete"
            yield f"{self._name(variable)} {'is to be removed' if gone else 'cannot be installed'}"
        elif clause.negative:
            yield self.excluded(clause)
        else:
            yield from self.unmet(clause, depth)

    def excluded(self, clause: SolverClause) -> str:
        """What a negative clause rules out."""
        reason = clause.reason
        assert reason is not None
        others = [each for each in clause.solutions if each.value == TRUE] or clause.solutions
        both = f"{self._name(others[0])} would be there{self._chain(others[0])}"
        if clause.need is None:
            return f"{self._name(reason)} would be there{self._chain(reason)}, and {both}"
        verb = "conflicts with" if clause.need.kind == "Conflicts" else "breaks"
        relation = " | ".join(map(str, clause.need.clause))
        return f"{self._name(reason)} {verb} {relation}{self._chain(reason)}, and {both}"

    def passed_over(self, variable: SolverVariable) -> Iterator[str]:
        """Why something else could not be taken in place of a variable that is true, or of what leads to it."""
        for clause in self._reasons(variable):
            for other in clause.solutions:
                if other.name != variable.name and self._has_cause(other):
                    yield from self.false(other, _DEEPEST)

    def _reasons(self, variable: SolverVariable) -> Iterator[SolverClause]:
        """The clauses that a true variable follows from, the last first."""
        while variable.value == TRUE and variable.reason is not None and variable.reason.reason is not None:
            yield variable.reason
            variable = variable.reason.reason

    def _plainly(self, need: Need) -> Iterator[str]:
        for relation in need.clause:
            mark = self._marks[relation.name]
            there = next((v.offer for v in self._clauses.ordered(relation.name) if v.value == TRUE), None)
            best = there or mark.candidate
            if mark.mode == "delete" or mark.barred:
                yield f"{relation.name} is to be removed"
            elif best is not None and any(best in options for options in need.options):
                yield f"{named(best)} cannot be installed"
            elif best is not None:
                yield f"{named(best)} is {'to be there' if there or mark.protected else 'the candidate'}"
            elif need.options[need.clause.index(relation)]:
                yield f"no provider of {relation.name} can be installed"
            else:
                yield f"there is no {relation.name}"

    def _name(self, variable: SolverVariable) -> str:
        mark = self._marks[variable.name]
        offer = variable.offer or mark.candidate or mark.current
        return named(offer) if offer is not None else variable.name

    def _chain(self, variable: SolverVariable) -> str:
        names = {self._name(each): None for clause in self._reasons(variable) if (each := clause.reason)}
        return "".join(f", required by {name}" for name in names if name != self._name(variable))
