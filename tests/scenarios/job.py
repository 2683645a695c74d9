"""A story's project as a clone of a remote."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from tests.cli.workbench import _LAUNCH, REPOSITORY, Result
from tests.scenarios.story import Story

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


class Job:
    """The story's project with one commit on `main`, which `origin` has; `pinner` starts pinner from outside."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.folder = story.bench.folder
        self.aside = self.folder.parent
        self.pinner = self.aside / "pinner-simulated"
        self.pinner.write_text(
            f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(_LAUNCH)} "
            f'{shlex.quote(str(story.bench.keyrings))} "$@"\n'
        )
        self.pinner.chmod(0o755)
        self.git("init", "--quiet", "--initial-branch", "main")
        story.lock()
        self.commit("begin")
        self.git("init", "--quiet", "--bare", str(self.aside / "remote.git"))
        self.git("remote", "add", "origin", str(self.aside / "remote.git"))
        self.git("push", "--quiet", "origin", "main")

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "PINNER": str(self.pinner),
            "PINNER_CACHE_DIR": str(self.story.bench.cache),
            "PINNER_IMAGES": "never",
        }

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def refresh(self, *arguments: str) -> Result:
        """`pinner refresh --branch pinner/refresh`."""
        return self.story.bench.run("refresh", "--branch", "pinner/refresh", *arguments)

    def branches(self) -> list[str]:
        """All but main, here."""
        names = self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        return [name for name in names if name != "main"]

    def start(self, script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [REPOSITORY / "scripts" / script, *arguments], cwd=self.folder, text=True,
            env={**self.environment, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, script: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(script, *arguments, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def release(self, version: str) -> None:
        """The archive drops jq for another version."""
        self.story.main.remove("jq").package("jq", version)
