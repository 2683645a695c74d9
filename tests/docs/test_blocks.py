"""Every command in the README and the pages is run, page by page and in their order, against a simulated archive.

A page's commands share one project, as those of a reader would. What cannot run here is named with its reason.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.workbench import Workbench, debian
from tests.docs.test_docs import PAGES, ROOT
from tests.simulator import SimulatedArchive
from tests.workflow.test_vulnerable import configure, osv, tracker

#: What is not run: the beginning of a line, and why, or which test does it.
NOT_RUN = {
    "docker ": "needs docker; tests/live/test_image.py builds the image",
    "scripts/": "sets up an environment; the project's own CI runs it",
    "pinner lock --images always": "needs a registry: tests/images",
    "pinner lock --image-archive": "needs an image: tests/images",
    "pinner lock --insecure-registry": "needs a registry: tests/images",
    "pinner lock --pin-images": "needs a registry: tests/images",
    "pinner lock --snapshot": "needs a snapshot service: tests/workflow/test_snapshots.py",
    "pinner lock --trust-new-keys": "needs a repository with a key: tests/session/test_keys.py",
    "pinner verify --snapshots": "needs a snapshot service: tests/cli/test_rescue.py",
    "pinner refresh --rescue": "needs a snapshot service: tests/cli/test_rescue.py",
    "pinner snapshot find": "needs a snapshot service: tests/cli/test_snapshot_find.py",
    "pinner download": "needs .debs: tests/cli/test_download.py",
}
#: Commands that are to find something.
FINDS = (
    "docker ",
    "pinner lock --check",
    "pinner verify",
    "pinner audit",
    "pinner diff",
    "pinner refresh --package",
)
UNPINNED = "FROM debian:bookworm\nRUN apt-get update && apt-get install -y curl jq libssl3\n"


def blocks(page: Path) -> Iterator[str]:
    """The lines of shell in the fenced blocks of a page, without comments."""
    language: str | None = None
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = re.match(r"\s*```(\w*)", line)
        if fence:
            language = None if language is not None else fence[1]
        elif language in ("", "sh", "bash", "console") and line.strip():
            yield re.sub(r"(^|\s)#.*", "", line.strip().removeprefix("$ ")).strip()


def commands(page: Path) -> list[str]:
    """Those that begin with a program that is known; a block without a language may be a file's content."""
    begin = ("pinner ", "git ", "ls ", *NOT_RUN)
    return [line for line in blocks(page) if line.startswith(begin)]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Workbench]:
    archive = SimulatedArchive()
    for codename in ("bookworm", "trixie"):
        suite = debian(archive, codename)
        suite.package("libssl3", "3.0.15-1~deb12u1").package("nginx", "1.22.1-9", depends="libssl3")
        suite.package("curl", "8.14.1-2" if codename == "trixie" else "7.88.1-10+deb12u14", depends="libssl3")
        suite.package("jq", "1.6-2.1").package("python3", "3.11.2-1").package("libc6", "2.36-9")
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve():
        bench = Workbench(folder, archive, tmp_path)
        configure(bench)
        tracker(archive, {"curl": {"CVE-2026-1": {"status": "open", "urgency": "high"}}})
        osv(archive)
        for name in ("Dockerfile", "web/Dockerfile"):
            bench.write(name, UNPINNED)
        bench.write("IMAGE.list", "dpkg\t1.21.22\nlibssl3:amd64\t3.0.15-1~deb12u1\n")
        bench.write("base.list", "dpkg\t1.21.22\nlibc6:amd64\t2.36-9\n")
        for number in range(2):
            bench.write("repositories", f"{folder}/web\n" if number else "")
            git(bench, "init", "-q", "-b", "main")
            bench.run("lock")
            git(bench, "add", "-A")
            git(
                bench,
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.org",
                "commit",
                "-qm",
                "x",
                "--allow-empty",
            )
        yield bench


def git(bench: Workbench, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=bench.folder, check=True, capture_output=True)


def run(bench: Workbench, line: str) -> tuple[int, str]:
    """A line with redirections and pipes, in which only pinner is run. Its status, and what it said."""
    status, text, said = 0, b"", ""
    for part in line.split(" && "):
        for command in part.split(" | "):
            words = shlex.split(command)
            if ">" in words:
                words, target = words[: words.index(">")], words[-1]
            else:
                target = ""
            if "<" in words:
                text = (bench.folder / words[-1]).read_bytes()
                words = words[: words.index("<")]
            if words[0] == "docker":
                text = (bench.folder / "IMAGE.list").read_bytes()
                continue
            if words[0] == "git":
                continue
            assert words[0] == "pinner", line
            files = [
                name for word in words[1:] for name in (_globbed(bench, word) if "*" in word else [word])
            ]
            done = bench.run(*files, stdin=text)
            status, text, said = max(status, done.status), done.out.encode(), done.err
            if target:
                bench.write(target, done.out)
    return status, said


def _globbed(bench: Workbench, word: str) -> list[str]:
    found = [path.name for path in sorted(bench.folder.glob(word))] if "/" not in word else []
    return found or [word]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_says_works(reader: Workbench, page: Path) -> None:
    for line in dict.fromkeys(commands(page)):
        if line.startswith(tuple(NOT_RUN)) and "| pinner" not in line:
            continue
        if line.startswith("ls "):
            reader.write("repositories", f"{reader.folder}/web\n")
            continue
        status, said = run(reader, line)
        assert status == 0 or (status == 1 and line.startswith(FINDS)), f"{line}\n{status}\n{said}"


def test_nothing_is_left_out_without_need() -> None:
    lines = [line for page in PAGES for line in blocks(page)]
    assert not [begin for begin in NOT_RUN if not any(line.startswith(begin) for line in lines)]
