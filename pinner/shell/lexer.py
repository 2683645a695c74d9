"""The outline of a shell text: where lines are continued, where here-documents stand, where commands may be parted.

POSIX shell, 2.2 "Quoting", 2.3 "Token Recognition", 2.7.4 "Here-Document". The grammar does not take these where the
shell does, and what a here-document holds must never be taken for commands.

Here-documents are found by the shell's own rules, hidden from the grammar, and proved by it: at the place of each it
must see a redirection, and it must see no other. One is read if a shell gets it for certain. What the outer shell
expands in it (or in a string in double quotes) means what it means to that shell.
"""

from __future__ import annotations

import re
from typing import Literal

from pinner.regex import later
from pinner.values import NamedTuple

Range = tuple[int, int]

# A command's parenthesis, arithmetic and a parenthesis in it, and what is named by how it opens.
_Context = Literal["(", "((", "((.", "${", '"', "`"]

# What means something: in commands, in double quotes and `${…}`, in arithmetic.
_IN_COMMANDS = later(
    r"""\\.|'[^']*'|\$'(?:[^'\\]|\\.)*'|(?<![^\s;&|()<>`])\#[^\n]*
    |\$\(\(|\$\{|\$\(|(?<![^\s;&|(!])\(\(|[()"'`\n]
    |<<<|<<(?P<tabs>-?)[ \t]*(?P<name>(?:[^\s'"\\;&|()<>$`]|\\[^\n]|'[^'\n]*'|"[^"\n\\$`]*")*)""",
    re.DOTALL | re.VERBOSE,
)
_IN_QUOTES = later(r"""\\.|\$\(\(|\$\{|\$\(|["`]""", re.DOTALL)
_IN_BRACES = later(r"""\\.|'[^']*'|\$\(\(|\$\{|\$\(|["'`}]""", re.DOTALL)
# What a single quote means there depends on the operator; around these texts it does not matter.
_IN_QUOTED_BRACES = later(r"""\\.|\$?'(?:[^'"`$}\\\n]|\\[a-z0-9])*'|\$\(\(|\$\{|\$\(|["'`}]""", re.DOTALL)
_IN_ARITHMETIC = later(r"""\\.|\$\(\(|\$\{|\$\(|[()"`]""", re.DOTALL)
_OPENS: dict[str, _Context] = {"$((": "((", "((": "((", "${": "${", "$(": "(", "(": "(", '"': '"', "`": "`"}
_CLOSES = {("(", ")"), ("((.", ")"), ("${", "}"), ('"', '"'), ("`", "`")}
_PATTERNS: dict[_Context, re.Pattern[str]] = {
    "(": _IN_COMMANDS,
    "`": _IN_COMMANDS,
    '"': _IN_QUOTES,
    "${": _IN_BRACES,
    "((": _IN_ARITHMETIC,
    "((.": _IN_ARITHMETIC,
}
# What looks like arithmetic is read as that first; more often than any script is wrong about it would take long.
_MOST_RETRIES = 100
_QUOTING = later(r"""\\(.)|["']""")
_DESCRIPTOR = later(r"(?<![^\s;&|()])\d+\Z")


class UnclearError(Exception):
    """Where the here-documents of a text are is not certain."""


class Heredoc(NamedTuple):
    """A here-document: the ranges of `<<NAME`, of its lines, and of these with the line that ends it.

    `expands` tells that its name is not quoted, `tabs` that tabs that begin a line are left out; `descriptor` is the
    number before the operator.
    """

    operator: Range
    body: Range
    whole: Range
    expands: bool
    tabs: bool
    descriptor: str


class Outline(NamedTuple):
    """Of a text: where a backslash takes a newline away, its here-documents, and where a new line begins with nothing
    open, neither quotes nor parentheses."""

    folds: list[int]
    heredocs: list[Heredoc]
    lines: list[int]


class _Opened(NamedTuple):
    """A here-document whose lines are yet to come, and how deep it was opened."""

    operator: Range
    name: str
    expands: bool
    tabs: bool
    descriptor: str
    depth: int


def outline(text: str) -> Outline:
    """The outline of `text`. Raises `UnclearError`. Takes time linear in the text's size."""
    return _HeredocReader(text).read()


class _HeredocReader:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = Outline([], [], [])
        self._stack: list[tuple[_Context, int]] = []
        self._waiting: list[_Opened] = []
        self._no_arithmetic: set[int] = set()

    def read(self) -> Outline:
        """The outline."""
        at = 0
        while True:
            inside = self._stack[-1][0] if self._stack else "("
            pattern = _PATTERNS[inside]
            if inside == "${" and len(self._stack) > 1 and self._stack[-2][0] == '"':
                pattern = _IN_QUOTED_BRACES
            match = pattern.search(self._text, at)
            if match is None:
                break
            at = self._take(match, inside)
        if self._waiting or self._stack:
            raise UnclearError
        return self._found

    def _take(self, match: re.Match[str], inside: _Context) -> int:
        """Heed what was found; where to go on."""
        token, at = match[0], match.start()
        if token == "\\\n":
            self._found.folds.append(at)
        elif token == "\n":
            return self._line(match.end())
        elif token.startswith("<<") and token != "<<<":
            self._opened(match)
        elif token == "'":
            raise UnclearError
        elif (inside, token) in _CLOSES and self._stack:
            self._close()
        elif inside == "((" and token == ")":
            if not self._text.startswith("))", at):
                return self._no_arithmetic_after_all()
            self._close()
            return match.end() + 1
        elif token in _OPENS:
            opens = _OPENS[token]
            if inside in ("((", "((.") and token == "(":
                opens = "((."
            elif opens == "((" and at in self._no_arithmetic:
                self._stack += (("(", at), ("(", at))
                return match.end()
            self._stack.append((opens, at))
        return match.end()

    def _no_arithmetic_after_all(self) -> int:
        """What the last `((` opened is a subshell, as the shell sees when it does not end in `))`."""
        _, at = self._stack.pop()
        self._no_arithmetic.add(at)
        if len(self._no_arithmetic) > _MOST_RETRIES or any(each.operator[0] > at for each in self._waiting):
            raise UnclearError
        while self._found.folds and self._found.folds[-1] > at:
            self._found.folds.pop()
        while self._found.heredocs and self._found.heredocs[-1].operator[0] > at:
            self._found.heredocs.pop()
        return at

    def _close(self) -> None:
        self._stack.pop()
        if self._waiting and self._waiting[-1].depth > len(self._stack):
            raise UnclearError

    def _opened(self, match: re.Match[str]) -> None:
        raw = match["name"]
        if (
            not raw
            or any(context == "`" for context, _ in self._stack)
            or self._text[match.end() : match.end() + 1] in ("$", "`", '"', "'")
        ):
            raise UnclearError
        descriptor = _DESCRIPTOR.search(self._text, max(match.start() - 8, 0), match.start())
        self._waiting.append(
            _Opened(
                (match.start(), match.end()),
                _QUOTING.sub(lambda quoting: quoting[1] or "", raw),
                expands=not _QUOTING.search(raw),
                tabs=bool(match["tabs"]),
                descriptor=descriptor[0] if descriptor else "",
                depth=len(self._stack),
            )
        )

    def _line(self, at: int) -> int:
        """A new line begins at `at`: the lines of here-documents come first."""
        for opened in self._waiting:
            if opened.depth != len(self._stack):
                raise UnclearError
            at = self._body(opened, at)
        self._waiting.clear()
        if not self._stack:
            self._found.lines.append(at)
        return at

    def _body(self, opened: _Opened, start: int) -> int:
        """Where the here-document ends whose lines begin at `start`, its newline included."""
        text = self._text
        begin = start
        continued = False
        while begin < len(text):
            end = text.find("\n", begin)
            line = text[begin : end if end >= 0 else len(text)]
            if not continued and (line.lstrip("\t") if opened.tabs else line) == opened.name:
                stop = begin + len(line)
                self._found.heredocs.append(
                    Heredoc(
                        opened.operator,
                        (start, begin),
                        (start, stop),
                        opened.expands,
                        opened.tabs,
                        opened.descriptor,
                    )
                )
                return min(stop + 1, len(text))
            continued = opened.expands and (len(line) - len(line.rstrip("\\"))) % 2 == 1
            if continued and end >= 0:
                self._found.folds.append(end - 1)
            if end < 0:
                break
            begin = end + 1
        raise UnclearError
