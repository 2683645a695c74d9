"""The candidate of every name in main, against `apt-cache policy` of real apt: all pockets, no exception."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from pinner.archive.distributions import suite_named
from pinner.archive.load import Archive
from pinner.resolve.universe import Universe
from pinner.workflow.images import Named
from pinner.workflow.stages import sources_of
from tests.live.apt import AptRoot

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("apt-cache") is None, reason="needs apt"),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize("codename", ["bullseye", "bookworm", "trixie"])
def test_every_candidate(codename: str, arch: str, cache: Path, tmp_path: Path) -> None:
    found = suite_named(codename)
    assert found is not None
    sources = sources_of(Named(*found), arch)
    indexes, _ = Archive(cache, now=datetime.now(UTC)).load(sources)
    universe = Universe(indexes, arch=arch)
    root = AptRoot(tmp_path / "root", [(source.uri, source.suite) for source in sources], arch)
    names = iter(sorted({name for index in indexes for name in index.names()}))
    compared = 0
    while batch := list(islice(names, 3000)):
        ours = {name: universe.candidate(name) for name in batch}
        theirs = policies(root.run("apt-cache", "policy", *batch))
        assert {name: offer.version for name, offer in ours.items() if offer is not None} == theirs
        compared += len(batch)
    assert compared > 50_000


def policies(text: str) -> dict[str, str]:
    """Name → candidate."""
    found = {}
    name = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            name = line.removesuffix(":")
        elif line.startswith("  Candidate: "):
            found[name] = line.removeprefix("  Candidate: ")
    return found
