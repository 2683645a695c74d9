"""Several files replaced as one: a journal beside the lock, so that a kill at any moment leaves all old or all new.

Under a lock on the project's folder a writer

1. writes the journal, which names the new files it is about to lay down beside their places,
2. lays them down and syncs them,
3. replaces the journal by one that says it is complete, and syncs the folder: from here on the new state holds,
4. renames each new file to its place, and removes the journal.

Whoever reads the project next finds no journal, or an incomplete one (what was laid down is removed: all is old), or a
complete one (the renames are finished: all is new). A file that somebody has changed since is not overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from pinner.errors import InputError

NAME = ".pinner-journal"
_DRAFT = f"{NAME}.new"


class Move(NamedTuple):
    """A new file at `draft`, beside `place`, where it is to go. `before` and `after` are the digests of what `place`
    held ("" if nothing) and of the new file."""

    draft: Path
    place: Path
    before: str
    after: str


def digest(data: bytes | None) -> str:
    """SHA-256 in hex; "" for a file that is not there."""
    from hashlib import sha256

    return "" if data is None else sha256(data).hexdigest()


def draft_of(place: Path, token: str) -> Path:
    """Where the new file for `place` is laid down."""
    return place.with_name(f".{place.name}.{token}.pinner")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other writers of the project out, for the moment of writing; they wait.

    Where the system has no such locks, the check that no file has changed since it was read must do.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with suppress(OSError):  # a network file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(folder: Path, moves: Sequence[Move], *, complete: bool) -> None:
    """Put down the journal of these moves. Raises `OSError`."""
    import json

    entries = [
        {
            "place": os.path.relpath(move.place, folder),
            "draft": move.draft.name,
            "before": move.before,
            "after": move.after,
        }
        for move in moves
    ]
    text = json.dumps({"journal": 1, "complete": complete, "files": entries}, indent=1)
    with (folder / _DRAFT).open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    (folder / _DRAFT).replace(folder / NAME)
    sync(folder)


def remove(folder: Path) -> None:
    """The moves are done, or given up."""
    (folder / NAME).unlink(missing_ok=True)
    (folder / _DRAFT).unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make the names in a folder last."""
    with suppress(OSError):  # not every system can sync a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def recover(folder: Path) -> None:
    """Finish or undo what a killed run left in a project. Raises `InputError` if that would lose somebody's work."""
    if not ((folder / NAME).exists() or (folder / _DRAFT).exists()):
        return
    with alone(folder):
        try:
            text = (folder / NAME).read_bytes()
        except FileNotFoundError:  # another process was faster, or only the draft is there
            remove(folder)
            return
        except OSError as error:
            raise _error(folder, error.strerror or str(error)) from None
        complete, moves = _parsed(folder, text)
        try:
            if complete:
                finish(folder, moves)
            else:
                for move in moves:
                    move.draft.unlink(missing_ok=True)
            remove(folder)
        except OSError as error:
            raise _error(folder, error.strerror or str(error)) from None


def finish(folder: Path, moves: Sequence[Move]) -> None:
    """Do the renames of a complete journal that are not done yet. Raises `InputError` and `OSError`."""
    open_moves = []
    for move in moves:
        now = digest(_content(move.place))
        if now == move.after:
            continue
        if now != move.before or digest(_content(move.draft)) != move.after:
            raise _error(
                folder, f"{os.path.relpath(move.place, folder)} was changed since a run was interrupted"
            )
        open_moves.append(move)
    for move in open_moves:
        move.draft.replace(move.place)
    for move in moves:
        move.draft.unlink(missing_ok=True)
        sync(move.place.parent)


def _parsed(folder: Path, text: bytes) -> tuple[bool, list[Move]]:
    """What the journal says. It may come from anybody: no place outside of the folder, no draft of another name."""
    import json

    try:
        data: Any = json.loads(text)
        entries = [(str(each["place"]), str(each["draft"])) for each in data["files"]]
        digests = [(str(each["before"]), str(each["after"])) for each in data["files"]]
        complete = data["complete"] is True and data["journal"] == 1
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _error(folder, "it is not a journal of pinner's") from None
    root = Path(os.path.realpath(folder))
    moves = []
    for (where, name), (before, after) in zip(entries, digests, strict=True):
        place = root / where
        token = name.removeprefix(f".{place.name}.").removesuffix(".pinner")
        if place != Path(os.path.realpath(place)) or not place.is_relative_to(root) or not token.isalnum():
            raise _error(folder, f"it names {where!r} and {name!r}, which pinner would not write")
        moves.append(Move(draft_of(place, token), place, before, after))
        if moves[-1].draft.name != name:
            raise _error(folder, f"it names {name!r}, which pinner would not write")
    return complete, moves


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _error(folder: Path, problem: str) -> InputError:
    return InputError(
        problem,
        path=str(folder / NAME),
        hint="restore the project's files from version control and delete this journal",
    )
