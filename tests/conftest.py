"""The default run is the same run for everybody: property tests draw fixed examples.

`pytest --hypothesis-profile=search` draws new ones, as a change to a parser deserves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.cli.workbench import Workbench

os.environ.pop(
    "CI", None
)  # in CI pinner asks no private address, and the archives of the tests have such ones

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("fixed")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """An archive with bookworm, and a directory with a Dockerfile that wants curl and jq."""
    from tests.cli.workbench import Workbench, debian
    from tests.simulator import SimulatedArchive

    archive = SimulatedArchive(now=datetime.now(UTC))
    debian(archive, "bookworm").package("curl", "7.88.1-10+deb12u14").package("jq", "1.6-2.1")
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve():
        bench = Workbench(folder, archive, tmp_path)
        bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl jq\n")
        yield bench
