"""Sets of whole numbers as ranges: first and last number of each, in order and apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count, pairwise

Range = tuple[int, int]
_LONGEST = 5_000  # steps of a search whose length is not bounded otherwise


def holds(ranges: Sequence[Range], at: int) -> bool:
    """Whether a number is in one of the ranges."""
    return any(start <= at <= end for start, end in ranges)


def length(ranges: Sequence[Range]) -> int:
    """How many numbers are in ranges that are apart."""
    return sum(end - start + 1 for start, end in ranges)


def nth(ranges: Sequence[Range], number: int) -> int:
    """The number at a position among those in `ranges`, which are so many."""
    for start, end in ranges:
        if number <= end - start:
            return start + number
        number -= end - start + 1
    raise IndexError(number)


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Ranges in order, those that overlap or touch made one."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def both(left: Sequence[Range], right: Sequence[Range]) -> list[Range]:
    """What two lists of ranges share."""
    return joined((max(a, c), min(b, d)) for a, b in left for c, d in right if max(a, c) <= min(b, d))


def less(ranges: Sequence[Range], hole: Range) -> list[Range]:
    """Ranges without a hole."""
    found = []
    for start, end in ranges:
        found += [(start, min(end, hole[0] - 1)), (max(start, hole[1] + 1), end)]
    return joined((start, end) for start, end in found if start <= end)


def cover(ranges: Sequence[Sequence[Range]], most: int) -> list[int] | None:
    """The fewest numbers, in order, of which each element of `ranges` holds one, if they are at most `most`.

    Empty if that takes more; None if it takes too long to find out.
    """
    ends = -1
    apart = 0
    for each in sorted(ranges, key=lambda each: each[-1][1]):
        if each[0][0] > ends:
            ends = each[-1][1]
            apart += 1
    if apart > most:
        return []
    bounds = sorted({bound for each in ranges for start, end in each for bound in (start, end + 1)})
    spans: dict[int, Range] = {}  # the elements that hold a number, as bits → such numbers
    for start, after in pairwise(bounds):
        bits = sum(1 << number for number, each in enumerate(ranges) if holds(each, start))
        known = spans.get(bits, (0, -1))
        if after - 1 - start > known[1] - known[0]:
            spans[bits] = (start, after - 1)
    largest = [bits for bits in spans if not any(bits | other == other != bits for other in spans)]
    steps = count()

    def choose(missing: int, number: int) -> list[int] | None:
        if not missing:
            return []
        if not number or next(steps) > _LONGEST:
            return None
        elements = [element for element in range(len(ranges)) if missing >> element & 1]
        options = [[bits for bits in largest if bits >> element & 1] for element in elements]
        fewest = sorted(options, key=len)[0]
        for bits in sorted(fewest, key=lambda bits: -(bits & missing).bit_count()):
            rest = choose(missing & ~bits, number - 1)
            if rest is not None:
                return [bits, *rest]
        return None

    for number in range(1, most + 1):
        chosen = choose((1 << len(ranges)) - 1, number)
        if chosen is not None:
            return sorted((spans[bits][0] + spans[bits][1]) // 2 for bits in chosen)
        if next(steps) > _LONGEST:
            return None
    return []
