"""Moments in the life of an archive: timestamps as snapshot services write them, and the sources of a moment.

snapshot.debian.org holds a tree for each import of an archive. Asked for another time it answers with the last import
before it, each archive by itself: the same time stands for different imports of `debian` and `debian-security`. A
`Moment` names the imports themselves. snapshot.ubuntu.com answers for any second; all pockets share it, and so do the
architectures, those of the ports archive too (https://snapshot.ubuntu.com).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

OFFICIAL = "http://snapshot.debian.org"
UBUNTU = "ubuntu"
LATEST = timedelta(days=1)  # the age from which an import counts as complete and mirrored everywhere
_FORMAT = "%Y%m%dT%H%M%SZ"
_STAMP = later(r"\d{8}T\d{6}Z")
_WHEN = (_FORMAT, "%Y%m%d", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ")
_UBUNTU_URI = "http://snapshot.ubuntu.com/ubuntu"
_UBUNTU_BEGIN = datetime(2023, 3, 1, tzinfo=UTC)
UBUNTU_STEP = timedelta(hours=6)  # about how often Debian's archive is imported
_URI = later(
    rf"(?:{re.escape(OFFICIAL)}/archive/(?P<debian>[a-z][a-z0-9-]*)|{re.escape(_UBUNTU_URI)})/({_STAMP.pattern})"
)
_WRITTEN = later(
    r"https?://(?:snapshot\.debian\.org/archive/(?P<debian>[a-z][a-z0-9-]*)|snapshot\.ubuntu\.com/ubuntu)"
    r"/(?P<stamp>\d{8}(?:T\d{6}Z)?)/?"
)
_KEPT: Mapping[str, str] = {
    "http://deb.debian.org/debian": "debian",
    "http://deb.debian.org/debian-security": "debian-security",
    "http://archive.debian.org/debian": "debian",
    "http://archive.debian.org/debian-security": "debian-security",
    "http://archive.ubuntu.com/ubuntu": UBUNTU,
    "http://security.ubuntu.com/ubuntu": UBUNTU,
    "http://ports.ubuntu.com/ubuntu-ports": UBUNTU,
    "http://old-releases.ubuntu.com/ubuntu": UBUNTU,
}


class Moment(NamedTuple):
    """One import of each archive: pairs of its name and the import's timestamp, in order of name."""

    imports: tuple[tuple[str, str], ...]

    def uri(self, live: str) -> str | None:
        """Where the archive at the live address lies at this moment; None if it is not kept."""
        name = archive_of(live)
        for archive, stamp in self.imports:
            if archive == name:
                return (
                    f"{_UBUNTU_URI}/{stamp}" if archive == UBUNTU else f"{OFFICIAL}/archive/{archive}/{stamp}"
                )
        return None

    def __str__(self) -> str:
        stamps = {stamp for _, stamp in self.imports}
        if len(stamps) == 1:
            return stamps.pop()
        return ", ".join(f"{archive} {stamp}" for archive, stamp in self.imports)


def archive_of(live: str) -> str | None:
    """What the services call the archive at a live address; None for one that none keeps."""
    return _KEPT.get(live)


def split(uri: str) -> tuple[str, str] | None:
    """The archive and the timestamp of a snapshot's address; None for another address."""
    match = _URI.fullmatch(uri) if "snapshot" in uri else None
    return (match["debian"] or UBUNTU, match[2]) if match else None


def written(uri: str) -> tuple[str, str] | None:
    """The archive and the timestamp of a snapshot's address as people write it; None for another address."""
    match = _WRITTEN.fullmatch(uri)
    if match is None:
        return None
    day, _, time = match["stamp"].partition("T")
    stamp = f"{day}T{time or '000000Z'}"
    return (match["debian"] or UBUNTU, stamp) if is_stamp(stamp) else None


def everywhere(stamp: str) -> Moment:
    """The moment that a timestamp is for all archives that are kept."""
    return Moment(tuple((name, stamp) for name in sorted(set(_KEPT.values()))))


def found_in(text: str) -> Moment:
    """The imports whose addresses stand in `text`."""
    return Moment(tuple(sorted({(match["debian"] or UBUNTU, match[2]) for match in _URI.finditer(text)})))


def stamp(instant: datetime) -> str:
    """The timestamp of an instant."""
    return instant.astimezone(UTC).strftime(_FORMAT)


def instant(text: str) -> datetime:
    """The instant of a timestamp that is known to be one."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def is_stamp(text: str) -> bool:
    """Whether `text` is a timestamp of a time that exists."""
    try:
        return bool(len(text) == 16 and _STAMP.fullmatch(text) and text.isascii() and instant(text))
    except ValueError:
        return False


def when(text: str, now: datetime) -> datetime:
    """The time that a person means: a timestamp, a date (its first second, UTC), `yesterday`, or `latest`.

    `latest` is a day ago: what is younger may not be complete. Raises `InputError`.
    """
    if text == "latest":
        return now - LATEST
    if text == "yesterday":
        return (now - timedelta(days=1)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for form in _WHEN if text.isascii() else ():
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if found > now:
            raise InputError(f"{text} is in the future", hint="`latest` is the newest complete snapshot")
        return found
    raise InputError(
        f"{text} is not a moment",
        hint="write 20261101T000000Z, 2026-11-01, yesterday or latest (times are UTC)",
    )


def of_ubuntu(now: datetime) -> tuple[str, ...]:
    """Moments of Ubuntu's archive until now, some of all the seconds that can be had."""
    count = (now - _UBUNTU_BEGIN) // UBUNTU_STEP
    return tuple(stamp(_UBUNTU_BEGIN + number * UBUNTU_STEP) for number in range(count + 1))


def before(stamps: Sequence[str], wanted: str) -> str | None:
    """The last of `stamps`, which are in order, that is not after `wanted`: what the service itself answers with."""
    at = bisect_right(stamps, wanted)
    return stamps[at - 1] if at else None


def moment(archives: Iterable[str], wanted: datetime, runs: Callable[[str], Sequence[str]]) -> Moment:
    """The imports of archives at a time; `runs` lists those of one. Raises `InputError` before its first one."""
    found = []
    for archive in sorted(set(archives)):
        if archive == UBUNTU:
            if wanted < _UBUNTU_BEGIN:
                raise InputError(f"there is no snapshot of Ubuntu as early as {stamp(wanted)}")
            found.append((archive, stamp(wanted)))
            continue
        stamps = runs(archive)
        last = before(stamps, stamp(wanted))
        if last is None:
            raise InputError(
                f"there is no snapshot of {archive} as early as {stamp(wanted)}",
                hint=f"its first one is {stamps[0]}" if stamps else "",
            )
        found.append((archive, last))
    return Moment(tuple(found))
