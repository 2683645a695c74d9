"""Two branches change files and their lock, git merges them, and nothing is lost: with the recipe of
docs/locks-and-branches.md, and as far as plain git goes.

A few random pairs of branches each time; PINNER_MERGES=200 in the environment tries so many.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from pinner.lock.reader import loads
from tests.cli.workbench import RELEASED, Workbench, debian
from tests.simulator import SimulatedArchive

PAIRS = int(os.environ.get("PINNER_MERGES", "3"))
FILES = ("api/Dockerfile", "web/Dockerfile", "worker/Dockerfile")
TOOLS = (
    "curl",
    "git",
    "gnupg",
    "htop",
    "jq",
    "less",
    "nano",
    "openssl",
    "rsync",
    "strace",
    "tmux",
    "vim",
    "wget",
)
LIBRARIES = {
    tool: tuple(f"lib{tool}{number}" for number in range(1, 2 + index % 4)) + ("zlib1g",) * (index % 2)
    for index, tool in enumerate(TOOLS)
}
BASE = "FROM debian:bookworm\nRUN apt-get update \\\n && apt-get install -y \\\n      tini \\\n      {}\n\nRUN true\n"


class Archive(NamedTuple):
    """The simulated archive on any day: each day a fifth of the names has one version more."""

    server: SimulatedArchive

    def set(self, day: int) -> None:
        suite = self.server.suites[-1]
        suite.stanzas.clear()
        for other in self.server.suites:
            other.date = RELEASED + timedelta(days=day)
        names = ("apt", "tini", "zlib1g", *TOOLS, *(name for names in LIBRARIES.values() for name in names))
        for place, name in enumerate(dict.fromkeys(names)):
            for version in range(1 + sum((place + each) % 5 == 0 for each in range(day + 1))):
                needs = ", ".join(LIBRARIES.get(name, ()))
                suite.package(name, "2.6.1" if name == "apt" else f"1.{version}", depends=needs)


@pytest.fixture(scope="module")
def served() -> Iterator[Archive]:
    server = SimulatedArchive()
    debian(server, "bookworm")
    archive = Archive(server)
    archive.set(0)
    with server.serve():
        yield archive


class Project:
    """A work tree with three Dockerfiles and their lock."""

    def __init__(self, folder: Path, archive: Archive, *, recipe: bool) -> None:
        self.bench = Workbench(folder, archive.server, folder.parent)
        self.archive = archive
        self.git("init", "-q", "-b", "main")
        if recipe:
            self.bench.write(".gitattributes", "pinner.lock merge=union linguist-generated\n")
        for number, name in enumerate(FILES):
            tools = TOOLS[number * 3 : number * 3 + 4]
            self.bench.write(name, BASE.format(" \\\n      ".join(tools)))
        self.run(0, "lock", "--platform", "amd64")
        self.commit("base")

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        identity = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.bench.folder, capture_output=True, text=True, check=check
        )

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def run(self, day: int, *command: str) -> str:
        self.archive.set(day)
        result = (
            self.bench.run(*command, "--max-age", "0s") if command[0] == "lock" else self.bench.run(*command)
        )
        assert result.status in (0, 1), result.err
        return result.out + result.err if result.status else ""

    def change(self, dice: random.Random, name: str, day: int) -> None:
        """Adds a tool somewhere in a file, removes one, or refreshes the file or all."""
        text = self.bench.read(name)
        kind = dice.choice(("add", "add", "remove", "refresh"))
        if kind == "refresh":
            self.run(day, "refresh", *dice.choice(((name,), ())))
            return
        lines = text.splitlines(keepends=True)
        places = [place for place, line in enumerate(lines) if line.startswith("      ")][1:-1]
        if kind == "remove":
            del lines[dice.choice(places)]
        else:
            new = dice.choice([tool for tool in TOOLS if f" {tool}" not in text])
            lines.insert(dice.choice(places), f"      {new} \\\n")
        self.bench.write(name, "".join(lines))
        self.run(day, "lock")

    def versions(self) -> set[str]:
        return {package.id for package in loads(self.bench.read("pinner.lock"), merge=True).packages}


def merged(project: Project, dice: random.Random) -> bool:
    """Whether the lock of two random branches merges without a conflict, and that nothing is lost then."""
    project.git("checkout", "-q", "main")
    base = project.versions()
    added = set[str]()
    days = dice.choice(((1, 1), (1, 2), (3, 1)))
    names = dice.choices(FILES, k=2)
    for branch, name, day in zip(("ours", "theirs"), names, days, strict=True):
        project.git("checkout", "-q", "-B", branch, "main")
        project.change(dice, name, day)
        project.commit(branch)
        added |= project.versions() - base
    project.git("merge", "-q", "ours", check=False)
    conflicts = project.git("diff", "--name-only", "--diff-filter=U").stdout.split()
    for name in set(conflicts) - {"pinner.lock"}:
        project.git("checkout", "--theirs", "--", name)
    assert added <= project.versions()
    said = project.run(max(days), "lock", "--check")
    if said and "pinner.lock" not in conflicts and not set(conflicts) & set(FILES):
        assert "pinner.lock: to be locked anew: " in said
    project.run(max(days), "lock")
    assert project.run(max(days), "lock", "--check") == ""
    project.git("merge", "--abort", check=False)
    project.git("reset", "-q", "--hard")
    return "pinner.lock" not in conflicts


@pytest.mark.parametrize("recipe", [True, False], ids=["recipe", "plain git"])
def test_random_pairs_of_branches(served: Archive, tmp_path: Path, recipe: bool) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, served, recipe=recipe)
    dice = random.Random(PAIRS)
    clean = sum(merged(project, dice) for _ in range(PAIRS))
    print(f"{clean} of {PAIRS} without conflict")
    if recipe:
        assert clean == PAIRS
