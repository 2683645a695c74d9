"""Shell functions and the arguments that they are called with (POSIX shell, 2.9.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pinner.text.shell import Script, UnparsableError, Word

if TYPE_CHECKING:
    from tree_sitter import Node

_SHIFTS = re.compile(r"\b(?:shift|set[ \t]+--|getopts)\b")


class Functions:
    """The functions of a shell text."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._text = script.shell.text
        self._nodes = script.flow.get("function", [])

    def around(self, at: int) -> tuple[int, int] | None:
        """Where the function begins and ends that `at` lies in, the innermost."""
        found = next((node for node in reversed(self._nodes) if node.start_byte <= at < node.end_byte), None)
        return None if found is None else (found.start_byte, found.end_byte)

    def arguments(self, place: tuple[int, int]) -> list[tuple[Word, ...]] | None:
        """The arguments of each call of the function at `place`; None where not all that it gets is known."""
        name = self._name(place)
        start, end = place
        if name is None or _SHIFTS.search(self._text, start, end):
            return None
        mentions = re.findall(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])", self._without_comments)
        try:
            commands = self._script.commands(name)
        except UnparsableError:
            return None
        calls = [each for each in commands if each.words and each.words[0].value == name]
        in_arguments = sum(word.literal == name for each in calls for word in each.words[1:])
        if len(mentions) != len(calls) + 1 + in_arguments or not all(each.certain for each in calls):
            return None
        return [each.words[1:] for each in calls]

    def _name(self, place: tuple[int, int]) -> str | None:
        """The function's name, if no other has it."""
        names = [self._of(node.child_by_field_name("name")) for node in self._nodes]
        own = next(
            (name for name, node in zip(names, self._nodes, strict=True) if node.start_byte == place[0]), ""
        )
        return own if own and names.count(own) == 1 else None

    def _of(self, node: Node | None) -> str:
        return self._text[node.start_byte : node.end_byte] if node is not None else ""

    @property
    def _without_comments(self) -> str:
        parts: list[str] = []
        begin = 0
        for start, end in self._script.comment_places():
            parts.append(self._text[begin:start])
            begin = end
        return "".join((*parts, self._text[begin:]))
