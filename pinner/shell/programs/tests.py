"""Conditions: test, `[ … ]`, `[[ … ]]`, true, false, and what tells whether a program is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinner.regex import later
from pinner.shell.content import UNKNOWN, Content
from pinner.shell.outcomes import Invocation, ProgramResult, ProgramStatus

if TYPE_CHECKING:
    from pinner.shell.process import Process
    from pinner.shell.state import State

_FOLDERS = later(r"/etc/apt/(?:sources\.list|preferences|apt\.conf|trusted\.gpg|auth\.conf)\.d")
_OPPOSITE: dict[ProgramStatus, ProgramStatus] = {"yes": "no", "no": "yes", "maybe": "maybe", "done": "maybe"}
_COMPARED = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}


def decide(shell: Process, words: Sequence[str], *, pattern: bool = False) -> ProgramStatus:
    """Whether a test holds; with `pattern` (`[[`) what stands behind `==` is a glob."""
    for operator, ends in (("||", "yes"), ("-o", "yes"), ("&&", "no"), ("-a", "no")):
        if operator in words[1:-1] and not (operator in ("-a", "-o") and len(words) < 4):
            at = list(words).index(operator, 1)
            one = decide(shell, words[:at], pattern=pattern)
            other = decide(shell, words[at + 1 :], pattern=pattern)
            if ends in (one, other):
                return "yes" if ends == "yes" else "no"
            return "maybe" if "maybe" in (one, other) else one
    if words and words[0] == "!":
        return _OPPOSITE[decide(shell, words[1:], pattern=pattern)]
    if len(words) == 1:
        return _truth(words[0], words[0] != "")
    if len(words) == 2:
        return _one(shell, words[0], words[1])
    if len(words) == 3:
        return _two(words[0], words[1], words[2], pattern=pattern)
    return "yes" if words == [] else "maybe"


def _truth(text: str, holds: bool) -> ProgramStatus:
    if UNKNOWN in text and not (holds and text.strip(UNKNOWN)):
        return "maybe"
    return "yes" if holds else "no"


def _one(shell: Process, operator: str, text: str) -> ProgramStatus:
    if operator == "-n":
        return _truth(text, text != "")
    if operator == "-z":
        return _OPPOSITE[_truth(text, text != "")]
    if operator in ("-f", "-e", "-s", "-r", "-w", "-x", "-d", "-L", "-h"):
        if UNKNOWN in text:
            return "maybe"
        path = shell.state.path(text)
        found = shell.state.read(path)
        if found is not None and not found.others:
            return "no" if operator == "-d" or (operator == "-s" and found.text == "") else "yes"
        if found is None and path.startswith("/etc/apt/"):
            return _folder(shell.state, operator, path)
    return "maybe"


def _folder(state: State, operator: str, path: str) -> ProgramStatus:
    """The same of what is no file: every image has apt's own folders, and one that was made may be empty."""
    removed = any(each.tree is None and each.inner(path) is not None for each in state.layers)
    if state.is_dir(path) or (_FOLDERS.fullmatch(path) and not removed):
        return "no" if operator in ("-f", "-L", "-h") else "yes"
    return "maybe" if operator == "-d" else "no"


def _two(left: str, operator: str, right: str, *, pattern: bool) -> ProgramStatus:
    if UNKNOWN in left or UNKNOWN in right or operator not in ("=", "==", "!=", *_COMPARED):
        return "maybe"
    if operator in _COMPARED:
        if not re.fullmatch(r"-?\d{1,9}", left) or not re.fullmatch(r"-?\d{1,9}", right):
            return "maybe"
        one, other = int(left), int(right)
        holds = {
            "-eq": one == other,
            "-ne": one != other,
            "-lt": one < other,
            "-le": one <= other,
            "-gt": one > other,
            "-ge": one >= other,
        }[operator]
        return "yes" if holds else "no"
    if pattern:
        from fnmatch import fnmatchcase

        same = fnmatchcase(left, right)
    else:
        same = left == right
    return "yes" if same == (operator != "!=") else "no"


def _test(call: Invocation) -> ProgramResult:
    words = call.words
    return ProgramResult(
        decide(call.shell, words[:-1] if call.name == "[" and words[-1:] == ["]"] else words)
    )


def _asked(call: Invocation) -> ProgramResult:
    return ProgramResult("maybe", Content(UNKNOWN))


ROWS = {
    "test": _test,
    "[": _test,
    "true": lambda call: ProgramResult("yes"),
    ":": lambda call: ProgramResult("yes"),
    "false": lambda call: ProgramResult("no"),
    **dict.fromkeys(
        (
            *("which", "type", "hash", "dpkg-query", "pgrep", "cmp", "diff", "mountpoint", "getent"),
            *("systemctl", "apt-config", "apt-cache", "expr", "command"),
        ),
        _asked,
    ),
}
