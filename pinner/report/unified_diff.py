"""A change as a unified diff, safe to print."""

from __future__ import annotations

from collections.abc import Iterator

from pinner.errors import printable
from pinner.regex import later

_LINES = later(r"[^\n]*\n|[^\n]+")


def unified(path: str, old: str, new: str) -> str:
    """The unified diff from `old` to `new`, "" if they are equal. Line ends other than newline are shown escaped."""
    return "".join(_lines(path, old, new))


def _lines(path: str, old: str, new: str) -> Iterator[str]:
    if old == new:
        return
    from difflib import unified_diff

    path = printable(path, line=True)
    for line in unified_diff(_LINES.findall(old), _LINES.findall(new), f"a/{path}", f"b/{path}"):
        yield printable(line)
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
