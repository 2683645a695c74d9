"""Shell texts inside others: the strings of `sh -c`, the JSON of the exec form, here-documents."""

from __future__ import annotations

import re

from pinner.text import prefixes
from pinner.text.dockerfile import Instruction
from pinner.text.shell import Command, Part, Script, Word
from pinner.text.span import Joined, Span

POSIX_SHELLS = frozenset(["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"])

_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*)"')
_JSON_ESCAPE = re.compile(r'\\(?:u[0-9a-fA-F]{4}|(["\\/bfnrt]))')
_JSON_MEANING = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SINGLE = re.compile(r"'[^']*'\Z")
_DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*"\Z', re.DOTALL)
_IN_DOUBLE_QUOTES = re.compile(r'\\(?:([$`"\\])|\n)')
_IN_HEREDOC = re.compile(r"\\(?:([$`\\])|\n)")
_TABS = re.compile(r"^\t+", re.MULTILINE)
_COMMENT_OR_QUOTE = re.compile(
    r"""(?P<fold>\\\n)|\\.|'[^']*'|(?<![^\s;&|()])\#[^\n]*|(?P<quote>")
    |<<-?[ \t]*(?P<delimiter>['"])(?P<name>\w+)['"]""",
    re.DOTALL | re.VERBOSE,
)
_SHEBANG = re.compile(r"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+)*)?(?:\S*/)?(\S+)")


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
        part = Part("quoted", value.text, *match.span(1))
        whole = text.is_whole(*match.span())
        tail = text.origin(match.end() - 1)
        word = Word(span.of(source), value.text, span, (part,), tail, True, not whole, value.levels)
        found.append((word, value))
    return found


def script_operand(words: tuple[Word, ...]) -> int | None:
    """Which of the words behind a shell's name is the script of `-c`; -1 if it reads one from its standard input."""
    runs = False
    at = 0
    while at < len(words):
        value = words[at].value
        if value is None:
            return at if runs else None
        if value in ("-", "--"):
            at += 1
            break
        if value[:1] not in ("-", "+") or value in ("-", "/dev/stdin"):
            break
        if value.startswith("--"):
            at += 2 if value in ("--rcfile", "--init-file") else 1
            continue
        runs |= "c" in value[1:]
        at += 2 if value[-1] in ("o", "O") else 1
    if runs:
        return at if at < len(words) else None
    return -1 if at == len(words) or words[at].value in ("-", "/dev/stdin") else None


def string(script: Script, word: Word) -> Joined | None:
    """The text of a quoted word as the shell that gets it reads it; expansions in it stay as they are written."""
    if not word.parts:
        return None
    shell = script.shell
    start = word.parts[0].start - 1
    end = word.parts[-1].end + 1
    if start < 0 or end > len(shell.text):
        return None
    text = shell.text[start:end]
    inner = shell.part(start + 1, end - 1)
    if shell.span(start, end) != word.span:
        return None
    if _SINGLE.match(text):
        return inner.replaced((), "single")
    if _DOUBLE.match(text):
        return inner.replaced(_unescaped(_IN_DOUBLE_QUOTES, inner.text), "double")
    return None


def _unescaped(pattern: re.Pattern[str], text: str) -> list[tuple[int, int, str]]:
    return [(match.start(), match.end(), match[1] or "") for match in pattern.finditer(text)]


def heredoc(source: str, content: Span, *, expands: bool, tabs: bool) -> Joined:
    """The body of a here-document as the shell that gets it reads it; `expands` if its delimiter is not quoted."""
    text = Joined.without(source, content, [])
    if tabs:
        text = text.replaced([(*match.span(), "") for match in _TABS.finditer(text.text)])
    return text.replaced(_unescaped(_IN_HEREDOC, text.text)) if expands else text


def interpreter(text: str) -> str:
    """The program that a script's first line names, "" if none."""
    match = _SHEBANG.match(text)
    return match[1] if match else ""


def owner(script: Script, at: int) -> Command | None:
    """The command whose input is redirected at the index `at` of the shell's text."""
    behind = None
    before = None
    for command in script.commands(""):
        if command.place[0] <= at:
            before = command
        elif behind is None:
            behind = command
    text = script.shell.text
    if before is not None and not re.search(r"[;&|\n]", text[before.place[1] : at]):
        return before
    if behind is not None and not re.search(r"[;&|\n]", text[at : behind.place[0]]):
        return behind
    return None


def is_shell_input(command: Command) -> bool:
    """Whether a command is a shell that reads its script from its standard input."""
    at, name = prefixes.program(command.words)
    return name in POSIX_SHELLS and script_operand(command.words[at + 1 :]) == -1


def unfolded(text: Joined) -> Joined:
    """`text` of a script without its continued lines' backslash and newline (POSIX shell, 2.2.1)."""
    if "\\\n" not in text.text:
        return text
    ranges: list[tuple[int, int, str]] = []
    quoted = False
    at = 0
    while match := _COMMENT_OR_QUOTE.search(text.text, at):
        at = match.end()
        if match["fold"]:
            ranges.append((*match.span(), ""))
        elif match["quote"]:
            quoted = not quoted
        elif match["delimiter"] and not quoted:
            end = re.compile(rf"^\t*{match['name']}$", re.MULTILINE).search(text.text, at)
            at = end.end() if end else at
        elif quoted and match[0][0] != "\\":
            at = match.start() + 1
    return text.replaced(ranges)
