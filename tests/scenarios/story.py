"""A Debian that moves through time, and a project that pins what it offers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cli.workbench import Result, Workbench
from tests.simulator import SimulatedArchive, SimulatedSuite


class Story:
    """`main`, `updates` and `security` are bookworm's pockets; the project's Dockerfile installs curl and jq."""

    def __init__(
        self, bench: Workbench, main: SimulatedSuite, updates: SimulatedSuite, security: SimulatedSuite
    ):
        self.bench = bench
        self.main = main
        self.updates = updates
        self.security = security

    @classmethod
    @contextmanager
    def begin(cls, aside: Path) -> Iterator[Story]:
        """Day 0: the archive is served, nothing is pinned yet."""
        archive = SimulatedArchive(now=datetime.now(UTC))
        main = archive.suite("bookworm").package("apt", "2.6.1")
        updates = archive.suite("bookworm-updates")
        security = archive.suite("bookworm-security", path="debian-security")
        main.package("curl", "7.88.1-10", depends="libcurl4 (= 7.88.1-10)").package("libcurl4", "7.88.1-10")
        main.package("jq", "1.6-2")
        folder = aside / "project"
        folder.mkdir()
        with archive.serve():
            story = cls(Workbench(folder, archive, aside), main, updates, security)
            story.dockerfile("curl jq")
            yield story

    def dockerfile(self, words: str, name: str = "Dockerfile") -> None:
        """A Dockerfile that installs these words."""
        self.bench.write(name, f"FROM debian:bookworm\nRUN apt-get install -y {words}\n")

    def words(self, name: str = "Dockerfile") -> str:
        """What it installs now."""
        return self.bench.read(name).partition("install -y ")[2].strip()

    def lock(self, *arguments: str) -> None:
        """`pinner lock`, which must succeed."""
        result = self.bench.run("lock", "--max-age", "0s", *arguments)
        assert result.status == 0, result.out + result.err

    def verify(self, *arguments: str) -> Result:
        """`pinner verify`; the columns of its table are closed up."""
        result = self.bench.run("verify", *arguments)
        return replace(result, out=re.sub(" +", " ", result.out))

    def data(self, command: str, *arguments: str) -> Any:
        """What the command says as JSON."""
        return json.loads(self.bench.run(command, "--json", *arguments).out)

    def standings(self) -> dict[str, dict[str, str]]:
        """Each pin's state by architecture, with the newer version if there is one: `gone → 1.1`."""
        return {
            pin["name"]: {
                platform.removeprefix("linux/"): " → ".join(
                    filter(None, (each["state"] + "!" * each["security"], each["newer"]))
                )
                for platform, each in pin["platforms"].items()
            }
            for pin in self.data("verify")["pins"]
        }
