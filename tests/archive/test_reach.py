"""In CI no address of a private network is asked, whatever names it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinner.archive import reach
from pinner.archive.cache import Cache
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.errors import FetchError
from tests.cli.workbench import Workbench
from tests.simulator import SimulatedArchive


@pytest.fixture(autouse=True)
def in_ci(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("CI", "PINNER_ALLOW_PRIVATE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CI", "true")
    reach.allow(private=False, hosts=())
    yield
    reach.allow(private=False, hosts=())


def get(tmp_path: Path, url: str) -> bytes:
    fetcher = Fetcher(Network(Cache(tmp_path), datetime.now(UTC), wait=lambda _: None))
    try:
        return bytes(fetcher.get(url, limit=1000))
    finally:
        fetcher.close()


PRIVATE = (
    "http://127.0.0.1/", "http://localhost/", "http://a.localhost./", "http://127.1/", "http://2130706433/",
    "http://0x7f.1/", "http://0.0.0.0/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/",
    "http://[2002:a00:1::]/", "http://[fe80::1%25eth0]/", "http://[fd00::1]/", "http://10.1.2.3:80/", "http://172.16.0.1/",
    "http://192.168.0.1/", "http://169.254.169.254/latest/meta-data", "http://100.64.0.1/", "http://224.0.0.1/",
)  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_literal_addresses(tmp_path: Path, url: str) -> None:
    with pytest.raises(reach.Private, match="not asked"):
        get(tmp_path, url)


def test_names_and_redirections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that mean this machine, on a second look alone, too; and where an answer leads."""
    archive = SimulatedArchive(now=datetime.now(UTC))
    real = socket.getaddrinfo
    answers: list[str] = []

    def look_up(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        name = host if isinstance(host, str) else host.decode()
        return real(answers.pop(0) if name.endswith(".test") else name, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with archive.serve() as url:
        port = url.rpartition(":")[2].rstrip("/")
        for found in (["127.0.0.1"] * 8, ["9.9.9.9", "127.0.0.1"] * 8):
            answers[:] = found
            with pytest.raises(reach.Private):
                get(tmp_path, f"http://mirror.test:{port}/")
        assert archive.requests == []
        reach.allow(hosts=[f"mirror.test:{port}"])
        answers[:] = ["127.0.0.1"] * 8
        with pytest.raises(FetchError, match="404"):
            get(tmp_path, f"http://mirror.test:{port}/nothing")
        reach.allow(private=True, hosts=())
        with pytest.raises(FetchError, match="404"):
            get(tmp_path, f"{url}/nothing")


def test_the_command_line(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mirrors of the tests are named by the checkout, and of this machine."""
    result = bench.run("lock", "--platform", "linux/amd64")
    assert result.status == 5
    assert "--allow-private" in result.err
    assert bench.archive.requests == []
    assert bench.run("lock", "--platform", "linux/amd64", "--allow-private").status == 0
    assert bench.run("verify").status == 5, "the next run is another one"
    monkeypatch.setenv("PINNER_ALLOW_PRIVATE", "1")
    assert bench.run("verify").status == 0
    monkeypatch.delenv("PINNER_ALLOW_PRIVATE")
    monkeypatch.delenv("CI")
    assert bench.run("verify").status == 0


def test_a_redirection_to_half_an_address_is_not_tried_again(tmp_path: Path) -> None:
    archive = SimulatedArchive(now=datetime.now(UTC))
    reach.allow(private=True)
    archive.redirect("/a", "http://[::")
    with archive.serve() as url, pytest.raises(FetchError, match=r"not an address for HTTP\n") as caught:
        get(tmp_path, f"{url}/a")
    assert caught.value.tries == 1


def test_a_redirection_into_the_own_network(tmp_path: Path) -> None:
    archive = SimulatedArchive(now=datetime.now(UTC))
    archive.redirect("/a", "http://169.254.169.254/latest/meta-data")
    with archive.serve() as url:
        reach.allow(hosts=[url.removeprefix("http://")])
        with pytest.raises(reach.Private, match=r"169\.254\.169\.254: not asked"):
            get(tmp_path, f"{url}/a")
