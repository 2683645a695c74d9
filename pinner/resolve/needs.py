"""The relations of packages as a universe sees them: what a package needs, and what satisfies that.

- The relations of a package of a foreign architecture are to that architecture. Packages that are Multi-Arch: foreign
  fulfil the relations of all; `name:any` is satisfied by Multi-Arch: allowed ones alone.
- Binaries of one name for several architectures exclude each other, but for Multi-Arch: same ones of equal version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from pinner.apt import relations
from pinner.apt.relations import Clause, Relation
from pinner.resolve.offers import Offer, key, provides, split

if TYPE_CHECKING:
    from pinner.resolve.universe import Universe

RelationField = Literal["Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests"]


class Need:
    """One clause of an offer's relations. `options` holds, for each alternative, the versions that satisfy
    it.

    For a negative clause (Conflicts, Breaks) these are the versions that must not be there.
    """

    __slots__ = ("_implicit", "_options", "_universe", "clause", "critical", "kind", "negative", "owner")

    def __init__(
        self, owner: Offer, kind: RelationField, clause: Clause, universe: Universe, *, implicit: bool = False
    ) -> None:
        """`implicit` is one that stands in no stanza: it is between architectures."""
        self._implicit = implicit
        self.owner = owner
        self.kind: RelationField = kind
        self.clause = clause
        self.negative = kind in ("Conflicts", "Breaks")
        self.critical = kind not in ("Recommends", "Suggests")
        self._universe = universe
        self._options: tuple[tuple[Offer, ...], ...] | None = None

    @property
    def options(self) -> tuple[tuple[Offer, ...], ...]:
        """Found at the first look; a package never conflicts with itself (Policy 7.4), nor Multi-Arch: same ones with
        their like. What is between architectures is about the package itself, not what provides its name."""
        if self._options is None:
            found = tuple([self._universe.targets(relation) for relation in self.clause])
            if self.negative:
                found = tuple([tuple(filter(self._is_about, offers)) for offers in found])
            self._options = found
        return self._options

    def is_met_by(self, offer: Offer, relation: Relation) -> bool:
        """Whether the version is among the `options` of this alternative: found without looking for all of them."""
        if not fulfils(offer, relation, self._universe):
            return False
        return not self.negative or self._is_about(offer)

    def _is_about(self, offer: Offer) -> bool:
        """Whether a negative need can be about the version."""
        owner = self.owner
        own = owner.package.name if owner.package.multi_arch == "same" or self._implicit else ""
        return offer.name != owner.name and (offer.package.name == own) == self._implicit

    def of(self, owner: Offer) -> Need:
        """The same need of another version of the owner, which has it too."""
        needs = self._universe.needs(owner)
        return next((each for each in needs if (each.kind, each.clause) == (self.kind, self.clause)), self)

    def __str__(self) -> str:
        """`Depends: a (>= 1) | b`."""
        return f"{self.kind}: {' | '.join(map(str, self.clause))}"


def needs_of(offer: Offer, universe: Universe) -> tuple[Need, ...]:
    """The clauses of an offer in apt's order of fields, whatever the order in the stanza."""
    package = offer.package
    fields: tuple[tuple[RelationField, str], ...] = (
        ("Pre-Depends", package.pre_depends),
        ("Depends", package.depends),
        ("Conflicts", package.conflicts),
        ("Breaks", package.breaks),
        ("Recommends", package.recommends),
        ("Suggests", package.suggests),
    )
    return tuple(
        Need(offer, kind, clause, universe)
        for kind, text in fields
        if text
        for written in relations.parse(text)
        for clause in _clauses(written, offer, universe, negative=kind in ("Conflicts", "Breaks"))
    ) + tuple(_implicit(offer, universe))


def satisfying(relation: Relation, universe: Universe) -> Iterable[Offer]:
    """Every version that satisfies the relation: of the name itself highest first, then providers."""
    relation = _qualified(relation, "", universe)
    if relation.arch not in ("", "any"):
        return
    names: tuple[str, ...] = (relation.name,)
    if relation.arch and universe.foreign:
        names = (relation.name, *universe.siblings(relation.name))
    for name in names:
        yield from [offer for offer in universe.versions(name) if _is_itself(offer, relation)]
    plain, _ = split(relation.name)
    for offer in universe.providers(relation.name):
        if _provides(offer, relation, plain, universe):
            yield offer


def fulfils(offer: Offer, relation: Relation, universe: Universe) -> bool:
    """Whether the version is among those that satisfy the relation."""
    if relation.arch:
        relation = _qualified(relation, "", universe)
        if relation.arch not in ("", "any"):
            return False
    if offer.name == relation.name and _is_itself(offer, relation):
        return True
    if not universe.foreign:
        return offer.package.provides != "" and _provides(offer, relation, relation.name, universe)
    plain, foreign = split(relation.name)
    if offer.foreign and offer.foreign not in universe.foreign:
        return False
    if relation.arch and offer.package.name == plain and _is_itself(offer, relation):
        return True
    reaches = offer.foreign == foreign or offer.package.multi_arch == "foreign"
    return reaches and _provides(offer, relation, plain, universe)


def _is_itself(offer: Offer, relation: Relation) -> bool:
    """Whether a version of the relation's own name satisfies it."""
    if relation.arch and offer.package.multi_arch != "allowed":
        return False
    return relations.satisfied(relation, offer.version)


def _provides(offer: Offer, relation: Relation, plain: str, universe: Universe) -> bool:
    """Whether a version satisfies a relation to the name `plain` by what it provides."""
    for given in provides(offer.package, plain):
        if relation.arch == "any" and given.arch != "any" and offer.package.multi_arch != "allowed":
            continue
        if given.arch not in ("", universe.arch) and given.arch != relation.arch:
            continue
        if relations.satisfied(relation, given.version):
            return True
    # A Multi-Arch: foreign one stands for its own name on other architectures, too.
    like = universe.foreign and offer.package.name == plain and offer.name != relation.name
    return bool(like) and not relation.arch and relations.satisfied(relation, offer.version)


def _clauses(clause: Clause, owner: Offer, universe: Universe, *, negative: bool) -> Iterable[Clause]:
    """A clause with names that say the architecture; what excludes a name does so for every architecture."""
    if not universe.foreign and not any(relation.arch for relation in clause):
        return (clause,)
    if negative and not clause[0].arch:
        return tuple(
            (clause[0]._replace(name=key(clause[0].name, arch, universe.arch)),)
            for arch in (universe.arch, *universe.foreign)
        )
    return (tuple(_qualified(relation, owner.foreign, universe) for relation in clause),)


def _qualified(relation: Relation, own: str, universe: Universe) -> Relation:
    arch = relation.arch or own
    if arch in ("", "native", universe.arch):
        return relation._replace(arch="") if relation.arch else relation
    if arch in universe.foreign:
        return relation._replace(name=f"{relation.name}:{arch}", arch="")
    return relation


def _implicit(offer: Offer, universe: Universe) -> Iterator[Need]:
    """How an offer excludes packages of its name for other architectures."""
    if not universe.foreign:
        return
    for other in universe.siblings(offer.name):
        if universe.versions(other):
            if offer.package.multi_arch == "same":
                clause = (Relation(other, "", "!=", offer.version),)
                yield Need(offer, "Breaks", clause, universe, implicit=True)
            else:
                yield Need(offer, "Conflicts", (Relation(other),), universe, implicit=True)
