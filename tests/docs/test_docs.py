"""The documentation is true: its commands exist with these options, its links lead somewhere, the README is short."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pinner.cli.main import cli

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def commands() -> Iterator[tuple[str, str]]:
    """Each `pinner …` in the code blocks of the pages, with its page."""
    for page in PAGES:
        for block in re.findall(
            r"(?ms)^```(?:sh|bash|console)?\n(.*?)^```$", page.read_text(encoding="utf-8")
        ):
            for line in block.splitlines():
                for part in re.split(r"\s\|\s|\s&&\s", line):
                    if part.startswith(("pinner ", "scripts/pinner ")):
                        yield page.relative_to(ROOT).as_posix(), part


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_commands_in_the_pages_exist(page: str, line: str) -> None:
    words = shlex.split(re.split(r"\s[<>]\s", line)[0], comments=True)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found, line
        command = found
    context = click.Context(command)
    values, _, _ = command.make_parser(context).parse_args(words)
    for option in command.params:
        if isinstance(option.type, click.Choice) and values.get(option.name or ""):
            option.type_cast_value(context, values[option.name or ""])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        generated = target.endswith("reference/commands.md")
        assert generated or re.match(r"https?://", target) or (page.parent / target).exists(), target


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900
