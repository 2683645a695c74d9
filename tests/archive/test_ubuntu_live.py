"""An Ubuntu's pockets, archive and ports, as its images name them: the candidates are real apt's."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pinner.apt.installed import packages
from pinner.archive import trust
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.distributions.catalogue import suite_named
from pinner.resolve.universe import Universe
from pinner.stages.image_names import Named
from pinner.stages.sources import sources_of
from tests.apt_root import AptRoot
from tests.cli.workbench import ubuntu
from tests.simulator import SimulatedArchive

pytestmark = pytest.mark.live

# As in the official image of 22.04.
SOURCES = """
deb {here} jammy main restricted
deb {here} jammy-updates main restricted
deb {here} jammy universe
deb {here} jammy-updates universe
deb {here} jammy multiverse
deb {here} jammy-updates multiverse
deb {here} jammy-backports main restricted universe multiverse
deb {security} jammy-security main restricted
deb {security} jammy-security universe
deb {security} jammy-security multiverse
"""


def filled() -> SimulatedArchive:
    """400 names in random versions over random pockets, components and architectures."""
    archive, dice = SimulatedArchive(), random.Random(7)
    ubuntu(archive, "jammy")
    for number in range(400):
        component = dice.choice(("main", "restricted", "universe", "multiverse"))
        versions = [f"{dice.randint(1, 3)}.{dice.randint(0, 9)}-1ubuntu{build}" for build in range(4)]
        for suite in archive.suites:
            for version in dice.sample(versions, dice.choice((0, 0, 1, 1, 2))):
                suite.package(f"package{number}", version, component=component)
    return archive


def installed(arch: str) -> str:
    """Some of the names in versions that may be above or below what the archive has."""
    dice = random.Random(8)
    return "".join(
        f"Package: package{number}\nStatus: install ok installed\nArchitecture: {arch}\n"
        f"Version: {dice.randint(1, 4)}.{dice.randint(0, 9)}-1ubuntu{dice.randint(0, 5)}\n\n"
        for number in range(0, 400, 2)
    )


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize("release", ["", "jammy", "jammy-backports", "22.04"])
def test_candidates(arch: str, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = filled()
    for suite in archive.suites:
        suite.fields["Version"] = "22.04"
    found = suite_named("22.04")
    assert found is not None
    with archive.serve() as url:
        key = tmp_path / "keys" / "ubuntu-archive-keyring.pgp"
        key.parent.mkdir()
        key.write_bytes(bytes(archive.key.certificate))
        key.with_suffix(".gpg").write_bytes(key.read_bytes())
        monkeypatch.setattr(trust, "_SHIPPED", key.parent)
        indexes, notes = Archive(
            Network(Cache(tmp_path / "cache"), archive.now, mirrors=archive.mirrors)
        ).load(sources_of(Named(*found), arch))
        assert notes == ()
        held = packages(installed(arch))
        universe = Universe(indexes, arch=arch, target_release=release, installed=held)
        here = f"{url}/{'ubuntu' if arch == 'amd64' else 'ubuntu-ports'}"
        signed: Callable[[str], str] = lambda where: f"[signed-by={key.with_suffix('.gpg')}] {where}"  # noqa: E731
        text = SOURCES.format(here=signed(here), security=signed(here))
        apt = AptRoot(tmp_path / "root", arch, {"sources.list": text}, installed(arch))
        apt.update()
        names = [f"package{number}" for number in range(400)]
        options = ("-t", release) if release else ()
        ours = {name: offer.version for name in names if (offer := universe.candidate(name))}
        assert len(ours) > 300
        assert apt.candidates(names, *options) == ours
