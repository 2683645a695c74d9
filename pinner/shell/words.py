"""What one shell word stands for (POSIX shell, 2.2 "Quoting" and 2.6 "Word Expansions"), made from the tree's nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pinner.edit.span import Joined, Level, Span
from pinner.regex import later
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

    from pinner.shell.lexer import Range

PartKind = Literal["bare", "quoted", "variable", "command", "arithmetic", "other"]

_PLAIN = later(r"[A-Za-z0-9_./:=+,@%^~-]+")
_BARE = later(r"\\(.)|(\\)\Z|([^\\]+)", re.DOTALL)
_IN_DOUBLE_QUOTES = later(r'\\(?:([$`"\\])|\n)')
_EXPANDED_NAME = later(r"\$\{?[!#]?(\w+|[@*#?$!-])")
_OPAQUE: dict[str, PartKind] = {
    "simple_expansion": "variable",
    "expansion": "variable",
    "command_substitution": "command",
    "process_substitution": "command",
    "arithmetic_expansion": "arithmetic",
    "ansi_c_string": "other",
    "translated_string": "other",
}


class UnparsableError(Exception):
    """This shell text is not understood: bash would refuse it, or the grammar does not reach."""


class WordPart(NamedTuple):
    """A piece of a word: `text` as it stands for when bare or quoted, else the variable's name or the source.

    `start` and `end` tell where in the shell's text it is written. `quoted` tells that an expansion stands in double
    quotes.
    """

    kind: PartKind
    text: str
    start: int
    end: int
    quoted: bool = False


class Word(NamedTuple):
    """One shell word: as written (`raw`), where (`span`), and what it stands for.

    `value` is the text after quote removal, None when an expansion decides it. A glob keeps its value: the shell
    hands it on as written when no file matches. At the offset `tail` text can be appended to it: it passes through the
    quotings `levels`, and `guarded` tells that no shell looks for globs there. `split` tells that the word was
    continued over a line's end, so that `raw` holds more than the shell gets.
    """

    raw: str
    value: str | None
    span: Span
    parts: tuple[WordPart, ...]
    tail: int
    guarded: bool = False
    split: bool = False
    levels: tuple[Level, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables expanded in it."""
        return tuple(part.text for part in self.parts if part.kind == "variable")

    @property
    def literal(self) -> str:
        """The text of it that no expansion decides."""
        return "".join(part.text for part in self.parts if part.kind in ("bare", "quoted"))

    @property
    def bare(self) -> str:
        """The unquoted text, U+FFFC in the place of everything else: where globs and braces are looked for."""
        return "".join(part.text if part.kind == "bare" else "\ufffc" for part in self.parts)


class Builder:
    """Makes words of the nodes that touch each other."""

    def __init__(self, source: str, shell: Joined) -> None:
        self._source = source
        self._shell = shell
        self._text = shell.text

    def word(self, nodes: list[Node], opaque: list[Range]) -> Word:
        """The word that `nodes` make; adds the ranges of its expansions to `opaque`."""
        start, end = nodes[0].start_byte, nodes[-1].end_byte
        text = self._text[start:end]
        span = self._shell.span(start, end)
        split = not self._shell.is_whole(start, end)
        raw = span.of(self._source)
        levels = self._shell.levels
        if _PLAIN.fullmatch(text):
            part = WordPart("bare", text, start, end)
            return Word(raw, text, span, (part,), span.end, False, split, levels)
        parts: list[WordPart] = []
        closing = ""
        for node in nodes:
            closing = self._parts(node, parts, opaque)
        known = all(part.kind in ("bare", "quoted") for part in parts)
        value = "".join(part.text for part in parts) if known else None
        tail = self._shell.origin(end - 1) if closing else span.end
        return Word(raw, value, span, tuple(parts), tail, bool(closing), split, levels)

    def plain(self, parts: tuple[WordPart, ...]) -> Word:
        """The word of these parts, which stand for themselves."""
        if len(parts) == 1 and parts[0].kind == "bare":
            text, start, end = parts[0][1:4]
            span = self._shell.span(start, end)
            raw = span.of(self._source)
            split = raw != text and not self._shell.is_whole(start, end)
            return Word(raw, text, span, parts, span.end, False, split, self._shell.levels)
        closing = parts[-1].kind == "quoted"
        start, end = parts[0].start - (parts[0].kind == "quoted"), parts[-1].end + closing
        span = self._shell.span(start, end)
        value = parts[0].text if len(parts) == 1 else "".join(each.text for each in parts)
        tail = self._shell.origin(end - 1) if closing else span.end
        split = not self._shell.is_whole(start, end)
        return Word(span.of(self._source), value, span, parts, tail, closing, split, self._shell.levels)

    @staticmethod
    def opaque(node: Node) -> Iterator[Range]:
        """The ranges of the expansions in a word of which only they matter."""
        todo = [node]
        while todo:
            each = todo.pop()
            if each.type in _OPAQUE:
                yield each.start_byte, each.end_byte
            else:
                todo += each.children

    def _parts(self, node: Node, parts: list[WordPart], opaque: list[Range]) -> str:
        """Add the parts of `node` to `parts`; the quote it ends with."""
        kind = node.type
        start, end = node.start_byte, node.end_byte
        if kind in ("concatenation", "command_name", "variable_assignment"):
            closing = ""
            for child in node.children:
                if child.start_byte != start:
                    raise UnparsableError
                start = child.end_byte
                closing = self._parts(child, parts, opaque)
            return closing
        if kind == "string":
            self._string(node, parts, opaque)
            return '"'
        if kind in _OPAQUE:
            parts.append(self._opaque(node, opaque))
            return "'" if kind == "ansi_c_string" else '"' if kind == "translated_string" else ""
        text = self._text[start:end]
        if kind == "raw_string":
            parts.append(WordPart("quoted", text[1:-1], start + 1, end - 1))
            return "'"
        for match in _BARE.finditer(text):
            place = start + match.start(), start + match.end()
            parts.append(WordPart("quoted" if match[1] else "bare", match[match.lastindex or 0], *place))
        return ""

    def _string(self, node: Node, parts: list[WordPart], opaque: list[Range]) -> None:
        """A double-quoted string: expansions, and the text between them."""
        begin = node.start_byte + 1
        for child in node.children:
            if child.type in _OPAQUE:
                expansion = self._opaque(child, opaque)._replace(quoted=True)
                self._quoted(begin, expansion.start, parts)
                parts.append(expansion)
                begin = child.end_byte
        self._quoted(begin, node.end_byte - 1, parts)
        if node.end_byte - node.start_byte == 2:
            parts.append(WordPart("quoted", "", begin, begin))

    def _quoted(self, begin: int, end: int, parts: list[WordPart]) -> None:
        if begin < end:
            text = _IN_DOUBLE_QUOTES.sub(r"\1", self._text[begin:end])
            parts.append(WordPart("quoted", text, begin, end))

    def _opaque(self, node: Node, opaque: list[Range]) -> WordPart:
        """An expansion; the grammar counts the blanks before one that a string begins with to it."""
        start, end = node.start_byte, node.end_byte
        start = end - len(self._text[start:end].lstrip())
        opaque.append((start, end))
        text = self._text[start:end]
        kind = _OPAQUE[node.type]
        if kind == "variable":
            match = _EXPANDED_NAME.match(text)
            return WordPart("variable", match[1] if match else text, start, end)
        return WordPart(kind, text, start, end)
