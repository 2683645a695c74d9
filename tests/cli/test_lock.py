"""The faces of `pinner lock`: where it looks for files, what it prints, where the lock lies."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.workbench import Workbench

UNPINNED = "FROM debian:bookworm\nRUN apt-get install -y curl jq\n"
PINNED = "FROM debian:bookworm\nRUN apt-get install -y curl=7.88.1-10+deb12u14 jq=1.6-2.1\n"


def git(folder: Path, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, text=True, capture_output=True, check=True
    )
    return done.stdout


# Where files are looked for


def test_without_arguments_as_git_sees_the_files(bench: Workbench) -> None:
    git(bench.folder, "init", "-q")
    for name in (
        "a/Dockerfile",
        "b/dev.Dockerfile",
        "b/Containerfile",
        "ignored/Dockerfile",
        "Dockerfile.orig",
    ):
        bench.write(name, UNPINNED)
    bench.write(".gitignore", "/ignored/\n")
    result = bench.run("lock")
    assert result.out.splitlines()[-2].endswith(
        "wrote Dockerfile, a/Dockerfile, b/Containerfile, b/dev.Dockerfile, pinner.lock"
    )
    assert bench.read("b/Containerfile") == PINNED
    assert bench.read("ignored/Dockerfile") == UNPINNED
    assert bench.read("Dockerfile.orig") == UNPINNED


def test_files_and_directories_together_each_once(bench: Workbench) -> None:
    bench.write("web/Dockerfile", UNPINNED)
    result = bench.run("lock", "web", "./Dockerfile", "web/Dockerfile", "Dockerfile")
    assert result.out.splitlines()[-2].endswith("; wrote web/Dockerfile, Dockerfile, pinner.lock")
    assert "pinned 4 of 4 packages for linux/amd64, linux/arm64 (bookworm, bookworm-updates, " in result.out


def test_standard_input_to_standard_output(bench: Workbench) -> None:
    before = bench.files()
    result = bench.run("lock", "-", stdin=UNPINNED.replace("\n", "\r\n").encode())
    assert (result.status, result.out) == (0, PINNED.replace("\n", "\r\n"))
    assert result.err == (
        "<stdin>:2  curl  7.88.1-10+deb12u14\n<stdin>:2  jq    1.6-2.1\n"
        "pinned 2 of 2 packages for linux/amd64, linux/arm64 (bookworm, bookworm-updates, bookworm-security); "
        "wrote standard output\n"
    )
    assert bench.files() == before


def test_standard_input_is_only_checked(bench: Workbench) -> None:
    unpinned = bench.run("lock", "--check", "-", stdin=UNPINNED.encode())
    assert (unpinned.status, unpinned.err) == (1, "")
    assert "would pin 2 of 2 packages" in unpinned.out
    pinned = bench.run("lock", "--check", "-", stdin=PINNED.encode())
    assert pinned.status == 0
    difference = bench.run("lock", "--dry-run", "-", stdin=UNPINNED.encode())
    assert difference.out.startswith("--- a/<stdin>\n+++ b/<stdin>\n")


# Where the lock lies


def test_the_lock_lies_beside_the_configuration(bench: Workbench) -> None:
    bench.write("deep/er/Dockerfile", UNPINNED)
    bench.run("lock", "deep")
    assert 'file = "deep/er/Dockerfile", ' in bench.read("pinner.lock")


@pytest.mark.parametrize(
    ("git_at", "folder", "lock_at", "name"),
    [
        (".", "deep/er", "pinner.lock", "deep/er/Dockerfile"),
        (None, "deep/er", "pinner.lock", "deep/er/Dockerfile"),
        (None, "../deep/er", "../deep/er/pinner.lock", "Dockerfile"),
    ],
    ids=["at the root of the work tree", "in the current directory", "beside the file"],
)
def test_or_else(bench: Workbench, git_at: str | None, folder: str, lock_at: str, name: str) -> None:
    config = bench.folder / "pinner.toml"
    bench.run("lock", "--check")
    config.rename(bench.folder.parent / "pinner.toml")  # a folder above does not count
    if git_at:
        git(bench.folder, "init", "-q", git_at)
    bench.write(f"{folder}/Dockerfile", UNPINNED)
    assert bench.run("lock", "--offline", f"{folder}/Dockerfile").status == 0
    assert f'file = "{name}", ' in bench.read(lock_at)


# What is printed


def test_check_is_for_ci(bench: Workbench) -> None:
    before = bench.files()
    assert bench.run("lock", "--check").status == 1
    assert bench.files() == before
    assert bench.run("lock").status == 0
    assert bench.run("lock", "--check").status == 0


def test_a_dry_run_is_a_patch(bench: Workbench) -> None:
    bench.write("web/Dockerfile", UNPINNED.rstrip("\n"))
    before = bench.files()
    result = bench.run("lock", "--dry-run")
    assert result.status == 0
    assert bench.files() == before
    git(bench.folder, "apply", stdin=result.out)
    assert bench.read("Dockerfile") == PINNED
    assert bench.read("web/Dockerfile") == PINNED.rstrip("\n")


def test_quiet_says_what_fails(bench: Workbench) -> None:
    bench.write("Dockerfile", UNPINNED.replace("jq", "jqq $EXTRA"))
    result = bench.run("lock", "--quiet")
    assert (result.status, result.err) == (1, "")
    assert (
        result.out
        == "Dockerfile:2  jqq  error [unknown-package]: there is no package jqq (did you mean jq?)\n"
    )
    bench.write("Dockerfile", UNPINNED)
    assert bench.run("lock", "--quiet").out == ""


def test_verbose_says_every_word(bench: Workbench) -> None:
    bench.write("Dockerfile", PINNED.replace("jq", '$A $B "jq"'))
    result = bench.run("lock", "--verbose")
    assert result.out.splitlines()[:-2] == [
        "Dockerfile:2  curl  7.88.1-10+deb12u14",
        "Dockerfile:2  $A    not pinned [variable-unknown]: the value of A is not known here",
        "Dockerfile:2  $B    not pinned [variable-unknown]: the value of B is not known here",
        "Dockerfile:2  jq    1.6-2.1",
    ]


def test_json(bench: Workbench) -> None:
    written = json.loads(bench.run("lock", "--json").out)
    assert written["wrote"] == ["Dockerfile", "pinner.lock"]
    assert [word["status"] for word in written["files"][0]["words"]] == ["pinned", "pinned"]
    again = json.loads(bench.run("lock", "--json", "--check").out)
    assert again["would_write"] == []
    assert [word["status"] for word in again["files"][0]["words"]] == ["kept", "kept"]


# Without a network


def test_offline_uses_what_is_cached_and_says_how_old_it_is(bench: Workbench) -> None:
    bench.run("lock", "--check")
    asked = len(bench.archive.requests)
    result = bench.run("lock", "--offline")
    assert (result.status, bench.read("Dockerfile")) == (0, PINNED)
    assert [line.partition(" as of ")[0] for line in result.err.splitlines()] == [
        "note: bookworm:",
        "note: bookworm-updates:",
        "note: bookworm-security:",
    ]
    assert len(bench.archive.requests) == asked


def test_offline_with_nothing_cached(bench: Workbench) -> None:
    result = bench.run("lock", "--offline")
    assert (result.status, result.out) == (5, "")
    assert result.err == (
        "error: http://deb.debian.org/debian/dists/bookworm/InRelease: not in the cache, "
        "and this run does not use the network\n"
        "hint: a run that does, like `pinner lock` without --offline, keeps it there\n"
    )


@pytest.mark.parametrize(("age", "asks"), [("10m", False), ("0s", True)])
def test_max_age(bench: Workbench, age: str, asks: bool) -> None:
    bench.run("lock", "--check")
    asked = len(bench.archive.requests)
    bench.run("lock", "--check", "--max-age", age)
    assert (len(bench.archive.requests) > asked) == asks


def test_busy_servers_are_asked_again(bench: Workbench) -> None:
    bench.archive.status("*/InRelease", 503, times=3, retry_after="0")
    bench.archive.status("*/Packages.xz", 429, times=1, retry_after="0")
    assert bench.run("lock").status == 0
    assert bench.read("Dockerfile") == PINNED


# What others do meanwhile


def test_targets_of_other_files_stay_in_the_lock(bench: Workbench) -> None:
    bench.write("web/Dockerfile", UNPINNED)
    bench.run("lock")
    both = bench.read("pinner.lock")
    bench.write("web/Dockerfile", UNPINNED)
    bench.run("lock", "web/Dockerfile")
    assert bench.read("pinner.lock") == both
