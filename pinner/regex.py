"""Regular expressions that are compiled when they are first used: most runs need few of them, and start sooner."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Later:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """`match`, `pattern` and all else that a compiled pattern has; from then on it is found without this."""
        value = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, value)
        return value


_ESCAPED = r"\\.|\[\^?\]?[^\]]*\]"
_REPEAT = r"(?:[*+?]|\{\d*,?\d*\})[?+]?"
_LONGEST, _MOST = 300, 3e7


def is_slow(pattern: str, longest: int, times: int = 1) -> bool:
    """Whether Python could take a time out of all proportion to look for a pattern, which a file names, in `times`
    texts of up to `longest` characters: it tries every way to share a text among the repeats."""
    if len(pattern) > _LONGEST:
        return True
    bare = re.sub(_ESCAPED, ".", pattern, flags=re.DOTALL).replace("(?:", "(").replace("(?", "(")
    repeats = len(re.findall(_REPEAT, bare))
    return times * max(longest, 2) ** repeats > _MOST or _repeats_choices(bare)


def _repeats_choices(bare: str) -> bool:
    """Whether a group is repeated that itself leaves a choice: another repeat, or branches that may begin alike."""
    groups = re.findall(r"\(([^()]*)\)[*+{]", bare)
    if len(groups) < len(re.findall(r"\)[*+{]", bare)):
        return True
    for group in groups:
        begins = [branch[:1] for branch in group.split("|")]
        if (
            re.search(r"[*+?{]", group)
            or len({*begins}) < len(begins)
            or (begins[1:] and {"", "."} & {*begins})
        ):
            return True
    return False


def later(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, whose errors come at the first use."""
    return cast("re.Pattern[AnyStr]", _Later(pattern, flags))
