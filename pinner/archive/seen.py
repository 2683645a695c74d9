"""What runs remember for later ones: since when versions are in an archive, and which locks pinner has followed.

seen/versions    JSON: suite, name, version, moment
seen/locks       the SHA-256 of the texts of locks, one a line, the latest last
seen/solved      what a solver was asked and what it answered (their SHA-256), one a line, the latest last
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from pinner.archive.cache import Cache

SeenVersions = Mapping[tuple[str, str, str], datetime]
_FORGET = timedelta(days=90)
_LOCKS, _SOLVED = 256, 8192


def read(cache: Cache) -> SeenVersions:
    """The moments by suite, name and version; nothing if the record is not there or damaged."""
    import json

    try:
        data = json.loads(cache.kept(cache.seen / "versions"))
        return {
            (str(suite), str(name), str(version)): datetime.fromisoformat(since)
            for suite, name, version, since in data
            if datetime.fromisoformat(since).tzinfo is not None
        }
    except (ValueError, TypeError):
        return {}


def keep(cache: Cache, old: SeenVersions, new: SeenVersions, now: datetime) -> None:
    """Add `new` to the record; what is older than anybody waits for is forgotten. Raises `CacheError`."""
    if not new.keys() - old.keys():
        return
    import json

    merged = {**new, **old}
    lines = sorted((*key, since.isoformat()) for key, since in merged.items() if now - since < _FORGET)
    cache.keep(cache.seen / "versions", json.dumps(lines, indent=0).encode())


def has_followed(cache: Cache, lock: str) -> bool:
    """Whether pinner wrote this text of a lock on this machine, or has resolved all that it says."""
    return _digest(lock) in _locks(cache)


def followed(cache: Cache, lock: str) -> None:
    """Remember the text of a lock. Raises `CacheError`."""
    known = _locks(cache)
    digest = _digest(lock)
    if digest not in known:
        lines = [*known, digest][-_LOCKS:]
        cache.keep(cache.seen / "locks", "".join(f"{line}\n" for line in lines).encode())


def solved(cache: Cache) -> Mapping[str, str]:
    """What a solver has answered, by question."""
    lines = cache.kept(cache.seen / "solved").decode().splitlines()
    return {question: answer for question, _, answer in (line.partition(" ") for line in lines)}


def keep_solved(cache: Cache, new: Mapping[str, str]) -> None:
    """Remember what was solved in this run. Raises `CacheError`."""
    if not new:
        return
    lines = {**solved(cache), **new}
    text = "".join(f"{question} {answer}\n" for question, answer in [*lines.items()][-_SOLVED:])
    cache.keep(cache.seen / "solved", text.encode())


def _locks(cache: Cache) -> list[str]:
    return cache.kept(cache.seen / "locks").decode().split()


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
