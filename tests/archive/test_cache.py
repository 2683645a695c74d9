"""The cache directory: nothing half-written, nothing that belongs to others."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pinner.archive.cache import Cache
from pinner.errors import CacheError

DAY = 24 * 3600.0


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    cache, path = Cache(tmp_path), tmp_path / "releases" / "x"
    cache.write(path, b"old")
    with pytest.raises(ZeroDivisionError), cache.new(path) as draft:
        draft.write_bytes(b"ha")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list((tmp_path / "new").iterdir()) == []
    cache.write(path, b"new")
    assert path.read_bytes() == b"new"


def test_what_is_kept_belongs_to_its_name(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    one, other = cache.seen / "one", cache.seen / "other"
    cache.keep(one, b"text")
    assert cache.kept(one) == b"text"
    one.rename(other)
    assert cache.kept(other) == b""


def test_a_full_disk(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full")
    cache = Cache(tmp_path)
    refusal = pytest.raises(CacheError, match=r"cannot be written: No space left on device\nhint: make room")
    with refusal, cache.new(tmp_path / "indices" / "x"):
        full.write_bytes(b"x")


def test_prune_keeps_what_is_named_and_what_is_being_written(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    kept, beside, old = (
        cache.index("a" * 64),
        cache.index("a" * 64).with_suffix(".amd64.mentions"),
        cache.index("b" * 64),
    )
    for path in (kept, beside, old):
        cache.write(path, b"12345")
    fresh, abandoned = tmp_path / "new" / "fresh", tmp_path / "new" / "abandoned"
    for path, age in ((fresh, 0.0), (abandoned, 2 * DAY)):
        path.write_bytes(b"123")
        os.utime(path, (10 * DAY - age, 10 * DAY - age))
    assert cache.prune(frozenset({"a" * 64}), now=10 * DAY) == 8
    assert [path.exists() for path in (kept, beside, old, fresh, abandoned)] == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_drafts_of_runs_killed_a_day_ago_vanish_with_the_next_one(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(tmp_path / "http" / "x", b"12")
    recent, abandoned = tmp_path / "new" / "recent", tmp_path / "new" / "abandoned"
    for path, age in ((recent, DAY / 2), (abandoned, 2 * DAY)):
        path.write_bytes(b"123")
        os.utime(path, (time.time() - age, time.time() - age))
    cache.write(tmp_path / "http" / "x", b"34")
    assert list((tmp_path / "new").iterdir()) == [recent]


def test_clear_leaves_what_is_not_of_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.clear() == 0
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    cache.write(cache.index("a" * 64), b"12345")
    cache.write(tmp_path / "http" / "x", b"12")
    assert cache.clear() == 7
    assert list(tmp_path.iterdir()) == [tmp_path / "photo.jpg"]


def test_drop(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(cache.index("a" * 64), b"1")
    cache.write(cache.index("b" * 64), b"1")
    cache.drop("a" * 64)
    cache.drop("c" * 64)
    assert [path.name[:1] for path in cache.indices.iterdir()] == ["b"]
