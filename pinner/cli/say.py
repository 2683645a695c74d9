"""What is said on stderr: each thing begins with what it is, in colours where they are wanted."""

from __future__ import annotations

import os
import sys
from typing import Literal, TextIO

import click

from pinner.errors import InputError

MessageKind = Literal["error", "warning", "note"]
_COLOURS: dict[str, str] = {"error": "31;1", "warning": "33;1", "note": "36;1", "hint": "36"}


def wished(option: str = "auto") -> bool | None:
    """Whether the user wants colours, by --color, NO_COLOR or FORCE_COLOR; None: where a terminal shows them.

    See https://no-color.org and https://force-color.org.
    """
    if option != "auto":
        return option == "always"
    return False if os.environ.get("NO_COLOR") else True if os.environ.get("FORCE_COLOR") else None


def is_coloured(stream: TextIO) -> bool:
    """Whether what is printed there may have colours."""
    context = click.get_current_context(silent=True)
    said = context.color if context is not None else wished()
    return said if said is not None else stream.isatty() and os.environ.get("TERM") != "dumb"


def say(kind: MessageKind, text: object) -> None:
    """`error: …`, and a line `hint: …` if the text has one. A note that begins with `warning: ` is one.

    The file of an error is named from the current directory, unless that is longer."""
    if isinstance(text, InputError):
        from pinner.session.projects import from_here

        text.path = min(text.path, from_here(text.path), key=len)
    lines = str(text).split("\n")
    if kind == "note" and lines[0].startswith("warning: "):
        kind, lines[0] = "warning", lines[0].removeprefix("warning: ")
    coloured = is_coloured(sys.stderr)
    shown = [_head(kind, lines[0], coloured=coloured)]
    for line in lines[1:]:
        hint = line.startswith("hint: ")
        shown.append(_head("hint", line.removeprefix("hint: "), coloured=coloured) if hint else line)
    click.echo("\n".join(shown), err=True, color=coloured)


def _head(word: str, text: str, *, coloured: bool) -> str:
    return f"\x1b[{_COLOURS[word]}m{word}:\x1b[0m {text}" if coloured else f"{word}: {text}"
