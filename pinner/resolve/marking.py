"""How apt marks a package for installation with all it needs: depth first, in the order of the relations.

The rules (what apt 2.6 and 3.0 do in `pkgDepCache::MarkInstall`):

- First the candidate's Conflicts and Breaks: candidates that are in the way are given up, installed versions
  that are in the way are upgraded out of it or else removed. Since 2.4.7 installed packages that need the version
  that is being replaced are upgraded too, and since 2.5.2 other installed binaries of the same source version.
- Then each unfulfilled need in order: the first solution that can be marked wins. An alternative that is there
  already ends the matter.
- What a protected package needs and only one version can give becomes protected itself.
- A package that is brought along and fails on a critical need is taken back, and never tried again in this run;
  the dependencies that it had marked stay so, to be swept away if nothing else needs them.
- Recommends of a package that was installed before are followed only if they are new or were fulfilled.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinner.apt import relations
from pinner.resolve.marks import MODERN, Mark, Marks
from pinner.resolve.needs import Need
from pinner.resolve.neighbours import Neighbours
from pinner.resolve.resolution import Cause
from pinner.resolve.universe import Offer


class Marker:
    """Marks packages for installation. `reasons` tells what first brought a package along."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.modern = marks.universe.apt_since(MODERN)
        self._protects = marks.universe.apt_since("2.1.0")
        self._upgrades_dependents = marks.universe.apt_since("2.4.7")
        self._upgrades_siblings = marks.universe.apt_since("2.5.2")
        self.reasons: dict[str, Cause] = {}
        self._neighbours = Neighbours(marks.universe)

    def install(self, mark: Mark, depth: int = 0, *, follow: bool = True, by_user: bool = False) -> bool:
        """Mark the candidate of the package, and with `follow` all it needs; False if it cannot be had."""
        marks = self.marks
        staying = mark.protected and mark.mode == "keep" and mark.candidate is not None
        if not (staying and mark.candidate is mark.current) and not marks.may_change(
            mark, "install", depth, by_user=by_user
        ):
            return False
        if mark.candidate is None:
            return False
        if not mark.protected and not marks.lacking(mark):
            if mark.candidate is mark.current:
                return mark.target is not None or marks.keep(mark, depth + 1, by_user=by_user)
            if mark.installing:
                return True
        if follow and not self._needs_possible(mark):
            return False
        if not follow:
            marks.take_candidate(mark, by_user=by_user)
            return True
        return self._install_with_needs(mark, depth, by_user=by_user)

    def _needs_possible(self, mark: Mark) -> bool:
        """Whether each critical need has a solution among the candidates; if not the package is given up."""
        offer = mark.candidate
        if offer is None or offer is mark.current:
            return True
        marks = self.marks
        for need in marks.universe.needs(offer):
            if not need.critical or need.negative or marks.holds(need) or marks.possible(need):
                continue
            if not mark.protected:
                if mark.current is not None:
                    marks.set_candidate(mark.current)
                else:
                    mark.candidate = None
                if mark.mode != "delete":
                    mark.mode = "keep"
                    mark.reckon()
            return False
        return True

    def _install_with_needs(self, mark: Mark, depth: int, *, by_user: bool) -> bool:
        marks = self.marks
        if by_user:
            marks.take_candidate(mark, by_user=True)
        offer = mark.candidate
        if offer is None:
            return False
        protected = mark.protected
        stubborn = protected or by_user
        wanted, unwanted = self._collect(offer, everything=protected)
        upgrades: list[Mark] = []
        removals: list[Mark] = []
        fine = self._clear_the_way(
            unwanted, upgrades, removals, depth, protected=protected, stubborn=stubborn
        )
        if not fine and not stubborn:
            return False
        self._collect_dependents(mark, offer, upgrades, removals)
        if not by_user:
            marks.take_candidate(mark, by_user=False)

        mark.protected |= self._protects  # against its own dependencies, until all of them are marked
        self._upgrade_siblings(mark, depth)
        fine &= self._upgrade_or_remove(upgrades, depth, protected=protected, stubborn=stubborn)
        if fine or stubborn:
            fine &= self._install_needs(mark, wanted, depth, protected=protected, stubborn=stubborn)
        if fine or stubborn:
            for removal in removals:
                fine &= marks.delete(removal, depth)
                if not fine and not stubborn:
                    break
        if not fine and not stubborn:
            marks.drop_install(mark)
        if not protected:
            mark.protected = False
        return fine

    def _collect(self, offer: Offer, *, everything: bool) -> tuple[list[Need], list[Need]]:
        """The positive and the negative needs to look at; those that hold only if `everything` is asked for."""
        wanted: list[Need] = []
        unwanted: list[Need] = []
        marks = self.marks
        for need in marks.universe.needs(offer):
            if marks.wanted(need) and (everything or not marks.holds(need)):
                (unwanted if need.negative else wanted).append(need)
        return wanted, unwanted

    def _clear_the_way(
        self,
        unwanted: Iterable[Need],
        upgrades: list[Mark],
        removals: list[Mark],
        depth: int,
        *,
        protected: bool,
        stubborn: bool,
    ) -> bool:
        """Give up the candidates that must not come, and find what is to be upgraded or removed."""
        marks = self.marks
        fine = True
        given_up: list[Mark] = []
        for need in unwanted:
            found = marks.solutions(need, _candidate)
            # Of packages that are neither there nor to come, none is given up before another.
            idle = all(marks[offer.name].idle for offer in found.offers)
            for offer in found.offers if idle else found:
                other = marks[offer.name]
                if other.candidate is not offer:
                    continue
                if other.current is offer:
                    fine &= self._plan_removal(other, removals, depth, protected=protected)
                elif other.installing and not marks.keep(other, depth):
                    fine = False
                elif protected:
                    marks.drop_candidate(other)
                    if other.current is None:
                        other.protected = True
                else:
                    given_up.append(other)
                if not fine and not stubborn:
                    return False
            for offer in marks.solutions(need, _current):
                other = marks[offer.name]
                if other.candidate is not None and other.candidate is not offer and other not in given_up:
                    self.reasons.setdefault(other.name, Cause(need, need.owner))
                    upgrades.append(other)
                elif other.candidate is not other.current:
                    fine &= self._plan_removal(other, removals, depth, protected=protected)
                    if not fine and not stubborn:
                        return False
        return fine

    def _plan_removal(self, mark: Mark, removals: list[Mark], depth: int, *, protected: bool) -> bool:
        """Remove the package at once for a protected one's sake, else when all else has gone well."""
        marks = self.marks
        if protected:
            if mark.mode != "delete" and not marks.delete(mark, depth + 1):
                return False
            marks.drop_candidate(mark)
            mark.protected = True
            return True
        if mark.mode != "delete":
            if not marks.may_change(mark, "delete", depth, by_user=False) or not marks.may_delete(
                mark, by_user=False
            ):
                return False
            removals.append(mark)
        return True

    def _collect_dependents(
        self, mark: Mark, offer: Offer, upgrades: list[Mark], removals: list[Mark]
    ) -> None:
        """Add to `upgrades` the installed packages that need the version that is being replaced."""
        if mark.current is None or not self._upgrades_dependents:
            return
        for need, relation in reversed(self._neighbours.dependents(mark.name)):
            other = self.marks[need.owner.name]
            if other.installing or not self.marks.wanted(need) or relation.arch:
                continue
            if self.modern and (other.mode == "delete" or other in removals):
                continue
            if (
                relations.satisfied(relation, mark.current.version)
                and not relations.satisfied(relation, offer.version)
                and other not in upgrades
            ):
                self.reasons.setdefault(other.name, Cause(need, offer))
                upgrades.append(other)

    def _upgrade_siblings(self, mark: Mark, depth: int) -> None:
        """Upgrade other installed binaries of the source to the same source version, if it is their candidate."""
        offer = mark.candidate
        if offer is None or not self._upgrades_siblings:
            return
        source = (offer.package.source, offer.package.source_version)
        siblings = []
        for name in self._neighbours.binaries(source[0]):
            other = self.marks[name]
            new = other.candidate
            if (
                other is mark
                or new is None
                or new is other.current
                or (other.installing and other.target is new)
            ):
                continue
            if (new.package.source, new.package.source_version) == source:
                siblings.append(other)
        if len(siblings) > 1:  # the order of an index takes long to read
            siblings.sort(key=lambda other: self.marks.universe.order(other.name))
        for other in siblings:
            self.reasons.setdefault(other.name, Cause(None, offer))
            self.install(other, depth + 1, follow=False)
        for other in siblings:
            self.install(other, depth + 1)

    def _upgrade_or_remove(
        self, upgrades: Iterable[Mark], depth: int, *, protected: bool, stubborn: bool
    ) -> bool:
        fine = True
        for other in upgrades:
            if other.installing or self.install(other, depth + 1):
                continue
            if not self.marks.delete(other, depth + 1):
                fine = False
                if not stubborn:
                    break
            elif protected:
                other.protected = True
        return fine

    def _install_needs(
        self, mark: Mark, wanted: Iterable[Need], depth: int, *, protected: bool, stubborn: bool
    ) -> bool:
        fine = True
        for need in wanted:
            if self.marks.holds(need):
                if protected and need.critical:
                    fine &= self._protect_sole_solution(need, depth)
                continue
            if not need.critical and self._was_lacking(mark, need):
                continue
            if not self._install_one(need, depth, protected=protected) and need.critical:
                fine = False
                if not stubborn:
                    break
        return fine

    def _install_one(self, need: Need, depth: int, *, protected: bool) -> bool:
        """Mark the first solution of the need that can be had."""
        solutions = self.marks.solutions(need, _candidate)
        for offer in solutions:
            other = self.marks[offer.name]
            if other.candidate is not offer:
                continue
            if protected and need.critical and solutions.sole:
                if not self.install(other, depth + 1, follow=False):
                    continue
                other.protected = True
            self.reasons.setdefault(offer.name, Cause(need, need.owner))
            if self.install(other, depth + 1):
                return True
        return False

    def _protect_sole_solution(self, need: Need, depth: int) -> bool:
        """A need that holds already: if nothing else can fulfil it, what does becomes protected."""
        marks = self.marks
        possible = {
            offer: None
            for options in need.options
            for offer in options
            if (marks[offer.name].candidate is offer or marks[offer.name].current is offer)
            and not marks[offer.name].barred
        }
        if len(possible) != 1:
            return True
        other = marks[next(iter(possible)).name]
        if other.protected:
            return True
        other.protected = True
        return self.install(other, depth + 1)

    def _was_lacking(self, mark: Mark, need: Need) -> bool:
        """Whether the package was installed before with the same recommendation, which was not fulfilled."""
        if mark.current is None:
            return False
        name = need.clause[0].name
        known = [
            old
            for old in self.marks.universe.needs(mark.current)
            if not old.critical
            and self.marks.wanted(old)
            and any(relation.name == name for relation in old.clause)
        ]
        return bool(known) and not any(self.marks.held_before(old) for old in known)


def _candidate(mark: Mark) -> Offer | None:
    return mark.candidate


def _current(mark: Mark) -> Offer | None:
    return mark.current
