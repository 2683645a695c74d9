"""`pinner cache`."""

from __future__ import annotations

import json
import os
from datetime import timedelta

from tests.cli.workbench import Workbench, debian


def test_the_cache_directory(bench: Workbench) -> None:
    assert bench.run("cache", "dir").out == f"{bench.cache}\n"
    assert json.loads(bench.run("cache", "dir", "--json").out)["directory"] == str(bench.cache)


def test_clear_takes_all_that_is_pinners(bench: Workbench) -> None:
    assert bench.run("cache", "clear").out == "nothing to remove\n"
    bench.run("lock", "--check")
    theirs = bench.cache / "theirs"
    theirs.write_text("not pinner's")
    assert json.loads(bench.run("cache", "clear", "--json").out)["freed"] > 0
    assert [path for path in bench.cache.rglob("*") if path.is_file()] == [theirs]


def indices(bench: Workbench) -> set[str]:
    return {path.name for path in (bench.cache / "indices").iterdir()}


def test_prune_takes_the_suites_that_were_not_used_lately(bench: Workbench) -> None:
    debian(bench.archive, "trixie").package("curl", "8")
    bench.run("lock", "--check")
    of_bookworm = indices(bench)
    bench.run("lock", "--check", "--suite", "trixie")
    assert indices(bench) > of_bookworm
    assert bench.run("cache", "prune").out == "nothing to remove\n"

    abandoned = bench.cache / "new" / "killed"
    abandoned.write_bytes(b"half")
    long_ago = abandoned.stat().st_mtime - timedelta(days=2).total_seconds()
    os.utime(abandoned, (long_ago, long_ago))
    assert json.loads(bench.run("cache", "prune", "--json").out)["freed"] == 4

    assert bench.run("cache", "prune", "--unused", "0s").out.startswith("freed 0.")
    assert indices(bench) == set()
    assert bench.run("lock", "--check").status == 1
