"""`pinner diff`: what moved between two locks, by stage."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.workbench import Workbench


@pytest.fixture
def moved(bench: Workbench) -> Workbench:
    """`old.lock` is of before: curl, jq, and for arm64 a libjq1; then jq is another upstream version without it, curl
    a security update, and git new."""
    suite = bench.archive.suites[2]
    suite.remove("jq").package("jq", "1.6-2.1", depends="libjq1 (= 1.6-2.1)", arch="arm64")
    suite.package("jq", "1.6-2.1", arch="amd64").package("libjq1", "1.6-2.1").package(
        "git", "1:2.39.5-0+deb12u2"
    )
    assert bench.run("lock", "Dockerfile").status == 0
    bench.write("old.lock", bench.read("pinner.lock"))
    for name in ("curl", "jq"):
        suite.remove(name)
    suite.package("curl", "7.88.1-10+deb12u15").package("jq", "1.7.1-3")
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl jq git\n")
    result = bench.run("lock", "Dockerfile", "--max-age", "0s")
    assert result.status == 0, result
    return bench


def test_text(moved: Workbench) -> None:
    result = moved.run("diff", "old.lock", "pinner.lock")
    assert (result.status, result.err) == (1, "")
    assert result.out.splitlines() == [
        "Dockerfile, stage 0: linux/amd64, linux/arm64",
        "  curl    7.88.1-10+deb12u14 → 7.88.1-10+deb12u15  update within the upstream version",
        "  git     1:2.39.5-0+deb12u2                       added",
        "  jq      1.6-2.1 → 1.7.1-3                        another upstream version",
        "  libjq1  1.6-2.1                                  removed, dependency (linux/arm64)",
        "2 packages moved, 1 package added, 1 package removed",
    ]
    assert moved.run("diff", "old.lock").out == result.out, "the new one is pinner.lock if none is named"


def test_the_same(moved: Workbench) -> None:
    result = moved.run("diff", "old.lock", "old.lock")
    assert (result.status, result.out) == (0, "no difference\n")


def test_json(moved: Workbench) -> None:
    (stage,) = json.loads(moved.run("diff", "old.lock", "--format", "json").out)["stages"]
    assert (stage["file"], stage["platforms"]) == ("Dockerfile", ["linux/amd64", "linux/arm64"])
    kinds = {each["name"]: (each["kind"], each["asked"], each["platforms"]) for each in stage["packages"]}
    both = ["linux/amd64", "linux/arm64"]
    assert kinds == {
        "curl": ("revision", True, both),
        "git": ("added", True, both),
        "jq": ("upstream", True, both),
        "libjq1": ("removed", False, ["linux/arm64"]),
    }


def test_markdown(moved: Workbench) -> None:
    out = moved.run("diff", "old.lock", "--format", "markdown").out
    assert "### pinner diff: 2 packages moved, 1 package added, 1 package removed\n" in out
    assert "| package | before | after | |\n| --- | --- | --- | --- |\n" in out
    assert "| `jq` | `1.6-2.1` | `1.7.1-3` | another upstream version |\n" in out


def test_other_content_of_the_same_version(moved: Workbench) -> None:
    text = moved.read("pinner.lock")
    line = next(line for line in text.splitlines() if 'name = "curl"' in line and "digest" in line)
    digest = line.partition('digest = "')[2].partition('"')[0]
    moved.write("other.lock", text.replace(digest, "0" * 64))
    assert "the same version with other content" in moved.run("diff", "pinner.lock", "other.lock").out


def test_platforms_and_stages_that_one_lock_has(moved: Workbench) -> None:
    moved.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl jq git\n")
    moved.write("two/Dockerfile", "FROM debian:bookworm AS built\nRUN apt-get install -y curl\n")
    moved.write("before.lock", moved.read("pinner.lock"))
    assert moved.run("lock", "two/Dockerfile").status == 0
    out = moved.run("diff", "before.lock").out
    assert out.splitlines()[:2] == [
        "two/Dockerfile, stage built: linux/amd64, linux/arm64",
        "  only in the new lock",
    ]
    assert "  only in the old lock" in moved.run("diff", "pinner.lock", "before.lock").out


def test_git_revisions(moved: Workbench) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=moved.folder, check=True, capture_output=True)

    git("init", "--quiet")
    new = moved.read("pinner.lock")
    moved.write("sub/pinner.lock", moved.read("old.lock"))
    git("add", "sub")
    git("commit", "-m", "old")
    moved.write("sub/pinner.lock", new)
    git("commit", "-am", "new")
    expected = moved.run("diff", "old.lock").out
    for old in ("HEAD~1:sub/pinner.lock", "HEAD^:./sub/pinner.lock"):
        assert moved.run("diff", old, "HEAD:sub/pinner.lock").out == expected
    moved.write("pinner.lock", moved.read("old.lock"))
    git("add", "pinner.lock")
    git("commit", "-m", "first")
    moved.write("pinner.lock", new)
    assert moved.run("diff", "HEAD").out == expected
    git("commit", "-am", "second")
    assert moved.run("diff", "HEAD~1", "HEAD").out == expected
    moved.write("HEAD~1", new)
    assert "is a file and a revision" in moved.run("diff", "HEAD~1", "HEAD").err
    for bad in ("HEAD:none", "none:sub/pinner.lock", "-x:sub/pinner.lock", "HEAD:../pinner.lock", "HEAD:sub"):
        result = moved.run("diff", "--", bad, "pinner.lock")
        assert (result.status, result.out) == (3, ""), bad
    assert moved.run("diff", "none.lock").status == 3
