"""The distributions that pinner knows, their suites by name, and the platforms.

A new distribution is a new value here, not a branch elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pinner.distributions.debian import DEBIAN
from pinner.distributions.derivatives import DEVUAN, KALI
from pinner.distributions.suite import Distribution, Suite
from pinner.distributions.ubuntu import UBUNTU

DISTRIBUTIONS = (DEBIAN, UBUNTU, KALI, DEVUAN)

#: Codenames that are known but cannot be resolved, and why: said rather than taken for an unknown word.
RETIRED: Mapping[str, str] = {
    name: f"{name} is older than what pinner can verify"
    for name in (
        *("lenny", "squeeze", "wheezy", "lucid", "maverick", "natty", "oneiric", "precise", "quantal"),
        *("raring", "saucy", "trusty", "utopic", "vivid", "wily"),
    )
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
    # Levels of one architecture to dpkg: Debian has none of its own for them, and what Ubuntu builds for amd64v3 is
    # read only by an apt that is configured to.
    **{f"linux/amd64/v{level}": "linux/amd64" for level in (1, 2, 3, 4)},
    # dpkg's names
    "linux/i386": "linux/386",
    "linux/armhf": "linux/arm/v7",
    "linux/armel": "linux/arm/v5",
    "linux/ppc64el": "linux/ppc64le",
    "linux/mips64el": "linux/mips64le",
}


def platform(text: str) -> str | None:
    """The canonical platform string of `text` (`amd64`, `linux/arm64/v8`, `linux/amd64` …), None if unknown."""
    name = text.strip().lower()
    name = name if "/" in name else f"linux/{name}"
    name = _SPELLINGS.get(name, name)
    return name if name in PLATFORMS else None


@lru_cache(maxsize=4096)
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


def near(name: str, *distributions: Distribution) -> str:
    """The codename or alias (of these distributions, if any are given) that `name` is a slip of, "" if of none."""
    from difflib import get_close_matches

    known = [
        word
        for each in distributions or DISTRIBUTIONS
        for word in (*(suite.codename for suite in each.suites), *each.aliases, *each.moving)
    ]
    return next(iter(get_close_matches(name, known, 1, 0.75)), "")


def alias_of(name: str) -> Distribution | None:
    """The distribution that calls one of its suites `name` (`stable`, `testing` …), or None."""
    return next((distribution for distribution in DISTRIBUTIONS if name in distribution.aliases), None)
