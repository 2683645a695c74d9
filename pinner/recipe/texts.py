"""The shell texts of a Dockerfile's instructions: the strings of the exec form, and lines with their here-documents."""

from __future__ import annotations

from pinner.edit.span import Joined
from pinner.recipe.dockerfile import Instruction
from pinner.regex import later
from pinner.shell.syntax import Word, WordPart

_STRING = later(r'"((?:[^"\\\x00-\x1f]|\\.)*)"')
_JSON_ESCAPE = later(r'\\(?:u[0-9a-fA-F]{4}|(["\\/bfnrt]))')
_JSON_MEANING = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def exec_form(source: str, instruction: Instruction) -> list[tuple[Word, Joined]]:
    """The strings of an exec form, each as a word and as the text that a shell would read."""
    text = instruction.text
    found = []
    for match in _STRING.finditer(text.text):
        inner = text.part(*match.span(1))
        ranges = []
        for escape in _JSON_ESCAPE.finditer(inner.text):
            char = escape[1]
            meaning = _JSON_MEANING.get(char, char) if char else chr(int(escape[0][2:], 16))
            ranges.append((*escape.span(), meaning))
        value = inner.replaced(ranges, "json")
        span = text.span(*match.span())
        part = WordPart("quoted", value.text, *match.span(1))
        whole = text.is_whole(*match.span())
        tail = text.origin(match.end() - 1)
        word = Word(span.of(source), value.text, span, (part,), tail, True, not whole, value.levels)
        found.append((word, value))
    return found


def with_heredocs(source: str, instruction: Instruction) -> Joined:
    """What BuildKit gives the shell of a RUN: its line, and behind it each here-document's lines and name."""
    parts = [instruction.text]
    for each in instruction.heredocs:
        start, end = each.content.start, each.content.end
        parts.append(Joined("\n", (0,), (start,), (start,)))
        parts.append(Joined.without(source, each.content, ()))
        parts.append(Joined(each.name, (0,), (end,), (end + len(each.name),)))
    return Joined.chain(parts)
