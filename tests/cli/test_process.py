"""What only a process of its own shows: signals, pipes, terminals, several at once."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pinner import __version__
from tests.cli.workbench import REPOSITORY, Result, Workbench

UNPINNED = "FROM debian:bookworm\nRUN apt-get install -y curl jq\n"
PINNED = "FROM debian:bookworm\nRUN apt-get install -y curl=7.88.1-10+deb12u14 jq=1.6-2.1\n"


def heed_interrupts() -> None:
    """In a child process: a shell that runs tests in the background may have had SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("image", "file"),
    [("debian:stable", "*/stable/InRelease"), ("debian:12", "*/InRelease"), ("debian:12", "*/Packages.xz")],
)
def test_an_interrupt_while_waiting_for_the_archive(bench: Workbench, image: str, file: str) -> None:
    bench.archive.suite("stable", fields={"Codename": "bookworm"})
    bench.write("Dockerfile", UNPINNED.replace("debian:bookworm", image))
    before = bench.files()
    asked, over = threading.Event(), threading.Event()

    def never(body: bytes) -> bytes:
        asked.set()
        over.wait(30)
        return body

    bench.archive.alter(file, never)
    process = bench.start("lock", preexec_fn=heed_interrupts)
    assert asked.wait(30)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=5)
    finally:
        over.set()
    assert (process.returncode, out, err.strip()) == (130, b"", b"error: interrupted; nothing half done")
    assert bench.files() == before


KILLER = """
import os, signal, sys
left = {left}
def hook(event, arguments):
    global left
    if event in ("open", "os.chmod", "os.rename", "os.remove") and ".pinner" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


def test_a_kill_at_any_moment_of_writing(bench: Workbench) -> None:
    """The next command that reads the project finds all old or all new. The moments are the calls to the system."""
    bench.run("lock")
    lock = bench.read("pinner.lock")
    clean = sorted(bench.files())
    moments, seen = 0, set()
    while True:
        (bench.folder / "pinner.lock").unlink(missing_ok=True)
        bench.write("Dockerfile", UNPINNED)
        result = bench.process("lock", first=KILLER.format(left=moments))
        if result.status == 0:
            break
        assert result.status == -signal.SIGKILL
        left = bench.files()
        assert bench.run("scan").status == bench.run("lock", "--dry-run").status == 0
        assert bench.files() == left, "who only reads leaves it alone"
        assert bench.run("unpin", "nosuch").status == 1
        there = (bench.folder / "pinner.lock").exists()
        assert (bench.read("Dockerfile"), there) in {(UNPINNED, False), (PINNED, True)}
        assert not there or bench.read("pinner.lock") == lock
        assert sorted(bench.files()) == [name for name in clean if there or name != "pinner.lock"]
        seen.add(there)
        moments += 1
    assert moments >= 10, (
        "the journal, two files, their modes, the journal again, two renames, and what is removed"
    )
    assert seen == {False, True}


def test_several_processes_at_once(bench: Workbench) -> None:
    """One of them writes; another either finds nothing to do or sees that somebody was faster."""
    processes = [bench.start("lock") for _ in range(4)]
    for process in processes:
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 0 or b"was changed by somebody else" in err, err
    assert 0 in [process.returncode for process in processes]
    assert bench.read("Dockerfile") == PINNED
    assert bench.run("lock").out.endswith("nothing to write\n")
    assert sorted(path.name for path in bench.folder.iterdir()) == [
        "Dockerfile",
        "pinner.lock",
        "pinner.toml",
    ]


def test_a_reader_that_goes_away(bench: Workbench) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    result = bench.process("scan", stdout=theirs)
    os.close(theirs)
    assert result.err == ""


# Terminals


def on_a_terminal(bench: Workbench, *arguments: str, **environment: str) -> str:
    """All that a run writes to a terminal."""
    ours, theirs = pty.openpty()
    process = bench.start(
        *arguments,
        stdout=theirs,
        stderr=theirs,
        environment={"TERM": "xterm", "NO_COLOR": "", **environment},
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # how Linux says that nobody holds the other end
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return seen.decode()


def test_progress_and_colours_on_a_terminal(bench: Workbench) -> None:
    seen = on_a_terminal(bench, "lock")
    assert re.search(r"\r\x1b\[Kfetching (bookworm\S* main \w+|\d indices): 0.0 of 0.0 MB", seen)
    assert "\r\x1b[KDockerfile:2  curl  \x1b[32m7.88.1-10+deb12u14\x1b[0m" in seen


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_for_who_wants_none(bench: Workbench, environment: dict[str, str]) -> None:
    assert "Dockerfile:2  curl  7.88.1-10+deb12u14" in on_a_terminal(bench, "lock", **environment)


def test_quiet_is_quiet_on_a_terminal_too(bench: Workbench) -> None:
    assert on_a_terminal(bench, "lock", "--quiet") == ""


# Entry points


def test_version_and_help(bench: Workbench) -> None:
    assert bench.run("--version") == Result(0, f"pinner {__version__}\n", "")
    for command in ("lock", "scan", "cache", "cache prune"):
        result = bench.run(*command.split(), "--help")
        assert result.out.startswith(f"Usage: pinner {command} ")
        assert (result.status, result.err) == (0, "")


def test_what_click_gets_in_the_place_of_modules_nothing_else_sees() -> None:
    script = """
import pinner.cli.main, gettext, inspect, ipaddress, uuid
assert gettext.translation and issubclass(uuid.uuid4().__class__, uuid.UUID)
assert inspect.signature(inspect.cleandoc).parameters and ipaddress.ip_address("::1").is_loopback
from inspect import getsource
assert "import click" in getsource(pinner.cli)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_as_a_module_from_any_directory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pinner", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"pinner {__version__}\n"


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("pinner l", "plain,lock\n"),
        ("pinner lock --dry", "plain,--dry-run\n"),
        ("pinner lock --platform linux/arm6", "plain,linux/arm64\n"),
        ("pinner lock Doc", "file,Doc\n"),
        ("pinner cache cl", "plain,clear\n"),
    ],
)
def test_completion_in_a_shell(bench: Workbench, words: str, completed: str) -> None:
    environment = {
        "_PINNER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    assert bench.process(environment=environment) == Result(0, completed, "")
