"""What is known of where versions are in time: read from the indices of moments, and concluded from these.

What is known of a version in a suite is a window of moments: it cannot be there before its file was first seen, and an
index read at a moment tells that it is there, that the suite has an older version (so it comes later, if at all), or
a newer one (so it is over): the versions of a suite only grow. Of a suite that has none the others of its archive
tell, or else those of other archives: a suite that has none does not begin with less than another one has. If none
has any, nothing follows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pinner.apt.version import compare
from pinner.errors import FetchError
from pinner.search.ranges import MomentRange, both, holds, joined, less
from pinner.values import NamedTuple

_UNAVAILABLE = 8  # indices in a row that cannot be had, after which the search gives up
_ABSENT = 4  # indices of a suite that cannot be had, after which it counts as not there


class WantedVersion(NamedTuple):
    """A version that is wanted on a platform; a `*` at its end stands for any ending."""

    name: str
    version: str
    platform: str

    def fits(self, version: str) -> bool:
        """Whether an index's version is the wanted one."""
        if self.version.endswith("*"):
            return version.startswith(self.version[:-1])
        return version == self.version

    def __str__(self) -> str:
        return f"{self.name}={self.version} ({self.platform.removeprefix('linux/')})"


class ArchiveSuite(NamedTuple):
    """A suite of an archive for a platform: where an item of that platform may be."""

    archive: str
    suite: str
    platform: str


Versions = Callable[[str], Sequence[str]]
FirstSeen = Callable[[WantedVersion], Mapping[str, str] | None]
# An import's index: the versions of a name; None: it cannot be had.
Look = Callable[[ArchiveSuite, str], Versions | None]


class Window:
    """When an item may be in a place, as numbers of moments: `low` to `high` less `holes`; and when it was `seen`."""

    __slots__ = ("high", "holes", "low", "seen")

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self.holes: list[MomentRange] = []
        self.seen: list[MomentRange] = []

    def possible(self) -> list[MomentRange]:
        """All of them, in order."""
        ranges = [(self.low, self.high)] if self.low <= self.high else []
        for hole in self.holes:
            ranges = less(ranges, hole)
        return joined((*ranges, *self.seen))


class Windows:
    """The windows of items in places. `times` are the moments, `looked` counts the indices read, by place.

    `runs` lists each archive's timestamps in order; `first_seen` tells of an item when each archive had its file
    first, an archive that never had it being absent; None if the service does not know the item.
    """

    def __init__(
        self,
        runs: Mapping[str, Sequence[str]],
        places: Iterable[ArchiveSuite],
        items: Iterable[WantedVersion],
        first_seen: FirstSeen,
        look: Look,
    ) -> None:
        self._runs = runs
        self._first_seen = first_seen
        self._look = look
        first = max((stamps[0] for stamps in runs.values() if stamps), default="")
        self.times = sorted({stamp for stamps in runs.values() for stamp in stamps if stamp >= first})
        self._places: dict[str, list[ArchiveSuite]] = {}
        for place in places:
            self._places.setdefault(place.platform, []).append(place)
        self._windows = {
            (item, place): Window(0, len(self.times) - 1)
            for item in items
            for place in self._places.get(item.platform, ())
        }
        self._bounded: dict[WantedVersion, bool] = {}
        self._read: dict[tuple[ArchiveSuite, str], Versions | None] = {}
        self._unavailable = 0
        self.looked: dict[ArchiveSuite, int] = {}

    def number(self, stamp: str) -> int:
        """The moment of a time: the last one that is not after it, -1 before the first."""
        return bisect_right(self.times, stamp) - 1

    def imports(self, at: int) -> tuple[tuple[str, str], ...]:
        """Each archive's import at a moment."""
        return tuple(
            (archive, stamps[bisect_right(stamps, self.times[at]) - 1])
            for archive, stamps in sorted(self._runs.items())
        )

    def possible(self, item: WantedVersion) -> list[MomentRange]:
        """The moments at which the item may be somewhere, as ranges in order."""
        return joined(one for _, window in self._of(item) for one in window.possible())

    def common(self, items: Sequence[WantedVersion]) -> list[MomentRange]:
        """The moments at which all items may be there."""
        ranges = [(0, len(self.times) - 1)]
        for item in items:
            ranges = both(ranges, self.possible(item))
        return ranges

    def is_there(self, item: WantedVersion, at: int) -> bool:
        """Whether an index of the moment has the item."""
        return holds(self._seen(item), at)

    def lives(self, item: WantedVersion) -> int:
        """The last moment at which an item that may exist is known not to be over: it is there, or comes later."""
        seen = self._seen(item)
        return max(seen[-1][1] if seen else -1, self.possible(item)[0][0] - 1)

    def instead(self, item: WantedVersion, at: int) -> tuple[str, ...]:
        """What the indices read have of an item's name at a moment."""
        found: dict[str, None] = {}
        for place in self._places[item.platform]:
            versions = self._read.get((place, self._span(place, at)[0]))
            found |= dict.fromkeys(versions(item.name) if versions is not None else ())
        return tuple(found)

    def all_read(self, items: Iterable[WantedVersion], at: int) -> bool:
        """Whether the indices of a moment that may have the items were read."""
        return all(
            not self._may_be(item, place, at) or (place, self._span(place, at)[0]) in self._read
            for item in items
            for place in self._places.get(item.platform, ())
        )

    def bound(self, items: Iterable[WantedVersion]) -> bool:
        """Ask when the items were first seen, where that was not asked yet; whether it was."""
        asked = [item for item in items if item not in self._bounded]
        for item in asked:
            seen = self._first_seen(item)
            self._bounded[item] = bool(seen)
            for place, window in tuple(self._of(item)) if seen else ():
                if seen and place.archive in seen:
                    window.low = max(window.low, self._since(seen[place.archive]))
                elif not window.seen:
                    del self._windows[item, place]
        return bool(asked)

    def is_unknown(self, item: WantedVersion) -> bool:
        """Whether it is not known when the item was first seen, and no index that was read has any version of it."""
        return not self._bounded.get(item) and not any(
            versions is not None and versions(item.name)
            for (place, _), versions in self._read.items()
            if place.platform == item.platform
        )

    def give_up(self, items: Iterable[WantedVersion]) -> None:
        """Take it that these were nowhere."""
        for item in items:
            for place, _ in tuple(self._of(item)):
                del self._windows[item, place]

    def is_bounded(self, items: Iterable[WantedVersion]) -> bool:
        """Whether it is known of any of the items when it was first seen."""
        return any(self._bounded.get(item) for item in items)

    def probe(self, items: Sequence[WantedVersion], at: int, *, all_places: bool = False) -> bool:
        """Read indices at a moment until all items were found there, or one was not; or all that tell anything.

        Raises FetchError where no index can be had any more, and what `look` raises.
        """
        missing = [item for item in items if all_places or not self.is_there(item, at)]
        for platform, places in self._places.items():
            wanted = [item for item in missing if item.platform == platform]
            for place in places:
                if any(self._may_be(item, place, at) for item in wanted):
                    self._learn(place, at)
                    if not all_places:
                        wanted = [item for item in wanted if not self.is_there(item, at)]
            self._settle(platform, at, items)
            if wanted and not all_places:
                return False
        return True

    def _since(self, seen: str) -> int:
        """The first moment that a lower bound leaves; one that leaves none is no reason to look nowhere."""
        return bisect_left(self.times, seen) if seen <= self.times[-1] else 0

    def _may_be(self, item: WantedVersion, place: ArchiveSuite, at: int) -> bool:
        window = self._windows.get((item, place))
        return window is not None and holds(window.possible(), at)

    def _span(self, place: ArchiveSuite, at: int) -> tuple[str, MomentRange]:
        """The import that a place has at a moment, and the moments at which it is the same."""
        stamps = self._runs[place.archive]
        rank = bisect_right(stamps, self.times[at]) - 1
        begin = bisect_left(self.times, stamps[rank])
        after = bisect_left(self.times, stamps[rank + 1]) if rank + 1 < len(stamps) else len(self.times)
        return stamps[rank], (begin, after - 1)

    def _settle(self, platform: str, at: int, items: Sequence[WantedVersion]) -> None:
        """Let the other places tell of those that have no version of an item at all at a moment."""
        for item in items:
            if item.platform != platform or self.is_there(item, at):
                continue
            windows = dict(self._of(item))
            sides = {place: _side(window, at) for place, window in windows.items()}
            for place, window in windows.items():
                stamp, (begin, end) = self._span(place, at)
                versions = self._read.get((place, stamp))
                if sides[place] or versions is None or versions(item.name):
                    continue
                others = {sides[other] for other in sides if other.archive == place.archive} - {0}
                others = others or set(sides.values()) - {0}
                if 1 in others:
                    window.high = min(window.high, begin - 1)
                elif -1 in others:
                    window.low = max(window.low, end + 1)

    def _learn(self, place: ArchiveSuite, at: int) -> None:
        """Read one index and draw the conclusions for all items."""
        stamp, span = self._span(place, at)
        key = (place, stamp)
        if key not in self._read:
            self._read[key] = self._look(*key)
            self.looked[place] = self.looked.get(place, 0) + 1
            self._unavailable = 0 if self._read[key] is not None else self._unavailable + 1
            self._forget_absent(place)
            if self._unavailable == _UNAVAILABLE:
                raise FetchError(
                    f"{place.suite}: no index could be fetched at {_UNAVAILABLE} moments in a row",
                    url="",
                    hint="does the suite exist at that time? try again later, or another mirror",
                )
        versions = self._read[key]
        for (item, other), window in self._windows.items():
            if other != place:
                continue
            there = versions(item.name) if versions is not None else ()
            if any(map(item.fits, there)):
                window.seen.append(span)
            elif there and all(_below(version, item) for version in there):
                window.low = max(window.low, span[1] + 1)
            elif there and not any(_below(version, item) for version in there):
                window.high = min(window.high, span[0] - 1)
            else:
                window.holes.append(span)

    def _forget_absent(self, place: ArchiveSuite) -> None:
        """A suite that an archive never had while it had others did not exist: nothing can be there."""
        tries = [versions is not None for (other, _), versions in self._read.items() if other == place]
        others = [
            versions is not None
            for (other, _), versions in self._read.items()
            if other.archive == place.archive and other != place
        ]
        if len(tries) >= _ABSENT and not any(tries) and any(others):
            for key in [key for key in self._windows if key[1] == place]:
                del self._windows[key]

    def _of(self, item: WantedVersion) -> Iterator[tuple[ArchiveSuite, Window]]:
        for place in self._places[item.platform]:
            window = self._windows.get((item, place))
            if window is not None:
                yield place, window

    def _seen(self, item: WantedVersion) -> list[MomentRange]:
        return joined(one for _, window in self._of(item) for one in window.seen)


def _side(window: Window, at: int) -> int:
    """Whether a moment lies before a window (-1) or behind it (1)."""
    return -1 if at < window.low else 1 if at > window.high else 0


def _below(version: str, item: WantedVersion) -> bool:
    return compare(version, item.version.rstrip("*")) < 0
