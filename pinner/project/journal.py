"""Several files replaced as one: a journal beside the lock, so that a kill at any moment leaves all old or all new.

Under a lock on the project's folder a writer

1. writes the journal, which names the new files it is about to lay down beside their places,
2. lays them down and syncs them,
3. replaces the journal by one that says it is complete, and syncs the folder: from here on the new state holds,
4. renames each new file to its place, and removes the journal.

Whoever reads the project next finds no journal, or an incomplete one (what was laid down is removed: all is old), or a
complete one (the renames are finished: all is new). A file that was changed since is not overwritten.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pinner.archive.cache import alone
from pinner.errors import InputError
from pinner.project import git
from pinner.project.tree import Folder
from pinner.values import NamedTuple

NAME = ".pinner-journal"
_DRAFT = f"{NAME}.new"


class FileMove(NamedTuple):
    """A new file `draft` in `folder`, which is to become the file `name` there. `before` and `after` are the digests of
    what `name` held ("" if it was not there) and of the new file."""

    folder: Folder
    draft: str
    name: str
    before: str
    after: str

    @property
    def place(self) -> Path:
        """Where the new file is to go."""
        return self.folder.path / self.name


def digest(data: bytes | None) -> str:
    """SHA-256 in hex; "" for a file that is not there."""
    from hashlib import sha256

    return "" if data is None else sha256(data).hexdigest()


def draft_of(name: str, token: str) -> str:
    """What the new file for `name` is called until then."""
    return f".{name}.{token}.pinner"


def write(project: Folder, moves: Sequence[FileMove], *, complete: bool) -> None:
    """Put down the journal of these moves. Raises `OSError`."""
    import json

    entries = [
        {
            "place": Path(os.path.relpath(move.place, project.path)).as_posix(),
            "draft": move.draft,
            "before": move.before,
            "after": move.after,
        }
        for move in moves
    ]
    text = json.dumps({"journal": 1, "complete": complete, "files": entries}, indent=1)
    project.remove(_DRAFT)
    project.create(_DRAFT, text.encode())
    project.rename(_DRAFT, NAME)
    project.sync()


def remove(project: Folder) -> None:
    """The moves are done, or given up."""
    project.remove(NAME)
    project.remove(_DRAFT)


def is_there(folder: Path) -> bool:
    """Whether a killed run left something to finish or undo in a project."""
    return os.path.lexists(folder / NAME) or os.path.lexists(folder / _DRAFT)


def refuse_foreign(folder: Path) -> None:
    """Raises `InputError` for a journal that no run of this user's can have left: a link, another user's, or one that
    git tracks, so that it came with the checkout."""
    for name in (NAME, _DRAFT):
        try:
            seen = (folder / name).lstat()
        except OSError:
            continue
        if not stat.S_ISREG(seen.st_mode):
            problem = "it is no regular file"
        elif hasattr(os, "geteuid") and seen.st_uid != os.geteuid():
            problem = "it belongs to another user"
        elif git.tracks(folder / name):
            problem = "git tracks it: it came with the checkout"
        else:
            continue
        raise InputError(f"is not obeyed: {problem}", path=str(folder / name), hint="remove it")


def recover(path: Path) -> None:
    """Finish or undo what a killed run left in a project. Raises `InputError` if that would lose changes made since."""
    refuse_foreign(path)
    with alone(path), ExitStack() as stack:
        try:
            project = stack.enter_context(Folder(path, path))
            text = project.read(NAME)
            if text is None:  # another process was faster, or only the draft is there
                remove(project)
                return
            complete, moves = _parsed(path, text, stack)
            if complete:
                finish(path, moves)
            else:
                for move in moves:
                    move.folder.remove(move.draft)
            remove(project)
        except OSError as error:
            raise _error(path, error.strerror or str(error)) from None


def finish(project: Path, moves: Sequence[FileMove]) -> None:
    """Do the renames of a complete journal that are not done yet. Raises `InputError` and `OSError`."""
    open_moves = []
    for move in moves:
        now = digest(move.folder.read(move.name))
        if now == move.after:
            continue
        if now != move.before or digest(move.folder.read(move.draft)) != move.after:
            raise _error(
                project, f"{os.path.relpath(move.place, project)} was changed since a run was interrupted"
            )
        open_moves.append(move)
    for move in open_moves:
        move.folder.rename(move.draft, move.name)
    for move in moves:
        move.folder.remove(move.draft)
        move.folder.sync()


def _parsed(path: Path, text: bytes, stack: ExitStack) -> tuple[bool, list[FileMove]]:
    """What the journal says. It may come from anybody: no place outside of the folder, no draft of another name."""
    import json

    try:
        data: Any = json.loads(text)
        entries = [(str(each["place"]), str(each["draft"])) for each in data["files"]]
        digests = [(str(each["before"]), str(each["after"])) for each in data["files"]]
        complete = data["complete"] is True and data["journal"] == 1
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _error(path, "it is not a journal of pinner's") from None
    moves = []
    for (where, draft), (before, after) in zip(entries, digests, strict=True):
        place = path / where
        token = draft.removeprefix(f".{place.name}.").removesuffix(".pinner")
        strange = _error(path, f"it names {where!r} and {draft!r}, which pinner would not write")
        if ".." in place.parts or place == path or not place.is_relative_to(path) or not token.isalnum():
            raise strange
        if draft != draft_of(place.name, token):
            raise strange
        try:
            folder = stack.enter_context(Folder(place.parent, path))
        except (OSError, ValueError):
            raise strange from None
        moves.append(FileMove(folder, draft, place.name, before, after))
    return complete, moves


def _error(folder: Path, problem: str) -> InputError:
    hint = "restore the project's files from version control and delete this journal"
    return InputError(problem, path=str(folder / NAME), hint=hint)
