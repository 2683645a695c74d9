"""MkDocs hook: the reference of commands is made from the command line itself, at each build."""

from __future__ import annotations

import re
from typing import Any

import click

from pinner.cli.main import cli


def _options(command: click.Command) -> str:
    rows = []
    for option in command.params:
        record = option.get_help_record(click.Context(command)) if isinstance(option, click.Option) else None
        if record:
            names, text = record
            text = re.sub(r"\s+", " ", text).replace("|", "\\|")
            rows.append(f"| `{names}` | {text} |".replace("[", "\\[").replace("\\[default", "[default"))
    return "\n".join(["| option | |", "| --- | --- |", *rows])


def _section(name: str, command: click.Command, level: int = 2) -> list[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    text = (command.help or "").replace("\b\n", "")
    out = [f"{'#' * level} {name}", "", text, "", "```", f"{name} {usage}", "```", "", _options(command), ""]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                out += _section(f"{name} {inner}", found, level + 1)
    return out


def commands() -> str:
    """The page with every command and option, as Markdown."""
    context = click.Context(cli)
    out = ["# Commands", ""]
    for name in cli.list_commands(context):
        found = cli.get_command(context, name)
        if found is not None:
            out += _section(f"pinner {name}", found)
    return "\n".join(out)


def on_files(files: Any, config: Any) -> Any:
    """Add the page to those of the folder."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "reference/commands.md", content=commands()))
    return files
