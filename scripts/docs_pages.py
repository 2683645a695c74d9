"""MkDocs hook: the reference of commands is made from the command line itself, at each build.

Run as a program it writes docs/codes.md, the page of diagnostics, from the enum of codes.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from pinner.cli.help import sections
from pinner.cli.main import cli
from pinner.codes import Code

_CODES = """\
# Codes of diagnostics

Whatever pinner says of a file has a code, in brackets in the text (`not pinned [other-repository]: …`) and with the
address of its section here in JSON, SARIF and the other formats. An unknown package is an error (exit status 1) with
near names; the rest of the file is pinned all the same. `--strict` makes a package that stays without a pin exit
status 1, unless a comment, `# pinner: allow`, says so ([Files and comments](reference/files.md#comments)).
"""
_SCHEMAS = Path(__file__).parent.parent / "pinner" / "report" / "schemas"
#: The headings of the page, by the first code below each.
_PARTS = {
    Code.UNPINNED: "Packages that stay without a pin",
    Code.UNKNOWN_PACKAGE: "What apt cannot install",
    Code.UNKNOWN: "Pins, suites and images as they stand",
    Code.EXCLUDED: "Pins that are not refreshed",
    Code.UNUSABLE: "Files and archives that could not be read",
}


def _options(command: click.Command) -> str:
    rows, context = ["| option | |", "| --- | --- |"], click.Context(command)
    for title, found in sections(command, context) if not isinstance(command, click.Group) else ():
        if title != "Options":
            rows.append(f"| **{title}** | |")
        for option in found:
            names, text = (re.sub(r"\s+", " ", each) for each in option.get_help_record(context) or ("", ""))
            text = text.replace("[", "\\[").replace("\\[default", "[default")
            cells = (each.replace("|", "\\|") for each in (f"`{names}`", text))
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _section(name: str, command: click.Command, level: int = 2) -> list[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    text = cleandoc(command.help or "").replace("\b\n", "")
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


def codes() -> str:
    """The page with every code, as Markdown."""
    out = [_CODES]
    for code in Code:
        if code in _PARTS:
            out.append(f"## {_PARTS[code]}\n")
        out.append(
            f"### {code.value}\n\n{code.meaning}\n\n{code.severity.title()}. What to do: {code.help}\n"
        )
    return "\n".join(out)


def on_files(files: Any, config: Any) -> Any:
    """Add the page to those of the folder, and the schemas."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "reference/commands.md", content=commands()))
    for path in sorted(_SCHEMAS.glob("*.json")):
        files.append(File.generated(config, f"schemas/{path.name}", abs_src_path=str(path)))
    return files


if __name__ == "__main__":
    page = Path(__file__).parent.parent / "docs" / "codes.md"
    page.write_text(codes(), encoding="utf-8")
