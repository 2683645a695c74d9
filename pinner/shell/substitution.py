"""Quote removal and `${…}` as BuildKit does them in FROM and ARG (Dockerfile reference, "Environment replacement").

This is not the shell's: no fields are split, no commands run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pinner.regex import later

# Deeper nesting of ${…} than any person writes is treated as unknown instead of followed.
_DEEPEST = 20

_OPERATOR = later(r":?[-+?]")
_TOKEN = later(
    r"""(?P<single>'[^']*')|(?P<double>")|\$(?P<name>[A-Za-z_]\w*)|\$\{(?P<brace>[A-Za-z_]\w*)|(?P<char>.)""",
    re.DOTALL | re.ASCII,
)
_WORD = later(r"""(?:[^\s'"\\]|\\.?|'[^']*'|"(?:[^"\\]|\\.)*"|['"])+""", re.DOTALL)
_WORD_BACKTICK = later(r"""(?:[^\s'"`]|`.?|'[^']*'|"(?:[^"`]|`.)*"|['"])+""", re.DOTALL)


def words(text: str, escape: str) -> list[str]:
    """The blank-separated words of `text`, quotes kept; a quoted blank does not separate."""
    return [text[start:end] for start, end in spans(text, escape)]


def spans(text: str, escape: str) -> list[tuple[int, int]]:
    """Where the `words` of `text` stand."""
    return [match.span() for match in (_WORD if escape == "\\" else _WORD_BACKTICK).finditer(text)]


def substitute(word: str, values: Mapping[str, str | None], escape: str) -> str | None:
    """`word` with quotes removed and variables replaced; None when something in it is not known.

    `values` maps a variable to its value, or to None when it has one that is not known here. A variable that is
    absent is empty, as in Docker.
    """
    result, end = _expand(word, 0, values, escape, "", 0)
    return result if end == len(word) else None


def _expand(
    word: str, at: int, values: Mapping[str, str | None], escape: str, stop: str, depth: int
) -> tuple[str | None, int]:
    """Expand from `at` up to an unquoted `stop`; the result, and where it ended."""
    out: list[str] = []
    known = depth <= _DEEPEST
    quoted = False
    while known and at < len(word):
        if word[at] == stop and not quoted:
            return "".join(out), at
        if word[at] == escape and at + 1 < len(word):
            if quoted and word[at + 1] not in f'"${escape}':
                out.append(escape)
            out.append(word[at + 1])
            at += 2
            continue
        match = _TOKEN.match(word, at)
        if match is None:
            break
        at = match.end()
        if match["single"] and not quoted:
            out.append(match["single"][1:-1])
        elif match["double"]:
            quoted = not quoted
        elif match["name"]:
            value = values.get(match["name"], "")
            known = value is not None
            out.append(value or "")
        elif match["brace"]:
            value, at = _braced(word, at, match["brace"], values, escape, depth)
            known = value is not None
            out.append(value or "")
        elif match["single"]:
            # A single quote inside double quotes is a character like others.
            out.append("'")
            at = match.start() + 1
        else:
            out.append(match["char"])
    return ("".join(out) if known and not quoted and not stop else None), at


def _braced(
    word: str, at: int, name: str, values: Mapping[str, str | None], escape: str, depth: int
) -> tuple[str | None, int]:
    """What follows `${NAME`: `}` or one of `:-x} -x} :+x} +x} :?x} ?x}`; other operators are not followed."""
    value = values.get(name, "")
    if word.startswith("}", at):
        return value, at + 1
    operator = _OPERATOR.match(word, at)
    if operator is None:
        return None, at
    other, end = _expand(word, operator.end(), values, escape, "}", depth + 1)
    if not word.startswith("}", end) or value is None:
        return None, end
    given = value != "" if operator[0].startswith(":") else name in values
    kind = operator[0][-1]
    if kind == "-":
        return (value if given else other), end + 1
    if kind == "+":
        return (other if given else ""), end + 1
    return (value if given else None), end + 1
