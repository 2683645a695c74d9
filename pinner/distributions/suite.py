"""The values that describe a distribution: its suites, their pockets, hosts, keys and life time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal

from pinner.apt.sources import Keys
from pinner.apt.version import compare
from pinner.values import NamedTuple

Solver = Literal["classic", "3.0"]

#: From this apt on 3.0 is the default of APT::Solver (`Version::3.1::APT::Solver` of `apt-config dump`).
SOLVER_3_SINCE = "3.1.10"


class Pocket(NamedTuple):
    """One suite directory that an image of the distribution reads: `uri/dists/suite`, for the architectures in
    `ports` (all but `here`, where that is given) below the address `ports` instead.

    `stand_ins` serve the same files, signed alike, and are asked in turn where that address does not have them or does
    not answer; only of the distribution's own choice, not where somebody names the address."""

    uri: str
    suite: str
    ports: str = ""
    here: frozenset[str] = frozenset()
    stand_ins: tuple[str, ...] = ()

    def address(self, arch: str) -> str:
        """The archive that serves an architecture."""
        return self.ports if self.ports and arch not in self.here else self.uri

    def others(self, arch: str) -> tuple[str, ...]:
        """The stand-ins for that address."""
        return tuple(each for each in self.stand_ins if each != self.address(arch))


class Suite(NamedTuple):
    """One release. `version` is its number ("" if it has none); `end` the last day of security support that the
    distribution's own archive gives (`None`: not announced). Until the day `full` the release itself is updated too,
    by point releases; after it comes long-term support, by security alone. `variants` are pockets that an image adds
    when its tag says so; they are listed first, since their sources file sorts before the distribution's. A suite that
    was `laid_up`, in an archive of its own for those past their end, has a Valid-Until that has passed.
    Until `esm` subscribers get updates from an archive of their own (ESM), which is not read.
    `apt` is the upstream version of the apt that its images hold; of a suite that moves, the one of today.
    `common` tells that the codename is a word that tags of others' images use too (ROS has a kinetic and a lunar).
    """

    codename: str
    version: str
    pockets: tuple[Pocket, ...]
    signed_by: Keys
    end: date | None = None
    full: date | None = None
    variants: Mapping[str, Pocket] = MappingProxyType({})
    laid_up: bool = False
    esm: date | None = None
    apt: str = "0"
    common: bool = False

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def every_pocket(self) -> tuple[Pocket, ...]:
        """Those of its variants behind its own."""
        return (*self.pockets, *self.variants.values())

    @property
    def solver(self) -> Solver:
        """The solver that its apt uses unless it is configured otherwise."""
        return "3.0" if compare(self.apt, SOLVER_3_SINCE) >= 0 else "classic"


class Distribution(NamedTuple):
    """A family of suites that share keys and naming.

    `aliases` are suite directories below `alias_uri` whose Release names the codename of the day; `moving` are tags
    that mean another release from time to time, which the archive does not tell. `image` is the last part of the
    official image's name, whose tags are codenames, numbers (`number` is their pattern) and aliases;
    `latest` is the alias that its `latest` tag stands for, "" if that is none of them. `signed_weekly` tells that the
    Releases of living suites are renewed all the time, so that one which stands still is out of date. `components` are
    those that its images read, `optional` the others that its archive has.
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
    optional: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def every_component(self) -> frozenset[str]:
        """All that a source of its archive may name."""
        return frozenset((*self.components, *self.optional))
