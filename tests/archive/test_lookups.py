"""What an index was asked for is answered without its store in later runs, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.archive.index import SqliteIndex
from pinner.resolve import lookups
from pinner.resolve.lookups import Lookups
from tests.archive.test_index import TEXT, stored

RICH = b"""
Package: rich
Source: other (3)
Version: 1:2-3
Essential: yes
Installed-Size: 9
Architecture: all
Provides: mail-transport-agent (= 7), \xc3\xa9
Depends: a (>= 1) | b,
 c
Multi-Arch: same
Protected: yes
Filename: pool/r.deb
Size: 12
SHA256: %b
""" % (b"0a" * 32)
NAMES = ("linux-libc-dev", "rich", "mail-transport-agent", "exim4", "nothing")
KEPT = "store.amd64.lookups"


def asked(index: SqliteIndex) -> list[object]:
    return [each for name in NAMES for each in (index.packages(name), index.providers(name))]


def test_equal_answers_without_the_store(tmp_path: Path) -> None:
    first = stored(TEXT + RICH, tmp_path)
    expected = asked(first)
    first.keep_lookups()
    again = stored(TEXT + RICH, tmp_path)
    (tmp_path / "store.sqlite").unlink()
    assert asked(again) == expected
    assert again.packages("rich")[0] is again.providers("mail-transport-agent")[2]
    (tmp_path / KEPT).unlink()
    again.keep_lookups()  # nothing new
    assert not (tmp_path / KEPT).exists()


@pytest.mark.parametrize("kept", ["damaged", "cut", "of another version"])
def test_what_cannot_be_believed_is_read_anew(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stored(TEXT, tmp_path)
    expected = asked(first)
    if kept == "of another version":
        monkeypatch.setattr(lookups, "__version__", "0.0.1")
    first.keep_lookups()
    monkeypatch.undo()
    path = tmp_path / KEPT
    content = path.read_bytes()
    if kept == "damaged":
        path.write_bytes(content.replace(b"6.1.2", b"6.1.3"))
    elif kept == "cut":
        path.write_bytes(content[:-40])
    again = stored(TEXT, tmp_path)
    read: list[int] = []
    page = again._page

    def read_page(query: str, key: int) -> bytes:
        read.append(key)
        return page(query, key)

    monkeypatch.setattr(again, "_page", read_page)
    assert asked(again) == expected
    assert read


def test_a_stanza_that_is_passed_over_is_said_in_each_run(tmp_path: Path) -> None:
    text = TEXT + b"\nPackage: postfix\nVersion: ;rm\n"
    said: list[str] = []
    for _ in range(2):
        index = stored(text, tmp_path)
        index._say = said.append
        assert [each.version for each in index.packages("postfix")] == ["3"]
        assert [each.version for each in index.packages("exim4")] == ["4"]
        index.keep_lookups()
    assert len(said) == 2


def test_so_many_are_kept_and_those_of_the_last_run_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "_MOST", 10)
    text = b"\n".join(b"Package: p%d\nVersion: %d\n" % (number, number) for number in range(30))
    for numbers, count in ((range(8), 8), (range(5, 10), 10), (range(10, 30), 10), (range(3), 10)):
        index = stored(text, tmp_path)
        assert [int(index.packages(f"p{number}")[0].version) for number in numbers] == list(numbers)
        index.keep_lookups()
        kept = Lookups(index._cache.kept(tmp_path / KEPT))
        found = [number for number in range(30) if kept.kept(f"vp{number}")]
        assert len(found) == count
        assert set(numbers[:10]) <= set(found)


@pytest.mark.parametrize("name", ["", "a\tb", "\n", "\udc80", "a b"])
def test_a_name_that_is_none_spoils_nothing(name: str, tmp_path: Path) -> None:
    first = stored(TEXT, tmp_path)
    assert first.packages(name) == ()
    expected = asked(first)
    first.keep_lookups()
    again = stored(TEXT, tmp_path)
    assert again.packages(name) == ()
    assert asked(again) == expected
