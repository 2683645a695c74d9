"""How archives, registries and other services are asked, and how long an answer is believed (`--max-age`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pinner.archive.cache import Cache
from pinner.errors import FetchError
from pinner.values import NamedTuple

MAX_AGE = timedelta(minutes=10)

#: Gets a label, the bytes so far and all bytes, from several threads.
OnProgress = Callable[[str, int, int], None]


class Network(NamedTuple):
    """`cache` keeps what was learned, `now` is the time of the run (aware). What was asked for within `max_age` is not
    asked for again; with `offline` nothing is.

    `mirrors` maps prefixes of addresses to those that are asked in their place, the longest one counts: locks and
    messages keep the official one. `wait` takes the seconds between two tries.
    """

    cache: Cache
    now: datetime
    mirrors: Mapping[str, str] = {}
    offline: bool = False
    max_age: timedelta = MAX_AGE
    wait: Callable[[float], None] = time.sleep
    progress: OnProgress | None = None

    def is_recent(self, asked: datetime) -> bool:
        """Whether what was asked for at that time need not be asked for again."""
        return self.offline or timedelta(0) <= self.now - asked <= self.max_age

    def reporter(self, label: str, size: int) -> Callable[[int], None] | None:
        """What is told how many bytes of `size` there are; None if nobody is."""
        progress = self.progress
        return (lambda so_far: progress(label, so_far, size)) if progress else None


def not_cached(url: str, what: str = "") -> FetchError:
    """That something, named by its address or otherwise, is not in the cache of a run without the network."""
    return FetchError(
        f"{what or url}: not in the cache, and this run does not use the network",
        url=url,
        tries=0,
        hint="a run that does, like `pinner lock` without --offline, keeps it there",
    )
