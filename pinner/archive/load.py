"""The only door to the world: sources → indices, always in the order fetch, trust, parse, digest, unpack, index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from pinner.apt.release import FileEntry, Release
from pinner.apt.sources import Keys, Source
from pinner.archive import suites
from pinner.archive.network import Network, not_cached
from pinner.archive.suites import Getter, SuiteRelease, VerifiedRelease
from pinner.errors import FetchError, InputError, TrustError
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.archive.fetch import Fetcher
    from pinner.archive.index import SqliteIndex
    from pinner.archive.snapshot import Snapshots
    from pinner.resolve.universe import Index

T = TypeVar("T")

_RELEASES, _INDICES = 8, 2  # at a time: answers to wait for; builders
_LARGE = 4 << 20  # bytes
#: Bytes a second, from where on a .gz is there and unpacked before the smaller .xz, which takes three times as long.
_FAST = 20e6
_WORTH = 1 << 20  # bytes
_EARLY = 0.25  # of a file


class _Wanted(NamedTuple):
    suite: SuiteRelease
    release: Release
    source: Source
    component: str
    path: str
    plain: FileEntry

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.suite.name} {self.component} {self.source.arch}"


class Archive:
    """Archives as seen through one cache directory.

    Sources of a snapshot are read through what `snapshots` makes, once and for ever. `keyring` is a file whose keys
    stand in for those of every source, as a recorded archive has its own. `say` gets what is noticed only when an index
    is looked at. `stand_in` may give what an index is replaced by: of a source, component, Release and the digest of
    its InRelease; unless `instead`, one that is not in the cache.
    """

    def __init__(
        self,
        network: Network,
        *,
        snapshots: Callable[[], Snapshots] | None = None,
        keyring: Path | None = None,
        say: Callable[[str], None] = lambda note: None,
        stand_in: Callable[[Source, str, Release, str], Index | None] = lambda *_: None,
        instead: bool = False,
    ) -> None:
        self._stand_in = stand_in
        self._instead = instead
        self._network = network
        self._cache = network.cache
        self._now = network.now
        self._offline = network.offline
        self._make_snapshots = snapshots
        self._snapshots: Snapshots | None = None
        self._keyring = keyring
        self._say = say
        self._indices: list[SqliteIndex] = []

    @cached_property
    def _fetcher(self) -> Fetcher:
        from pinner.archive.fetch import Fetcher

        return Fetcher(self._network)

    def load(self, sources: Sequence[Source]) -> tuple[tuple[Index, ...], tuple[str, ...]]:
        """The indices in the order of sources and components, and notes for people.

        A suite that does not offer a source's architecture gives no index but a note. A Release in the cache is
        used as it is within `max_age`; after that a network that fails is an error, so that nothing is stale
        without a word. Raises FetchError, TrustError and InputError (the cache, a component that does not exist).
        """
        try:
            return self._load(sources)
        finally:
            self._close()

    def release(self, source: Source) -> Release:
        """The Release of `source`, whose codename tells what an alias like `stable` means today.

        Raises as `load` does.
        """
        suite = self._suite(source)
        before = {suite: suites.read(self._cache, suite)}
        try:
            held, _ = self._cached(before) if self._offline else self._asked(before)
        finally:
            self._close()
        if held[suite] != before[suite]:
            suites.keep(self._cache, suite, held[suite])
        return held[suite].release

    def _load(self, sources: Sequence[Source]) -> tuple[tuple[Index, ...], tuple[str, ...]]:
        by_source = {source: self._suite(source) for source in sources}
        before = {suite: suites.read(self._cache, suite) for suite in dict.fromkeys(by_source.values())}
        held, notes = self._cached(before) if self._offline else self._asked(before)
        notes += [
            f"{suite.name} of {suite.snapshot}: the keys that signed it have expired since; they were valid on the "
            f"date that it gives, {one.release.date:%Y-%m-%d}"
            for suite, one in held.items()
            if one.lapsed
        ]
        wanted = []
        for source, suite in by_source.items():
            found = list(_wanted(source, suite, held[suite].release))
            if not found:
                notes.append(f"{suite.name} does not serve {source.arch}")
            wanted += found
        standing = [self._standing_in(one, held[one.suite]) for one in wanted]
        self._build_missing([one for one, other in zip(wanted, standing, strict=True) if other is None])
        for suite, now_held in held.items():
            if now_held != before[suite]:
                suites.keep(self._cache, suite, now_held)
                self._drop_superseded(before[suite], now_held)
        if self._snapshots is not None:
            notes += self._snapshots.notes
        indices = tuple(
            other or self._index(one, held[one.suite]) for one, other in zip(wanted, standing, strict=True)
        )
        return indices, tuple(dict.fromkeys(notes))

    def _standing_in(self, one: _Wanted, held: VerifiedRelease) -> Index | None:
        if not self._instead and self._cache.index(one.plain.digest).exists():
            return None
        return self._stand_in(one.source, one.component, held.release, held.sha256)

    def _cached(
        self, before: Mapping[SuiteRelease, VerifiedRelease | None]
    ) -> tuple[dict[SuiteRelease, VerifiedRelease], list[str]]:
        held, notes = {}, []
        for suite, one in before.items():
            if one is None:
                raise not_cached(suite.url("InRelease"))
            held[suite] = one
            if suite.snapshot:
                continue
            expired = one.release.valid_until is not None and one.release.valid_until < self._now
            notes.append(
                f"{suite.name}: as of {one.checked:%Y-%m-%d %H:%M} UTC, {_age(self._now - one.checked)} ago"
                + (f"; its Release expired on {one.release.valid_until:%Y-%m-%d}" if expired else "")
            )
        return held, notes

    def _asked(
        self, before: Mapping[SuiteRelease, VerifiedRelease | None]
    ) -> tuple[dict[SuiteRelease, VerifiedRelease], list[str]]:
        held = {suite: one for suite, one in before.items() if one is not None and self._is_fresh(suite, one)}
        missing = [suite for suite in before if suite not in held]
        answers = self._run([partial(self._ask, suite, before[suite]) for suite in missing], _RELEASES)
        held.update((suite, answer) for suite, (answer, _) in zip(missing, answers, strict=True))
        told = [suites.check_valid(suite, one.release, self._now) for suite, one in held.items()]
        return held, [note for note in (*(note for _, note in answers), *told) if note]

    def _run(self, jobs: Sequence[Callable[[], T]], most: int) -> Sequence[T]:
        """What the jobs give, of which that many run at a time."""
        if not jobs:
            return []
        from pinner.archive import parallel

        _ = self._fetcher  # made before there are threads
        return parallel.run(jobs, most)

    def _ask(self, suite: SuiteRelease, before: VerifiedRelease | None) -> tuple[VerifiedRelease, str]:
        return self._fetched(suite, lambda getter: suites.ask(getter, suite, before, self._now))

    def _suite(self, source: Source) -> SuiteRelease:
        if source.snapshot and self._snapshots is None:  # before there are threads
            assert self._make_snapshots is not None
            self._snapshots = self._make_snapshots()
        keys = source.signed_by if self._keyring is None else Keys(str(self._keyring))
        return SuiteRelease(
            *(source.uri, source.suite, keys, source.check_valid_until, source.snapshot, source.stand_ins),
            *(source.valid_for, source.check_date),
        )

    def _fetched(self, suite: SuiteRelease, attempt: Callable[[Getter], T]) -> T:
        """What an attempt gives that fetches and verifies files of a suite; snapshots have mirrors to try in turn."""
        if not suite.snapshot:
            return attempt(StandIns(self._fetcher, suite) if suite.stand_ins else self._fetcher)
        assert self._snapshots is not None
        return self._snapshots.first(attempt)

    def _close(self) -> None:
        if "_fetcher" in self.__dict__:
            self._fetcher.close()
        if self._snapshots is not None:
            self._snapshots.close()

    def _is_fresh(self, suite: SuiteRelease, held: VerifiedRelease) -> bool:
        if suite.snapshot and not suite.check_valid_until:
            return True
        if not suite.snapshot and not self._network.is_recent(held.checked):
            return False
        try:
            suites.check_valid(suite, held.release, self._now)
        except TrustError:
            return False
        return True

    def _build_missing(self, wanted: Sequence[_Wanted]) -> None:
        by_digest = {one.plain.digest: one for one in wanted}
        missing = {key: one for key, one in by_digest.items() if not self._cache.index(key).exists()}
        largest_first = sorted(missing.values(), key=lambda one: -one.plain.size)
        # A large one keeps two processors busy: to build two of them at a time takes longer, and more memory.
        large = [one for one in largest_first if one.plain.size > _LARGE]
        groups = [large, *([one] for one in largest_first[len(large) :])]
        self._run([partial(self._build, group) for group in groups if group], _INDICES)

    def _build(self, wanted: Sequence[_Wanted]) -> None:
        for one in wanted:
            self._build_one(one)

    def _build_one(self, one: _Wanted) -> None:
        if self._offline:
            raise not_cached(one.suite.url(one.path))
        from pinner.archive.arriving import Faster, StartedAnew
        from pinner.archive.unpack import unpack

        while (arriving := self._arriving(one)) is not None:
            try:
                self._store(one, arriving)
                return
            except Faster as found:  # the next form is another
                self._fetcher.rate = found.rate
            except (StartedAnew, FetchError, TrustError):  # fetched as a whole it says why
                break
        packed, extension, url = self._fetched(one.suite, partial(self._packed, one))
        chunks = unpack(packed, extension, one.plain, url=url)
        del packed  # it is let go of after the last chunk
        self._store(one, chunks)

    def _store(self, one: _Wanted, chunks: Iterator[bytes]) -> None:
        """Makes the store of a Packages file; it is there only if all of the file was what the Release says."""
        from pinner.archive.store import build

        with self._cache.new(self._cache.index(one.plain.digest)) as draft:
            try:
                build(chunks, one.plain.digest, draft)
            except InputError as error:
                raise InputError(f"{one.suite.url(one.path)}: {error.message}", hint=_MALFORMED) from None

    def _arriving(self, one: _Wanted) -> Iterator[bytes] | None:
        """The content of the file, unpacked while it arrives: on a fast link the form that takes the least time to
        unpack, else the smallest. None for a little file, or one that is offered otherwise. Ends in `Faster` where the
        link shows only now that it is a fast one, in an error if it is not what the Release says."""
        from pinner.archive.arriving import Arriving, Faster
        from pinner.archive.unpack import unpack

        extension = ".gz" if self._fetcher.rate >= _FAST else ".xz"
        entry = one.release.files.get(one.path + extension)
        if entry is None or entry.size < _WORTH or one.suite.snapshot or one.suite.stand_ins:
            return None
        place = one.path + extension
        place = _by_hash(place, entry) if one.release.acquire_by_hash else place
        url, body = one.suite.url(place), Arriving(entry)
        if self._fetcher.address(url).startswith("file:"):
            return None

        quicker = extension == ".xz" and one.path + ".gz" in one.release.files
        report, begun = self._network.reporter(one.label, entry.size), monotonic()

        def progress(size: int) -> None:
            rate = size / (monotonic() - begun)
            if quicker and rate >= _FAST and _WORTH / 2 <= size <= entry.size * _EARLY:
                raise Faster(rate)
            if report:
                report(size)

        def fetch() -> None:
            self._fetcher.save(url, body, limit=entry.size, progress=progress)

        threading.Thread(target=body.fetched, args=(fetch,), daemon=True).start()
        return unpack(body.pieces(), extension, one.plain, url=url)

    def _packed(self, one: _Wanted, getter: Getter) -> tuple[bytearray, str, str]:
        """The smallest packed form that the Release lists and the mirror has, verified; its extension and URL."""
        from pinner.archive import trust
        from pinner.archive.unpack import EXTENSIONS

        files = one.release.files
        names = {extension: one.path + extension for extension in EXTENSIONS}
        listed = {extension: files[name] for extension, name in names.items() if name in files}
        hashed = one.release.acquire_by_hash and not one.suite.snapshot
        absent: FetchError | None = None
        # The plain form comes last: Debian lists it but does not have it.
        for extension, entry in sorted(listed.items(), key=lambda item: (item[0] == "", item[1].size)):
            path = names[extension]
            for place in (_by_hash(path, entry), path) if hashed else (path,):
                url = one.suite.url(place)
                try:
                    progress = self._network.reporter(one.label, entry.size)
                    packed = getter.get(url, limit=entry.size, progress=progress)
                except FetchError as error:
                    if error.status != 404:
                        raise
                    absent = error
                else:
                    trust.check(packed, entry, url=url)
                    return packed, extension, url
        assert absent is not None  # the plain form at least is listed
        raise absent

    def _drop_superseded(self, before: VerifiedRelease | None, after: VerifiedRelease) -> None:
        """Removes the indices that only the Release before named: one that changes daily would fill the disk."""
        if before is None:
            return
        current = {entry.digest for entry in after.release.files.values()}
        for path, entry in before.release.files.items():
            if path.rpartition("/")[2] in ("Packages", "Sources") and entry.digest not in current:
                self._cache.drop(entry.digest)

    def _index(self, one: _Wanted, held: VerifiedRelease) -> SqliteIndex:
        from pinner.archive.index import SqliteIndex

        made = SqliteIndex(
            self._cache.index(one.plain.digest),
            source=one.source,
            component=one.component,
            release=held.release._replace(files={}),
            release_sha256=held.sha256,
            rebuild=partial(self._rebuild, one),
            cache=self._cache,
            say=self._say,
        )
        self._indices.append(made)
        return made

    def keep_lookups(self) -> None:
        """Keep what the indices were asked for, which makes later runs faster."""
        for index in self._indices:
            index.keep_lookups()

    def _rebuild(self, one: _Wanted) -> None:
        try:
            self._build_one(one)
        finally:
            self._close()


def _by_hash(path: str, entry: FileEntry) -> str:
    from pinner.apt.digest import algorithm

    return f"{path[: path.rfind('/') + 1]}by-hash/{algorithm(entry.digest).upper()}/{entry.digest}"


class StandIns:
    """A suite's files by their official URLs, from the other addresses where the first does not have or give them."""

    def __init__(self, fetcher: Fetcher, suite: SuiteRelease) -> None:
        self._fetcher = fetcher
        self._suite = suite

    def get(
        self, url: str, *, limit: int, revalidate: bool = False, progress: Callable[[int], None] | None = None
    ) -> bytearray:
        """The body, as `Fetcher.get` gives it. Raises the FetchError of the first address."""
        try:
            return self._fetcher.get(url, limit=limit, revalidate=revalidate, progress=progress)
        except FetchError as error:
            if error.status not in (0, 404):
                raise
            for other in self._suite.stand_ins:
                place = other + url.removeprefix(self._suite.uri)
                with suppress(FetchError):
                    return self._fetcher.get(place, limit=limit, revalidate=revalidate, progress=progress)
            raise


_MALFORMED = "apt would refuse this index too: report it to the archive's maintainers"


def _wanted(source: Source, suite: SuiteRelease, release: Release) -> Iterator[_Wanted]:
    """The Packages files of a source: one for each component, and that of architecture `all` where it is apart; or its
    Sources files, which are read for the architecture `source`.

    A flat source has one for all architectures. Like apt this passes over one whose plain form the Release does not
    list, even if it lists a packed form.
    """
    sources = source.arch == "source"
    name = "Sources" if sources else "Packages"
    if source.flat and name in release.files:
        yield _Wanted(suite, release, source, "", name, release.files[name])
    for component in source.components:
        if release.components and component not in release.components:
            hint = f"it has {', '.join(release.components)}"
            raise InputError(f"{suite.name} at {suite.uri} has no component {component}", hint=hint)
        for arch in (source.arch, "all") if release.all_apart and not sources else (source.arch,):
            path = f"{component}/{arch if sources else f'binary-{arch}'}/{name}"
            if path in release.files:
                yield _Wanted(suite, release, source, component, path, release.files[path])


def _age(age: timedelta) -> str:
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(age.total_seconds()) // seconds
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
