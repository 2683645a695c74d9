"""Distributions as data: suites, aliases, pockets, hosts, keys, platforms, life time.

A new distribution is a new value here, not a branch elsewhere. Pockets are those that the official images enable,
in the order of the images' sources files, since apt prefers the first listed source of a version.
Dates are those of Debian's distro-info-data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pinner.archive.sources import Keys


@dataclass(frozen=True, slots=True)
class Pocket:
    """One suite directory that an image of the distribution reads: `uri/dists/suite`."""

    uri: str
    suite: str


@dataclass(frozen=True, slots=True, eq=False)
class Suite:
    """One release. `version` is its number ("" if it has none); `end` the last day of security support that the
    distribution's own archive gives (`None`: not announced). Until the day `full` the release itself is updated too,
    by point releases; after it comes long-term support, by security alone. `variants` are pockets that an image adds
    when its tag says so; they are listed first, since their sources file sorts before the distribution's."""

    codename: str
    version: str
    pockets: tuple[Pocket, ...]
    end: date | None = None
    full: date | None = None
    variants: Mapping[str, Pocket] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A family of suites that share keys and naming.

    `aliases` are suite directories below `alias_uri` whose Release names the codename of the day. `image` is the last
    part of the official image's name, whose tags are codenames, numbers and aliases; `latest` is the alias that its
    `latest` tag stands for.
    """

    name: str
    suites: tuple[Suite, ...]
    aliases: tuple[str, ...]
    alias_uri: str
    components: tuple[str, ...]
    signed_by: Keys
    image: str
    latest: str


_DEBIAN = "http://deb.debian.org/debian"
_SECURITY = "http://deb.debian.org/debian-security"


def _debian(codename: str, version: str, end: date | None = None, full: date | None = None) -> Suite:
    pockets = (
        Pocket(_DEBIAN, codename),
        Pocket(_DEBIAN, f"{codename}-updates"),
        Pocket(_SECURITY, f"{codename}-security"),
    )
    return Suite(
        codename, version, pockets, end, full, {"backports": Pocket(_DEBIAN, f"{codename}-backports")}
    )


DEBIAN = Distribution(
    name="debian",
    suites=(
        Suite(
            "bullseye",
            "11",
            (
                Pocket(_DEBIAN, "bullseye"),
                Pocket(_SECURITY, "bullseye-security"),
                Pocket(_DEBIAN, "bullseye-updates"),
            ),
            date(2026, 8, 31),
            date(2024, 8, 14),
        ),
        _debian("bookworm", "12", date(2028, 6, 30), date(2026, 7, 11)),
        _debian("trixie", "13", date(2030, 6, 30), date(2028, 8, 9)),
        _debian("forky", "14"),
        Suite("sid", "", (Pocket(_DEBIAN, "sid"),)),
        Suite("experimental", "", (Pocket(_DEBIAN, "sid"), Pocket(_DEBIAN, "experimental"))),
    ),
    aliases=("stable", "oldstable", "oldoldstable", "testing", "unstable"),
    alias_uri=_DEBIAN,
    components=("main",),
    signed_by=Keys("debian-archive-keyring"),
    image="debian",
    latest="stable",
)

DISTRIBUTIONS = (DEBIAN,)

#: Codenames that are known but cannot be resolved, and why: said rather than taken for an unknown word.
RETIRED: Mapping[str, str] = {
    name: f"{name} has left the Debian archive; pinner does not read archive.debian.org"
    for name in ("lenny", "squeeze", "wheezy", "jessie", "stretch", "buster")
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
    """The suite with this codename, or release number (`12`, `12.5`), or None. Aliases are not resolved here."""
    for distribution in DISTRIBUTIONS:
        for suite in distribution.suites:
            if name == suite.codename or (
                suite.version and (name == suite.version or name.startswith(f"{suite.version}."))
            ):
                return distribution, suite
    return None


def alias_of(name: str) -> Distribution | None:
    """The distribution that calls one of its suites `name` (`stable`, `testing` …), or None."""
    return next((distribution for distribution in DISTRIBUTIONS if name in distribution.aliases), None)
