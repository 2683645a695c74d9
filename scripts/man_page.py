"""Writes the manual page, data/man/pinner.1, from the command line itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from pinner import __version__
from pinner.cli.help import sections
from pinner.cli.main import cli

_AROUND = """\
.SH FILES
.TP
pinner.lock
what is locked; it belongs into version control
.TP
pinner.toml
the configuration of a project, which may also stand below [tool.pinner] in pyproject.toml
.SH ENVIRONMENT
.TP
PINNER_CACHE_DIR
where verified indices are kept
.TP
PINNER_IMAGES
auto, always or never, as \\-\\-images
.TP
PINNER_AUTH
a file in the syntax of apt_auth.conf(5)
.TP
HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, NO_COLOR, FORCE_COLOR
as other programs take them
.SH SEE ALSO
.BR apt\\-get (8),
.BR apt_preferences (5),
.BR sources.list (5)
"""


def _escaped(text: str) -> str:
    """One line of text for troff."""
    text = re.sub(r"\s+", " ", text).strip().replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.replace("\b\n", "")):
        yield ".PP"
        yield _escaped(paragraph)


def _of(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{_escaped(f"{name} {usage}")}"'
    yield from _paragraphs(command.help or "")
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _of(f"{name} {inner}", found)
        return
    for _, options in sections(command, context):
        for option in options:
            names, text = option.get_help_record(context) or ("", "")
            yield ".TP"
            yield f".B {_escaped(names)}"
            yield _escaped(text)


def page() -> str:
    """The page, in the macros of man(7)."""
    lines = [
        f'.TH PINNER 1 "" "pinner {__version__}" "User Commands"',
        ".SH NAME",
        "pinner \\- pin apt packages to the versions that apt would install, and keep the pins alive",
        ".SH SYNOPSIS",
        ".B pinner",
        "COMMAND [OPTION]... [FILE|DIR|\\-]...",
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        ".SH COMMANDS",
    ]
    context = click.Context(cli)
    for name in cli.list_commands(context):
        found = cli.get_command(context, name)
        if found is not None:
            lines += _of(f"pinner {name}", found)
    return "\n".join(lines) + "\n" + _AROUND


if __name__ == "__main__":
    Path(__file__).parent.parent.joinpath("data/man/pinner.1").write_text(page(), encoding="utf-8")
