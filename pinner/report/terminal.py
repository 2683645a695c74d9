"""How lines for people look: colours, widths, counts, diffs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pinner.errors import printable
from pinner.regex import later
from pinner.values import NamedTuple

_NARROWEST = 30  # columns that the last part of a line needs beside the others
_ANSI = later(r"\x1b\[[0-9;]*m")


class Style(NamedTuple):
    """How lines are shown: `colour` uses ANSI colours, `verbose` shows every word, `quiet` what fails alone. `width` is
    that of the terminal in columns, 0 where there is none."""

    colour: bool = False
    verbose: bool = False
    quiet: bool = False
    width: int = 0

    def paint(self, text: str, colour: str) -> str:
        """`text` in an SGR colour, where colours are wanted."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour else text

    def rows(self, rows: Iterable[tuple[str, str, str, str]], widest: int = 0) -> Iterator[str]:
        """Lines in columns: a place, a subject, its colour, and a text, which is broken to the terminal's width.

        The column of subjects has `widest` characters at most, 0: as many as the longest. The text may have colours.
        """
        shown = [
            (printable(place), printable(subject), colour, text) for place, subject, colour, text in rows
        ]
        first, second = (max((len(row[column]) for row in shown), default=0) for column in (0, 1))
        second = min(second, widest or second)
        for place, subject, colour, text in shown:
            line = f"{place:{first}}  {self.paint(f'{subject:{second}}', colour)}  {text}"
            yield self.fit(line, first + second + 4)

    def fit(self, line: str, indent: int) -> str:
        """The line broken at blanks to the terminal's width; what follows stands below column `indent`, or below the
        fourth where that leaves too little room. No word is broken."""
        if not self.width or len(_ANSI.sub("", line)) <= self.width:
            return line
        narrow = self.width - indent < _NARROWEST
        head, rest = line[:indent].rstrip(), line[indent:]
        indent = 4 if narrow else indent
        rows, size = [head] if narrow else [], indent
        row = " " * indent if narrow else line[:indent]
        for word in rest.split(" "):
            length = len(_ANSI.sub("", word))
            if size > indent and size + length > self.width:
                rows.append(row.rstrip())
                row, size = " " * indent, indent
            row, size = f"{row}{word} ", size + length + 1
        return "\n".join([*rows, row.rstrip()])


def count(number: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some(names: Sequence[str], most: int) -> str:
    """`a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def coded(label: str, code: str) -> str:
    """`not pinned [other-repository]`: what a line of text says first."""
    return f"{label} [{code}]"


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
