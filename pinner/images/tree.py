"""Layers on top of each other: what an image has at a path. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pinner.errors import InputError
from pinner.images.layers import LayerEntries, LayerEntry

_MOST_LINKS = 40  # as Linux follows


class ImageTree:
    """The image that `layers` make, the topmost first; those below the last one are not known."""

    def __init__(self, layers: Sequence[LayerEntries]) -> None:
        self._entries: dict[str, LayerEntry] = {}
        self._gone: set[str] = set()
        self._opaque: set[str] = set()
        for layer in layers:
            shown = [
                entry
                for entry in layer
                if entry.kind not in ("whiteout", "opaque")
                and entry.path not in self._entries
                and not self._hidden(entry.path)
            ]
            self._entries |= {entry.path: entry for entry in shown}
            # A file wipes out what lies below its path, even where a higher layer makes a directory of it again.
            self._gone |= {entry.path for entry in layer if entry.kind not in ("directory", "opaque")}
            self._opaque |= {entry.path for entry in layer if entry.kind == "opaque"}

    def real(self, path: str) -> str:
        """The path that `path` leads to when links are followed, inside the image: `..` stops at its root."""
        done: list[str] = []
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del done[-1:]
            elif part not in ("", "."):
                done.append(part)
                entry = self._entries.get("/".join(done))
                if entry and entry.kind in ("symlink", "hardlink"):
                    links += 1
                    if links > _MOST_LINKS:
                        raise InputError(f"the image has a link that goes in circles: /{path}")
                    absolute = entry.kind == "hardlink" or entry.text.startswith("/")
                    del done[0 if absolute else -1 :]
                    todo += entry.text.split("/")[::-1]
        return "/".join(done)

    def text(self, path: str) -> str | None:
        """The content of the file that `path` leads to, None where there is none."""
        entry = self._entries.get(self.real(path))
        return entry.text if entry and entry.kind == "file" else None

    def names(self, directory: str) -> tuple[str, ...]:
        """The names in the directory that `directory` leads to, in the order of their bytes, as apt sorts them."""
        inside = self.real(directory)
        return tuple(
            sorted(path.rpartition("/")[2] for path in self._entries if path.rpartition("/")[0] == inside)
        )

    def settled(self, path: str, *, directory: bool = False) -> bool:
        """Whether no layer below can change what is at `path`, or in the directory `path`."""
        path = self.real(path)
        entry = self._entries.get(path)
        if entry and (not directory or entry.kind != "directory"):
            return True
        return self._hidden(path) or (directory and path in self._opaque)

    def _hidden(self, path: str) -> bool:
        """Whether the layers so far keep what those below have at `path` from being seen."""
        if path in self._gone or "" in self._opaque:
            return True
        while path := path.rpartition("/")[0]:
            if path in self._gone or path in self._opaque:
                return True
        return False
