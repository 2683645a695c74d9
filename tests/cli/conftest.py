from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.workbench import Workbench, debian
from tests.simulator import SimulatedArchive


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """An archive with bookworm, and a directory with a Dockerfile that wants curl and jq."""
    archive = SimulatedArchive(now=datetime.now(UTC))
    debian(archive, "bookworm").package("curl", "7.88.1-10+deb12u14").package("jq", "1.6-2.1")
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve():
        bench = Workbench(folder, archive, tmp_path)
        bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl jq\n")
        yield bench
