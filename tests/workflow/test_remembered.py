"""What the lock remembers: how files were locked, and what targets held that cannot be resolved now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.lock.reader import loads
from pinner.lock.schema import Lock, LockedSettings, Target
from tests.cli.workbench import Workbench, debian
from tests.simulator import SimulatedArchive

BASE = "FROM debian:bookworm\nRUN apt-get update && apt-get install -y "


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    archive = SimulatedArchive()
    suite = debian(archive, "bookworm")
    for arch in ("amd64", "arm64"):
        suite.package("curl", "7.88", arch=arch, depends="libcurl4 (= 7.88)").package(
            "libcurl4", "7.88", arch=arch
        )
        suite.package("jq", "1.6", arch=arch).package("wget", "1.21", arch=arch, depends="libpsl5")
        suite.package("libpsl5", "0.21", arch=arch)
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve():
        bench = Workbench(folder, archive, tmp_path)
        bench.write("Dockerfile", f"{BASE}curl\n")
        yield bench


def locked(bench: Workbench) -> Lock:
    return loads(bench.read("pinner.lock"))


def target(bench: Workbench, file: str = "Dockerfile") -> Target:
    found = locked(bench).target((file, "0", "linux/amd64"))
    assert found is not None
    return found


def names(found: Target) -> set[str]:
    return {member.name for member in found.closure.members}


@pytest.mark.parametrize("command", [("lock", "--check"), ("verify",), ("refresh", "--check"), ("why", "jq")])
def test_platforms_are_remembered(bench: Workbench, command: tuple[str, ...]) -> None:
    bench.write("Dockerfile", f"{BASE}jq\n")
    assert bench.run("lock", "--platform", "amd64").status == 0
    assert locked(bench).settings == (LockedSettings("", "linux/amd64"),)
    bench.archive.missing("*binary-arm64*")
    result = bench.run(*command)
    assert (result.status, "arm64" in result.out + result.err) == (0, False)


def test_a_file_that_is_new_is_locked_as_the_others(bench: Workbench) -> None:
    bench.run("lock", "--platform", "amd64")
    bench.write("b/Dockerfile", f"{BASE}jq\n")
    bench.run("lock")
    assert {each.platform for each in locked(bench).targets} == {"linux/amd64"}


def test_files_that_were_locked_otherwise_have_their_own_settings(bench: Workbench) -> None:
    bench.write("b/Dockerfile", f"{BASE}jq\n")
    bench.run("lock", "--platform", "amd64")
    result = bench.run("lock", "b", "--platform", "arm64")
    assert "note: for linux/arm64; pinner.lock was made for linux/amd64\n" in result.err
    assert locked(bench).settings == (
        LockedSettings("", "linux/amd64"),
        LockedSettings("b/Dockerfile", "linux/arm64"),
    )
    assert bench.run("lock", "--check").status == 0
    assert {(each.file, each.platform) for each in locked(bench).targets} == {
        ("Dockerfile", "linux/amd64"),
        ("b/Dockerfile", "linux/arm64"),
    }


def test_the_configuration_counts_more_and_the_command_line_most(bench: Workbench) -> None:
    bench.run("lock", "--platform", "amd64")
    bench.configure('platforms = ["linux/arm64"]\n')
    assert "for linux/arm64; pinner.lock was made for linux/amd64" in bench.run("verify").err
    bench.run("lock", "--platform", "amd64", "--platform", "arm64")
    assert {each.platform for each in locked(bench).targets} == {"linux/amd64", "linux/arm64"}


@pytest.mark.parametrize(("option", "pin"), [("--pin-siblings", "siblings"), ("--closure", "closure")])
def test_what_else_is_pinned_is_remembered(bench: Workbench, option: str, pin: str) -> None:
    bench.run("lock", option)
    assert "curl=7.88 libcurl4=7.88" in bench.read("Dockerfile")
    assert locked(bench).settings == (LockedSettings("", "", pin),)
    bench.write("Dockerfile", f"{BASE}curl\n")
    bench.run("lock")
    assert "curl=7.88 libcurl4=7.88" in bench.read("Dockerfile")
    bench.write("Dockerfile", f"{BASE}curl\n")
    result = bench.run("lock", option.replace("--", "--no-", 1))
    assert f"pins arguments; pinner.lock was made with {pin}" in result.err
    assert "libcurl4" not in bench.read("Dockerfile")
    assert locked(bench).settings == (LockedSettings("", "", "arguments"),)
    assert bench.run("lock", "--check").status == 0


def test_the_configuration_says_what_else_is_pinned(bench: Workbench) -> None:
    bench.configure('pin = "siblings"\n')
    bench.run("lock")
    assert "curl=7.88 libcurl4=7.88" in bench.read("Dockerfile")
    bench.configure('pin = "sibling"\n')
    assert "hint: did you mean siblings?" in bench.run("lock").err


def test_kinds_are_remembered_by_a_search(bench: Workbench) -> None:
    script = "#!/bin/sh\n# pinner: suite=bookworm\napt-get install -y jq\n"
    bench.write("setup.sh", script)
    bench.run("lock", "--kind", "dockerfile")
    assert bench.read("setup.sh") == script
    bench.run("lock")
    assert bench.read("setup.sh") == script
    bench.run("lock", "--kind", "all")
    assert "jq=1.6" in bench.read("setup.sh")
    assert locked(bench).settings == (LockedSettings("", kinds="all"),)


def test_a_pin_that_is_gone_takes_nothing_from_what_was_known(bench: Workbench) -> None:
    bench.write("Dockerfile", f"{BASE}curl wget\n")
    bench.write("b/Dockerfile", f"{BASE}jq\n")
    bench.run("lock", "--platform", "amd64")
    before, other = target(bench), target(bench, "b/Dockerfile")
    bench.write("Dockerfile", bench.read("Dockerfile").replace("wget=1.21", "wget=1.0"))
    assert bench.run("lock").status == 1
    now = target(bench)
    assert names(now) == names(before) == {"curl", "libcurl4", "wget", "libpsl5"}
    assert "version '1.0' of wget was not found" in now.problem
    assert target(bench, "b/Dockerfile") == other
    assert bench.run("export", "preferences").status == 3
    assert bench.run("lock").status == 1
    bench.write("Dockerfile", bench.read("Dockerfile").replace("wget=1.0", "wget=1.21"))
    assert bench.run("lock").status == 0
    assert target(bench).closure.content == before.closure.content


def test_a_package_more_takes_no_line_of_another_target(bench: Workbench) -> None:
    for name in "abcd":
        bench.write(f"{name}/Dockerfile", f"{BASE}curl wget\n")
    bench.run("lock", "--platform", "amd64")
    before = bench.read("pinner.lock").splitlines()
    bench.write("a/Dockerfile", f"{bench.read('a/Dockerfile').rstrip()} jq\n")
    bench.run("lock")
    gone = [line for line in before if line not in bench.read("pinner.lock").splitlines()]
    assert [line.partition(", stage")[0] for line in gone] == ['  { file = "a/Dockerfile"']


@pytest.mark.parametrize("option", ["--pin-siblings", "--closure"])
def test_one_bad_file_stops_no_other(bench: Workbench, option: str) -> None:
    bench.write("b/Dockerfile", f"{BASE}curl=7.0 wget\n")
    bench.write("c/Dockerfile", f"{BASE}wget\nRUN apt-get install -y --no-such-thing $X curl\n")
    result = bench.run("lock", option)
    assert result.status == 1
    assert "curl=7.88 libcurl4=7.88" in bench.read("Dockerfile")
    assert "b/Dockerfile:2  curl=7.0" in result.out


def test_an_argument_that_is_not_read_is_marked(bench: Workbench) -> None:
    bench.write("Dockerfile", f"{BASE}curl $EXTRA\n")
    bench.run("lock", "--platform", "amd64")
    (mark,) = target(bench).closure.incomplete
    assert (mark.kind, mark.place) == ("argument", "$EXTRA")
    assert names(target(bench)) == {"curl", "libcurl4"}
    assert bench.run("lock", "--check").status == 0
    said = bench.run("export", "preferences").err
    assert "warning: the lock is incomplete: Dockerfile, stage 0, linux/amd64: $EXTRA: " in said
