"""`pinner unpin` takes pins out of files and lock again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.workbench import Workbench, debian
from tests.simulator import SimulatedArchive

PLAIN = "FROM debian:bookworm\nRUN apt-get install -y curl jq\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    archive = SimulatedArchive()
    debian(archive, "bookworm").package("curl", "8-1").package("jq", "1-1")
    (tmp_path / "project").mkdir()
    with archive.serve():
        bench = Workbench(tmp_path / "project", archive, tmp_path)
        bench.write("Dockerfile", PLAIN)
        yield bench


def test_what_lock_has_put_in_goes(bench: Workbench) -> None:
    bench.write("b.Dockerfile", PLAIN)
    bench.run("lock")
    bench.archive.missing("*")  # no network is needed
    assert bench.run("unpin", "--check", "Dockerfile").status == 1
    result = bench.run("unpin", "Dockerfile")
    assert (result.status, result.out) == (
        0,
        "Dockerfile:2  curl=8-1\nDockerfile:2  jq=1-1\ntook out 2 pins\n",
    )
    assert bench.read("Dockerfile") == PLAIN
    lock = bench.read("pinner.lock")
    assert ('file = "Dockerfile"' in lock, 'file = "b.Dockerfile"' in lock) == (False, True)
    before = bench.files()
    assert bench.run("unpin", "Dockerfile").out == "nothing to take out\n"
    assert bench.files() == before


def test_one_package_of_several(bench: Workbench) -> None:
    bench.run("lock")
    assert bench.run("unpin", "c*l").status == 0
    assert bench.read("Dockerfile") == PLAIN.replace("jq", "jq=1-1")
    assert bench.run("verify").status == 0  # file and lock agree
    result = bench.run("unpin", "nosuch")
    assert result.status == 1
    assert "nosuch: no install command here pins such a package" in result.err


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ('"jq=1-1"', '"jq"'),
        ("jq='1-1'", "jq"),
        ('jq="1-*"', "jq"),
        ("jq:amd64=1-1 curl", "jq:amd64 curl"),
        ("jq=$V", "jq"),
        ("'jq'=1-1", "'jq'"),
        ('x && sh -c "apt-get install \\"jq=1-1\\""', 'x && sh -c "apt-get install \\"jq\\""'),
        ("jq=1-1 # pinner: ignore", "jq=1-1 # pinner: ignore"),
    ],
)
def test_the_version_alone_goes(bench: Workbench, words: str, after: str) -> None:
    text = "FROM debian:bookworm\nARG V=1-1\nRUN apt-get install -y {}\n"
    bench.write("Dockerfile", text.format(words))
    assert bench.run("unpin").status == 0
    assert bench.read("Dockerfile") == text.format(after)


def test_pins_on_an_image_whose_suite_is_not_known_and_that_is_not_asked_for(bench: Workbench) -> None:
    text = "FROM registry.example/own:1\nRUN apt-get install -y jq{}\n"
    bench.write("Dockerfile", text.format("=1-1"))
    result = bench.run("unpin")
    assert (result.status, result.out, result.err) == (0, "Dockerfile:2  jq=1-1\ntook out 1 pin\n", "")
    assert bench.read("Dockerfile") == text.format("")
