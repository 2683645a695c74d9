"""A small answer over http without a library: nearly every run asks whether a Release has changed.

To load the libraries takes longer than three such answers take to come. Whatever is out of the ordinary is left to
them: a proxy, a login, a redirection, a body of unknown length, an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from pinner.archive import reach
from pinner.regex import later
from pinner.values import NamedTuple

_CONNECT, _WHOLE = 3.0, 10.0  # seconds
_LARGEST_HEAD = 1 << 16
_CHUNK = 1 << 16
_URL = later(r"http://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[!-~]*")
_HEAD = later(rb"HTTP/1\.[01] (200|304|429|50[0234])(?: [^\r\n]*)?\r\n((?:[\w-]+:[^\r\n]*\r\n)*)\r\n")


class Answer(NamedTuple):
    """Status, headers (their names in lower case), and body; and in what time it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def get(url: str, headers: Mapping[str, str], limit: int) -> Answer | None:
    """What is at `url`, of at most `limit` bytes; None where that is for others to find out."""
    if not _URL.fullmatch(url) or sys.platform != "linux" or _is_special(url):
        return None
    import socket

    parts = urlsplit(url)
    target = url[url.index("/", len("http://")) :].partition("#")[0]
    fields = {"Host": parts.netloc, **headers, "Connection": "close"}
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    data, until = bytearray(), monotonic() + _WHOLE
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), _CONNECT) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

            def more() -> None:
                connection.settimeout(max(until - monotonic(), 0.001))
                piece = connection.recv(_CHUNK)
                if not piece:
                    raise ConnectionError
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
            at = found.end()
            size = int(said["content-length"]) if found[1] == b"200" else 0
            if not 0 <= size <= limit:
                return None
            while len(data) < at + size:
                more()
    except (OSError, ValueError, KeyError):
        return None
    return Answer(int(found[1]), said, bytes(data[at : at + size]), monotonic() - begun)


def _is_special(url: str) -> bool:
    """Whether the environment has a proxy or logins, or may forbid the address."""
    if any(
        os.environ.get(name) for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "PINNER_AUTH")
    ):
        return True
    if reach.is_guarded() and urlsplit(url).hostname not in reach.known():
        return True
    netrc = Path(os.environ.get("NETRC") or "~/.netrc")
    try:
        places = (netrc.expanduser(), Path("/etc/apt/auth.conf"))
    except RuntimeError:  # there is no home
        return True
    return any(map(os.path.lexists, places)) or any(Path("/etc/apt/auth.conf.d").glob("*.conf"))
