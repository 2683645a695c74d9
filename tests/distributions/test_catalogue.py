from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from pinner.distributions.catalogue import DISTRIBUTIONS, PLATFORMS, near, platform, suite_named
from pinner.distributions.debian import DEBIAN
from pinner.distributions.suite import Distribution
from pinner.distributions.ubuntu import UBUNTU

DISTRO_INFO = Path("/usr/share/distro-info")


@pytest.mark.skipif(not DISTRO_INFO.is_dir(), reason="needs the package distro-info-data")
@pytest.mark.parametrize(
    ("distribution", "first"), [(DEBIAN, 2015), (UBUNTU, 2016)], ids=["debian", "ubuntu"]
)
def test_every_release_is_there_with_the_dates_of_distro_info_data(
    distribution: Distribution, first: int
) -> None:
    with (DISTRO_INFO / f"{distribution.name}.csv").open() as file:
        rows = {row["series"]: row for row in csv.DictReader(file)}
    suites = {suite.codename: suite for suite in distribution.suites}
    released = {name for name, row in rows.items() if row["release"] and int(row["release"][:4]) >= first}
    assert released - {"vivid", "wily"} <= set(suites)
    for name in rows.keys() & suites.keys():
        row, suite = rows[name], suites[name]
        end = row.get("eol-lts") or row["eol"]
        full = row["eol"] if distribution is DEBIAN and row.get("eol-lts") else ""
        dates = (str(suite.end or "None"), str(suite.full or ""), str(suite.esm or ""))
        assert dates == (str(end), full, row.get("eol-esm") or ""), name
        assert suite.version == (row["version"] or "").removesuffix(" LTS"), name


def test_an_interim_ubuntu_lies_in_old_releases_after_its_end() -> None:
    for suite in UBUNTU.suites:
        old = suite.pockets[0].uri == "http://old-releases.ubuntu.com/ubuntu"
        assert old == (suite.esm is None and suite.end is not None and suite.end < date(2026, 7, 1)), (
            suite.codename
        )


@pytest.mark.parametrize(
    ("suite", "solver"),
    [
        *[
            (name, "classic")
            for name in ("jessie", "bookworm", "trixie", "xenial", "noble", "plucky", "questing")
        ],
        *[(name, "3.0") for name in ("resolute", "stonking", "tenacious", "forky", "sid", "experimental")],
    ],
)
def test_the_solver_of_a_suites_apt(suite: str, solver: str) -> None:
    found = suite_named(suite)
    assert found is not None
    assert found[1].solver == solver


def test_every_suite_says_which_apt_it_has() -> None:
    assert all(suite.apt[0].isdigit() and suite.apt != "0" for each in DISTRIBUTIONS for suite in each.suites)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("bookwrom", "bookworm"), ("jamy", "jammy"), ("stabel", "stable"), ("main", ""), ("12", "")],
)
def test_the_name_that_was_meant(name: str, meant: str) -> None:
    assert near(name) == meant


@pytest.mark.parametrize(
    ("written", "arch"),
    [
        ("linux/amd64/v3", "amd64"),
        ("amd64", "amd64"),
        ("linux/arm64/v8", "arm64"),
        ("armhf", "armhf"),
        ("linux/arm/v7", "armhf"),
        ("armel", "armel"),
        ("ppc64el", "ppc64el"),
        ("linux/ppc64le", "ppc64el"),
        ("linux/s390x", "s390x"),
        ("riscv64", "riscv64"),
        ("linux/loong64", "loong64"),
        ("i386", "i386"),
        ("linux/386", "i386"),
        ("windows/amd64", ""),
    ],
)
def test_the_architecture_of_a_platform(written: str, arch: str) -> None:
    assert PLATFORMS.get(platform(written) or "", "") == arch
