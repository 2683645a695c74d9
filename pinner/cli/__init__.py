"""One module a command: flags to options, one workflow, print, exit status.

What is here comes before click, and makes it load in four fifths of the time.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType
from typing import Any

# A run is short and leaves little garbage in cycles; looking for it at the default rate slows a warm run down.
gc.set_threshold(1_000_000, 20, 100)


class _Late(ModuleType):
    """Stands in for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(__import__(self.__name__), name)


class _Inspect(_Late):
    """It brings Python's own parser. click needs it for the help of commands, and of options that are written over
    several lines."""

    def cleandoc(self, text: str) -> str:
        """As the real one."""
        return self.__getattr__("cleandoc")(text) if "\n" in text or "\t" in text else text.lstrip(" ")


class _Platform(_Late):
    """It compiles a dozen patterns. `uuid`, which click has for a type of options, asks it for the system's name."""

    def system(self) -> str:
        """As the real one where it is asked at the start."""
        return os.uname().sysname


# urllib has ipaddress for hosts in brackets.
for _each in (_Inspect("inspect"), _Platform("platform"), _Late("ipaddress")):
    sys.modules.setdefault(_each.__name__, _each)
