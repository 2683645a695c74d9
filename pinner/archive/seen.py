"""What runs remember for later ones: since when versions are in an archive, and which locks pinner has followed.

seen/versions    JSON: suite, name, version, moment
seen/locks       the SHA-256 of the texts of locks, one a line, the latest last
seen/solved.d/XX   what a solver was asked and what it answered (their SHA-256), one a line, the latest last; in files
                 by the first characters of what was asked, so that a run reads few of them and writes little
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from pinner.archive.cache import Cache

SeenVersions = Mapping[tuple[str, str, str], datetime]
_FORGET = timedelta(days=90)
_LOCKS, _SOLVED = 256, 1024  # of each file


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


class Answers:
    """What solvers have answered, by question: up to 262,144 answers."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._parts: dict[str, dict[str, str]] = {}

    def get(self, question: str) -> str | None:
        """The answer, None for a question that was not asked yet."""
        part = question[:2]
        if part not in self._parts:
            self._parts[part] = self._read(part)
        return self._parts[part].get(question)

    def keep(self, new: Mapping[str, str]) -> None:
        """Remember more answers, and what other processes have kept in the meantime. Raises `CacheError`."""
        parts: dict[str, dict[str, str]] = {}
        for question, answer in new.items():
            parts.setdefault(question[:2], {})[question] = answer
        with self._cache.alone():
            for part, own in parts.items():
                lines = [*{**self._read(part), **own}.items()][-_SOLVED:]
                text = "".join(f"{question} {answer}\n" for question, answer in lines)
                self._cache.keep(self._place(part), text.encode())
                self._parts[part] = dict(lines)

    def _read(self, part: str) -> dict[str, str]:
        lines = self._cache.kept(self._place(part)).decode().splitlines()
        return {question: answer for question, _, answer in (line.partition(" ") for line in lines)}

    def _place(self, part: str) -> Path:
        return self._cache.seen / "solved.d" / part


def _locks(cache: Cache) -> list[str]:
    return cache.kept(cache.seen / "locks").decode().split()


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
