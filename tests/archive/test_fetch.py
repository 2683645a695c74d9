"""HTTP where it is at its worst."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from pinner.archive import fetch, quick
from pinner.archive.cache import Cache
from pinner.archive.fetch import LONGEST_WAIT, Fetcher
from pinner.archive.network import Network
from pinner.errors import FetchError, TrustError
from tests.simulator import NOW, SimulatedArchive

PATH = "/debian/dists/bookworm/Release"


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    archive.suite("bookworm")
    with archive.serve():
        yield archive


@pytest.fixture
def fetcher(archive: SimulatedArchive, tmp_path: Path) -> Iterator[Fetcher]:
    fetcher = Fetcher(Network(Cache(tmp_path), archive.now, wait=archive.wait))
    yield fetcher
    fetcher.close()


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        ("7", 7),
        ("0", 0),
        (f"{NOW + timedelta(seconds=9):%a, %d %b %Y %H:%M:%S} GMT", 9),
        (f"{NOW - timedelta(seconds=9):%a, %d %b %Y %H:%M:%S} GMT", 0),
        ("3600", LONGEST_WAIT),
        (f"{NOW + timedelta(days=9):%a, %d %b %Y %H:%M:%S} GMT", LONGEST_WAIT),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(
    retry_after: str, expected: float, status: int, archive: SimulatedArchive, fetcher: Fetcher
) -> None:
    archive.status("*", status, times=1, retry_after=retry_after)
    assert fetcher.get(archive.url + PATH, limit=9999)
    assert archive.waits == [expected]


@pytest.mark.parametrize("retry_after", ["", "soon", "-1", "9" * 400, "Tue, 99 Nov"])
def test_retry_after_that_says_nothing(retry_after: str, archive: SimulatedArchive, fetcher: Fetcher) -> None:
    archive.status("*", 503, retry_after=retry_after)
    with pytest.raises(FetchError):
        fetcher.get(archive.url + PATH, limit=9999)
    assert len(archive.waits) == 3
    assert all(0 <= wait <= LONGEST_WAIT for wait in archive.waits)


def test_no_answer_in_time(
    archive: SimulatedArchive, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "_timeouts", (1, 0.05))
    monkeypatch.setattr(quick, "_GAP", 0.05)
    archive.stall("*")
    with pytest.raises(FetchError, match=r"no answer in time \(4 tries\)"):
        fetcher.get(archive.url + PATH, limit=9999)


def test_nobody_there(fetcher: Fetcher) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/x"
        with pytest.raises(FetchError, match=r"the connection was refused .*\nhint: check the network"):
            fetcher.get(url, limit=1)


@pytest.mark.parametrize(
    "url", ["http://", "gopher://host/x", "http://[::1/x", "no url", "http://exa mple/x"]
)
def test_addresses_that_are_none(url: str, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError):
        fetcher.get(url, limit=1)


def test_the_body_may_be_as_long_as_it_may_be(archive: SimulatedArchive, fetcher: Fetcher) -> None:
    body = fetcher.get(archive.url + PATH, limit=9999)
    assert fetcher.get(archive.url + PATH, limit=len(body)) == body
    with pytest.raises(TrustError, match=f"longer than the {len(body) - 1} bytes it may have"):
        fetcher.get(archive.url + PATH, limit=len(body) - 1)


def test_progress(archive: SimulatedArchive, fetcher: Fetcher) -> None:
    seen: list[int] = []
    body = fetcher.get(archive.url + PATH, limit=9999, progress=seen.append)
    assert seen[-1] == len(body)


@pytest.mark.parametrize("header", ["Date", "Expires", "Cache-Control", "ETag"])
def test_headers_that_cannot_be_read(header: str, archive: SimulatedArchive, fetcher: Fetcher) -> None:
    archive.label("*", **{header.replace("-", "_"): "\xff, ,=;"})
    for _ in range(2):
        with suppress(FetchError):
            assert fetcher.get(archive.url + PATH, limit=9999, revalidate=True)


def test_a_mirror_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "x y").write_bytes(b"content")
    mirrors = {
        "http://deb.debian.org/": f"{tmp_path.as_uri()}/",
        "http://deb.debian.org/debian-x": "http://unused/",
    }
    fetcher = Fetcher(Network(Cache(tmp_path / "cache"), NOW, mirrors=mirrors, wait=lambda _: None))
    assert fetcher.get("http://deb.debian.org/debian/x%20y", limit=7) == b"content"
    with pytest.raises(TrustError):
        fetcher.get("http://deb.debian.org/debian/x%20y", limit=6)
    with pytest.raises(FetchError) as caught:
        fetcher.get("http://deb.debian.org/debian/z", limit=6)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://deb.debian.org/debian/x", "http://proxy/deb/debian/x"),
        ("http://deb.debian.org/debian-security/x", "http://sec/x"),
        ("http://deb.debian.org.evil/x", "http://deb.debian.org.evil/x"),
        ("https://deb.debian.org/x", "https://deb.debian.org/x"),
    ],
)
def test_the_longest_prefix_of_whole_names_counts(url: str, address: str, tmp_path: Path) -> None:
    mirrors = {
        "http://deb.debian.org": "http://proxy/deb/",
        "http://deb.debian.org/debian-security/": "http://sec",
    }
    assert (
        Fetcher(Network(Cache(tmp_path), NOW, mirrors=mirrors, wait=lambda _: None)).address(url) == address
    )


def test_a_host_that_gave_no_answer_is_not_waited_for_again(
    archive: SimulatedArchive, fetcher: Fetcher
) -> None:
    archive.reset("*")
    for tries in (fetch.TRIES, 1):
        with pytest.raises(FetchError) as raised:
            fetcher.get(archive.url + PATH, limit=9999)
        assert raised.value.tries == tries
    assert len(archive.waits) == fetch.TRIES - 1
    archive.behave()
    assert fetcher.get(archive.url + PATH, limit=9999)
