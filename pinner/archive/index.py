"""An index: the store of a Packages file, looked up by name and by what is provided.

The order of first mention, and the versions of sources, are in files beside the store, made where they are needed:
most runs do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from zlib import crc32

from pinner.apt.packages import (
    Package,
    SourceVersion,
    beginnings,
    fault,
    fields,
    having,
    mentions,
    mentions_in_reading_order,
    package,
    providing,
    sources,
    stanza,
)
from pinner.apt.release import Release
from pinner.apt.sources import Source
from pinner.archive.cache import SCHEMA, Cache
from pinner.archive.store import HOW_MANY, PROVIDER, VERSION, checksum
from pinner.errors import CacheError, InputError
from pinner.resolve.lookups import Lookups

P = ParamSpec("P")
T = TypeVar("T")
_NOWHERE: tuple[list[int], list[int]] = ([], [])
_KEPT = 32  # pages of text in memory
_NAME_QUERY = "SELECT page, crc FROM name WHERE hash = ?"
_TEXT_QUERY = "SELECT page, crc FROM text WHERE number = ?"
_LOOKUPS = ".{}.lookups"  # beside the store
_NAMES_QUERY = "SELECT hash, page, crc FROM name WHERE hash >= 0"
_NEXT_QUERY = "SELECT number, page, crc FROM text WHERE number > ? ORDER BY number LIMIT 64"


class _Damaged(Exception):
    """The store is not what was written."""


class SqliteIndex:
    """One component of one source, for one architecture. Satisfies `resolve.universe.Index`.

    Packages are made when they are asked for, and remembered: by `keep_lookups` for later runs, too, but for those
    that `say` has to be told of. `rebuild` makes the store at `path` anew; it is
    called when the store turns out to be absent or damaged, now or later, and its errors reach the caller.
    `cache` keeps what was found in it beside it. `say` gets notes for people: which stanzas were passed over
    since a field of them is not what its grammar allows. `release.files` is empty.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: Source,
        component: str,
        release: Release,
        release_sha256: str,
        rebuild: Callable[[], None],
        cache: Cache,
        say: Callable[[str], None] = lambda note: None,
    ) -> None:
        self.source = source
        self.component = component
        self.release = release
        self.release_sha256 = release_sha256
        self._path = path
        self._rebuild = rebuild
        self._cache = cache
        self._say = say
        self._mentions: bytes | None = None  # not looked for yet; empty: not known to the end
        self._ranks: dict[bytes, int] = {}  # of first mentions, as far as the store was read for them
        self._next_rank = 0
        self._unread = self._all_text()
        self._by_source: dict[bytes, bytes] | None = None
        self._having: dict[str, list[tuple[str, str, str]]] = {}
        self._lookups = Lookups()
        self._answers: dict[str, tuple[Package, ...]] = {}  # of the look-ups, when they have been read
        self._connection: sqlite3.Connection | None = None
        self._packages: dict[tuple[int, int], Package | None] = {}
        self._hashes = 0  # not known yet
        self._names: dict[int, bytes] = {}  # pages of the table `name`
        self._entries: dict[str, tuple[list[int], list[int]]] = {}
        self._texts: dict[int, bytes] = {}  # pages of the table `text`

    def packages(self, name: str) -> tuple[Package, ...]:
        """All versions of `name`, in file order."""
        found = self._answers.get("v" + name)
        if found is None and (found := self._kept("v" + name)) is None:
            read = self._sound(self._versions_of, name)
            # where none begins with the name, it is that of the page's only stanza, or is another one when read in full
            found = tuple([each for each in read if each and each.name == name])
            self._lookups.add("v" + name, found, keep=None not in read)
        return found

    def texts(self, name: str) -> list[str]:
        """The stanzas of `name` as the file has them, in file order."""
        return self._sound(self._texts_of, name)

    def _texts_of(self, name: str) -> list[str]:
        numbers, _ = self._numbers(name)
        spelled = _encoded(name)
        return [
            stanza(text, start).decode("utf-8", "replace")
            for number in dict.fromkeys(numbers)
            for text in (self._text(number),)
            for start in beginnings(text, spelled, numbers.count(number))
        ]

    def providers(self, name: str) -> tuple[Package, ...]:
        """The packages with `name` in their Provides, in file order."""
        found = self._answers.get("p" + name)
        if found is None and (found := self._kept("p" + name)) is None:
            read, spelled = self._sound(self._providers_of, name), _encoded(name)
            found = tuple([each for each in read if each and spelled in mentions(each.provides.encode())])
            self._lookups.add("p" + name, found, keep=None not in read)
        return found

    def keep_lookups(self) -> None:
        """Keep what was looked up for later runs, if the cache can be written."""
        if text := self._lookups.text():
            with suppress(CacheError):
                self._cache.keep(self._path.with_suffix(_LOOKUPS.format(self.source.arch)), text)

    def _kept(self, question: str) -> tuple[Package, ...] | None:
        if not self._answers:
            path = self._path.with_suffix(_LOOKUPS.format(self.source.arch))
            self._lookups = Lookups(self._cache.kept(path))
            self._answers = self._lookups.answers
        return self._lookups.kept(question)

    def _versions_of(self, name: str) -> list[Package | None]:
        numbers, _ = self._numbers(name)
        spelled = _encoded(name)
        return [
            self._package(number, start)
            for number in dict.fromkeys(numbers)
            for start in beginnings(self._text(number), spelled, numbers.count(number))
        ]

    def _providers_of(self, name: str) -> list[Package | None]:
        _, numbers = self._numbers(name)
        spelled = _encoded(name)
        return [
            self._package(number, start)
            for number in numbers
            for start in providing(self._text(number), spelled)
        ]

    def names(self) -> Iterable[str]:
        """Every package name once, sorted."""
        pages = self._sound(self._pages, _NAMES_QUERY)
        versions = (line.partition(VERSION) for _, page in pages for line in page.split(b"\n"))
        return [
            name.decode("utf-8", "replace") for name in sorted({name for name, tab, _ in versions if tab})
        ]

    def order(self, name: str) -> int | None:
        """The rank of the first mention of `name` in apt's reading order, None if it is never mentioned.

        The store is read as far as the name needs: what people install is mentioned early. Where it was read to its
        end, the answer to all further questions is kept beside it.
        """
        if self._mentions is None:
            self._mentions = self._cache.kept(self._beside("mentions"))
        return self._sound(self._rank, _encoded(name))

    def _rank(self, name: bytes) -> int | None:
        while not self._mentions and name not in self._ranks:
            page = next(self._unread, None)
            for each in mentions_in_reading_order(page, self.source.arch) if page is not None else ():
                if each not in self._ranks:
                    self._ranks[each] = self._next_rank
                    self._next_rank += len(each) + 1
            if page is None:
                self._mentions = b"\n%b\n" % b"\n".join(self._ranks)
                self._keep_beside("mentions", self._mentions)
        if name in self._ranks:
            return self._ranks[name]
        # each name is between newlines, and its offset is its rank
        rank = (self._mentions or b"").find(b"\n%b\n" % name)
        return rank if rank >= 0 else None

    def source_versions(self, source: str) -> Iterable[SourceVersion]:
        """The versions of a source package whose binaries are in the index.

        The first question reads the whole store; the answer to all further ones is kept beside it.
        """
        if self._by_source is None:
            self._by_source = self._sound(self._sources)
        if not (versions := self._by_source.get(_encoded(source))):
            return ()
        lines = [line.partition(b" ") for line in versions.split(b"\t")]
        return [SourceVersion(text.decode("utf-8", "replace"), arch == b"all") for arch, _, text in lines]

    def having(self, field: str) -> Iterable[tuple[str, str, str]]:
        """Name, version and the field's value of each stanza that has this field.

        The first question reads the whole store; the answer to all further ones is kept beside it.
        """
        if field not in self._having:

            def found() -> bytes:
                rows = (row for page in self._all_text() for row in having(page, field.encode()))
                return b"\n".join(b"\t".join(row) for row in rows) or b"\n"

            text = self._sound(self._kept_beside, field.lower(), found).decode("utf-8", "replace")
            lines = (line.split("\t", 2) for line in text.split("\n") if line)
            self._having[field] = [(name, version, value) for name, version, value in lines]
        return self._having[field]

    def close(self) -> None:
        """Lets go of the file, until the next question; a store that is made anew may number its pages otherwise."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for known in (self._packages, self._names, self._entries, self._texts, self._ranks):
            known.clear()
        self._hashes = self._next_rank = 0
        self._unread = self._all_text()  # one that has failed seems to be at its end

    def __del__(self) -> None:
        self.close()

    def _numbers(self, name: str) -> tuple[list[int], list[int]]:
        """The numbers of the pages that have a version of the name, one for each, and of those that have a package
        which provides it."""
        found = self._entries.get(name)
        if found is None:
            if not self._hashes:
                self._hashes = int(self._page(_NAME_QUERY, HOW_MANY))
            line, crc = _hashed(name)
            hashed = crc % self._hashes
            page = self._names.get(hashed)
            if page is None:
                page = self._names[hashed] = self._page(_NAME_QUERY, hashed)
            found = _NOWHERE
            at = page.find(line)
            while at >= 0:
                at += len(line)
                kind, end = page[at : at + 1], page.find(b"\n", at)
                if kind in (VERSION, PROVIDER):  # not a longer name
                    found = found if found is not _NOWHERE else ([], [])
                    found[kind == PROVIDER].append(int(page[at + 1 : end]))
                at = page.find(line, end) if end >= 0 else -1
            self._entries[name] = found
        return found

    def _package(self, number: int, start: int) -> Package | None:
        """The package whose stanza is in that page, there; None for one without a version, or of another architecture.

        A flat source's file is that of all architectures.
        """
        key = (number, start)
        if key not in self._packages:
            try:
                found = fields(stanza(self._text(number), start))
            except InputError as error:
                raise InputError(f"{self.source.uri} {self.source.suite}: {error.message}") from None
            if found and (wrong := fault(found)):
                self._say(
                    f"{self.source.uri} {self.source.suite}: passed over {found[0].strip()} {found[2].strip()[:60]!r}, "
                    f"whose stanza has {wrong}"
                )
                found = None
            made = package(found) if found else None
            other = made and self.source.flat and made.architecture not in (self.source.arch, "all")
            self._packages[key] = None if other else made
        return self._packages[key]

    def _text(self, number: int) -> bytes:
        """A page of text. Those read last stay in memory: what belongs together is close."""
        if number not in self._texts:
            if len(self._texts) == _KEPT:
                self._texts.clear()
            self._texts[number] = self._page(_TEXT_QUERY, number)
        return self._texts[number]

    def _sources(self) -> dict[bytes, bytes]:
        """What `source_versions` tells, by source package: `all` or `any` and the version."""

        def found() -> bytes:
            known: dict[bytes, dict[bytes, None]] = {}
            for page in self._all_text():
                for source, line in sources(page):
                    known.setdefault(source, {})[line] = None
            return b"\n".join(b"\t".join([source, *lines]) for source, lines in known.items())

        lines = self._kept_beside("sources", found).split(b"\n")
        return {name: versions for name, _, versions in [line.partition(b"\t") for line in lines]}

    def _all_text(self) -> Iterator[bytes]:
        last = -1
        while some := self._pages(_NEXT_QUERY, last, least=0):
            last = some[-1][0]
            yield from (page for _, page in some)

    def _kept_beside(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What is kept in a file beside the store, which is made if it is not there."""
        if kept := self._cache.kept(self._beside(name)):
            return kept
        found = make()
        self._keep_beside(name, found)
        return found

    def _keep_beside(self, name: str, content: bytes) -> None:
        with suppress(CacheError):  # a cache that cannot be written costs time, no more
            self._cache.keep(self._beside(name), content)

    def _beside(self, name: str) -> Path:
        return self._path.with_suffix(f".{self.source.arch}.{name}")

    def _sound(self, answer: Callable[P, T], *asked: P.args, **more: P.kwargs) -> T:
        try:
            return answer(*asked, **more)
        except (sqlite3.Error, _Damaged):
            self.close()
            self._rebuild()
            return answer(*asked, **more)

    def _pages(self, query: str, *arguments: int, least: int = 1) -> list[tuple[int, bytes]]:
        rows = self._rows(query, *arguments)
        if len(rows) < least:
            raise _Damaged
        return [(key, _intact(key, page, crc)) for key, page, crc in rows]

    def _page(self, query: str, key: int) -> bytes:
        rows = self._rows(query, key)
        if not rows:
            raise _Damaged
        return _intact(key, *rows[0])

    def _rows(self, query: str, *arguments: int) -> list[Any]:
        if self._connection is None:
            # `immutable` spares the locks and the look for a journal; the garbage collector may close it anywhere
            uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            if self._connection.execute("SELECT schema FROM meta").fetchall() != [(SCHEMA,)]:
                raise _Damaged
        return self._connection.execute(query, arguments).fetchall()


def _intact(key: int, page: object, crc: int) -> bytes:
    if not isinstance(page, bytes) or checksum(key, page) != crc:
        raise _Damaged
    return page


@lru_cache(maxsize=1 << 15)
def _hashed(name: str) -> tuple[bytes, int]:
    """How a line of a page of names with this one begins, and the number that tells the page in every index."""
    spelled = _encoded(name)
    return b"\n" + spelled, crc32(spelled)


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
