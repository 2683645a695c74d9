"""Real apt in an isolated root: its own sources, lists and status, nothing of the machine's (apt.conf(5))."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FOLDERS = (
    *("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d"),
    *("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"),
)


class AptRoot:
    """A root for one suite with the pockets that its images enable.

    Only the file that APT_CONFIG names is read early enough to keep the machine's apt.conf.d out.
    """

    def __init__(
        self,
        path: Path,
        pockets: Sequence[tuple[str, str]],
        arch: str,
        components: Sequence[str] = ("main",),
        keyring: str = KEYRING,
    ) -> None:
        self.path = path
        for folder in _FOLDERS:
            (path / folder).mkdir(parents=True)
        (path / "var/lib/dpkg/status").touch()
        (path / "apt.conf").write_text(
            f'Dir "{path}"; Dir::State::status "{path}/var/lib/dpkg/status"; Dir::Etc::main "/dev/null";\n'
            f'Dir::Etc::parts "/dev/null"; APT::Architecture "{arch}"; APT::Architectures {{ "{arch}"; }};\n'
            'Acquire::Languages "none"; APT::Sandbox::User "root";\n'
        )
        (path / "etc/apt/sources.list.d/debian.sources").write_text(
            "".join(
                f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {' '.join(components)}\n"
                f"Signed-By: {keyring}\n\n"
                for uri, suite in pockets
            )
        )
        self.run("apt-get", "update", "-qq", "--error-on=any")

    def run(self, *command: str) -> str:
        """What a command of apt prints. It must succeed."""
        environment = {**os.environ, "APT_CONFIG": str(self.path / "apt.conf"), "LC_ALL": "C"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
