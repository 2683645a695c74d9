"""git is asked what it tracks; nothing that a repository's configuration names runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.project import git
from tests.hostile import ATTRIBUTES, Traps


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / "sub" / "Dockerfile").write_text("FROM debian\n")
    (folder / "a b\n").write_text("")
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    (folder / "new").write_text("")
    (folder / ".gitignore").write_text("ignored\n")
    (folder / "ignored").write_text("")
    return folder


def bare(folder: Path, traps: Traps) -> None:
    """A folder of ordinary files that git would take for a bare repository."""
    for name in ("objects", "refs"):
        (folder / name).mkdir(parents=True)
        (folder / name / "keep").write_text("")
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "config").write_text(f'[core]\n\tbare = false\n\tworktree = "{folder}"\n')
    traps.git(folder)


def test_what_git_tracks_or_does_not_ignore(tree: Path) -> None:
    assert sorted(git.files(tree) or ()) == [".gitignore", "a b\n", "new", "sub/Dockerfile"]
    assert git.files(tree / "sub") == ["Dockerfile"]
    assert git.tracks(tree / "sub" / "Dockerfile")
    assert not git.tracks(tree / "new")


def test_several_folders_of_a_work_tree(tree: Path) -> None:
    listing = git.once()
    folders = [tree / "sub", tree, tree / "sub"]
    assert [sorted(listing(each) or ()) for each in folders] == [
        sorted(git.files(each) or ()) for each in folders
    ]
    assert (listing(tree / "none"), listing(tree.parent)) == ([], None)


def test_without_a_repository(tmp_path: Path) -> None:
    assert git.files(tmp_path) is None
    assert not git.tracks(tmp_path / "a")
    (tmp_path / ".git").mkdir()
    assert git.files(tmp_path) is None


def test_no_program_of_the_configuration_runs(tree: Path, tmp_path: Path) -> None:
    traps = Traps(tmp_path)
    traps.git(tree / ".git")
    (tree / ".gitattributes").write_text(ATTRIBUTES)
    assert "sub/Dockerfile" in (git.files(tree) or ())
    assert git.tracks(tree / "sub" / "Dockerfile")
    assert traps.sprung == []


@pytest.mark.parametrize("where", [".", "sub", "sub/deep"])
def test_a_folder_that_looks_like_a_bare_repository(tree: Path, tmp_path: Path, where: str) -> None:
    traps = Traps(tmp_path)
    bare(tree / where, traps)
    found = git.files((tree / where).resolve())
    assert found is None or "HEAD" in found
    assert traps.sprung == []


def test_what_the_configuration_says_of_the_place_does_not_count(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "Dockerfile").write_text("")
    config = tree / ".git" / "config"
    config.write_text(f"{config.read_text()}[core]\n\tworktree = {tmp_path / 'other'}\n")
    assert git.files(tree / "sub") == ["Dockerfile"]
    assert "sub/Dockerfile" in (git.files(tree) or ())


def test_variables_of_a_hook_do_not_count(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "--quiet", str(other)], check=True)
    for name, value in (("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), ("GIT_INDEX_FILE", "index")):
        monkeypatch.setenv(name, str(other / value))
    assert git.files(tree / "sub") == ["Dockerfile"]


def test_a_git_of_the_current_directory_is_not_run(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traps = Traps(tmp_path)
    (tree / "git").symlink_to(traps.program("git"))
    monkeypatch.chdir(tree)
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", os.environ["PATH"]]))
    assert git.files(tree / "sub") == ["Dockerfile"]
    assert traps.sprung == []


def test_git_has_a_time_limit(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exclude = tree / ".git" / "info" / "exclude"
    exclude.unlink()
    os.mkfifo(exclude)  # which nobody writes to
    monkeypatch.setattr(git, "LONGEST", 0.2)
    with pytest.raises(InputError, match=r"git did not answer within 0\.2 seconds"):
        git.files(tree)
