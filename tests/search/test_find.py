"""The search under the service's faults, on a clock that passes only by waiting: right or clear, and polite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest

from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.archive.snapshot import Snapshots
from pinner.errors import PinnerError
from pinner.search.find import Finder, SearchResult, wanted_of
from pinner.search.windows import WantedVersion
from pinner.stages.image_names import Named, named
from tests.archive.test_snapshot import Clock
from tests.snapshots import SnapshotService

INTERVAL = 1.5
DAYS = [f"202603{day:02}T031500Z" for day in range(1, 32)]
ITEMS = [WantedVersion("curl", "2", "linux/amd64"), WantedVersion("jq", "1:2", "linux/amd64")]


@pytest.fixture
def service() -> Iterator[SnapshotService]:
    """A month in which curl changes on the 10th and jq on the 5th and the 20th."""
    service = SnapshotService()
    for day, stamp in enumerate(DAYS, 1):
        main = {"curl": "1" if day < 10 else "2", "jq": "1:1" if day < 5 else "1:2" if day < 20 else "1:3"}
        service.run("debian", stamp, {"bookworm": main, "bookworm-updates": {}})
        service.run("debian-security", stamp.replace("T03", "T20"), {"bookworm-security": {}})
    with service.serve():
        yield service


Search = Callable[..., SearchResult]


@pytest.fixture
def find(service: SnapshotService, tmp_path: Path) -> Search:
    clock = Clock()
    service.clock = clock

    def search(*mirrors: str, progress: Callable[[str], None] = lambda what: None) -> SearchResult:
        client = Snapshots(
            Network(Cache(tmp_path), service.now, wait=clock.wait),
            [*mirrors, service.url],
            interval=INTERVAL,
            clock=clock,
        )
        archive = Archive(
            Network(Cache(tmp_path), service.now),
            snapshots=lambda: client,
            keyring=Path(service.keys.keyring),
        )
        where = named("bookworm")
        assert isinstance(where, Named)
        load: Callable[..., object] = archive.load
        finder = Finder(
            client.timestamps,
            client.first_seen,
            lambda sources: load(sources)[0],  # type: ignore[index]
            progress,
        )
        return finder.find(wanted_of(where, ITEMS))

    return search


Fault = Callable[[SnapshotService], object]
PASSING: dict[str, Fault] = {
    "nothing": lambda service: None,
    "429 in seconds": lambda service: service.status("*", 429, times=3, retry_after="20"),
    "429 until a date": lambda service: service.status(
        "*InRelease", 429, times=2, retry_after="Tue, 24 Nov 2026 12:01:00 GMT"
    ),
    "503": lambda service: service.status("*", 503, times=3),
    "509": lambda service: service.status("*Packages*", 509, times=3),
    "resets": lambda service: service.reset("*", times=3),
    "bodies that break off": lambda service: service.cut("*Packages*", at=20, times=3),
    "a server without ranges": lambda service: service.cut("*InRelease", at=20, times=2),
    "slow bodies": lambda service: service.drip("*"),
    "a missing day": lambda service: service.runs["debian"].pop(9),
    "an incomplete import": lambda service: service.missing(f"/archive/debian/{DAYS[9]}/*Packages*"),
    "a damaged import": lambda service: service.alter(
        f"/archive/debian/{DAYS[9]}/*Packages*", lambda body: body[:-1]
    ),
    "an older service": lambda service: setattr(service, "older", True),
    "a service that has seen no file": lambda service: service.missing("/mr/binary/*"),
}
LASTING: dict[str, Fault] = {
    "429 for a day": lambda service: service.status("*", 429, retry_after="86400"),
    "503": lambda service: service.status("/archive/*", 503),
    "resets": lambda service: service.reset("/archive/*"),
    "no index at all": lambda service: service.missing("*Packages*"),
    "a login page": lambda service: service.alter("*", lambda body: b"<html>"),
    "altered indices": lambda service: service.alter("*Packages*", lambda body: body[:-1] + b"!"),
    "an endless list": lambda service: service.alter("/mr/timestamp/*", lambda body: body * 10_000),
}


def is_polite(service: SnapshotService) -> bool:
    return service.overlaps == 0 and all(
        after - before > INTERVAL - 1e-6 for before, after in pairwise(service.times)
    )


@pytest.mark.parametrize("fault", PASSING)
def test_faults_that_pass(service: SnapshotService, find: Search, fault: str) -> None:
    service.ranges = "without ranges" not in fault
    PASSING[fault](service)
    found = find().answer
    assert len(found.found) == 1 and not found.never
    assert found.found[0].moment == "20260319T201500Z"
    assert is_polite(service)


@pytest.mark.parametrize("fault", LASTING)
def test_faults_that_last(service: SnapshotService, find: Search, fault: str) -> None:
    LASTING[fault](service)
    with pytest.raises(PinnerError) as failure:
        find()
    assert failure.value.exit_status in (5, 6) and failure.value.hint
    assert is_polite(service)


@pytest.mark.parametrize("fault", LASTING)
def test_another_mirror_serves_where_a_fault_lasts(
    service: SnapshotService, find: Search, fault: str
) -> None:
    bad = SnapshotService()
    bad.key, bad.runs, bad.files, bad.clock = service.key, service.runs, service.files, service.clock
    LASTING[fault](bad)
    with bad.serve() as url:
        assert len(find(url).answer.found) == 1
    assert is_polite(service) and is_polite(bad)


def test_ctrl_c_keeps_what_was_learned(service: SnapshotService, find: Search) -> None:
    for file in service.files.values():
        file.first_seen = DAYS[0]  # it takes a bisection
    asked = count()

    def interrupt(what: str) -> None:
        if next(asked) == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(progress=interrupt)
    before = list(service.requests)
    assert len(before) > 8
    assert len(find().answer.found) == 1
    assert not set(before) & set(service.requests[len(before) :])
