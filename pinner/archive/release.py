"""A verified Release text as a value.

Format: https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a Release vouches for: a file's size in bytes and its SHA-256 as lower-case hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """The Release of one suite. Absent text fields are empty; `date` and `valid_until` are aware, in UTC."""

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
