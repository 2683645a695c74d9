"""Files that list packages for an install call: `xargs apt-get install < list`, `apt-get install $(cat list)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinner.edit.span import Joined, Span
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.regex import later

_RUN = later(r"^[ \t]*RUN\b", re.IGNORECASE | re.MULTILINE)
_SUBSTITUTES = (
    later(r"\$\([^)]*(?:cat|grep|sed|awk|tr|sort|uniq|head|tail|cut|paste|<)"),
    later(r"`"),
    later(r"read(?<!\wread)(?:array)?\b"),
    later(r"mapfile(?<!\wmapfile)\b"),
)
_LINE = later(
    r"[ \t]*(?:(?P<words>[\w.+:=~*/-]+(?:[ \t]+[\w.+:=~*/-]+)*)(?P<comment>[ \t]+#[^\n]*)?|#[^\n]*)?[ \t\r]*(?:\n|\Z)"
)
_CALL = "apt-get install"


def may_be_read(text: str) -> bool:
    """Whether a Dockerfile may take package names from files; quick, for those that do not."""
    lowered = text.lower()
    if "install" not in text or not any(each in lowered for each in ("copy", "add", "--mount")):
        return False
    return _takes_words(text) and any("install" in own and _takes_words(own) for own in _RUN.split(text))


def _takes_words(text: str) -> bool:
    return "xargs" in text or any(each.search(text) for each in _SUBSTITUTES)


def parse(text: str, *, trailing: bool = False) -> Dockerfile:
    """A list of packages as one RUN: words, some to a line, and comment lines; `trailing`: also behind words."""
    whole = Span(0, len(text))
    body = _joined(text, trailing=trailing)
    if body is None:
        why = ("package-list", "a line of this list is neither package names nor a comment")
        run = Instruction(UNREAD, whole, whole, Joined.without(text, whole, ()), argv=why)
    else:
        run = Instruction("RUN", whole, whole, body)
    stage = Stage(0, "packages", "", "of this list", "", None, (run,), ())
    return Dockerfile(text, "\\", (stage,), ())


def lines(text: str) -> list[list[Span]]:
    """Where the words of each line of a list stand, up to the first line that is none."""
    found: list[list[Span]] = []
    for match in _lines(text):
        if match and match["words"]:
            begin = match.start("words")
            words = re.finditer(r"\S+", match["words"])
            found.append([Span(begin + each.start(), begin + each.end()) for each in words])
    return found


def _joined(text: str, *, trailing: bool) -> Joined | None:
    """The call that gets the words of the list; None if a line is not understood."""
    parts = [Joined(char, (0,), (0,), (0,)) for char in _CALL]
    for match in _lines(text):
        if match is None or (match["comment"] and not trailing):
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
