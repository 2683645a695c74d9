"""`verify --trust-lock`: a lock that was reviewed stands in for the indices of archives that have not moved."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest

from tests.cli.workbench import RELEASED, Workbench
from tests.simulator import SimulatedSuite


def git(bench: Workbench, *arguments: str) -> None:
    own = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *own, *arguments], cwd=bench.folder, capture_output=True, check=True)


def suite(bench: Workbench, name: str) -> SimulatedSuite:
    return next(each for each in bench.archive.suites if each.name == name)


def fetched(bench: Workbench) -> set[str]:
    """The suites of which an index was asked for since the last time."""
    paths = [path for path in bench.archive.requests if "/binary-" in path]
    bench.archive.requests.clear()
    return {path.partition("/dists/")[2].partition("/")[0] for path in paths}


@pytest.fixture
def reviewed(bench: Workbench) -> Workbench:
    """A lock that is committed, on a machine that has fetched nothing."""
    suite(bench, "bookworm").package("libjq1", "1.6-2.1").remove("jq").package(
        "jq", "1.6-2.1", Depends="libjq1"
    )
    git(bench, "init", "-q", "-b", "main")
    assert bench.run("lock").status == 0
    git(bench, "add", ".")
    git(bench, "commit", "-qm", "lock")
    shutil.rmtree(bench.cache)
    fetched(bench)
    return bench


@pytest.mark.parametrize("command", [("verify",), ("lock", "--check")])
def test_nothing_has_moved(command: tuple[str, ...], reviewed: Workbench) -> None:
    done = reviewed.run(*command, "--trust-lock")
    assert done.status == 0, done.err
    assert fetched(reviewed) == set()
    assert "pinner.lock: believed of archives that have not moved" in done.err
    assert done.out == reviewed.run(*command).out
    assert "bookworm" in fetched(reviewed)


def test_of_what_has_moved_the_index_is_read(reviewed: Workbench) -> None:
    security = suite(reviewed, "bookworm-security")
    security.date = RELEASED + timedelta(days=1)
    security.package("other", "1")
    done = reviewed.run("verify", "--trust-lock")
    assert (done.status, fetched(reviewed)) == (0, {"bookworm-security"}), done.err


@pytest.mark.parametrize("name", ["libjq1", "curl"])
def test_an_update_of_what_is_locked_needs_all(name: str, reviewed: Workbench) -> None:
    security = suite(reviewed, "bookworm-security")
    security.date = RELEASED + timedelta(days=1)
    security.package(name, "9")
    done = reviewed.run("verify", "--trust-lock", "--fail-on", "security")
    assert fetched(reviewed) >= {"bookworm", "bookworm-security"}
    assert done.status == reviewed.run("verify", "--fail-on", "security").status == (name == "curl")
    assert "believed" not in done.err


def test_lock_reads_all_once_anything_has_moved(reviewed: Workbench) -> None:
    suite(reviewed, "bookworm-updates").date = RELEASED + timedelta(days=1)
    done = reviewed.run("lock", "--check", "--trust-lock")
    assert "bookworm" in fetched(reviewed)
    assert "believed" not in done.err
    assert reviewed.run("lock", "--trust-lock").status == 2


def test_what_is_gone_is_noticed(reviewed: Workbench) -> None:
    bookworm = suite(reviewed, "bookworm")
    bookworm.date = RELEASED + timedelta(days=1)
    bookworm.remove("curl")
    assert reviewed.run("verify", "--trust-lock").status == 1


def test_an_argument_that_is_not_locked_needs_all(reviewed: Workbench) -> None:
    reviewed.write("Dockerfile", reviewed.read("Dockerfile") + "RUN apt-get install -y apt\n")
    done = reviewed.run("verify", "--trust-lock")
    assert "bookworm" in fetched(reviewed)
    assert done.out == reviewed.run("verify").out


def _edited(bench: Workbench) -> None:
    bench.write("pinner.lock", bench.read("pinner.lock") + "\n")


def _proposed(bench: Workbench) -> None:
    git(bench, "update-ref", "refs/remotes/origin/main", "HEAD")
    _edited(bench)
    git(bench, "commit", "-qam", "another lock")


@pytest.mark.parametrize("change", [_edited, _proposed])
def test_a_lock_that_nobody_reviewed_is_not_believed(
    change: object, reviewed: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    git(reviewed, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert reviewed.run("verify", "--trust-lock").status == 0
    assert fetched(reviewed) == set()
    assert callable(change)
    change(reviewed)
    done = reviewed.run("verify", "--trust-lock")
    assert "pinner.lock: not believed" in done.err
    assert "bookworm" in fetched(reviewed)
