"""The client of the snapshot service against a stand-in with the service's habits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pinner import __version__
from pinner.apt.sources import Keys, Source
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.archive.snapshot import Snapshots
from pinner.distributions import moments
from pinner.distributions.moments import Moment
from pinner.errors import FetchError, InputError, TrustError
from tests.simulator import Key
from tests.snapshots import SnapshotService

FIRST, SECOND, THIRD = "20261101T031500Z", "20261101T091700Z", "20261102T031500Z"
INRELEASE = f"/archive/debian/{SECOND}/dists/bookworm/InRelease"


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class RealClock(Clock):
    def __call__(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def service() -> Iterator[SnapshotService]:
    service = SnapshotService()
    service.run("debian", FIRST, {"bookworm": {"curl": "7.88-1"}})
    service.run("debian", SECOND, {"bookworm": {"curl": "7.88-2", "jq": "1:1.6+dfsg-2"}})
    service.run("debian", THIRD, {"bookworm": {"curl": "7.88-3"}})
    service.run("debian-security", "20261101T050000Z", {"bookworm-security": {}})
    with service.serve():
        yield service


Make = Callable[..., Snapshots]


@pytest.fixture
def client(service: SnapshotService, tmp_path: Path) -> Make:
    def make(clock: Clock | None = None, **options: object) -> Snapshots:
        clock = clock or Clock()
        given: dict[str, Any] = {"mirrors": [service.url], "clock": clock} | options
        own = {name: given.pop(name) for name in ("now", "offline") if name in given}
        network = Network(Cache(tmp_path / "cache"), service.now, given.pop("rewrites", {}), wait=clock.wait)
        return Snapshots(network._replace(**own), **given)

    return make


def get(client: Snapshots, path: str = INRELEASE) -> bytes:
    return bytes(client.first(lambda mirror: mirror.get(f"http://snapshot.debian.org{path}", limit=10**6)))


# Moments

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261101T031500Z", datetime(2026, 11, 1, 3, 15, tzinfo=UTC)),
        ("20261101", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00Z", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 23, tzinfo=UTC)),
        ("latest", datetime(2026, 11, 23, 12, tzinfo=UTC)),
    ],
)
def test_what_people_mean(text: str, expected: datetime) -> None:
    assert moments.when(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "now-ish", "2026-13-01", "20261101T256000Z", "٢٠٢٦-11-01", "2027-01-01"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InputError):
        moments.when(text, NOW)


def test_each_archive_is_rounded_down_by_itself(client: Make) -> None:
    snapshots = client()
    archives, runs = ("debian-security", "debian"), snapshots.timestamps
    moment = moments.moment(archives, datetime(2026, 11, 1, 12, tzinfo=UTC), runs)
    assert moment == Moment((("debian", SECOND), ("debian-security", "20261101T050000Z")))
    live = "http://deb.debian.org/debian-security"
    assert moment.uri(live) == "http://snapshot.debian.org/archive/debian-security/20261101T050000Z"
    with pytest.raises(InputError, match="no snapshot of debian as early"):
        moments.moment(archives, datetime(2026, 11, 1, tzinfo=UTC), runs)


def test_ubuntu_answers_for_any_second() -> None:
    moment = moments.moment(["ubuntu"], datetime(2026, 11, 1, 12, 0, 1, tzinfo=UTC), lambda archive: ())
    for live in ("archive.ubuntu.com/ubuntu", "security.ubuntu.com/ubuntu", "ports.ubuntu.com/ubuntu-ports"):
        uri = moment.uri(f"http://{live}")
        assert uri == "http://snapshot.ubuntu.com/ubuntu/20261101T120001Z"
        assert moments.split(uri) == ("ubuntu", "20261101T120001Z")
        assert moments.found_in(f"URIs: {uri}\n") == moment
    assert moment.uri("http://apt.example/debian") is None
    with pytest.raises(InputError, match="no snapshot of Ubuntu as early"):
        moments.moment(["ubuntu"], datetime(2022, 11, 1, tzinfo=UTC), lambda archive: ())


# What the service tells


@pytest.mark.parametrize("older", [False, True])
def test_first_seen_under_both_spellings(service: SnapshotService, client: Make, older: bool) -> None:
    service.older = older
    assert client().first_seen("jq", "1:1.6+dfsg-2", "amd64") == {"debian": SECOND}
    assert service.requests == ["/mr/binary/jq/1%3A1.6%2Bdfsg-2/binfiles?fileinfo=1"]


def test_of_several_builds_and_archives_the_earliest_counts(service: SnapshotService, client: Make) -> None:
    service.files["debian", "curl", "7.88-1", "amd64"].extra = ("another build",)
    service.seen("debian-security", "curl", "7.88-1", "20260901T000000Z")
    assert client().first_seen("curl", "7.88-1", "amd64") == {
        "debian": FIRST,
        "debian-security": "20260901T000000Z",
    }
    assert client().first_seen("curl", "7.88-1", "s390x") == {}
    assert client().first_seen("nothing", "1", "amd64") == {}


@pytest.mark.parametrize(
    "body",
    [b"<html>login", b"[]", b"{}", b'{"result": 5}', b'{"result": {"debian": [null, 7]}}', b"[" * 10**5],
)
def test_answers_of_somebody_else(service: SnapshotService, client: Make, body: bytes) -> None:
    service.alter("/mr/*", lambda _: body)
    with pytest.raises((FetchError, InputError)):
        client().timestamps("debian")


def test_what_was_learned_is_not_asked_again(service: SnapshotService, client: Make) -> None:
    client().timestamps("debian")
    client().first_seen("curl", "7.88-1", "amd64")
    asked = len(service.requests)
    again = client(offline=True, now=service.now + timedelta(days=400))
    assert again.timestamps("debian") == (FIRST, SECOND, THIRD)
    assert again.first_seen("curl", "7.88-1", "amd64") == {"debian": FIRST}
    assert len(service.requests) == asked
    client(now=service.now + timedelta(hours=2)).timestamps("debian")
    assert len(service.requests) == asked + 1


# Manners


def test_no_faster_than_the_interval_whatever_happens(service: SnapshotService, client: Make) -> None:
    clock = Clock()
    service.status("*InRelease", 503, times=2)
    service.redirect("*InRelease", f"/archive/debian/{FIRST}/dists/bookworm/InRelease", times=1)
    snapshots = client(clock)
    get(snapshots)
    get(snapshots)
    assert len(service.requests) == 5
    assert sum(clock.waits) >= 4 * 1.5
    assert service.headers[0]["User-Agent"].startswith(f"pinner/{__version__} (+https://")


def test_the_log_of_the_service_proves_it(service: SnapshotService, client: Make) -> None:
    snapshots = client(RealClock(), interval=0.04)
    threads = [threading.Thread(target=get, args=(snapshots,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [after - before for before, after in pairwise(service.times)]
    assert len(gaps) == 5 and min(gaps) >= 0.04 and service.overlaps == 0


@pytest.mark.parametrize("asked", ["20", "Tue, 24 Nov 2026 12:00:20 GMT"])
def test_retry_after(service: SnapshotService, client: Make, asked: str) -> None:
    clock = Clock()
    service.status("*", 429, times=1, retry_after=asked)
    get(client(clock, now=service.now - timedelta(hours=3)))  # the run has gone on for hours
    assert clock.waits[0] == 20


def test_a_wish_beyond_patience_ends_it(service: SnapshotService, client: Make) -> None:
    service.status("*", 429, retry_after="86400")
    with pytest.raises(FetchError, match="429, to wait for 86400 seconds"):
        get(client())
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 509])
def test_backoff_doubles_with_jitter_and_ends(service: SnapshotService, client: Make, status: int) -> None:
    clock = Clock()
    service.status("*", status)
    with pytest.raises(FetchError, match=f"{status} .7 tries."):
        get(client(clock, interval=0.0))
    assert len(service.requests) == 7
    assert all(2**n / 2 <= wait <= 2**n for n, wait in enumerate(clock.waits))


def test_a_host_that_is_not_there_is_tried_a_few_times(client: Make) -> None:
    clock = Clock()
    with pytest.raises(FetchError, match=r"refused .4 tries."):
        get(client(clock, mirrors=["http://127.0.0.1:9"]))
    assert sum(clock.waits) < 4 * 1.5 + 7


def test_a_body_that_breaks_off_is_resumed(service: SnapshotService, client: Make) -> None:
    whole = get(client())
    service.cut("*InRelease", at=100, times=2)
    assert get(client()) == whole
    ranges = [headers.get("Range") for headers in service.headers]
    assert ranges == [None, None, "bytes=100-", "bytes=200-"]


def test_a_server_that_knows_no_ranges(service: SnapshotService, client: Make) -> None:
    whole = get(client())
    service.cut("*InRelease", at=100, times=1)
    service.ranges = False
    assert get(client()) == whole


@pytest.mark.parametrize("fault", ["reset", "status"])
def test_a_fault_within_a_resumed_body(service: SnapshotService, client: Make, fault: str) -> None:
    whole = get(client())
    service.cut("*InRelease", at=100, times=1)
    if fault == "reset":
        service.reset("*InRelease", times=1)
    else:
        service.status("*InRelease", 503, times=1)
    assert get(client()) == whole


# Mirrors


def test_mirrors_are_tried_in_order(service: SnapshotService, client: Make) -> None:
    clock = Clock()
    snapshots = client(clock, mirrors=["http://127.0.0.1:9", service.url])
    assert get(snapshots) == get(snapshots)
    assert sum(path.startswith("/archive") for path in service.requests) == 2
    assert len(clock.waits) < 12  # the dead one was asked the first time alone


def test_a_mirror_that_is_behind_is_passed_over(service: SnapshotService, client: Make) -> None:
    lagging = SnapshotService()
    lagging.run("debian", FIRST, {"bookworm": {"curl": "7.88-1"}})
    with lagging.serve():
        body = get(client(mirrors=[lagging.url, service.url]))
    assert b"bookworm" in body
    assert lagging.requests == ["/mr/timestamp/?archive=debian"]


def test_without_own_mirrors_those_of_all_addresses_count(service: SnapshotService, client: Make) -> None:
    snapshots = client(mirrors=[], rewrites=service.mirrors)
    assert snapshots.timestamps("debian") == (FIRST, SECOND, THIRD)


def test_offline_asks_nobody(service: SnapshotService, client: Make) -> None:
    with pytest.raises(FetchError, match="--offline"):
        get(client(offline=True))
    assert service.requests == []


# Indices of a moment


def source(service: SnapshotService, stamp: str = SECOND, keys: Keys | None = None) -> Source:
    keys = (keys or service.keys)._replace(accept_expired=True)
    uri = f"http://snapshot.debian.org/archive/debian/{stamp}"
    return Source(uri, "bookworm", ("main",), "amd64", keys, check_valid_until=False, snapshot=stamp)


@pytest.fixture
def load(
    service: SnapshotService, client: Make, tmp_path: Path
) -> Callable[..., tuple[list[str], list[str]]]:
    """The versions of curl at a moment, and the notes."""

    def versions(source: Source, **options: object) -> tuple[list[str], list[str]]:
        archive = Archive(
            Network(Cache(tmp_path / "cache"), service.now), snapshots=lambda: client(**options)
        )
        indexes, notes = archive.load([source])
        return [package.version for index in indexes for package in index.packages("curl")], list(notes)

    return versions


Load = Callable[..., tuple[list[str], list[str]]]


def test_an_index_of_a_moment_is_read_once_and_for_ever(service: SnapshotService, load: Load) -> None:
    assert load(source(service)) == (["7.88-2"], [])
    assert service.requests == [
        INRELEASE,
        f"/archive/debian/{SECOND}/dists/bookworm/main/binary-amd64/Packages.xz",
    ]
    service.now += timedelta(days=1000)
    assert load(source(service)) == (["7.88-2"], [])
    assert len(service.requests) == 2


def test_valid_until_is_judged_at_the_moment(service: SnapshotService, load: Load) -> None:
    suite = service.runs["debian"][1].suites["bookworm"]
    suite.valid_for = timedelta(days=7)  # long over by now
    assert load(source(service))[0] == ["7.88-2"]
    suite = service.runs["debian"][2].suites["bookworm"]
    suite.date, suite.valid_for = datetime(2026, 10, 1, tzinfo=UTC), timedelta(days=7)
    with pytest.raises(TrustError, match="expired on 2026-10-08"):
        load(source(service, THIRD))


def test_a_key_that_has_expired_since_is_accepted_and_said(service: SnapshotService, load: Load) -> None:
    service.key = Key(expires_after=timedelta(days=1))
    keys = service.keyring(bytes(service.key.certificate))
    made = service.key.certificate.expiration
    assert made is not None
    service.now = made + timedelta(days=100)
    suite = service.runs["debian"][1].suites["bookworm"]
    suite.date = made - timedelta(hours=1)
    expected = [
        f"bookworm of {SECOND}: the keys that signed it have expired since; they were valid on the date that it "
        f"gives, {suite.date:%Y-%m-%d}"
    ]
    assert load(source(service, keys=keys)) == (["7.88-2"], expected)
    assert load(source(service, keys=keys)) == (["7.88-2"], expected)  # from the cache, too
    service.runs["debian"][2].suites["bookworm"].date = made + timedelta(hours=1)
    with pytest.raises(TrustError, match="before the Release was made"):
        load(source(service, THIRD, keys))


@pytest.mark.parametrize(
    ("mischief", "expected"),
    [
        (lambda service: service.missing("*Packages.xz"), FetchError),
        (lambda service: service.alter("*Packages.xz", lambda body: body[:-1] + b"!"), TrustError),
        (lambda service: service.alter("*Packages.xz", lambda body: body[:-1]), TrustError),
        (lambda service: service.alter("*InRelease", lambda body: b"<html>"), TrustError),
        (lambda service: service.reset("*"), FetchError),
    ],
)
def test_an_import_that_is_incomplete_fails_clearly(
    service: SnapshotService,
    load: Load,
    mischief: Callable[[SnapshotService], None],
    expected: type[Exception],
) -> None:
    mischief(service)
    with pytest.raises(expected, match=f"http://snapshot.debian.org/archive/debian/{SECOND}"):
        load(source(service))


@pytest.mark.parametrize("file", ["*InRelease", "*Packages*"])
def test_altered_bytes_of_a_mirror_are_passed_over_and_said(
    service: SnapshotService, load: Load, file: str
) -> None:
    lying = SnapshotService()
    lying.key, lying.runs = service.key, service.runs
    lying.alter(file, lambda body: body[:-9] + body[-9:].swapcase())
    with lying.serve():
        versions, notes = load(source(service), mirrors=[lying.url, service.url])
    assert versions == ["7.88-2"]
    (note,) = notes
    assert note.startswith(
        "a mirror of snapshots was passed over: http://snapshot.debian.org/archive/debian/"
    )
    assert lying.url not in note


def test_only_when_all_mirrors_fail_it_is_an_error(service: SnapshotService, load: Load) -> None:
    service.alter("*InRelease", lambda body: b"<html>")
    with pytest.raises(TrustError, match=INRELEASE):
        load(source(service), mirrors=["http://127.0.0.1:9", service.url])
