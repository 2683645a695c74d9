"""`pinner snapshot find`: what must be there, where it may be, and the search for the moments that have it all.

The story: collect the pins of files, or all that their lock says they install; ask the service since when it knows each
of them; read the imports' own indices, verified, to prove where they are together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil, log2
from types import MappingProxyType
from typing import NamedTuple

from pinner.archive.distributions import PLATFORMS, suite_named
from pinner.archive.moments import UBUNTU, Moment, archive_of
from pinner.archive.sources import Source
from pinner.errors import FetchError, InputError, TrustError
from pinner.lockfile import Lock
from pinner.resolve.universe import Index
from pinner.workflow.archives import OWN_ARCHITECTURE, Archives
from pinner.workflow.coexist import Answer, Found, Item, Place, Search, Versions
from pinner.workflow.images import Named
from pinner.workflow.read import File
from pinner.workflow.snapshots import Runs
from pinner.workflow.stages import sources_of, without_snapshot

Load = Callable[[Sequence[Source]], Sequence[Index]]
FirstSeen = Callable[[str, str, str], Mapping[str, str]]  # name, version, architecture → archive → timestamp


class Wanted(NamedTuple):
    """Versions that must be there together: those that files take from one suite.

    `elsewhere` tells of items that may be from a repository of which there is no snapshot, as a clause.
    """

    where: Named
    items: tuple[Item, ...]
    elsewhere: Mapping[Item, str] = MappingProxyType({})

    def places(self) -> tuple[Place, ...]:
        """The pockets where they may be."""
        return tuple(
            Place(archive, source.suite, platform)
            for platform in dict.fromkeys(item.platform for item in self.items)
            for source in sources_of(self.where, PLATFORMS[platform])
            if (archive := archive_of(source.uri))
        )


class Result(NamedTuple):
    """The answer for one suite. `read` counts the indices that were read, of the place where they were most."""

    wanted: Wanted
    answer: Answer
    read: int
    moments: int


def pins(files: Iterable[File], archives: Archives) -> tuple[Wanted, ...]:
    """What the files themselves pin, by suite."""
    found: dict[object, Wanted] = {}
    for file in files:
        for call in file.calls():
            where = archives.named(call.base.where)
            if where is None:
                continue
            clause = call.unread or without_snapshot(call.base)
            items = {
                Item(request.name, request.pin, platform): clause
                for request in call.requests
                if request.action == "keep" and request.arch in OWN_ARCHITECTURE
                for platform in call.base.platforms
            }
            if not items:
                continue
            wanted = Wanted(where._replace(at=None), tuple(items))
            pockets = frozenset((place.archive, place.suite) for place in wanted.places())
            old = found.get((where.suite, pockets), wanted)
            elsewhere = items if clause else {}
            found[where.suite, pockets] = old._replace(
                items=tuple(dict.fromkeys((*old.items, *items))), elsewhere={**old.elsewhere, **elsewhere}
            )
    return tuple(found.values())


def locked(lock: Lock, paths: Iterable[str]) -> tuple[Wanted, ...]:
    """All that the files install by their lock, by suite. Raises `InputError` for a file that is not in the lock."""
    packages = {package.id: package for package in lock.packages}
    found: dict[Named, dict[Item, None]] = {}
    for path in paths:
        targets = [target for target in lock.targets if target.file == path]
        if not targets:
            raise InputError("the lock says nothing of this file", path=path, hint="run `pinner lock` first")
        for target in targets:
            suite = suite_named(target.suite)
            if suite is None:
                raise InputError(f"{target.suite} is not a suite that pinner knows", path=path)
            items = found.setdefault(Named(*suite), {})
            for each in target.packages:
                package = packages[each.id]
                items[Item(package.name, package.version, target.platform)] = None
    return tuple(Wanted(where, tuple(items)) for where, items in found.items() if items)


def budget(wanted: Sequence[Wanted], runs: Runs) -> int:
    """The most requests that the usual search takes, if nothing is known yet: one for each version, and for each place
    a Release and an index at each moment of a bisection."""
    count = 0
    for each in wanted:
        moments = sum(len(runs(place.archive)) for place in _one_each(each.places()))
        count += len({(item.name, item.version) for item in each.items})
        count += 2 * len(each.places()) * (2 + ceil(log2(max(moments, 1))))
    return count


def _one_each(places: Iterable[Place]) -> Iterator[Place]:
    return iter({place.archive: place for place in places}.values())


class Finder:
    """Searches through the service. `runs`, `first_seen` and `load` ask it; `progress` is told of each question."""

    def __init__(
        self, runs: Runs, first_seen: FirstSeen, load: Load, progress: Callable[[str], None]
    ) -> None:
        self._runs = runs
        self._first_seen = first_seen
        self._load = load
        self._progress = progress
        self.notes: dict[str, None] = {}

    def find(self, wanted: Wanted) -> Result:
        """The fewest moments for what is wanted. Raises FetchError, and Refused where it cannot be settled."""
        search = self._search(wanted)
        answer = search.run(wanted.items)
        return Result(wanted, answer, max(search.looked.values(), default=0), search.moments)

    def newest(self, wanted: Wanted) -> Found | None:
        """The latest moment that has all of what is wanted; None if there is none. Raises as `find`."""
        return self._search(wanted).newest(wanted.items)

    def span(self, where: Named, item: Item) -> tuple[Found, Found] | None:
        """A moment near the first, and the last one, that have a version. Raises as `find`."""
        search = self._search(Wanted(where, (item,)))
        answer = search.run((item,))
        last = search.newest((item,)) if answer.found else None
        return (answer.found[0], last) if last is not None else None

    def _search(self, wanted: Wanted) -> Search:
        places = wanted.places()
        if any(place.archive == UBUNTU for place in places):
            raise InputError(
                "snapshot.ubuntu.com has a snapshot of every second, and no list of what was when",
                hint="take the time at which the pins were made: pinner lock --snapshot",
            )
        seen: dict[Item, Mapping[str, str] | None] = {}
        for item in wanted.items:
            self._progress(f"{item.name} {item.version}")
            fixed = not item.version.endswith("*")
            known = self._first_seen(item.name, item.version, PLATFORMS[item.platform]) if fixed else {}
            seen[item] = known or None
        runs = {place.archive: self._runs(place.archive) for place in places}
        return Search(runs, places, seen, lambda place, stamp: self._look(wanted.where, place, stamp))

    def _look(self, where: Named, place: Place, stamp: str) -> Versions | None:
        """The versions in the index of an import, verified; None, and a note, if the import has none that is good."""
        self._progress(f"{place.suite} of {stamp}")
        then = where._replace(at=Moment(((place.archive, stamp),)))
        sources = [
            source for source in sources_of(then, PLATFORMS[place.platform]) if source.suite == place.suite
        ]
        try:
            indexes = self._load(sources)
        except FetchError as error:
            if error.status != 404:
                raise
            self.notes[f"passed over: {error.message}"] = None
            return None
        except TrustError as error:
            self.notes[f"passed over: {error.message}"] = None
            return None
        return lambda name: [package.version for index in indexes for package in index.packages(name)]
