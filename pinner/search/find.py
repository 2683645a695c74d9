"""`pinner snapshot find`: what must be there, where it may be, and the search for the moments that have it all.

The story: collect the pins of files, or all that their lock says they install; ask since when each of them was there;
read the imports' own indices, verified, to prove where they are together.

Indices alone are believed. What the service saw first is a lower bound, what metasnap claims a moment to look at first.
It gives the newest moment, since a file can read one only; where no moment has all it lists several to show what cannot
be together, and does not prove that they are the fewest. Ubuntu's snapshots, one for each second, are looked at every
six hours.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import ceil, log2
from types import MappingProxyType

from pinner.apt.sources import Source
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.moments import UBUNTU, Moment, archive_of
from pinner.distributions.suite import Suite
from pinner.errors import FetchError, InputError, TrustError
from pinner.lock.schema import Lock, Target
from pinner.resolve.universe import Index
from pinner.search.claims import Claim, hints
from pinner.search.coexist import Coexistence, FoundMoment, MomentSearch
from pinner.search.windows import ArchiveSuite, FirstSeen, Versions, WantedVersion, Windows
from pinner.stages.archives import Archives
from pinner.stages.image_names import Named
from pinner.stages.install_commands import OWN_ARCHITECTURE, File
from pinner.stages.sources import at_moment, sources_of, without_snapshot
from pinner.values import NamedTuple
from pinner.workflow.export import as_locked, is_own, whole
from pinner.workflow.snapshots import Runs

LoadAt = Callable[[Sequence[Source]], Sequence[Index]]
# Name, version, architecture → archive → timestamp.
AskFirstSeen = Callable[[str, str, str], Mapping[str, str]]
# Archive, architecture, versions by name.
Claims = Callable[[str, str, Sequence[tuple[str, str]]], Sequence[Claim]]


class Wanted(NamedTuple):
    """Versions of a suite that must be there together, and the sources, by platform, where they may be.

    `elsewhere` tells of items that may be from a repository of which there is no snapshot, as a clause.
    """

    suite: Suite
    sources: Mapping[str, tuple[Source, ...]]
    items: tuple[WantedVersion, ...]
    elsewhere: Mapping[WantedVersion, str] = MappingProxyType({})

    def places(self) -> dict[ArchiveSuite, tuple[Source, ...]]:
        """The pockets where they may be, each with its sources."""
        found: dict[ArchiveSuite, tuple[Source, ...]] = {}
        for platform in dict.fromkeys(item.platform for item in self.items):
            for source in self.sources[platform]:
                archive = archive_of(source.uri)
                if archive:
                    place = ArchiveSuite(archive, source.suite, platform)
                    found[place] = (*found.get(place, ()), source)
        return found

    @property
    def name(self) -> str:
        """The suite, and the pockets that are read beside its own, for people."""
        own = {pocket.suite for pocket in self.suite.pockets}
        others = dict.fromkeys(place.suite for place in self.places() if place.suite not in own)
        return f"{self.suite.codename} with {', '.join(others)}" if others else self.suite.codename


class SearchResult(NamedTuple):
    """The answer for one suite. `read` counts the indices that were read, of the place where they were most."""

    wanted: Wanted
    answer: Coexistence
    read: int
    moments: int

    @property
    def newest(self) -> FoundMoment | None:
        """The moment that has all of what is wanted, but for what may be from elsewhere; None if there is none."""
        found, never = self.answer
        return found[0] if len(found) == 1 and self.wanted.elsewhere.keys() >= set(never) else None


def wanted_of(where: Named, items: Iterable[WantedVersion]) -> Wanted:
    """Items wanted from a suite."""
    items = tuple(dict.fromkeys(items))
    live = where._replace(at=None)
    platforms = dict.fromkeys(item.platform for item in items)
    return Wanted(where.suite, {name: sources_of(live, PLATFORMS[name]) for name in platforms}, items)


def pins(files: Iterable[File], archives: Archives) -> tuple[Wanted, ...]:
    """What the files themselves pin, by suite and what is read beside it."""
    found: dict[object, Wanted] = {}
    for file in files:
        for call in file.calls():
            where = archives.named(call.base.where)
            if where is None:
                continue
            items = [
                WantedVersion(request.name, request.pin, platform)
                for request in call.requests
                if request.action == "keep" and request.arch in OWN_ARCHITECTURE
                for platform in call.base.platforms
            ]
            new = wanted_of(where, items)
            places = new.places()
            key = where.suite, frozenset((place.archive, place.suite) for place in places)
            old = found.get(key, new)
            clause = call.unread or without_snapshot(call.base)
            found[key] = Wanted(
                where.suite,
                {
                    name: tuple(dict.fromkeys((*old.sources.get(name, ()), *new.sources.get(name, ()))))
                    for name in {**old.sources, **new.sources}
                },
                tuple(dict.fromkeys((*old.items, *items))),
                {**old.elsewhere, **dict.fromkeys(items if clause else (), clause)},
            )
    return tuple(each for each in found.values() if each.items)


def locked(lock: Lock, paths: Iterable[str]) -> tuple[Wanted, ...]:
    """All that the files install by their lock, by suite. Raises `InputError` for a file that is not in the lock."""
    packages = lock.by_id
    by_suite: dict[str, list[Target]] = {}
    for path in paths:
        targets = lock.of(path)
        if not targets:
            raise InputError("the lock has no entry for this file", path=path, hint="run `pinner lock` first")
        for target in targets:
            whole(lock, target)
            by_suite.setdefault(target.closure.suite, []).append(target)
    found = []
    for codename, group in by_suite.items():
        held = {
            WantedVersion(package.name, package.version, target.platform): package
            for target in group
            for package in (packages[each.id] for each in target.closure.members)
        }
        elsewhere = {
            item: f"it was locked from {package.uri}, which has no snapshot"
            for item, package in held.items()
            if not is_own(package, codename)
        }
        wanted = wanted_of(as_locked(lock, group), held)
        found.append(wanted._replace(elsewhere=elsewhere))
    return tuple(each for each in found if each.items)


def budget(wanted: Sequence[Wanted], runs: Runs, *, claimed: bool = False) -> int:
    """The most requests that the usual search takes, if nothing is known yet: one for each version, and for each place
    a Release and its indices at each moment of two bisections; with claims, two for each archive and architecture."""
    count = 0
    for each in wanted:
        places = each.places()
        moments = sum(
            len(_lived(runs(archive), each.suite)) for archive in {place.archive for place in places}
        )
        if any(place.archive != UBUNTU for place in places):
            count += len({(item.name, item.version) for item in each.items})
        files = sum(1 + sum(len(source.components) for source in sources) for sources in places.values())
        count += files * 2 * (2 + ceil(log2(max(moments, 1))))
        count += 2 * len({(place.archive, place.platform) for place in places}) if claimed else 0
    return count


def _lived(stamps: Sequence[str], suite: Suite) -> Sequence[str]:
    """Of the timestamps of Ubuntu's snapshots, which are at any time, those at which a suite was in the archive."""
    year, _, month = suite.version.partition(".")
    if suite.signed_by.keyring != "ubuntu-archive-keyring":
        return stamps
    begin = f"20{year}{month}01T000000Z"
    end = suite.end.strftime("%Y%m%dT000000Z") if suite.laid_up and suite.end else "9"
    return tuple(stamp for stamp in stamps if begin <= stamp <= end)


class Finder:
    """Searches through the service. `runs`, `first_seen` and `load` ask it; `progress` gets each question.

    `claims` tells from when to when versions were in suites, and is believed in nothing but what to look at first.
    """

    def __init__(
        self,
        runs: Runs,
        first_seen: AskFirstSeen,
        load: LoadAt,
        progress: Callable[[str], None],
        claims: Claims | None = None,
    ) -> None:
        self._runs = runs
        self._first_seen = first_seen
        self._load = load
        self._progress = progress
        self._claims = claims
        self.notes: dict[str, None] = {}

    def find(self, wanted: Wanted) -> SearchResult:
        """The newest moment for what is wanted, or several.

        Raises FetchError, and Refused where it cannot be settled.
        """
        places = wanted.places()
        claims = self._claimed(wanted, places)
        search = self._search(wanted, claims)
        answer = search.run(wanted.items)
        if any(search.denies(claim.item, stamp) for claim in claims for stamp in (claim.begin, claim.end)):
            self.notes["metasnap is wrong about some of these versions: the indices count"] = None
        return SearchResult(wanted, answer, max(search.looked.values(), default=0), search.moments)

    def spans(self, wanted: Wanted) -> dict[WantedVersion, tuple[FoundMoment, FoundMoment] | None]:
        """For each item the first and the last moment that have it. Raises as `find`."""
        search = self._search(wanted)
        return {item: search.span((item,)) for item in wanted.items}

    def _search(self, wanted: Wanted, claims: Sequence[Claim] = ()) -> MomentSearch:
        places = wanted.places()
        runs = {place.archive: _lived(self._runs(place.archive), wanted.suite) for place in places}
        if UBUNTU in runs:
            runs[UBUNTU] = self._kept(places, runs[UBUNTU])
        first_seen: FirstSeen = self._seen if UBUNTU not in runs else lambda item: None
        look = partial(self._look, places, frozenset(item.name for item in wanted.items))
        return MomentSearch(Windows(runs, places, wanted.items, first_seen, look), hints(claims, runs))

    def _kept(self, places: Mapping[ArchiveSuite, Sequence[Source]], stamps: Sequence[str]) -> Sequence[str]:
        """Of the timestamps of an archive those that it still keeps: all from some time on. Raises as `find`."""
        place = next(iter(places))

        def has(number: int) -> bool:
            try:
                self._index(places, (), place, stamps[number])
            except FetchError as error:
                if error.status != 404:
                    raise
                return False
            return True

        if has(0):
            return stamps
        if not has(len(stamps) - 1):
            raise FetchError(
                f"there is no snapshot of {place.suite} at {stamps[-1]}",
                url="",
                status=404,
                hint="does the suite exist at that time? Old ones move to old-releases.ubuntu.com",
            )
        return stamps[bisect_left(range(len(stamps)), True, key=has) :]

    def _seen(self, item: WantedVersion) -> Mapping[str, str] | None:
        """When each archive had an item first; None if the service cannot tell."""
        if item.version.endswith("*"):
            return None
        self._progress(f"{item.name} {item.version}")
        return self._first_seen(item.name, item.version, PLATFORMS[item.platform]) or None

    def _claimed(self, wanted: Wanted, places: Iterable[ArchiveSuite]) -> Sequence[Claim]:
        """What is claimed of the items; nothing, and a note, if that cannot be had."""
        found: list[Claim] = []
        if self._claims is None:
            return found
        for archive, platform in dict.fromkeys((place.archive, place.platform) for place in places):
            versions = [
                (item.name, item.version)
                for item in wanted.items
                if item.platform == platform and not item.version.endswith("*")
            ]
            self._progress(f"{len(versions)} versions in {archive}")
            try:
                claims = self._claims(archive, platform, versions) if archive != UBUNTU and versions else ()
            except (FetchError, TrustError) as error:
                self.notes[f"searched without metasnap: {error.message}"] = None
                return ()
            suites = {
                place.suite for place in places if (place.archive, place.platform) == (archive, platform)
            }
            found += (claim for claim in claims if claim.suite in suites)
        return found

    def _look(
        self,
        places: Mapping[ArchiveSuite, Sequence[Source]],
        names: Iterable[str],
        place: ArchiveSuite,
        stamp: str,
    ) -> Versions | None:
        """The versions in the index of an import, verified; None, and a note, if the import has none that is good."""
        try:
            return self._index(places, names, place, stamp)
        except FetchError as error:
            if error.status != 404:
                raise
            problem = error.message
        except TrustError as error:
            problem = error.message
        self.notes[f"passed over: {problem}"] = None
        return None

    def _index(
        self,
        places: Mapping[ArchiveSuite, Sequence[Source]],
        names: Iterable[str],
        place: ArchiveSuite,
        stamp: str,
    ) -> Versions:
        """The versions of names in the index of an import, verified. No index stays open: there may be hundreds."""
        self._progress(f"{place.suite} of {stamp}")
        moment = Moment(((place.archive, stamp),))
        then = (at_moment(source, moment) for source in places[place])
        indexes = self._load([source for source in then if source is not None])
        held = {name: [each.version for index in indexes for each in index.packages(name)] for name in names}
        return lambda name: held[name]
