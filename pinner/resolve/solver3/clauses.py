"""Variables of the solver of apt 3.1, and the clauses that packages and their dependencies become.

A variable stands for a package (any version of it is there) or for one version. A clause says: if `reason` is true then
one of the `solutions` is or, where it is negative, none. Versions that are neither installed nor the candidate of their
package are false from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinner.resolve.marks import Marks
from pinner.resolve.needs import Need
from pinner.resolve.resolution import Extent
from pinner.resolve.solver3.order import Order
from pinner.resolve.universe import Offer

# Which work comes first; the numbers have no other meaning.
SATISFY_NEW, SATISFY, SATISFY_OBSOLETE, SELECT_VERSION = 1, 2, 3, 4
UPGRADE_MANUAL, INSTALL_MANUAL, UPGRADE_AUTO, KEEP_AUTO, SATISFY_SUGGESTS = 5, 6, 9, 10, 12
EARLY_SATISFY_SUGGESTS = 8

OPEN, TRUE, FALSE = 0, 1, -1


class SolverVariable:
    """`offer` is None for a package's variable. `value` holds from decision level `level` on, for the clause `reason`.

    `watched_true` are the clauses that must be looked at when the variable becomes true, `watched_false` those when
    it becomes false.
    """

    __slots__ = (
        "clauses",
        "discovered",
        "level",
        "name",
        "offer",
        "reason",
        "value",
        "watched_false",
        "watched_true",
    )

    def __init__(self, name: str, offer: Offer | None, value: int) -> None:
        self.name = name
        self.offer = offer
        self.value = value
        self.level = 0
        self.reason: SolverClause | None = None
        self.discovered = False
        self.clauses: list[SolverClause] = []
        self.watched_true: list[SolverClause] = []
        self.watched_false: list[SolverClause] = []


class SolverClause:
    """`eager` is chosen for before all that is not, as what is not optional is.

    `need` is the dependency that it stems from, if it does; `siblings` marks one that keeps binaries of a source
    together. `reason` is None for what holds always."""

    __slots__ = ("eager", "group", "need", "negative", "optional", "reason", "siblings", "solutions")

    def __init__(
        self,
        reason: SolverVariable | None,
        solutions: list[SolverVariable],
        group: int,
        *,
        optional: bool = False,
        eager: bool = False,
        negative: bool = False,
        need: Need | None = None,
        siblings: bool = False,
    ) -> None:
        self.reason = reason
        self.solutions = solutions
        self.group = group
        self.optional = optional
        self.eager = eager or not optional
        self.negative = negative
        self.need = need
        self.siblings = siblings

    @property
    def size(self) -> int:
        """How many solutions are not false by now."""
        return sum(variable.value != FALSE for variable in self.solutions)


class Clauses:
    """Makes the variables and clauses of a universe. `marks` has the candidates, as the request left them.

    `suggests_early` is the order of apt 3.3.1 and later; `extent` is that of an upgrade.
    """

    def __init__(self, marks: Marks, *, suggests_early: bool, extent: Extent | None = None) -> None:
        self.marks = marks
        self.extent = extent
        self.order = Order(marks.universe, self._is_obsolete if extent else None)
        self._suggests_group = EARLY_SATISFY_SUGGESTS if suggests_early else SATISFY_SUGGESTS
        #: Versions that cannot be chosen, as far as anything names them.
        self.excluded: list[SolverVariable] = []
        self._universe = marks.universe
        self._packages: dict[str, SolverVariable] = {}
        self._versions: dict[Offer, SolverVariable] = {}
        self._common: dict[str, frozenset[object]] = {}
        self._merged: dict[str, set[object]] = {}
        self._obsolete: dict[str, bool] = {}
        self._by_source: dict[tuple[str, str], list[Offer]] | None = None

    def package(self, name: str) -> SolverVariable:
        """The variable of a package."""
        found = self._packages.get(name)
        if found is None:
            mark = self.marks[name]
            barred = self.extent == "none" and mark.current is None and not mark.installing
            found = self._packages[name] = SolverVariable(name, None, FALSE if barred else OPEN)
            if barred:
                self.excluded.append(found)
        return found

    def version(self, offer: Offer) -> SolverVariable:
        """The variable of a version."""
        found = self._versions.get(offer)
        if found is None:
            mark = self.marks[offer.name]
            allowed = offer is mark.candidate or offer is mark.current
            found = self._versions[offer] = SolverVariable(offer.name, offer, OPEN if allowed else FALSE)
            if not allowed:
                self.excluded.append(found)
        return found

    def ordered(self, name: str) -> list[SolverVariable]:
        """The variables of a package's versions, the best first."""
        return [self.version(offer) for offer in self.order.versions(name)]

    def of_package(self, variable: SolverVariable) -> Iterator[SolverClause]:
        """What being there at all entails: one of its versions, and all that every version needs."""
        name = variable.name
        yield SolverClause(variable, self.ordered(name), SELECT_VERSION)
        versions = self._universe.versions(name)
        if versions:
            needs = self._universe.needs(versions[0])
            if len(versions) > 1:
                common = self._common_needs(name)
                needs = tuple([need for need in needs if _key(need) in common])
            for need in needs:
                yield from self._of_need(variable, need)

    def of_version(self, variable: SolverVariable) -> Iterator[SolverClause]:
        """What a version entails: its package, no other version, siblings of its source, and what it needs."""
        offer = variable.offer
        assert offer is not None
        yield SolverClause(variable, [self.package(offer.name)], SATISFY)
        for other in self._universe.versions(offer.name):
            if other is not offer:
                yield SolverClause(variable, [self.version(other)], SATISFY, negative=True)
        if self.marks[offer.name].current is not offer:
            for sibling in self._siblings(offer):
                yield SolverClause(
                    variable,
                    [self.version(sibling)],
                    SELECT_VERSION,
                    optional=True,
                    eager=True,
                    siblings=True,
                )
        name = offer.name
        alone = len(self._universe.versions(name)) == 1
        if alone and name not in self._merged:  # all that it needs was said of the package
            return
        common = self._common_needs(name)
        merged = self._merged.get(name, ())
        for need in self._universe.needs(offer):
            if _key(need) not in common or _key(need) in merged:
                yield from self._of_need(variable, need)

    def merged(self, name: str, need: Need) -> None:
        """Note that a need of all versions of a package was merged into another one: each version has it again."""
        self._merged.setdefault(name, set()).add(_key(need))

    def _common_needs(self, name: str) -> frozenset[object]:
        found = self._common.get(name)
        if found is None:
            sets = [frozenset(map(_key, self._universe.needs(one))) for one in self._universe.versions(name)]
            found = self._common[name] = frozenset.intersection(*sets) if sets else frozenset()
        return found

    def _siblings(self, offer: Offer) -> Sequence[Offer]:
        """Other binaries of the same source version, of packages that are installed in another version.

        What apt has read last comes first; indices are sorted by name.
        """
        if self._by_source is None:
            self._by_source = {}
            places = {id(index): number for number, index in enumerate(self._universe.indexes)}
            for installed in self._universe.all_installed():
                for other in self._universe.versions(installed.name):
                    if other is not installed:
                        key = (other.package.source, other.package.source_version)
                        self._by_source.setdefault(key, []).append(other)
            for offers in self._by_source.values():
                offers.sort(
                    key=lambda each: (places.get(id(each.index), len(places)), each.name), reverse=True
                )
        found = self._by_source.get((offer.package.source, offer.package.source_version), ())
        return [other for other in found if other.name != offer.name]

    # --- dependencies ------------------------------------------------------------------------------------

    def _of_need(self, reason: SolverVariable, need: Need) -> Iterator[SolverClause]:
        """The clause of a dependency, none if it does not count."""
        owner = self.marks[need.owner.name]
        if not need.critical and owner.current is None and not self.marks.wanted(need):
            return
        solutions = self._solutions(need)
        clause = SolverClause(
            reason,
            solutions,
            self._group(solutions),
            optional=not need.critical,
            negative=need.negative,
            need=need,
        )
        if need.critical or owner.current is None or self._still_counts(clause, need, owner.current):
            yield clause

    def _solutions(self, need: Need) -> list[SolverVariable]:
        """All that fulfils the need, best first; packages of which something is installed before all others."""
        universe = self._universe
        found: list[SolverVariable] = []
        for relation, offers in zip(need.clause, need.options, strict=True):
            if not offers:
                continue
            name = relation.name
            qualified = relation.arch == "any"
            if (
                not need.negative
                and not qualified
                and not universe.providers(name)
                and len(offers) == len(universe.versions(name))
            ):
                found.append(self.package(offers[0].name))
            else:
                found += map(self.version, self.order.sort(offers, "" if qualified else name))
        if len(found) > 1:
            found.sort(key=lambda variable: self.marks[variable.name].current is None)
            if self.extent:
                found.sort(key=lambda variable: self._is_obsolete(variable.name))
        return found

    def _group(self, solutions: Sequence[SolverVariable]) -> int:
        if any(self._is_obsolete(variable.name) for variable in solutions):
            return SATISFY_OBSOLETE
        if all(self.marks[variable.name].current is None for variable in solutions):
            return SATISFY_NEW
        return SATISFY

    def _still_counts(self, clause: SolverClause, need: Need, installed: Offer) -> bool:
        """Whether a recommendation or suggestion of a package that is installed counts; narrows the clause down."""
        important = self.marks.wanted(need)
        name = need.clause[-1][:2]  # apt looks at the last alternative
        existing = next(
            (
                old
                for old in self._universe.needs(installed)
                if not old.critical
                and self.marks.keeps(old)
                and any(relation[:2] == name for relation in old.clause)
            ),
            None,
        )
        present = [variable for variable in clause.solutions if self.marks[variable.name].current is not None]
        satisfied = any(variable.offer in (None, self.marks[variable.name].current) for variable in present)
        if existing and not important and self.marks.keeps(need) and satisfied:
            clause.group = self._suggests_group
            clause.solutions = present
            return True
        if not important or (existing and self.marks.wanted(existing) and not satisfied):
            return False
        if self.extent and ((existing and satisfied) or (self.extent != "all" and need.kind == "Recommends")):
            clause.optional, clause.eager = False, True
        elif existing and satisfied:
            clause.solutions = present
            clause.eager = True
        return True

    def _is_obsolete(self, name: str) -> bool:
        """Whether the archive has given up a package: no candidate, or none of the newest version of its source."""
        found = self._obsolete.get(name)
        if found is None:
            found = self._obsolete[name] = self._find_obsolete(name)
        return found

    def _find_obsolete(self, name: str) -> bool:
        universe = self._universe
        candidate = universe.candidate(name)
        if candidate is None or not any(offer.pockets for offer in universe.versions(name)):
            return True
        return universe.has_newer_source(candidate)


def _key(need: Need) -> tuple[object, ...]:
    return (need.kind, need.clause)
