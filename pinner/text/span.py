"""Places in a text, and the only way to change one: replace spans, never print a file anew.

Offsets count code points of the decoded text, from 0, end exclusive. Lines and columns, which people see,
count from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters `start` up to but not including `end`."""

    start: int
    end: int

    def of(self, source: str) -> str:
        """The text that stands at this span in `source`."""
        return source[self.start : self.end]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Put `replacement` in the place of `span`; an empty span inserts."""

    span: Span
    replacement: str


def apply(source: str, edits: Iterable[Edit]) -> str:
    """`source` with all edits done at once, each at its place in the original text.

    Raises `ValueError` when two edits overlap, insert at the same place, or lie outside the text: such a set
    has no single meaning, and is a bug of whoever made it.
    """
    parts: list[str] = []
    done = 0
    previous: Edit | None = None
    for edit in sorted(edits):
        if edit.span.start < done or (previous is not None and previous.span == edit.span):
            raise ValueError(f"edits overlap: {previous} and {edit}")
        if edit.span.end < edit.span.start or edit.span.end > len(source):
            raise ValueError(f"edit outside the text: {edit}")
        parts += (source[done : edit.span.start], edit.replacement)
        done = edit.span.end
        previous = edit
    parts.append(source[done:])
    return "".join(parts)


class Lines:
    """Turns offsets of one text into lines and columns."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(source))]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column (code points) of `offset`; a BOM at the start takes no column."""
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if line == 1 and self._source.startswith("\ufeff"):
            start += 1
        return line, max(offset - start, 0) + 1

    def excerpt(self, span: Span) -> str:
        """The line where `span` begins, and carets under what of the span stands on that line."""
        line, column = self.position(span.start)
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self._source)
        text = self._source[start:end].rstrip("\r\n").removeprefix("\ufeff")
        width = max(1, min(span.end - span.start, len(text) - column + 1))
        lead = "".join("\t" if char == "\t" else " " for char in text[: column - 1])
        return f"    {text}\n    {lead}{'^' * width}"


class Joined:
    """A text made of pieces of a source that remembers where each character came from.

    This is what a program downstream gets to read once continuation marks, comment lines and the like were taken
    out; spans found in it translate back to the source.
    """

    __slots__ = ("_origins", "_starts", "text")

    def __init__(self, text: str, starts: Sequence[int], origins: Sequence[int]) -> None:
        """Piece *i* begins at `starts[i]` in `text` and at `origins[i]` in the source; `starts[0]` is 0."""
        self.text = text
        self._starts = starts
        self._origins = origins

    @classmethod
    def without(cls, source: str, span: Span, gaps: Sequence[Span]) -> Joined:
        """The text of `span` with `gaps` (sorted, apart, inside the span) taken out."""
        if not gaps:
            return cls(span.of(source), (0,), (span.start,))
        pieces: list[str] = []
        starts: list[int] = []
        origins: list[int] = []
        length = 0
        begin = span.start
        for gap in (*gaps, Span(span.end, span.end)):
            if gap.start > begin:
                pieces.append(source[begin : gap.start])
                starts.append(length)
                origins.append(begin)
                length += gap.start - begin
            begin = gap.end
        if not pieces:
            return cls("", (0,), (span.start,))
        return cls("".join(pieces), starts, origins)

    def origin(self, index: int) -> int:
        """The source offset of the character at `index`; one past the last is the end of the last piece."""
        piece = bisect_right(self._starts, index) - 1
        return self._origins[piece] + index - self._starts[piece]

    def index(self, origin: int) -> int:
        """Where the character at the source offset `origin` came to stand; `origin` must lie in a piece."""
        piece = max(bisect_right(self._origins, origin) - 1, 0)
        return self._starts[piece] + origin - self._origins[piece]

    def span(self, start: int, end: int) -> Span:
        """Where `text[start:end]` stands in the source; an empty range stands before the character at `start`."""
        begin = self.origin(start)
        return Span(begin, self.origin(end - 1) + 1 if end > start else begin)

    def part(self, start: int, end: int) -> Joined:
        """`text[start:end]`, with the same memory."""
        first = bisect_right(self._starts, start) - 1
        last = max(bisect_right(self._starts, end - 1), first + 1)
        starts = [max(self._starts[piece] - start, 0) for piece in range(first, last)]
        origins = [self.origin(start), *self._origins[first + 1 : last]]
        return Joined(self.text[start:end], starts, origins)
