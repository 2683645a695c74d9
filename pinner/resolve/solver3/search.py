"""The search of apt 3.1's solver: decisions, unit propagation, and going back where they conflict.

Every decision opens a level. What follows from it by the clauses is assigned at that level, with the clause as the
reason; what has a choice waits as work, the most urgent first. After a conflict the last decision is taken back, and
what was assumed is false from then on, one level below.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from pinner.errors import Refused
from pinner.resolve.solver3 import failure, heap
from pinner.resolve.solver3.clauses import FALSE, OPEN, TRUE, Clauses, SolverClause, SolverVariable
from pinner.values import NamedTuple

_MOST_EXPLAINED = 100
_MOST_STEPS = 3_000_000  # apt itself gives up after ten seconds


class Work(NamedTuple):
    """A clause that waits for a choice: queued at this level, when `size` of its solutions were not false."""

    clause: SolverClause
    level: int
    size: int
    urgency: tuple[bool, bool, int, bool]


class Conflict(NamedTuple):
    """`variable` was to become `value`, for the clause `reason`, and has the other value."""

    variable: SolverVariable
    value: int
    reason: SolverClause | None


def _less(a: Work, b: Work) -> bool:
    if a.urgency != b.urgency:
        return a.urgency < b.urgency
    return a.size == b.size == 1 and len(a.clause.solutions) < len(b.clause.solutions)


class Search:
    """One run. `refuted` tells of what was found false by going back, why."""

    def __init__(self, clauses: Clauses) -> None:
        self.clauses = clauses
        self.conflict: Conflict | None = None
        self.refuted: dict[SolverVariable, str] = {}
        self.trail: list[SolverVariable | Work] = []
        self._levels: list[int] = []  # where each begins on the trail
        self._queue: deque[SolverVariable] = deque()
        self._work: list[Work] = []
        self._steps = 0

    # --- assigning ---------------------------------------------------------------------------------------

    def set(self, variable: SolverVariable, value: int, reason: SolverClause | None = None) -> bool:
        """Assign a value at the present level; False if the variable has the other one."""
        if variable.value == value:
            return True
        if variable.value != OPEN:
            self.conflict = Conflict(variable, value, reason)
            return False
        variable.value = value
        variable.level = len(self._levels)
        variable.reason = reason
        self.trail.append(variable)
        self._queue.append(variable)
        return True

    def wait_first(self, variables: Iterable[SolverVariable]) -> None:
        """Look at these before all that waits already."""
        self._queue.extendleft(reversed(list(variables)))

    def discover_waiting(self) -> None:
        """Discover all that waits, before anything of it is looked at."""
        for variable in list(self._queue):
            self.discover(variable)

    def wait_between(
        self, variables: Iterable[SolverVariable], key: Callable[[SolverVariable], tuple[int, int, str, str]]
    ) -> None:
        """Look at these among what waits already, in the order of the key."""
        self._queue = deque(sorted([*self._queue, *variables], key=key))

    def assume(self, variable: SolverVariable, value: int, reason: SolverClause | None = None) -> bool:
        """Assign a value at a new level."""
        self._levels.append(len(self.trail))
        return self.set(variable, value, reason)

    # --- discovering -------------------------------------------------------------------------------------

    def discover(self, variable: SolverVariable) -> None:
        """Register the clauses of a variable, and of all that could follow from it."""
        queue = deque([variable])
        while queue:
            variable = queue.popleft()
            if variable.discovered:
                continue
            if variable.offer is not None and not self.clauses.package(variable.name).discovered:
                variable = self.clauses.package(variable.name)
            variable.discovered = True
            made = self.clauses.of_package if variable.offer is None else self.clauses.of_version
            for clause in made(variable):
                self.register(clause)
            for clause in variable.clauses:
                for solution in clause.solutions:
                    if not solution.discovered and not (solution.value == FALSE and solution.level == 0):
                        queue.append(solution)

    def register(self, clause: SolverClause) -> None:
        """Make a clause known to its reason and to those whose values it watches, unless another one covers it."""
        reason = clause.reason
        if reason is not None:
            if _is_simple(clause) and self._merge(clause, reason):
                return
            reason.clauses.append(clause)
            reason.watched_true.append(clause)
        for solution in clause.solutions:
            (solution.watched_true if clause.negative else solution.watched_false).append(clause)

    def _merge(self, clause: SolverClause, reason: SolverVariable) -> bool:
        """Narrow down clauses of the same reason about the same package; True if an earlier one covers this one."""
        assert clause.need is not None
        target = clause.need.clause[0][:2]
        for earlier in reason.clauses:
            if not _is_simple(earlier) or earlier.need is None or earlier.need.clause[0][:2] != target:
                continue
            shared = [one for one in earlier.solutions if one in clause.solutions]
            if not shared:
                continue
            if earlier.optional == clause.optional:
                earlier.solutions = shared
                if reason.offer is None:
                    self.clauses.merged(reason.name, clause.need)
                return True
            if clause.optional:
                clause.solutions = [one for one in clause.solutions if one in earlier.solutions]
        return False

    # --- propagating -------------------------------------------------------------------------------------

    def propagate(self) -> bool:
        """All that follows from what was assigned; False after a conflict."""
        queue = self._queue
        while queue:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise Refused("the packages of this call exclude each other in too many ways to follow")
            variable = queue.popleft()
            if variable.value == OPEN:
                continue
            if variable.value == TRUE and not variable.discovered:
                self.discover(variable)
            watched = variable.watched_true if variable.value == TRUE else variable.watched_false
            for clause in watched:
                if not self._look_at(clause, variable):
                    return False
        return True

    def _look_at(self, clause: SolverClause, variable: SolverVariable) -> bool:
        reason = clause.reason
        if clause.negative:
            if variable is not reason:
                return reason is not None and self.set(reason, FALSE, clause)
            return all(self.set(solution, FALSE, clause) for solution in clause.solutions)
        left = None
        more = False
        for solution in clause.solutions:
            if solution.value != FALSE:
                if left is not None:
                    more = True
                    break
                left = solution
        if reason is not None:  # what always holds is optional
            if left is None and not clause.optional and not self.set(reason, FALSE, clause):
                return False
            if reason.value != TRUE:
                return True
        if left is not None and not more and not clause.optional:
            return self.set(left, TRUE, clause)
        if variable is reason and left is not None:
            self.add_work(clause)
        return True

    # --- choosing ----------------------------------------------------------------------------------------

    def add_work(self, clause: SolverClause, level: int = -1) -> None:
        """Queue a clause that has a choice, at the present level if none is given."""
        size = clause.size
        urgency = (not clause.optional and size < 2, clause.eager, -clause.group, size < 2)
        level = len(self._levels) if level < 0 else level
        heap.push(self._work, Work(clause, level, size, urgency), _less)

    def solve(self) -> bool:
        """Choose until nothing is left to choose; False if there is no solution."""
        while True:
            while not self.propagate():
                if not self.go_back():
                    return False
            if not self._work:
                return True
            item = heap.pop(self._work, _less)
            solutions = item.clause.solutions
            if not any(solution.value == TRUE for solution in solutions):
                choice = next((solution for solution in solutions if solution.value == OPEN), None)
                if choice is not None:
                    self.assume(choice, TRUE, item.clause)
            self.trail.append(item)

    def go_back(self) -> bool:
        """Take the last decision back and hold its contrary; False if there was none."""
        if not self._levels:
            return False
        begin = self._levels[-1]
        if begin >= len(self.trail):
            self._levels.pop()
            return True
        first = self.trail[begin]
        if isinstance(first, SolverVariable) and len(self.refuted) < _MOST_EXPLAINED:
            self.refuted[first] = failure.explain(self)
        while len(self.trail) > begin:
            last = self.trail.pop()
            if isinstance(last, SolverVariable):
                last.value, last.reason = OPEN, None
            else:
                self.add_work(last.clause, last.level)
        self._levels.pop()
        level = len(self._levels)
        self._work = [item for item in self._work if item.level <= level]
        heap.make(self._work, _less)
        if isinstance(first, SolverVariable):
            return self.set(first, FALSE)
        return True


def _is_simple(clause: SolverClause) -> bool:
    return not clause.negative and clause.need is not None and len(clause.need.clause) == 1
