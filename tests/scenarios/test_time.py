"""What only a clock shows: a suite's end. The archive is asked by the real client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pinner.archive import trust
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.lock.schema import Lock
from pinner.stages.archives import Archives
from pinner.stages.suites import Options
from pinner.workflow.verified import Verified
from pinner.workflow.verify import Verifier
from tests.scenarios.story import Story

FILE = "FROM debian:bookworm\nRUN apt-get install -y jq=1.6-2\n"


def verified(story: Story, monkeypatch: pytest.MonkeyPatch, *, now: datetime) -> Verified:
    """The file, verified at that time, when the archive was signed an hour before."""
    monkeypatch.setattr(trust, "_SHIPPED", story.bench.keyrings)
    archive = story.bench.archive
    archive.now = now
    client = Archive(Network(Cache(story.bench.cache), now, mirrors=archive.mirrors, wait=archive.wait))
    archives = Archives(client.load, client.release)
    return Verifier(archives, now).verify({"Dockerfile": FILE}, Options(), Lock())


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2028, 3, 31, tzinfo=UTC), ""),
        (datetime(2028, 4, 1, tzinfo=UTC), "ends on 2028-06-30, in 90 days"),
        (datetime(2028, 6, 30, 23, tzinfo=UTC), "ends on 2028-06-30, in 0 days"),
        (datetime(2028, 7, 1, tzinfo=UTC), "ended on 2028-06-30"),
    ],
)
def test_the_end_of_a_suite(story: Story, monkeypatch: pytest.MonkeyPatch, now: datetime, text: str) -> None:
    found = verified(story, monkeypatch, now=now)
    assert [pin.state for pin in found.pins] == ["live"]
    texts = [notice.text for notice in found.notices if notice.rule == "end-of-life"]
    assert texts == ([f"security support of bookworm {text}"] if text else [])


@pytest.mark.parametrize(
    ("now", "moved", "still"),
    [
        # point releases until 11 July 2026
        (datetime(2026, 7, 1, tzinfo=UTC), 201, ["bookworm"]),
        (datetime(2026, 7, 1, tzinfo=UTC), 199, []),
        (datetime(2026, 7, 12, tzinfo=UTC), 201, []),
    ],
)
def test_a_released_suite_moves_with_its_point_releases(
    story: Story, monkeypatch: pytest.MonkeyPatch, now: datetime, moved: int, still: list[str]
) -> None:
    story.main.date = now - timedelta(days=moved)
    found = verified(story, monkeypatch, now=now)
    assert [notice.about for notice in found.notices if notice.rule == "stale-release"] == still


def test_after_its_end_a_suite_that_stands_still_is_no_news(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2029, 1, 1, tzinfo=UTC)
    story.security.date = now - timedelta(days=180)
    found = verified(story, monkeypatch, now=now)
    assert [notice.rule for notice in found.notices] == ["end-of-life"]
