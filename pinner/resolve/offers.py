"""What several indices offer together: `Index`, `Offer`, and which entries are one version.

Entries with equal version and equal Size, Multi-Arch, Installed-Size, Depends, Pre-Depends, Conflicts,
Breaks and Replaces are one version, described by the first index that lists it; with any other difference
in these fields they are two. Differences elsewhere (SHA256, Recommends, Provides) go unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from pinner.apt import relations, version
from pinner.apt.packages import Package, SourceVersion
from pinner.apt.relations import Relation
from pinner.apt.release import Release
from pinner.apt.sources import Source
from pinner.resolve.pins import Pins

_MOST_NEAR = 20  # questions; each looks at all names


class Index(Protocol):
    """One verified Packages file: a component of a suite for one architecture."""

    @property
    def source(self) -> Source:
        """The source it was loaded for."""

    @property
    def component(self) -> str:
        """`main`, `contrib`, …"""

    @property
    def release(self) -> Release:
        """The Release that vouches for it; `release.files` may be empty."""

    @property
    def release_sha256(self) -> str:
        """Lower-case hex digest of the InRelease file."""

    def packages(self, name: str) -> tuple[Package, ...]:
        """Every version of the name, in file order."""

    def providers(self, name: str) -> tuple[Package, ...]:
        """The packages with `name` in Provides, in file order."""

    def names(self) -> Iterable[str]:
        """Every package name, once each."""

    def order(self, name: str) -> int | None:
        """The rank of the name's first mention, counting stanza by stanza as apt reads them; None if it has
        none.

        A stanza mentions its own name, then those in Pre-Depends, Depends, Conflicts, Breaks, Recommends,
        Suggests, Replaces, Enhances and Provides.
        """

    def source_versions(self, source: str) -> Iterable[SourceVersion]:
        """The versions of a source package whose binaries are in the index."""

    def having(self, field: str) -> Iterable[tuple[str, str, str]]:
        """Name, version and the field's value of each stanza that has this field."""


class SourcesIndex(Index, Protocol):
    """An index whose stanzas can be had as they are: those of a Sources file describe no binary packages."""

    def texts(self, name: str) -> Iterable[str]:
        """The stanzas of the name, in file order."""


class Offer:
    """A version that could be installed. There is one per version and universe: compare with `is`.

    `pockets` are the indices that list it, in the order of the sources; `index` is the first of them, from
    which apt would download, and None for a version that is only installed. `priority` is the highest among
    them. `foreign` is the architecture where it is neither the native one nor `all`.
    """

    __slots__ = ("foreign", "index", "name", "package", "pockets", "priority", "version")

    def __init__(
        self,
        package: Package,
        index: Index | None,
        pockets: tuple[Index, ...],
        priority: int,
        foreign: str = "",
    ) -> None:
        self.package, self.index, self.pockets = package, index, pockets
        self.priority, self.foreign = priority, foreign
        #: The package's name as apt prints it: `name:arch` for one of a foreign architecture.
        self.name = f"{package.name}:{foreign}" if foreign else package.name
        #: The version as text.
        self.version = package.version

    def __repr__(self) -> str:
        return f"<{self.name}={self.version}>"


class Offers:
    """What the indices say of a name, found once and remembered. Each index brings its priority."""

    def __init__(
        self, indexes: Sequence[Index], priorities: Sequence[int], pins: Pins | None = None, arch: str = ""
    ) -> None:
        """`pins` raise or lower versions by name. Names are as `Offer.name`; `arch` is the native architecture."""
        self._arch = arch
        self.indexes = tuple(indexes)
        self.priorities = tuple(priorities)
        self._pins = pins
        self._versions: dict[str, tuple[Offer, ...]] = {}
        self._providers: dict[str, tuple[Offer, ...]] = {}
        self._candidates: dict[str, Offer | None] = {}
        self._orders: dict[str, int | None] = {}
        self._near: dict[str, tuple[str, ...]] = {}
        self._lengths: dict[int, list[str]] = {}

    def versions(self, name: str) -> tuple[Offer, ...]:
        """Every version of the name, highest first; among equals the first listed."""
        found = self._versions.get(name)
        if found is None:
            found = self._versions[name] = self._collect(name)
        return found

    def _collect(self, name: str) -> tuple[Offer, ...]:
        plain, foreign = split(name)
        listed: list[tuple[Package, int]] = []
        for number, index in enumerate(self.indexes):
            if found := index.packages(plain):
                listed += [(each, number) for each in found if self.foreign(index, each) == foreign]
        if len(listed) < 2:  # most names are listed once
            return (self._offer(listed, foreign),) if listed else ()
        groups: dict[tuple[object, ...], list[tuple[Package, int]]] = {}
        for package, number in listed:
            groups.setdefault(_identity(package), []).append((package, number))
        offers = [self._offer(group, foreign) for group in groups.values()]
        offers.sort(key=lambda offer: version.key(offer.version), reverse=True)  # stable: first listed first
        return tuple(offers)

    def _offer(self, group: Sequence[tuple[Package, int]], foreign: str) -> Offer:
        pockets = [self.indexes[number] for number in dict.fromkeys(number for _, number in group)]
        return Offer(group[0][0], pockets[0], tuple(pockets), self._priority(group), foreign)

    def foreign(self, index: Index, package: Package) -> str:
        """The architecture of what an index lists, "" for the native one and `all`."""
        arch = index.source.arch
        return "" if arch == self._arch or package.architecture == "all" else arch

    def _priority(self, group: Sequence[tuple[Package, int]]) -> int:
        listed = [self.priorities[number] for _, number in group]
        own = None
        if self._pins is not None:
            own = self._pins.own(group[0][0], [self.indexes[number] for _, number in group], listed)
        return max(listed) if own is None else own

    def pinned(self, offer: Offer) -> int | None:
        """The priority that a preference gives this version by name, None if none does."""
        if self._pins is None:
            return None
        listed = [self.priorities[self.indexes.index(index)] for index in offer.pockets]
        return self._pins.own(offer.package, offer.pockets, listed)

    def names(self) -> Iterable[str]:
        """Every package name, once each."""
        return dict.fromkeys(name for index in self.indexes for name in index.names())

    def near(self, name: str) -> tuple[str, ...]:
        """Up to three names that look like this one, the likest first; none after many such questions."""
        if name not in self._near and len(self._near) < _MOST_NEAR:
            from difflib import get_close_matches

            if not self._lengths:
                for other in sorted({other for index in self.indexes for other in index.names()}):
                    self._lengths.setdefault(len(other), []).append(other)
            close = (
                other for size in range(len(name) - 2, len(name) + 3) for other in self._lengths.get(size, ())
            )
            self._near[name] = tuple(get_close_matches(name, close, n=3, cutoff=0.75))
        return self._near.get(name, ())

    def find(self, package: Package) -> Offer | None:
        """The offer that this installed package is; by its version alone if no more is known of it."""
        name = key(package.name, package.architecture, self._arch)
        same = [offer for offer in self.versions(name) if offer.version == package.version]
        if _is_bare(package):
            return same[0] if same else None
        content = _content(package)
        return next((offer for offer in same if _content(offer.package) == content), None)

    def candidate(self, name: str) -> Offer | None:
        """The candidate where the name is not installed."""
        if name not in self._candidates:
            best = None
            for offer in self.versions(name):
                if offer.priority > (best.priority if best else 0):
                    best = offer
            self._candidates[name] = best
        return self._candidates[name]

    def providers(self, name: str) -> tuple[Offer, ...]:
        """The versions that provide a name without architecture, last met first: so apt looks at them."""
        found = self._providers.get(name)
        if found is None:
            offers: dict[Offer, None] = {}
            for index in self.indexes:
                for package in index.providers(name):
                    for offer in self.versions(key(package.name, self.foreign(index, package), self._arch)):
                        if offer.package is package or _identity(offer.package) == _identity(package):
                            if provides(offer.package, name):
                                offers[offer] = None
                            break
            found = self._providers[name] = tuple(reversed(offers))
        return found

    def order(self, name: str) -> int | None:
        """The rank of the first mention over all indices."""
        if name not in self._orders:
            self._orders[name] = None
            plain, foreign = split(name)
            for number, index in enumerate(self.indexes):
                if foreign and index.source.arch != foreign:
                    continue
                rank = index.order(plain)
                if rank is not None:
                    self._orders[name] = (number << 40) + rank
                    break
        return self._orders[name]


def key(name: str, arch: str, native: str) -> str:
    """How apt prints a package of an architecture: `name`, or `name:arch` if it is a foreign one."""
    return name if arch in ("", "all", native) else f"{name}:{arch}"


def split(name: str) -> tuple[str, str]:
    """The two parts of what `key` makes."""
    plain, _, foreign = name.partition(":")
    return plain, foreign


def _identity(package: Package) -> tuple[object, ...]:
    return (version.key(package.version), package.size, _content(package))


def _content(package: Package) -> tuple[str, ...]:
    return (
        package.multi_arch,
        package.installed_size,
        *map(
            _normal,
            (package.depends, package.pre_depends, package.conflicts, package.breaks, package.replaces),
        ),
    )


@lru_cache(maxsize=1 << 14)
def _normal(text: str) -> str:
    """A relation field as apt hashes it: without white space, in lower case, obsolete operators made new."""
    text = "".join(text.lower().split())
    return re.sub(r"\(([<>])(?![<>=])", r"(\1=", text)


def _is_bare(package: Package) -> bool:
    return not any(
        (package.installed_size, package.depends, package.pre_depends, package.size, package.provides)
    )


def provides(package: Package, name: str) -> list[Relation]:
    """How a package provides a name. Only exact provided versions count (Policy 7.5)."""
    return [
        clause[0]
        for clause in relations.parse(package.provides)
        if clause[0].name == name and clause[0].op in ("", "=")
    ]
