"""Distributions as data: suites, aliases, pockets, hosts, keys, platforms, life time.

A new distribution is a new value here, not a branch elsewhere. Pockets are those that the official images enable,
in the order of the images' sources files, since apt prefers the first listed source of a version.
Dates are those of Debian's package distro-info-data; Ubuntu's hosts are those of its images' sources files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from pinner.apt.sources import Keys


class Pocket(NamedTuple):
    """One suite directory that an image of the distribution reads: `uri/dists/suite`, for the architectures in
    `ports` (all but `here`, where that is given) below the address `ports` instead."""

    uri: str
    suite: str
    ports: str = ""
    here: frozenset[str] = frozenset()

    def address(self, arch: str) -> str:
        """The archive that serves an architecture."""
        return self.ports if self.ports and arch not in self.here else self.uri


@dataclass(frozen=True, slots=True, eq=False)
class Suite:
    """One release. `version` is its number ("" if it has none); `end` the last day of security support that the
    distribution's own archive gives (`None`: not announced). Until the day `full` the release itself is updated too,
    by point releases; after it comes long-term support, by security alone. `variants` are pockets that an image adds
    when its tag says so; they are listed first, since their sources file sorts before the distribution's. A suite that
    was `laid_up`, in an archive of its own for those past their end, has a Valid-Until that has passed.
    Until `esm` subscribers get updates from an archive of their own (ESM), which is not read."""

    codename: str
    version: str
    pockets: tuple[Pocket, ...]
    signed_by: Keys
    end: date | None = None
    full: date | None = None
    variants: Mapping[str, Pocket] = field(default_factory=dict)
    laid_up: bool = False
    esm: date | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A family of suites that share keys and naming.

    `aliases` are suite directories below `alias_uri` whose Release names the codename of the day; `moving` are tags
    that mean another release from time to time, which the archive does not tell. `image` is the last part of the
    official image's name, whose tags are codenames, numbers (`number` is their pattern) and aliases;
    `latest` is the alias that its `latest` tag stands for, "" if that is none of them. `signed_weekly` tells that the
    Releases of living suites are renewed all the time, so that one which stands still is out of date.
    """

    name: str
    suites: tuple[Suite, ...]
    components: tuple[str, ...]
    signed_by: Keys
    image: str
    number: str
    aliases: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
    alias_uri: str = ""
    latest: str = ""
    signed_weekly: bool = True


_DEBIAN = "http://deb.debian.org/debian"
_SECURITY = "http://deb.debian.org/debian-security"
_DEBIAN_KEYS = Keys("debian-archive-keyring")


def _debian(codename: str, version: str, end: date | None = None, full: date | None = None) -> Suite:
    release, updates, security = (
        Pocket(_DEBIAN, codename),
        Pocket(_DEBIAN, f"{codename}-updates"),
        Pocket(_SECURITY, f"{codename}-security"),
    )
    # The images of bullseye list security in the middle, later ones last.
    pockets = (release, security, updates) if codename == "bullseye" else (release, updates, security)
    variants = {name: Pocket(_DEBIAN, f"{codename}-{name}") for name in ("backports", "proposed-updates")}
    return Suite(codename, version, pockets, _DEBIAN_KEYS, end, full, variants)


def _laid_up(codename: str, version: str, end: date, full: date) -> Suite:
    """A suite on archive.debian.org. Its -updates pocket went into the last point release; not all have kept it."""
    archive = "http://archive.debian.org"
    pockets = (
        Pocket(f"{archive}/debian", codename),
        Pocket(f"{archive}/debian-security", f"{codename}/updates"),
    )
    keys = Keys("debian-archive-removed-keys", accept_expired=True)
    backports = {"backports": Pocket(f"{archive}/debian", f"{codename}-backports")}
    return Suite(codename, version, pockets, keys, end, full, backports, laid_up=True)


def _moving(codename: str, *names: str) -> Suite:
    return Suite(codename, "", tuple(Pocket(_DEBIAN, name) for name in names), _DEBIAN_KEYS)


DEBIAN = Distribution(
    name="debian",
    suites=(
        _laid_up("jessie", "8", date(2020, 6, 30), date(2018, 6, 17)),
        _laid_up("stretch", "9", date(2022, 6, 30), date(2020, 7, 18)),
        _laid_up("buster", "10", date(2024, 6, 30), date(2022, 9, 10)),
        _debian("bullseye", "11", date(2026, 8, 31), date(2024, 8, 14)),
        _debian("bookworm", "12", date(2028, 6, 30), date(2026, 7, 11)),
        _debian("trixie", "13", date(2030, 6, 30), date(2028, 8, 9)),
        _debian("forky", "14"),
        _moving("sid", "sid"),
        _moving("experimental", "sid", "experimental"),
        _moving("rc-buggy", "sid", "experimental"),
    ),
    components=("main",),
    signed_by=_DEBIAN_KEYS,
    image="debian",
    number=r"\d+",
    aliases=("stable", "oldstable", "oldoldstable", "testing", "unstable"),
    alias_uri=_DEBIAN,
    latest="stable",
)

_UBUNTU_KEYS = Keys("ubuntu-archive-keyring")


def _ubuntu(codename: str, version: str, end: date, esm: date | None = None) -> Suite:
    """An Ubuntu in its archive: an LTS stays there after its end, updated for subscribers elsewhere (ESM)."""
    here = frozenset({"amd64", "i386"})

    def pocket(name: str, host: str = "archive") -> Pocket:
        return Pocket(f"http://{host}.ubuntu.com/ubuntu", name, "http://ports.ubuntu.com/ubuntu-ports", here)

    pockets = (
        pocket(codename),
        pocket(f"{codename}-updates"),
        pocket(f"{codename}-backports"),
        pocket(f"{codename}-security", "security"),
    )
    proposed = {"proposed": pocket(f"{codename}-proposed")}
    return Suite(codename, version, pockets, _UBUNTU_KEYS, end, variants=proposed, esm=esm)


def _old_ubuntu(codename: str, version: str, end: date) -> Suite:
    """An Ubuntu that has left its archive; the place where it lies has all architectures."""
    pockets = tuple(
        Pocket("http://old-releases.ubuntu.com/ubuntu", f"{codename}{name}")
        for name in ("", "-updates", "-backports", "-security")
    )
    return Suite(codename, version, pockets, _UBUNTU_KEYS, end, laid_up=True)


UBUNTU = Distribution(
    name="ubuntu",
    # Of the interim ones those since 2024: older names have other meanings in tags by now (ROS has a kinetic, too).
    suites=(
        _ubuntu("xenial", "16.04", date(2021, 4, 30), date(2026, 4, 23)),
        _ubuntu("bionic", "18.04", date(2023, 5, 31), date(2028, 4, 26)),
        _ubuntu("focal", "20.04", date(2025, 5, 29), date(2030, 4, 23)),
        _ubuntu("jammy", "22.04", date(2027, 6, 1), date(2032, 4, 21)),
        _ubuntu("noble", "24.04", date(2029, 5, 31), date(2034, 4, 25)),
        _old_ubuntu("oracular", "24.10", date(2025, 7, 10)),
        _old_ubuntu("plucky", "25.04", date(2026, 1, 15)),
        _ubuntu("questing", "25.10", date(2026, 7, 9)),
        _ubuntu("resolute", "26.04", date(2031, 5, 29), date(2036, 4, 23)),
        _ubuntu("stonking", "26.10", date(2027, 7, 15)),
    ),
    components=("main", "universe", "restricted", "multiverse"),
    signed_by=_UBUNTU_KEYS,
    image="ubuntu",
    number=r"\d\d[._-]?\d\d",
    moving=("latest", "rolling", "devel"),
    signed_weekly=False,
)

DISTRIBUTIONS = (DEBIAN, UBUNTU)

#: Codenames that are known but cannot be resolved, and why: said rather than taken for an unknown word.
RETIRED: Mapping[str, str] = {
    name: f"{name} is older than what pinner can verify"
    for name in ("lenny", "squeeze", "wheezy", "lucid", "precise", "trusty")
}

#: Docker's platform strings and the Debian architectures they mean (https://wiki.debian.org/ArchitectureSpecificsMemo).
PLATFORMS: Mapping[str, str] = {
    "linux/amd64": "amd64",
    "linux/arm64": "arm64",
    "linux/arm/v7": "armhf",
    "linux/arm/v6": "armel",
    "linux/arm/v5": "armel",
    "linux/386": "i386",
    "linux/ppc64le": "ppc64el",
    "linux/s390x": "s390x",
    "linux/riscv64": "riscv64",
    "linux/mips64le": "mips64el",
    "linux/loong64": "loong64",
}

DEFAULT_PLATFORMS = ("linux/amd64", "linux/arm64")

_SPELLINGS: Mapping[str, str] = {
    "linux/arm64/v8": "linux/arm64",
    "linux/arm": "linux/arm/v7",
    "linux/x86_64": "linux/amd64",
    "linux/aarch64": "linux/arm64",
    "linux/amd64/v1": "linux/amd64",
    "linux/i386": "linux/386",
}


def platform(text: str) -> str | None:
    """The canonical platform string of `text` (`amd64`, `linux/arm64/v8`, `linux/amd64` …), None if unknown."""
    name = text.strip().lower()
    name = name if "/" in name else f"linux/{name}"
    name = _SPELLINGS.get(name, name)
    return name if name in PLATFORMS else None


def suite_named(name: str) -> tuple[Distribution, Suite] | None:
    """The suite with this codename, or release number (`12`, `12.5`, `22.04`, `2204`), or None.

    Aliases are not resolved here.
    """
    for distribution in DISTRIBUTIONS:
        for suite in distribution.suites:
            numbers = (suite.version, suite.version.replace(".", "")) if suite.version else ()
            if name in (suite.codename, *numbers) or (numbers and name.startswith(f"{suite.version}.")):
                return distribution, suite
    return None


def alias_of(name: str) -> Distribution | None:
    """The distribution that calls one of its suites `name` (`stable`, `testing` …), or None."""
    return next((distribution for distribution in DISTRIBUTIONS if name in distribution.aliases), None)
