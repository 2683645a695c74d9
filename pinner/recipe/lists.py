"""Files that list packages for an install call: `xargs apt-get install < list`, `apt-get install $(cat list)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinner.edit.span import Joined, Span
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.regex import later

_SUBSTITUTES = later(
    r"\$\([^)]*(?:cat|grep|sed|awk|tr|sort|uniq|head|tail|cut|paste|<)|`|\bread\b|\b(?:mapfile|readarray)\b"
)
_LINE = later(r"[ \t]*(?:#[^\n]*|(?P<words>[\w.+:=~*/-]+(?:[ \t]+[\w.+:=~*/-]+)*))?[ \t\r]*(?:\n|\Z)")
_CALL = "apt-get install"


def may_be_read(text: str) -> bool:
    """Whether a Dockerfile may take package names from files; quick, for those that do not."""
    return "install" in text and ("xargs" in text or _SUBSTITUTES.search(text) is not None)


def parse(text: str) -> Dockerfile:
    """A list of packages, told as one RUN: words, some to a line, and comment lines."""
    whole = Span(0, len(text))
    body = _joined(text)
    if body is None:
        why = ("package-list", "a line of this list is neither words nor a comment")
        run = Instruction(UNREAD, whole, whole, Joined.without(text, whole, ()), argv=why)
    else:
        run = Instruction("RUN", whole, whole, body)
    stage = Stage(0, "packages", "", "of this list", "", None, (run,), ())
    return Dockerfile(text, "\\", (stage,), ())


def _joined(text: str) -> Joined | None:
    """The call that gets the words of the list; None if a line is not understood."""
    parts = [Joined(char, (0,), (0,), (0,)) for char in _CALL]
    for match in _lines(text):
        if match is None:
            return None
        if match["words"]:
            start, end = match.span("words")
            parts += (Joined(" ", (0,), (start,), (start,)), Joined.without(text, Span(start, end), ()))
    return Joined.chain(parts).replaced((), "bare")


def _lines(text: str) -> Iterator[re.Match[str] | None]:
    at = 0
    while at < len(text):
        match = _LINE.match(text, at)
        yield match
        at = match.end() if match else len(text)
