"""Files: finding them, reading them as exact text, and writing several so that each is old or new, never half."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from pinner.errors import InputError
from pinner.project import git, journal
from pinner.project.journal import Move
from pinner.recipe import kinds
from pinner.recipe.kinds import FileKind

_LARGEST = 64 * 2**20  # bytes
_SHEBANG = 128  # bytes that a first line may take
_TAKEN = frozenset({".github", ".gitlab", ".devcontainer"})
_PASSED_OVER = frozenset({"node_modules", "__pycache__"})


def find(folder: Path, exclude: Sequence[str] = (), only: Collection[FileKind] = kinds.KINDS) -> list[Path]:
    """The files below `folder` that may install packages, in order of path, as git sees them.

    That is, tracked, or untracked and not ignored. Dockerfiles are taken whatever they hold, files of other kinds if
    they speak of apt and install, or are GitLab's and include others; scripts also without a suffix, if they are
    executable and name a shell.
    """
    names = git.files(resolve(folder))
    if names is None:
        names = _walk(folder)
    place = resolve(folder).as_posix()
    return [
        folder / name
        for name in sorted(set(names))
        if not any(fnmatchcase(name, pattern) for pattern in exclude)
        and _is_taken(folder / name, f"{place}/{name}", only)
    ]


def _is_taken(path: Path, name: str, only: Collection[FileKind]) -> bool:
    kind = kinds.by_name(name)
    if kind is None and "." in name.rpartition("/")[2]:
        return False
    if kind is None and not os.access(path, os.X_OK):
        return False
    if (kind or "script") not in only or not path.is_file():
        return False
    if kind == "dockerfile":
        return True
    try:
        with path.open("rb") as file:
            begin = file.read(_SHEBANG)
            if kind is None and not kinds.is_script(begin.decode("utf-8", "replace")):
                return False
            data = begin + file.read(_LARGEST)
    except OSError:
        return False
    return (b"apt" in data and b"install" in data) or (kind == "gitlab" and b"include:" in data)


def _walk(folder: Path) -> list[str]:
    names = []
    for base, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if (not name.startswith(".") or name in _TAKEN) and name not in _PASSED_OVER
        ]
        names += [Path(base, name).relative_to(folder).as_posix() for name in files]
    return names


def read(path: Path, limit: int = _LARGEST) -> str:
    """The text of a file, every character of it: line ends and BOM stay. Raises `InputError`."""
    try:
        with path.open("rb") as file:
            data = bounded(file, str(path), limit)
    except OSError as error:
        hint = "name the files in it, or let pinner find them" if isinstance(error, IsADirectoryError) else ""
        raise InputError(error.strerror or str(error), path=str(path), hint=hint) from None
    return decode(data, str(path))


def bounded(file: BinaryIO, path: str, limit: int = _LARGEST) -> bytes:
    """All that `file` holds; `InputError` if that is more than any Dockerfile has, like /dev/zero."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"larger than {limit // 2**20} MiB", path=path, hint="is this the right file?")
    return data


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
    texts: Mapping[Path, str],
    expected: Mapping[Path, str | None],
    folders: Mapping[Path, Path] | None = None,
) -> None:
    """Write several files: all are laid down beside their places and synced, then renamed one after the other.

    A kill leaves each file old or new. `expected` is what each file held when it was read (None: there was none); one
    that has changed since is not overwritten. Modes stay; a symbolic link stays and what it points to is written.
    `folders` names the project folder of a file: the files of a project are replaced as one (`journal`), what a kill
    leaves undone is done by `journal.recover`. Raises `InputError`, with no file changed, for anything that cannot be
    written.
    """
    token = os.urandom(4).hex()
    staged: dict[Path, Move] = {}
    projects: dict[Path, list[Move]] = {}
    for path, text in texts.items():
        place = resolve(path)
        before = expected.get(path)
        move = Move(
            journal.draft_of(place, token),
            place,
            journal.digest(None if before is None else before.encode("utf-8", "surrogateescape")),
            journal.digest(text.encode("utf-8")),
        )
        staged[path] = move
        folder = (folders or {}).get(path)
        if folder is not None and place.is_relative_to(resolve(folder)):
            projects.setdefault(resolve(folder), []).append(move)
    with ExitStack() as stack:
        for folder in sorted(projects):
            stack.enter_context(journal.alone(folder))
        settled = True
        try:
            _note(projects, complete=False)
            for path, move in staged.items():
                _stage(path, move, texts[path])
            for path, before in expected.items():
                if _now(path) != before:
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
                    journal.finish(folder, moves)
                settled = True
            raise
        finally:
            if settled:
                _tidy(staged.values(), projects)


def _tidy(moves: Iterable[Move], folders: Iterable[Path]) -> None:
    for move in moves:
        with suppress(OSError):
            move.draft.unlink(missing_ok=True)
    for folder in folders:
        journal.sync(folder)
        with suppress(OSError):
            journal.remove(folder)


def _note(projects: Mapping[Path, Sequence[Move]], *, complete: bool) -> None:
    for folder, moves in projects.items():
        try:
            journal.write(folder, moves, complete=complete)
        except OSError as error:
            raise _unwritable(folder / journal.NAME, error) from None


def _rename(staged: Mapping[Path, Move], expected: Mapping[Path, str | None]) -> None:
    """Put the new files in their places; where that fails (a file that is a mount of its own), the old ones again."""
    done: list[Path] = []
    for path, move in staged.items():
        try:
            move.draft.replace(move.place)
        except OSError as error:
            for earlier in done:
                before, place = expected.get(earlier), staged[earlier].place
                if before is None:
                    place.unlink()
                else:
                    _stage(earlier, staged[earlier], before)
                    staged[earlier].draft.replace(place)
            raise InputError(
                f"cannot be replaced: {error.strerror or error}", path=str(path), hint="nothing was changed"
            ) from None
        done.append(path)


def _now(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path), hint="nothing was changed") from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be written: {error.strerror or error}", path=str(path), hint="nothing was changed"
    )


def _stage(path: Path, move: Move, text: str) -> None:
    """Lay the new file down at the draft's place, with the mode of the old one."""
    mode = None
    try:
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(move.place.stat().st_mode)
            if not mode & 0o222 or not os.access(move.place, os.W_OK):
                raise PermissionError(13, "the file is read-only")
        with move.draft.open("xb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            if mode is not None:
                move.draft.chmod(mode)
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from None


def relative(path: Path, folder: Path) -> str:
    """`path` as a lock names it: relative to `folder`, with forward slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()


def resolve(path: Path) -> Path:
    """What `path` points to, absolute; for a loop of links or a name that cannot be, as far as it goes."""
    return Path(os.path.realpath(path))


def distinct(paths: Iterable[Path]) -> list[Path]:
    """`paths` without repetition, by what they point to."""
    return list({resolve(path): path for path in paths}.values())
