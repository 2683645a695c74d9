"""CacheControl over one file. Imported only where an answer is kept."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cachecontrol.cache import BaseCache
from cachecontrol.controller import CacheController

from pinner.archive.cache import Cache
from pinner.errors import CacheError


class _FileCache(BaseCache):
    """CacheControl's own file cache needs another library for its locks; a rename needs none.

    The cache only saves transfers, so a disk that is full is a matter for what comes after it.
    """

    def __init__(self, cache: Cache, path: Path) -> None:
        self._cache = cache
        self._path = path

    def get(self, key: str) -> bytes | None:
        return self._cache.kept(self._path) or None

    def set(self, key: str, value: bytes, expires: int | datetime | None = None) -> None:
        with suppress(CacheError):
            self._cache.keep(self._path, value)

    def delete(self, key: str) -> None:
        self._path.unlink(missing_ok=True)


def rules(cache: Cache, path: Path) -> CacheController:
    """What HTTP says of a cached answer (RFC 9111), which lies at `path` in `cache`.

    CacheControl's adapter would write each answer to a temporary file on the way; its rules alone do not.
    """
    return CacheController(_FileCache(cache, path))
