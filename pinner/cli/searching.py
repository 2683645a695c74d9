"""What the commands that search snapshots share: whom they ask, and what people see of it meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil

from pinner.archive.pace import Pace
from pinner.cli.say import say
from pinner.errors import printable
from pinner.project.config import Config
from pinner.report.terminal import count
from pinner.search.claims import Claim
from pinner.search.find import Claims, Finder, Wanted, budget
from pinner.search.windows import WantedVersion
from pinner.session.access import Access
from pinner.stages.archives import Archives

_LONG = 20  # requests from which a search is announced


@contextmanager
def search(
    access: Access,
    config: Config,
    archives: Archives,
    wanted: Sequence[Wanted],
    *,
    quiet: bool,
    offline: bool | None = None,
    metasnap: bool = False,
    times: int = 1,
) -> Iterator[Finder]:
    """A search for what is wanted, `times` as long as the usual one. A long one is announced; a terminal shows how far
    it is. Raises what asking raises."""
    service = access.snapshots(config, offline=offline)
    claims, close = _claims(access, config) if metasnap else (None, lambda: None)
    try:
        most = times * budget(wanted, service.timestamps, claimed=metasnap)
        if not quiet:
            _announce(most, config.snapshot.interval)
        progress = _progress(service.pace, most, quiet=quiet)
        finder = Finder(service.timestamps, service.first_seen, archives.load, progress, claims)
        try:
            yield finder
        finally:
            progress("")
            archives.notes |= finder.notes
    finally:
        service.close()
        close()


def _claims(access: Access, config: Config) -> tuple[Claims, Callable[[], None]]:
    from pinner.distributions.catalogue import PLATFORMS

    service = access.metasnap(config)

    def claims(archive: str, platform: str, versions: Sequence[tuple[str, str]]) -> Sequence[Claim]:
        rows = service.rows(archive, PLATFORMS[platform], versions)
        return [
            Claim(WantedVersion(row.name, row.version, platform), archive, row.suite, row.begin, row.end)
            for row in rows
        ]

    return claims, service.close


def _announce(requests: int, interval: float) -> None:
    if requests >= _LONG:
        time = count(ceil(requests * interval / 60), "minute")
        say(
            "note",
            f"this may take up to {requests} requests, {time} at {interval:g} seconds between them; what was "
            "learned is kept, and an interrupted search goes on where it was",
        )


def _progress(pace: Pace, most: int, *, quiet: bool) -> Callable[[str], None]:
    """One line on a terminal: how many requests there were, of how many, and what comes next; nothing wipes it."""
    begun = pace.requests

    def show(what: str) -> None:
        line = f"{pace.requests - begun} of up to {most} requests: {what}" if what else ""
        sys.stderr.write(f"\r\x1b[K{printable(line)}")
        sys.stderr.flush()

    return show if sys.stderr.isatty() and not quiet else lambda what: None
