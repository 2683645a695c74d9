"""What was solved once is not solved again; whatever decides about it being other, it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.cli.workbench import RELEASED, Result, Workbench, debian

#: Where this process has to solve anything, it fails.
_WITHOUT_SOLVER = 'import sys\nsys.modules["pinner.resolve.classic"] = None\n'
_COMMANDS = {"lock": ("--check", "--max-age", "0s"), "verify": ("--quiet",), "refresh": ("--dry-run",)}


def without_solver(bench: Workbench, command: str) -> Result:
    return bench.process(command, *_COMMANDS[command], first=_WITHOUT_SOLVER)


@pytest.fixture
def locked(bench: Workbench) -> Workbench:
    """What is locked and verified, on this machine."""
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.package("libjq1", "1.6-2.1").remove("jq").package("jq", "1.6-2.1", Depends="libjq1")
    assert bench.run("lock").status == 0
    assert bench.run("verify").status == 0
    return bench


@pytest.mark.parametrize("command", _COMMANDS)
def test_it_is_not_solved_again(command: str, locked: Workbench) -> None:
    done = without_solver(locked, command)
    assert done.status == 0, done.err
    assert done.out == locked.run(command, *_COMMANDS[command]).out


def _other_command(bench: Workbench) -> None:
    text = bench.read("Dockerfile")
    bench.write("Dockerfile", text.replace("install -y", "install -y --no-install-recommends"))


def _other_apt(bench: Workbench) -> None:
    recommends = r"RUN echo 'APT::Install-Recommends \"no\";' > /etc/apt/apt.conf.d/x"
    bench.write("Dockerfile", bench.read("Dockerfile").replace("RUN", f"{recommends}\nRUN", 1))


def _other_archive(bench: Workbench) -> None:
    bench.archive.suites[0].date = RELEASED + timedelta(days=1)


def _nothing_known(bench: Workbench) -> None:
    for each in (bench.cache / "seen" / "solved.d").iterdir():
        each.unlink()
    (bench.cache / "seen" / "locks").unlink()


def _another_line(bench: Workbench) -> None:
    text = bench.read("Dockerfile")
    bench.write("Dockerfile", text + "RUN apt-get install -y libjq1=1.6-2.1\n")


def _less_in_the_lock(bench: Workbench) -> None:
    """As an editor or a merge may leave it."""
    bench.write(
        "pinner.lock",
        re.sub(r'  \{ closure = "\w+", id = "[^"]*libjq1[^\n]*\n\n', "", bench.read("pinner.lock")),
    )


@pytest.mark.parametrize(
    "change",
    [_other_command, _other_apt, _other_archive, _nothing_known, _another_line],
)
@pytest.mark.parametrize("command", _COMMANDS)
def test_what_is_otherwise_is_solved(
    command: str, change: Callable[[Workbench], None], locked: Workbench
) -> None:
    change(locked)
    done = without_solver(locked, command)
    assert "import of pinner.resolve.classic halted" in done.err, done.out


@pytest.mark.parametrize("command", ["lock", "refresh"])
def test_a_lock_that_says_less_than_was_solved_is_put_right(command: str, locked: Workbench) -> None:
    whole = locked.read("pinner.lock")
    _less_in_the_lock(locked)
    assert locked.read("pinner.lock") != whole
    assert locked.run(command).status == 0
    assert locked.read("pinner.lock") == whole


def test_a_package_that_vanishes_is_noticed_though_all_was_solved(locked: Workbench) -> None:
    for suite in locked.archive.suites:
        if suite.name == "bookworm":
            suite.remove("libjq1")
            suite.date = RELEASED + timedelta(days=1)
    assert locked.run("verify").status == 1


#: Where this process has to read an index, it fails.
_WITHOUT_INDEX = 'import sys\nsys.modules["pinner.archive.index"] = None\n'


def reads(bench: Workbench) -> bool:
    """Whether `lock --check` reads an index."""
    return "pinner.archive.index" in bench.process("lock", *_COMMANDS["lock"], first=_WITHOUT_INDEX).err


def _lying_lock(bench: Workbench) -> None:
    bench.write("pinner.lock", bench.read("pinner.lock").replace("2.1", "2.2"))
    bench.write("Dockerfile", bench.read("Dockerfile").replace("2.1", "2.2"))


def _unpinned_elsewhere(bench: Workbench) -> None:
    bench.write("other/Dockerfile", "FROM debian:bookworm\nRUN apt-get update && apt-get install -y jq\n")


def _other_pin(bench: Workbench) -> None:
    bench.write("Dockerfile", bench.read("Dockerfile").replace("jq=1.6-2.1", "jq=1.5"))


def _more_that_is_skipped(bench: Workbench) -> None:
    bench.write("Dockerfile", bench.read("Dockerfile").replace("jq=1.6-2.1", "jq=1.6-2.1 $MORE ./local.deb"))


def _only_believed(bench: Workbench) -> None:
    _nothing_known(bench)
    assert bench.run("lock", "--check", "--trust-lock").status == 0


def test_what_has_followed_once_needs_no_index(locked: Workbench) -> None:
    assert not reads(locked)


def test_nor_do_words_that_are_skipped(locked: Workbench) -> None:
    _more_that_is_skipped(locked)
    assert locked.run("lock").status == 0
    assert not reads(locked)


@pytest.mark.parametrize(
    "change",
    [
        *(_lying_lock, _unpinned_elsewhere, _other_pin, _more_that_is_skipped, _other_archive),
        *(_nothing_known, _only_believed),
    ],
)
def test_what_is_otherwise_is_read(change: Callable[[Workbench], None], locked: Workbench) -> None:
    change(locked)
    assert reads(locked)


def test_a_lock_of_an_older_version_does_not_say_the_newest(locked: Workbench) -> None:
    suite = next(suite for suite in locked.archive.suites if suite.name == "bookworm")
    suite.package("jq", "1.9", Depends="libjq1")
    suite.date = RELEASED + timedelta(days=1)
    assert locked.run("lock", "--max-age", "0s").status == 0  # what is pinned stays
    _unpinned_elsewhere(locked)
    assert locked.run("lock").status == 0
    assert "jq=1.9" in locked.read("other/Dockerfile")


def test_of_two_suites_that_have_the_same_file_the_first_stays_in_the_lock(bench: Workbench) -> None:
    debian(bench.archive, "trixie").deb("same", "1")
    next(each for each in bench.archive.suites if each.name == "bookworm").deb("same", "1")
    for name, codename in (("Dockerfile", "bookworm"), ("other/Dockerfile", "trixie")):
        bench.write(name, f"FROM debian:{codename}\nRUN apt-get install -y same\n")
    assert bench.run("lock").status == 0
    once = bench.read("pinner.lock")
    for path in ("other/Dockerfile", "Dockerfile", "."):
        assert bench.run("lock", path).status == 0
        assert bench.read("pinner.lock") == once, path
    for command in _COMMANDS:
        assert bench.run(command, *_COMMANDS[command]).status == 0
        assert without_solver(bench, command).status == 0, command
