"""Another version in the place of the one that a word has."""

from __future__ import annotations

from pinner.edit.span import Edit, Span, encode
from pinner.recipe.arguments import Request
from pinner.regex import later

_QUOTES = ('"', "'")
_ESCAPED = later(r"[^'\"=]*=((?:[^'\"\\=]|\\[*?\[\]])+)")


def repin(request: Request, version: str) -> Edit | None:
    """The edit that puts `version` in the place of the request's pin: in its word, or in the value of a variable.

    None where the pin is not written in one piece, or the piece cannot say it. A version with a `*` that would stand
    bare is quoted, so that the shell cannot expand it.
    """
    told = request.version
    if told is not None:
        start, end = len(told.before), len(version) - len(told.after)
        if end <= start or not (version.startswith(told.before) and version.endswith(told.after)):
            return None
        text = encode(version[start:end], told.levels)
        return None if text is None else Edit(told.span, text)
    span, guarded = _place(request)
    if span is None:
        return None
    text = encode(f'"{version}"' if "*" in version and not guarded else version, request.word.levels)
    return None if text is None else Edit(span, text)


def _place(request: Request) -> tuple[Span | None, bool]:
    """Where the word has its version, and whether no shell looks for globs there."""
    word, pin = request.word, request.pin
    body = word.raw[:-1] if word.raw.endswith(_QUOTES) else word.raw
    if body.endswith(pin) and body.removesuffix(pin).rstrip("'\"").endswith("="):
        end = word.span.start + len(body)
        return Span(end - len(pin), end), word.guarded
    escaped = _ESCAPED.fullmatch(word.raw)
    if escaped and escaped[1].replace("\\", "") == pin:
        return Span(word.span.start + escaped.start(1), word.span.end), False
    return None, False
