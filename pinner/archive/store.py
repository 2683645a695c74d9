"""The index store: verified Packages bytes → one SQLite file, which `index` looks things up in.

A store is written once, under another name, and renamed when it is complete; from then on it never changes, so that
any number of processes can read it while others build theirs. It has the text of the Packages file as it is: what
would make it smaller costs more time than the half of it that nobody asks for. A row for each of 60,000 stanzas and
100,000 names would double the time of building, so a row is a page:

    text    the text of some 20 stanzas, in file order
    name    names that share a hash, each with the numbers of the pages of text that have a version of it, or a package
            that provides it; the more names, the more hashes
    meta    schema and digest of the Packages file; written last: a torn file has none

Each page has its CRC, since SQLite does not notice a change inside of its values.

Files that show when they are damaged (a digest, CRCs) are not waited for until they are on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

from pinner.apt.packages import pages
from pinner.archive.cache import SCHEMA

_TEXT, _NAMES = 16_250, 8_000  # bytes to a page; such a text fills one of SQLite's
_MOST_HASHES = 512
HOW_MANY = -1  # the key of the page that tells the number of hashes
VERSION, PROVIDER = b"\t", b"="
_TABLES = """
    PRAGMA page_size = 16384;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TABLE text (number INTEGER PRIMARY KEY, page BLOB, crc INTEGER);
    CREATE TABLE name (hash INTEGER PRIMARY KEY, page BLOB, crc INTEGER);
"""


def build(chunks: Iterable[bytes], digest: str, path: Path) -> None:
    """Writes the store of the Packages file that `chunks` make up, in one pass, to `path`, which must not exist.

    `digest` is the file's SHA-256. The caller verifies the text, to its end, before anybody sees `path`. Raises
    InputError for a file that is no Packages file, OSError for the disk's faults.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(_TABLES)
        names = [bytearray() for _ in range(_MOST_HASHES)]
        connection.executemany("INSERT INTO text VALUES (?, ?, ?)", _text_pages(_whole(chunks), names))
        connection.executemany("INSERT INTO name VALUES (?, ?, ?)", _name_pages(names))
        connection.execute("CREATE TABLE meta (schema INTEGER, digest TEXT)")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (SCHEMA, digest))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()


_BORDER = b"\n\n"


def _whole(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of chunks that end anywhere, as whole stanzas, with a blank line before each."""
    begun: list[bytes | memoryview] = [_BORDER]
    for chunk in chunks:
        end = chunk.rfind(_BORDER)
        if end < 0:
            begun.append(chunk)
            continue
        yield b"".join([*begun, memoryview(chunk)[:end]])
        begun = [chunk[end:]]
    yield b"".join(begun)


def _text_pages(texts: Iterable[bytes], names: list[bytearray]) -> Iterator[tuple[int, memoryview, int]]:
    """Rows of the table `text`; fills `names` on the way, by their hashes. Raises InputError for what is no stanza.

    A line of these is a name, what is in a page for it, and the page's number.
    """
    number = 0
    for text in texts:
        text = text.rstrip(b"\r\n")
        for page in pages(text, 0, len(text), _TEXT):
            version, provider = b"%b%d\n" % (VERSION, number), b"%b%d\n" % (PROVIDER, number)
            for name in page.names:
                names[crc32(name) % _MOST_HASHES] += name + version
            for name in page.provided:
                names[crc32(name) % _MOST_HASHES] += name + provider
            content = memoryview(text)[page.begin : page.end]
            yield number, content, checksum(number, content)
            number += 1


def _name_pages(names: list[bytearray]) -> Iterator[tuple[int, bytes, int]]:
    hashes = 1
    while hashes < _MOST_HASHES and hashes * _NAMES < sum(map(len, names)):
        hashes *= 2
    pages = {number: b"\n" + b"".join(names[number::hashes]) for number in range(hashes)}
    pages[HOW_MANY] = b"%d" % hashes
    return ((number, page, checksum(number, page)) for number, page in pages.items())


def checksum(key: int, page: bytes | bytearray | memoryview) -> int:
    """What tells whether a page is what was written under this key."""
    return crc32(page, key & 0xFFFFFFFF)
