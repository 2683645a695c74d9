"""What a checkout can hold so that somebody else's code runs, and how to see that it did."""

from __future__ import annotations

import subprocess
from pathlib import Path

#: Keys of git's configuration that name a program (git-config(1)); `*` where a name stands between.
GIT_PROGRAMS = (
    "core.fsmonitor", "core.sshCommand", "core.askPass", "core.editor", "core.pager", "core.gitProxy",
    "core.alternateRefsCommand", "credential.helper", "diff.external", "diff.evil.textconv", "diff.evil.command",
    "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "gpg.program", "gpg.openpgp.program",
    "gpg.ssh.program", "gpg.ssh.defaultKeyCommand", "gpg.x509.program", "merge.evil.driver", "pager.status",
    "pager.config", "interactive.diffFilter", "sequence.editor", "alias.ls-files", "alias.status",
    "gc.recentObjectsHook", "uploadpack.packObjectsHook",
)  # fmt: skip
GIT_HOOKS = (
    "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "post-index-change", "pre-push",
    "reference-transaction", "pre-auto-gc", "post-rewrite", "fsmonitor-watchman",
)  # fmt: skip
ATTRIBUTES = "* filter=evil diff=evil merge=evil\n"
#: Modules that a run imports early, or that the scripts name.
MODULES = ("json", "click", "sitecustomize", "usercustomize", "venv", "pip", "yaml", "requests", "pinner")


class Traps:
    """Programs below `folder` of which each leaves a file of its name in `sprung`."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder / "traps"
        self._sprung = folder / "sprung"
        self._programs.mkdir()
        self._sprung.mkdir()

    def program(self, name: str) -> Path:
        """An executable that reports itself and fails."""
        path = self._programs / name
        path.write_text(f"#!/bin/sh\n: > '{self._sprung / name}'\nexit 1\n")
        path.chmod(0o755)
        return path

    def modules(self, folder: Path) -> None:
        """Python modules that report themselves and end the run, as if it had gone well."""
        for name in MODULES:
            text = f"import pathlib, os\npathlib.Path({str(self._sprung / name)!r}).touch()\nos._exit(0)\n"
            (folder / f"{name}.py").write_text(text)
        for package in ("pinner", "pip", "venv"):
            (folder / package).mkdir()
            (folder / f"{package}.py").rename(folder / package / "__init__.py")
            (folder / package / "__main__.py").write_bytes((folder / package / "__init__.py").read_bytes())

    def git(self, git_dir: Path) -> None:
        """Names the programs in a repository's configuration and as its hooks."""
        for key in GIT_PROGRAMS:
            command = ["git", "config", "--file", str(git_dir / "config"), key, str(self.program(key))]
            subprocess.run(command, check=True)
        for key, value in (
            ("commit.gpgSign", "true"),
            ("filter.evil.required", "true"),
            ("tag.gpgSign", "true"),
        ):
            subprocess.run(["git", "config", "--file", str(git_dir / "config"), key, value], check=True)
        (git_dir / "hooks").mkdir(exist_ok=True)
        for name in GIT_HOOKS:
            (git_dir / "hooks" / name).unlink(missing_ok=True)
            (git_dir / "hooks" / name).symlink_to(self.program(name))

    @property
    def sprung(self) -> list[str]:
        """What ran."""
        return sorted(path.name for path in self._sprung.iterdir())
