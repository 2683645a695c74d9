"""`pinner download`: a repository of the locked .debs, whatever happens on the way."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from pinner.lock import reader
from tests.archive.test_changelog import deb
from tests.cli.workbench import Workbench, debian

CURL = "pool/main/c/curl/curl_7.88.1-10_amd64.deb"
LIBCURL = "pool/main/l/libcurl4/libcurl4_7.88.1-10_amd64.deb"


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    """Locked for amd64: curl, which brings libcurl4."""
    archive = bench.archive
    archive.suites.clear()
    bookworm = debian(archive, "bookworm")
    bookworm.deb("curl", "7.88.1-10", depends="libcurl4 (= 7.88.1-10)", multi_arch="foreign")
    bookworm.deb("libcurl4", "7.88.1-10", source="curl").deb("jq", "1.6-2.1", arch="all")
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
    assert bench.run("lock", "--platform", "linux/amd64").status == 0
    archive.requests.clear()
    return bench


def content(bench: Workbench, filename: str = CURL) -> bytes:
    return bench.archive.pool[f"/debian/{filename}"]


def debs(bench: Workbench) -> dict[str, bytes]:
    root = bench.folder / "out"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.deb"))}


def fetched(bench: Workbench) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in bench.archive.requests if path.endswith(".deb"))


def test_a_repository_of_the_closure(bench: Workbench) -> None:
    result = bench.run("download", "out")
    assert (result.status, result.err) == (0, "")
    assert result.out == "out holds 2 packages: fetched 2 (0.4 MB), 0 were there\n"
    assert debs(bench) == {name: content(bench, name) for name in (CURL, LIBCURL)}
    index = bench.read("out/Packages")
    assert index == bench.run("export", "packages").out
    assert index.split("\n\n")[1] == (
        "Package: libcurl4\nSource: curl\nVersion: 7.88.1-10\nArchitecture: amd64\nPriority: optional\n"
        f"Filename: {LIBCURL}\nSize: 200000\nSHA256: {sha256(content(bench, LIBCURL)).hexdigest()}\n"
    )
    release = bench.read("out/Release")
    assert "\nDate: Sat, 11 Jan 2025 09:30:00 UTC\n" in release
    assert release.endswith(f"\n {sha256(index.encode()).hexdigest()} {len(index)} Packages\n")
    assert sorted(path.name for path in (bench.folder / "out").iterdir()) == [
        "Packages",
        "Release",
        "dists",
        "pool",
    ]


def test_packages_of_the_build_context_are_copied(bench: Workbench) -> None:
    own = bench.folder / "own.deb"
    control = {"control": b"Package: own\nVersion: 3\nArchitecture: amd64\n"}
    own.write_bytes(deb({"usr/bin/own": b"x"}, control=control))
    bench.write("Dockerfile", "FROM debian:bookworm\nCOPY own.deb /\nRUN apt-get install -y curl /own.deb\n")
    assert bench.run("lock", "--platform", "linux/amd64").status == 0
    assert bench.run("download", "out").status == 0
    assert debs(bench)["context/own.deb"] == own.read_bytes()
    own.write_bytes(b"another")
    result = bench.run("download", "out")
    assert result.status == 1 and "not copied: own.deb: it is not the file that was locked" in result.err


def test_a_rerun_fetches_what_is_missing_or_damaged(bench: Workbench) -> None:
    bench.run("download", "out")
    before = bench.files()
    bench.archive.requests.clear()
    assert bench.run("download", "out").out == "out holds 2 packages: fetched 0 (0.0 MB), 2 were there\n"
    assert fetched(bench) == []
    (bench.folder / "out" / CURL).unlink()
    assert bench.run("download", "out").status == 0
    with (bench.folder / "out" / LIBCURL).open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    assert bench.run("download", "out", "-q").out == ""
    assert fetched(bench) == [CURL.rpartition("/")[2], LIBCURL.rpartition("/")[2]]
    assert {name: text for name, (text, _) in bench.files().items()} == {
        name: text for name, (text, _) in before.items()
    }


def test_what_else_lies_there_stays(bench: Workbench) -> None:
    bench.write("out/pool/own.deb", "mine")
    bench.write("out/README", "mine")
    bench.run("download", "out")
    assert (bench.read("out/pool/own.deb"), bench.read("out/README")) == ("mine", "mine")
    assert "own.deb" not in bench.read("out/Packages")


MISCHIEF: dict[str, tuple[Callable[[Workbench], None], int, str]] = {
    "tampered": (
        lambda bench: bench.archive.alter("*/curl_*.deb", lambda body: b"x" + body[1:]),
        6,
        "/curl_7.88.1-10_amd64.deb: SHA-256 ",
    ),
    "too short": (
        lambda bench: bench.archive.alter("*/curl_*.deb", lambda body: body[:-1]),
        6,
        "/curl_7.88.1-10_amd64.deb: 199999 bytes instead of 200000",
    ),
    "too long": (
        lambda bench: bench.archive.alter("*/curl_*.deb", lambda body: body + b"x"),
        6,
        "longer than the 200000 bytes",
    ),
    "gone": (
        lambda bench: bench.archive.missing("*/curl_*.deb"),
        5,
        "error: curl:amd64=7.88.1-10 is gone: http://deb.debian.org/debian/pool/main/c/curl/curl_7.88.1-10_amd64.deb: "
        "HTTP status 404\nhint: an archive keeps a superseded version for a short while only: move the lock on with "
        "`pinner refresh`, or lock a snapshot; single files are kept at https://snapshot.debian.org\n",
    ),
    "refused": (lambda bench: bench.archive.status("*/curl_*.deb", 403), 5, "HTTP status 403"),
    "login page": (
        lambda bench: bench.archive.alter("*/curl_*.deb", lambda _: b"<html>log in</html>"),
        6,
        "19 bytes instead of 200000",
    ),
}


@pytest.mark.parametrize("name", MISCHIEF)
def test_mischief(bench: Workbench, name: str) -> None:
    work, status, said = MISCHIEF[name]
    work(bench)
    result = bench.run("download", "out")
    assert result.status == status
    assert said in result.err
    # nothing bad has a name, what was good is kept, and no index names what is not there
    assert debs(bench) == {LIBCURL: content(bench, LIBCURL)}
    assert not (bench.folder / "out/Packages").exists()
    bench.archive.behave()
    bench.archive.requests.clear()
    assert bench.run("download", "out").status == 0
    assert fetched(bench) == [CURL.rpartition("/")[2]]
    assert debs(bench)[CURL] == content(bench)


def test_what_breaks_off_is_resumed_by_the_next_run(bench: Workbench) -> None:
    draft = f"out/partial/{sha256(content(bench)).hexdigest()}"
    bench.write(draft, content(bench)[:150_000])
    assert bench.run("download", "out").status == 0
    assert [
        headers["Range"]
        for path, headers in zip(
            bench.archive.requests, bench.archive.headers[-len(bench.archive.requests) :], strict=True
        )
        if path.endswith("curl_7.88.1-10_amd64.deb")
    ] == ["bytes=150000-"]
    assert debs(bench)[CURL] == content(bench)
    assert not (bench.folder / draft).exists()


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 200_000, b"x" * 300_000], ids=["less", "all", "more"])
def test_a_wrong_beginning_is_fetched_anew(bench: Workbench, left: bytes) -> None:
    bench.write(f"out/partial/{sha256(content(bench)).hexdigest()}", left)
    assert bench.run("download", "out").status == 0
    assert debs(bench)[CURL] == content(bench)


def test_a_whole_draft_is_not_fetched_again(bench: Workbench) -> None:
    bench.write(f"out/partial/{sha256(content(bench)).hexdigest()}", content(bench))
    assert bench.run("download", "out").status == 0
    assert fetched(bench) == [LIBCURL.rpartition("/")[2]]


def test_killed_in_between(bench: Workbench) -> None:
    bench.archive.stall("*/curl_*.deb")
    process = bench.start("download", "out")
    partial = bench.folder / "out/partial"
    deadline = time.monotonic() + 30
    while not (bench.folder / "out" / LIBCURL).exists() and time.monotonic() < deadline:
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert list(debs(bench)) == [LIBCURL]
    assert [path.stat().st_size for path in partial.iterdir()] == [0]
    bench.archive.behave()
    bench.archive.requests.clear()
    assert bench.run("download", "out").status == 0
    assert fetched(bench) == [CURL.rpartition("/")[2]]


def test_a_full_disk(bench: Workbench) -> None:
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
    result = bench.process("download", "out", first=limit)
    assert result.status == 3
    assert "cannot be written: File too large" in result.err
    assert "a rerun goes on where this one ended" in result.err
    assert debs(bench) == {}
    assert bench.run("download", "out").status == 0
    assert debs(bench)[CURL] == content(bench)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX")
def test_a_directory_that_is_a_file(bench: Workbench) -> None:
    bench.write("out", "")
    result = bench.run("download", "out")
    assert result.status == 2
    bench.write("dir/pool", "")
    result = bench.run("download", "dir")
    assert (result.status, "cannot be written: " in result.err or "Not a directory" in result.err) == (
        3,
        True,
    )


@pytest.mark.parametrize(
    "filename",
    [
        "../../evil.deb",
        "/etc/evil.deb",
        "pool/../../evil.deb",
        "pool/.hidden/x.deb",
        "Packages",
        "pool//x.deb",
    ],
)
def test_a_lock_that_leads_out_of_the_directory(bench: Workbench, filename: str) -> None:
    bench.write("pinner.lock", bench.read("pinner.lock").replace(CURL, filename))
    result = bench.run("download", "out")
    assert result.status == 3
    assert "the lock names no .deb of a pool for curl:amd64=7.88.1-10" in result.err
    assert not (bench.folder / "out").exists()
    assert fetched(bench) == []


def test_two_files_of_one_name(bench: Workbench) -> None:
    bench.write("pinner.lock", bench.read("pinner.lock").replace(LIBCURL, CURL))
    result = bench.run("download", "out")
    assert result.status == 3
    assert "two files with one name" in result.err


def test_a_lock_of_other_content_than_the_index(bench: Workbench) -> None:
    digest = sha256(content(bench)).hexdigest()
    bench.write("pinner.lock", bench.read("pinner.lock").replace(digest, "0" * 64))
    result = bench.run("download", "out")
    assert result.status == 6
    assert f"the lock has SHA-256 {'0' * 64} of " in result.err
    assert f"http://deb.debian.org/debian bookworm has {digest} of " in result.err


def test_superseded_in_the_index(bench: Workbench) -> None:
    bench.archive.suites[-1].remove("curl").deb("curl", "7.88.1-11", depends="libcurl4")
    for suite in bench.archive.suites:
        suite.date = bench.archive.now
    bench.configure("")
    cached = bench.cache / "releases"
    for path in cached.iterdir():
        path.unlink()
    result = bench.run("download", "out")
    assert result.status == 5
    assert "curl:amd64=7.88.1-10 is not in http://deb.debian.org/debian bookworm any more" in result.err
    assert "hint: move the lock on with `pinner refresh`" in result.err


def test_a_file_mirror(bench: Workbench, tmp_path: Path) -> None:
    for name in (CURL, LIBCURL):
        place = tmp_path / "mirror" / name
        place.parent.mkdir(parents=True)
        place.write_bytes(content(bench, name))
    bench.write(
        "pinner.toml",
        bench.read("pinner.toml")
        + f'"http://deb.debian.org/debian/pool" = "file://{tmp_path}/mirror/pool"\n',
    )
    assert bench.run("download", "out").status == 0
    assert fetched(bench) == []
    assert debs(bench)[CURL] == content(bench)


def test_two_runs_at_once(bench: Workbench) -> None:
    import fcntl

    draft = bench.write(f"out/partial/{sha256(content(bench)).hexdigest()}", b"")
    with draft.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = bench.run("download", "out")
    assert result.status == 3
    assert "another run is fetching this file" in result.err


def test_all_platforms_in_one_repository(bench: Workbench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl jq\n")
    (bench.folder / "pinner.lock").unlink()
    assert bench.run("lock").status == 0
    assert bench.run("download", "out").status == 0
    assert [path.rpartition("_")[2] for path in debs(bench)] == [
        "amd64.deb", "arm64.deb", "all.deb", "amd64.deb", "arm64.deb",
    ]  # fmt: skip
    assert "\nArchitectures: amd64 arm64\n" in bench.read("out/Release")
    assert bench.run("download", "one", "--platform", "arm64").out.startswith("one holds 3 packages")
    assert reader.loads(bench.read("pinner.lock")).packages


def test_a_lock_of_a_snapshot(bench: Workbench) -> None:
    """The index and the .debs come from the service that keeps them, through its mirror."""
    archive = bench.archive
    kept = "archive/debian/20250201T000000Z"
    bookworm = archive.suite("bookworm", path=kept, architectures=("amd64",))
    bookworm.date = archive.suites[0].date
    bookworm.deb("curl", "7.88.1-10", depends="libcurl4 (= 7.88.1-10)", multi_arch="foreign")
    bookworm.deb("libcurl4", "7.88.1-10", source="curl")
    bench.configure(f'[snapshot]\nmirrors = ["{archive.url}"]\ninterval = 0.0\n')
    text = re.sub(r'  \{.*suite = "bookworm-.*\n', "", bench.read("pinner.lock"))
    uri = f"http://snapshot.debian.org/{kept}"
    bench.write("pinner.lock", text.replace('"http://deb.debian.org/debian"', f'"{uri}"'))
    result = bench.run("download", "out")
    assert (result.status, result.err) == (0, "")
    assert debs(bench) == {name: content(bench, name) for name in (CURL, LIBCURL)}
    assert all(path.startswith(f"/{kept}/") for path in archive.requests)


def test_each_suite_is_what_it_is_in_the_archive(bench: Workbench) -> None:
    """So that `-t`, `name/suite` and preferences mean the same; signed by the user's key."""
    from pysequoia import Tsk, verify

    key = Tsk.generate("me <me@example.org>")
    bench.write("key.asc", str(key))
    result = bench.run("download", "out", "--sign-with", "key.asc")
    assert (result.status, result.err) == (0, "")
    release = bench.read("out/dists/bookworm/Release")
    index = bench.read("out/dists/bookworm/main/binary-amd64/Packages")
    assert "Suite: bookworm\nCodename: bookworm\n" in release
    assert f" {sha256(index.encode()).hexdigest()} {len(index)} main/binary-amd64/Packages\n" in release
    assert [line for line in index.splitlines() if line.startswith("Package:")] == [
        "Package: curl",
        "Package: libcurl4",
    ]
    # apt-get update asks for each suite that it is told of
    assert "Package: pinner-nothing" in bench.read("out/dists/bookworm-security/main/binary-amd64/Packages")
    signed = (bench.folder / "out/dists/bookworm/InRelease").read_bytes()
    certificate = key.extract_certificate()
    assert (verify(signed, store=lambda ids: [certificate]).bytes or b"").decode().strip() == release.strip()
    assert bench.read("out/keyring.asc") == str(certificate)
    assert bench.run("download", "out").status == 0
    assert not (bench.folder / "out/dists/bookworm/InRelease").exists()
    bench.write("key.asc", "no key")
    result = bench.run("download", "out", "--sign-with", "key.asc")
    assert (result.status, "key.asc: no secret key that can sign" in result.err) == (3, True)
