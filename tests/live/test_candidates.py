"""The candidate of every name, against `apt-cache policy` of real apt: all pockets that images enable, no exception."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

import pinner
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.distributions.catalogue import suite_named
from pinner.resolve.universe import Universe
from pinner.stages.image_names import Named
from pinner.stages.sources import sources_of
from tests.live.apt import KEYRING, AptRoot

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("apt-cache") is None, reason="needs apt"),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


SUITES = [(codename, arch) for codename in ("bullseye", "bookworm", "trixie") for arch in ("amd64", "arm64")]
UBUNTU_KEYRING = Path(pinner.__file__).parent / "data/ubuntu-archive-keyring.pgp"


@pytest.mark.parametrize(("codename", "arch"), [*SUITES, ("jammy", "amd64"), ("noble", "amd64")])
def test_every_candidate(codename: str, arch: str, cache: Path, tmp_path: Path) -> None:
    found = suite_named(codename)
    assert found is not None
    sources = sources_of(Named(*found), arch)
    indexes, _ = Archive(Network(Cache(cache), datetime.now(UTC))).load(sources)
    universe = Universe(indexes, arch=arch)
    keyring = KEYRING if found[0].name == "debian" else str(UBUNTU_KEYRING)
    pockets = [(source.uri, source.suite) for source in sources]
    root = AptRoot(tmp_path / "root", pockets, arch, sources[0].components, keyring)
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
