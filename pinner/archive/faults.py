"""What goes wrong over HTTP, in words, and how long to wait before another try."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime


class Failed(Exception):
    """A try that failed, and whether and after how many seconds another one may succeed.

    `reached` tells whether the host was there: one that is busy is worth more patience than one that is not.
    """

    def __init__(
        self,
        problem: str,
        *,
        status: int = 0,
        again: bool = True,
        after: float | None = None,
        reached: bool = True,
    ) -> None:
        super().__init__(problem)
        self.status = status
        self.again = again
        self.after = after
        self.reached = reached


def pause(tries: int) -> float:
    """Seconds before the next try: doubling, with jitter so that many clients do not come back at once."""
    from random import uniform

    return 2.0 ** (tries - 1) * uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by a Retry-After field: seconds, or a date (RFC 9110, 10.2.3), by the server's clock or `now`.

    Headers are found by their names in lower case.
    """
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdecimal():
        return float(value)
    until = _instant(value)
    if until is None:
        return None
    return max(0.0, (until - (_instant(headers.get("date", "")) or now)).total_seconds())


def _instant(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def is_no_host(error: Exception) -> bool:
    """Whether there is no host of that name (getaddrinfo(3): EAI_NONAME), which does not change in seconds."""
    from socket import EAI_NONAME, gaierror

    return any(isinstance(link, gaierror) and link.errno == EAI_NONAME for link in _chain(error))


def is_there(error: Exception) -> bool:
    """Whether the host was reached at all."""
    absent = {"NameResolutionError", "gaierror", "ConnectionRefusedError", "ConnectTimeoutError"}
    return not absent & {type(link).__name__ for link in _chain(error)}


def is_too_slow(error: Exception) -> bool:
    """Whether an answer took longer than it may, so that another try would, too."""
    return any(type(link).__name__ == "TooSlow" for link in _chain(error))


def reason(error: Exception) -> str:
    """What went wrong in words; the text of these errors names addresses and objects."""
    kinds = {type(link).__name__: str(link) for link in _chain(error)}
    if "TooSlow" in kinds:
        return kinds["TooSlow"]
    for words, names in (
        ("the host name is not known", {"NameResolutionError", "gaierror"}),
        ("the connection was refused", {"ConnectionRefusedError"}),
        ("no answer in time", {"ConnectTimeoutError", "ReadTimeoutError", "TimeoutError"}),
        ("the answer was cut short", {"IncompleteRead", "InvalidChunkLength"}),
        ("the connection was broken", {"ConnectionResetError", "RemoteDisconnected", "BrokenPipeError"}),
        ("the server's certificate is not accepted", {"SSLCertVerificationError"}),
        ("the server does not speak TLS", {"SSLError"}),
        ("too many redirections", {"TooManyRedirects"}),
        (
            "this is not an address for HTTP",
            {"InvalidURL", "InvalidSchema", "MissingSchema", "LocationParseError", "ValueError"},
        ),
    ):
        if kinds.keys() & names:
            return words
    return f"the connection failed ({type(error).__name__})"


def _chain(error: BaseException) -> list[BaseException]:
    """`error` and what it wraps: requests and urllib3 put the cause into `args`, Python into `__context__`."""
    found: list[BaseException] = []
    todo: list[BaseException] = [error]
    while todo:
        link = todo.pop()
        if link not in found:
            found.append(link)
            inner = (*link.args, link.__context__, getattr(link, "reason", None))
            todo += [one for one in inner if isinstance(one, BaseException)]
    return found


def hint_for(status: int) -> str:
    """What to do about an answer of that status, or about none (0)."""
    if status in (404, 410):
        return "check the suite's name; a suite past its end of life has left the mirrors"
    if status in (401, 403, 407):
        return "the server wants a login: check the mirror or the proxy"
    if status:
        return "the server cannot answer now: try again later, or another mirror"
    return "check the network and the proxy; --offline uses what is cached"
