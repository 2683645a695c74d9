"""Files that list packages for an install call: `xargs apt-get install < list`, `apt-get install $(cat list)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinner.edit.span import Joined, Span
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.regex import later

_FILE = r"""["']?(?P<file>[\w./-]+)["']?"""
_QUOTED = r"""(?:'[^']*'|"[^"$`]*"|[\w^#*.\\-]+)"""
# What prints the lines of a file, comments perhaps left out.
_PRINTS = rf"(?:cat|e?grep(?:\s+-\w+)*\s+{_QUOTED}|sed(?:\s+-\w+)*\s+{_QUOTED})\s+{_FILE}"
_INSTALL = r"(?:sudo\s+)?apt(?:-get)?\b[^|;&<\n]*\binstall\b"
_XARGS = rf"xargs\b[^|;&<\n]*?\s{_INSTALL}"
_USES = (
    rf"{_XARGS}[^|;&<\n]*<\s*{_FILE}",
    rf"(?<![^\s;&|(]){_PRINTS}\s*(?:\|\s*(?:grep|sed|tr|sort)\b[^|;&]*)*\|\s*{_XARGS}",
    rf"{_INSTALL}[^|;&<]*?\$\(\s*{_PRINTS}\s*\)",
    rf"{_INSTALL}[^|;&<]*?`\s*{_PRINTS}\s*`",
    rf"{_INSTALL}[^|;&<]*?\$\(\s*<\s*{_FILE}\s*\)",
)
_SUBSTITUTES = r"\binstall\b[^;&|]*(?:\$\(|`)\s*(?:cat|e?grep|sed|<)"
_LINE = later(r"[ \t]*(?:#[^\n]*|(?P<words>[\w.+:=~*/-]+(?:[ \t]+[\w.+:=~*/-]+)*))?[ \t\r]*(?:\n|\Z)")
_CALL = "apt-get install"


def may_be_read(text: str) -> bool:
    """Whether a Dockerfile may take package names from files; quick, for those that do not."""
    return "xargs" in text or (("$(" in text or "`" in text) and re.search(_SUBSTITUTES, text) is not None)


def named(instruction: Instruction) -> list[str]:
    """The files that a RUN takes package names from, as it names them."""
    text = instruction.text.text
    if instruction.keyword != "RUN" or "install" not in text:
        return []
    return [match["file"] for pattern in _USES for match in re.finditer(pattern, text)]


def parse(text: str, image: str) -> Dockerfile:
    """A list of packages, told as one RUN on `image`: words, some to a line, and comment lines."""
    whole = Span(0, len(text))
    body = _joined(text)
    if body is None:
        why = ("package-list", "a line of this list is neither words nor a comment")
        run = Instruction(UNREAD, whole, whole, Joined.without(text, whole, ()), argv=why)
    else:
        run = Instruction("RUN", whole, whole, body)
    stage = Stage(0, "packages", image, image or "of this list", "", None, (run,), ())
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
