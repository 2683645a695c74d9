"""Sets of whole numbers as ranges: first and last number of each, in order and apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MomentRange = tuple[int, int]


def holds(ranges: Sequence[MomentRange], at: int) -> bool:
    """Whether a number is in one of the ranges."""
    return any(start <= at <= end for start, end in ranges)


def length(ranges: Sequence[MomentRange]) -> int:
    """How many numbers are in ranges that are apart."""
    return sum(end - start + 1 for start, end in ranges)


def nth(ranges: Sequence[MomentRange], number: int) -> int:
    """The number at a position among those in `ranges`, which are so many."""
    for start, end in ranges:
        if number <= end - start:
            return start + number
        number -= end - start + 1
    raise IndexError(number)


def joined(ranges: Iterable[MomentRange]) -> list[MomentRange]:
    """Ranges in order, those that overlap or touch made one."""
    found: list[MomentRange] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def both(left: Sequence[MomentRange], right: Sequence[MomentRange]) -> list[MomentRange]:
    """What two lists of ranges share."""
    return joined((max(a, c), min(b, d)) for a, b in left for c, d in right if max(a, c) <= min(b, d))


def less(ranges: Sequence[MomentRange], hole: MomentRange) -> list[MomentRange]:
    """Ranges without a hole."""
    found = []
    for start, end in ranges:
        found += [(start, min(end, hole[0] - 1)), (max(start, hole[1] + 1), end)]
    return joined((start, end) for start, end in found if start <= end)
