"""The index store: verified Packages bytes → one SQLite file, looked up by name and by what is provided.

A store is written once, under another name, and renamed when it is complete and on the disk; from then on it
never changes, so that any number of processes can read it while others build theirs. A row for each of 60,000
stanzas and 100,000 names would double the time of building, so a row is a page:

    stanza  the records (see packages.scan) of 64 stanzas, in file order
    name    128 names in order, each with the numbers of the stanzas that are its versions and that provide it
    meta    schema and digest of the Packages file; written last: a torn file has none

Each page has its CRC, since SQLite does not notice a change inside of its values. The order of first mention is in a
file of its own (`Mentions`), made when it is first needed: most runs do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from heapq import merge
from itertools import islice
from pathlib import Path
from zlib import crc32

from pinner.archive.packages import Package, in_reading_order, mentions, package, provides, scan
from pinner.archive.release import Release
from pinner.archive.sources import Source
from pinner.errors import InputError

SCHEMA = 2
_STANZAS, _NAMES = 64, 128  # to a page
_BETWEEN = b"\0"  # the records of a page
_TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TABLE stanza (number INTEGER PRIMARY KEY, page BLOB, crc INTEGER);
    CREATE TABLE name (first BLOB PRIMARY KEY, page BLOB, crc INTEGER) WITHOUT ROWID;
"""


def build(chunks: Iterable[bytes], digest: str, path: Path) -> None:
    """Writes the store of the Packages file that `chunks` make up, in one pass, to `path`, which must not exist.

    `digest` is the file's SHA-256. The caller verifies the chunks, the last one included, before anybody sees
    `path`. Raises InputError for a file that is no Packages file, sqlite3.Error for the disk's faults.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(_TABLES)
        names = _Names()
        connection.executemany("INSERT INTO stanza VALUES (?, ?, ?)", _stanza_pages(chunks, names))
        connection.executemany("INSERT INTO name VALUES (?, ?, ?)", names.pages())
        connection.execute("CREATE TABLE meta (schema INTEGER, digest TEXT)")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (SCHEMA, digest))
        connection.execute("COMMIT")
    finally:
        connection.close()


class _Names:
    """The names of a file, with the numbers of their stanzas as text."""

    def __init__(self) -> None:
        self.versions: dict[bytes, bytes] = {}
        self.providers: dict[bytes, bytes] = {}

    def pages(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Rows of the table `name`."""
        names = merge(sorted(self.versions), sorted(self.providers.keys() - self.versions.keys()))
        versions, providers = self.versions.get, self.providers.get
        while some := list(islice(names, _NAMES)):
            page = b"\n".join(
                [b"%b\t%b\t%b" % (name, versions(name, b""), providers(name, b"")) for name in some]
            )
            yield some[0], page, crc32(page)


def _stanza_pages(chunks: Iterable[bytes], names: _Names) -> Iterator[tuple[int, bytes, int]]:
    """Rows of the table `stanza`; fills `names` on the way."""
    number = 0
    records: list[bytes] = []
    versions, providers = names.versions, names.providers
    for text in _whole_stanzas(chunks):
        if _BETWEEN in text:
            raise InputError("the Packages file has a NUL character")
        for fields in scan(text):
            records.append(b"\n".join(fields))
            name, label = fields[0], b"%d" % number
            versions[name] = b"%b %b" % (versions[name], label) if name in versions else label
            if provided := provides(fields):
                for name in dict.fromkeys(mentions(provided)):
                    providers[name] = b"%b %b" % (providers[name], label) if name in providers else label
            number += 1
            if len(records) == _STANZAS:
                yield _stanza_page(number - 1, records)
                records = []
    if records:
        yield _stanza_page(number - 1, records)


def _stanza_page(last: int, records: list[bytes]) -> tuple[int, bytes, int]:
    page = _BETWEEN.join(records)
    return last // _STANZAS, page, crc32(page)


def _whole_stanzas(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at blank lines."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        border = rest.rfind(b"\n\n") + 2
        if border > 1:
            yield rest[:border]
            rest = rest[border:]
    yield rest


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
        self._packages: dict[int, Package] = {}
        self._entries: dict[str, tuple[bytes, bytes] | None] = {}
        self._connection: sqlite3.Connection | None = None

    def packages(self, name: str) -> tuple[Package, ...]:
        """All versions of `name`, in file order."""
        entry = self._entry(name)
        return tuple(self._of_this_arch(entry[0])) if entry else ()

    def providers(self, name: str) -> tuple[Package, ...]:
        """The packages with `name` in their Provides, in file order."""
        entry = self._entry(name)
        return tuple(self._of_this_arch(entry[1])) if entry else ()

    def _of_this_arch(self, numbers: bytes) -> Iterator[Package]:
        """The packages with these numbers; a flat source's file is that of all architectures."""
        for number in numbers.split():
            found = self._package(int(number))
            if not self.source.flat or found.architecture in (self.source.arch, "all"):
                yield found

    def names(self) -> Iterable[str]:
        """Every package name once, sorted."""
        for page in self._pages("SELECT page, crc FROM name ORDER BY first"):
            for line in page.split(b"\n"):
                name, versions, _ = line.split(b"\t")
                if versions:
                    yield name.decode("utf-8", "replace")

    def order(self, name: str) -> int | None:
        """The rank of the first mention of `name` in apt's reading order, None if it is never mentioned.

        The first question reads the whole store; the answer to all further ones is kept beside it.
        """
        if self._mentions is None:
            self._mentions = self._first_mentions()
        rank = self._mentions.find(b"\n%b\n" % _encoded(name))
        return rank if rank >= 0 else None

    def close(self) -> None:
        """Lets go of the file, until the next question."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _entry(self, name: str) -> tuple[bytes, bytes] | None:
        if name not in self._entries:
            self._entries[name] = self._find(_encoded(name))
        return self._entries[name]

    def _find(self, name: bytes) -> tuple[bytes, bytes] | None:
        query = "SELECT page, crc FROM name WHERE first <= ? ORDER BY first DESC LIMIT 1"
        for page in self._pages(query, name):
            at = (b"\n" + page).find(b"\n" + name + b"\t")
            if at >= 0:
                _, versions, providers = page[at:].partition(b"\n")[0].split(b"\t")
                return versions, providers
        return None

    def _package(self, number: int) -> Package:
        if number not in self._packages:
            page_number, place = divmod(number, _STANZAS)
            (page,) = self._pages("SELECT page, crc FROM stanza WHERE number = ?", page_number)
            self._packages[number] = package(page.split(_BETWEEN)[place])
        return self._packages[number]

    def _first_mentions(self) -> bytes:
        """Every mentioned name in the order of first mention, each between newlines: its offset is its rank."""
        path = self._path.with_suffix(f".{self.source.arch}.mentions")
        with suppress(OSError):
            kept = path.read_bytes()
            if kept[:32] == sha256(kept[32:]).digest():
                return kept[32:]
        seen: dict[bytes, None] = {}
        for page in self._pages("SELECT page, crc FROM stanza ORDER BY number"):
            read = [b"\n".join(in_reading_order(record.split(b"\n"))) for record in page.split(_BETWEEN)]
            seen.update(dict.fromkeys(mentions(b"\n".join(read), self.source.arch)))
        found = b"\n%b\n" % b"\n".join(seen)
        with suppress(InputError):  # a cache that cannot be written costs time, no more
            self._keep(path, sha256(found).digest() + found)
        return found

    def _pages(self, query: str, *arguments: bytes | int) -> list[bytes]:
        """The pages that `query` selects, from a rebuilt store if need be."""
        try:
            return self._read(query, arguments)
        except (sqlite3.Error, _Damaged):
            self.close()
            self._rebuild()
            return self._read(query, arguments)

    def _read(self, query: str, arguments: tuple[bytes | int, ...]) -> list[bytes]:
        if self._connection is None:
            # `immutable` spares the locks and the look for a journal; the garbage collector may close it anywhere
            uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            if self._connection.execute("SELECT schema FROM meta").fetchall() != [(SCHEMA,)]:
                raise _Damaged
        rows = self._connection.execute(query, arguments).fetchall()
        if any(not isinstance(page, bytes) or crc32(page) != crc for page, crc in rows):
            raise _Damaged
        return [page for page, _ in rows]


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
