"""The index store: verified Packages bytes → one SQLite file, looked up by name and by what is provided.

A store is written once, under another name, and renamed when it is complete; from then on it never changes, so that
any number of processes can read it while others build theirs. It has the text of the Packages file as it is: what
would make it smaller costs more time than the half of it that nobody asks for. A row for each of 60,000 stanzas and
100,000 names would double the time of building, so a row is a page:

    text    the text of 32 stanzas, by its offset in the file
    name    128 names in order, each with the offsets of the stanzas that are its versions and that provide it
    meta    schema and digest of the Packages file; written last: a torn file has none

Each page has its CRC, since SQLite does not notice a change inside of its values. The order of first mention is in a
file of its own (`Mentions`), made when it is first needed: most runs do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

from pinner.archive.packages import (
    Outline,
    Package,
    fields,
    mentions_in_reading_order,
    outline,
    package,
    stanza,
)
from pinner.archive.release import Release
from pinner.archive.sources import Source
from pinner.errors import InputError

SCHEMA = 3
_STANZAS, _NAMES = 32, 128  # to a page
_TABLES = """
    PRAGMA page_size = 32768;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TABLE text (start INTEGER PRIMARY KEY, page BLOB, crc INTEGER);
    CREATE TABLE name (first BLOB PRIMARY KEY, page BLOB, crc INTEGER) WITHOUT ROWID;
"""


# Text that ends where a stanza ends, with its outline; or a fragment, without.
Piece = tuple[bytes, Outline | None]


def cut(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """A part of a Packages file, given in chunks that end anywhere: a fragment, whole stanzas, a fragment.

    Raises InputError for what is no stanza.
    """
    rest, begun = b"", False
    for chunk in chunks:
        rest += chunk
        if not begun:
            first, blank_line, behind = rest.partition(_BORDER)
            if not blank_line:
                continue
            yield first, None
            rest, begun = blank_line + behind, True
        border = rest.rfind(_BORDER)
        if border > 0:
            text, rest = rest[:border], rest[border:]
            yield text, outline(text)
    yield rest, None


_BORDER = b"\n\n"


def build(pieces: Iterable[Piece], digest: str, path: Path) -> None:
    """Writes the store of the Packages file that `pieces` make up, in one pass, to `path`, which must not exist.

    `digest` is the file's SHA-256. The caller verifies the text, to its end, before anybody sees `path`. Raises
    InputError for a file that is no Packages file, sqlite3.Error for the disk's faults.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(_TABLES)
        names = _Names()
        connection.executemany("INSERT INTO text VALUES (?, ?, ?)", _text_pages(_joined(pieces), names))
        connection.executemany("INSERT INTO name VALUES (?, ?, ?)", names.pages())
        connection.execute("CREATE TABLE meta (schema INTEGER, digest TEXT)")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (SCHEMA, digest))
        connection.execute("COMMIT")
    finally:
        connection.close()


def _joined(pieces: Iterable[Piece]) -> Iterator[tuple[bytes, Outline]]:
    """All whole stanzas, after a blank line each; fragments that follow one another become whole."""
    fragments = _BORDER
    for text, found in pieces:
        if found is None:
            fragments += text
            continue
        if fragments:
            yield fragments, outline(fragments)
            fragments = b""
        yield text, found
    if fragments := fragments.rstrip(b"\r\n"):
        yield fragments, outline(fragments)


class _Names:
    """The names of a file, with the offsets of their stanzas as text."""

    def __init__(self) -> None:
        self.versions: dict[bytes, bytes] = {}
        self.providers: dict[bytes, bytes] = {}

    def pages(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Rows of the table `name`."""
        provided = self.providers.get
        lines = [
            b"%b\t%b\t%b" % (name, starts, provided(name, b"")) for name, starts in self.versions.items()
        ]
        only_provided = self.providers.keys() - self.versions.keys()
        lines += [b"%b\t\t%b" % (name, self.providers[name]) for name in only_provided]
        lines.sort()  # as the names: what follows them is less than all they are made of
        for at in range(0, len(lines), _NAMES):
            page = b"\n".join(lines[at : at + _NAMES])
            yield page.partition(b"\t")[0], page, crc32(page)


def _text_pages(
    pieces: Iterable[tuple[bytes, Outline]], names: _Names
) -> Iterator[tuple[int, memoryview, int]]:
    """Rows of the table `text`; fills `names` on the way."""
    before = 0
    versions, providers = names.versions, names.providers
    for text, found in pieces:
        if b"\0" in text:
            raise InputError("the Packages file has a NUL character")
        labels = [b"%d" % (before + start) for start in found.starts]
        for name, label in zip(found.names, labels, strict=True):
            versions[name] = b"%b %b" % (versions[name], label) if name in versions else label
        for number, name in found.provided:
            label = labels[number]
            providers[name] = b"%b %b" % (providers[name], label) if name in providers else label
        for start, end in pairwise([*found.starts[::_STANZAS], len(text)]):
            page = memoryview(text)[start:end]
            yield before + start, page, crc32(page)
        before += len(text)


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
        self._packages: dict[int, Package | None] = {}
        self._entries: dict[str, tuple[bytes, bytes] | None] = {}
        self._connection: sqlite3.Connection | None = None

    def packages(self, name: str) -> tuple[Package, ...]:
        """All versions of `name`, in file order."""
        entry = self._entry(name)
        # a stanza with two Package fields may be called otherwise when it is read in full
        return tuple(found for found in self._of_this_arch(entry[0]) if found.name == name) if entry else ()

    def providers(self, name: str) -> tuple[Package, ...]:
        """The packages with `name` in their Provides, in file order."""
        entry = self._entry(name)
        return tuple(self._of_this_arch(entry[1])) if entry else ()

    def _of_this_arch(self, starts: bytes) -> Iterator[Package]:
        """The packages at these offsets; a flat source's file is that of all architectures."""
        for start in starts.split():
            found = self._package(int(start))
            if found and (not self.source.flat or found.architecture in (self.source.arch, "all")):
                yield found

    def names(self) -> Iterable[str]:
        """Every package name once, sorted."""
        for _, page in self._pages("SELECT first, page, crc FROM name ORDER BY first"):
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
        query = "SELECT first, page, crc FROM name WHERE first <= ? ORDER BY first DESC LIMIT 1"
        for _, page in self._pages(query, name):
            at = (b"\n" + page).find(b"\n" + name + b"\t")
            if at >= 0:
                _, versions, providers = page[at:].partition(b"\n")[0].split(b"\t")
                return versions, providers
        return None

    def _package(self, start: int) -> Package | None:
        """The package whose stanza is at this offset; None for one without a version."""
        if start not in self._packages:
            query = "SELECT start, page, crc FROM text WHERE start <= ? ORDER BY start DESC LIMIT 1"
            ((begin, page),) = self._pages(query, start)
            found = fields(stanza(page, start - begin))
            self._packages[start] = package(found) if found else None
        return self._packages[start]

    def _first_mentions(self) -> bytes:
        """Every mentioned name in the order of first mention, each between newlines: its offset is its rank."""
        path = self._path.with_suffix(f".{self.source.arch}.mentions")
        with suppress(OSError):
            kept = path.read_bytes()
            if kept[:32] == sha256(kept[32:]).digest():
                return kept[32:]
        seen: dict[bytes, None] = {}
        query = "SELECT start, page, crc FROM text WHERE start > ? ORDER BY start LIMIT 64"
        last = -1
        while some := self._pages(query, last):
            last = some[-1][0]
            for _, page in some:
                seen.update(dict.fromkeys(mentions_in_reading_order(page, self.source.arch)))
        found = b"\n%b\n" % b"\n".join(seen)
        with suppress(InputError):  # a cache that cannot be written costs time, no more
            self._keep(path, sha256(found).digest() + found)
        return found

    def _pages(self, query: str, *arguments: bytes | int) -> list[tuple[Any, bytes]]:
        """The pages that `query` selects, with their keys, from a rebuilt store if need be."""
        try:
            return self._read(query, arguments)
        except (sqlite3.Error, _Damaged):
            self.close()
            self._rebuild()
            return self._read(query, arguments)

    def _read(self, query: str, arguments: tuple[bytes | int, ...]) -> list[tuple[Any, bytes]]:
        if self._connection is None:
            # `immutable` spares the locks and the look for a journal; the garbage collector may close it anywhere
            uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            if self._connection.execute("SELECT schema FROM meta").fetchall() != [(SCHEMA,)]:
                raise _Damaged
        rows = self._connection.execute(query, arguments).fetchall()
        if any(not isinstance(page, bytes) or crc32(page) != crc for _, page, crc in rows):
            raise _Damaged
        return [(key, page) for key, page, _ in rows]


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
