"""`pinner verify --snapshots` and `pinner refresh --rescue`: pins that the live archive has dropped."""

from __future__ import annotations

from tests.cli.test_snapshot_find import bench, pinned
from tests.cli.workbench import Workbench
from tests.snapshots import SnapshotService

__all__ = ["bench"]


def live(bench: Workbench) -> None:
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.package("curl", "9").package("jq", "1:9")


def test_verify_tells_where_a_pin_can_still_be_had(bench: Workbench) -> None:
    live(bench)
    pinned(bench, "curl=2", "jq=1:7")
    result = bench.run("verify", "--snapshots", "--platform", "amd64", "Dockerfile")
    assert result.status == 1
    assert "curl=2 (amd64): in snapshots from 20260310T031500Z to 20260331T201500Z\n" in result.err
    assert "jq=1:7 (amd64): in no snapshot\n" in result.err
    assert "snapshots" not in bench.run("verify", "--platform", "amd64", "Dockerfile").err


def test_rescue_keeps_the_pins_and_moves_the_build(bench: Workbench) -> None:
    live(bench)
    pinned(bench, "curl=2", "jq=1:2")
    before = bench.read("Dockerfile")
    assert bench.run("refresh", "--rescue", "--check", "Dockerfile").status == 1
    assert bench.read("Dockerfile") == before
    result = bench.run("refresh", "--rescue", "Dockerfile")
    assert result.status == 0, result
    written = bench.read("Dockerfile")
    assert "apt-get install -y curl=2 jq=1:2\n" in written
    assert "archive/debian/20260319T031500Z" in written  # the last day of jq 1:2
    assert bench.run("verify", "Dockerfile").status == 0
    again = bench.run("refresh", "--rescue", "Dockerfile")
    assert (again.status, bench.read("Dockerfile")) == (0, written)


def test_what_was_never_together_cannot_be_rescued(bench: Workbench) -> None:
    live(bench)
    pinned(bench, "curl=1", "jq=1:3")
    before = bench.files()
    result = bench.run("refresh", "--rescue", "Dockerfile")
    assert result.status == 4 and "no snapshot has all of its pins" in result.err
    assert bench.files() == before


def test_the_newest_costs_a_bisection(bench: Workbench) -> None:
    live(bench)
    pinned(bench, "curl=2", "jq=1:2")
    service = bench.archive
    assert isinstance(service, SnapshotService)
    assert bench.run("refresh", "--rescue", "--platform", "amd64", "Dockerfile").status == 0
    asked = [path for path in service.requests if "/dists/bookworm/main" in path and "/archive/" in path]
    assert len(asked) <= 2 + 2 * 6


def test_a_stage_that_reads_what_has_no_snapshot(bench: Workbench) -> None:
    live(bench)
    other = bench.archive.suite("./", path="other")
    other.flat = True
    other.package("tool", "5")
    (bench.folder / "key.pgp").write_bytes(bytes(bench.archive.key.certificate))
    source = f'[[source]]\nuri = "{bench.archive.url}/other"\nkey = "key.pgp"\n'
    bench.configure(f"[snapshot]\ninterval = 0\n{source}")
    add = f"RUN echo 'deb {bench.archive.url}/other ./' > /etc/apt/sources.list.d/other.list\n"
    arguments = ("refresh", "--rescue", "--platform", "amd64", "Dockerfile")
    bench.write(
        "Dockerfile",
        f"FROM debian:bookworm\nRUN apt-get install -y curl=2 jq=1:2\n{add}RUN apt-get install -y tool=5\n",
    )
    result = bench.run(*arguments)
    assert result.status == 0, result
    assert "archive/debian/20260319T031500Z" in bench.read("Dockerfile")
    bench.write("Dockerfile", f"FROM debian:bookworm\n{add}RUN apt-get install -y curl=2 tool=5\n")
    before = bench.files()
    result = bench.run(*arguments)
    assert (
        result.status == 4
        and "curl is gone, and its stage cannot be made to read a snapshot alone: apt reads" in result.err
    )
    assert bench.files() == before
