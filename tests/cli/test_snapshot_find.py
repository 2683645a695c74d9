"""`pinner snapshot find` as a command, against the service."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil, log2
from pathlib import Path

import pytest

from tests.cli.test_base_images import image
from tests.cli.workbench import Workbench, debian, ubuntu
from tests.images.test_image_archive import archive as saved_archive
from tests.images.test_image_archive import saved
from tests.snapshots import SnapshotService

DAYS = [f"202603{day:02}T031500Z" for day in range(1, 32)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """A month of imports: curl changes on the 10th, jq on the 5th and the 20th; security has a curl on the 15th."""
    service = SnapshotService(now=datetime.now(UTC), architectures=("amd64", "arm64"))
    for day, stamp in enumerate(DAYS, 1):
        main = {
            "apt": "2.6.1",
            "curl": "1" if day < 10 else "2",
            "jq": "1:1" if day < 5 else "1:2" if day < 20 else "1:3",
        }
        service.run("debian", stamp, {"bookworm": main, "bookworm-updates": {}})
        content = {"curl": "2+deb12u1"} if day >= 15 else {}
        if day % 2:
            service.run("debian-security", stamp.replace("T03", "T20"), {"bookworm-security": content})
    debian(service, "bookworm")
    folder = tmp_path / "project"
    folder.mkdir()
    with service.serve():
        bench = Workbench(folder, service, tmp_path)
        bench.configure("[snapshot]\ninterval = 0\n")
        yield bench


def pinned(bench: Workbench, *words: str) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\nRUN apt-get install -y {' '.join(words)}\n")


def indices(bench: Workbench, suite: str) -> int:
    return len([path for path in bench.archive.requests if f"/{suite}/" in path and "Packages" in path])


def test_one_moment_for_all(bench: Workbench) -> None:
    pinned(bench, "curl=2", "jq=1:2", "apt")
    result = bench.run("snapshot", "find", "Dockerfile")
    assert result.status == 0
    assert result.out == (
        "bookworm: all 4 versions are there at 20260319T201500Z (debian 20260319T031500Z, debian-security "
        "20260319T201500Z)\n  proven by the indices of 7 of the 46 moments\n"
    )
    assert "this may take" in result.err
    asked = len(bench.archive.requests)
    assert bench.run("snapshot", "find", "--offline", "Dockerfile").out == result.out
    assert len(bench.archive.requests) == asked


def test_and_it_can_be_locked(bench: Workbench) -> None:
    pinned(bench, "curl=2+deb12u1", "jq=1:2")
    found = json.loads(bench.run("snapshot", "find", "--json", "Dockerfile").out)["suites"]
    moment = found[0]["moments"][0]["snapshot"]
    result = bench.run("lock", "--snapshot", moment, "--write-sources", "Dockerfile")
    assert result.status == 0, result
    assert set(found[0]["moments"][0]["imports"].items()) == {
        ("debian", "20260319T031500Z"),
        ("debian-security", "20260319T201500Z"),
    }
    assert all(stamp in bench.read("Dockerfile") for stamp in found[0]["moments"][0]["imports"].values())
    closure = bench.run("snapshot", "find", "--closure", "Dockerfile")
    assert closure.status == 0 and "all 4 versions are there at 20260319T201500Z" in closure.out


def test_lower_bounds_from_the_pool_need_proof(bench: Workbench) -> None:
    service = bench.archive
    assert isinstance(service, SnapshotService)
    for (archive, name, version, _), file in service.files.items():
        if (archive, name, version) == ("debian", "jq", "1:3"):
            file.first_seen = "20260302T000000Z"  # it waited elsewhere in the pool
    pinned(bench, "curl=2", "jq=1:3")
    result = bench.run("snapshot", "find", "Dockerfile")
    assert result.status == 0
    assert "all 4 versions are there at 202603" in result.out
    assert indices(bench, "bookworm") <= 2 * (2 + 6)


def test_versions_that_were_never_together(bench: Workbench) -> None:
    pinned(bench, "curl=1", "jq=1:3", "apt=2.6.1")
    result = bench.run("snapshot", "find", "--platform", "amd64", "Dockerfile")
    assert result.status == 1
    assert result.out == (
        "bookworm: no moment has all 3 versions; it takes 2:\n"
        "  20260309T201500Z (debian 20260309T031500Z, debian-security 20260309T201500Z): curl=1 (amd64), "
        "apt=2.6.1 (amd64)\n"
        "  20260320T031500Z (debian 20260320T031500Z, debian-security 20260319T201500Z): jq=1:3 (amd64)\n"
        "  curl=1 (amd64) is not there after 20260309T201500Z, jq=1:3 (amd64) not at that time yet: it had 1:2\n"
        "  proven by the indices of 6 of the 46 moments\n"
    )


def test_what_no_snapshot_has(bench: Workbench) -> None:
    pinned(bench, "curl=1", "jq=1:9")
    result = bench.run("snapshot", "find", "--platform", "amd64", "Dockerfile")
    assert result.status == 1
    assert "bookworm: the version is there at" in result.out
    assert "bookworm: no snapshot has jq=1:9 (amd64)\n" in result.out


def test_an_incomplete_import_is_passed_over(bench: Workbench) -> None:
    bench.archive.missing(f"/archive/debian/{DAYS[9]}/*Packages*")
    bench.archive.alter(f"/archive/debian/{DAYS[10]}/*Packages*", lambda body: body[:-1])
    pinned(bench, "curl=2", "jq=1:2")
    result = bench.run("snapshot", "find", "--platform", "amd64", "Dockerfile")
    assert result.status == 0
    assert "all 2 versions are there at 202603" in result.out
    assert f"passed over: http://snapshot.debian.org/archive/debian/{DAYS[9]}" in result.err


def test_a_service_that_fails(bench: Workbench) -> None:
    pinned(bench, "curl=2")
    bench.archive.status("/mr/binary/*", 404)  # unknown to the service: no lower bound, that is all
    assert bench.run("snapshot", "find", "Dockerfile").status == 0
    bench.archive.alter("/mr/timestamp/*", lambda body: b"<html>")
    result = bench.run("snapshot", "find", "Dockerfile")
    assert result.status == 0  # learned before
    pinned(bench, "jq=1:2")
    bench.archive.alter("/mr/binary/*", lambda body: b"<html>")
    bench.archive.behave()
    bench.archive.alter("/mr/binary/*", lambda body: b"<html>")
    result = bench.run("snapshot", "find", "Dockerfile")
    assert result.status == 5 and "this is not the service's answer" in result.err


def test_nothing_is_pinned(bench: Workbench) -> None:
    pinned(bench, "curl")
    result = bench.run("snapshot", "find", "Dockerfile")
    assert (result.status, result.out) == (
        0,
        "no version is pinned in these files: there is nothing to find\n",
    )


def test_closure_needs_a_lock(bench: Workbench) -> None:
    pinned(bench, "curl=2")
    result = bench.run("snapshot", "find", "--closure", "Dockerfile")
    assert result.status == 3 and "the lock has no entry for this file" in result.err


def test_all_of_a_run_keeps_one_pace(bench: Workbench) -> None:
    bench.configure("[snapshot]\ninterval = 0.03\n")
    pinned(bench, "curl=2", "jq=1:3")
    service = bench.archive
    assert isinstance(service, SnapshotService)
    live = next(suite for suite in service.suites if suite.name == "bookworm")
    live.package("curl", "9").package("jq", "1:9")
    for arguments, status in (
        (("snapshot", "find"), 0),
        (("lock", "--snapshot", "2026-03-25", "--write-sources", "--dry-run"), 0),
        (("verify", "--snapshots"), 1),
        (("refresh", "--rescue"), 0),
    ):
        shutil.rmtree(bench.cache, ignore_errors=True)
        begun = len(service.times)
        assert bench.run(*arguments, "--platform", "amd64", "Dockerfile").status == status
        asked = list(zip(service.times[begun:], service.requests[begun:], strict=True))
        of_snapshots = [time for time, path in asked if path.startswith(("/archive/", "/mr/"))]
        gaps = [after - before for before, after in pairwise(of_snapshots)]
        assert len(gaps) > 3 and min(gaps) >= 0.03
    assert service.overlaps == 0


def test_stages_are_seen_as_lock_sees_them(bench: Workbench, tmp_path: Path) -> None:
    service = bench.archive
    assert isinstance(service, SnapshotService)
    main = {"apt": "2.6.1", "curl": "2", "jq": "1:3"}
    backports = {"bookworm": main, "bookworm-updates": {}, "bookworm-backports": {"jq": "1:8~bpo12+1"}}
    service.run("debian", "20260401T031500Z", backports)
    saved_image = saved_archive(tmp_path, saved(image({"apt": "2.6.1"}, packing="plain")))
    bench.write("backports.list", "deb http://deb.debian.org/debian bookworm-backports main\n")
    bench.write(
        "Dockerfile",
        "FROM app:1\nCOPY backports.list /etc/apt/sources.list.d/\n"
        "RUN apt-get install -y curl=2 jq=1:8~bpo12+1\n",
    )
    seen = ("--images", "auto", "--image-archive", str(saved_image), "--platform", "amd64", "Dockerfile")
    result = bench.run("snapshot", "find", *seen)
    assert result.status == 0, result
    assert "all 2 versions are there at 20260401T031500Z" in result.out
    suite = next(suite for suite in service.suites if suite.name == "bookworm")
    suite.package("curl", "9").package("jq", "1:9")
    service.suite("bookworm-backports").date = datetime(2026, 1, 1, tzinfo=UTC)
    rescued = bench.run("refresh", "--rescue", *seen)
    assert rescued.status == 0, rescued
    assert "Suites: bookworm-backports" in bench.read("Dockerfile")
    closure = bench.run("snapshot", "find", "--closure", "Dockerfile")
    assert (closure.status, "all 2 versions are there at 20260401T031500Z" in closure.out) == (0, True)
    assert "Suites: bookworm-backports" in bench.run("export", "sources").out


def test_metasnap_tells_where_to_look(bench: Workbench) -> None:
    bench.configure(f'[snapshot]\ninterval = 0\nmetasnap = "{bench.archive.url}"\n')
    pinned(bench, "curl=2", "jq=1:2", "apt=2.6.1")
    result = bench.run("snapshot", "find", "--metasnap", "Dockerfile")
    assert (result.status, "all 6 versions are there at 202603" in result.out) == (0, True)
    assert "proven by the indices of 2 of the 46 moments" in result.out
    asked = bench.archive.requests
    assert not any("/mr/binary/" in path for path in asked)
    forms = [path for path in asked if path == "/cgi-bin/api"]
    assert (
        len(forms) == 2 + 2 * 1
    )  # each archive and architecture; security knows none of them, which ends it
    assert bench.run("snapshot", "find", "--metasnap", "--offline", "Dockerfile").out == result.out
    assert len(asked) == len(bench.archive.requests)


def test_metasnap_tells_why_one_moment_is_not_enough(bench: Workbench) -> None:
    bench.configure(f'[snapshot]\ninterval = 0\nmetasnap = "{bench.archive.url}"\n')
    pinned(bench, "curl=1", "jq=1:3", "apt=2.6.1")
    result = bench.run("snapshot", "find", "--metasnap", "--platform", "amd64", "Dockerfile")
    assert result.status == 1
    assert "no moment has all 3 versions; it takes 2:\n  20260309T201500Z" in result.out
    assert not any("/mr/binary/" in path for path in bench.archive.requests)


METASNAP_FAULTS: dict[str, Callable[[SnapshotService], object]] = {
    "is down": lambda service: service.status("/cgi-bin/api", 503),
    "resets": lambda service: service.reset("/cgi-bin/api"),
    "answers nonsense": lambda service: service.alter("/cgi-bin/api", lambda body: b"<html>\x1b[31m"),
    "finds nothing": lambda service: service.missing("/cgi-bin/api"),
    "does not know one": lambda service: service.forgotten.add(("jq", "1:2")),
    "knows others": lambda service: service.alter("/cgi-bin/api", lambda body: body.replace(b"jq ", b"yq ")),
    "is out of date": lambda service: service.alter(
        "/cgi-bin/api", lambda body: body.replace(b"202603", b"202601")
    ),
    "lies": lambda service: service.alter(
        "/cgi-bin/api", lambda body: re.sub(rb"\S+T\S+Z \S+Z\n", b"20260328T031500Z 20260330T031500Z\n", body)
    ),
    "is endless": lambda service: service.alter("/cgi-bin/api", lambda body: body * 1_000_000),
}
NOTED = {
    "does not know one": "",
    "is out of date": "",
    "lies": "metasnap is wrong about some of these versions",
}


@pytest.mark.parametrize("fault", METASNAP_FAULTS)
def test_metasnap_that_fails_or_lies_changes_no_answer(bench: Workbench, fault: str) -> None:
    service = bench.archive
    assert isinstance(service, SnapshotService)
    bench.configure(f'[snapshot]\ninterval = 0\nmetasnap = "{service.url}"\n')
    pinned(bench, "curl=2", "jq=1:2")
    METASNAP_FAULTS[fault](service)
    result = bench.run("snapshot", "find", "--metasnap", "--platform", "amd64", "Dockerfile")
    assert result.status == 0, result
    assert "all 2 versions are there at 202603" in result.out
    notes = [line for line in result.err.splitlines() if "metasnap" in line]
    said = NOTED.get(fault, f"note: searched without metasnap: {service.url}/cgi-bin/api: ")
    assert len(notes) == bool(said) and all(said in note and "\x1b" not in note for note in notes)
    assert len([path for path in service.requests if path == "/cgi-bin/api"]) <= 4


def test_metasnap_and_a_recorded_archive(bench: Workbench) -> None:
    result = bench.run("snapshot", "find", "--metasnap", "--archive", ".", "Dockerfile")
    assert result.status == 2 and "exclude each other" in result.err


# Ubuntu: any second can be had, nothing lists what was when.


@pytest.fixture
def noble(tmp_path: Path) -> Iterator[Workbench]:
    service = SnapshotService(now=datetime.now(UTC), architectures=("amd64", "arm64"))
    for day in range(1, 29):
        stamp = f"202602{day:02}T101500Z"
        release = {"jq": "1.7-1", "curl": "8.5-1"}
        updates = {"curl": "8.5-1ubuntu1"} if day < 9 else {"curl": "8.5-1ubuntu2", "jq": "1.7-1ubuntu1"}
        pockets = {"noble": release, "noble-updates": updates, "noble-backports": {}, "noble-security": {}}
        service.run("ubuntu", stamp, pockets)
    ubuntu(service, "noble")
    folder = tmp_path / "project"
    folder.mkdir()
    with service.serve():
        bench = Workbench(folder, service, tmp_path)
        bench.configure("[snapshot]\ninterval = 0\n")
        bench.write("Dockerfile", "FROM ubuntu:24.04\nRUN apt-get install -y curl=8.5-1ubuntu1 jq=1.7-1\n")
        yield bench


def test_pins_of_ubuntu(noble: Workbench) -> None:
    result = noble.run("snapshot", "find", "Dockerfile")
    assert result.status == 0, result
    found = re.search(
        r"noble: all 4 versions are there at (202602\d\dT\d\d0000Z) \(ubuntu \1\)\n", result.out
    )
    assert found and found[1] == "20260209T060000Z"
    read, moments = map(
        int,
        re.findall(r"proven by the indices of (\d+) of the (\d+) moments, one every 6 hours", result.out)[0],
    )
    assert read <= 2 * (2 + ceil(log2(moments)))
    assert not any("/mr/" in path for path in noble.archive.requests)
    locked = noble.run("lock", "--snapshot", found[1], "--write-sources", "Dockerfile")
    assert locked.status == 0 and f"snapshot.ubuntu.com/ubuntu/{found[1]}" in noble.read("Dockerfile")


def test_pins_of_ubuntu_that_were_never_together(noble: Workbench) -> None:
    noble.write(
        "Dockerfile", "FROM ubuntu:24.04\nRUN apt-get install -y curl=8.5-1ubuntu1 jq=1.7-1ubuntu1 vim=9\n"
    )
    result = noble.run("snapshot", "find", "--platform", "arm64", "Dockerfile")
    assert result.status == 1
    assert "noble: no moment has all 2 versions; it takes 2:\n  20260209T060000Z" in result.out
    assert "noble: none of these moments has vim=9 (arm64)\n" in result.out


def test_a_rescue_of_ubuntu(noble: Workbench) -> None:
    suite = next(suite for suite in noble.archive.suites if suite.name == "noble")
    suite.package("curl", "8.5-9").package("jq", "1.7-9")
    result = noble.run("refresh", "--rescue", "--platform", "amd64", "Dockerfile")
    assert result.status == 0, result
    assert "http://snapshot.ubuntu.com/ubuntu/20260209T060000Z" in noble.read("Dockerfile")
