"""Real apt in a root of its own, to be asked what it would take. Needs apt; for live tests."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path


class AptRoot:
    """A root at `folder` with these texts as sources (by file name), what is installed by dpkg's `status`, and nothing
    of the host's settings.
    """

    def __init__(self, folder: Path, arch: str, sources: dict[str, str], status: str = "") -> None:
        for name in ("etc/apt/sources.list.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d",
                     "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"):  # fmt: skip
            (folder / name).mkdir(parents=True)
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)  # apt fetches as a user of its own
        (folder / "var/lib/dpkg/status").write_text(status)
        for name, text in sources.items():
            (folder / "etc/apt" / name).write_text(text)
        settings = (
            f'Dir "{folder}"; Dir::State::status "{folder}/var/lib/dpkg/status"; Dir::Etc::main "/dev/null"; '
            f'Dir::Etc::parts "/dev/null"; APT::Architecture "{arch}"; APT::Architectures {{ "{arch}"; }}; '
            'Acquire::Languages "none"; APT::Sandbox::User "root"; Acquire::Check-Date "false";'
        )
        (folder / "apt.conf").write_text(settings)
        self.folder = folder
        self._environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"}

    def run(self, *command: str) -> str:
        """What a command prints; it has to succeed."""
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def refuses(self, *command: str) -> str:
        """What apt complains about; "" if the command succeeds."""
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        return "".join(re.findall(r"(?m)^E: .*\n", done.stderr)) if done.returncode else ""

    def update(self) -> None:
        """Reads the sources; each has to answer."""
        self.run("apt-get", "update", "-qq", "--error-on=any")

    def candidates(self, names: Iterable[str], *options: str) -> dict[str, str]:
        """The candidate of each name that has one."""
        printed = self.run("apt-cache", "policy", *options, *names)
        found = re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (.*)$", printed, re.MULTILINE)
        return {name: version for name, version in found if version != "(none)"}

    def installs(self, *words: str) -> dict[str, str]:
        """What a simulated `apt-get install` brings in."""
        printed = self.run("apt-get", "-s", "-qq", "-y", "install", *words)
        return dict(re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", printed, re.MULTILINE))
