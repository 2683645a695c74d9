"""The journal: what a killed run left is finished or undone, and nobody's work is lost on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pinner.archive.cache import alone
from pinner.errors import InputError
from pinner.project import files, journal
from pinner.project.journal import FileMove, digest, draft_of
from pinner.project.tree import Folder


def left_behind(folder: Path, *, complete: bool, laid_down: int = 2) -> tuple[Path, Path]:
    """What is there when a run that writes `a` and `b` is killed."""
    places = folder / "a", folder / "b"
    with Folder(folder, folder) as project:
        moves = []
        for place, new in zip(places, (b"A", b"B"), strict=True):
            place.write_bytes(new.lower())
            draft = draft_of(place.name, "0f")
            moves.append(FileMove(project, draft, place.name, digest(new.lower()), digest(new)))
        for move in moves[:laid_down]:
            (folder / move.draft).write_bytes(move.place.read_bytes().upper())
        journal.write(project, moves, complete=complete)
    return places


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("laid_down", [0, 1, 2])
def test_an_incomplete_journal_is_undone(tmp_path: Path, laid_down: int) -> None:
    a, b = left_behind(tmp_path, complete=False, laid_down=laid_down)
    journal.recover(tmp_path)
    assert (a.read_text(), b.read_text()) == ("a", "b")
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_complete_journal_is_finished(tmp_path: Path, renamed: int) -> None:
    a, b = left_behind(tmp_path, complete=True)
    for place in (a, b)[:renamed]:
        place.with_name(draft_of(place.name, "0f")).replace(place)
    journal.recover(tmp_path)
    assert (a.read_text(), b.read_text()) == ("A", "B")
    assert names(tmp_path) == ["a", "b"]


def test_a_draft_of_a_journal_says_nothing(tmp_path: Path) -> None:
    (tmp_path / ".pinner-journal.new").write_text('{"jour')
    journal.recover(tmp_path)
    assert names(tmp_path) == []


def test_a_file_that_somebody_changed_since_stays(tmp_path: Path) -> None:
    a, b = left_behind(tmp_path, complete=True)
    b.write_text("mine")
    with pytest.raises(InputError, match="b was changed since a run was interrupted"):
        journal.recover(tmp_path)
    assert (a.read_text(), b.read_text()) == ("a", "mine")
    b.write_text("b")
    journal.recover(tmp_path)
    assert (a.read_text(), b.read_text()) == ("A", "B")


def test_a_draft_that_is_not_what_was_laid_down_is_not_used(tmp_path: Path) -> None:
    a, _ = left_behind(tmp_path, complete=True)
    a.with_name(draft_of("a", "0f")).write_text("other")
    with pytest.raises(InputError):
        journal.recover(tmp_path)
    assert a.read_text() == "a"


@pytest.mark.parametrize(
    "change",
    [
        {"place": "../outside"},
        {"place": "link/outside"},
        {"place": "/etc/passwd"},
        {"draft": "evil"},
        {"draft": ".a.../../evil.pinner"},
        {"draft": ".b.0f.pinner"},
        {"place": "."},
    ],
)
@pytest.mark.parametrize("complete", [True, False])
def test_a_journal_from_a_stranger(tmp_path: Path, change: dict[str, str], complete: bool) -> None:
    outside = tmp_path / "outside"
    outside.write_text("old")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "evil").write_text("new")
    entry = {
        "place": "a",
        "draft": ".a.0f.pinner",
        "before": digest(b"old"),
        "after": digest(b"new"),
    } | change
    text = json.dumps({"journal": 1, "complete": complete, "files": [entry]})
    (folder / ".pinner-journal").write_text(text)
    with pytest.raises(InputError, match="which pinner would not write"):
        journal.recover(folder)
    assert outside.read_text() == "old"
    assert names(folder) == [".pinner-journal", "evil", "link"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1}', '{"files": [{}]}', "\0", "[" * 100_000])
def test_what_is_no_journal(tmp_path: Path, text: str) -> None:
    (tmp_path / ".pinner-journal").write_text(text)
    with pytest.raises(InputError, match="it is not a journal"):
        journal.recover(tmp_path)


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    a = tmp_path / "a"
    a.write_text("a")
    done = threading.Event()

    def write() -> None:
        files.write({a: "A"}, {a: "a"}, {a: tmp_path})
        done.set()

    with alone(tmp_path):
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.1)
        assert names(tmp_path) == ["a"]
    thread.join(10)
    assert a.read_text() == "A"
    assert names(tmp_path) == ["a"]


def test_a_file_outside_of_the_project_is_written_too(tmp_path: Path) -> None:
    real, project = tmp_path / "real", tmp_path / "project"
    (tmp_path / ".git").mkdir()
    project.mkdir()
    real.write_text("a")
    link = project / "a"
    link.symlink_to(real)
    files.write({link: "A"}, {link: "a"}, {link: project})
    assert (real.read_text(), link.is_symlink()) == ("A", True)
    assert (names(project), names(tmp_path)) == (["a"], [".git", "project", "real"])


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from pinner.project import files
a, b = Path("a"), Path("b")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
files.write({a: "A", b: "B" * 200_000}, {a: "a", b: "b"}, {a: Path(), b: Path()})
"""


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("a")
    b.write_text("b")
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "b: cannot be written: File too large" in done.stderr
    assert (a.read_text(), b.read_text()) == ("a", "b")
    assert names(tmp_path) == ["a", "b"]
