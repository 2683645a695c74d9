"""An index that is unpacked while it arrives: what comes of it is there only if all of it was right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinner.archive import fetch, load
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.errors import TrustError
from tests.simulator import SimulatedArchive, SimulatedSuite

PACKED = "/debian/dists/bookworm/main/binary-amd64/Packages.[gx]z"


@pytest.fixture(params=[".gz", ".xz"])
def form(request: pytest.FixtureRequest) -> str:
    """On a link that is fast, and on one that is slow."""
    return str(request.param)


@pytest.fixture
def suite(form: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedSuite]:
    """However small the files are."""
    monkeypatch.setattr(fetch, "_TELLING", 1)
    monkeypatch.setattr(load, "_FAST", 0 if form == ".gz" else 1e30)
    monkeypatch.setattr(load, "_WORTH", 0)
    archive = SimulatedArchive()
    suite = archive.suite("bookworm").package("curl", "7.88.1-10").package("jq", "1.6-2.1")
    for number in range(2000):
        suite.package(f"p{number}", "1")
    suite.listed = suite.served = (".xz", ".gz", "")
    with archive.serve():
        yield suite


def versions(suite: SimulatedSuite, cache: Path) -> list[str]:
    loader = Archive(Network(Cache(cache), suite.archive.now, wait=suite.archive.wait))
    ((index,), _) = loader.load([suite.source("amd64")])
    return [each.version for name in ("curl", "p1999") for each in index.packages(name)]


def fetched(suite: SimulatedSuite) -> list[str]:
    forms = {path: suite.archive._meant(path).rpartition("Packages")[2] for path in suite.archive.requests}
    return [form for path, form in forms.items() if "binary" in path]


def test_what_arrives_is_unpacked(suite: SimulatedSuite, form: str, tmp_path: Path) -> None:
    assert versions(suite, tmp_path) == ["7.88.1-10", "1"]
    assert fetched(suite) == [form]


@pytest.mark.parametrize("form", [".xz"], indirect=True)
@pytest.mark.parametrize(("offered", "expected"), [((".xz", ".gz"), [".xz", ".gz"]), ((".xz",), [".xz"])])
def test_a_link_that_is_faster_than_it_seemed(
    offered: tuple[str, ...],
    expected: list[str],
    suite: SimulatedSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetch, "_TELLING", 1e9)
    monkeypatch.setattr(load, "_FAST", 1)
    monkeypatch.setattr(load, "_EARLY", 1)
    suite.listed = suite.served = (*offered, "")
    assert versions(suite, tmp_path) == ["7.88.1-10", "1"]
    assert fetched(suite) == expected


def _cut_anew(archive: SimulatedArchive) -> None:
    """A server that cannot resume."""
    archive.ranges = False
    archive.cut(PACKED, at=3000, times=1)


@pytest.mark.parametrize(
    "mischief",
    [
        lambda archive: archive.missing(PACKED, times=2),
        lambda archive: archive.alter(PACKED, lambda body: body[:-9] + b"x" + body[-8:], times=1),
        lambda archive: archive.alter(PACKED, lambda body: b"<html>" + body[6:], times=1),
        lambda archive: archive.alter(PACKED, lambda body: body[:-20], times=1),
        lambda archive: archive.cut(PACKED, at=3000, times=1),
        _cut_anew,
        lambda archive: archive.reset(PACKED, times=1),
    ],
    ids=["missing", "damaged", "page", "torn", "resumed", "anew", "reset"],
)
def test_where_it_fails_the_file_is_fetched_as_a_whole(
    mischief: Callable[[SimulatedArchive], object], suite: SimulatedSuite, tmp_path: Path
) -> None:
    mischief(suite.archive)
    assert versions(suite, tmp_path) == ["7.88.1-10", "1"]


def test_nothing_is_left_of_what_is_not_what_the_release_says(suite: SimulatedSuite, tmp_path: Path) -> None:
    suite.archive.alter("*/Packages*", lambda body: body[:-9] + b"x" + body[-8:])
    with pytest.raises(TrustError):
        versions(suite, tmp_path)
    assert not list((tmp_path / "indices").glob("*")) and not list((tmp_path / "new").glob("*"))
    suite.archive.behave()
    assert versions(suite, tmp_path) == ["7.88.1-10", "1"]
