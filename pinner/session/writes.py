"""What a command would write in projects, and writing it: all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pinner.errors import printable
from pinner.lock.schema import Lock
from pinner.project import files
from pinner.session.projects import Project


class Writes:
    """What a command would write in a project (`texts`), and what these files held `before` (None: there was none)."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.texts: dict[Path, str] = {}
        self.before: dict[Path, str | None] = {}
        self.changed: dict[str, tuple[str, str]] = {}

    def change(self, name: str, old: str, new: str) -> None:
        """A file of the project, which has a place unless its text came from standard input."""
        if old != new:
            self.changed[name] = old, new
            if place := self.project.paths.get(name):
                self.before[place], self.texts[place] = old, new

    def change_lock(self, old: str | None, lock: Lock) -> str | None:
        """The lock, of which there is none until it holds something; what its file holds then."""
        from pinner.lock import reader, writer

        text, path = writer.dumps(lock), self.project.lock_path
        if text == old or (old is None and not lock.targets):
            return old
        reader.loads(text, str(path))
        self.before[path], self.texts[path] = old, text
        return text

    def diff(self) -> str:
        """What changes in the files, but for the lock."""
        from pinner.report.terminal import unified

        return "".join(unified(self.project.relative(name), *each) for name, each in self.changed.items())

    @property
    def wrote(self) -> Sequence[str]:
        """The changed files as people know them, the lock last."""
        here = Path.cwd()
        return [printable(files.relative(path, here), line=True) for path in self.texts]


def write(projects: Iterable[Writes]) -> list[str]:
    """Write the files of several projects, all or none; returns notes. Raises `InputError`."""
    texts: dict[Path, str] = {}
    before: dict[Path, str | None] = {}
    folders: dict[Path, Path] = {}
    for each in projects:
        texts |= each.texts
        before |= each.before
        folders |= dict.fromkeys(each.texts, each.project.lock_path.parent)
    return [printable(note, line=True) for note in files.write(texts, before, folders)]
