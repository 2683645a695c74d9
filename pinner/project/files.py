"""Files: reading them as exact text, and writing several so that each is old or new, never half."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from pinner.archive.cache import alone
from pinner.errors import InputError
from pinner.project import journal, tree
from pinner.project.journal import FileMove
from pinner.project.tree import Folder


def read(path: Path, root: Path | None = None, limit: int = tree.LARGEST) -> str:
    """The text of a file, every character of it: line ends and BOM stay. Raises `InputError`.

    A `root` is that of what others have named: only a regular file inside of it is read (`tree.read`).
    """
    try:
        if root is not None:
            return decode(tree.read(path, root, limit), str(path))
        with path.open("rb") as file:
            data = tree.bounded(file, str(path), limit)
    except (OSError, ValueError) as error:
        hint = "name the files in it, or let pinner find them" if isinstance(error, IsADirectoryError) else ""
        raise InputError(getattr(error, "strerror", None) or str(error), path=str(path), hint=hint) from None
    return decode(data, str(path))


def decode(data: bytes, path: str) -> str:
    """UTF-8 `data` as text; `InputError` names the line and column of the first byte that is not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        byte = data[error.start]
        raise InputError(
            f"not UTF-8: byte 0x{byte:02x}",
            path=path,
            line=line,
            column=column,
            hint="convert the file to UTF-8",
        ) from None


def write(
    texts: Mapping[Path, str], expected: Mapping[Path, str | None], folders: Mapping[Path, Path] | None = None
) -> list[str]:
    """Write several files: all are laid down beside their places and synced, then renamed one after the other.

    A kill leaves each file old or new. `expected` is what each file held when it was read (None: there was none); one
    that has changed since is not overwritten. Owner, mode and attributes stay as far as this user may give them. A link
    inside of the work tree stays, and what it points to is written; none leads out of it (`tree`). `folders` names the
    project folder of a file: the files of a project are replaced as one (`journal`), what a kill leaves undone is done
    by `journal.recover`. Returns notes for people. Raises `InputError`, with no file changed, for anything that cannot
    be written.
    """
    token = os.urandom(4).hex()
    staged: dict[Path, FileMove] = {}
    projects: dict[Folder, list[FileMove]] = {}
    notes = []
    with ExitStack() as stack:
        opened: dict[Path, Folder] = {}

        def folder_at(place: Path, root: Path) -> Folder:
            if place not in opened:
                opened[place] = stack.enter_context(Folder(place, root))
            return opened[place]

        for path, text in texts.items():
            root = tree.root_of(path)
            project = (folders or {}).get(path)
            if project is not None and not tree.is_root(root):  # without git it is the project's folder
                own = tree.resolve(project)
                root = root if own.is_relative_to(root) else own
            place = tree.inside(path, root)
            try:
                folder = folder_at(place.parent, root)
                names = folder.stat(place.name).st_nlink if folder.has(place.name) else 1
                of_project = None if project is None else folder_at(tree.resolve(project), root)
            except OSError as error:
                raise _unwritable(path, error) from None
            if names > 1:
                notes.append(f"{path} had {names - 1} more names (hard links): they keep the old text")
            before = expected.get(path)
            staged[path] = move = FileMove(
                folder,
                journal.draft_of(place.name, token),
                place.name,
                journal.digest(None if before is None else before.encode("utf-8", "surrogateescape")),
                journal.digest(text.encode("utf-8")),
            )
            if of_project is not None and place.is_relative_to(of_project.path):
                projects.setdefault(of_project, []).append(move)
        for folder in sorted(projects, key=lambda each: each.path):
            stack.enter_context(alone(folder.path))
        _replace(staged, texts, expected, projects)
    return notes


def _replace(
    staged: Mapping[Path, FileMove],
    texts: Mapping[Path, str],
    expected: Mapping[Path, str | None],
    projects: Mapping[Folder, Sequence[FileMove]],
) -> None:
    """Lay the new files down, and rename them unless an old one has changed; the journal knows of it meanwhile."""
    settled = True
    try:
        _note(projects, complete=False)
        for path, move in staged.items():
            _stage(path, move, texts[path])
        for path, before in expected.items():
            if _now(path, staged[path]) != before:
                raise InputError(
                    "was changed by somebody else while pinner worked on it",
                    path=str(path),
                    hint="nothing was written; run pinner again",
                )
        settled = False
        _note(projects, complete=True)
        _rename(staged, expected)
        settled = True
    except InputError:
        settled = True
        raise
    except BaseException:
        if not settled:  # an interrupt in the middle of renaming
            for folder, moves in projects.items():
                journal.finish(folder.path, moves)
            settled = True
        raise
    finally:
        if settled:
            _tidy(staged.values(), projects)


def put(path: Path, text: str) -> None:
    """Write a file that the user has named, whatever it holds: a pipe or terminal, too. What a run that was killed has
    left of it goes away. Raises `InputError`."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
    except OSError as error:
        raise _unwritable(path, error) from None
    from glob import escape

    place = tree.resolve(path)
    with alone(place.parent):
        for draft in place.parent.glob(journal.draft_of(escape(place.name), "?" * 8)):
            draft.unlink(missing_ok=True)
        write({path: text}, {})


def _tidy(moves: Iterable[FileMove], projects: Iterable[Folder]) -> None:
    for move in moves:
        with suppress(OSError):
            move.folder.remove(move.draft)
    for project in projects:
        project.sync()
        with suppress(OSError):
            journal.remove(project)


def _note(projects: Mapping[Folder, Sequence[FileMove]], *, complete: bool) -> None:
    for project, moves in projects.items():
        try:
            journal.write(project, moves, complete=complete)
        except OSError as error:
            raise _unwritable(project.path / journal.NAME, error) from None


def _rename(staged: Mapping[Path, FileMove], expected: Mapping[Path, str | None]) -> None:
    """Put the new files in their places; where that fails (a file that is a mount of its own), the old ones again."""
    done: list[Path] = []
    for path, move in staged.items():
        try:
            move.folder.rename(move.draft, move.name)
        except OSError as error:
            for earlier in done:
                before, one = expected.get(earlier), staged[earlier]
                if before is None:
                    one.folder.remove(one.name)
                else:
                    _stage(earlier, one, before)
                    one.folder.rename(one.draft, one.name)
            raise InputError(
                f"cannot be replaced: {error.strerror or error}", path=str(path), hint="nothing was changed"
            ) from None
        done.append(path)


def _now(path: Path, move: FileMove) -> str | None:
    try:
        data = move.folder.read(move.name)
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path), hint="nothing was changed") from None
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be written: {error.strerror or error}", path=str(path), hint="nothing was changed"
    )


def _stage(path: Path, move: FileMove, text: str) -> None:
    folder, like = move.folder, None
    try:
        if folder.has(move.name):
            like = move.name
            if not folder.stat(like).st_mode & 0o222 or not folder.is_writable(like):
                raise PermissionError(13, "the file is read-only")
        folder.create(move.draft, text.encode("utf-8"), like)
    except OSError as error:
        raise _unwritable(path, error) from None


def relative(path: Path, folder: Path) -> str:
    """`path` as a lock names it: relative to `folder`, with forward slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()
