"""Whatever comes in, the command line answers in one of its ways, and what it writes is the text with pins put in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pinner.errors import printable
from tests.cli.test_golden import without_pins
from tests.cli.workbench import Workbench, debian
from tests.simulator import SimulatedArchive

WORDS = st.sampled_from(
    ["curl", "jq", '"curl"', "'jq'", "curl=7.88.1-10+deb12u14", "jq=1*", "tzdata-", "$X", "${X:-jq}", "{jq,curl}", "c*",
     "-t bookworm", "--", "xyzzy", "\u202ejq", "\x1b[31m", ">/dev/null", "# pinner: ignore", "`jq`", "$(jq)"]
)  # fmt: skip
GAPS = st.sampled_from([" ", "  ", " \\\n", "\t\\\r\n  ", " \\\n# pinner: ignore\n", " \\\n\n  # comment\n "])
NOISE = st.sampled_from(
    ["&& ", "; ", "| ", "( ", ") ", "if true; then ", "; fi", "'", '"', "\\", "\n", "\n\nRUN ", "\nFROM debian:12\n",
     "é", "\nENV X jq\nRUN ", "\nONBUILD RUN ", "<<E ", "\nE\n", "\r\n", "&& apt install ", "\n# pinner: ignore\nRUN "]
)  # fmt: skip
CALLS = st.lists(st.tuples(WORDS, GAPS).map("".join), max_size=5).map(
    lambda words: "apt-get install -y " + "".join(words)
)
DOCKERFILES = st.lists(st.one_of(CALLS, CALLS, NOISE), max_size=8).map(
    lambda pieces: ("\ufeffFROM debian:bookworm\nRUN " + "".join(pieces)).encode()
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    archive = SimulatedArchive(now=datetime.now(UTC))
    debian(archive, "bookworm").package("curl", "7.88.1-10+deb12u14").package(
        "jq", "1.6+b1", arch="amd64"
    ).package("jq", "1.6", arch="arm64")
    folder: Path = tmp_path_factory.mktemp("project")
    with archive.serve():
        yield Workbench(folder, archive, tmp_path_factory.mktemp("aside"))


@settings(max_examples=150, deadline=None)
@given(content=DOCKERFILES)
def test_pins_are_put_in_once_and_nothing_else_changes(bench: Workbench, content: bytes) -> None:
    first = bench.run("lock", "-", stdin=content)
    assert first.status in (0, 1, 3), first.err
    assert printable(first.err) == first.err
    if first.status == 3:
        assert first.out == ""
        return
    event("pinned" if first.out != content.decode() else "unchanged")
    assert without_pins(content.decode(), first.out) == content.decode()
    assert bench.run("lock", "-", stdin=first.out.encode()).out == first.out


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=200) | DOCKERFILES)
def test_any_bytes_get_an_answer(bench: Workbench, content: bytes) -> None:
    for arguments in (["lock", "--check", "-"], ["scan", "-"], ["scan", "--json", "-"]):
        result = bench.run(*arguments, stdin=content)
        assert result.status in (0, 1, 3)
        assert printable(result.out + result.err) == result.out + result.err
