"""What metasnap.debian.net claims of versions, and which moments that makes worth a look. None of it is believed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

from pinner.search.ranges import Range, cover, holds, joined
from pinner.search.windows import Item
from pinner.values import NamedTuple

_MOST = 4  # moments that are looked at first


class Claim(NamedTuple):
    """That a suite had an item at all imports from one timestamp to another."""

    item: Item
    archive: str
    suite: str
    begin: str
    end: str


def hints(claims: Sequence[Claim], runs: Mapping[str, Sequence[str]]) -> list[str]:
    """The fewest timestamps that have all items, if all that is claimed is true, and those at and after an item's end
    that would show why one moment is not enough."""
    times = sorted({stamp for stamps in runs.values() for stamp in stamps})
    by_item: dict[Item, list[Range]] = {}
    for claim in claims:
        stamps = runs[claim.archive]
        after = bisect_right(stamps, claim.end)
        begin = bisect_left(times, claim.begin)
        end = bisect_left(times, stamps[after]) - 1 if after < len(stamps) else len(times) - 1
        if begin <= end:
            by_item.setdefault(claim.item, []).append((begin, end))
    ranges = [joined(each) for each in by_item.values()]
    moments = (cover(ranges, _MOST) if ranges else None) or []
    ends = [
        min(end for each in ranges if not holds(each, later) for start, end in each if start <= at <= end)
        for at, later in pairwise(moments)
    ]
    return [times[at] for at in (*moments, *(end + 1 for end in ends), *ends)]
