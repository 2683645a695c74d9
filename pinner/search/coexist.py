"""The newest moment at which versions coexist, by as few indices as possible.

One moment for all is looked for at the first one that is possible, then by bisection of those that remain. As long as
each index tells something of the versions that are missing, that takes at most 2 + ceil(log2(moments)) moments, and
as many indices of each suite and platform; to find the newest one takes at most as many again. That windows leave no
moment at all proves that there is none. Then there are several, always the last one at which none of the versions that
remain is over; each costs another 1 + ceil(log2(moments)). Where versions come and go there may be a newer one, or
fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pinner.errors import Refused
from pinner.search.ranges import both, holds, length, nth
from pinner.search.windows import ArchiveSuite, WantedVersion, Windows
from pinner.values import NamedTuple

_PATIENCE = 16  # times as many moments as bisection takes, after which it gives up
_SURVEY = 8  # moments that are read for a version that the service does not know
_EXTRA = 2  # times as many are spent on the newest one


class FoundMoment(NamedTuple):
    """A moment, each archive's import at it, and the items that are there. `apart` are the item for whose sake the
    moment is not later and those that were not there yet, which need another one, with what the indices had."""

    imports: tuple[tuple[str, str], ...]
    items: tuple[WantedVersion, ...]
    last: WantedVersion | None = None
    apart: tuple[tuple[WantedVersion, tuple[str, ...]], ...] = ()

    @property
    def moment(self) -> str:
        """The time at which each archive's last import is the one in `imports`: what `--snapshot` takes."""
        return max(stamp for _, stamp in self.imports)


class Coexistence(NamedTuple):
    """The moments, oldest first, the newest one if one has all; and the items that no moment has."""

    found: tuple[FoundMoment, ...]
    never: tuple[WantedVersion, ...]


class MomentSearch:
    """One search in what is `known` of the imports of several archives. `hints` are timestamps that are tried first, in
    order; when the search has to choose moments by itself it asks when items were first seen."""

    def __init__(self, known: Windows, hints: Iterable[str] = ()) -> None:
        self._known = known
        self._hints = tuple(at for at in map(self._known.number, hints) if at >= 0)
        self._probed = 0
        self._most = 2 + len(self._known.times).bit_length()

    @property
    def moments(self) -> int:
        """How many there are to choose from."""
        return len(self._known.times)

    @property
    def looked(self) -> Mapping[ArchiveSuite, int]:
        """How many indices were read, by place."""
        return self._known.looked

    def denies(self, item: WantedVersion, stamp: str) -> bool:
        """Whether the indices of the moment `stamp` were read, and none has the item."""
        at = self._known.number(stamp)
        return at >= 0 and not self._known.is_there(item, at) and self._known.all_read((item,), at)

    def run(self, items: Sequence[WantedVersion]) -> Coexistence:
        """The moments for `items`, all of which the search was made for. Raises what `look` raises."""
        remaining = tuple(items)
        found: list[FoundMoment] = []
        never: list[WantedVersion] = []
        while remaining:
            at = self._together(remaining)
            if at is not None:
                found.append(self._found(at if found else self._edge(remaining, at, later=True), remaining))
                break
            last = self._first_over(remaining, never)
            if any(item in never for item in remaining):
                remaining = tuple(item for item in remaining if item not in never)
                continue
            assert last is not None
            self._probe(remaining, last[1], all_places=True)
            found.append(self._found(last[1], remaining, last[0]))
            remaining = tuple(item for item in remaining if item not in found[-1].items)
        return Coexistence(tuple(found), tuple(never))

    def span(self, items: Sequence[WantedVersion]) -> tuple[FoundMoment, FoundMoment] | None:
        """The first and the newest moment that have all `items`, unless they come and go."""
        at = self._together(items)
        if at is None:
            return None
        first, last = (self._edge(items, at, later=later) for later in (False, True))
        return self._found(first, items), self._found(last, items)

    def _edge(self, items: Sequence[WantedVersion], at: int, *, later: bool) -> int:
        """The last moment on one side of `at`, which has all items, that has them too."""
        # The far end first: it tells of places that have an older version, or a newer one, all the time.
        begun = False
        for _ in range(_EXTRA * self._most):
            side = (at + 1, self.moments - 1) if later else (0, at - 1)
            left = both(self._known.common(items), [side])
            if not left:
                break
            pick = next((hint for hint in self._hints if holds(left, hint)), None)
            if pick is None:
                if self._bound(items):
                    continue
                pick = nth(left, length(left) // 2) if begun else left[-1][1] if later else left[0][0]
                begun = True
            if self._probe(items, pick):
                at = pick
        return at

    def _together(self, items: Sequence[WantedVersion]) -> int | None:
        """A moment at which all items are there; None if there is none."""
        self._probed = 0
        step = 1
        before = 0
        while True:
            candidates = self._known.common(items)
            if not candidates:
                return None
            at = next((hint for hint in self._hints if holds(candidates, hint)), None)
            if at is None:
                if self._bound(items):
                    continue
                count = length(candidates)
                known = self._known.is_bounded(items)
                if before and count > before // 2 + 1:
                    # The last index decided little: go on near the beginning.
                    at, step = nth(candidates, min(step, count // 2)), step * 2
                else:
                    at = nth(candidates, count // 2 if before or not known else 0)
                before = count
            if self._probe(items, at):
                return at

    def _first_over(
        self, items: Sequence[WantedVersion], never: list[WantedVersion]
    ) -> tuple[WantedVersion, int] | None:
        """The item that is over first, and the last moment that has it. Items that no moment has go to `never`."""
        self._probed = 0
        begun = False
        none_is_over = -1
        while True:
            never += [item for item in items if not self._known.possible(item)]
            items = [item for item in items if item not in never]
            if not items:
                return None
            last, first = min((self._known.possible(item)[-1][1], item) for item in items)
            if last < none_is_over:  # an item that comes and goes
                none_is_over = -1
            none_is_over = max(none_is_over, min(self._known.lives(item) for item in items))
            if last == none_is_over:
                return first, last
            hints = (hint for hint in self._hints if none_is_over < hint <= last)
            at = next((hint for hint in hints if not self._known.all_read(items, hint)), None)
            if at is None:
                if self._bound(items):
                    continue
                # The far end first, as for `_edge`.
                at = (none_is_over + last + 1) // 2 if begun else last
                begun = True
            self._probe(items, at, all_places=True)
            if all(self._known.possible(item) and self._known.possible(item)[-1][1] >= at for item in items):
                none_is_over = at

    def _bound(self, items: Sequence[WantedVersion]) -> bool:
        """Ask when items were first seen; whether that was not known. Those that nobody knows are given up: neither the
        service, nor any of some indices near and far knows even another version."""
        if not self._known.bound(items):
            return False
        last = self.moments - 1
        lows = (self._known.possible(item)[:1] for item in items if self._known.is_bounded((item,)))
        # The others are of about that time.
        around = max((first[0][0] for first in lows if first), default=last)
        unknown = list(items)
        for number in range(_SURVEY):
            unknown = [item for item in unknown if self._known.is_unknown(item)]
            if unknown:
                away = (-3) ** number - 1 if around < last else 1 - 3**number
                self._probe(unknown, min(max(around + away, 0), last), all_places=True)
        self._known.give_up(item for item in unknown if self._known.is_unknown(item))
        return True

    def _probe(self, items: Sequence[WantedVersion], at: int, *, all_places: bool = False) -> bool:
        self._probed += 1
        if self._probed > _PATIENCE * self._most:
            raise Refused(
                f"whether these versions coexist is not settled after {self._probed} moments",
                hint="these packages come and go, which gives the search no direction: look for fewer at a time",
            )
        return self._known.probe(items, at, all_places=all_places)

    def _found(
        self, at: int, items: Sequence[WantedVersion], last: WantedVersion | None = None
    ) -> FoundMoment:
        there = tuple(item for item in items if self._known.is_there(item, at))
        apart = tuple((item, self._known.instead(item, at)) for item in items if item not in there)
        return FoundMoment(self._known.imports(at), there, last, apart)
