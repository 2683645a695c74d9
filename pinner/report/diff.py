"""A change as a unified diff, safe to print."""

from __future__ import annotations

from pinner.errors import printable


def unified(path: str, old: str, new: str) -> str:
    """The unified diff from `old` to `new`, "" if they are equal. Line ends other than newline are shown escaped."""
    if old == new:
        return ""
    from difflib import unified_diff

    before, after = (text.split("\n") for text in (old, new))
    lines = unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm="")
    return "".join(f"{printable(line)}\n" for line in lines)
