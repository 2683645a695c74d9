"""What cannot be used is told, with its place and what to do next; nothing is written, and the rest goes on."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pinner.archive import fetch
from tests.cli.workbench import Result, Workbench
from tests.simulator import Key, SimulatedArchive, SimulatedSuite

PIN = "FROM debian:bookworm\nRUN apt-get install -y curl=7.88.1-10+deb12u14 jq=1.6-2.1\n"


def refused(bench: Workbench, *arguments: str, status: int, text: str) -> None:
    """Running this ends in `status`, says `text` on stderr, prints nothing else and writes nothing."""
    before = bench.files()
    result = bench.run(*arguments)
    assert result.err == text.replace("$URL", "http://deb.debian.org/debian/dists/bookworm")
    assert (result.status, result.out) == (status, "")
    assert bench.files() == before


# Files


@pytest.mark.parametrize("command", ["lock", "scan"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing", None, "missing: No such file or directory\n"),
        (
            "latin1",
            "FROM debian\nRUN écho".encode("latin-1"),
            "latin1:2:5: not UTF-8: byte 0xe9\nhint: convert the file to UTF-8\n",
        ),
        (
            "utf16",
            "FROM debian\n".encode("utf-16"),
            "utf16:1:1: not UTF-8: byte 0xff\nhint: convert the file to UTF-8\n",
        ),
        ("empty", b"", "empty:1:1: the file has no instructions\n    \n    ^\n"),
        (
            "no-from",
            b"RUN apt-get install curl\n",
            "no-from:1:1: no build stage: FROM must come before this\n    RUN apt-get install curl\n"
            "    ^^^^^^^^^^^^^^^^^^^^^^^^\nhint: only ARG may precede it\n",
        ),
        (
            "escapes\x1b[31m",
            b"FROM a\n\x1b]0;owned\x07 x\n",
            "escapes\\x1b[31m:2:1: unknown instruction: \\x1b]0;owned\\x07\n    \\x1b]0;owned\\x07 x\n"
            "    ^^^^^^^^^^\nhint: a Dockerfile's lines begin with an instruction such as RUN\n",
        ),
        ("a" * 300, None, f"{'a' * 300}: File name too long\n"),
    ],
    ids=["missing", "latin-1", "utf-16", "empty", "no FROM", "control characters", "a long name"],
)
def test_a_file_that_cannot_be_used(
    bench: Workbench, command: str, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        bench.write(name, content)
    refused(bench, command, name, status=3, text=f"error: {said}")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "Dockerfile",
            "FROM debian:bookworm\nRUM apt-get install jq\n",
            "one/Dockerfile:2:1: unknown instruction: RUM",
        ),
        ("pinner.lock", "no lock", "one/pinner.lock: not a lock: "),
        ("pinner.toml", "nosuch = 1", "one/pinner.toml: unknown key nosuch"),
        (
            "pinner.toml",
            '[[source]]\nuri = "https://apt.example.org"\nkey = "none.asc"',
            "one/pinner.toml: names none.asc, which is not there",
        ),
    ],
)
def test_what_cannot_be_used_stops_no_other_project(
    bench: Workbench, file: str, text: str, said: str
) -> None:
    for name in ("one", "two"):
        bench.write(f"{name}/Dockerfile", PIN)
        bench.write(f"{name}/pinner.toml", "")
    assert bench.run("lock").status == 0
    bench.write(f"one/{file}", text)
    for command, other in (
        ("lock", "2 of 2 packages pinned already"),
        ("verify", "checked 4 pins"),
        ("refresh", "nothing "),
        ("scan", "4 package arguments"),
        ("why jq", "two/Dockerfile:2"),
    ):
        done = bench.run(*command.split())
        assert (done.status, said in done.err, other in done.out) == (3, True, True), (command, done)
    alone = bench.run("verify", "one")
    assert (alone.status, said in alone.err, "pins" in alone.out) == (3, True, False), alone


@pytest.mark.parametrize("command", ["lock", "scan"])
def test_a_directory_without_dockerfiles(bench: Workbench, command: str) -> None:
    bench.write("docs/README", "")
    said = (
        "error: docs: no Dockerfile, and no other file that installs packages, in this directory or below\n"
    )
    refused(bench, command, "docs", status=3, text=said + "hint: name the file, or another directory\n")


@pytest.mark.parametrize("command", ["lock", "scan"])
def test_a_loop_of_links(bench: Workbench, command: str) -> None:
    (bench.folder / "loop").symlink_to("loop")
    refused(bench, command, "loop", status=3, text="error: loop: Too many levels of symbolic links\n")


def test_a_file_without_end(bench: Workbench) -> None:
    refused(
        bench,
        *("scan", "/dev/zero"),
        status=3,
        text="error: /dev/zero: larger than 64 MiB\nhint: is this the right file?\n",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(bench: Workbench) -> None:
    bench.write("secret", "FROM debian\n").chmod(0)
    refused(bench, "lock", "secret", status=3, text="error: secret: Permission denied\n")


@pytest.mark.parametrize("name", ["Dockerfile", "pinner.lock"])
def test_a_read_only_file(bench: Workbench, name: str) -> None:
    bench.run("lock")
    bench.write("Dockerfile", PIN + "RUN apt-get install -y curl\n")
    (bench.folder / name).chmod(0o444)
    bench.archive.suites[-1].package("curl", "9")
    before = bench.files()
    result = bench.run("lock", "--max-age", "0s")
    assert (result.status, result.out) == (3, "")
    assert re.fullmatch(
        rf"error: (\S*/)?{name}: cannot be written: the file is read-only\nhint: nothing was changed\n",
        result.err,
    )
    assert bench.files() == before


def test_the_good_files_are_pinned_all_the_same(bench: Workbench) -> None:
    bench.write("latin1", b"FROM debian\nRUN \xe9cho")
    result = bench.run("lock", "latin1", "Dockerfile", "missing")
    assert result.status == 3
    assert bench.read("Dockerfile") == PIN
    assert result.err.startswith("error: latin1:2:5: not UTF-8")
    assert "\nerror: missing: No such file" in result.err


# Options and configuration


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ["--platform", "linux/arm46"],
            2,
            "--platform: unknown platform linux/arm46\nhint: did you mean linux/arm64?",
        ),
        (
            ["--suite", "bookwurm"],
            2,
            "--suite: bookwurm is not a suite that pinner knows\nhint: did you mean bookworm?",
        ),
        (["--max-age", "10"], 2, "'10' is not a duration like 90s, 10m, 2h or 3d"),
        (["--quiet", "--verbose"], 2, "--quiet and --verbose exclude each other"),
        (["-", "Dockerfile"], 2, "- stands alone"),
        (["--no-such"], 2, "No such option"),
        (
            ["--max-lag", "1d"],
            2,
            "No such option '--max-lag'.\nhint: --max-lag is an option of pinner verify\n",
        ),
    ],
)
def test_options(bench: Workbench, arguments: list[str], status: int, said: str) -> None:
    before = bench.files()
    result = bench.run("lock", *arguments)
    assert (result.status, result.out) == (status, "")
    assert said in result.err
    assert bench.files() == before


def test_a_command_that_does_not_exist(bench: Workbench) -> None:
    result = bench.run("lok")
    assert result.status == 2
    assert "no such command 'lok'; did you mean lock?" in result.err


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("platform = ['linux/amd64']", "unknown key platform\nhint: did you mean platforms?"),
        ("platforms = 'linux/amd64'", "platforms must be a list of strings"),
        ("suite = ", "not valid TOML"),
        ("suite = 'bookwurm'", "suite: bookwurm is not a suite that pinner knows"),
    ],
)
def test_the_configuration(bench: Workbench, config: str, said: str) -> None:
    bench.write("Dockerfile", "FROM example\nRUN apt-get install -y curl\n")
    bench.configure(config)
    before = bench.files()
    result = bench.run("lock")
    assert (result.status, result.out) == (3, "")
    assert said in result.err
    assert bench.files() == before


# The lock


LOCK = '# @generated\nschema = 1\n\n[[packages]]\nname = "a"\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("schema = 999\n", "the lock has schema 999, this pinner reads 1"),
        (LOCK[:-6], "not a lock"),
        (
            LOCK,
            "packages[0].version: is missing\nhint: restore the lock from version control, or delete it and run",
        ),
        ("schema = 1\n[\x1b]0;owned\x07]\n", "not a lock"),
        (b"\xff", ":1:1: not UTF-8"),
        ("", "schema: must be a number"),
    ],
    ids=["newer", "cut off", "incomplete", "control characters", "not UTF-8", "empty"],
)
def test_a_lock_that_cannot_be_read(bench: Workbench, content: str | bytes, said: str) -> None:
    bench.write("pinner.lock", content)
    before = bench.files()
    result = bench.run("lock")
    assert (result.status, result.out) == (3, "")
    assert "pinner.lock" in result.err
    assert said in result.err
    assert "\x1b" not in result.err
    assert bench.files() == before


# The archive

Mischief = Callable[[SimulatedArchive, SimulatedSuite], None]


def wrong_signer(archive: SimulatedArchive, suite: SimulatedSuite) -> None:
    suite.signers.append(Key("Somebody Else"))


def expired(archive: SimulatedArchive, suite: SimulatedSuite) -> None:
    suite.date, suite.valid_for = archive.now - timedelta(days=9), timedelta(days=7)


def wrong_digest(archive: SimulatedArchive, suite: SimulatedSuite) -> None:
    archive.alter("*/Packages.xz", lambda body: body[:-1] + b"?")


def wrong_size(archive: SimulatedArchive, suite: SimulatedSuite) -> None:
    archive.alter("*/Packages.xz", lambda body: body + b"more")


def bomb(archive: SimulatedArchive, suite: SimulatedSuite) -> None:
    size, digest = 10, "0" * 64
    suite.misstated = {f"main/binary-{arch}/Packages": (size, digest) for arch in suite.architectures}


@pytest.mark.parametrize(
    ("mischief", "status", "said"),
    [
        (
            lambda a, s: a.missing("*/dists/bookworm/*"),
            5,
            "$URL/InRelease: HTTP status 404\nhint: check the suite's name",
        ),
        (
            lambda a, s: a.missing("*/Packages*"),
            5,
            r"$URL/main/binary-\w+/Packages\S*: HTTP status 404\nhint:",
        ),
        (
            lambda a, s: a.status("*", 429, retry_after="0"),
            5,
            r"$URL\S*/InRelease: HTTP status 429 \(4 tries\)\nhint: the server cannot answer now",
        ),
        (
            lambda a, s: a.status("*", 503, retry_after="0"),
            5,
            r"$URL\S*/InRelease: HTTP status 503 \(4 tries\)\nhint: the server cannot answer now",
        ),
        (
            lambda a, s: a.status("*", 403),
            5,
            r"$URL\S*/InRelease: HTTP status 403\nhint: the server wants a login",
        ),
        (
            lambda a, s: a.reset("*"),
            5,
            r"$URL\S*/InRelease: the connection was broken\nhint: check the network",
        ),
        (
            lambda a, s: a.cut("*/Packages.xz", at=9),
            5,
            r"$URL/\S+: the answer was cut short\nhint: check the network",
        ),
        (
            wrong_signer,
            6,
            r"$URL/InRelease: not signed by a key of debian-archive-keyring: .*\nhint: the key is not",
        ),
        (
            lambda a, s: a.alter("*/InRelease", lambda body: body.replace(b"Origin", b"Drigin")),
            6,
            r"$URL/InRelease: not signed by a key of debian-archive-keyring: .*\nhint: the key is not",
        ),
        (
            lambda a, s: a.alter("*/InRelease", lambda body: b"<html>Please log in</html>"),
            6,
            r"$URL/InRelease: this is not one clear-signed text\nhint: a login page",
        ),
        (expired, 6, r"$URL/InRelease: expired on \S+ \S+ UTC\nhint: the mirror has stopped being updated"),
        (wrong_digest, 6, r"$URL/\S+: SHA-256 \w{64} instead of \w{64}\nhint: the mirror may be"),
        (wrong_size, 6, r"$URL/\S+: longer than the \d+ bytes it may have\nhint: the mirror may be"),
        (bomb, 6, r"$URL/\S+: unpacks to more than the 10 bytes it should\nhint: the archive's own Release"),
    ],
    ids=[
        *("no Release", "no Packages", "429", "503", "403", "reset", "cut short", "wrong signer", "altered"),
        *("login page", "expired", "wrong digest", "wrong size", "bomb"),
    ],
)
def test_an_archive_that_cannot_be_used(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, mischief: Mischief, status: int, said: str
) -> None:
    if "tries" not in said:
        monkeypatch.setattr(fetch, "TRIES", 1)
    mischief(bench.archive, bench.archive.suites[-1])
    before = bench.files()
    result = bench.run("lock")
    pattern = said.replace("$URL", "http://deb.debian.org/debian(-security)?/dists/bookworm")
    assert re.match(f"error: {pattern}", result.err), result.err
    assert (result.status, result.out) == (status, "")
    assert bench.files() == before


def test_no_network(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "TRIES", 1)
    bench.archive.url = "http://127.0.0.1:9"
    bench.configure("")
    refused(
        bench,
        *("lock",),
        status=5,
        text="error: $URL/InRelease: the connection was refused\n"
        "hint: check the network and the proxy; --offline uses what is cached\n",
    )


def test_an_older_release_is_not_used_and_said(bench: Workbench) -> None:
    bench.run("lock", "--check")
    suite = bench.archive.suites[-1]
    suite.date = datetime(2025, 1, 10, tzinfo=UTC)
    suite.remove("curl").package("curl", "7.88.1-10+deb12u1")
    result = bench.run("lock", "--max-age", "0s")
    assert (result.status, bench.read("Dockerfile")) == (0, PIN)
    assert result.err == (
        "note: bookworm: the archive answers with a Release of 2025-01-10 00:00 UTC, older than the verified one of "
        "2025-01-11 09:30 UTC in the cache, which stays in use\n"
    )


# The disk


def small_files() -> None:
    """In a child process: a file may grow to 100 kB and no further, which is how a full disk behaves."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_damaged_cache_is_made_anew(bench: Workbench) -> None:
    bench.run("lock", "--check")
    for path in (path for path in bench.cache.rglob("*") if path.is_file()):
        path.write_bytes(path.read_bytes()[:-40] + b"?" * 40)
    assert bench.run("lock").status == 0
    assert bench.read("Dockerfile") == PIN


def test_a_cache_that_cannot_be_written(bench: Workbench) -> None:
    bench.cache.write_text("a file in its place")
    result = bench.run("lock")
    assert result.status == 3
    assert re.match(r"error: \S+/cache: the cache cannot be written: .*\nhint: make room", result.err)
    assert bench.read("Dockerfile") != PIN


def test_a_full_disk_under_the_cache(bench: Workbench) -> None:
    for number in range(3000):
        bench.archive.suites[-1].package(f"filler{number}", "1")
    before = bench.files()
    result = bench.process("lock", preexec_fn=small_files)
    assert (result.status, result.out) == (3, "")
    assert re.fullmatch(
        r"error: \S+/cache: the cache cannot be written: .*\nhint: make room \(pinner cache prune\), .*\n",
        result.err,
    )
    assert bench.files() == before
    assert list((bench.cache / "new").iterdir()) == []


def test_a_full_disk_under_the_files(bench: Workbench) -> None:
    bench.write("Dockerfile", bench.read("Dockerfile") + "# long\n" * 20_000)
    bench.run("lock", "--check")
    before = bench.files()
    result = bench.process("lock", preexec_fn=small_files)
    said = "error: Dockerfile: cannot be written: File too large\nhint: nothing was changed\n"
    assert result == Result(3, "", said)
    assert bench.files() == before


def test_a_full_device_under_stdout(bench: Workbench) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        result = bench.process("scan", stdout=full)
    assert result == Result(3, "", "error: the output cannot be written: No space left on device\n")
