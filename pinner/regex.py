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


def later(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, whose errors come at the first use."""
    return cast("re.Pattern[AnyStr]", _Later(pattern, flags))
