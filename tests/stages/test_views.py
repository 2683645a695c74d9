"""What a call sees, and for which other calls that is remembered."""

from __future__ import annotations

import pytest

from pinner.stages.apt_files import View
from pinner.stages.install_commands import read_file
from pinner.stages.suites import Options, Seen, StageBase, World

_SOURCE = "echo deb http://deb.debian.org/debian bookworm-backports main >> /etc/apt/sources.list"
_CALL = f"FROM debian:bookworm\nRUN {_SOURCE}\nRUN apt-get update && apt-get install -y jq"


@pytest.mark.parametrize(
    ("other", "remembered"),
    [
        (_CALL, 1),
        (f"# another line\n\n{_CALL} tree curl && rm -rf /x", 1),
        (f"{_CALL}=1.6-2.1 tree=2:1.0+b1", 1),
        (f"{_CALL} tree=2:1.0+b1 ./x.deb", 2),
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
    seen: list[tuple[object, ...]] = []

    class Counted(Seen):
        def keep(self, key: tuple[object, ...], view: View, base: StageBase) -> None:
            seen.append(key)
            super().keep(key, view, base)

    options = Options(world=World(seen=Counted()))
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


@pytest.mark.parametrize(
    ("platforms", "source", "read"), [((), "", 0), (("linux/arm64",), "", 1), ((), _SOURCE, 1)]
)
def test_other_projects_have_seen_it_where_no_repository_is_added(
    platforms: tuple[str, ...], source: str, read: int
) -> None:
    text = f"FROM debian:bookworm\nRUN {source or 'true'}\nRUN apt-get install -y jq\n"
    others = Seen()
    read_file("Dockerfile", text, Options(world=World(seen=Seen(others))))
    own = Seen(others)
    kept = len(own._every) + len(own._own)
    options = Options(world=World(seen=own))
    read_file("Dockerfile", text, options._replace(platforms=platforms) if platforms else options)
    assert len(own._every) + len(own._own) - kept == read
