"""What preferences make of versions' priorities (apt_preferences(5), and apt's policy.cc where that is silent).

- For all packages: each index, and what is installed, has the priority of the first preference that it fits; `-t` comes
  before them all.
- For some packages: a version has the priority of the first preference that it fits, whatever lists it.
- `never` prevails over any other priority of an index, and over that of a version that nothing else lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pinner.apt.preferences import NEVER, Preference
from pinner.resolve.patterns import glob, release_test, version_test

if TYPE_CHECKING:
    from pinner.apt.packages import Package
    from pinner.resolve.offers import Index

TARGET = 990
INSTALLED = 100


class Pins:
    """Preferences in the order in which apt reads them, for one architecture."""

    def __init__(self, preferences: Sequence[Preference], arch: str) -> None:
        self._general = [each for each in preferences if not each.names]
        self._own = [each for each in preferences if each.names]
        self._arch = arch

    def priorities(self, indexes: Sequence[Index], target: Callable[[Index], bool] | None) -> list[int]:
        """The priority of each index; those of the `target` release come first."""
        tests = [(each.priority, _test(each)) for each in self._general]
        found = []
        for index in indexes:
            fits = [priority for priority, test in tests if test(index)]
            if NEVER in fits:
                found.append(NEVER)
            elif target is not None and target(index):
                found.append(TARGET)
            else:
                found.append(fits[0] if fits else _usual(index))
        return found

    @property
    def installed(self) -> int:
        """The priority of what is installed, if no preference names it."""
        everything = (("release", "*"), ("release", "a=now"))
        return next(
            (each.priority for each in self._general if (each.kind, each.data) in everything), INSTALLED
        )

    def own(self, package: Package, pockets: Sequence[Index], priorities: Sequence[int]) -> int | None:
        """The priority that a preference gives this version by name, None if none does.

        `pockets` list it, with these `priorities`.
        """
        for each, names, test, fits in self._tests:
            if not any(name(package) for name in names):
                continue
            if fits(package.version) if each.kind == "version" else any(map(test, pockets)):
                return NEVER if priorities and set(priorities) == {NEVER} else each.priority
        return None

    @cached_property
    def _tests(
        self,
    ) -> list[
        tuple[
            Preference,
            list[Callable[[Package], bool]],
            Callable[[Index], bool],
            Callable[[str], bool],
        ]
    ]:
        return [
            (
                each,
                [_name_test(name, self._arch) for name in each.names],
                _test(each),
                version_test(each.data),
            )
            for each in self._own
        ]


def _name_test(name: str, arch: str) -> Callable[[Package], bool]:
    by_source = name.startswith("src:")
    plain, _, own = name.removeprefix("src:").partition(":")
    if own not in ("", "any", "native", "*", arch):
        return lambda _: False
    # Names that are no patterns are compared as they are written.
    pattern = glob(plain) if re.search(r"[*?\[]|^/.*/$", plain) else re.compile(re.escape(plain))
    if by_source:
        return lambda package: pattern.fullmatch(package.source or package.name) is not None
    return lambda package: pattern.fullmatch(package.name) is not None


def _test(preference: Preference) -> Callable[[Index], bool]:
    if preference.kind == "release":
        return release_test(preference.data)
    pattern = glob(preference.data)
    return lambda index: pattern.fullmatch(_host(index.source.uri)) is not None


def _host(uri: str) -> str:
    """The host of an address, "" for a local one."""
    place = uri.partition("://")[2].partition("/")[0]
    return place.rpartition("@")[2].partition(":")[0]


def _usual(index: Index) -> int:
    if index.release.but_automatic_upgrades:
        return 100
    return 1 if index.release.not_automatic else 500
