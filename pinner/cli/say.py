"""What is said on stderr: each thing begins with what it is, in colours where they are wanted; and what a terminal is
shown while a run waits."""

from __future__ import annotations

import os
import sys
import threading
import time
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


_WIPE = "\r\x1b[K"
_LONG = 3  # seconds of a wait that is shown


def wait(seconds: float) -> None:
    """Sleeps, and tells a terminal of a longer wait."""
    shown = seconds >= _LONG and sys.stderr.isatty()
    if shown:
        sys.stderr.write(f"{_WIPE}waiting for {seconds:.0f} seconds: the service is busy, or did not answer")
        sys.stderr.flush()
    try:
        time.sleep(seconds)
    finally:
        if shown:
            sys.stderr.write(_WIPE)


class ProgressLine:
    """One line on the terminal for all that is fetched, from several threads; overwritten, and wiped at the end."""

    def __init__(self, noun: str) -> None:
        """`noun` is what several of them are called."""
        self._noun = noun
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, int]] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of the `total` bytes of `what` are here."""
        with self._lock:
            self._parts[what] = done, total
            so_far, size = (sum(numbers) / 1e6 for numbers in zip(*self._parts.values(), strict=True))
            label = what if len(self._parts) == 1 else f"{len(self._parts)} {self._noun}"
            sys.stderr.write(f"{_WIPE}fetching {label}: {so_far:.1f} of {size:.1f} MB")
            sys.stderr.flush()

    def wipe(self) -> None:
        """The line is gone; what is fetched later counts anew."""
        with self._lock:
            if self._parts:
                self._parts.clear()
                sys.stderr.write(_WIPE)
                sys.stderr.flush()
