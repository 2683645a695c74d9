"""What is kept of the answers of one address, so that they can be revalidated."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from pinner.archive.cache import Cache

if TYPE_CHECKING:
    from cachecontrol.controller import CacheController
    from requests import PreparedRequest
    from urllib3 import HTTPResponse

_VALIDATORS = ("ETag", "Last-Modified")  # RFC 9110, 8.8


class KeptResponse:
    """The answer that is kept of an address, which is asked with these headers; CacheControl knows the rules."""

    def __init__(self, cache: Cache, address: str, headers: Mapping[str, str | bytes]) -> None:
        self._cache = cache
        self._path = cache.http / sha256(address.encode()).hexdigest()
        self._address = address
        self._headers = dict(headers)

    def conditional_headers(self) -> dict[str, str]:
        """What to ask with, so that the server may answer that nothing has changed."""
        return dict(self._rules().conditional_headers(self._request())) if self._path.exists() else {}

    def updated(self, answer: HTTPResponse) -> HTTPResponse:
        """The answer that is kept, now that the server has said that it still holds."""
        return self._rules().update_cached_response(self._request(), answer)

    def keep(self, answer: HTTPResponse, body: bytes) -> None:
        """Keeps an answer that can be revalidated. Raises AssertionError for a date that cannot be read."""
        if any(answer.headers.get(name) for name in _VALIDATORS):
            self._rules().cache_response(self._request(), answer, body)

    def _request(self) -> PreparedRequest:
        from requests import Request

        return Request("GET", self._address, headers=self._headers).prepare()

    def _rules(self) -> CacheController:
        from pinner.archive.http_cache import rules

        return rules(self._cache, self._path)
