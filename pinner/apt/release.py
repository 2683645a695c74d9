"""A verified Release text as a value.

Format: https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from pinner.errors import TrustError
from pinner.values import NamedTuple


class FileEntry(NamedTuple):
    """What a Release vouches for: a file's size in bytes and its digest (see `apt.digest`)."""

    size: int
    digest: str


class Release(NamedTuple):
    """The Release of one suite. Absent text fields are empty; `date` and `valid_until` are aware, in UTC.

    `components` are as they are written in a source: security's `updates/main` is `main`.
    `all_apart` is true where packages of architecture `all` have a Packages file of their own that the others do
    not repeat.
    """

    origin: str
    label: str
    suite: str
    codename: str
    version: str
    date: datetime
    valid_until: datetime | None
    not_automatic: bool
    but_automatic_upgrades: bool
    acquire_by_hash: bool
    architectures: tuple[str, ...]
    components: tuple[str, ...]
    files: Mapping[str, FileEntry]
    all_apart: bool = False


def expiry(release: Release, valid_for: tuple[int, int]) -> datetime | None:
    """When a Release is out of date: at its Valid-Until, not before the first and not after the second number of
    seconds from its Date (0: no such limit). None if it never is (apt's debReleaseIndex::Load)."""
    least, most = (release.date + timedelta(seconds=each) if each else None for each in valid_for)
    until = release.valid_until
    if until is not None and least is not None:
        until = max(until, least)
    return min(filter(None, (until, most)), default=None)


def parse(text: str) -> Release:
    """The value of a Release file's text. Raises TrustError that names the field, without an URL.

    A Release is one paragraph, which needs none of deb822's generality, and is parsed on the warm path too.
    Of SHA512 and SHA256 the stronger one counts, as to apt. Without either it vouches for nothing (apt-secure(8)):
    MD5Sum and SHA1 are not read.
    """
    fields: dict[str, str] = {}
    for match in re.finditer(
        r"^([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)", text.replace("\r\n", "\n"), re.MULTILINE
    ):
        name = match[1].lower()
        if name in fields:
            raise TrustError(f"the Release has two {match[1]} fields")
        fields[name] = match[2].strip()
    if not fields.get("date"):
        raise TrustError("the Release has no Date")
    listing = "SHA512" if "sha512" in fields else "SHA256"
    if listing.lower() not in fields:
        raise TrustError(
            "the Release has no SHA256 and no SHA512 field: it vouches for nothing",
            hint="report it to the archive's maintainers",
        )
    valid_until = fields.get("valid-until")
    architectures = tuple(fields.get("architectures", "").split())
    repeated = fields.get("no-support-for-architecture-all", "").split()
    return Release(
        origin=fields.get("origin", ""),
        label=fields.get("label", ""),
        suite=fields.get("suite", ""),
        codename=fields.get("codename", ""),
        version=fields.get("version", ""),
        date=_date(fields["date"], "Date"),
        valid_until=_date(valid_until, "Valid-Until") if valid_until else None,
        not_automatic=fields.get("notautomatic") == "yes",
        but_automatic_upgrades=fields.get("butautomaticupgrades") == "yes",
        acquire_by_hash=fields.get("acquire-by-hash") == "yes",
        architectures=architectures,
        components=tuple(name.rpartition("/")[2] for name in fields.get("components", "").split()),
        files=_files(fields[listing.lower()], listing),
        all_apart="all" in architectures and "Packages" not in repeated,
    )


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _date(value: str, field: str) -> datetime:
    """An RFC 2822 date, in UTC by the format (`Sat, 11 Jul 2026 10:16:37 UTC`; `GMT`, `Z` and `+0000` are seen)."""
    match = re.fullmatch(
        r"(?:[A-Za-z]{3}, +)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) +(\d{1,2}):(\d\d):(\d\d) (?:UTC|GMT|Z|[+-]0000)",
        value,
        re.ASCII,
    )
    if match is None or match[2] not in _MONTHS:
        raise TrustError(f"the Release's {field} cannot be read: {value}")
    try:
        day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
        return datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise TrustError(f"the Release's {field} cannot be read: {value}") from None


_ENTRY = partial(tuple.__new__, FileEntry)  # a Release has a thousand


def _files(listing: str, field: str) -> Mapping[str, FileEntry]:
    """The field with this name: digest, size, path. A path that leaves the suite's directory is refused."""
    row = rf"^[ \t]*([0-9a-fA-F]{{{128 if field == 'SHA512' else 64}}})[ \t]+(\d{{1,15}})[ \t]+(\S+)[ \t]*$"
    rows = re.findall(row, listing, re.ASCII | re.MULTILINE)
    entries = map(_ENTRY, ((int(size), digest.lower()) for digest, size, _ in rows))
    files = dict(zip([path.removeprefix("./") for _, _, path in rows], entries, strict=True))
    if len(rows) == len(files) == listing.count("\n") + 1 and not any(
        odd in listing for odd in ("..", " /", "\t/")
    ):
        return files
    lines = [line for line in map(str.strip, listing.split("\n")) if line]
    if len(rows) != len(lines):
        odd = next(line for line in lines if not re.match(row, line, re.ASCII))
        raise TrustError(f"the Release's {field} field cannot be read: {odd}")
    for digest, size, path in rows:
        if path.startswith("/") or ".." in path.split("/"):
            raise TrustError(f"the Release's {field} field names a path outside the suite: {path}")
        if files[path.removeprefix("./")] != FileEntry(int(size), digest.lower()):
            raise TrustError(
                f"the Release's {field} field contradicts itself about {path.removeprefix('./')}"
            )
    return files
