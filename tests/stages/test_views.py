"""Which files are walked at all: every one that may change what apt reads."""

from __future__ import annotations

import pytest

from pinner.recipe.dockerfile import parse
from pinner.shell.programs import apt
from pinner.stages.install_commands import read_file
from pinner.stages.suites import Options
from pinner.stages.views import Views

#: These fetch, install or mark, and are in most files; what they bring names one of the traces.
USUAL = {"apt-get", "apt", "aptitude", "nala", "apt-fast", "apt-mark"}


@pytest.mark.parametrize(
    "command",
    [
        *(f"{name} enable x" for name in apt.ROWS if name not in USUAL),
        "dpkg --add-architecture i386",
        "cd /etc && echo x > apt/sources.list",
        "apt-get -o Acquire::Check-Valid-Until=false update",
        "aria2c https://x.example/setup -o s && sh s",
    ],
)
def test_what_may_change_apt_is_walked(command: str) -> None:
    assert Views("Dockerfile", parse(f"FROM debian:bookworm\nRUN {command}\n"), Options()).matters


def test_a_plain_file_is_not() -> None:
    text = (
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y jq && rm -rf /var/lib/apt/lists/*\n"
    )
    assert not Views("Dockerfile", parse(text), Options()).matters


def test_a_command_that_one_platform_does_not_run() -> None:
    test = '[ "$(dpkg --print-architecture)" = "amd64" ]'
    text = f"FROM debian:bookworm\nRUN apt-get update && if {test}; then apt-get install a; fi && apt-get install b\n"
    found = read_file("Dockerfile", text, Options()).calls()
    assert [(each.install.requests[0].name, each.install.requests[0].action) for each in found] == [
        ("a", "pin"),
        ("b", "pin"),
    ]
