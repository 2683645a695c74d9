"""When a name is set in a shell text: its definitions in order, the conditions and the loops around them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pinner.shell.syntax import Word
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node


class Definition(NamedTuple):
    """`name=…` from `start` to `end` of the text; a loop's reaches to the end of its body (`until`)."""

    start: int
    end: int
    kind: Literal["text", "list", "each", "opaque"]
    words: tuple[Word, ...] = ()
    appends: bool = False
    until: int = 0


class Ranges:
    """Ranges of a text, to ask whether one holds an index."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        ranges = sorted((node.start_byte, node.end_byte) for node in nodes)
        self._starts = [start for start, _ in ranges]
        self._reach: list[int] = []
        for _, end in ranges:
            self._reach.append(max(end, self._reach[-1] if self._reach else 0))

    def hold(self, at: int) -> bool:
        """Whether `at` lies in one of them."""
        found = bisect_right(self._starts, at) - 1
        return found >= 0 and self._reach[found] > at


class History:
    """The definitions of one name, in the order in which they are complete."""

    def __init__(self, definitions: Iterable[Definition], conditional: Ranges) -> None:
        self.all = sorted(definitions, key=lambda each: each.end)
        self._ends = [each.end for each in self.all]
        self._starts = sorted(each.start for each in self.all)
        # Of the first so many: where the last loop ends; whether one is not followed; how many are conditional; with
        # which the value begins.
        self._reach = [0]
        self.odd = [False]
        self._conditional = [0]
        self.begin = [0]
        for number, each in enumerate(self.all):
            self._reach.append(max(self._reach[-1], each.until))
            self.odd.append(self.odd[-1] or each.kind in ("each", "opaque"))
            self._conditional.append(self._conditional[-1] + conditional.hold(each.start))
            self.begin.append(self.begin[-1] if each.appends else number)

    def before(self, at: int) -> int:
        """How many are complete at the index `at`."""
        return bisect_right(self._ends, at)

    def loop(self, at: int) -> Definition | None:
        """The loop over the name that `at` lies in, if nothing else sets the name there."""
        number = self.before(at)
        while number and self._reach[number] > at:
            number -= 1
            each = self.all[number]
            if each.kind == "each" and at < each.until:
                inside = bisect_left(self._starts, each.end)
                alone = inside == len(self._starts) or self._starts[inside] >= each.until
                return each if alone else None
        return None

    def is_conditional(self, number: int, *, first: bool) -> bool:
        """Whether one of the first `number` stands under a condition, the `first` left aside or not."""
        return self._conditional[number] > (0 if first else self._conditional[1])
