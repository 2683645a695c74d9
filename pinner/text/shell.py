"""Shell text → commands → words, each with its span.

The grammar is tree-sitter-bash's, read over a mask of the same length: one ASCII character for each code point, so
that its offsets are ours. What a word stands for after quote removal (POSIX shell, 2.2 and 2.6) is decided here.
Where the tree is in doubt, or leaves text unaccounted for, the text is not understood; nothing is guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from pinner.text.span import Joined, Span

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

PartKind = Literal["bare", "quoted", "variable", "command", "arithmetic", "other"]

# A full stop is part of words, but of no name and no operator, as is a letter of another script to the shell.
_UNSEEN = re.compile(r"[^\t\n -~]")
_TEMPLATE = re.compile(r"""(?<!\$)\{\{[^{}'"&;|\n]*\}\}|<%[^%'"&;|\n]*%>""")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=+,@%^~-]+")
_BARE = re.compile(r"\\(.)|(\\)\Z|([^\\]+)", re.DOTALL)
_IN_DOUBLE_QUOTES = re.compile(r'\\([$`"\\])')
_EXPANDED_NAME = re.compile(r"\$\{?[!#]?(\w+|[@*#?$!-])")
_ENDS_COMMAND = re.compile(r"[ \t]*(?:[;&|)<>\n`#]|\d+[<>]|\Z)")
_OPAQUE: dict[str, PartKind] = {
    "simple_expansion": "variable",
    "expansion": "variable",
    "command_substitution": "command",
    "process_substitution": "command",
    "arithmetic_expansion": "arithmetic",
    "ansi_c_string": "other",
    "translated_string": "other",
}
_QUERY = """
(command) @command
(file_redirect) @redirect
(variable_assignment) @assignment
(comment) @comment
[(command_substitution) (process_substitution)] @nested
"""


class UnparsableError(Exception):
    """This shell text is not understood: bash would refuse it, or the grammar does not reach."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: `text` as it stands for when bare or quoted, else the variable's name or the source."""

    kind: PartKind
    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """One shell word: as written (`raw`), where (`span`), and what it stands for.

    `value` is the text after quote removal, None when an expansion decides it. A glob keeps its value: the shell
    hands it on as written when no file matches. `closing` is the quote that ends the word, "" if it ends bare.
    `split` tells that the word was continued over a line's end, so that `raw` holds more than the shell gets.
    """

    raw: str
    value: str | None
    span: Span
    parts: tuple[Part, ...]
    closing: str = ""
    split: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables expanded in it."""
        return tuple(part.text for part in self.parts if part.kind == "variable")

    @property
    def bare(self) -> str:
        """The unquoted text, U+FFFC in the place of everything else: where globs and braces are looked for."""
        return "".join(part.text if part.kind == "bare" else "\ufffc" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command without its assignments and redirections; `nested` if in a command substitution.

    `certain` is False where the tree leaves text of it unaccounted for: there may be words that are not listed.
    """

    words: tuple[Word, ...]
    span: Span
    nested: bool
    certain: bool


@dataclass(frozen=True, slots=True)
class Script:
    """The commands and assignments of a text that mention what was asked for, and its comments; in text order."""

    commands: tuple[Command, ...]
    assignments: tuple[Word, ...]
    comments: tuple[Span, ...]


def read(source: str, shell: Joined, mention: str, blanks: Iterable[Span] = ()) -> Script:
    """What `shell`, pieces of `source`, does with `mention`; the ranges `blanks` of it are not looked at.

    Raises `UnparsableError`. Takes time linear in the text's size.
    """
    text = shell.text
    tree = _parser().parse(_mask(text, blanks))
    root = tree.root_node
    if root.has_error:
        raise UnparsableError
    from tree_sitter import QueryCursor

    found = QueryCursor(_query()).captures(root)
    nested = list(
        _outermost(sorted(found.get("nested", ()), key=lambda node: (node.start_byte, -node.end_byte)))
    )
    builder = _Builder(source, shell)

    def cut(node: Node) -> str:
        return text[node.start_byte : node.end_byte]

    redirects = [(redirect, _end_before(text, redirect)) for redirect in found.get("redirect", ())]
    # Words behind a redirection are the command's, but not in its node.
    continued = {
        end for redirect, end in redirects if any(mention in word for word in map(cut, _extras(redirect)))
    }
    drafts = [
        _Draft(node, builder)
        for node in found.get("command", ())
        if mention in cut(node) or node.end_byte in continued
    ]
    ends = {draft.end: draft for draft in drafts}
    for redirect, end in redirects:
        if (draft := ends.get(end)) is not None:
            draft.take(redirect)
            ends[draft.end] = draft
        elif end in continued:
            raise UnparsableError
    commands = []
    for draft in sorted(drafts, key=lambda draft: draft.start):
        certain = draft.certain and _ENDS_COMMAND.match(text, draft.end) is not None
        at = bisect_right(nested, (draft.start, len(text))) - 1
        inside = at >= 0 and nested[at][1] > draft.start
        commands.append(Command(tuple(draft.words), shell.span(draft.first, draft.end), inside, certain))
    return Script(
        tuple(commands),
        tuple(builder.word([node]) for node in found.get("assignment", ()) if mention in cut(node)),
        tuple(shell.span(node.start_byte, node.end_byte) for node in found.get("comment", ())),
    )


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


@cache
def _query() -> Query:
    import tree_sitter

    language = _parser().language
    assert language is not None
    return tree_sitter.Query(language, _QUERY)


def _mask(text: str, blanks: Iterable[Span]) -> bytes:
    """`text` with one ASCII byte for each code point, its structure unchanged."""
    for blank in blanks:
        text = text[: blank.start] + " " * (blank.end - blank.start) + text[blank.end :]
    if "{{" in text or "<%" in text:
        text = _TEMPLATE.sub(lambda match: "x" * len(match[0]), text)
    return _UNSEEN.sub(".", text).encode("ascii")


def _outermost(nodes: Iterable[Node]) -> Iterator[tuple[int, int]]:
    """The ranges of `nodes` (in text order) that lie in no other of them."""
    end = -1
    for node in nodes:
        if node.start_byte >= end:
            end = node.end_byte
            yield node.start_byte, end


class _Draft:
    """A command while its words are gathered: the tree puts words behind a redirection into the redirection."""

    def __init__(self, node: Node, builder: _Builder) -> None:
        self.start = node.start_byte
        self.end = node.end_byte
        self.first = self.start
        self.certain = True
        self.builder = builder
        self.words: list[Word] = []
        group: list[Node] = []
        end = self.start
        for child in node.children:
            kind = child.type
            self.certain &= not child.is_error
            if child.start_byte > end or kind in ("file_redirect", "herestring_redirect"):
                self._word(group)
                group = []
                self.certain &= builder.blank(end, child.start_byte)
            end = child.end_byte
            if kind == "file_redirect":
                for extra in _extras(child):
                    self._word([extra])
            elif kind != "herestring_redirect" and (kind != "variable_assignment" or self.words):
                group.append(child)
        self._word(group)

    def _word(self, nodes: list[Node]) -> None:
        if nodes:
            if not self.words:
                self.first = nodes[0].start_byte
            self.words.append(self.builder.word(nodes))

    def take(self, redirect: Node) -> None:
        """Add the words that follow a redirection's own word."""
        for extra in _extras(redirect):
            self._word([extra])
        self.end = redirect.end_byte


def _end_before(text: str, node: Node) -> int:
    """Where the text before `node` ends, blanks left aside."""
    end = node.start_byte
    while end and text[end - 1] in " \t":
        end -= 1
    return end


def _extras(redirect: Node) -> list[Node]:
    """The words that the tree puts into a redirection behind its own word."""
    return redirect.children_by_field_name("destination")[1:]


class _Builder:
    """Makes words of nodes."""

    def __init__(self, source: str, shell: Joined) -> None:
        self._source = source
        self._shell = shell
        self._text = shell.text

    def blank(self, start: int, end: int) -> bool:
        """Whether only blanks stand there."""
        return start >= end or not self._text[start:end].strip(" \t")

    def word(self, nodes: list[Node]) -> Word:
        """The word that `nodes`, which touch each other, make."""
        start, end = nodes[0].start_byte, nodes[-1].end_byte
        text = self._text[start:end]
        span = self._shell.span(start, end)
        split = span.end - span.start != end - start
        raw = span.of(self._source) if split else text
        if _PLAIN.fullmatch(text):
            return Word(raw, text, span, (Part("bare", text),), "", split)
        parts: list[Part] = []
        closing = ""
        for node in nodes:
            closing = self._parts(node, parts)
        known = all(part.kind in ("bare", "quoted") for part in parts)
        value = "".join(part.text for part in parts) if known else None
        return Word(raw, value, span, tuple(parts), closing, split)

    def _parts(self, node: Node, parts: list[Part]) -> str:
        """Add the parts of `node` to `parts`; the quote it ends with."""
        kind = node.type
        start, end = node.start_byte, node.end_byte
        if kind in ("concatenation", "command_name", "variable_assignment"):
            closing = ""
            for child in node.children:
                if child.start_byte != start:
                    raise UnparsableError
                start = child.end_byte
                closing = self._parts(child, parts)
            return closing
        text = self._text[start:end]
        if kind == "string":
            self._string(node, parts)
            return '"'
        if kind == "raw_string":
            parts.append(Part("quoted", text[1:-1]))
            return "'"
        if kind in _OPAQUE:
            parts.append(_opaque(kind, text))
            return "'" if kind == "ansi_c_string" else '"' if kind == "translated_string" else ""
        for escaped, last, plain in _BARE.findall(text):
            parts.append(Part("quoted" if escaped else "bare", escaped or last or plain))
        return ""

    def _string(self, node: Node, parts: list[Part]) -> None:
        """A double-quoted string: expansions, and the text between them."""
        begin = node.start_byte + 1
        for child in node.children:
            if child.type in _OPAQUE:
                self._quoted(begin, child.start_byte, parts)
                parts.append(_opaque(child.type, self._text[child.start_byte : child.end_byte]))
                begin = child.end_byte
        self._quoted(begin, node.end_byte - 1, parts)
        if node.end_byte - node.start_byte == 2:
            parts.append(Part("quoted", ""))

    def _quoted(self, begin: int, end: int, parts: list[Part]) -> None:
        if begin < end:
            parts.append(Part("quoted", _IN_DOUBLE_QUOTES.sub(r"\1", self._text[begin:end])))


def _opaque(kind: str, text: str) -> Part:
    part = _OPAQUE[kind]
    if part == "variable":
        match = _EXPANDED_NAME.match(text)
        return Part("variable", match[1] if match else text)
    return Part(part, text)
