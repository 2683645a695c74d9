"""What is to become of each package while an install is worked out: the marks, and the tests made on them.

A package has a current version (installed before), a target (what will be there after) and a candidate (what an
install would take). Marks may be changed only where apt allows it: never against a request, never to remove an
Essential or Protected package on its own account (apt's pkgDepCache; observed behaviour of apt 2.6 and 3.0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from pinner.apt import relations, version
from pinner.apt.relations import Relation
from pinner.resolve.needs import Need
from pinner.resolve.offers import split
from pinner.resolve.solutions import Rank, Solutions
from pinner.resolve.universe import Offer, Universe

MarkMode = Literal["keep", "install", "delete"]

TOO_DEEP = 3000

#: From this version on apt follows the rules of 3.0.
MODERN = "2.9"

PRIORITIES = {"required": 1, "important": 2, "standard": 3, "optional": 4, "extra": 5}


class Mark:
    """The state of one package name.

    `protected` marks are requests, or what requests cannot do without: only another request changes them.
    `automatic` means brought along. `published` is the candidate that other packages' tests still see: apt drops
    a candidate without telling them, and tells them with the package's next change, the `told`th of all, though not
    those that need what it provided.
    """

    __slots__ = (
        "automatic", "candidate", "current", "garbage", "held", "mode", "name", "newness", "protected",
        "published", "reached", "target", "told",
    )  # fmt: skip

    def __init__(self, name: str, current: Offer | None, candidate: Offer | None) -> None:
        self.name = name
        self.current = current
        self.candidate = candidate
        self.published = candidate
        self.told = 0
        self.target = current
        self.mode: MarkMode = "keep"
        self.protected = False
        self.automatic = False
        self.held = False
        self.reached = False
        self.garbage = False
        self.newness = 2
        self.reckon()

    def reckon(self) -> None:
        """Set `newness`: 2 for a name that is not installed, else the sign of candidate against current."""
        if self.current is None or self.candidate is None:
            self.newness = 2
        else:
            self.newness = version.compare(self.candidate.version, self.current.version)

    @property
    def installing(self) -> bool:
        """Whether a version other than the current one is to be installed."""
        return self.mode == "install"

    @property
    def idle(self) -> bool:
        """Whether the package is neither there nor to come."""
        return self.current is None and self.mode != "install"

    @property
    def barred(self) -> bool:
        """Whether the package must not be chosen: it was asked to stay away or to be removed."""
        return self.protected and (self.mode == "delete" or (self.mode == "keep" and self.current is None))


class Marks:
    """The marks of all packages that were looked at, by name, and what holds under them."""

    def __init__(
        self,
        universe: Universe,
        *,
        recommends: bool,
        suggests: bool,
        suggests_important: bool = True,
        recommends_important: bool = True,
    ) -> None:
        """`suggests_important` keeps what installed packages suggest (`APT::AutoRemove::SuggestsImportant`), and so
        with what they recommend."""
        self.universe = universe
        self.recommends = recommends
        self.suggests = suggests
        self._suggests_important = suggests_important
        self._recommends_important = recommends_important
        self._marks: dict[str, Mark] = {
            offer.name: Mark(offer.name, offer, universe.candidate(offer.name))
            for offer in universe.all_installed()
        }
        #: By the name of a package, or one that it provides: the marks that may have had a target which fulfils it.
        self._answering: dict[str, dict[Mark, None]] = {}
        self._known: set[Offer] = set()
        for mark in self._marks.values():
            self.set_target(mark, mark.current)
        self._spares_essentials = universe.apt_since("2.3.12")
        self._changes = 0
        #: By name, which candidates still count as providing it, though they were given up; whether they were marked
        #: for installation, and at which change that was.
        self._outdated: dict[str, dict[Offer, tuple[bool, int]]] = {}
        for name in universe.held:
            self._marks[name].held = True
        for name in universe.automatic:
            self._marks[name].automatic = True

    def __getitem__(self, name: str) -> Mark:
        mark = self._marks.get(name)
        if mark is None:
            mark = self._marks[name] = Mark(name, None, self.universe.candidate(name))
        return mark

    def all(self) -> Iterable[Mark]:
        """Every mark so far: what is installed, then what was looked at."""
        return list(self._marks.values())

    # --- tests -------------------------------------------------------------------------------------------

    def wanted(self, need: Need) -> bool:
        """Whether the need counts: Recommends and Suggests may be switched off."""
        return need.critical or (self.recommends if need.kind == "Recommends" else self.suggests)

    def keeps(self, need: Need) -> bool:
        """Whether what fulfils the need, of a package that is there, is to stay while a request is solved."""
        return self.wanted(need) or self.follows(need)

    def follows(self, need: Need) -> bool:
        """Whether what fulfils the need, of a package that is there, is not unneeded. That Recommends are switched on
        for an install does not count here."""
        if need.kind == "Recommends":
            return self._recommends_important
        return need.critical or self.suggests or self._suggests_important

    def answering(self, relation: Relation) -> Iterable[Mark]:
        """The marks whose target, or current version, may fulfil a relation; no others do."""
        name = relation.name
        return self._answering.get(split(name)[0] if self.universe.foreign else name, ())

    def fulfilling(self, need: Need) -> list[Offer]:
        """What will be there that fulfils the need."""
        found = [
            mark.target
            for relation in need.clause
            for mark in self.answering(relation)
            if mark.target is not None and need.is_met_by(mark.target, relation)
        ]
        return list(dict.fromkeys(found)) if len(found) > 1 else found

    def holds(self, need: Need) -> bool:
        """Whether the need is fulfilled by what will be there."""
        for relation in need.clause:
            for mark in self.answering(relation):
                if mark.target is not None and need.is_met_by(mark.target, relation):
                    return not need.negative
        return need.negative != (bool(self._outdated) and self._is_outdated(need, installing=True))

    def held_before(self, need: Need) -> bool:
        """Whether the need was fulfilled by what was there before."""
        installed = self.universe.installed
        return (
            any(installed(offer.name) is offer for options in need.options for offer in options)
            != need.negative
        )

    def possible(self, need: Need) -> bool:
        """Whether some candidate would fulfil the need, as far as the candidates are published."""
        for options in need.options:
            for offer in options:
                if self[offer.name].published is offer:
                    return not need.negative
        return need.negative != (bool(self._outdated) and self._is_outdated(need, installing=False))

    def _is_outdated(self, need: Need, *, installing: bool) -> bool:
        """Whether the need counts as fulfilled by what a former candidate provides."""
        told = self[need.owner.name].told
        return any(
            offer in options and told < change and (marked or not installing)
            for relation, options in zip(need.clause, need.options, strict=True)
            for offer, (marked, change) in self._outdated.get(relation.name, {}).items()
        )

    def _tell(self, mark: Mark, former: Offer | None = None) -> None:
        """Let what needs the package know its state; not what needs something that its former candidate provides.

        `former` is a version that had been marked for installation.
        """
        self._changes += 1
        old = former or mark.published
        mark.published, mark.told = mark.candidate, self._changes
        if self._outdated:
            for name in _provided(mark.candidate) + _provided(mark.current):
                self._outdated.pop(name, None)
        if old is not None and old is not mark.candidate:
            known = {*_provided(mark.candidate), *_provided(mark.current)}
            for name in _provided(old):
                if name not in known:
                    self._outdated.setdefault(name, {})[old] = (former is not None, self._changes)

    def broken(self, mark: Mark) -> bool:
        """Whether a critical need of the target does not hold."""
        return mark.target is not None and any(
            need.critical and not self.holds(need) for need in self.universe.needs(mark.target)
        )

    def lacking(self, mark: Mark) -> bool:
        """Whether any need that counts does not hold."""
        return mark.target is not None and any(
            self.wanted(need) and not self.holds(need) for need in self.universe.needs(mark.target)
        )

    def broken_before(self, mark: Mark) -> bool:
        """Whether the current version had a critical need that did not hold."""
        return mark.current is not None and any(
            need.critical and not self.held_before(need) for need in self.universe.needs(mark.current)
        )

    def all_broken(self) -> list[Mark]:
        """Every package that cannot be as marked."""
        return [mark for mark in self._marks.values() if self.broken(mark)]

    def may_change(self, mark: Mark, mode: MarkMode, depth: int, *, by_user: bool) -> bool:
        """Whether the mode of the package may be changed to this one."""
        if depth > TOO_DEEP or not self.universe.versions(mark.name):
            return False
        if by_user or mark.mode == mode:
            return True
        if mark.protected or (mark.held and mode != "keep"):
            return False
        return mode != "delete" or not (
            self._spares_essentials
            and (self.universe.essential(mark.name) or self.universe.important(mark.name))
        )

    def may_delete(self, mark: Mark, *, by_user: bool) -> bool:
        """Whether removing it would not undo what a user asked to install."""
        return (
            by_user or mark.current is not None or mark.target is None or mark.newness != 2 or mark.automatic
        )

    # --- changes -----------------------------------------------------------------------------------------

    def set_target(self, mark: Mark, offer: Offer | None) -> None:
        """Say which version will be there, and nothing else."""
        mark.target = offer
        if offer is not None and offer not in self._known:
            self._known.add(offer)
            for name in (offer.package.name, *_provided(offer)):
                self._answering.setdefault(name, {})[mark] = None

    def keep(self, mark: Mark, depth: int = 0, *, by_user: bool = False) -> bool:
        """Let the package be as it was."""
        if not self.may_change(mark, "keep", depth, by_user=by_user):
            return False
        if mark.mode != "keep":
            mark.mode = "keep"
            mark.target = mark.current
            self._tell(mark)
        return True

    def delete(self, mark: Mark, depth: int = 0, *, by_user: bool = False) -> bool:
        """Remove the package, or do not install it after all."""
        if not self.may_change(mark, "delete", depth, by_user=by_user):
            return False
        if mark.mode == "delete" or mark.target is None:
            return True
        if not self.may_delete(mark, by_user=by_user):
            return False
        mark.mode = "keep" if mark.current is None else "delete"
        mark.target = None
        self._tell(mark)
        return True

    def set_candidate(self, offer: Offer) -> None:
        """Make this version the one that an install would take."""
        mark = self[offer.name]
        if mark.candidate is not offer:
            former = mark.candidate if mark.installing and mark.target is mark.candidate else None
            if former:
                self.set_target(mark, offer)
            mark.candidate = offer
            self._tell(mark, former)
            mark.reckon()

    def drop_candidate(self, mark: Mark) -> None:
        """Forget the candidate unless it is already the target; other packages do not learn of it yet."""
        mark.candidate = mark.target

    def drop_install(self, mark: Mark) -> None:
        """Take back an install that failed, and never try it again."""
        if mark.mode == "keep" and mark.target is mark.candidate is mark.current:
            return
        mark.target = mark.current
        mark.mode = "keep"
        self._tell(mark)
        self.drop_candidate(mark)

    def take_candidate(self, mark: Mark, *, by_user: bool) -> None:
        """Make the candidate the target."""
        if mark.protected and mark.target is mark.candidate:
            return
        mark.mode = "keep" if mark.candidate is mark.current else "install"
        self.set_target(mark, mark.candidate)
        self._tell(mark)
        if mark.newness == 2:
            mark.automatic = not by_user
        elif by_user and mark.current is not None:
            mark.automatic = False

    # --- solutions ---------------------------------------------------------------------------------------

    def solutions(self, need: Need, choose: Callable[[Mark], Offer | None]) -> Solutions:
        """The versions that satisfy the need and are `choose(mark)` of their package.

        For each alternative in turn the packages in the order of `_rank`; of the whole, those that are installed
        in some version come first (apt's CompareProviders).
        """
        installed: list[dict[Offer, Rank]] = []
        others: list[dict[Offer, Rank]] = []
        for relation, options in zip(need.clause, need.options, strict=True):
            # A qualified name (`make:any`) is a virtual one to apt: no package is preferred for its name.
            target = "" if relation.arch else relation.name
            ranks = {
                offer: self._rank(offer, target) for offer in options if choose(self[offer.name]) is offer
            }
            installed.append({offer: ranks[offer] for offer in ranks if self[offer.name].current is not None})
            others.append({offer: ranks[offer] for offer in ranks if self[offer.name].current is None})
        tiers = [tier for tier in (*installed, *others) if tier]
        barred = () if need.negative else (each for tier in tiers for each in tier if self[each.name].barred)
        return Solutions(tiers, frozenset(barred), self.universe.order)

    def _rank(self, offer: Offer, target: str) -> Rank:
        """What makes one package preferable to another, smaller is better; the last rule is who was met last."""
        mark = self[offer.name]
        absent = mark.current is None
        return (
            not mark.protected,
            not self.universe.has_installed_like(offer),
            absent,
            offer.package.name != target.partition(":")[0],
            not self.universe.essential(offer.name),
            not self.universe.important(offer.name),
            offer.foreign != "",
            PRIORITIES.get(offer.package.priority, 5),
        )


def _provided(offer: Offer | None) -> list[str]:
    if offer is None or not offer.package.provides:
        return []
    return [clause[0].name for clause in relations.parse(offer.package.provides)]
