"""The index store: verified Packages bytes → one SQLite file, looked up by name and by what is provided.

A store is written once, under another name, and renamed when it is complete; from then on it never changes, so that
any number of processes can read it while others build theirs. It has the text of the Packages file as it is: what
would make it smaller costs more time than the half of it that nobody asks for. A row for each of 60,000 stanzas and
100,000 names would double the time of building, so a row is a page:

    text    the text of some 20 stanzas, in file order
    name    names that share a hash, each with the numbers of the pages of text that have a version of it, or a package
            that provides it; the more names, the more hashes
    meta    schema and digest of the Packages file; written last: a torn file has none

Each page has its CRC, since SQLite does not notice a change inside of its values. The order of first mention is in a
file of its own (`_first_mentions`), made when it is first needed: most runs do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import ParamSpec, TypeVar
from zlib import crc32

from pinner.archive.packages import (
    Package,
    Page,
    beginnings,
    fields,
    mentions,
    mentions_in_reading_order,
    package,
    pages,
    providing,
    stanza,
)
from pinner.archive.release import Release
from pinner.archive.sources import Source
from pinner.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")

SCHEMA = 3
_TEXT, _NAMES = 16_250, 8_000  # bytes to a page; such a text fills one of SQLite's
_MOST_HASHES = 512
_KEPT = 256  # pages of text in memory
_HOW_MANY = -1  # the key of the page that tells the number of hashes
_VERSION, _PROVIDER = b"\t", b"="
_NAME_QUERY = "SELECT hash, page, crc FROM name WHERE hash = ?"
_TEXT_QUERY = "SELECT number, page, crc FROM text WHERE number = ?"
_NEXT_QUERY = "SELECT number, page, crc FROM text WHERE number > ? ORDER BY number LIMIT 64"
_TABLES = """
    PRAGMA page_size = 16384;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TABLE text (number INTEGER PRIMARY KEY, page BLOB, crc INTEGER);
    CREATE TABLE name (hash INTEGER PRIMARY KEY, page BLOB, crc INTEGER);
"""


# Whole stanzas, after a blank line each, with their pages; or a fragment, without.
Piece = tuple[bytes | memoryview, list[Page] | None]


def cut(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Chunks of a Packages file that end anywhere, in pieces. Raises InputError for what is no stanza."""
    for chunk in chunks:
        view, start, end = memoryview(chunk), chunk.find(_BORDER), chunk.rfind(_BORDER)
        if start < 0:
            yield view, None
            continue
        yield view[:start], None
        if start < end:
            yield view[start:end], _paged(chunk, start, end)
        yield view[end:], None


_BORDER = b"\n\n"


def _paged(text: bytes, begin: int, end: int) -> list[Page]:
    """The pages, whose offsets count from `begin`."""
    found = pages(text, begin, end, _TEXT)
    return [page._replace(begin=page.begin - begin, end=page.end - begin) for page in found]


def build(pieces: Iterable[Piece], digest: str, path: Path) -> None:
    """Writes the store of the Packages file that `pieces` make up, in one pass, to `path`, which must not exist.

    `digest` is the file's SHA-256. The caller verifies the text, to its end, before anybody sees `path`. Raises
    InputError for a file that is no Packages file, sqlite3.Error for the disk's faults.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(_TABLES)
        names = [bytearray() for _ in range(_MOST_HASHES)]
        connection.executemany("INSERT INTO text VALUES (?, ?, ?)", _text_pages(_joined(pieces), names))
        connection.executemany("INSERT INTO name VALUES (?, ?, ?)", _name_pages(names))
        connection.execute("CREATE TABLE meta (schema INTEGER, digest TEXT)")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (SCHEMA, digest))
        connection.execute("COMMIT")
    finally:
        connection.close()


def _joined(pieces: Iterable[Piece]) -> Iterator[tuple[bytes | memoryview, list[Page]]]:
    """All stanzas, whole: those whose fragments follow one another are put together."""
    fragments: list[bytes | memoryview] = [_BORDER]
    for text, found in pieces:
        if found is None:
            fragments.append(text)
            continue
        yield from _together(fragments)
        fragments = []
        yield text, found
    yield from _together(fragments)


def _together(fragments: list[bytes | memoryview]) -> Iterator[tuple[bytes | memoryview, list[Page]]]:
    if text := b"".join(fragments).rstrip(b"\r\n"):
        yield text, _paged(text, 0, len(text))


def _text_pages(
    pieces: Iterable[tuple[bytes | memoryview, list[Page]]], names: list[bytearray]
) -> Iterator[tuple[int, memoryview, int]]:
    """Rows of the table `text`; fills `names` on the way, by their hashes.

    A line of these is a name, what is in a page for it, and the page's number.
    """
    number = 0
    for text, found in pieces:
        for page in found:
            version, provider = b"%b%d\n" % (_VERSION, number), b"%b%d\n" % (_PROVIDER, number)
            for name in page.names:
                names[crc32(name) % _MOST_HASHES] += name + version
            for name in page.provided:
                names[crc32(name) % _MOST_HASHES] += name + provider
            content = memoryview(text)[page.begin : page.end]
            yield number, content, _checksum(number, content)
            number += 1


def _name_pages(names: list[bytearray]) -> Iterator[tuple[int, bytes, int]]:
    """Rows of the table `name`."""
    hashes = 1
    while hashes < _MOST_HASHES and hashes * _NAMES < sum(map(len, names)):
        hashes *= 2
    pages = {number: b"\n" + b"".join(names[number::hashes]) for number in range(hashes)}
    pages[_HOW_MANY] = b"%d" % hashes
    return ((number, page, _checksum(number, page)) for number, page in pages.items())


def _checksum(key: int, page: bytes | bytearray | memoryview) -> int:
    return crc32(page, key & 0xFFFFFFFF)


class _Damaged(Exception):
    """The store is not what was written."""


class SqliteIndex:
    """One component of one source, for one architecture. Satisfies `resolve.universe.Index`.

    Packages are made when they are asked for, and remembered. `rebuild` makes the store at `path` anew; it is
    called when the store turns out to be absent or damaged, now or later, and its errors reach the caller.
    `keep` writes a file beside it. `release.files` is empty.
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
        keep: Callable[[Path, bytes], None],
    ) -> None:
        self.source = source
        self.component = component
        self.release = release
        self.release_sha256 = release_sha256
        self._path = path
        self._rebuild = rebuild
        self._keep = keep
        self._mentions: bytes | None = None
        self._connection: sqlite3.Connection | None = None
        self._packages: dict[tuple[int, int], Package | None] = {}
        self._hashes = 0  # not known yet
        self._names: dict[int, bytes] = {}  # pages of the table `name`
        self._entries: dict[str, tuple[list[int], list[int]]] = {}
        self._texts: dict[int, bytes] = {}  # pages of the table `text`

    def packages(self, name: str) -> tuple[Package, ...]:
        """All versions of `name`, in file order."""
        return self._sound(self._versions_of, name)

    def providers(self, name: str) -> tuple[Package, ...]:
        """The packages with `name` in their Provides, in file order."""
        return self._sound(self._providers_of, name)

    def _versions_of(self, name: str) -> tuple[Package, ...]:
        numbers, _ = self._numbers(name)
        if not numbers:
            return ()
        spelled = _encoded(name)
        found = [
            self._package(number, start)
            for number in dict.fromkeys(numbers)
            for start in beginnings(self._text(number), spelled, numbers.count(number))
        ]
        # where none begins with the name, it is that of the page's only stanza, or is read otherwise when read in full
        return tuple([package for package in found if package and package.name == name])

    def _providers_of(self, name: str) -> tuple[Package, ...]:
        _, numbers = self._numbers(name)
        if not numbers:
            return ()
        spelled = _encoded(name)
        found = [
            self._package(number, start)
            for number in numbers
            for start in providing(self._text(number), spelled)
        ]
        return tuple(
            [package for package in found if package and spelled in mentions(package.provides.encode())]
        )

    def names(self) -> Iterable[str]:
        """Every package name once, sorted."""
        pages = self._sound(self._pages, "SELECT hash, page, crc FROM name WHERE hash >= 0")
        versions = (line.partition(_VERSION) for _, page in pages for line in page.split(b"\n"))
        return [
            name.decode("utf-8", "replace") for name in sorted({name for name, tab, _ in versions if tab})
        ]

    def order(self, name: str) -> int | None:
        """The rank of the first mention of `name` in apt's reading order, None if it is never mentioned.

        The first question reads the whole store; the answer to all further ones is kept beside it.
        """
        if self._mentions is None:
            self._mentions = self._sound(self._first_mentions)
        rank = self._mentions.find(b"\n%b\n" % _encoded(name))
        return rank if rank >= 0 else None

    def close(self) -> None:
        """Lets go of the file, until the next question; a store that is made anew may number its pages otherwise."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            for known in (self._packages, self._names, self._entries, self._texts):
                known.clear()
            self._hashes = 0

    def __del__(self) -> None:
        self.close()

    def _numbers(self, name: str) -> tuple[list[int], list[int]]:
        """The numbers of the pages that have a version of the name, one for each, and of those that have a package
        which provides it."""
        found = self._entries.get(name)
        if found is None:
            if not self._hashes:
                ((_, count),) = self._pages(_NAME_QUERY, _HOW_MANY)
                self._hashes = int(count)
            spelled = _encoded(name)
            hashed = crc32(spelled) % self._hashes
            if hashed not in self._names:
                ((_, self._names[hashed]),) = self._pages(_NAME_QUERY, hashed)
            found = self._entries[name] = ([], [])
            for rest in self._names[hashed].split(b"\n" + spelled)[1:]:
                if rest[:1] in (_VERSION, _PROVIDER):  # not a longer name
                    number, _, _ = rest[1:].partition(b"\n")
                    found[rest[:1] == _PROVIDER].append(int(number))
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
            made = package(found) if found else None
            other = made and self.source.flat and made.architecture not in (self.source.arch, "all")
            self._packages[key] = None if other else made
        return self._packages[key]

    def _text(self, number: int) -> bytes:
        """A page of text. Those read last stay in memory: what belongs together is close."""
        if number not in self._texts:
            if len(self._texts) == _KEPT:
                self._texts.clear()
            ((_, self._texts[number]),) = self._pages(_TEXT_QUERY, number)
        return self._texts[number]

    def _first_mentions(self) -> bytes:
        """Every mentioned name in the order of first mention, each between newlines: its offset is its rank."""
        path = self._path.with_suffix(f".{self.source.arch}.mentions")
        with suppress(OSError):
            kept = path.read_bytes()
            if kept[:32] == sha256(kept[32:]).digest():
                return kept[32:]
        seen: dict[bytes, None] = {}
        last = -1
        while some := self._pages(_NEXT_QUERY, last, least=0):
            last = some[-1][0]
            for _, page in some:
                seen.update(dict.fromkeys(mentions_in_reading_order(page, self.source.arch)))
        found = b"\n%b\n" % b"\n".join(seen)
        with suppress(InputError):  # a cache that cannot be written costs time, no more
            self._keep(path, sha256(found).digest() + found)
        return found

    def _sound(self, answer: Callable[P, T], *asked: P.args, **more: P.kwargs) -> T:
        """An answer, from a rebuilt store if need be."""
        try:
            return answer(*asked, **more)
        except (sqlite3.Error, _Damaged):
            self.close()
            self._rebuild()
            return answer(*asked, **more)

    def _pages(self, query: str, *arguments: int, least: int = 1) -> list[tuple[int, bytes]]:
        """The pages that `query` selects, with their keys."""
        if self._connection is None:
            # `immutable` spares the locks and the look for a journal; the garbage collector may close it anywhere
            uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            if self._connection.execute("SELECT schema FROM meta").fetchall() != [(SCHEMA,)]:
                raise _Damaged
        rows = self._connection.execute(query, arguments).fetchall()
        for key, page, crc in rows:
            if not isinstance(page, bytes) or _checksum(key, page) != crc:
                raise _Damaged
        if len(rows) < least:
            raise _Damaged
        return [(key, page) for key, page, _ in rows]


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
