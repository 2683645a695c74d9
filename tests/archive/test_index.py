"""The store: what goes in comes out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinner.apt.packages import SourceVersion
from pinner.apt.release import Release
from pinner.apt.sources import Keys, Source
from pinner.archive.cache import Cache
from pinner.archive.index import SqliteIndex
from pinner.archive.store import build
from pinner.errors import InputError

RELEASE = Release(
    "", "", "s", "s", "", datetime(2026, 11, 24, tzinfo=UTC), None, False, False, False, (), (), {}
)
TEXT = b"""\
Package: linux-libc-dev
Version: 6.1.1
Depends: first, libc6 (>= 2) | second:any

Package: exim4
Version: 4
Provides: mail-transport-agent, exim (= 4)
Enhances: enhanced
Pre-Depends: before

Package: linux-libc-dev
Version: 6.1.2
Conflicts: mail-transport-agent

Package: postfix
Version: 3
Provides: mail-transport-agent
"""


def stored(text: bytes, directory: Path, *, chunk: int = 1 << 20) -> SqliteIndex:
    path = directory / "store.sqlite"
    path.unlink(missing_ok=True)
    for name in ("mentions", "sources"):
        path.with_suffix(f".amd64.{name}").unlink(missing_ok=True)
    build((text[at : at + chunk] for at in range(0, len(text), chunk)), "digest", path)
    return SqliteIndex(
        path,
        source=Source(
            "http://deb.debian.org/debian", "s", ("main",), "amd64", Keys("debian-archive-keyring")
        ),
        component="main",
        release=RELEASE,
        release_sha256="",
        rebuild=lambda: pytest.fail("the store is damaged"),
        cache=Cache(directory / "cache"),
        say=lambda note: pytest.fail(note),
    )


@pytest.mark.parametrize("chunk", [1, 7, 100, 10000])
def test_all_versions_and_providers_in_file_order(chunk: int, tmp_path: Path) -> None:
    index = stored(TEXT, tmp_path, chunk=chunk)
    assert [p.version for p in index.packages("linux-libc-dev")] == ["6.1.1", "6.1.2"]
    assert [p.name for p in index.providers("mail-transport-agent")] == ["exim4", "postfix"]
    assert [p.name for p in index.providers("exim")] == ["exim4"]
    assert list(index.names()) == ["exim4", "linux-libc-dev", "postfix"]
    for name in (
        "mail-transport-agent",
        "first",
        "",
        "linux",
        "linux-libc-devel",
        "zzz",
        "a\tb",
        "\n",
        "\udc80",
    ):
        assert index.packages(name) == ()
    assert index.providers("exim4") == ()


ODD = b"""\
Provides: v
Version: 1
Package: first

Package: second
Version: 2
Depends: v
provides: w,
 v

Version: 3
package: first

Package: third
Version: 4

Package: third
Version: 5
Suggests: v


Package: none
Provides: v
"""


@pytest.mark.parametrize("text", [ODD, ODD.replace(b"\n", b"\r\n")])
@pytest.mark.parametrize("chunk", [1, 30, 10000])
def test_an_odd_spelling_hides_nothing(text: bytes, chunk: int, tmp_path: Path) -> None:
    index = stored(text, tmp_path, chunk=chunk)
    assert [p.version for p in index.packages("first")] == ["1", "3"]
    assert [p.version for p in index.packages("third")] == ["4", "5"]
    assert [p.name for p in index.providers("v")] == ["first", "second"]
    assert [p.name for p in index.providers("w")] == ["second"]
    assert index.packages("none") == ()


def test_the_order_of_first_mention(tmp_path: Path) -> None:
    index = stored(TEXT, tmp_path)
    expected = [
        "linux-libc-dev", "first", "libc6", "exim4", "before", "enhanced", "mail-transport-agent", "exim", "postfix"
    ]  # fmt: skip
    ranks = {name: index.order(name) for name in expected}
    assert sorted(ranks, key=lambda name: ranks[name] or 0) == expected
    assert index.order("second") is None
    assert index.order("nowhere") is None
    assert index.order("libc") is None


def test_the_order_is_kept_and_damage_to_it_noticed(tmp_path: Path) -> None:
    first = stored(TEXT, tmp_path)
    kept = tmp_path / "store.amd64.mentions"
    rank = first.order("postfix")
    assert not kept.exists()  # it was not read to its end
    assert first.order("nowhere") is None
    assert first.order("postfix") == rank
    content = kept.read_bytes()
    for damage in (content, content[:-9], content.replace(b"postfix", b"prefix"), b""):
        kept.write_bytes(damage)
        again = stored(TEXT, tmp_path)
        kept.write_bytes(damage)
        assert again.order("postfix") == rank


def test_the_versions_of_a_source(tmp_path: Path) -> None:
    text = (
        b"Package: lib\nVersion: 2-1+b1\nArchitecture: amd64\nSource: s (2-1)\n\n"
        b"Package: doc\nVersion: 2-1\nArchitecture: all\nSource: s\n\n"
        b"Package: old\nversion: 1-1\nArchitecture: amd64\nsource: s\n"
    )
    index = stored(text, tmp_path)
    expected = {SourceVersion("2-1", False), SourceVersion("2-1", True), SourceVersion("1-1", False)}
    assert set(index.source_versions("s")) == expected
    assert list(index.source_versions("lib")) == []


def test_no_packages_at_all(tmp_path: Path) -> None:
    index = stored(b"", tmp_path)
    assert list(index.names()) == []
    assert index.packages("x") == index.providers("x") == ()
    assert index.order("x") is None


def test_more_than_a_page_of_everything(tmp_path: Path) -> None:
    text = b"\n".join(
        b"Package: p%d\nVersion: %d\nProvides: v%d, all\nDepends: d%d\n" % (n, n, n % 7, n)
        for n in range(1000)
    )
    index = stored(text, tmp_path, chunk=5000)
    assert [index.packages(f"p{n}")[0].version for n in range(1000)] == [str(n) for n in range(1000)]
    assert [p.version for p in index.providers("v3")] == [str(n) for n in range(1000) if n % 7 == 3]
    assert len(index.providers("all")) == 1000
    assert sorted(index.names()) == sorted(f"p{n}" for n in range(1000))
    ranks = [index.order(f"d{n}") or 0 for n in range(1000)]
    assert ranks == sorted(ranks)


def test_a_store_that_is_made_anew_may_have_other_pages(tmp_path: Path) -> None:
    text = b"\n".join(
        b"Package: p%d\nVersion: %d\nProvides: v%d\nDescription: %s\n" % (n, n, n % 7, b"x" * 900)
        for n in range(300)
    )
    index = stored(text, tmp_path, chunk=3000)
    path = tmp_path / "store.sqlite"

    def anew() -> None:
        path.unlink()
        build([text], "digest", path)

    index._rebuild = anew
    assert index.packages("p7")[0].version == "7"
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("UPDATE text SET crc = crc + 1 WHERE number > 10")
    assert [index.packages(f"p{n}")[0].version for n in range(300)] == [str(n) for n in range(300)]
    assert [p.version for p in index.providers("v3")] == [str(n) for n in range(300) if n % 7 == 3]


def test_the_order_is_asked_of_a_store_that_is_gone(tmp_path: Path) -> None:
    names = ("postfix", "exim4", "absent")
    index = stored(TEXT, tmp_path)
    expected = [index.order(name) for name in names]
    index = stored(TEXT, tmp_path)
    path = tmp_path / "store.sqlite"
    path.unlink()
    index._rebuild = lambda: build([TEXT], "digest", path)
    assert [index.order(name) for name in names] == expected


def test_a_line_that_is_no_field_is_said_with_its_archive(tmp_path: Path) -> None:
    index = stored(TEXT + b"\nPackage: bad\nVersion: 1\ngarbage\n", tmp_path)
    assert index.packages("postfix")
    with pytest.raises(InputError, match=r"http://deb\.debian\.org/debian s: a line is no field: 'garbage'"):
        index.packages("bad")


def test_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NUL"):
        stored(b"Package: x\nVersion: 1\nDepends: a\0b\n", tmp_path)


def test_an_error_of_the_chunks_is_passed_on(tmp_path: Path) -> None:
    def torn() -> Iterator[bytes]:
        yield TEXT
        raise EOFError

    with pytest.raises(EOFError):
        build(torn(), "digest", tmp_path / "x")


NAMES = st.sampled_from(["aa", "ab", "b", "b+", "lib-c", "z9.z"])


@settings(max_examples=30)
@given(
    st.lists(st.tuples(NAMES, st.integers(0, 9), st.lists(NAMES, unique=True)), max_size=200),
    st.integers(1, 300),
)
def test_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, int, list[str]]], chunk: int
) -> None:
    text = "\n".join(
        f"Package: {name}\nVersion: {version}\n" + (f"Provides: {', '.join(provided)}\n" if provided else "")
        for name, version, provided in made
    )
    index = stored(text.encode(), tmp_path_factory.mktemp("store"), chunk=chunk)
    for asked in ("aa", "ab", "b", "b+", "lib-c", "z9.z", "a", "none"):
        assert [int(p.version) for p in index.packages(asked)] == [v for n, v, _ in made if n == asked]
        assert [(p.name, int(p.version)) for p in index.providers(asked)] == [
            (n, v) for n, v, p in made if asked in p
        ]
    index.close()
