"""The fewest moments at which versions coexist, by as few indices as possible.

What is known of a version in a suite is a window of moments: it cannot be there before its file was first seen, and an
index read at a moment tells that it is there, that the suite has an older version (so it comes later, if at all), or
a newer one (so it is over): the versions of a suite only grow. Of a suite that has none the others of its archive
tell, or else those of other archives: pockets do not fall behind one another. If none has any, nothing is told.

One moment for all is looked for at the first one that is possible, then by bisection of those that remain. As long as
each index tells something of the versions that are missing, that takes at most 2 + ceil(log2(moments)) moments, and
as many indices of each suite and platform. That windows leave no moment at all proves that there is none. Then the
moments are as many as it takes to hit every version: always the last one at which none of those that remain is over.
Each costs another ceil(log2(moments)); where the versions that made another moment necessary are apart in time, which
is shown, fewer cannot do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pinner.errors import FetchError, Refused
from pinner.resolve.version import compare
from pinner.workflow.ranges import Range, both, holds, joined, length, less, nth

_UNAVAILABLE = 8  # indices in a row that cannot be had, after which the search gives up
_ABSENT = 4  # indices of a suite that cannot be had, after which it counts as not there
_PATIENCE = 16  # times as many moments as bisection takes, after which it gives up as well


class Item(NamedTuple):
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


class Place(NamedTuple):
    """A suite of an archive for a platform: where an item of that platform may be."""

    archive: str
    suite: str
    platform: str


Versions = Callable[[str], Sequence[str]]
Look = Callable[
    [Place, str], Versions | None
]  # an import's index: the versions of a name; None: it cannot be had


class Found(NamedTuple):
    """A moment, each archive's import at it, and the items that are there. `apart` are the item for whose sake the
    moment is not later and those that were not there yet, which need another one, with what the indices had."""

    imports: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    last: Item | None = None
    apart: tuple[tuple[Item, tuple[str, ...]], ...] = ()

    @property
    def moment(self) -> str:
        """The time at which each archive's last import is the one in `imports`: what `--snapshot` takes."""
        return max(stamp for _, stamp in self.imports)


class Answer(NamedTuple):
    """The moments, oldest first; the items that no moment has; whether fewer moments cannot do."""

    found: tuple[Found, ...]
    never: tuple[Item, ...]
    proven: bool


class _Window:
    """The moments, by number, at which an item may be in a place: from `low` to `high`, less `holes`."""

    __slots__ = ("high", "holes", "low", "seen")

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self.holes: list[Range] = []
        self.seen: list[Range] = []

    def possible(self) -> list[Range]:
        ranges = [(self.low, self.high)] if self.low <= self.high else []
        for hole in self.holes:
            ranges = less(ranges, hole)
        return ranges


class Search:
    """One search over the imports of several archives. `looked` counts the indices read, by place.

    `runs` lists each archive's timestamps in order; `first_seen` tells of an item when each archive had its file
    first, an archive that never had it being absent; None if the service does not know the item.
    """

    def __init__(
        self,
        runs: Mapping[str, Sequence[str]],
        places: Iterable[Place],
        first_seen: Mapping[Item, Mapping[str, str] | None],
        look: Look,
    ) -> None:
        self._runs = runs
        self._look = look
        self._first = max((stamps[0] for stamps in runs.values() if stamps), default="")
        self._times = sorted({stamp for stamps in runs.values() for stamp in stamps if stamp >= self._first})
        self._places: dict[str, list[Place]] = {}
        for place in places:
            self._places.setdefault(place.platform, []).append(place)
        self._windows = {
            (item, place): _Window(self._since(seen[place.archive]) if seen else 0, len(self._times) - 1)
            for item, seen in first_seen.items()
            for place in self._places[item.platform]
            if seen is None or place.archive in seen
        }
        self._read: dict[tuple[Place, str], Versions | None] = {}
        self._unavailable = 0
        self._probed = 0
        self.looked: dict[Place, int] = {}

    @property
    def moments(self) -> int:
        """How many there are to choose from."""
        return len(self._times)

    def _since(self, seen: str) -> int:
        """The first moment that a lower bound leaves; one that leaves none is no reason to look nowhere."""
        return bisect_left(self._times, seen) if seen <= self._times[-1] else 0

    def run(self, items: Sequence[Item]) -> Answer:
        """The fewest moments for `items`, all of which are in `first_seen`. Raises what `look` raises."""
        remaining = tuple(items)
        found: list[Found] = []
        never: list[Item] = []
        proven = True
        while remaining:
            at = self._together(remaining)
            if at is not None:
                found.append(Found(self._imports(at), remaining))
                break
            last = self._first_over(remaining, never)
            remaining = tuple(item for item in remaining if item not in never)
            if last is None:
                continue
            item, at = last
            there = tuple(other for other in remaining if self._is_there(other, at))
            remaining = tuple(other for other in remaining if other not in there)
            apart = tuple((other, self._instead(other, at)) for other in remaining)
            found.append(Found(self._imports(at), there, item, apart))
            proven = proven and all(self._low(other) > at for other in remaining)
        return Answer(tuple(found), tuple(never), proven)

    def newest(self, items: Sequence[Item]) -> Found | None:
        """The latest moment that has all `items`, as far as they did not come and go; None if there is none.

        Takes ceil(log2(moments)) indices more than any moment. Raises what `look` raises.
        """
        at = self._together(items)
        if at is None:
            return None
        last = self._first_over(items, [])
        if last is not None and all(self._is_there(item, last[1]) for item in items):
            at = last[1]
        return Found(self._imports(at), tuple(items))

    def _together(self, items: Sequence[Item]) -> int | None:
        """A moment at which all items are there; None if there is none."""
        step = 1
        before = 0
        while True:
            candidates = [(0, len(self._times) - 1)]
            for item in items:
                candidates = both(candidates, self._possible(item))
            if not candidates:
                return None
            count = length(candidates)
            if before and count > before // 2 + 1:  # the last index told little: go on near the beginning
                at, step = nth(candidates, min(step, count // 2)), step * 2
            else:
                at = nth(candidates, count // 2 if before else 0)
            before = count
            if self._probe(items, at):
                return at

    def _first_over(self, items: Sequence[Item], never: list[Item]) -> tuple[Item, int] | None:
        """The item that is over first, and the last moment that has it. Items that no moment has go to `never`."""
        none_is_over = -1
        while True:
            never += [item for item in items if not self._possible(item)]
            items = [item for item in items if item not in never]
            if not items:
                return None
            last, first = min((self._possible(item)[-1][1], item) for item in items)
            if last == none_is_over:
                return first, last
            if last < none_is_over:  # an item that comes and goes
                none_is_over = -1
            at = (none_is_over + last + 1) // 2
            self._probe(items, at, all_places=True)
            if all(self._possible(item) and self._possible(item)[-1][1] >= at for item in items):
                none_is_over = at

    def _probe(self, items: Sequence[Item], at: int, *, all_places: bool = False) -> bool:
        """Read indices at a moment until all items were found there, or one was not; or all that tell anything."""
        missing = [item for item in items if all_places or not self._is_there(item, at)]
        self._probed += 1
        if self._probed > _PATIENCE * (2 + len(self._times).bit_length()):
            raise Refused(
                f"whether these versions coexist is not settled after {self._probed} moments",
                hint="packages that come and go tell no direction: look for fewer at a time",
            )
        for platform, places in self._places.items():
            wanted = [item for item in missing if item.platform == platform]
            for place in places:
                if any(self._may_be(item, place, at) for item in wanted):
                    self._learn(place, at, items)
                    if not all_places:
                        wanted = [item for item in wanted if not self._is_there(item, at)]
            self._settle(platform, at, items)
            if wanted and not all_places:
                return False
        return True

    def _may_be(self, item: Item, place: Place, at: int) -> bool:
        window = self._windows.get((item, place))
        return window is not None and holds(window.possible(), at)

    def _span(self, place: Place, at: int) -> tuple[str, Range]:
        """The import that a place has at a moment, and the moments at which it is the same."""
        stamps = self._runs[place.archive]
        rank = bisect_right(stamps, self._times[at]) - 1
        begin = bisect_left(self._times, stamps[rank])
        after = bisect_left(self._times, stamps[rank + 1]) if rank + 1 < len(stamps) else len(self._times)
        return stamps[rank], (begin, after - 1)

    def _settle(self, platform: str, at: int, items: Sequence[Item]) -> None:
        """Let the other places tell of those that have no version of an item at all at a moment."""
        for item in items:
            if item.platform != platform or self._is_there(item, at):
                continue
            windows = dict(self._of(item))
            told = {place: _side(window, at) for place, window in windows.items()}
            for place, window in windows.items():
                stamp, (begin, end) = self._span(place, at)
                versions = self._read.get((place, stamp))
                if told[place] or versions is None or versions(item.name):
                    continue
                others = {told[other] for other in told if other.archive == place.archive} - {0}
                others = others or set(told.values()) - {0}
                if others == {-1}:
                    window.low = max(window.low, end + 1)
                elif others == {1}:
                    window.high = min(window.high, begin - 1)

    def _learn(self, place: Place, at: int, items: Sequence[Item]) -> None:
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
                    f"{place.suite}: no index could be had at {_UNAVAILABLE} moments in a row",
                    url="",
                    hint="does the suite exist at that time? try again later, or another mirror",
                )
        versions = self._read[key]
        for item in items:
            window = self._windows.get((item, place))
            if window is None:
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

    def _forget_absent(self, place: Place) -> None:
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

    def _imports(self, at: int) -> tuple[tuple[str, str], ...]:
        return tuple(
            (archive, stamps[bisect_right(stamps, self._times[at]) - 1])
            for archive, stamps in sorted(self._runs.items())
        )

    def _of(self, item: Item) -> Iterator[tuple[Place, _Window]]:
        """The places where an item may be, and their windows."""
        for place in self._places[item.platform]:
            window = self._windows.get((item, place))
            if window is not None:
                yield place, window

    def _possible(self, item: Item) -> list[Range]:
        """The moments at which the item may be somewhere, as ranges in order."""
        return joined(one for _, window in self._of(item) for one in window.possible())

    def _seen(self, item: Item) -> list[Range]:
        return joined(one for _, window in self._of(item) for one in window.seen)

    def _is_there(self, item: Item, at: int) -> bool:
        return holds(self._seen(item), at)

    def _low(self, item: Item) -> int:
        possible = self._possible(item)
        return possible[0][0] if possible else len(self._times)

    def _instead(self, item: Item, at: int) -> tuple[str, ...]:
        """What the indices read have of an item's name at a moment."""
        found: dict[str, None] = {}
        for place in self._places[item.platform]:
            versions = self._read.get((place, self._span(place, at)[0]))
            found |= dict.fromkeys(versions(item.name) if versions is not None else ())
        return tuple(found)


def _side(window: _Window, at: int) -> int:
    """Whether a moment lies before a window (-1) or behind it (1)."""
    return -1 if at < window.low else 1 if at > window.high else 0


def _below(version: str, item: Item) -> bool:
    return compare(version, item.version.rstrip("*")) < 0
