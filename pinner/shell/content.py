"""What a file, a variable or a folder of a stage holds, as far as it is known; and the build context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from posixpath import basename
from typing import TYPE_CHECKING, Protocol

from pinner.edit.span import Joined
from pinner.shell.expand import Ways
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.apt.packages import PackageFile

#: Stands in a text for what is not known of it.
UNKNOWN = "\ufffc"
#: Characters of a text that are followed; a file of apt's has some hundred.
LONGEST = 1 << 20


class KeyOrigin(NamedTuple):
    """A key file at an address, in the build context (`context`), or in the base image, with its `content`."""

    url: str = ""
    context: str = ""
    image: str = ""
    content: bytes = b""


class Content(NamedTuple):
    """What a file holds: a `text`, or bytes of known `origins`, or neither: then it is not known.

    `file` is the file of the build context that it is a copy of. `at` is the offset in the Dockerfile of what made it
    (-1: it is the base image's), `by` names that for people. `others` may be there instead, where a condition decides.
    `place` tells where the lines of a here-document stand. `gone` tells that there is no such file. `live` marks a
    change of unknown kind that holds at once, before the next `apt-get update`; it matters to the packages that
    `serves` (globs; none: all) may name. `ways` are those of a traced output. `link` is the path that a symbolic link
    leads to; it holds nothing of its own.
    """

    text: str | None = None
    origins: tuple[KeyOrigin, ...] = ()
    file: str = ""
    at: int = -1
    by: str = ""
    others: tuple[Content, ...] = ()
    gone: bool = False
    live: bool = False
    serves: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    place: Joined | None = None
    ways: Ways = ()
    link: str = ""

    @property
    def known(self) -> str | None:
        """The text, if all of it is certain."""
        return None if self.others or self.text is None or UNKNOWN in self.text else self.text


GONE = Content("", gone=True)


class Value(NamedTuple):
    """A text with what is not known marked, and the files of the build context, or addresses, that it comes from.

    `ways` tell where it is written, and what it may be instead, if the walk traces that.
    """

    text: str
    lists: tuple[str, ...] = ()
    ways: Ways = ()


class FileTree(Protocol):
    """Files by path."""

    def read(self, path: str) -> Content | None:
        """What a file holds, None if there is none."""

    def names(self, path: str) -> Iterable[str]:
        """The names in a folder."""

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""


class BuildContext(Protocol):
    """The build context: files by their path from its root."""

    def text(self, path: str) -> str | None:
        """The text of a file, None if it is none."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""

    def names(self, path: str) -> Iterable[str]:
        """The names in a folder."""

    def deb(self, path: str) -> PackageFile | None:
        """What a .deb says of its package; None for what is none."""

    def archive(self, path: str) -> Mapping[str, str | None] | None:
        """The files of an archive by path, with their texts as far as they are short; None if it is none."""

    def name(self, path: str) -> str:
        """What the project calls a file."""

    def every(self) -> frozenset[str] | None:
        """The names of its files, perhaps with those of files that are left out; None where that takes too long."""


class EditedContext:
    """A build context in which some files have another text."""

    def __init__(self, context: BuildContext, edited: Callable[[str], str | None]) -> None:
        """`edited` gives the text of a file, None where that is as it was."""
        self._context = context
        self._edited = edited
        self.is_file, self.is_dir, self.name = context.is_file, context.is_dir, context.name
        self.names, self.archive, self.deb = context.names, context.archive, context.deb
        self.every = context.every

    def text(self, path: str) -> str | None:
        """The text of a file, None if it is none."""
        new = self._edited(path)
        return self._context.text(path) if new is None else new


class PartlyKnown:
    """A tree of which what some patterns match may not be there. A pattern is taken to match at every depth."""

    def __init__(self, tree: FileTree, patterns: Iterable[str]) -> None:
        self._tree = tree
        self._names = [basename(pattern.rstrip("/")) for pattern in patterns]

    def read(self, path: str) -> Content | None:
        """What a file holds: what may be excluded is not known."""
        from fnmatch import fnmatchcase

        content = self._tree.read(path)
        doubtful = any(fnmatchcase(part, name) for part in path.split("/") for name in self._names)
        return Content() if content and doubtful else content

    def names(self, path: str) -> Iterable[str]:
        """The names in a folder."""
        return self._tree.names(path)

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""
        return self._tree.is_dir(path)


class ContextTree:
    """The build context as files of a stage."""

    def __init__(self, context: BuildContext) -> None:
        self._context = context

    def read(self, path: str) -> Content | None:
        """A file of the context."""
        path = path.strip("/")
        if not self._context.is_file(path):
            return None
        return Content(self._context.text(path), (KeyOrigin(context=path),), path)

    def names(self, path: str) -> Iterable[str]:
        """The names in a folder."""
        return self._context.names(path.strip("/"))

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""
        return self._context.is_dir(path.strip("/"))
