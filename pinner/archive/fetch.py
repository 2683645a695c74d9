"""URL → bounded, retried bytes: the only HTTP in the program.

Messages name the official URL and never the mirror's, which may hold a password.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from pinner import __version__
from pinner.archive.faults import (
    Failed,
    hint_for,
    is_no_host,
    is_there,
    is_too_slow,
    pause,
    reason,
    retry_after,
)
from pinner.archive.kept import KeptResponse
from pinner.archive.network import Network
from pinner.archive.pace import Pace
from pinner.archive.quick import Sink
from pinner.errors import CacheError, FetchError, TrustError
from pinner.values import NamedTuple

if TYPE_CHECKING:
    import requests
    from urllib3 import HTTPResponse

TRIES = 4
LONGEST_WAIT = 60.0
_PATIENT, _PATIENCE = 7, 300.0  # tries and seconds where a pace is kept
_TIMEOUTS = (10.0, 30.0)  # to connect, and between two pieces of an answer
_HASTE = 3.0  # seconds to connect
_AGAIN = frozenset({429, 500, 502, 503, 504, 509})  # 509: bandwidth limit exceeded, of some snapshot servers
_CONNECTIONS = 8
_CHUNK = 1 << 18
_TELLING = 100_000  # bytes of a body whose time tells the rate
_ABOUT = "+https://pypi.org/project/apt-pinner/"  # for those who wonder at their log

_HEADERS = {"User-Agent": f"pinner/{__version__} ({_ABOUT})", "Accept-Encoding": "identity"}

T = TypeVar("T")


class _Wanted(NamedTuple):
    """A body: `url` is what it is called, `address` where it is asked for."""

    url: str
    address: str
    limit: int
    progress: Callable[[int], None] | None


class Fetcher:
    """HTTP over one pool of connections for all threads.

    Answers that can be revalidated are kept in the cache. With a `pace` it is a guest of a service that never changes a
    file: one connection, no faster than that, a longer patience, and a body that breaks off is resumed where it ended
    (RFC 9110, 14.2). One that is `hasty` asks for what it can do without: it tries once, and does not wait long for a
    host to answer at all.
    """

    def __init__(self, network: Network, *, pace: Pace | None = None, hasty: bool = False) -> None:
        self._cache = network.cache
        self._now = network.now
        self._wait = network.wait
        self._pace = pace
        self._tries, self._longest_wait = (TRIES, LONGEST_WAIT) if pace is None else (_PATIENT, _PATIENCE)
        self._timeouts = _TIMEOUTS
        if hasty:
            self._tries, self._timeouts = 1, (_HASTE, _TIMEOUTS[1])
        self._mirrors = sorted(network.mirrors.items(), key=lambda pair: -len(pair[0]))
        self._silent: set[str] = set()  # hosts that gave no answer at all: no patience any more
        self._odd: set[str] = set()  # addresses at which the last try failed that the library made
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self.rate = 0.0  # bytes a second, the best that was seen so far of a body that tells

    def get(
        self,
        url: str,
        *,
        limit: int,
        revalidate: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> bytearray:
        """The body at `url`, of at most `limit` bytes: a longer one is cut off and raises TrustError.

        `revalidate` takes the answer from the HTTP cache if the server says that it is unchanged. `progress` gets
        the number of bytes so far. Statuses 429 and 5xx, resets, time-outs and truncated bodies are tried again,
        after the time that Retry-After asks for, or a time that doubles. Raises FetchError.
        """
        wanted = _Wanted(url, self.address(url), limit, progress)
        if wanted.address.startswith("file:"):
            return self._tried(url, lambda: _file(wanted))
        body = bytearray()

        self._tried(
            url, partial(self._try, wanted, body, revalidate=revalidate, resume=self._pace is not None)
        )
        return body

    def save(
        self, url: str, body: Sink, *, limit: int, progress: Callable[[int], None] | None = None
    ) -> None:
        """As `get`, but what `body` holds already is the beginning of what is wanted, and is not asked for again if the
        server can resume (RFC 9110, 14.2); if it cannot, or the file ended before, `body` begins anew.
        """
        wanted = _Wanted(url, self.address(url), limit, progress)
        if wanted.address.startswith("file:"):
            content = self._tried(url, lambda: _file(wanted))
            body.clear()
            body.extend(content)
        else:
            self._tried(url, partial(self._try, wanted, body, revalidate=False, resume=True))

    @contextmanager
    def ask(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        method: str = "GET",
        form: Mapping[str, str] | bytes | None = None,
    ) -> Iterator[Response]:
        """One answer, whatever its status: redirections are the caller's business, since `headers` may hold a login.

        `url` is asked for as it is, and logins from ~/.netrc are not used. A `form` is the body of a POST, or what it
        is made of.

        Statuses 429 and 5xx and resets are tried again as by `get`, unless the server asks for a longer wait than
        `LONGEST_WAIT`. Raises FetchError, also when the answer breaks off while it is read.
        """
        with self._tried(url, lambda: self._answer(url, method, headers, form)) as response:
            yield Response(url, response)

    def _tried(self, url: str, attempt: Callable[[], T]) -> T:
        host, tries = url.partition("://")[2].partition("/")[0], 0
        while True:
            tries += 1
            try:
                return attempt()
            except Failed as failure:
                most = self._tries if failure.reached else min(self._tries, TRIES)
                if not failure.again or tries == most or host in self._silent:
                    if not failure.status:
                        self._silent.add(host)
                    times = f" ({tries} tries)" if tries > 1 else ""
                    raise FetchError(
                        f"{url}: {failure}{times}",
                        url=url,
                        status=failure.status,
                        tries=tries,
                        hint=hint_for(failure.status),
                    ) from None
                self._wait(pause(tries) if failure.after is None else min(failure.after, self._longest_wait))

    def close(self) -> None:
        """Ends the connections; the next `get` makes new ones."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def address(self, url: str) -> str:
        """Where `url` is really asked for: there, or at a mirror of it."""
        for prefix, mirror in self._mirrors:
            if f"{url}/".startswith(f"{prefix.rstrip('/')}/"):
                return mirror.rstrip("/") + url[len(prefix.rstrip("/")) :]
        return url

    def _once(self, wanted: _Wanted, body: Sink, *, revalidate: bool, resume: bool) -> None:
        """One try; `body` holds what an earlier one got before it broke off, to begin there with `resume`."""
        import requests
        import urllib3

        from pinner.archive.logins import attach

        session = self._ready()
        headers = {"Range": f"bytes={len(body)}-"} if body and resume and not revalidate else {}
        try:
            known = KeptResponse(self._cache, wanted.address, session.headers) if revalidate else None
            if known is not None:
                headers = known.conditional_headers()
            with session.get(
                wanted.address, auth=attach, headers=headers, stream=True, timeout=self._timeouts
            ) as response:
                raw = response.raw
                if known is not None and raw.status == 304:
                    raw = known.updated(raw)
                self._take(raw, wanted, body, resumes="Range" in headers)
                if known is not None and raw is response.raw:
                    assert isinstance(body, bytearray)
                    known.keep(raw, bytes(body))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            AssertionError,
            RuntimeError,
            ValueError,
        ) as error:
            # ValueError: a redirection to no address. RuntimeError: its packed body breaks off. AssertionError is how
            # CacheControl takes a date it cannot read.
            final = isinstance(error, (requests.TooManyRedirects, ValueError))
            again = not (final or is_too_slow(error) or is_no_host(error))
            raise Failed(reason(error), again=again, reached=is_there(error)) from None

    def _take(self, raw: HTTPResponse, wanted: _Wanted, body: Sink, *, resumes: bool) -> None:
        """Read an answer into `body`. Raises `Failed` for one that has none."""
        from pinner.archive.steady import allow

        resumed = raw.status == 206
        resumed = resumed and raw.headers.get("Content-Range", "").startswith(f"bytes {len(body)}-")
        if not resumed and raw.status not in _AGAIN:
            body.clear()
        if raw.status != 200 and not resumed:
            after = retry_after(raw.headers, self._now)
            too_long = self._pace is not None and after is not None and after > _PATIENCE
            said = f"HTTP status {raw.status}{f', to wait for {after:.0f} seconds' if too_long else ''}"
            again = (raw.status in _AGAIN and not too_long) or resumes
            raise Failed(said, status=raw.status, again=again, after=after)
        allow(raw, wanted.limit)
        begun, before = monotonic(), len(body)
        # The raw stream: requests would unpack a Packages.gz that is served as `Content-Encoding: gzip`.
        while chunk := raw.read(_CHUNK, decode_content=False):
            body.extend(chunk)
            _check_length(len(body), wanted)
            if wanted.progress:
                wanted.progress(len(body))
        self._tell(len(body) - before, monotonic() - begun)

    def _tell(self, size: int, seconds: float) -> None:
        if size >= _TELLING:
            self.rate = max(self.rate, size / max(seconds, 1e-6))

    def _try(self, wanted: _Wanted, body: Sink, *, revalidate: bool, resume: bool) -> None:
        """One try, without the library if it is that simple."""
        simple = self._pace is None and not len(body) and wanted.address not in self._odd
        if not simple or not self._quick(wanted, body, revalidate=revalidate):
            self._odd.add(wanted.address)
            self._once(wanted, body, revalidate=revalidate, resume=resume)
            self._odd.discard(wanted.address)

    def _quick(self, wanted: _Wanted, body: Sink, *, revalidate: bool) -> bool:
        """A body over plain http; False where it is not that simple. Raises `Failed` as `_once` does."""
        from pinner.archive import quick

        known = KeptResponse(self._cache, wanted.address, _HEADERS) if revalidate else None
        asked, before = known.plain() if known is not None else ({}, b"")
        try:
            answer = quick.get(wanted.address, {**_HEADERS, **asked}, wanted.limit, body, wanted.progress)
        except OSError as error:
            raise Failed(reason(error)) from None
        if answer is None or (answer.status == 304 and (not asked or len(before) > wanted.limit)):
            return False
        if answer.status not in (200, 304):
            after = retry_after(answer.headers, self._now)
            again = answer.status in _AGAIN
            raise Failed(f"HTTP status {answer.status}", status=answer.status, again=again, after=after)
        if answer.status == 304:
            body.extend(before)
            return True
        self._tell(len(body), answer.seconds)
        if known is not None:
            assert isinstance(body, bytearray)
            with suppress(CacheError):  # it saves a transfer; a full disk is a matter for what comes after it
                known.keep_plain(answer.headers, bytes(body))
        return True

    def _answer(
        self, url: str, method: str, headers: Mapping[str, str], form: Mapping[str, str] | bytes | None
    ) -> requests.Response:
        import requests
        import urllib3

        try:
            response = self._ready().request(
                method,
                url,
                headers=dict(headers),
                data=form,
                auth=lambda request: request,  # without it, requests would look into ~/.netrc
                allow_redirects=False,
                stream=True,
                timeout=self._timeouts,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            again = not (is_too_slow(error) or isinstance(error, ValueError))
            raise Failed(reason(error), again=again, reached=is_there(error)) from None
        if response.status_code in _AGAIN:
            after = retry_after(response.headers, self._now)
            wish = "" if after is None else f"; the server asks to wait {after:.0f} seconds"
            response.close()
            raise Failed(
                f"HTTP status {response.status_code}{wish}",
                status=response.status_code,
                again=after is None or after <= LONGEST_WAIT,
                after=after,
            )
        return response

    def _ready(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                from pinner.archive.logins import Session
                from pinner.archive.steady import Adapter

                self._session = Session()
                # requests knows its own variables
                self._session.verify = os.environ.get("SSL_CERT_FILE") or True
                self._session.headers.update(_HEADERS)
                self._session.max_redirects = 5
                usual = partial(Adapter, pool_maxsize=_CONNECTIONS, pool_block=True)
                pool = usual() if self._pace is None else self._pace.adapter()
                for scheme in ("http://", "https://"):
                    self._session.mount(scheme, pool)
            return self._session


class Response:
    """A status, headers (their names in any case), and a body that is read in pieces."""

    def __init__(self, url: str, response: requests.Response) -> None:
        self.url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._raw = response.raw

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The body as it was sent, in the time for `limit` bytes. Raises FetchError when it breaks off."""
        import urllib3

        from pinner.archive.steady import allow

        try:
            allow(self._raw, limit)
            while piece := self._raw.read(_CHUNK, decode_content=False):
                yield piece
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise FetchError(f"{self.url}: {reason(error)}", url=self.url, hint=hint_for(0)) from None

    def body(self, limit: int) -> bytes:
        """The whole body; a longer one than `limit` bytes raises TrustError."""
        body = bytearray()
        for piece in self.pieces(limit):
            body += piece
            if len(body) > limit:
                raise TrustError(f"{self.url}: longer than the {limit} bytes it may have")
        return bytes(body)


def _file(wanted: _Wanted) -> bytearray:
    """The content of a `file:` mirror; a missing file is a 404."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        path = Path(url2pathname(urlsplit(wanted.address).path))
        if path.exists() and not path.is_file():
            raise OSError(0, "not a regular file")
        with path.open("rb") as file:
            body = bytearray(file.read(wanted.limit + 1))
    except OSError as error:
        status = 404 if isinstance(error, FileNotFoundError) else 0
        raise Failed(error.strerror or "cannot be read", status=status, again=False) from None
    _check_length(len(body), wanted)
    return body


def _check_length(length: int, wanted: _Wanted) -> None:
    if length > wanted.limit:
        hint = "the mirror may be in the middle of an update: try again in some minutes, or another mirror"
        raise TrustError(f"{wanted.url}: longer than the {wanted.limit} bytes it may have", hint=hint)
