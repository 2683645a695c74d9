"""Fetching .debs through a network that breaks: resumed by Range, never more than was locked."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pinner.archive.cache import Cache
from pinner.archive.network import Network
from pinner.archive.pool import Pool
from pinner.archive.snapshot import Snapshots
from pinner.errors import FetchError, TrustError
from pinner.lock.schema import LockedPackage
from tests.simulator import SimulatedArchive

NAME = "pool/main/c/curl/curl_1_amd64.deb"


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    archive.suite("bookworm").deb("curl", "1")
    with archive.serve():
        yield archive


def locked(archive: SimulatedArchive) -> LockedPackage:
    content = archive.pool[f"/debian/{NAME}"]
    digest = sha256(content).hexdigest()
    return LockedPackage(
        "curl", "1", "amd64", "bookworm", f"{archive.url}/debian", NAME, len(content), digest
    )


def fetch(archive: SimulatedArchive, root: Path) -> None:
    snapshots = Snapshots(Network(Cache(root / "cache"), archive.now, wait=archive.wait))
    pool = Pool(root, Network(Cache(root / "cache"), archive.now, wait=archive.wait), snapshots=snapshots)
    pool.fetch([locked(archive)])
    assert (root / NAME).read_bytes() == archive.pool[f"/debian/{NAME}"]


def ranges(archive: SimulatedArchive) -> list[str]:
    return [headers.get("Range", "") for headers in archive.headers]


def test_cut_short_again_and_again(archive: SimulatedArchive, tmp_path: Path) -> None:
    archive.cut("*.deb", at=70_000, times=2)
    fetch(archive, tmp_path)
    assert ranges(archive) == ["", "bytes=70000-", "bytes=140000-"]
    assert len(archive.waits) == 2


def test_statuses_that_pass_keep_what_is_there(archive: SimulatedArchive, tmp_path: Path) -> None:
    archive.cut("*.deb", at=70_000, times=1)
    archive.status("*.deb", 503, times=1, retry_after="7")
    fetch(archive, tmp_path)
    assert ranges(archive) == ["", "bytes=70000-", "bytes=70000-"]
    assert 7.0 in archive.waits


def test_a_server_that_cannot_resume(archive: SimulatedArchive, tmp_path: Path) -> None:
    archive.ranges = False
    archive.cut("*.deb", at=70_000, times=1)
    fetch(archive, tmp_path)
    assert ranges(archive) == ["", "bytes=70000-"]


def test_given_up_and_gone_on_with(archive: SimulatedArchive, tmp_path: Path) -> None:
    archive.cut("*.deb", at=30_000)
    with pytest.raises(FetchError, match="cut short"):
        fetch(archive, tmp_path)
    draft = tmp_path / "partial" / locked(archive).digest
    assert draft.read_bytes() == archive.pool[f"/debian/{NAME}"][:120_000]
    archive.behave()
    archive.headers.clear()
    fetch(archive, tmp_path)
    assert ranges(archive) == ["bytes=120000-"]


def test_endless(archive: SimulatedArchive, tmp_path: Path) -> None:
    archive.alter("*.deb", lambda body: body * 10)
    with pytest.raises(TrustError, match="longer than the 200000 bytes"):
        fetch(archive, tmp_path)
    assert not list((tmp_path / "partial").iterdir())


def test_redirections_are_followed(archive: SimulatedArchive, tmp_path: Path) -> None:
    archive.pool["/elsewhere.deb"] = archive.pool[f"/debian/{NAME}"]
    archive.redirect("/debian/*.deb", "/elsewhere.deb")
    fetch(archive, tmp_path)
