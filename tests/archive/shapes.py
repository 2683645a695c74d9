"""Stand-ins for repositories as others publish them: each by its address, and what a sources file says of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator import SimulatedArchive, SimulatedSuite


@dataclass(frozen=True)
class Shape:
    """`line` is what a `.list` file says behind `deb [signed-by=…] URI`; `names` are its packages."""

    suite: SimulatedSuite
    line: str
    names: tuple[str, ...]


def pgdg(archive: SimulatedArchive) -> Shape:
    """Version by version of servers and libraries, each rebuilt for the suite; NotAutomatic for its own testing."""
    suite = archive.suite("bookworm-pgdg", path="pgdg", components=("main", "16", "17"))
    for major in range(9, 18):
        for minor in range(12):
            suite.package(f"postgresql-{major}", f"{major}.{minor}-1.pgdg120+1")
    for build in range(1, 4):
        suite.package("libpq5", f"17.{build}-1.pgdg12+1").package("pgdg-keyring", f"2018.{build}", arch="all")
    return Shape(suite, "bookworm-pgdg main", ("postgresql-16", "postgresql-17", "libpq5", "pgdg-keyring"))


def nodesource(archive: SimulatedArchive) -> Shape:
    """One name in hundreds of versions, one suite for every distribution, plain .gz and no by-hash."""
    suite = archive.suite(
        "nodistro", path="node_20.x", fields={"Suite": None, "Codename": "nodistro", "Origin": "nodesource"}
    )
    suite.by_hash, suite.listed, suite.served = False, ("", ".gz"), (".gz",)
    for minor in range(20):
        for patch in range(20):
            suite.package("nodejs", f"20.{minor}.{patch}-1nodesource1")
    return Shape(suite, "nodistro main", ("nodejs",))


def docker(archive: SimulatedArchive) -> Shape:
    """A component of its own, versions with an epoch; .bz2 and .gz, the plain form listed and not there."""
    suite = archive.suite("bookworm", path="linux/debian", components=("stable",))
    suite.listed, suite.served = ("", ".gz", ".bz2"), (".gz", ".bz2")
    for release in ("25.0.5", "26.1.4", "27.3.1", "27.10.0"):
        for name in ("docker-ce", "docker-ce-cli"):
            suite.package(name, f"5:{release}-1~debian.12~bookworm", component="stable")
    suite.package("containerd.io", "1.7.22-1", component="stable").package(
        "containerd.io", "1.7.9-1", component="stable"
    )
    return Shape(suite, "bookworm stable", ("docker-ce", "docker-ce-cli", "containerd.io"))


def packed_only(archive: SimulatedArchive) -> Shape:
    """A Release that lists packed forms alone, which apt passes over without a word."""
    suite = archive.suite("bookworm", path="packed")
    suite.listed, suite.served = (".gz", ".xz"), (".gz", ".xz")
    suite.package("curl", "8.0")
    return Shape(suite, "bookworm main", ("curl",))


def cuda(archive: SimulatedArchive) -> Shape:
    """Flat: Release and Packages.gz at the address itself, all architectures in one file, a detached signature."""
    suite = archive.suite("", path="cuda/repos", components=())
    suite.flat, suite.by_hash, suite.listed, suite.served = True, False, ("", ".gz"), ("", ".gz")
    suite.fields = {"Suite": None, "Codename": None, "Origin": "NVIDIA", "Components": None}
    for minor in range(9):
        suite.package("cuda-toolkit", f"12.{minor}.0-1", filename=f"./cuda-toolkit_12.{minor}.0-1.deb")
    suite.package("cuda-driver", "550.1-1", arch="amd64", filename="./cuda-driver_550.1-1_amd64.deb")
    suite.package("cuda-driver", "540.9-1", arch="arm64", filename="./cuda-driver_540.9-1_arm64.deb")
    suite.package("cuda-tegra", "1.0-1", arch="arm64", filename="./cuda-tegra_1.0-1_arm64.deb")
    archive.missing(f"{suite.root}InRelease")
    return Shape(suite, "./", ("cuda-toolkit", "cuda-driver", "cuda-tegra"))


def zstd_only(archive: SimulatedArchive) -> Shape:
    """Packed by zstd alone, as some newer tools do."""
    suite = archive.suite("stable", path="zstd", fields={"Codename": None})
    suite.listed, suite.served = ("", ".zst"), (".zst",)
    suite.package("tool", "1.0-1").package("tool", "1.10-1")
    return Shape(suite, "stable main", ("tool",))


def obs(archive: SimulatedArchive) -> Shape:
    """Flat with the path `/`, as the Open Build Service does: one file for all, plain and .gz, no by-hash."""
    suite = archive.suite("", path="repositories/home:/me/Debian_12", components=())
    suite.flat, suite.by_hash, suite.listed, suite.served = True, False, ("", ".gz"), ("", ".gz")
    suite.fields = {"Suite": None, "Codename": None, "Components": None, "Architectures": "amd64 arm64"}
    suite.package("criu", "4.1-1", arch="amd64", filename="./amd64/criu_4.1-1_amd64.deb")
    suite.package("criu", "4.0-1", arch="arm64", filename="./arm64/criu_4.0-1_arm64.deb")
    return Shape(suite, "/", ("criu",))


def plain_only(archive: SimulatedArchive) -> Shape:
    """One architecture and one suite, nothing packed, a detached signature."""
    suite = archive.suite("any-version", path="plain", architectures=("amd64",))
    suite.by_hash, suite.listed, suite.served = False, ("",), ("",)
    archive.missing(f"{suite.root}InRelease")
    suite.package("caddy", "2.10.0").package("caddy", "2.9.1")
    return Shape(suite, "any-version main", ("caddy",))


SHAPES = (pgdg, nodesource, docker, packed_only, cuda, zstd_only, obs, plain_only)
