"""Places in a text, and the only way to change one: replace spans, never print a file anew.

Offsets count code points of the decoded text, from 0, end exclusive. Lines and columns, which people see,
count from 1.

tree-sitter reads the joined text of an instruction, one ASCII character for each code point, and `Joined` maps every
character back to the file. So a word's span is exact across continuations, in a here-document, in a JSON string of the
exec form, in a shell inside a shell, and in a YAML scalar, by one mechanism.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal

from pinner.regex import later
from pinner.values import NamedTuple

Level = Literal["json", "double", "heredoc", "single", "yaml-single", "bare"]

_ESCAPED: dict[Level, re.Pattern[str]] = {
    "json": later(r'["\\]'),
    "double": later(r'["\\$`]'),
    "heredoc": later(r"[\\$`]"),
}
_LINE_END = later(r"\r\n|\n|\r")
_WIDE = 120  # characters of a line that are shown


class Place(NamedTuple):
    """Where something is in a file: 1-based, the end exclusive; line 0 means the whole file."""

    path: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


class Span(NamedTuple):
    """The characters `start` up to but not including `end`."""

    start: int
    end: int

    def of(self, source: str) -> str:
        """The text that stands at this span in `source`."""
        return source[self.start : self.end]


class Edit(NamedTuple):
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
        if "\r" in source:
            self._starts = [0, *(match.end() for match in _LINE_END.finditer(source))]
        else:
            sizes = (len(line) + 1 for line in source.split("\n")[:-1])
            self._starts = [*accumulate(sizes, initial=0)]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column (code points) of `offset`; a BOM at the start takes no column."""
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if line == 1 and self._source.startswith("\ufeff"):
            start += 1
        return line, max(offset - start, 0) + 1

    def excerpt(self, span: Span) -> str:
        """The line where `span` begins, of a long one what is around it, and carets under what is shown of the span."""
        line, column = self.position(span.start)
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self._source)
        text = self._source[start:end].rstrip("\r\n").removeprefix("\ufeff")
        first = max(0, min(column - 1 - _WIDE // 3, len(text) - _WIDE))
        shown = text[first : first + _WIDE]
        before, behind = "…" * (first > 0), "…" * (first + _WIDE < len(text))
        width = max(1, min(span.end - span.start, first + len(shown) - column + 1))
        lead = "".join("\t" if char == "\t" else " " for char in before + text[first : column - 1])
        return f"    {before}{shown}{behind}\n    {lead}{'^' * width}"


def encode(text: str, levels: Iterable[Level]) -> str | None:
    """How `text` must be written to come through `levels`; None if it cannot be.

    `json` is also YAML's double-quoted style; `double` and `single` are the shell's quotes, `heredoc` is a
    here-document in which the shell expands; `bare` is text in which
    neither quotes nor globs mean anything, so that no quotes are written.
    """
    for level in levels:
        if level == "single" and "'" in text:
            return None
        if level == "bare":
            text = text.replace('"', "")
        elif level == "yaml-single":
            text = text.replace("'", "''")
        elif level != "single":
            text = _ESCAPED[level].sub(r"\\\g<0>", text)
    return text


class Joined:
    """A text made of pieces of a source that remembers where each character came from.

    This is what a program downstream gets to read once continuation marks, comment lines, escapes and the like were
    taken out; spans found in it translate back to the source. A piece stands in the source as it does here, or it is
    one character that the source writes otherwise, like the newline of `\\n` in JSON. `levels` are the quotings that
    a text must pass through, the innermost first, to be read here as it is.
    """

    __slots__ = ("_ends", "_origins", "_starts", "levels", "text")

    def __init__(
        self,
        text: str,
        starts: Sequence[int],
        origins: Sequence[int],
        ends: Sequence[int],
        levels: tuple[Level, ...] = (),
    ) -> None:
        """Piece *i* begins at `starts[i]` in `text`, and in the source it reaches from `origins[i]` to `ends[i]`.

        `starts[0]` is 0. Of an empty text the only piece is empty.
        """
        self.text = text
        self.levels = levels
        self._starts = starts
        self._origins = origins
        self._ends = ends

    @classmethod
    def without(cls, source: str, span: Span, gaps: Sequence[Span]) -> Joined:
        """The text of `span` with `gaps` (sorted, apart, inside the span) taken out."""
        if not gaps:
            return cls(span.of(source), (0,), (span.start,), (span.end,))
        texts, starts, origins, ends = [], [], [], []
        length, begin = 0, span.start
        for start, end in (*gaps, (span.end, span.end)):
            if start > begin:
                texts.append(source[begin:start])
                starts.append(length)
                origins.append(begin)
                ends.append(start)
                length += start - begin
            begin = end
        return cls("".join(texts), starts or (0,), origins or (span.start,), ends or (span.start,))

    @classmethod
    def chain(cls, parts: Iterable[Joined]) -> Joined:
        """`parts` one after the other; they must have the same levels."""
        texts: list[str] = []
        starts: list[int] = []
        origins: list[int] = []
        ends: list[int] = []
        length = 0
        levels: tuple[Level, ...] = ()
        for part in parts:
            levels = part.levels
            if part.text:
                texts.append(part.text)
                starts += (length + start for start in part._starts)
                origins += part._origins
                ends += part._ends
                length += len(part.text)
        return cls("".join(texts), starts or (0,), origins or (0,), ends or (0,), levels)

    def origin(self, index: int) -> int:
        """The source offset of the character at `index`; one past the last is the end of the last piece."""
        if index == len(self.text):
            return self._ends[-1]
        piece = bisect_right(self._starts, index) - 1
        return self._origins[piece] + index - self._starts[piece]

    def index(self, origin: int) -> int:
        """Where the character at the source offset `origin` came to stand; `origin` must lie in a piece."""
        piece = max(bisect_right(self._origins, origin) - 1, 0)
        return self._starts[piece] + origin - self._origins[piece]

    def span(self, start: int, end: int) -> Span:
        """Where `text[start:end]` stands in the source; an empty range stands before the character at `start`."""
        if start < end:  # in one piece, nearly always
            starts = self._starts
            piece = bisect_right(starts, start) - 1 if len(starts) > 1 else 0
            stop = starts[piece + 1] if piece + 1 < len(starts) else len(self.text)
            if end <= stop:
                moved = self._origins[piece] - starts[piece]
                return Span(start + moved, self._ends[piece] if end == stop else end + moved)
        begin = self.origin(start)
        return Span(begin, self._end(end) if end > start else begin)

    def _end(self, end: int) -> int:
        """Where the character before `end` ends in the source."""
        piece = bisect_right(self._starts, end - 1) - 1
        stop = len(self.text) if piece + 1 == len(self._starts) else self._starts[piece + 1]
        return self._ends[piece] if end == stop else self._origins[piece] + end - self._starts[piece]

    def is_whole(self, start: int, end: int) -> bool:
        """Whether nothing was taken out between the characters of `text[start:end]`."""
        first = bisect_right(self._starts, start) - 1
        last = max(bisect_right(self._starts, end - 1), first + 1)
        return last == first + 1 or all(
            self._ends[piece] == self._origins[piece + 1] for piece in range(first, last - 1)
        )

    def part(self, start: int, end: int) -> Joined:
        """`text[start:end]`, with the same memory."""
        first = bisect_right(self._starts, start) - 1
        if start < end and (first + 1 == len(self._starts) or end <= self._starts[first + 1]):
            place = self.span(start, end)
            return Joined(self.text[start:end], (0,), (place.start,), (place.end,), self.levels)
        last = max(bisect_right(self._starts, end - 1), first + 1)
        starts = [max(self._starts[piece] - start, 0) for piece in range(first, last)]
        origins = [self.origin(start), *self._origins[first + 1 : last]]
        ends = [*self._ends[first : last - 1], self._end(end) if end > start else origins[-1]]
        return Joined(self.text[start:end], starts, origins, ends, self.levels)

    def through(self, outer: Joined) -> Joined:
        """This text, which was read in the text of `outer`, with the origins of that one's characters."""
        parts: list[Joined] = []
        stops = (*self._starts[1:], len(self.text))
        for start, stop, begin, end in zip(self._starts, stops, self._origins, self._ends, strict=True):
            if outer.text[begin:end] == self.text[start:stop]:
                parts.append(outer.part(begin, end))
            else:  # the one character that is written otherwise, or at an empty place
                place = outer.span(begin, end)
                parts.append(Joined(self.text[start:stop], (0,), (place.start,), (place.end,)))
        found = Joined.chain([each for each in parts if each.text])
        if not found.text:
            at = outer.origin(self._origins[0])
            found = Joined("", (0,), (at,), (at,))
        found.levels = (*self.levels, *outer.levels)
        return found

    def read_as(self, ranges: Sequence[tuple[int, int, str]]) -> Joined:
        """This text with ranges (start, end, any text; sorted, apart) read as that text, which cannot be edited."""
        parts: list[Joined] = []
        begin = 0
        for start, end, text in ranges:
            if start > begin:
                parts.append(self.part(begin, start))
            place = self.span(start, end)
            parts += (Joined(char, (0,), (place.start,), (place.start,)) for char in text[:-1])
            parts += (Joined(char, (0,), (place.start,), (place.end,)) for char in text[-1:])
            begin = end
        if begin < len(self.text) or not parts:
            parts.append(self.part(begin, len(self.text)))
        found = Joined.chain(parts)
        found.levels = self.levels
        return found

    def replaced(self, ranges: Sequence[tuple[int, int, str]], level: Level | None = None) -> Joined:
        """This text with ranges (start, end, one character or none; sorted, apart) read as that character.

        `level` is the quoting that makes them so.
        """
        levels = self.levels if level is None else (level, *self.levels)
        parts: list[Joined] = []
        begin = 0
        for start, end, text in ranges:
            if start > begin:
                parts.append(self.part(begin, start))
            if text:
                span = self.span(start, end)
                parts.append(Joined(text, (0,), (span.start,), (span.end,)))
            begin = end
        if begin < len(self.text) or not parts:
            parts.append(self.part(begin, len(self.text)))
        result = Joined.chain(parts)
        if not result.text:
            origin = self.origin(0)
            return Joined("", (0,), (origin,), (origin,), levels)
        result.levels = levels
        return result
