"""Brace expansion as bash does it (bash(1), "Brace Expansion"), on a word as it is written.

It comes before all else that the shell does with a word, so that quotes, escapes and variables stand in what comes of
it as they stood in the word.
"""

from __future__ import annotations

import re

from pinner.regex import later

_ESCAPED = later(r"\\.", re.DOTALL)
# What bash passes over and is not followed.
_UNCLEAR = later(r"[$<>]\(|`|\$['\"]|[\s\x00-\x1f]")
_SEQUENCE = later(
    r"(?:(?P<first>-?\d{1,6})\.\.(?P<last>-?\d{1,6})|(?P<from>[a-z])\.\.(?P<to>[a-z])|(?P<From>[A-Z])\.\.(?P<To>[A-Z]))"
    r"(?:\.\.(?P<step>-?\d{1,6}))?"
)
_MOST = 1_000
_DEEPEST = 20


class _TooMuchError(Exception):
    """More words, or deeper braces, than any list of packages has; or braces that are not followed."""


def expanded(word: str) -> tuple[str, ...]:
    """The words that bash makes of `word`: itself, if it has no braces that expand; none, if that is not followed."""
    if _UNCLEAR.search(word):
        return ()
    try:
        return tuple(_expanded(word, 0))
    except _TooMuchError:
        return ()


def _expanded(text: str, depth: int) -> list[str]:
    """The preamble of the first braces, each word that they make, and what follows expanded in turn."""
    if depth > _DEEPEST:
        raise _TooMuchError
    done = [""]
    while True:
        start = _first(text)
        if start < 0:
            return _each(done, [text])
        end = _place(text, start + 1, "}")
        inside = text[start + 1 : end]
        own = _listed(inside, depth) if "," in _ESCAPED.sub("", inside) else _counted(inside)
        own = own or [text[start : end + 1]]
        done = _each(done, [text[:start] + each for each in own])
        text = text[end + 1 :]


def _each(heads: list[str], tails: list[str]) -> list[str]:
    if len(heads) * len(tails) > _MOST:
        raise _TooMuchError
    return [head + tail for head in heads for tail in tails]


def _first(text: str) -> int:
    """Where the first brace stands that another closes, -1 if there is none."""
    at = 0
    while True:
        at = _place(text, at, "{")
        if at < 0 or _place(text, at + 1, "}") >= 0:
            return at
        at += 1


def _place(text: str, at: int, wanted: str) -> int:
    """Where `wanted` next stands outside of quotes and other braces, -1 if nowhere.

    A closing brace is only found behind a comma or two full stops.
    """
    level = 0
    quote = ""
    separated = wanted != "}"
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            at += 2
            continue
        if char == "$" and text.startswith("{", at + 1) and quote != "'":
            level += not quote
            at += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == wanted and level == 0 and separated:
            if wanted != "{" or text[at : at + 2] != "{}" or at:
                return at
        elif char == "{":
            level += 1
        elif char == "}" and level:
            level -= 1
        elif level == 0 and (char == "," or (text.startswith("..", at) and not text.startswith("}", at + 2))):
            separated = True
        at += 1
    return -1


def _listed(text: str, depth: int) -> list[str]:
    """The words of a list in braces, each expanded in turn."""
    found: list[str] = []
    at = 0
    while True:
        end = _place(text, at, ",")
        found += _expanded(text[at : end if end >= 0 else len(text)], depth + 1)
        if len(found) > _MOST:
            raise _TooMuchError
        if end < 0:
            return found
        at = end + 1


def _counted(text: str) -> list[str]:
    """The words of `1..3` or `a..c`; none of what bash leaves as it is."""
    match = _SEQUENCE.fullmatch(text)
    if match is None:
        if ".." in text:
            raise _TooMuchError  # bash may know more of these
        return []
    step = abs(int(match["step"] or 0)) or 1
    if match["first"]:
        first, last = int(match["first"]), int(match["last"])
        padded = any(re.match(r"-?0\d", each) for each in (match["first"], match["last"]))
        width = max(len(match["first"]), len(match["last"])) if padded else 0
        if abs(last - first) // step >= _MOST:
            raise _TooMuchError
        way = 1 if first <= last else -1
        return [
            f"{number:0{width}d}" if width else str(number) for number in range(first, last + way, way * step)
        ]
    first, last = (ord(match[name] or match[name.title()]) for name in ("from", "to"))
    way = 1 if first <= last else -1
    return [chr(code) for code in range(first, last + way, way * step)]
