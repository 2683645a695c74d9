from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.job import IDENTITY, Job
from tests.scenarios.story import Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Day 0 of bookworm."""
    with Story.begin(tmp_path) as story:
        yield story


@pytest.fixture
def job(story: Story, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Its project as a clone of a remote."""
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    return Job(story)
