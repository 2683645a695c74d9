"""The fewest moments at which versions coexist, by as few indices as possible.

One moment for all is looked for at the first one that is possible, then by bisection of those that remain. As long as
each index tells something of the versions that are missing, that takes at most 2 + ceil(log2(moments)) moments, and
as many indices of each suite and platform. That windows leave no moment at all proves that there is none. Then the
moments are as many as it takes to hit every version: always the last one at which none of those that remain is over.
Each costs another 1 + ceil(log2(moments)). Versions that come and go may make that too many: where windows would allow
fewer moments, those are read, until they do (then they are the answer) or no fewer are possible. Only then the answer
is proven; twice as many moments as a bisection takes are spent on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pinner.errors import Refused
from pinner.search.ranges import both, cover, holds, length, nth
from pinner.search.windows import FirstSeen, Item, Look, Place, Windows
from pinner.values import NamedTuple

_PATIENCE = 16  # times as many moments as bisection takes, after which it gives up
_SURVEY = 8  # moments that are read for a version that nobody knows
_EXTRA = 2  # times as many are spent on an answer that may not be the fewest, or the newest


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


class Search:
    """One search over the imports of several archives.

    The parameters are those of `Windows`. `first_seen` is asked only when the search has to choose moments by itself:
    `hints` are timestamps that are tried before, in order.
    """

    def __init__(
        self,
        runs: Mapping[str, Sequence[str]],
        places: Iterable[Place],
        items: Iterable[Item],
        first_seen: FirstSeen,
        look: Look,
        hints: Iterable[str] = (),
    ) -> None:
        self._known = Windows(runs, places, items, first_seen, look)
        self._hints = tuple(at for at in map(self._known.number, hints) if at >= 0)
        self._probed = 0
        self._most = 2 + len(self._known.times).bit_length()

    @property
    def moments(self) -> int:
        """How many there are to choose from."""
        return len(self._known.times)

    @property
    def looked(self) -> Mapping[Place, int]:
        """How many indices were read, by place."""
        return self._known.looked

    def denies(self, item: Item, stamp: str) -> bool:
        """Whether the indices of the moment `stamp` were read, and none has the item."""
        at = self._known.number(stamp)
        return at >= 0 and not self._known.is_there(item, at) and self._known.all_read((item,), at)

    def run(self, items: Sequence[Item]) -> Answer:
        """The fewest moments for `items`, all of which the search was made for. Raises what `look` raises."""
        remaining = tuple(items)
        found: list[Found] = []
        never: list[Item] = []
        while remaining:
            at = self._together(remaining)
            if at is not None:
                found.append(self._found(at, remaining))
                break
            last = self._first_over(remaining, never)
            if any(item in never for item in remaining):
                remaining = tuple(item for item in remaining if item not in never)
                continue
            assert last is not None
            found.append(self._found(last[1], remaining, last[0]))
            remaining = tuple(item for item in remaining if item not in found[-1].items)
        wanted = tuple(item for item in items if item not in never)
        return self._fewer(Answer(tuple(found), tuple(never), len(found) < 2), wanted)

    def newest(self, items: Sequence[Item]) -> Found | None:
        """The latest moment that has all `items`, as far as they did not come and go; None if there is none.

        Takes 1 + ceil(log2(moments)) indices more than any moment. Raises what `look` raises.
        """
        at = self._together(items)
        return None if at is None else self._found(self._edge(items, at, later=True), items)

    def span(self, items: Sequence[Item]) -> tuple[Found, Found] | None:
        """The first and the latest moment, as `newest` tells it."""
        at = self._together(items)
        if at is None:
            return None
        first, last = (self._edge(items, at, later=later) for later in (False, True))
        return self._found(first, items), self._found(last, items)

    def _edge(self, items: Sequence[Item], at: int, *, later: bool) -> int:
        """The last moment on one side of `at`, which has all items, that has them too."""
        self._bound(items)
        for number in range(_EXTRA * self._most):
            side = (at + 1, self.moments - 1) if later else (0, at - 1)
            left = both(self._known.common(items), [side])
            if not left:
                break
            # The far end first: it tells of places that have an older version, or a newer one, all the time.
            pick = nth(left, length(left) // 2) if number else left[-1][1] if later else left[0][0]
            if self._probe(items, pick):
                at = pick
        return at

    def _together(self, items: Sequence[Item]) -> int | None:
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
                if before and count > before // 2 + 1:  # the last index told little: go on near the beginning
                    at, step = nth(candidates, min(step, count // 2)), step * 2
                else:
                    at = nth(candidates, count // 2 if before or not known else 0)
                before = count
            if self._probe(items, at):
                return at

    def _first_over(self, items: Sequence[Item], never: list[Item]) -> tuple[Item, int] | None:
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

    def _fewer(self, answer: Answer, items: Sequence[Item]) -> Answer:
        """The answer, or one of fewer moments; proven once no fewer are possible."""
        self._probed = 0
        for _ in range(_EXTRA * self._most):
            if answer.proven:
                break
            ranges = [self._known.possible(item) for item in items]
            moments = cover(ranges, len(answer.found) - 1)
            if moments is None:
                return answer
            if not moments:
                return answer._replace(proven=True)
            for at in moments:
                self._probe(items, at, all_places=True)
            found = []
            remaining = tuple(items)
            for at in moments:
                found.append(self._found(at, remaining))
                remaining = tuple(item for item in remaining if item not in found[-1].items)
            if not remaining:
                answer = Answer(tuple(found), answer.never, len(moments) < 2)
        return answer

    def _bound(self, items: Sequence[Item]) -> bool:
        """Ask when items were first seen; whether that was not known. Those that nobody knows are given up: neither the
        service, nor any of some indices near and far knows even another version."""
        if not self._known.bound(items):
            return False
        last = self.moments - 1
        lows = (self._known.possible(item)[:1] for item in items if self._known.is_bounded((item,)))
        around = max(
            (first[0][0] for first in lows if first), default=last
        )  # the others are of about that time
        unknown = list(items)
        for number in range(_SURVEY):
            unknown = [item for item in unknown if self._known.is_unknown(item)]
            if unknown:
                away = (-3) ** number - 1 if around < last else 1 - 3**number
                self._probe(unknown, min(max(around + away, 0), last), all_places=True)
        self._known.give_up(item for item in unknown if self._known.is_unknown(item))
        return True

    def _probe(self, items: Sequence[Item], at: int, *, all_places: bool = False) -> bool:
        self._probed += 1
        if self._probed > _PATIENCE * self._most:
            raise Refused(
                f"whether these versions coexist is not settled after {self._probed} moments",
                hint="these packages come and go, which gives the search no direction: look for fewer at a time",
            )
        return self._known.probe(items, at, all_places=all_places)

    def _found(self, at: int, items: Sequence[Item], last: Item | None = None) -> Found:
        """What a moment has of the items."""
        there = tuple(item for item in items if self._known.is_there(item, at))
        apart = tuple((item, self._known.instead(item, at)) for item in items if item not in there)
        return Found(self._known.imports(at), there, last, apart)
