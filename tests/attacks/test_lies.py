"""A lock whose lines were changed by hand is found out, however much of it earlier runs have solved or believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.workbench import Workbench, debian
from tests.simulator import SimulatedArchive

_LIBRARY = 'name = "libcurl4", version = "7-1"'
#: What is written in the place of what, and how verify and download end then. A file that is named by a wrong place is
#: checked by its digest when it is fetched.
LIES = {
    "version": ("libcurl4:amd64=7-1|" + _LIBRARY, {"7-1": "7-2"}, 1, 5),
    "digest": (_LIBRARY, {'digest = "....': 'digest = "0000'}, 1, 6),
    "size": (_LIBRARY, {"size = ": "size = 1"}, 1, 6),
    "address": (_LIBRARY, {"http://deb.debian.org/": "http://evil.example/"}, 0, 3),
    "suite": (_LIBRARY, {'suite = "bookworm"': 'suite = "bookworm-updates"'}, 0, 5),
    "place": (_LIBRARY, {"/libcurl4_": "/libcurl5_"}, 0, 5),
    "source": (_LIBRARY, {'source = "curl"': 'source = "other"'}, 0, 0),
    "package left out": ("libcurl4", {}, 0, 0),
    "argument": ("argument = |curl:amd64=|name = \"curl\"", {"7-1": "6-9"}, 1, 5),
}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    archive = SimulatedArchive(now=datetime.now(UTC))
    bookworm = debian(archive, "bookworm").deb("curl", "7-1", depends="libcurl4")
    bookworm.deb("libcurl4", "7-1", source="curl")
    (tmp_path / "project").mkdir()
    with archive.serve():
        bench = Workbench(tmp_path / "project", archive, tmp_path)
        bench.configure('platforms = ["linux/amd64"]')
        bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
        assert bench.run("lock").status == 0
        for command in ("lock", "verify", "refresh"):  # all that can be remembered is
            assert bench.run(command).status == 0
        yield bench


def changed(lock: str, rows: str, texts: dict[str, str]) -> str:
    """The lock with other texts, by regular expressions, in these rows, or without the rows."""
    lines = []
    for line in lock.splitlines(keepends=True):
        if any(each in line for each in rows.split("|")):
            if not texts:
                continue
            for old, new in texts.items():
                line = re.sub(old, new, line)
        lines.append(line)
    return "".join(lines)


@pytest.mark.parametrize("lie", LIES)
def test_a_lock_that_lies(bench: Workbench, lie: str) -> None:
    rows, texts, verify, download = LIES[lie]
    true, pinned = bench.read("pinner.lock"), bench.read("Dockerfile")
    false = changed(true, rows, texts)
    assert false != true
    bench.write("pinner.lock", false)
    assert (bench.run("verify").status, bench.run("download", "out").status) == (verify, download)
    for command in ("lock", "refresh"):
        for _ in range(2):  # nothing is believed for having been seen before
            bench.write("pinner.lock", false)
            assert bench.run("lock", "--check").status == 1
        assert bench.run(command).status == (4 if (lie, command) == ("version", "refresh") else 0)
        if (lie, command) != ("version", "refresh"):
            assert (bench.read("pinner.lock"), bench.read("Dockerfile")) == (true, pinned), command
