"""One module a command: flags to options, one workflow, print, exit status.

click loads in two thirds of its time by what is here.
"""

from __future__ import annotations

import gc
import sys
from types import ModuleType
from typing import Any

# A run is short and leaves little garbage in cycles; looking for it at the default rate slows a warm run down.
gc.set_threshold(1_000_000, 20, 100)


class _Late(ModuleType):
    """Stands in for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # to import something from it asks for this
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(__import__(self.__name__), name)


class _Inspect(_Late):
    """It brings Python's own parser. click needs it for the help of commands, and of options that are written over
    several lines."""

    def cleandoc(self, text: str) -> str:
        """As the real one."""
        return self.__getattr__("cleandoc")(text) if "\n" in text or "\t" in text else text.lstrip(" ")


class _Gettext(_Late):
    """All texts are English, click's own too: to look for others takes longer than to read the command line."""

    def gettext(self, message: str) -> str:
        """The message."""
        return message

    def ngettext(self, one: str, several: str, number: int) -> str:
        """The message about so many."""
        return one if number == 1 else several


class _Uuid(_Late):
    """click has a type of options for it, which pinner does not use."""

    UUID = type("UUID", (), {})


def _load_click() -> None:
    """Load it with others in the place of modules that it hardly needs; only itself sees those of the last two."""
    for each in (_Inspect("inspect"), _Late("ipaddress"), *(own := (_Gettext("gettext"), _Uuid("uuid")))):
        sys.modules.setdefault(each.__name__, each)
    import click  # noqa: F401

    for each in own:
        if sys.modules[each.__name__] is each:
            del sys.modules[each.__name__]


_load_click()
