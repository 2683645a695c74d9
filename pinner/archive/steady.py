"""Answers that come to an end: a bound on the time of a whole answer, beside the one between two of its pieces.

A server that sends a byte now and then, header lines without end, "100 Continue" again and again, or trailers behind
the body is never silent, so that no time-out between two pieces ends it. Here every byte of an answer, of its head
too, goes through one reader that knows until when the answer may last.
"""

from __future__ import annotations

import http.client
import io
import socket
from time import monotonic
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from pinner.archive.reach import Guarded, check

GRACE = 60.0  # seconds for the head, and for an answer of any size
RATE = 8_000  # bytes a second: what the slowest line that pinner waits for gives
_UNASKED = 1 << 16  # bytes of a body that is not needed, such as that of a redirection
_UNWANTED = f"more than {_UNASKED} bytes came with an answer that has no use for them"


class TooSlow(OSError):
    """The answer did not come to its end in the time that it may take."""


class _TimedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        self._begun = monotonic()
        self._seconds, self._size = GRACE, 0
        self._left: int | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As RawIOBase has it. Raises TooSlow."""
        left, gap = self._begun + self._seconds - monotonic(), self._sock.gettimeout()
        if left <= 0:
            raise self._over()
        if self._left is not None:
            if self._left < 0:
                raise TooSlow(_UNWANTED)
            buffer = memoryview(buffer)[: self._left + 1]
        if gap is None or left < gap:
            self._sock.settimeout(left)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            if gap is None or left < gap:
                raise self._over() from None
            raise
        finally:
            if gap is None or left < gap:
                self._sock.settimeout(gap)
        if self._left is not None and count:
            self._left -= count
            if self._left < 0:
                raise TooSlow(_UNWANTED)
        return int(count) if count is not None else None

    def body(self) -> None:
        """The head is there; of a body that is not needed only a little is read."""
        self._left = _UNASKED

    def allow(self, size: int) -> None:
        """A body of `size` bytes is wanted."""
        self._left, self._size, self._seconds = None, size, GRACE + size / RATE

    def _over(self) -> TooSlow:
        what = f"{self._size} bytes" if self._size else "the head of an answer"
        return TooSlow(f"too slow: {what} may take {self._seconds:.0f} seconds")

    def fileno(self) -> int:
        """The socket's."""
        return self._raw.fileno()

    def close(self) -> None:
        """Lets the socket go."""
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.reader = _TimedReader(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self.reader)

    def begin(self) -> None:
        """Reads the head."""
        super().begin()
        self.reader.body()


def allow(answer: HTTPResponse, limit: int) -> None:
    """The body of `answer` is wanted, of at most `limit` bytes: it has the time that its size needs at `RATE`."""
    reader = getattr(getattr(answer, "_original_response", None), "reader", None)
    if reader is not None:
        said = answer.headers.get("Content-Length", "")
        reader.allow(
            min(limit, int(said)) if said.isascii() and said.isdecimal() and len(said) < 19 else limit
        )


def _pool(pool: type[HTTPConnectionPool], connection: type[HTTPConnection]) -> type[HTTPConnectionPool]:
    own = type(connection.__name__, (Guarded, connection), {"response_class": _Answer})
    return type(pool.__name__, (pool,), {"ConnectionCls": own})


_POOLS = {
    "http": _pool(HTTPConnectionPool, HTTPConnection),
    "https": _pool(HTTPSConnectionPool, HTTPSConnection),
}


class Adapter(HTTPAdapter):
    """What a session sends its requests through."""

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """As HTTPAdapter does. Raises `reach.Private`."""
        check(request.url or "")
        return super().send(request, *arguments, **options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """As HTTPAdapter does, with the connections of this module."""
        super().init_poolmanager(*arguments, **options)
        _prepare(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> ProxyManager:
        """The same for a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*arguments, **options)
        _prepare(manager)
        return manager


def _prepare(manager: PoolManager) -> None:
    if type(manager) in (PoolManager, ProxyManager):  # that of a SOCKS proxy has connections of its own
        manager.pool_classes_by_scheme = _POOLS
