"""Help by sections, and colours where they are wanted."""

from __future__ import annotations

import re

import click
import pytest

from pinner.cli.help import sections
from pinner.cli.main import cli
from tests.cli.workbench import Workbench

COMMANDS = cli.list_commands(click.Context(cli))


def test_the_everyday_commands_come_first(bench: Workbench) -> None:
    text = bench.run("--help").out
    assert re.search(r"(?s)Every day:\n +lock .*\n +verify .*\n +refresh .*To understand:", text)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_in_one_section(bench: Workbench, name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    context = click.Context(command)
    listed = [each for _, found in sections(command, context) for each in found]
    assert len(listed) == len(set(listed))
    assert {each for each in command.get_params(context) if isinstance(each, click.Option)} == set(listed)
    text = bench.run(name, "--help").out
    if not isinstance(command, click.Group):
        titles = re.findall(r"(?m)^(\w.*):$", text)
        assert titles[-1] == "Output" and titles[0] == ("Options" if "Options" in titles else titles[0])


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours(
    bench: Workbench,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    coloured: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[32m" in bench.run("lock", "--dry-run", *arguments).err) is coloured
