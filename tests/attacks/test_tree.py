"""Attacks by files of a checkout: each row of tree.toml against the real command line."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pinner.session import access
from tests.cli.workbench import Workbench

ROWS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "tree.toml").read_text())["attack"]


def lay_out(bench: Workbench, row: dict[str, Any]) -> None:
    for name in ("links", "files"):
        for path in row.get(name, ()):
            (bench.folder / path).parent.mkdir(parents=True, exist_ok=True)
    for path, text in {"../secret": "s3cr3t\n", **row.get("files", {})}.items():
        (bench.folder / path).unlink(missing_ok=True)
        (bench.folder / path).write_text(text)
    for path, target in row.get("links", {}).items():
        (bench.folder / path).unlink(missing_ok=True)
        (bench.folder / path).symlink_to(target)
    for path in row.get("pipes", ()):
        os.mkfifo(bench.folder / path)
    subprocess.run(["git", "init", "--quiet"], cwd=bench.folder, check=True)
    for path in row.get("tracked", ()):
        subprocess.run(["git", "add", path], cwd=bench.folder, check=True)


def beside(folder: Path) -> dict[str, bytes]:
    """What lies beside the project."""
    found = (path for path in folder.parent.rglob("*") if path.is_file() and "cache" not in path.parts)
    return {str(path): path.read_bytes() for path in found if not path.is_relative_to(folder)}


@pytest.mark.parametrize("row", ROWS, ids=[row["what"] for row in ROWS])
def test_attack(bench: Workbench, row: dict[str, Any]) -> None:
    lay_out(bench, row)
    before = beside(bench.folder)
    result = bench.run(*shlex.split(row.get("run", "lock --platform linux/amd64")))
    output = result.out + result.err
    assert result.status == row["exit"], output
    for pattern in row.get("says", ()):
        assert re.search(pattern, output), output
    assert beside(bench.folder) == before
    for path, target in row.get("links", {}).items():
        assert str((bench.folder / path).readlink()) == target
    texts = {
        path.name: path.read_text(errors="replace")
        for path in bench.folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    for pattern in ("s3cr3t", *row.get("never", ())):
        assert not re.search(pattern, output), output
        for name, text in texts.items():
            assert name in row.get("files", ()) or not re.search(pattern, text), name


def test_a_cache_that_came_with_the_checkout(bench: Workbench) -> None:
    """What is in the cache counts as verified, and GitLab's caches lie in the checkout."""
    subprocess.run(["git", "init", "--quiet"], cwd=bench.folder, check=True)
    bench.cache = bench.folder / ".cache" / "pinner"
    assert bench.run("lock", "--platform", "linux/amd64").status == 0
    subprocess.run(["git", "add", "--force", ".cache"], cwd=bench.folder, check=True)
    access._not_of_the_checkout.cache_clear()
    result = bench.run("verify")
    assert (result.status, "git tracks files in it" in result.err) == (3, True)


def test_a_cache_behind_a_link_that_came_with_the_checkout(
    bench: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "images").mkdir()
    (outside / "images" / "precious").write_text("x")
    subprocess.run(["git", "init", "--quiet"], cwd=bench.folder, check=True)
    (bench.folder / "cached").symlink_to(outside)
    subprocess.run(["git", "add", "cached"], cwd=bench.folder, check=True)
    for place in (bench.folder / "cached", bench.folder / "cached" / "deep"):
        bench.cache = place
        access._not_of_the_checkout.cache_clear()
        assert bench.run("cache", "clear").status == 3
    assert [each.name for each in outside.rglob("*")] == ["images", "precious"]


@pytest.mark.parametrize(("ci", "shown"), [("", True), ("true", False)])
def test_in_ci_a_named_link_out_of_the_work_tree_is_not_read(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str, shown: bool
) -> None:
    """A pull request may put it in the place of the file that the job names."""
    (tmp_path / "secret").write_text("token=abc\n")
    (bench.folder / ".git").mkdir()
    (bench.folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (bench.folder / "app.Dockerfile").symlink_to(tmp_path / "secret")
    monkeypatch.setenv("CI", ci)
    result = bench.run("verify", "app.Dockerfile")
    assert result.status == 3
    assert ("token=abc" in result.out + result.err) is shown
    assert ("leads out of the work tree" in result.err) is not shown
