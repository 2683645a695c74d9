"""What one root could install: several indices and what is installed, as apt's policy sees them.

Rules (apt 2.6 and 3.0; apt_preferences(5) where it is written down):

- An index has priority 500; 100 with `ButAutomaticUpgrades: yes`, 1 with `NotAutomatic: yes` alone; 990 when
  `-t` names its Suite, Codename or Version. What is installed has 100. Preferences change that: see `pins`.
- The candidate is found by going from the highest version to the lowest and changing one's mind only for a
  strictly higher priority; versions below the installed one are passed over unless their priority is 1000.
- A package of a foreign architecture goes by `name:arch`; what its relations are to is found in `needs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pinner.apt import relations, version
from pinner.apt.packages import Package
from pinner.apt.preferences import Preference
from pinner.apt.relations import Relation
from pinner.errors import UnknownPackage, Unsatisfiable
from pinner.resolve.needs import Need, needs_of, satisfying
from pinner.resolve.offers import Index, Offer, Offers, key, provides, split
from pinner.resolve.patterns import release_test, version_test
from pinner.resolve.pins import Pins
from pinner.values import NamedTuple

__all__ = ["Index", "Offer", "Universe"]

DOWNGRADE = 1000


class _Shared(NamedTuple):
    """Answers that universes with the same versions in them can share."""

    needs: dict[Offer, tuple[Need, ...]]
    targets: dict[Relation, tuple[Offer, ...]]


class Universe:
    """The versions of every name, which of them is the candidate, who provides what.

    Immutable but for what it remembers of earlier questions, which is shared with every universe made from
    it by `with_installed`: make one per platform and `-t`, then one of these per stage.
    """

    def __init__(
        self,
        indexes: Sequence[Index],
        *,
        arch: str,
        foreign: Sequence[str] = (),
        installed: Iterable[Package] = (),
        target_release: str = "",
        preferences: Sequence[Preference] = (),
    ) -> None:
        """`arch` is the native architecture; `foreign` are those that were added to dpkg, in that order.

        Raise `Unsatisfiable` if `target_release` is the release of no index, as apt does.
        """
        self.arch = arch
        self.foreign = tuple(foreign)
        pins = Pins(preferences, arch)
        self._installed_priority = pins.installed
        priorities = pins.priorities(indexes, _target(indexes, target_release))
        self._offers = Offers(indexes, priorities, pins if preferences else None, arch)
        self._shared = _Shared({}, {})
        self._install(installed)

    def with_installed(self, installed: Iterable[Package]) -> Universe:
        """The same indices seen by a root that holds these packages."""
        other = object.__new__(Universe)
        other.arch = self.arch
        other.foreign = self.foreign
        other._installed_priority = self._installed_priority
        other._offers = self._offers
        other._shared = self._shared
        other._install(installed)
        return other

    def offering(self, package: Package) -> Universe:
        """The same root where a package can be had that no index lists: the first of its name."""
        other = self.with_installed(self.packages)
        offer = Offer(package, None, (), self._installed_priority, "")
        other._extra = {**other._extra, offer.name: offer}
        other._candidates[offer.name] = offer
        other._memo = _Shared({}, {})
        return other

    def _install(self, installed: Iterable[Package]) -> None:
        #: What is installed, in the order given, with its marks.
        self.packages = tuple(installed)
        self._installed: dict[str, Offer] = {}
        held, automatic = set(), set()
        self._extra: dict[str, Offer] = {}
        self._extra_provides: dict[str, list[Offer]] = {}
        for package in self.packages:
            offer = self._offers.find(package)
            if offer is None:
                arch = package.architecture
                foreign = "" if arch in ("", "all", self.arch) else arch
                offer = Offer(package, None, (), self._installed_priority, foreign)
                self._extra[offer.name] = offer
                for clause in relations.parse(package.provides):
                    self._extra_provides.setdefault(clause[0].name, []).append(offer)
            self._installed[offer.name] = offer
            if package.held:
                held.add(offer.name)
            if package.automatic:
                automatic.add(offer.name)
        #: The names that are held back: only a user may change them.
        self.held = frozenset(held)
        #: Those that were installed as dependencies: nothing keeps them when nothing needs them.
        self.automatic = frozenset(automatic)
        self._candidates: dict[str, Offer | None] = {}
        # What is only installed changes what satisfies a relation; then nothing is shared.
        self._memo = _Shared({}, {}) if self._extra else self._shared

    @property
    def indexes(self) -> tuple[Index, ...]:
        """In the order of the sources."""
        return self._offers.indexes

    def apt_since(self, text: str) -> bool:
        """Whether the root's apt, installed or else offered, is that version or later; 2.6 where there is none."""
        apt = self.installed("apt") or self.candidate("apt")
        return version.compare(apt.version if apt is not None else "2.6", text) >= 0

    def priority(self, index: Index) -> int:
        """The priority that apt gives to what this index lists."""
        return self._offers.priorities[self.indexes.index(index)]

    def installed(self, name: str) -> Offer | None:
        """The installed version."""
        return self._installed.get(name)

    def all_installed(self) -> Iterable[Offer]:
        """Every installed version, in the order given."""
        return self._installed.values()

    def versions(self, name: str) -> tuple[Offer, ...]:
        """Every version of the name, highest first; among equals the first listed."""
        offers = self._offers.versions(name)
        extra = self._extra.get(name)
        if extra is None:
            return offers
        here = version.key(extra.version)
        at = sum(version.key(offer.version) >= here for offer in offers)
        return (*offers[:at], extra, *offers[at:])

    def candidate(self, name: str) -> Offer | None:
        """The version that `apt-get install name` would take."""
        if name not in self._candidates:
            installed = self._installed.get(name)
            self._candidates[name] = (
                self._offers.candidate(name) if installed is None else self._choose(name, installed)
            )
        return self._candidates[name]

    def _choose(self, name: str, installed: Offer) -> Offer | None:
        best, priority = None, -1
        for offer in self.versions(name):
            own = offer.priority
            if offer is installed and self._offers.pinned(offer) is None:
                own = max(own, self._installed_priority)
            if own == 0 or own <= priority:
                continue
            if own < DOWNGRADE and version.compare(offer.version, installed.version) < 0:
                continue
            best, priority = offer, own
        return best

    def providers(self, name: str) -> tuple[Offer, ...]:
        """The versions that provide the name, candidates or not, last met first."""
        plain, foreign = split(name)
        found = (*reversed(self._extra_provides.get(plain, ())), *self._offers.providers(plain))
        if not self.foreign:
            return found
        other = (self.versions(key(plain, arch, self.arch)) for arch in (self.arch, *self.foreign))
        return tuple(
            offer
            for offer in (
                *found,
                *(offer for versions in other for offer in versions if offer.foreign != foreign),
            )
            if offer.foreign == foreign or offer.package.multi_arch == "foreign"
        )

    def siblings(self, name: str) -> Iterable[str]:
        """The packages of the same name for the other architectures, the native one first."""
        plain, _ = split(name)
        names = (key(plain, arch, self.arch) for arch in (self.arch, *self.foreign))
        return (other for other in names if other != name)

    def order(self, name: str) -> int:
        """Where apt first met the name: the indices in order, then what is installed. Higher is later."""
        rank = self._offers.order(name)
        if rank is not None:
            return rank
        here = list(self._extra).index(name) if name in self._extra else len(self._extra)
        return (len(self.indexes) << 40) + here

    def targets(self, relation: Relation) -> tuple[Offer, ...]:
        """Every version that satisfies the relation: of the name itself highest first, then providers."""
        found = self._memo.targets.get(relation)
        if found is None:
            found = self._memo.targets[relation] = tuple(satisfying(relation, self))
        return found

    def needs(self, offer: Offer) -> tuple[Need, ...]:
        """The clauses of an offer in apt's order of fields, whatever the order in the stanza."""
        found = self._memo.needs.get(offer)
        if found is None:
            found = self._memo.needs[offer] = needs_of(offer, self)
        return found

    def essential(self, name: str) -> bool:
        """Whether any version of the name says `Essential: yes`; apt keeps the mark with the name, and is itself so."""
        return name == "apt" or (
            ":" not in name and any(offer.package.essential for offer in self.versions(name))
        )

    def essentials(self) -> set[str]:
        """The names of all packages that the indices offer and apt takes for essential. Slow at first."""
        indexes = [index for index in self.indexes if index.source.arch == self.arch]
        names = {name for index in indexes for name, _, value in index.having("Essential") if value == "yes"}
        return {name for name in (*names, "apt") if self.candidate(name) is not None}

    def in_task(self, task: str) -> set[str]:
        """The names of the packages whose candidate is in a task (tasksel(8)), a regular expression. Slow at first."""
        members = re.compile(rf"(?:^|[, ])(?:{task})(?:[, ]|$)")
        found = set()
        for index in self.indexes:
            for plain, text, value in index.having("Task"):
                name = key(plain, index.source.arch, self.arch)
                best = self.candidate(name)
                if best and best.index is index and best.version == text and members.search(value):
                    found.add(name)
        return found

    def has_installed_like(self, offer: Offer) -> bool:
        """Whether it is Multi-Arch: same and its package is installed for any architecture."""
        if offer.package.multi_arch != "same":
            return False
        return any(map(self.installed, (offer.name, *self.siblings(offer.name))))

    def important(self, name: str) -> bool:
        """Whether any version of the name says `Important: yes` or `Protected: yes`, or it is apt's own."""
        return name == "apt" or any(offer.package.important for offer in self.versions(name))

    def has_newer_source(self, candidate: Offer) -> bool:
        """Whether another binary of the candidate's source package has a newer source version.

        It must have a priority that is not below the candidate's, and be for all architectures or for one as it is.
        """
        package = candidate.package
        own = version.key(package.source_version)
        return any(
            each.for_all == (package.architecture == "all") and version.key(each.version) > own
            for index, priority in zip(self.indexes, self._offers.priorities, strict=True)
            if priority > 0 and priority >= candidate.priority
            for each in index.source_versions(package.source)
        )

    def match(self, name: str, text: str) -> Offer | None:
        """The version that `name=text` selects: from the highest down the first match, whatever its priority.

        See `patterns.version_test`. A package that provides its own name matches by that version too.
        """
        matches = version_test(text)
        for offer in self.versions(name):
            if matches(offer.version):
                return offer
        plain, _ = split(name)
        for offer in self.providers(name):
            if offer.name == name and any(
                given.version and matches(given.version) for given in provides(offer.package, plain)
            ):
                return offer
        return None

    def in_release(self, name: str, release: str) -> Offer | None:
        """The version that `name/release` selects: the highest that an index of the release lists.

        `release` is a glob over Suite and Codename or, when it begins with a digit, over Version.
        """
        matches = release_test(release)
        for offer in self.versions(name):
            if any(matches(index) for index in offer.pockets):
                return offer
        return None

    def sole_provider(self, name: str) -> Offer | None:
        """The candidate that provides the name, if there is exactly one package whose candidate does."""
        found = {offer.name: offer for offer in self._providing_candidates(name)}
        return next(iter(found.values())) if len(found) == 1 else None

    def _providing_candidates(self, name: str) -> Iterable[Offer]:
        return (offer for offer in self.providers(name) if self.candidate(offer.name) is offer)

    def select(self, name: str, *, version_text: str = "", release: str = "") -> Offer:
        """The version that an argument of `apt-get install` names; of another package if `name` is virtual.

        Raises `Unsatisfiable` in the cases in which apt finds nothing: an unknown name, a name that exists
        only in relations, a virtual name with several providers, a version or release that matches nothing.
        """
        if version_text in ("candidate", "newest", "installed"):
            version_text, keyword = "", version_text
        else:
            keyword = ""
        offers = self.versions(name)
        if not offers:  # a package that only a foreign architecture has
            name = next((other for other in self.siblings(name) if self.versions(other)), name)
            offers = self.versions(name)
        if not offers:
            return self._select_virtual(name, version_text)
        if version_text:
            found = self.match(name, version_text)
            if found is None:
                have = ", ".join(offer.version for offer in offers)
                raise Unsatisfiable(
                    f"version {version_text!r} of {name} was not found", hint=f"there is {have}"
                )
        elif release:
            found = self.in_release(name, release)
            if found is None:
                raise Unsatisfiable(f"release {release!r} was not found for {name}")
        elif keyword == "newest":
            found = offers[0]
        elif keyword == "installed":
            found = self.installed(name)
            if found is None:
                raise Unsatisfiable(f"{name} is not installed, so it has no version 'installed'")
        else:
            found = self.candidate(name)
            if found is None:
                provider = self.sole_provider(name)
                if provider is None:
                    raise Unsatisfiable(f"{name} has no installation candidate")
                return provider
        return found

    def _select_virtual(self, name: str, version_text: str) -> Offer:
        providing = {offer.name: offer for offer in self._providing_candidates(name)}
        if version_text:
            providing = {
                own: offer
                for own, offer in providing.items()
                if any(given.version == version_text for given in provides(offer.package, split(name)[0]))
            }
        if len(providing) == 1:
            return next(iter(providing.values()))
        if providing:
            raise Unsatisfiable(
                f"{name} is a virtual package provided by {', '.join(providing)}",
                hint="name one of these instead",
            )
        if self.known(name):
            raise Unsatisfiable(
                f"{name} has no installation candidate: other packages mention it, none is it"
            )
        near = self.near(name)
        raise UnknownPackage(
            f"there is no package {name}", hint=f"did you mean {' or '.join(near)}?" if near else ""
        )

    def known(self, name: str) -> bool:
        """Whether the name exists, is provided or is at least mentioned in some package's relations.

        apt tries a name as a glob and as a regular expression only if it does not.
        """
        return bool(self.versions(name) or self.providers(name)) or self._offers.order(name) is not None

    def names(self) -> Iterable[str]:
        """Every package name. Slow: for what no package bears."""
        return self._offers.names()

    def near(self, name: str) -> tuple[str, ...]:
        """Up to three existing names that look like this one, the likest first. Slow at first: for messages."""
        return self._offers.near(name)


def _target(indexes: Sequence[Index], release: str) -> Callable[[Index], bool] | None:
    if not release:
        return None
    matches = release_test(release)
    if not any(map(matches, indexes)):
        raise Unsatisfiable(
            f"the target release {release!r} is the release of no source",
            hint="name a suite or codename that the sources offer",
        )
    return matches
