"""What others have named is read and written inside of the work tree alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.project import files, tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A work tree, beside which lies a file that is nobody's business."""
    (tmp_path / "secret").write_text("s3cr3t\n")
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "a").write_text("a\n")
    return folder


def hostile(root: Path) -> list[Path]:
    """Names in the tree that lead to something else than a file of it."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "far").symlink_to(root.parent)
    (root / "loop").symlink_to("loop")
    (root / "nothing").symlink_to("../nothing")
    os.mkfifo(root / "fifo")
    names = (
        "link",
        "far/secret",
        "../secret",
        "sub/../../secret",
        "loop",
        "nothing",
        "fifo",
        "sub",
        "a/b",
        "no\0",
    )
    return [root / name for name in names] + [Path(name) for name in ("/proc/self/environ", "/dev/zero", "/")]


def test_what_leads_elsewhere_is_neither_read_nor_written(root: Path) -> None:
    for path in hostile(root):
        assert not tree.is_file(path, root)
        for attempt in (lambda path=path: tree.read(path, root), lambda path=path: files.read(path, root)):
            with pytest.raises((InputError, ValueError)) as caught:
                attempt()
            assert "s3cr3t" not in str(caught.value)
    for path in hostile_links(root):
        with pytest.raises(InputError, match="leads out of the work tree"):
            files.write({path: "evil", root / "a": "A"}, {})
    assert (root.parent / "secret").read_text() == "s3cr3t\n"
    assert not (root.parent / "nothing").exists()
    assert (root / "a").read_text() == "a\n"


def hostile_links(root: Path) -> list[Path]:
    return [root / name for name in ("link", "far/secret", "far/new", "nothing")]


def test_links_inside_of_the_tree_are_followed_and_stay(root: Path) -> None:
    (root / "link").symlink_to("a")
    (root / "other").symlink_to("sub")
    (root / "other" / "b").write_text("b\n")
    assert tree.read(root / "link", root) == b"a\n"
    assert tree.read(root / "other" / "b", root) == b"b\n"
    files.write({root / "link": "A", root / "other" / "b": "B"}, {})
    assert ((root / "a").read_text(), (root / "sub" / "b").read_text()) == ("A", "B")
    assert (root / "link").is_symlink() and (root / "other").is_symlink()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_folder_that_becomes_a_link(root: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Somebody replaces the folder while pinner looks at it: nothing is written where the link leads."""
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "Dockerfile").write_text("old")
    (root / "sub" / "Dockerfile").write_text("old")

    def swap() -> None:
        (root / "sub").rename(root / "moved")
        (root / "sub").symlink_to(elsewhere)

    opened, real = tree.Folder.__init__, tree.Folder.__init__

    def racing(self: tree.Folder, path: Path, top: Path) -> None:
        if when == "before":
            swap()
        opened(self, path, top)
        if when == "after":
            swap()
        monkeypatch.setattr(tree.Folder, "__init__", real)

    monkeypatch.setattr(tree.Folder, "__init__", racing)
    path = root / "sub" / "Dockerfile"
    if when == "before":
        with pytest.raises(InputError, match="nothing was changed"):
            files.write({path: "new"}, {path: "old"})
    else:
        files.write({path: "new"}, {path: "old"})
        assert (root / "moved" / "Dockerfile").read_text() == "new"
    assert (elsewhere / "Dockerfile").read_text() == "old"
    assert sorted(each.name for each in elsewhere.iterdir()) == ["Dockerfile"]


@pytest.mark.parametrize(
    ("git_at", "here", "name", "expected"),
    [
        (None, ".", "a/b/Dockerfile", "."),
        (None, "c", "../a/b/Dockerfile", "a/b"),
        ("a", ".", "a/b/Dockerfile", "a"),
        ("a", "c", "../a/b/Dockerfile", "a"),
        (".", "c", "../a/b/Dockerfile", "."),
        (".", ".", "link/Dockerfile", "."),
        ("a", ".", "link/Dockerfile", "."),
    ],
)
def test_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git_at: str | None, here: str, name: str, expected: str
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "link").symlink_to("a/b")
    if git_at:
        (tmp_path / git_at / ".git").mkdir()
    monkeypatch.chdir(tmp_path / here)
    assert tree.root_of(Path(name)) == (tmp_path / expected).resolve()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_work_tree_of_anybody_is_none(root: Path) -> None:
    """Who may write in /tmp may put a `.git` and a configuration there."""
    os.chown(root / ".git", 12345, -1)
    assert tree.root_of(root / "sub" / "Dockerfile") == root / "sub"
    os.chown(root, 12345, -1)
    assert tree.root_of(root / "sub" / "Dockerfile") == root


def test_mode_and_attributes_stay(root: Path) -> None:
    path = root / "a"
    path.chmod(0o664)
    attribute = False
    if hasattr(os, "setxattr"):
        try:
            os.setxattr(path, "user.pinner", b"kept")
            attribute = True
        except OSError:
            pass  # not on every file system
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    before = path.stat()
    files.write({path: "new"}, {path: "a\n"})
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert not attribute or os.getxattr(path, "user.pinner") == b"kept"


def test_hard_links_are_told(root: Path) -> None:
    os.link(root / "a", root / "b")
    assert files.write({root / "a": "new"}, {}) == [
        f"{root / 'a'} had 1 more names (hard links): they keep the old text"
    ]
    assert (root / "b").read_text() == "a\n"


def test_what_the_user_names_may_be_a_pipe(root: Path) -> None:
    ours, theirs = os.pipe()
    files.put(Path(f"/dev/fd/{theirs}"), "text\n")
    os.close(theirs)
    with os.fdopen(ours) as stream:
        assert stream.read() == "text\n"
    files.put(root / "summary", "one\n")
    files.put(root / "summary", "two\n")
    assert (root / "summary").read_text() == "two\n"


def test_a_journal_that_git_tracks_is_refused(root: Path) -> None:
    from pinner.project import journal

    (root / ".git").rmdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / ".pinner-journal").write_text('{"journal": 1, "complete": false, "files": []}')
    subprocess.run(["git", "add", ".pinner-journal"], cwd=root, check=True)
    with pytest.raises(InputError, match="git tracks it"):
        journal.recover(root)
    subprocess.run(["git", "rm", "--cached", "--quiet", ".pinner-journal"], cwd=root, check=True)
    if os.geteuid() == 0:
        os.chown(root / ".pinner-journal", 12345, -1)
        with pytest.raises(InputError, match="belongs to another user"):
            journal.recover(root)
        os.chown(root / ".pinner-journal", 0, -1)
    journal.recover(root)
    (root / ".pinner-journal").symlink_to("a")
    with pytest.raises(InputError, match="no regular file"):
        journal.recover(root)
    assert (root / "a").read_text() == "a\n"
