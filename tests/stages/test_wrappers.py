"""Which Dockerfiles seem to run files of their build context with arguments."""

from __future__ import annotations

import pytest

from pinner.recipe import dockerfile
from pinner.stages.wrappers import may_run


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("app x", True),
        ("cd / && app x", True),
        ("if true; then app x; fi", True),
        ("sudo app x", True),
        ("X=1 app x", True),
        ("sudo -E app x", True),
        ("echo app x", False),
        ("useradd --uid 1000 app && ls", False),
        ("xapp x", False),
        ("app", False),
        (". ./functions", True),
        (". /etc/os-release && ls", False),
        ("sh -e setup a", True),
        ("useradd --shell /bin/bash --uid 1 a", False),
        ("/opt/setup a", True),
        ("/usr/bin/setup a", False),
        ("my-install a", True),
        ("apt-get install a", False),
        ("pip install a", False),
    ],
)
def test_may_run(command: str, expected: bool) -> None:
    assert may_run(dockerfile.parse(f"FROM debian:12\nCOPY app /bin/\nRUN {command}\n")) is expected
