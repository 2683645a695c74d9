"""What a base image holds that was not read: the minimal set of its own suite, whatever sources a stage adds."""

from __future__ import annotations

import pytest

from pinner.lock.reader import loads
from tests.cli.workbench import Workbench, debian

ADDS = 'echo "deb http://deb.debian.org/debian trixie main" > /etc/apt/sources.list.d/t.list'
MOVES = "sed -i s/bookworm/trixie/ /etc/apt/sources.list.d/debian.sources"


@pytest.mark.parametrize(
    ("changes", "versions", "incomplete"),
    [("true", {"app": "1"}, 0), (ADDS, {"app": "2", "gzip": "2"}, 0), (MOVES, {"app": "2"}, 1)],
)
def test_a_stage_with_another_suite(
    bench: Workbench, changes: str, versions: dict[str, str], incomplete: int
) -> None:
    """`gzip` is in each image; only what a stage upgrades of it is locked."""
    bench.archive.suites[-1].package("app", "1", depends="gzip (>= 1)").package("gzip", "1")
    debian(bench.archive, "trixie").package("app", "2", depends="gzip (>= 2)").package("gzip", "2")
    bench.configure("")
    bench.write(
        "Dockerfile", f"FROM debian:bookworm\nRUN {changes}\nRUN apt-get update && apt-get install -y app\n"
    )
    result = bench.run("lock", "--platform", "amd64")
    closure = loads(bench.read("pinner.lock")).targets[0].closure
    assert {each.id.partition(":")[0]: each.version for each in closure.members} == versions
    assert len(closure.incomplete) == incomplete
    said = "the base image was not read, and bookworm is not among the sources here" in result.out
    assert said == bool(incomplete)
