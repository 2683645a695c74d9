"""A project's directory, an archive that answers in Debian's place, and the real command line between them.

Two pieces of data make pinner read the simulated archive: `[mirrors]` of pinner.toml sends what is meant for Debian's
hosts to it, and the directory of shipped keyrings is one where its key stands in for Debian's. No code is replaced.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinner.archive import trust
from pinner.cli import main
from tests.simulator import SimulatedArchive, SimulatedSuite

REPOSITORY = Path(__file__).parent.parent.parent
RELEASED = datetime(2025, 1, 11, 9, 30, tzinfo=UTC)
_LAUNCH = """
import sys
from pathlib import Path
from typing import Any
from pinner.archive import trust
trust._SHIPPED = Path(sys.argv.pop(1))
from pinner.cli.main import main
main()
"""


def debian(archive: SimulatedArchive, codename: str) -> SimulatedSuite:
    """The suite with the pockets that images of it enable, all empty but for the apt that each image has."""
    for pocket, path in (("-updates", "debian"), ("-security", "debian-security")):
        archive.suite(codename + pocket, path=path).date = RELEASED
    suite = archive.suite(codename)
    suite.date = RELEASED
    return suite.package("apt", "2.6.1")


def ubuntu(archive: SimulatedArchive, codename: str) -> None:
    """The four pockets of an Ubuntu, amd64 in the archive and arm64 in the ports; empty."""
    components = ("main", "restricted", "universe", "multiverse")
    automatic = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    for path, arch in (("ubuntu", "amd64"), ("ubuntu-ports", "arm64")):
        for pocket in ("", "-updates", "-backports", "-security"):
            name = codename + pocket
            fields = {"Suite": name, "Codename": codename} | (automatic if pocket == "-backports" else {})
            suite = archive.suite(name, path=path, architectures=[arch], components=components, fields=fields)
            suite.date = RELEASED


@dataclass(frozen=True)
class Result:
    """What a run printed, and its exit status."""

    status: int
    out: str
    err: str


class Workbench:
    """`archive` is served; `folder` is the current directory and holds pinner.toml; the cache is `cache`."""

    def __init__(self, folder: Path, archive: SimulatedArchive, aside: Path) -> None:
        self.folder = folder
        self.archive = archive
        self.cache = aside / "cache"
        self.keyrings = aside / "keyrings"
        self.keyrings.mkdir(parents=True, exist_ok=True)
        for name in ("debian-archive-keyring", "debian-archive-removed-keys", "ubuntu-archive-keyring"):
            (self.keyrings / f"{name}.pgp").write_bytes(bytes(archive.key.certificate))
        self.configure("")

    def configure(self, text: str) -> None:
        """Writes pinner.toml; `text` is its beginning."""
        mirrors = "".join(f'"{official}" = "{here}"\n' for official, here in self.archive.mirrors.items())
        self.write("pinner.toml", f"{text}\n[mirrors]\n{mirrors}")

    def write(self, name: str, text: str | bytes) -> Path:
        """A file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, name: str) -> str:
        """The text of a file, to the byte."""
        return (self.folder / name).read_bytes().decode()

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Content and inode of every file: equal only if nothing at all was written."""
        return {
            path.relative_to(self.folder).as_posix(): (path.read_bytes(), path.stat().st_ino)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".git" not in path.parts
        }

    def run(self, *arguments: str, stdin: bytes = b"") -> Result:
        """One command line in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setenv("PINNER_CACHE_DIR", str(self.cache))
            patch.setenv("PINNER_IMAGES", "never")
            patch.setattr(trust, "_SHIPPED", self.keyrings)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            status = main.run(arguments)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        return Result(status, *texts)

    def start(
        self, *arguments: str, first: str = "", environment: Mapping[str, str] | None = None, **given: Any
    ) -> subprocess.Popen[bytes]:
        """The same as a process of its own, for what ends a process. `first` is Python that it runs before all."""
        own = {"PYTHONPATH": str(REPOSITORY), "PINNER_CACHE_DIR": str(self.cache), "PINNER_IMAGES": "never"}
        return subprocess.Popen(
            [sys.executable, "-c", first + _LAUNCH, str(self.keyrings), *arguments],
            cwd=self.folder,
            env={**os.environ, **own, **(environment or {})},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given},
        )

    def process(self, *arguments: str, **given: Any) -> Result:
        """A process to its end."""
        process = self.start(*arguments, **given)
        out, err = process.communicate(timeout=60)
        return Result(process.returncode, (out or b"").decode(), (err or b"").decode())


def incomplete(text: str, reason: str = "why") -> str:
    """A lock's text in which no target is known in full."""
    ids = re.findall(r'  \{ id = "(\w+)", image', text)
    lines = "".join(
        f'  {{ closure = "{each}", kind = "command", place = "apt-get install x", reason = "{reason}" }},\n'
        for each in ids
    )
    return text.replace("\nincomplete = [\n", f"\nincomplete = [\n{lines}")
