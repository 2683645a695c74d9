"""The build context of a Dockerfile: the files beside it, or in the project's root, without what .dockerignore names.

The build context is named where the image is built: by a Compose or Bake file, say. Else it is nearly always one of
the two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from posixpath import normpath

from pinner.apt.packages import PackageFile
from pinner.errors import InputError
from pinner.project import files, tree

_LARGEST = 2**20  # bytes of a script, list or key
_LARGEST_TREE = 2**30  # bytes of what an archive unpacks to
_LARGEST_DEB = 2**28
_LONGEST_PATTERN, _MOST_PARTS = 4096, 100  # of a .dockerignore
_LONGEST_MEMBER, _MOST_MEMBERS = 2**16, 20_000  # of an archive
_MOST_NAMES = 5_000

#: The names of all files below folders, None where there are too many.
Names = dict[Path, frozenset[str] | None]


class ContextFiles:
    """The files of a build context, by their path from its root."""

    def __init__(
        self, dockerfile: Path, folder: Path, root: Path, own: Sequence[Path] = (), below: Names | None = None
    ) -> None:
        """`folder` is the project's, by which the lock names files; nothing outside of `root` is read. `own` are the
        folders that are known to be its build context. `below` is shared by those of a project."""
        self._folder = folder
        self._root = root
        self._dockerfile = dockerfile
        self._own = (*own, dockerfile.parent, folder)
        self._below: Names = {} if below is None else below
        self._places: dict[str, Path | None] = {}
        self._debs: dict[str, PackageFile | None] = {}
        self._archives: dict[str, Mapping[str, str | None] | None] = {}

    @cached_property
    def _roots(self) -> list[Path]:
        return list(dict.fromkeys(map(tree.resolve, self._own)))

    def _place(self, path: str) -> Path | None:
        """The file or folder that a path means, None if there is none."""
        if path not in self._places:
            self._places[path] = next(
                (
                    root / path
                    for root in self._roots
                    if ".." not in path.split("/")
                    and self._is_there(root / path)
                    and not ignored(path, self._ignores[root])
                ),
                None,
            )
        return self._places[path]

    def _is_there(self, path: Path) -> bool:
        with suppress(OSError, ValueError, InputError):
            return tree.inside(path, self._root).exists()
        return False

    @cached_property
    def _ignores(self) -> dict[Path, tuple[tuple[bool, str], ...]]:
        found = {}
        for root in self._roots:
            names = (f"{self._dockerfile.name}.dockerignore", ".dockerignore")
            own = [root / name for name in names if tree.is_file(root / name, self._root)]
            text = tree.read(own[0], self._root, _LARGEST) if own else b""
            found[root] = patterns(text.decode("utf-8", "replace"))
        return found

    def path(self, path: str) -> Path | None:
        """Where a file is; None if it is in doubt which is meant."""
        if ".." in path.split("/"):
            return None
        found = [root / path for root in self._roots if tree.is_file(root / path, self._root)]
        if len({tree.read(each, self._root) for each in found}) > 1:
            return None
        return self._place(path)

    def text(self, path: str) -> str | None:
        """The text of a file, None if it is none."""
        place = self.path(path)
        if place is None or not place.is_file() or place.stat().st_size > _LARGEST:
            return None
        with suppress(InputError):
            return files.read(place, self._root)
        return None

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        place = self._place(path)
        return place is not None and place.is_file()

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""
        place = self._place(path)
        return place is not None and place.is_dir()

    def names(self, path: str) -> Iterable[str]:
        """The names in a folder."""
        place = self._place(path)
        if place is None or not place.is_dir():
            return ()
        below = f"{path}/" if path else ""
        return [
            name
            for name in sorted(each.name for each in place.iterdir())
            if self._place(f"{below}{name}") is not None
        ]

    def deb(self, path: str) -> PackageFile | None:
        """What a .deb says of its package; None for what is none."""
        if path not in self._debs:
            place, self._debs[path] = self.path(path), None
            if place is not None and place.is_file():
                from pinner.archive.deb import read

                with suppress(InputError):
                    self._debs[path] = read(tree.read(place, self._root, _LARGEST_DEB), self.name(path))
        return self._debs[path]

    def archive(self, path: str) -> Mapping[str, str | None] | None:
        """The files of an archive by path, with their texts as far as they are short; None if it is none."""
        if path not in self._archives:
            place = self.path(path)
            self._archives[path] = None
            if place is not None and place.is_file():
                with suppress(InputError):
                    self._archives[path] = _members(tree.read(place, self._root), path)
        return self._archives[path]

    def name(self, path: str) -> str:
        """What the project calls a file."""
        place = self._place(path)
        return files.relative(place, self._folder) if place is not None else path

    def every(self) -> frozenset[str] | None:
        """The names of its files, perhaps with those of files that are left out; None where that takes too long."""
        found: frozenset[str] = frozenset()
        for root in self._roots:
            if root not in self._below:
                self._below[root] = _names_below(root)
            names = self._below[root]
            if names is None:
                return None
            found = found | names if found else names
        return found


def _names_below(folder: Path) -> frozenset[str] | None:
    """The names of the files below a folder but for those of git's own; None for too many, or behind a link."""
    found: set[str] = set()
    todo, seen = [os.fspath(folder)], 0
    with suppress(OSError):
        while todo:
            with os.scandir(todo.pop()) as entries:
                for each in entries:
                    seen += 1
                    if not each.is_dir():
                        found.add(each.name)
                    elif each.is_symlink():
                        return None
                    elif each.name != ".git":
                        todo.append(each.path)
            if seen > _MOST_NAMES:
                return None
        return frozenset(found)
    return None


def _members(content: bytes, path: str) -> Mapping[str, str | None] | None:
    """The files of an archive; None if it holds none, or too many. Raises `InputError` for what is no archive."""
    from pinner.archive.tar import Tar
    from pinner.archive.unpack import UnpackedStream

    archive = Tar(UnpackedStream(iter([content]), _LARGEST_TREE, path), path)
    found: dict[str, str | None] = {}
    room = _LARGEST
    while member := archive.next():
        if len(found) == _MOST_MEMBERS:
            return None
        name = normpath(member.name).lstrip("/")
        if member.kind in ("directory", "other") or name.startswith(".."):
            continue
        short = member.kind == "file" and member.size <= min(room, _LONGEST_MEMBER)
        found[name] = archive.content(member).decode("utf-8", "replace") if short else None
        room -= member.size if short else 0
    return found or None


def patterns(text: str) -> tuple[tuple[bool, str], ...]:
    """The patterns of a .dockerignore, each with whether it takes files in again."""
    found = []
    for line in text.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            inverse = pattern.startswith("!")
            found.append((inverse, _regex(pattern.removeprefix("!").strip().strip("/").removeprefix("./"))))
    return tuple(found)


def ignored(path: str, found: Sequence[tuple[bool, str]]) -> bool:
    """Whether a path, or a folder above it, is left out; the last pattern that matches decides."""
    out = False
    for inverse, pattern in found:
        if out == inverse and re.fullmatch(pattern, path):
            out = not inverse
    return out


@lru_cache(maxsize=256)
def _regex(pattern: str) -> str:
    """A pattern of .dockerignore (Go's filepath.Match, and `**`) for a path and all below it.

    What stands between two stars is looked for once, where it fits first, as in `resolve.patterns.glob`.
    """
    parts = [each for each in pattern.split("/") if each]
    if len(parts) > _MOST_PARTS or len(pattern) > _LONGEST_PATTERN:
        return "(?!)"
    out: list[str] = []
    for at, part in enumerate(parts):
        if part.startswith("**"):
            if at == len(parts) - 1 and part == "**":
                out.append(".*")
                break
            out.append("(?>(?:.*?/)?")
            if part == "**":
                continue
            part = part[1:]
        out.append(_part(part) + ("/" if at < len(parts) - 1 else ""))
    return f"{_once(out, '(?>(?:.*?/)?', '(?:.*/)?')}(?:/.*)?"


def _part(pattern: str) -> str:
    out: list[str] = []
    for token in re.findall(r"\*+|\?|\[[^\]]*\]|\\.|.", pattern):
        if token.startswith("*"):
            out.append("(?>[^/]*?")
        elif token == "?":
            out.append("[^/]")
        elif token.startswith("[") and len(token) > 2:
            out.append(token)
        else:
            out.append(re.escape(token[-1:]))
    return _once(out, "(?>[^/]*?", "[^/]*")


def _once(parts: Sequence[str], star: str, last: str) -> str:
    """The parts, of which each `star` is closed before the next one; the last takes as much as leaves what follows."""
    count = sum(each == star for each in parts)
    out = ""
    for each in parts:
        if each != star:
            out += each
            continue
        out += ")" if out.count(star) else ""
        count -= 1
        out += star if count else last
    return out
