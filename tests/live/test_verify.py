"""Pins of real names against the archive of today and real apt: live, gone with its successor, uninstallable."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinner.apt.version import compare
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.distributions import minbase
from pinner.distributions.catalogue import suite_named
from pinner.lock.schema import Lock
from pinner.resolve.universe import Universe
from pinner.stages.archives import Archives
from pinner.stages.image_names import Named
from pinner.stages.sources import sources_of
from pinner.stages.suites import Options
from pinner.workflow.verified import Verified
from pinner.workflow.verify import Verifier
from tests.live.apt import AptRoot

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("apt-cache") is None, reason="needs apt"),
]
NOW = datetime.now(UTC)
CASES = 240
NOT_IN_STATUS = ("Filename:", "Size:", "SHA256:", "MD5sum:", "Description")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return Archive(Network(Cache(tmp_path_factory.mktemp("cache")), NOW))


@pytest.fixture(scope="module")
def universe(archive: Archive) -> Universe:
    found = suite_named("bookworm")
    assert found is not None
    return Universe(archive.load(sources_of(Named(*found), "amd64"))[0], arch="amd64")


def verified(archive: Archive, pins: list[tuple[str, str]]) -> Verified:
    """Each pin as a file of its own."""
    texts = {
        f"{number:03}": f"FROM debian:bookworm\nRUN apt-get install -y --no-install-recommends {name}={version}\n"
        for number, (name, version) in enumerate(pins)
    }
    archives = Archives(archive.load, archive.release)
    return Verifier(archives, NOW).verify(texts, Options(("linux/amd64",), asked=True), Lock())


def test_pins_of_today_are_live(archive: Archive, universe: Universe) -> None:
    names = sorted(set(universe.indexes[0].names()))
    drawn = random.Random(1).sample(names, 500)
    pins = [(name, offer.version) for name in drawn if (offer := universe.candidate(name)) is not None]
    assert {pin.state for pin in verified(archive, pins).pins} == {"live"}


def test_one_revision_off_is_gone_with_the_right_successor(archive: Archive, universe: Universe) -> None:
    names = sorted(set(universe.indexes[0].names()))
    drawn = random.Random(2).sample(names, 500)
    latest = {name: offer.version for name in drawn if (offer := universe.candidate(name)) is not None}
    found = verified(archive, [(name, f"{version}~") for name, version in latest.items()])
    assert len(found.pins) == len(latest)
    for pin in found.pins:
        (each,) = pin.standings.values()
        assert (each.state, each.newer, each.candidate) == ("gone", latest[pin.name], latest[pin.name])


def test_uninstallable_exactly_where_apt_fails(archive: Archive, universe: Universe, tmp_path: Path) -> None:
    security = next(index for index in universe.indexes if index.source.suite == "bookworm-security")
    main = universe.indexes[0]
    old = [
        (name, low[-1].version)
        for name in sorted(set(security.names()))
        if (low := main.packages(name)) and compare(security.packages(name)[-1].version, low[-1].version) > 0
    ]
    pins = random.Random(3).sample(old, CASES)
    root = with_minbase(tmp_path, universe)
    fails = {f"{name}={version}" for name, version in pins if not installs(root, f"{name}={version}")}
    found = verified(archive, pins)
    assert len(found.pins) == CASES
    assert {pin.state for pin in found.pins} == {"superseded"}
    words = [f"{name}={version}" for name, version in pins]
    ours = {words[int(broken.place.path)] for broken in found.broken}
    assert ours == fails
    assert 20 < len(fails) < CASES - 20


def with_minbase(folder: Path, universe: Universe) -> AptRoot:
    """A root that holds the minimal set, at its candidates."""
    root = AptRoot(
        folder / "root", [(index.source.uri, index.source.suite) for index in universe.indexes], "amd64"
    )
    names = [name for name in minbase.names("bookworm", "amd64") if universe.candidate(name) is not None]
    stanzas = []
    for stanza in root.run("apt-cache", "show", "--no-all-versions", *names).split("\n\n"):
        fields = re.split(r"\n(?=\S)", stanza.strip())
        if len(fields) > 1:
            kept = [field for field in fields if not field.startswith(NOT_IN_STATUS)]
            stanzas.append("\n".join([kept[0], "Status: install ok installed", *kept[1:]]))
    (root.path / "var/lib/dpkg/status").write_text("\n\n".join(stanzas) + "\n")
    root.run("apt-get", "check", "-qq")
    return root


def installs(root: AptRoot, word: str) -> bool:
    """Whether apt would install the line; with -y it refuses to downgrade."""
    command = ("apt-get", "-s", "-y", "-qq", "install", "--no-install-recommends", word)
    environment = {**os.environ, "APT_CONFIG": str(root.path / "apt.conf"), "LC_ALL": "C"}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
