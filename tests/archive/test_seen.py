"""What several processes remember at once."""

from __future__ import annotations

from pathlib import Path

from pinner.archive.cache import Cache
from pinner.archive.seen import Answers


def test_what_two_processes_have_solved_is_kept(tmp_path: Path) -> None:
    one, other = Answers(Cache(tmp_path)), Answers(Cache(tmp_path))
    assert one.get("ab1") is None
    assert other.get("ab1") is None
    one.keep({"ab1": "x", "cd": ""})
    other.keep({"ab2": "y"})
    third = Answers(Cache(tmp_path))
    assert [third.get(each) for each in ("ab1", "ab2", "cd", "ef")] == ["x", "y", "", None]
    assert other.get("ab1") == "x"


def test_each_file_keeps_the_latest(tmp_path: Path) -> None:
    answers = Answers(Cache(tmp_path))
    answers.keep({f"ab{number}": "x" for number in range(2_000)})
    answers = Answers(Cache(tmp_path))
    assert (answers.get("ab0"), answers.get("ab1999")) == (None, "x")
