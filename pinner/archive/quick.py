"""An answer over http without a library: nearly every run asks whether a Release has changed, a first one for indices.

To load the libraries takes longer than three small answers take to come. Whatever is out of the ordinary is left to
them: a proxy that is not plain http, a login, a redirection, a body of unknown length, an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

from pinner.archive import reach
from pinner.regex import later
from pinner.values import NamedTuple

_CONNECT, _GAP = 3.0, 10.0  # seconds; the second between two pieces, and for the head
_RATE = 8_000  # bytes a second, at least
_LARGEST_HEAD = 1 << 16
_CHUNK = 1 << 18
_URL = later(r"http://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[!-~]*")
_PROXY = later(r"(?:(?:http://)?([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?/?)?")
_HEAD = later(rb"HTTP/1\.[01] (200|304|404|429|50[0234])(?: [^\r\n]*)?\r\n((?:[\w-]+:[^\r\n]*\r\n)*)\r\n")


class Sink(Protocol):
    """Where bytes go: a bytearray, or what writes to a file."""

    def __len__(self) -> int:
        """The bytes so far."""

    def extend(self, piece: bytes | bytearray, /) -> None:
        """Takes the next ones."""

    def clear(self) -> None:
        """Forgets them all."""


class IncompleteRead(ConnectionError):
    """The answer ended before it was whole."""


class Answer(NamedTuple):
    """Status and headers (their names in lower case), and in what time the body came."""

    status: int
    headers: Mapping[str, str]
    seconds: float


def get(
    url: str,
    headers: Mapping[str, str],
    limit: int,
    body: Sink,
    progress: Callable[[int], None] | None = None,
) -> Answer | None:
    """What is at `url`, of at most `limit` bytes, which go to `body`; None where that is for others to find out, when
    `body` may have the beginning of it. Raises `OSError` where the connection breaks before the answer is whole."""
    if not _URL.fullmatch(url) or sys.platform != "linux" or _is_special(url):
        return None
    import socket

    parts = urlsplit(url)
    proxy = _PROXY.fullmatch(_proxy(parts.hostname or ""))
    if proxy is None:
        return None
    # A proxy is asked for the whole address (RFC 9112, 3.2.2).
    target = url.partition("#")[0] if proxy[1] else url[url.index("/", len("http://")) :].partition("#")[0]
    fields = {"Host": parts.netloc, **headers, "Connection": "close"}
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    data, until, asked = bytearray(), monotonic() + _GAP, False
    try:
        host, port = (proxy[1], int(proxy[2] or 80)) if proxy[1] else (parts.hostname or "", parts.port or 80)
        place = host.encode(), port  # bytes need no IDNA, which takes 2 ms to load
        with socket.create_connection(place, _CONNECT) as connection:  # type: ignore[arg-type]
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            asked = True

            def more() -> None:
                connection.settimeout(min(max(until - monotonic(), 0.001), _GAP))
                piece = connection.recv(_CHUNK)
                if not piece:
                    raise IncompleteRead if data or len(body) else ConnectionResetError
                data.extend(piece)

            more()
            begun = monotonic()
            while b"\r\n\r\n" not in data and len(data) < _LARGEST_HEAD:
                more()
            found = _HEAD.match(data)
            if found is None:
                return None
            given = [line.partition(":") for line in found[2].decode("latin-1").split("\r\n") if line]
            said = {name.lower(): value.strip() for name, _, value in given}
            if sum(name.lower() == "content-length" for name, *_ in given) > 1 or "transfer-encoding" in said:
                return None
            status = int(found[1])  # a match knows only where in the data it is
            size = int(said["content-length"]) if status == 200 else 0
            if not 0 <= size <= limit:
                return None
            del data[: found.end()]
            until += size / _RATE
            while (left := size - len(body)) > 0:
                try:
                    while len(data) < min(left, _CHUNK):
                        more()
                finally:
                    body.extend(data[:left])
                    data.clear()
                if progress:
                    progress(len(body))
    except (TimeoutError, ValueError, KeyError):
        return None
    except OSError:
        if asked:
            raise
        return None
    return Answer(status, said, monotonic() - begun)


def _proxy(host: str) -> str:
    """The proxy of the environment, "" if there is none, "?" where that needs a closer look."""
    found = {os.environ[name] for name in ("http_proxy", "HTTP_PROXY") if name in os.environ}
    proxy, *others = found or {""}
    if others or any(os.environ.get(name) for name in ("all_proxy", "ALL_PROXY", "REQUEST_METHOD")):
        return "?"
    spared = f"{os.environ.get('no_proxy', '')},{os.environ.get('NO_PROXY', '')}".lower().replace(" ", "")
    for entry in filter(None, spared.split(",")) if proxy else ():
        if host.endswith(entry.lstrip("*.").partition(":")[0]) or host[-1:].isdigit():
            return "?"
    return proxy


def _is_special(url: str) -> bool:
    """Whether the environment has logins, or may forbid the address."""
    if os.environ.get("PINNER_AUTH"):
        return True
    if reach.is_guarded() and urlsplit(url).hostname not in reach.known():
        return True
    netrc = Path(os.environ.get("NETRC") or "~/.netrc")
    try:
        places = (netrc.expanduser(), Path("/etc/apt/auth.conf"))
    except RuntimeError:  # there is no home
        return True
    return any(map(os.path.lexists, places)) or any(Path("/etc/apt/auth.conf.d").glob("*.conf"))
