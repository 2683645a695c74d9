"""What a comment tells pinner: `# pinner: suite=bookworm`, `# pinner: ignore`."""

from __future__ import annotations

import re

from pinner.edit.span import Span
from pinner.recipe.lines import refuse
from pinner.regex import later
from pinner.values import NamedTuple

_DIRECTIVE = later(r"#+\s*pinner:\s*(.*?)\s*\Z", re.DOTALL)
_SETTING = later(r"([A-Za-z-]+)(?:\s*=\s*(\S+))?\Z")

# Which keys there are, and whether they take a value.
_KEYS = {"suite": True, "repositories": True, "ignore": False, "allow": False}


class Directive(NamedTuple):
    """A comment `# pinner: key=value` (or `# pinner: key`, with `value` empty)."""

    key: str
    value: str
    span: Span


def read(text: str, comment: Span) -> Directive | None:
    """The directive in the comment at `comment`, None if it speaks of something else.

    Raises `InputError` for one that pinner does not know: a mistyped `ignore` must not go unnoticed.
    """
    match = _DIRECTIVE.match(comment.of(text))
    if match is None:
        return None
    setting = _SETTING.match(match[1])
    if setting is None or setting[1] not in _KEYS:
        word = setting[1] if setting else match[1]
        raise refuse(text, comment, f"unknown pinner directive {word!r}", _hint(word))
    key, value = setting[1], setting[2] or ""
    if _KEYS[key] and not value:
        raise refuse(
            text, comment, f"the pinner directive {key!r} needs a value", f"write `# pinner: {key}=...`"
        )
    if value and not _KEYS[key]:
        raise refuse(
            text, comment, f"the pinner directive {key!r} takes no value", f"write `# pinner: {key}`"
        )
    return Directive(key, value, comment)


def _hint(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, _KEYS, n=1)
    known = "there are `# pinner: suite=NAME`, `# pinner: repositories=ignore`, `# pinner: ignore`, `# pinner: allow`"
    return f"did you mean {near[0]!r}? {known}" if near else known
