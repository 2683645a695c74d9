"""Small answers without a library; what is out of the ordinary is asked for again, by the library."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pinner.archive.cache import Cache
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.errors import FetchError, TrustError
from tests.simulator import NOW

BODY = b"a Release"
PLAIN = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: W/"1"\r\nLast-Modified: Sat\r\n\r\n' + BODY
SAME = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'


@contextmanager
def serving(answers: list[bytes], asked: list[str]) -> Iterator[str]:
    """A server that gives these answers in turn, the last one again and again, and closes."""

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    asked.append(connection.recv(1 << 16).decode())
                    connection.sendall(answers[min(len(asked), len(answers)) - 1])

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/InRelease"
        finally:
            server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    fetcher = Fetcher(Network(Cache(tmp_path), NOW, wait=lambda seconds: None))
    yield fetcher
    fetcher.close()


def ask(fetcher: Fetcher, url: str) -> bytes:
    return bytes(fetcher.get(url, limit=100, revalidate=True))


def test_what_has_not_changed_is_taken_from_the_cache(fetcher: Fetcher) -> None:
    asked: list[str] = []
    with serving([PLAIN, SAME], asked) as url:
        assert [ask(fetcher, url) for _ in range(3)] == [BODY] * 3
    first, second, _ = asked
    assert "If-" not in first
    assert first.startswith("GET /InRelease HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "Accept-Encoding: identity\r\n" in first
    assert "User-Agent: pinner/" in first
    assert 'If-None-Match: W/"1"\r\nIf-Modified-Since: Sat\r\n' in second


def test_what_one_way_keeps_the_other_knows(
    fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that comes and goes costs no transfer."""
    asked: list[str] = []
    with serving([PLAIN, SAME], asked) as url:
        ask(fetcher, url)
        monkeypatch.setenv("PINNER_AUTH", str(tmp_path / "none"))
        assert [ask(fetcher, url) for _ in range(2)] == [BODY] * 2
        monkeypatch.delenv("PINNER_AUTH")
        assert ask(fetcher, url) == BODY
    assert [("keep-alive" in each, "If-None-Match" in each) for each in asked] == [
        *((False, False), (True, True), (True, True), (False, True)),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\na Release\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 5\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n continued: yes\r\n\r\n" + BODY,
        b"HTTP/1.1 301 Moved\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
        SAME,  # though nothing was kept that it could be the same as
    ],
)
def test_the_library_asks_again(odd: bytes, fetcher: Fetcher) -> None:
    asked: list[str] = []
    with serving([odd, PLAIN], asked) as url:
        assert ask(fetcher, url) == BODY
    assert len(asked) == 2
    assert "Connection: keep-alive" in asked[1]


def test_a_large_body_is_handed_on_while_it_comes_and_resumed_where_it_breaks_off(fetcher: Fetcher) -> None:
    whole, seen = bytes(range(250)) * 4_000, list[int]()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with serving([head + whole], []) as url:
        assert fetcher.get(url, limit=1_000_000, progress=seen.append) == whole
    assert 1 < len(seen) < len(whole) / 200_000
    body, asked = bytearray(), list[str]()
    answers = [head + whole[:-1], b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]
    with serving(answers, asked) as url, pytest.raises(FetchError, match="503"):
        fetcher.save(url, body, limit=1_000_000)
    assert whole.startswith(body)
    assert len(body) > 900_000
    assert all(f"Range: bytes={len(body)}-\r\n" in each for each in asked[1:])


@pytest.mark.parametrize(
    "begin", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + BODY]
)
def test_an_answer_that_breaks_off_is_asked_for_again_after_a_while(begin: bytes, tmp_path: Path) -> None:
    waits, asked = list[float](), list[str]()
    fetcher = Fetcher(Network(Cache(tmp_path), NOW, wait=waits.append))
    with serving([begin, PLAIN], asked) as url:
        assert ask(fetcher, url) == BODY
    assert (len(asked), len(waits)) == (2, 1)


def test_a_file_that_is_not_there_is_asked_for_once(fetcher: Fetcher) -> None:
    asked: list[str] = []
    none = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with serving([none], asked) as url, pytest.raises(FetchError, match="404"):
        ask(fetcher, url)
    assert len(asked) == 1


def test_a_body_that_is_too_long(fetcher: Fetcher) -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101
    with serving([long], []) as url, pytest.raises(TrustError, match="longer than the 100 bytes"):
        ask(fetcher, url)


@pytest.mark.parametrize("name", ["PINNER_AUTH", "NETRC"])
def test_logins_are_for_the_library(
    name: str, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with serving([PLAIN], asked) as url:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine nowhere.example login me password secret\n")
        monkeypatch.setenv(name, str(netrc))
        assert ask(fetcher, url) == BODY
    assert "Connection: keep-alive" in asked[0]


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ("http_proxy=http://HERE", "close"),
        ("HTTP_PROXY=HERE/ no_proxy=localhost,example.com,10.0.0.0/8", "close"),
        ("http_proxy=HERE HTTP_PROXY=HERE", "close"),
        ("http_proxy=http://HERE HTTP_PROXY=http://127.0.0.1:1", "keep-alive"),
        ("http_proxy=http://me:secret@HERE", "keep-alive"),
        ("all_proxy=http://HERE", "keep-alive"),
        ("http_proxy=http://127.0.0.1:1 no_proxy=.example,127.0.0.1", "direct"),
        ("http_proxy=http://127.0.0.1:1 NO_PROXY=*", "direct"),
        ("http_proxy= HTTP_PROXY=http://127.0.0.1:1", "direct"),
    ],
)
def test_a_plain_proxy_is_asked_for_the_whole_address(
    environment: str, way: str, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are for the library, which knows what is spared the proxy, too."""
    asked: list[str] = []
    with serving([PLAIN], asked) as url:
        for each in environment.replace("HERE", url.split("/")[2]).split():
            monkeypatch.setenv(*each.split("=", 1))
        wanted = url if way == "direct" else "http://an.archive.example/InRelease"
        assert ask(fetcher, wanted) == BODY
    assert asked[0].startswith(f"GET {'/InRelease' if way == 'direct' else wanted} HTTP/1.1\r\nHost: ")
    assert f"Connection: {'close' if way == 'close' else 'keep-alive'}" in asked[0]


def test_addresses_of_the_runner_are_not_asked(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("pinner.archive.reach._private", False)
    asked: list[str] = []
    with serving([PLAIN], asked) as url, pytest.raises(FetchError, match="runner's own network"):
        ask(fetcher, url)
    assert not asked


@pytest.mark.parametrize("extra", [b"Cache-Control: no-store\r\n", b""])
def test_what_cannot_be_revalidated_is_not_kept(extra: bytes, fetcher: Fetcher) -> None:
    validator = b'ETag: "1"\r\n' if extra else b""
    asked: list[str] = []
    with serving(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n" + validator + extra + b"\r\n" + BODY], asked
    ) as url:
        assert [ask(fetcher, url) for _ in range(2)] == [BODY] * 2
    assert "If-" not in asked[1]


def test_a_port_that_is_none_is_for_the_library(fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="not an address for HTTP"):
        ask(fetcher, "http://127.0.0.1:99999/")
