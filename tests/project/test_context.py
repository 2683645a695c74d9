"""The build context: beside the Dockerfile or in the project's root, without what .dockerignore names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.project.context import ContextFiles, ignored, patterns


@pytest.mark.parametrize(
    ("text", "path", "out"),
    [
        ("a", "a", True),
        ("a", "a/b", True),
        ("a", "b/a", False),
        ("**/a", "b/a", True),
        ("*.list", "x.list", True),
        ("*.list", "d/x.list", False),
        ("*\n!a", "a", False),
        ("*\n!a", "b", True),
        ("# a\n\na?c", "abc", True),
        ("d/\n!d/keep", "d/keep", False),
        ("/a/./", "a", False),
        ("[ab].sh", "b.sh", True),
    ],
)
def test_dockerignore(text: str, path: str, out: bool) -> None:
    assert ignored(path, patterns(text)) == out


def test_where_files_are(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "outside").write_text("x")
    root = tmp_path / "project"
    (root / "image/apt").mkdir(parents=True)
    dockerfile = root / "image/Dockerfile"
    for path, text in {
        "image/Dockerfile": "FROM x",
        "image/apt/a.list": "own",
        "top.sh": "root",
        "both": "one",
        "image/both": "other",
        ".dockerignore": "secret",
        "secret": "s",
    }.items():
        (root / path).write_text(text)
    (root / "link").symlink_to(tmp_path / "outside")
    context = ContextFiles(dockerfile, root, root)
    assert context.text("apt/a.list") == "own"
    assert context.name("apt/a.list") == "image/apt/a.list"
    assert list(context.names("apt")) == ["a.list"]
    assert context.text("top.sh") == "root"
    assert context.text("both") is None  # it is in doubt which is meant
    assert (context.is_file("secret"), context.is_file("link"), context.is_file("../outside")) == (False,) * 3
