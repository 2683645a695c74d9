"""What a call sees, and for which other calls that is remembered."""

from __future__ import annotations

import pytest

from pinner.stages.install_commands import read_file
from pinner.stages.suites import Options, World

_SOURCE = "echo deb http://deb.debian.org/debian bookworm-backports main >> /etc/apt/sources.list"
_CALL = f"FROM debian:bookworm\nRUN {_SOURCE}\nRUN apt-get update && apt-get install -y jq"


@pytest.mark.parametrize(
    ("other", "remembered"),
    [
        (_CALL, 1),
        (f"# another line\n\n{_CALL} tree curl && rm -rf /x", 1),
        (_CALL.replace("\nRUN", "\nLABEL a=b\nRUN"), 1),
        (_CALL.replace("apt-get update", "apt-get install -y curl && apt-get update"), 3),
        (_CALL.replace("-backports", "-proposed-updates"), 2),
        (_CALL.replace("-y jq", "-y -t bookworm-backports jq"), 2),
        (_CALL.replace("-y jq", "-y -o Dir::Etc::sourcelist=/x jq"), 2),
        (_CALL.replace("-y jq", "-y ./jq.deb"), 2),
        (_CALL.replace("apt-get update", "cd / && apt-get update"), 2),
        (_CALL.replace("\nRUN", "\nENV APT_CONFIG=/etc/x\nRUN", 1), 1),
        (_CALL.replace("\nRUN", "\nCOPY . /etc/apt/\nRUN", 1), 1),
        (_CALL.replace("\nRUN", "\nRUN --mount=target=/etc/apt x\nRUN", 1), 1),
        (_CALL.replace("\nRUN", "\n# pinner: repositories=ignore\nRUN", 1), 1),
        (_CALL.replace("bookworm", "trixie"), 2),
    ],
)
def test_calls_that_see_the_same_are_read_once(other: str, remembered: int) -> None:
    seen: dict[tuple[object, ...], object] = {}
    options = Options(world=World(seen=seen))  # type: ignore[arg-type]
    read_file("Dockerfile", f"{_CALL}\n", options)
    assert len(seen) == 1
    found = [*read_file("other/Dockerfile", f"{other}\n", options).calls()]
    assert found == [*read_file("other/Dockerfile", f"{other}\n", Options()).calls()]
    assert len(seen) == remembered


def test_a_command_that_one_platform_does_not_run() -> None:
    test = '[ "$(dpkg --print-architecture)" = "amd64" ]'
    text = f"FROM debian:bookworm\nRUN apt-get update && if {test}; then apt-get install a; fi && apt-get install b\n"
    found = read_file("Dockerfile", text, Options()).calls()
    assert [(each.install.requests[0].name, each.install.requests[0].action) for each in found] == [
        ("a", "pin"),
        ("b", "pin"),
    ]
