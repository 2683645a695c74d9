"""What is kept of the answers of one address, so that they can be revalidated (RFC 9110, 8.8 and 13.1).

CacheControl has the rules and the form. Where a whole answer is at hand already (`quick`), the same form is read and
written without it: to load the library takes longer than the answer took to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from pinner.archive.cache import Cache
from pinner.errors import CacheError

if TYPE_CHECKING:
    from datetime import datetime

    from cachecontrol.controller import CacheController
    from requests import PreparedRequest
    from urllib3 import HTTPResponse

_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_FORM = b"cc=4,"  # CacheControl's


class KeptResponse:
    """The answer that is kept of an address, which is asked with these headers."""

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

    def plain(self) -> tuple[dict[str, str], bytes]:
        """What to ask with, and the body that holds if the server says that nothing has changed."""
        import msgpack

        data = self._cache.kept(self._path)
        try:
            response = msgpack.unpackb(data.removeprefix(_FORM))["response"] if data.startswith(_FORM) else {}
            body, headers = response.get("body"), _printable(response.get("headers", {}))
        except (ValueError, TypeError, KeyError, AttributeError, msgpack.UnpackException):
            return {}, b""
        if not isinstance(body, bytes):
            return {}, b""
        return {_VALIDATORS[name]: value for name, value in headers.items()}, body

    def keep_plain(self, headers: Mapping[str, str], body: bytes) -> None:
        """Keeps an answer to a request without anything special. Raises `CacheError`."""
        import msgpack

        said = _printable(headers)
        if said and "no-store" not in headers.get("cache-control", "").lower():
            answer = {"body": body, "headers": said, "status": 200, "version": 11, "reason": "OK"}
            answer |= {"decode_content": False}
            self._cache.keep(self._path, _FORM + msgpack.packb({"response": answer, "vary": {}}))

    def _request(self) -> PreparedRequest:
        from requests import Request

        return Request("GET", self._address, headers=self._headers).prepare()

    def _rules(self) -> CacheController:
        """CacheControl's adapter would write each answer to a temporary file on the way; its rules alone do not, and
        its own file cache needs another library for its locks; a rename needs none."""
        from cachecontrol.cache import BaseCache
        from cachecontrol.controller import CacheController

        cache, path = self._cache, self._path

        class OneFile(BaseCache):
            def get(self, key: str) -> bytes | None:
                return cache.kept(path) or None

            def set(self, key: str, value: bytes, expires: int | datetime | None = None) -> None:
                with suppress(CacheError):  # a full disk is a matter for what comes after it
                    cache.keep(path, value)

            def delete(self, key: str) -> None:
                path.unlink(missing_ok=True)

        return CacheController(OneFile())


def _printable(headers: Mapping[str, str]) -> dict[str, str]:
    """The validators among headers that may be sent again."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return {name: value for name in _VALIDATORS if (value := lowered.get(name, "")) and value.isprintable()}
