"""The build context: beside the Dockerfile or in the project's root, without what .dockerignore names."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pinner.project.context import ContextFiles, ignored, patterns
from tests.registry import tar


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
        ("**/b*d/*.x", "a/bcd/e.x", True),
        ("**/b/**/c", "b/a/b/x/c", True),
        ("**/b/**/c", "b/a/b/x/d", False),
        ("**.log", "a/b.log", True),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a*b*c", "axbxbxc", True),
        ("a*b*c/d", "axbxc/e", False),
        ("[", "[", True),
        ("*a" * 25 + "b", "a" * 200, False),
        ("**/" * 30 + "b", "a/" * 60 + "a", False),
        ("**/a/" * 20 + "b", "a/" * 60 + "a", False),
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


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, bytes])
def test_archives(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, size in {"./etc/apt/sources.list": 20, "usr/bin/x": 70_000, "../x": 1}.items():
            member = tarfile.TarInfo(name)
            member.size = size
            archive.addfile(member, io.BytesIO(b"x" * size))
    whole = pack(plain.getvalue())
    (tmp_path / "x").write_bytes(whole)
    context = ContextFiles(tmp_path / "Dockerfile", tmp_path, tmp_path)
    assert context.archive("x") == {"etc/apt/sources.list": "x" * 20, "usr/bin/x": None}
    (tmp_path / "y").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "z").write_text("no archive")
    (tmp_path / "many").write_bytes(tar([(f"{number}", "") for number in range(20_001)]))
    assert [context.archive(name) for name in ("y", "z", "none", "many")] == [None] * 4
