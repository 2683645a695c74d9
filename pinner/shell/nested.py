"""Shell texts inside others: the strings of `sh -c`, here-documents, and which shell reads a script."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinner.edit.span import Joined
from pinner.regex import later
from pinner.shell import prefixes
from pinner.shell.syntax import Command, Script, UnparsableError, Word

if TYPE_CHECKING:
    from pinner.shell.lexer import Range

POSIX_SHELLS = frozenset(["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"])

_SINGLE = later(r"'[^']*'\Z")
_DOUBLE = later(r'"(?:[^"\\]|\\.)*"\Z', re.DOTALL)
_IN_DOUBLE_QUOTES = later(r'\\(?:([$`"\\])|\n)')
_IN_HEREDOC = later(r"\\(?:([$`\\])|\n)")
_ENDS = later(r"[;&|\n]")
_TABS = later(r"^\t+", re.MULTILINE)
_SHEBANG = later(r"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+)*)?(?:\S*/)?(\S+)")


def script_operand(words: tuple[Word, ...], name: str = "sh") -> int | None:
    """Which of the words behind a shell's name is the script of `-c`; -1 if it reads one from its standard input."""
    if name == "eval":
        return 0 if len(words) == 1 else None
    if name in ("su", "runuser"):
        values = [word.value for word in words[:-1]]
        return next((at + 1 for at, each in enumerate(values) if each in ("-c", "--command")), None)
    if name not in POSIX_SHELLS:
        return None
    runs = reads = False
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
        reads |= value[0] == "-" and "s" in value[1:]
        at += 2 if value[-1] in ("o", "O") else 1
    if runs:
        return at if at < len(words) else None
    return -1 if reads or at == len(words) or words[at].value in ("-", "/dev/stdin") else None


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


def heredoc(text: Joined, *, expands: bool, tabs: bool) -> Joined:
    """The lines of a here-document as the shell that gets them reads them; `expands` if its name is not quoted."""
    if tabs:
        text = text.replaced([(*match.span(), "") for match in _TABS.finditer(text.text)])
    return text.replaced(_unescaped(_IN_HEREDOC, text.text), "heredoc") if expands else text


def interpreter(text: str) -> str:
    """The program that a script's first line names, "" if none."""
    match = _SHEBANG.match(text)
    return match[1] if match else ""


def shell_of(text: str) -> str:
    """The shell that a script's first line names, perhaps behind a program that starts it; "sh" without such a line."""
    name = interpreter(text)
    line = (word.rpartition("/")[2] for word in text.partition("\n")[0].split()) if name else ()
    return next((each for each in (name, *line) if each in POSIX_SHELLS), name) or "sh"


def owners(script: Script, operators: Sequence[Range]) -> list[Command | None]:
    """The commands that get the here-documents of `operators`; None for one that this is not clear of."""
    try:
        commands = script.commands()
    except UnparsableError:
        return [None] * len(operators)
    text = script.shell.text
    starts = [command.place[0] for command in commands]
    found = []
    for start, end in operators:
        at = bisect_right(starts, start)
        before, behind = commands[max(at - 1, 0) : at], commands[at : at + 1]
        near = [each for each in before if not _ENDS.search(text, each.place[1], start)]
        near += [each for each in behind if not near and not _ENDS.search(text, end, each.place[0])]
        # The last of several inputs counts.
        stop = _ENDS.search(text, end)
        other = text.find("<", end, stop.start() if stop else len(text)) >= 0
        found.append(near[0] if near and not other else None)
    return found


def is_shell_input(command: Command) -> bool:
    """Whether a command is a shell that reads its script from its standard input."""
    at, name = prefixes.program(command.words)
    return name in POSIX_SHELLS and script_operand(command.words[at + 1 :]) == -1


def unfolded(text: Joined) -> Joined:
    """`text` of a script without its continued lines' backslash and newline (POSIX shell, 2.2.1)."""
    if "\\\n" not in text.text:
        return text
    from pinner.shell.lexer import UnclearError, outline

    try:
        folds = outline(text.text).folds
    except UnclearError:
        return text  # it is not understood as a script either
    return text.replaced([(at, at + 2, "") for at in folds])
