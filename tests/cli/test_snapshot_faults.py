"""Under every fault of the service, lock and find answer rightly or fail clearly, and are never in a hurry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.test_snapshot_find import bench, pinned
from tests.cli.workbench import Workbench
from tests.simulator import SimulatedArchive

__all__ = ["bench"]

Fault = Callable[[SimulatedArchive], None]
FAULTS: dict[str, Fault] = {
    "429 in seconds": lambda service: service.status("*", 429, times=2, retry_after="0"),
    "429 until a date": lambda service: service.status(
        "*", 429, times=1, retry_after="Mon, 02 Mar 2026 00:00:00 GMT"
    ),
    "429 for a day": lambda service: service.status("*", 429, retry_after="86400"),
    "503 once": lambda service: service.status("*", 503, times=1, retry_after="0"),
    "509 once": lambda service: service.status("*", 509, times=1, retry_after="0"),
    "403": lambda service: service.status("/archive/*", 403),
    "404 for all indices": lambda service: service.missing("*Packages*"),
    "404 for one import": lambda service: service.missing("/archive/debian/20260310*"),
    "404 for the list": lambda service: service.missing("/mr/timestamp/*"),
    "cut once": lambda service: service.cut("*Packages*", at=20, times=1),
    "altered index": lambda service: service.alter("*Packages*", lambda body: body[:-4] + b"0000"),
    "altered release": lambda service: service.alter(
        "*InRelease", lambda body: body.replace(b"curl", b"")[:-9]
    ),
    "a login page": lambda service: service.alter("*", lambda body: b"<html>please log in</html>"),
    "an empty list": lambda service: service.alter(
        "/mr/timestamp/*", lambda body: b'{"result": {"debian": []}}'
    ),
    "a list of nonsense": lambda service: service.alter(
        "/mr/timestamp/*", lambda body: b'{"result": {"debian": ["20269999T999999Z", "../../etc"]}}'
    ),
    "first seen in the year 3000": lambda service: service.alter(
        "/mr/binary/*", lambda body: body.replace(b"2026", b"3000")
    ),
    "endless redirections": lambda service: service.redirect("/archive/*", "/archive/debian/"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_find(bench: Workbench, fault: str) -> None:
    FAULTS[fault](bench.archive)
    pinned(bench, "curl=2", "jq=1:2")
    result = bench.run("snapshot", "find", "--platform", "amd64", "Dockerfile")
    assert "Traceback" not in result.err
    if result.status == 0:
        assert "all 2 versions are there at 202603" in result.out
    else:
        assert result.status in (3, 4, 5, 6) and result.err.count("error: ") and "hint: " in result.err


@pytest.mark.parametrize("fault", FAULTS)
def test_lock(bench: Workbench, fault: str) -> None:
    FAULTS[fault](bench.archive)
    pinned(bench, "curl", "jq")
    before = bench.files()
    result = bench.run(
        "lock", "--snapshot", "2026-03-12", "--write-sources", "--platform", "amd64", "Dockerfile"
    )
    if result.status == 0:
        assert "curl=2 jq=1:2" in bench.read("Dockerfile")
    else:
        assert result.status in (3, 5, 6), result
        assert "hint: " in result.err and bench.files() == before
