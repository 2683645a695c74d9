"""pinner: pins apt packages in Dockerfiles to what apt would install.

As a library: `pinner.lock`, `verify`, `refresh` and `scan` do what the commands do and return a `Result`. Each is
loaded when it is first used.

`pinner.lock` is a function of the library and the room of the lock file; this module keeps both.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinner.codes import Code as Code
    from pinner.edit.span import Place as Place
    from pinner.errors import PinnerError as PinnerError
    from pinner.report.diagnostic import Diagnostic as Diagnostic
    from pinner.session.library import Result as Result
    from pinner.session.library import lock as lock
    from pinner.session.library import refresh as refresh
    from pinner.session.library import scan as scan
    from pinner.session.library import verify as verify
    from pinner.session.run import Asked as Asked

__version__ = "0.1.0"

_PLACES = {
    **dict.fromkeys(("lock", "verify", "refresh", "scan", "Result"), "pinner.session.library"),
    "Asked": "pinner.session.run",
    "Code": "pinner.codes",
    "Place": "pinner.edit.span",
    "Diagnostic": "pinner.report.diagnostic",
    "PinnerError": "pinner.errors",
}


class _Library(ModuleType):
    """`pinner.lock` is the function, although a room has this name: its modules are found by their full names."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "lock" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Library


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)
