"""Distributions made of Debian's packages: read by their own keys, or not at all, and never taken for Debian."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.workbench import Workbench
from tests.simulator import SimulatedArchive


@pytest.fixture
def archive() -> SimulatedArchive:
    archive = SimulatedArchive()
    kali = archive.suite(
        "kali-rolling", path="kali", components=("main", "contrib", "non-free", "non-free-firmware")
    )
    kali.package("curl", "8.15.0-1+kali1")
    archive.suite("bookworm").package("curl", "7.88.1-10")
    return archive


def test_kali_by_keys_that_the_configuration_names(archive: SimulatedArchive, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve() as url:
        bench = Workbench(folder, archive, tmp_path)
        bench.write(
            "Dockerfile", "FROM kalilinux/kali-rolling\nRUN apt-get update && apt-get install -y curl\n"
        )
        bench.write("pinner.toml", f'[mirrors]\n"https://archive.kali.org" = "{url}"\n')
        result = bench.run("lock", "--platform", "amd64")
        assert (result.status, "whose key could not be fetched" in result.out) == (5, True)
        assert "curl=" not in bench.read("Dockerfile")
        bench.write("kali.pgp", Path(archive.keys.keyring).read_bytes())
        bench.write(
            "pinner.toml",
            '[[source]]\nuri = "http://http.kali.org/kali"\nkey = "kali.pgp"\n'
            f'[mirrors]\n"http://http.kali.org" = "{url}"\n',
        )
        result = bench.run("lock", "--platform", "amd64")
        assert result.status == 0, result
        assert "curl=8.15.0-1+kali1\n" in bench.read("Dockerfile")
        assert 'uri = "http://http.kali.org/kali"' in bench.read("pinner.lock")
        assert bench.run("verify", "--platform", "amd64").status == 0


@pytest.mark.parametrize(
    "image",
    ["raspbian/bookworm", "balenalib/rpi-raspbian:bookworm", "dtcooper/raspberrypi-os:bookworm", "x/linuxmint:noble"],
)  # fmt: skip
def test_a_codename_of_debians_in_anothers_name(
    image: str, archive: SimulatedArchive, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve():
        bench = Workbench(folder, archive, tmp_path)
        bench.write("Dockerfile", f"FROM {image}\nRUN apt-get update && apt-get install -y curl\n")
        result = bench.run("lock", "--platform", "amd64")
        assert (result.status, "which has packages of its own" in result.out) == (0, True)
        assert "curl=" not in bench.read("Dockerfile")
