"""What the words and here-documents of a shell become before a program gets them (POSIX shell, 2.6 "Word Expansions").

What is not known is marked in the text (`state.UNKNOWN`). Globs are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pinner.regex import later
from pinner.shell import expand
from pinner.shell.content import UNKNOWN, Value
from pinner.values import NamedTuple

_PLAIN = later(r"[^\\'\"$`]+")
_IN_DOUBLE = later(r"[^\\\"$`]+")
_IN_HEREDOC = later(r"[^\\$`]+")
_SKIPPED = later(r"[^\\'\"`()#$]+|\\.|'[^']*'|\$'(?:[^'\\]|\\.)*'|(?<![^\s;&|(])#[^\n]*|.", re.DOTALL)
_ANSI = later(r"\\(?:([abefnrtv\\'\"?])|x([0-9a-fA-F]{1,2})|([0-7]{1,3}))")
_MEANS = dict(zip("abefnrtv", "\a\b\x1b\f\n\r\t\v", strict=True))
_BLANK = later(r"([ \t\n]+)")
_DEEPEST = 20


class Meaning(NamedTuple):
    """What names and commands in a text stand for: `variable` gives a value, several (`$@`), or None for one that is
    not set; `command` the output of the shell text from one index to another."""

    variable: Callable[[str], Value | tuple[Value, ...] | None]
    command: Callable[[int, int], Value]


def fields(text: str, start: int, end: int, meaning: Meaning) -> list[Value]:
    """The fields that the word from `start` to `end` of a shell text becomes."""
    raw = text[start:end]
    if _PLAIN.fullmatch(raw):
        return [Value(raw)]
    reader = _FieldReader(text, meaning)
    reader.read(start, end, "")
    return reader.fields()


def document(text: str, meaning: Meaning) -> tuple[Value, list[tuple[int, int, str]]]:
    """What the lines of a here-document are, and the ranges of the text that became another text."""
    reader = _FieldReader(text, meaning)
    ranges: list[tuple[int, int, str]] = []
    at = 0
    while at < len(text):
        begin, known = at, len(reader.parts)
        at = reader.step(begin, len(text), "heredoc")
        made = "".join(" " if part is None else part[0].text for part in reader.parts[known:])
        if made != text[begin:at]:
            ranges.append((begin, at, made))
    return reader.whole(), ranges


def word(text: str, start: int, end: int, meaning: Meaning) -> Value:
    """The word from `start` to `end` where no fields are split: in assignments and redirections."""
    raw = text[start:end]
    if _PLAIN.fullmatch(raw):
        return Value(raw)
    reader = _FieldReader(text, meaning)
    reader.read(start, end, "")
    return reader.whole()


def closing(text: str, at: int, end: int) -> int:
    """Where the parenthesis that was opened right before `at` is closed, -1 if it is not."""
    depth, quoted = 1, False
    while at < end:
        match = _SKIPPED.match(text, at, end)
        assert match is not None  # the pattern matches every character
        token = match[0]
        if quoted and token[0] in "'#" and len(token) > 1:
            at += 1
            continue
        at = match.end()
        if token == '"':
            quoted = not quoted
        elif token == "(" and (not quoted or text[at - 2 : at - 1] == "$" or depth > 1):
            depth += 1
        elif token == ")" and (not quoted or depth > 1):
            depth -= 1
            if not depth:
                return at - 1
    return -1


class _FieldReader:
    """Goes through a text once and gathers parts: what they are, and whether blanks in them separate fields."""

    def __init__(self, text: str, meaning: Meaning) -> None:
        self._text = text
        self._meaning = meaning
        self.parts: list[tuple[Value, bool] | None] = []
        self._depth = 0

    def whole(self) -> Value:
        """All parts as one text; several words of `$@` are parted by a blank."""
        texts = [" " if part is None else part[0].text for part in self.parts]
        return Value("".join(texts), tuple(name for part in self.parts if part for name in part[0].lists))

    def fields(self) -> list[Value]:
        """The parts, split into fields."""
        found: list[Value] = []
        texts: list[str] = []
        lists: tuple[str, ...] = ()

        def done() -> None:
            nonlocal lists
            if texts:
                found.append(Value("".join(texts), lists))
            texts.clear()
            lists = ()

        for part in self.parts:
            if part is None:
                done()
                continue
            (text, own), splits = part
            if not splits:
                texts.append(text)
                lists += own
                continue
            for piece in _BLANK.split(text):
                if piece.isspace():
                    done()
                elif piece:
                    texts.append(piece)
                    lists += own
        done()
        return found

    def _add(self, text: str, *, splits: bool = False, lists: tuple[str, ...] = ()) -> None:
        self.parts.append((Value(text, lists), splits))

    def read(self, at: int, end: int, inside: str) -> None:
        """Read on, within no quotes, double ones (`"`) or a here-document."""
        while at < end:
            at = self.step(at, end, inside)

    def step(self, at: int, end: int, inside: str) -> int:
        """Read one part; where it ends."""
        text = self._text
        plain = _IN_DOUBLE if inside == '"' else _IN_HEREDOC if inside else _PLAIN
        match = plain.match(text, at, end)
        if match:
            self._add(match[0])
            return match.end()
        char = text[at]
        if char == "\\":
            following = text[at + 1 : at + 2]
            if inside and following not in ("$`\\\n" if inside == "heredoc" else '$`"\\\n'):
                self._add("\\" + following)
            elif following != "\n":
                self._add(following)
            return at + 2
        if char == "'":
            stop = text.find("'", at + 1, end)
            stop = stop if stop >= 0 else end
            self._add(text[at + 1 : stop])
        elif char == '"':
            stop = self._quote(at + 1, end)
            self._add("")
            self.read(at + 1, stop, '"')
        elif char == "`":
            stop = text.find("`", at + 1, end)
            stop = stop if stop >= 0 else end
            self._command(at + 1, stop, splits=not inside)
        else:
            return self._dollar(at, end, splits=not inside)
        return stop + 1

    def _quote(self, at: int, end: int) -> int:
        """Where a double quote closes."""
        text = self._text
        while at < end:
            char = text[at]
            if char == '"':
                return at
            if char == "\\":
                at += 2
            elif char == "$" and text[at + 1 : at + 2] == "(":
                stop = closing(text, at + 2, end)
                at = stop + 1 if stop >= 0 else end
            elif char == "$" and text[at + 1 : at + 2] == "{" and (own := expand.parameter(text, at)):
                at = own.end
            else:
                at += 1
        return end

    def _dollar(self, at: int, end: int, *, splits: bool) -> int:
        text = self._text
        following = text[at + 1 : at + 2]
        if following == "(":
            stop = closing(text, at + 2, end)
            if stop < 0:
                self._add(UNKNOWN)
                return end
            if text.startswith("((", at + 1):
                self._add(UNKNOWN)
            else:
                self._command(at + 2, stop, splits=splits)
            return stop + 1
        if following == "'" and splits:
            stop = at + 2
            while stop < end and text[stop] != "'":
                stop += 2 if text[stop] == "\\" else 1
            self._add(_ANSI.sub(_unescaped, text[at + 2 : stop]))
            return stop + 1
        own = expand.parameter(text, at)
        if own is None or own.end > end:
            if following == "{":
                self._add(UNKNOWN)
                return end
            name = following if following and following in "#?!$-" else ""
            self._add(UNKNOWN if name else "$")
            return at + 1 + len(name)
        self._variable(own, splits=splits)
        return own.end

    def _command(self, start: int, stop: int, *, splits: bool) -> None:
        value = self._meaning.command(start, stop)
        self._add(value.text.rstrip("\n"), splits=splits, lists=value.lists)

    def _variable(self, own: expand.Parameter, *, splits: bool) -> None:
        found = self._meaning.variable(own.name)
        kind = own.operator[-1:]
        if isinstance(found, tuple) and not isinstance(found, Value):
            if not own.operator:
                for number, value in enumerate(found):
                    if number:
                        self.parts.append(None)
                    self._add(value.text, splits=splits, lists=value.lists)
                return
            found = found[0] if len(found) == 1 else Value(UNKNOWN)
        if own.operator[:1] in {":", "-", "=", "?", "+"} and kind in "-=?+":
            empty = found is None or (not found.text and own.operator[0] == ":")
            if empty == (kind in "-="):
                self._depth += 1
                if self._depth <= _DEEPEST:
                    self.read(*own.operand, "" if splits else '"')
                self._depth -= 1
            elif kind != "+":
                self._add(found.text if found else UNKNOWN, splits=splits, lists=found.lists if found else ())
            return
        if found is None:
            self._add(UNKNOWN, splits=splits)
        elif own.operator and UNKNOWN not in found.text:
            operand = word(self._text, *own.operand, self._meaning)
            self._add(
                UNKNOWN
                if UNKNOWN in operand.text
                else expand.operate(found.text, own.operator, operand.text),
                splits=splits,
            )
        else:
            self._add(found.text, splits=splits, lists=found.lists)


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return _MEANS.get(match[1], match[1])
    return chr(int(match[2], 16) if match[2] else int(match[3], 8))


def tokens(text: str) -> Iterator[tuple[int, int]]:
    """Where the blank-separated words of a test stand."""
    return iter(expand.spans(text, "\\"))
