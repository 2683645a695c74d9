"""An archive that fails costs the files that need it, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.lock.reader import loads
from pinner.lock.schema import Target
from tests.cli.workbench import Workbench, debian, ubuntu
from tests.simulator import SimulatedArchive


def bench_of(archive: SimulatedArchive, tmp_path: Path) -> Workbench:
    debian(archive, "bookworm").package("curl", "7.88")
    ubuntu(archive, "jammy")
    folder = tmp_path / "project"
    folder.mkdir()
    bench = Workbench(folder, archive, tmp_path)
    for name, image in (("a", "debian:12"), ("b", "ubuntu:22.04"), ("c", "ubuntu:jammy")):
        bench.write(f"{name}.Dockerfile", f"FROM {image}\nRUN apt-get install -y curl\n")
    return bench


def targets(lock: str, file: str) -> tuple[Target, ...]:
    return tuple(target for target in loads(lock).targets if target.file == file)


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve() as url:
        bench = bench_of(archive, tmp_path)
        archive.missing("/ubuntu/dists/jammy/*")
        result = bench.run("lock")
    assert url not in result.err
    assert result.status == 5
    assert "archive.ubuntu.com/ubuntu/dists/jammy/InRelease: HTTP status 404" in result.err
    assert result.err.endswith("not locked for that: b.Dockerfile, c.Dockerfile\n")
    assert "curl=7.88" in bench.read("a.Dockerfile")
    assert bench.read("b.Dockerfile") == "FROM ubuntu:22.04\nRUN apt-get install -y curl\n"


def test_what_the_lock_knew_of_the_others_stays(tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        bench = bench_of(archive, tmp_path)
        for suite in archive.suites:
            suite.package("curl", "7.88")
        assert bench.run("lock").status == 0
        lock = bench.read("pinner.lock")
        archive.alter("/ubuntu/*/InRelease", lambda body: body.replace(b"jammy", b"noble"))
        bench.write("a.Dockerfile", "FROM debian:12\nRUN apt-get install -y curl curl\n")
        result = bench.run("lock", "--max-age", "0s")
        assert result.status == 6
        now = bench.read("pinner.lock")
    assert now.count('argument = "curl=7.88" },') == lock.count('argument = "curl=7.88" },') + 2
    assert targets(now, "b.Dockerfile") == targets(lock, "b.Dockerfile") != ()


def test_one_version_in_two_distributions(tmp_path: Path) -> None:
    """Ubuntu builds what it takes from Debian itself: the files differ, and the lock knows each."""
    archive = SimulatedArchive()
    with archive.serve():
        bench = bench_of(archive, tmp_path)
        for number, suite in enumerate(archive.suites):
            suite.package(
                "netbase",
                "6.4",
                arch="all",
                sha256=f"{number % 2:064x}" if "ubuntu" in suite.path else "f" * 64,
            )
        for name in "abc":
            text = bench.read(f"{name}.Dockerfile").replace("curl", "netbase")
            bench.write(f"{name}.Dockerfile", text)
        for _ in range(2):
            assert bench.run("lock", "--platform", "amd64").status == 0
            assert bench.run("verify").status == 0
            lock = bench.read("pinner.lock")
            assert lock.count('name = "netbase"') == 2
            bench.write("a.Dockerfile", bench.read("a.Dockerfile") + "\n")
        assert bench.run("lock", "--check").status == 0
        bench.run("lock", "c.Dockerfile")
        assert bench.read("pinner.lock") == lock


def test_an_architecture_that_only_one_file_needs(tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        for pocket, path in (("", ""), ("-updates", ""), ("-security", "-security")):
            suite = archive.suite(
                f"bookworm{pocket}", path=f"debian{path}", architectures=["amd64", "arm64", "i386"]
            )
            suite.package("curl", "7.88")
        bench = Workbench(tmp_path, archive, tmp_path)
        bench.write("a.Dockerfile", "FROM debian:12\nRUN apt-get install -y curl\n")
        bench.write(
            "b.Dockerfile",
            "FROM debian:12\nRUN dpkg --add-architecture i386 && apt-get install -y curl:i386 curl\n",
        )
        archive.missing("*binary-i386*")
        result = bench.run("lock")
        assert "curl=7.88" in bench.read("a.Dockerfile")
        assert "=" not in bench.read("b.Dockerfile")
    assert result.status == 5
    assert result.err.endswith("not locked for that: b.Dockerfile\n")


@pytest.mark.parametrize(
    ("words", "pinned"),
    [
        ("curl libc6:i386 wine32:i386", "curl=7.88 libc6:i386=2.36 wine32:i386=8.0"),
        ("curl wine32", "curl=7.88 wine32=8.0"),
    ],
)
def test_two_architectures_in_one_stage(tmp_path: Path, words: str, pinned: str) -> None:
    """What comes along for the added architecture is locked, verified and exported as its own; a name that no other one
    has needs not name it."""
    archive = SimulatedArchive()
    with archive.serve():
        for pocket, path in (("", ""), ("-updates", ""), ("-security", "-security")):
            suite = archive.suite(
                f"bookworm{pocket}", path=f"debian{path}", architectures=["amd64", "arm64", "i386"]
            )
            if not pocket:
                suite.package("apt", "2.6.1").package("libc6", "2.36", multi_arch="same")
                suite.package("wine32", "8.0", arch="i386", depends="libc6, tool", multi_arch="foreign")
                suite.package("tool", "1.0", multi_arch="foreign").package("curl", "7.88", depends="libc6")
        bench = Workbench(tmp_path, archive, tmp_path)
        bench.write(
            "Dockerfile",
            "FROM debian:12\nRUN dpkg --add-architecture i386 && apt-get update && "
            f"apt-get install -y {words}\n",
        )
        locked = bench.run("lock", "--platform", "linux/amd64")
        verified = bench.run("verify")
        exported = bench.run("export", "preferences")
        again = bench.run("lock", "--platform", "linux/amd64", "--check")
    assert (locked.status, verified.status, again.status) == (0, 0, 0)
    assert pinned in bench.read("Dockerfile")
    members = {
        member.id for target in loads(bench.read("pinner.lock")).targets for member in target.closure.members
    }
    assert members >= {"curl:amd64=7.88", "libc6:i386=2.36", "wine32:i386=8.0", "tool:amd64=1.0"}
    assert "Package: libc6:i386\nPin: version 2.36" in exported.out


def test_what_three_projects_share_is_noted_once(tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        bench = bench_of(archive, tmp_path)
        for name in ("one", "two", "three"):
            bench.write(f"{name}/pinner.toml", bench.read("pinner.toml"))
            bench.write(f"{name}/Dockerfile", "FROM debian:12\nRUN apt-get install -y curl\n")
        folders = ("one", "two", "three")
        assert bench.run("lock", *folders).status == 0
        for command in ("lock", "why curl"):
            notes = bench.run(*command.split(), "--offline", *folders).err.splitlines()
            assert notes and len(notes) == len(set(notes))
