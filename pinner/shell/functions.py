"""Shell functions and the arguments that they are called with (POSIX shell, 2.9.5)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from pinner.regex import later
from pinner.shell import prefixes
from pinner.shell.syntax import Command, Script, UnparsableError, Word

if TYPE_CHECKING:
    from tree_sitter import Node

_PLAIN = later(r"[\w./-]+")
_SHIFTS = later(r"\b(?:shift|set[ \t]+--|getopts)\b")
_ALL = later(r'"?\$\{?@(?::[^}]*)?\}?"?')
_GIVEN = later(r"\$\{?[@*1-9]")
_SAYS = later(r"\b(?:echo|printf)\b[^;&|\n]*")


class Functions:
    """The functions of a shell text."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._text = script.shell.text
        self._nodes = script.flow.get("function", [])
        self._starts = [node.start_byte for node in self._nodes]
        self._known: dict[tuple[int, int], list[tuple[Word, ...]] | None] = {}
        self._reach: list[int] = []
        for node in self._nodes:
            self._reach.append(max(node.end_byte, self._reach[-1] if self._reach else 0))

    def around(self, at: int) -> tuple[int, int] | None:
        """Where the function begins and ends that `at` lies in, the innermost."""
        number = bisect_right(self._starts, at) - 1
        while number >= 0 and self._reach[number] > at:
            if self._nodes[number].end_byte > at:
                return self._nodes[number].start_byte, self._nodes[number].end_byte
            number -= 1
        return None

    def arguments(self, place: tuple[int, int]) -> list[tuple[Word, ...]] | None:
        """The arguments of each call of the function at `place`; None where not all that it gets is known."""
        if place not in self._known:
            self._known[place] = self._arguments(place)
        return self._known[place]

    def _arguments(self, place: tuple[int, int]) -> list[tuple[Word, ...]] | None:
        name = self._names[bisect_right(self._starts, place[0]) - 1]
        if self._often[name] != 1 or _SHIFTS.search(self._text, *place):
            return None
        if _PLAIN.fullmatch(name):
            mentions = self._mentions[name]
        else:
            pattern = rf"(?<![\w./-]){re.escape(name)}(?![\w./-])"
            mentions = len(re.findall(pattern, self._without_comments))
        if self._commands is None:
            return None
        calls = self._commands.get(name, [])
        in_arguments = sum(word.literal == name for each in calls for word in each.words[1:])
        if mentions != len(calls) + 1 + in_arguments or not all(each.certain for each in calls):
            return None
        return [each.words[1:] for each in calls]

    def runs(self, name: str) -> str:
        """Whether a function of this name runs what it is given: its `words`, or a `text`; "" if it does not."""
        bodies = [node for node, own in zip(self._nodes, self._names, strict=True) if own == name]
        found = ""
        for node in bodies:
            for each in self._every:
                if node.start_byte < each.place[0] < node.end_byte:
                    texts = [word.raw if word.value is None else word.value for word in each.words]
                    at = prefixes.begin(texts, "\0")
                    if at < len(texts) and _ALL.fullmatch(texts[at]):
                        return "words"
            if _GIVEN.search(_SAYS.sub("", self._text[node.start_byte : node.end_byte])):
                found = "text"
        return found

    @cached_property
    def _every(self) -> tuple[Command, ...]:
        """All commands; none if they are not understood."""
        try:
            return self._script.commands()
        except UnparsableError:
            return ()

    @cached_property
    def _names(self) -> list[str]:
        return [self._of(node.child_by_field_name("name")) for node in self._nodes]

    @cached_property
    def _often(self) -> Counter[str]:
        return Counter(self._names)

    @cached_property
    def _mentions(self) -> Counter[str]:
        return Counter(_PLAIN.findall(self._without_comments))

    @cached_property
    def _commands(self) -> dict[str, list[Command]] | None:
        """The commands, by what they run; None if they are not understood."""
        if not self._every:
            return None
        found: dict[str, list[Command]] = {}
        for each in self._every:
            if each.words and each.words[0].value is not None:
                found.setdefault(each.words[0].value, []).append(each)
        return found

    def _of(self, node: Node | None) -> str:
        return self._text[node.start_byte : node.end_byte] if node is not None else ""

    @cached_property
    def _without_comments(self) -> str:
        parts: list[str] = []
        begin = 0
        for start, end in self._script.comment_places():
            parts.append(self._text[begin:start])
            begin = end
        return "".join((*parts, self._text[begin:]))
