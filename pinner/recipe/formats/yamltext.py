"""YAML as a tree of places, and its scalars as texts that remember where each character is written (YAML 1.1, 1.2).

The tree is made from the library's events; nothing is constructed. What nests deeper than anybody writes is refused,
since the library takes a time that grows with the cube of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Lines, Span
from pinner.errors import InputError
from pinner.regex import later

if TYPE_CHECKING:
    import yaml

_LINE = later(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|\Z)")
_HEADER = later(r"[|>](?:([1-9])[+-]?|[+-]([1-9])?)?[^\r\n]*(?:\r\n|[\r\n])")
_BREAK = later(r"[ \t]*(?:\r\n|[\r\n])[ \t]*(?:(?:\r\n|[\r\n])[ \t]*)*")
_ESCAPE = later(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n[ \t]*|[\r\n][ \t]*|.)", re.DOTALL)
_MEANING = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
}
_MEANING |= {"e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0"}
_JSON = later(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*(?s:.*?)\*/|[\t\ufeff]')

# More scalars than any job has lines.
_MOST = 100_000
_DEEPEST = 200


@dataclass(slots=True)
class Node:
    """A scalar (`items` and `entries` are None), a sequence or a mapping; an alias is the node it means.

    `source` is the text that it stands in.
    """

    span: Span
    value: str = ""
    style: str = ""
    items: list[Node] | None = None
    entries: list[tuple[Node, Node]] | None = None
    tag: str = ""
    source: str = ""
    _named: dict[str, tuple[Node, Node]] | None = field(default=None, compare=False, repr=False)
    _merges: list[Node] | None = field(default=None, compare=False, repr=False)

    def named(self) -> dict[str, tuple[Node, Node]]:
        """The keys of a mapping with their values, by name; of those that occur twice the last."""
        if self._named is None:
            self._named = {name.text: (name, value) for name, value in self.entries or ()}
        return self._named

    def merges(self) -> list[Node]:
        """What is merged into a mapping (YAML 1.1, "Merge Key"), in order."""
        if self._merges is None:
            merged = [value for name, value in self.entries or () if name.text == "<<"]
            self._merges = [
                each for value in merged for each in (value.items if value.items is not None else [value])
            ]
        return self._merges

    def get(self, key: str) -> Node | None:
        """The value of a key of a mapping (`named`); None if there is none, or this is no mapping."""
        found = self.named().get(key)
        return found[1] if found is not None else None

    @property
    def text(self) -> str:
        """The value of a scalar, "" of anything else."""
        return self.value if self.items is None and self.entries is None else ""

    def texts(self) -> Iterator[Node]:
        """This scalar, or the scalars of this sequence and of those in it."""
        todo = [self]
        for _ in range(_MOST):
            if not todo:
                return
            node = todo.pop()
            if node.items is not None:
                todo += reversed(node.items)
            elif node.entries is None:
                yield node

    def named_texts(self) -> Iterator[tuple[str, Node]]:
        """All scalars below that are no keys, each once, with the nearest key above."""
        todo = [("", self)]
        seen = set()
        while todo:
            key, node = todo.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.items is not None:
                todo += [(key, each) for each in reversed(node.items)]
            elif node.entries is not None:
                todo += [(name.text, value) for name, value in reversed(node.entries)]
            else:
                yield key, node


@dataclass(slots=True)
class _Open:
    """A collection while its children are read."""

    node: Node
    children: list[Node] = field(default_factory=list)


def parse(text: str) -> Node | None:
    """The first document of `text`, None if there is none. Raises `InputError` (without path) for what is no YAML."""
    import yaml

    # libyaml is ten times as fast, and gives the same events; but it counts from behind a byte order mark, and how
    # deep it goes and what it says of a fault are another thing in each of its versions.
    quick = None if text.startswith("\ufeff") else getattr(yaml, "CSafeLoader", None)
    if quick is not None:
        with suppress(yaml.YAMLError):
            return _tree(yaml.parse(text, Loader=quick), text)
    try:
        return _tree(yaml.parse(text, Loader=yaml.SafeLoader), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(text)) if mark else 0
        lines = Lines(text)
        line, column = lines.position(at)
        message = f"not valid YAML: {error.problem or error.context}"
        raise InputError(message, line=line, column=column, excerpt=lines.excerpt(Span(at, at))) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", line=1, column=1) from None


def plain_json(text: str) -> str:
    """JSON, perhaps with comments, as YAML of the same length: blanks for comments and tabs, strings as they are."""

    def blank(match: re.Match[str]) -> str:
        own = match[0]
        return own if own[0] == '"' else "".join(char if char == "\n" else " " for char in own)

    return _JSON.sub(blank, text)


def _tree(events: Iterator[yaml.Event], text: str) -> Node | None:
    import yaml

    anchors: dict[str, Node] = {}
    stack: list[_Open] = []
    root: Node | None = None
    for event in events:
        node: Node | None = None
        # A document that declares a GitLab file's inputs has the file behind it.
        if isinstance(event, yaml.DocumentEndEvent) and (
            root is None or [name.text for name, _ in root.entries or ()] != ["spec"]
        ):
            return root
        if isinstance(event, yaml.AliasEvent):
            node = anchors.get(event.anchor or "") or Node(_span(event), source=text)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node(_span(event), event.value, event.style or "", tag=event.tag or "", source=text)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            is_list = isinstance(event, yaml.SequenceStartEvent)
            node = Node(
                _span(event),
                items=[] if is_list else None,
                entries=None if is_list else [],
                tag=event.tag or "",
                source=text,
            )
            if event.anchor:
                anchors[event.anchor] = node
            if stack:
                stack[-1].children.append(node)
            stack.append(_Open(node))
            if len(stack) > _DEEPEST:
                line, column = Lines(text).position(node.span.start)
                raise InputError(f"nested more than {_DEEPEST} deep", line=line, column=column)
            continue
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            root = _closed(stack.pop(), event)
            continue
        if node is not None:
            if isinstance(event, yaml.ScalarEvent) and event.anchor:
                anchors[event.anchor] = node
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
    return root


def _closed(opened: _Open, event: yaml.Event) -> Node:
    node, children = opened.node, opened.children
    node.span = Span(node.span.start, _span(event).end)
    if node.items is not None:
        node.items += children
    elif node.entries is not None:
        node.entries += zip(children[::2], children[1::2], strict=True)
    return node


def _span(event: yaml.Event) -> Span:
    start, end = event.start_mark, event.end_mark
    assert start is not None and end is not None
    return Span(start.index, end.index)


def scalar(source: str, node: Node) -> Joined | None:
    """The value of a scalar with the origin of each character; None where its way of writing is not followed."""
    text = _block(source, node) if node.style in ("|", ">") else _flow(source, node)
    return text if text is not None and text.text == node.value else None


class _Pieces:
    """A text being put together."""

    def __init__(self) -> None:
        self.parts: list[Joined] = []

    def verbatim(self, source: str, start: int, end: int) -> None:
        """`source[start:end]` as it stands."""
        if end > start:
            self.parts.append(Joined.without(source, Span(start, end), ()))

    def read_as(self, text: str, start: int, end: int) -> None:
        """One character, or several, that the source has written at this place."""
        self.parts += (Joined(char, (0,), (start,), (end,)) for char in text)

    def joined(self, start: int) -> Joined:
        """All of it; `start` is where it begins, if it is empty."""
        return Joined.chain(self.parts) if self.parts else Joined("", (0,), (start,), (start,))


def _block(source: str, node: Node) -> Joined | None:
    """`|` and `>`: lines without their indentation."""
    header = _HEADER.match(source, node.span.start)
    if header is None:
        return None
    pieces = _Pieces()
    at = header.end()
    indent: int | None = None
    value = node.value
    done = 0
    while done < len(value):
        line = _LINE.match(source, at)
        if line is None or (not line[0] and at >= len(source)):
            break
        body = line[0].rstrip("\r\n\x85\u2028\u2029")
        stripped = body.lstrip(" ")
        if indent is None and stripped:
            found = value[done:].lstrip("\n")
            extra = len(found) - len(found.lstrip(" ")) if header[1] or header[2] else 0
            indent = len(body) - len(stripped) - extra
        content = body[indent:] if indent is not None and len(body) >= indent else ""
        if not value.startswith(content, done):
            return None
        start = at + len(body) - len(content)
        pieces.verbatim(source, start, start + len(content))
        done += len(content)
        at = line.end()
        if value.startswith(("\n", " "), done):
            pieces.read_as(value[done], start + len(content), at)
            done += 1
    return pieces.joined(at)


def _flow(source: str, node: Node) -> Joined | None:
    """Plain and quoted scalars: breaks are folded, quotes doubled or escaped."""
    start, end = node.span.start, node.span.end
    if node.style:
        start, end = start + 1, end - 1
    pieces = _Pieces()
    at = begin = start
    while at < end:
        char = source[at]
        if char in " \t\r\n" and (match := _BREAK.match(source, at, end)):
            pieces.verbatim(source, begin, at)
            breaks = len(re.findall(r"\r\n|[\r\n]", match[0]))
            pieces.read_as(" " if breaks == 1 else "\n" * (breaks - 1), at, match.end())
            at = begin = match.end()
        elif node.style == "'" and source.startswith("''", at):
            pieces.verbatim(source, begin, at)
            pieces.read_as("'", at, at + 2)
            at = begin = at + 2
        elif node.style == '"' and char == "\\" and (match := _ESCAPE.match(source, at, end)):
            pieces.verbatim(source, begin, at)
            name = match[0][1:]
            if name[0] in "xuU" and len(name) > 1:
                pieces.read_as(chr(int(name[1:], 16)), at, match.end())
            elif name[0] not in "\r\n":
                pieces.read_as(_MEANING.get(name, name), at, match.end())
            at = begin = match.end()
        else:
            at += 1
    pieces.verbatim(source, begin, end)
    result = pieces.joined(start)
    if node.style == '"':
        return result.replaced((), "json")
    return result.replaced((), "yaml-single") if node.style == "'" else result
