"""Where a program is that pinner starts: the ground floor, which imports nothing of ours."""

from __future__ import annotations

import os


def find(name: str) -> str | None:
    """The path of the program `name`, or None if it is not installed.

    Only absolute folders of PATH are searched: an empty or relative one means the current directory, which is the
    checkout, and so does what Windows searches before PATH.
    """
    endings = ("", ".exe") if os.name == "nt" else ("",)
    for folder in os.get_exec_path():
        for ending in endings if os.path.isabs(folder) else ():  # noqa: PTH117
            path = os.path.join(folder, name + ending)  # noqa: PTH118
            if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
                return path
    return None
