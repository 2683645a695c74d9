"""What metasnap.debian.net claims of versions, and which moments that makes worth a look. None of it is believed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from pinner.search.ranges import MomentRange, holds, joined
from pinner.search.windows import WantedVersion
from pinner.values import NamedTuple

_MOST = 8  # moments that are looked at first


class Claim(NamedTuple):
    """That a suite had an item at all imports from one timestamp to another."""

    item: WantedVersion
    archive: str
    suite: str
    begin: str
    end: str


def hints(claims: Sequence[Claim], runs: Mapping[str, Sequence[str]]) -> list[str]:
    """The moments for all items, if all that is claimed is true: always the last one before an item is over, and the
    next one, which shows that it is."""
    times = sorted({stamp for stamps in runs.values() for stamp in stamps})
    by_item: dict[WantedVersion, list[MomentRange]] = {}
    for claim in claims:
        stamps = runs[claim.archive]
        after = bisect_right(stamps, claim.end)
        begin = bisect_left(times, claim.begin)
        end = bisect_left(times, stamps[after]) - 1 if after < len(stamps) else len(times) - 1
        if begin <= end:
            by_item.setdefault(claim.item, []).append((begin, end))
    left = [joined(each) for each in by_item.values()]
    found: list[int] = []
    while left and len(found) < _MOST:
        at = min(each[-1][1] for each in left)
        found += [at, at + 1]
        left = [each for each in left if not holds(each, at)]
    return [times[at] for at in found if at < len(times)]
