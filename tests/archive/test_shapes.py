"""Repositories in the shapes in which others publish them, compared (live) with real apt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from pinner.apt.sources_list import read
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.resolve.universe import Universe
from pinner.stages.repositories import Repository
from tests.apt_root import AptRoot
from tests.archive.shapes import (
    SHAPES,
    Shape,
    cuda,
    docker,
    nodesource,
    obs,
    packed_only,
    pgdg,
    plain_only,
    zstd_only,
)
from tests.simulator import SimulatedArchive

Making = Callable[[SimulatedArchive], Shape]


def universe(archive: SimulatedArchive, shape: Shape, arch: str, cache: Path) -> Universe:
    (entry,) = read("x.list", f"deb {shape.suite.uri} {shape.line}")
    source = Repository(entry, archive.keys).source(arch)
    assert source is not None
    indexes, notes = Archive(Network(Cache(cache), archive.now, wait=archive.wait)).load([source])
    assert bool(notes) == (not indexes)
    return Universe(indexes, arch=arch)


@pytest.mark.parametrize(
    ("make", "arch", "expected"),
    [
        (
            pgdg,
            "amd64",
            {"postgresql-16": "16.11-1.pgdg120+1", "libpq5": "17.3-1.pgdg12+1", "pgdg-keyring": "2018.3"},
        ),
        (nodesource, "arm64", {"nodejs": "20.19.19-1nodesource1"}),
        (docker, "amd64", {"docker-ce": "5:27.10.0-1~debian.12~bookworm", "containerd.io": "1.7.22-1"}),
        (packed_only, "amd64", {"curl": ""}),
        (cuda, "amd64", {"cuda-toolkit": "12.8.0-1", "cuda-driver": "550.1-1", "cuda-tegra": ""}),
        (zstd_only, "amd64", {"tool": "1.10-1"}),
        (obs, "arm64", {"criu": "4.0-1"}),
        (plain_only, "amd64", {"caddy": "2.10.0"}),
        (plain_only, "arm64", {"caddy": ""}),
        (cuda, "arm64", {"cuda-toolkit": "12.8.0-1", "cuda-driver": "540.9-1", "cuda-tegra": "1.0-1"}),
    ],
)
def test_candidates(make: Making, arch: str, expected: dict[str, str], tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        shape = make(archive)
        for _ in range(2):  # fetched, and from the cache
            found = universe(archive, shape, arch, tmp_path)
            offers = {name: found.candidate(name) for name in expected}
            assert {name: offer.version if offer else "" for name, offer in offers.items()} == expected


def test_where_a_flat_repositorys_packages_lie(tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        offer = universe(archive, cuda(archive), "amd64", tmp_path).candidate("cuda-driver")
        assert offer is not None
        assert offer.index is not None
        source = offer.index.source
        assert f"{source.uri}/{source.place(offer.package.filename)}".endswith(
            "/cuda/repos/cuda-driver_550.1-1_amd64.deb"
        )


@pytest.mark.live
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize("make", SHAPES)
def test_the_candidates_are_real_apts(make: Making, arch: str, tmp_path: Path) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        shape = make(archive)
        (tmp_path / "keys").mkdir()
        key = tmp_path / "keys" / "key.gpg"
        key.write_bytes(bytes(archive.key.certificate))
        ours = universe(archive, shape, arch, tmp_path / "cache")
        apt = AptRoot(
            tmp_path / "root",
            arch,
            {"sources.list": f"deb [signed-by={key}] {shape.suite.uri} {shape.line}\n"},
        )
        apt.update()
        versions = {name: offer.version for name in shape.names if (offer := ours.candidate(name))}
        assert apt.candidates(shape.names) == versions
        for name in versions:
            printed = apt.run("apt-get", "download", "--print-uris", f"{name}:{arch}")
            offer = ours.candidate(name)
            assert offer is not None
            assert offer.index is not None
            address = f"{offer.index.source.uri}/{offer.index.source.place(offer.package.filename)}"
            assert unquote(printed).replace("/./", "/").startswith(f"'{address}'")
            theirs = apt.run("apt-cache", "show", name).count("\nVersion: ")
            assert theirs == len(ours.versions(name))
