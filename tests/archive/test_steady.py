"""Servers that are never silent and never done."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path

import pytest

from pinner.archive import quick, steady
from pinner.archive.cache import Cache
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.errors import FetchError
from tests.simulator import NOW

OK = b"HTTP/1.1 200 OK\r\n"
LONG = OK + b"Content-Length: 100000\r\n\r\n"


@contextmanager
def serving(pieces: Callable[[], Iterator[bytes]], pause: float) -> Iterator[str]:
    """A server that answers every request with these bytes, a piece each `pause` seconds, until nobody listens."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(1 << 16)
            for piece in pieces():
                connection.sendall(piece)
                if pause and over.wait(pause):
                    return

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/file"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def fetcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetcher]:
    monkeypatch.setattr(quick, "_GAP", 0.1)
    monkeypatch.setattr(quick, "_RATE", 1_000_000)
    monkeypatch.setattr(steady, "GRACE", 0.2)
    monkeypatch.setattr(steady, "RATE", 1_000_000)
    fetcher = Fetcher(Network(Cache(tmp_path), NOW, wait=lambda seconds: None))
    yield fetcher
    fetcher.close()


@pytest.mark.parametrize(
    ("pieces", "pause", "why"),
    [
        (lambda: chain([LONG], repeat(b"x")), 0.02, "100000 bytes may take"),
        (lambda: chain([OK, b"\r\n"], repeat(b"x")), 0.02, "200000 bytes may take"),
        (lambda: repeat(b"H"), 0.02, "the head of an answer may take"),
        (lambda: chain([OK], repeat(b"A: b\r\n")), 0.02, "the head of an answer may take"),
        (lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), 0, "the head of an answer may take"),
        (
            lambda: chain([OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"], repeat(b"A: b\r\n")),
            0,
            "200000 bytes may take",
        ),
        (
            lambda: chain([OK + b"Transfer-Encoding: chunked\r\n\r\n"], repeat(b"1\r\nx\r\n")),
            0.02,
            "200000 bytes may take",
        ),
    ],
    ids=["body", "no-length", "status", "headers", "continue", "trailers", "chunks"],
)
def test_an_answer_without_end(
    pieces: Callable[[], Iterator[bytes]], pause: float, why: str, fetcher: Fetcher
) -> None:
    with serving(pieces, pause) as url:
        with pytest.raises(FetchError, match=why) as caught:
            fetcher.get(url, limit=200_000)
        assert caught.value.tries == 1
        with (
            pytest.raises(FetchError, match="too slow"),
            fetcher.ask(url, headers={}) as answer,
        ):
            answer.body(200_000)


@pytest.mark.parametrize(
    "body", [repeat(bytes(9999)), iter([gzip.compress(bytes(200 << 20), 1)])], ids=["endless", "packed"]
)
def test_the_body_of_a_redirection(
    body: Iterator[bytes], fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "GRACE", 30)
    head = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Encoding: gzip\r\n\r\n"
    with (
        serving(lambda: chain([head], body), 0) as url,
        pytest.raises(FetchError, match=r"too many redirections|has no use for them"),
    ):
        fetcher.get(url, limit=200_000)


def test_an_answer_that_takes_its_time(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the head may take, and not longer than its size allows."""
    monkeypatch.setattr(steady, "RATE", 50)
    with serving(lambda: chain([OK + b"Content-Length: 20\r\n\r\n"], repeat(b"xx", 10)), 0.03) as url:
        assert fetcher.get(url, limit=100) == b"x" * 20
