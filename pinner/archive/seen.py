"""Since when versions are known to be in an archive, remembered between runs that wait for them to age."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from pinner.archive.cache import Cache

Versions = Mapping[tuple[str, str, str], datetime]
_FORGET = timedelta(days=90)


def read(cache: Cache) -> Versions:
    """The moments by suite, name and version; nothing if the record is not there or damaged."""
    try:
        data = json.loads((cache.seen / "versions").read_bytes())
        return {
            (str(suite), str(name), str(version)): datetime.fromisoformat(since)
            for suite, name, version, since in data
            if datetime.fromisoformat(since).tzinfo is not None
        }
    except (OSError, ValueError, TypeError):
        return {}


def keep(cache: Cache, old: Versions, new: Versions, now: datetime) -> None:
    """Add `new` to the record; what is older than anybody waits for is forgotten. Raises `InputError`."""
    if not new.keys() - old.keys():
        return
    merged = {**new, **old}
    lines = sorted((*key, since.isoformat()) for key, since in merged.items() if now - since < _FORGET)
    cache.write(cache.seen / "versions", json.dumps(lines, indent=0).encode())
