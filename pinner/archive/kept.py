"""What is kept of the answer of an address, so that it can be revalidated (RFC 9110, 8.8 and 13.1).

etag: …            the validators that it came with
last-modified: …

the body
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

from pinner.archive.cache import Cache

_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class KeptResponse:
    """The answer that is kept of an address."""

    def __init__(self, cache: Cache, address: str) -> None:
        self._cache = cache
        self._path = cache.http / sha256(address.encode()).hexdigest()

    @cached_property
    def _parts(self) -> tuple[bytes, bytes]:
        head, _, body = self._cache.kept(self._path).partition(b"\n\n")
        return head, body

    def conditional_headers(self) -> dict[str, str]:
        """What to ask with, so that the server may answer that nothing has changed; nothing if there is no answer."""
        fields = (line.partition(b": ") for line in self._parts[0].split(b"\n"))
        said = {name.decode("latin-1"): value.decode("latin-1") for name, _, value in fields}
        return {asked: said[name] for name, asked in _VALIDATORS.items() if name in said}

    def body(self) -> bytearray:
        """The body, once the server has said that it still holds."""
        return bytearray(self._parts[1])

    def keep(self, headers: Mapping[str, str], body: bytes) -> None:
        """Keeps an answer that can be revalidated, by its headers in lower case. Raises `CacheError`."""
        said = {name: value for name in _VALIDATORS if (value := headers.get(name)) and value.isprintable()}
        if said and "no-store" not in headers.get("cache-control", "").lower():
            head = "".join(f"{name}: {value}\n" for name, value in said.items())
            self._cache.keep(self._path, head.encode("latin-1", "replace") + b"\n" + body)
