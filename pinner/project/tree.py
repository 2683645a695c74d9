"""The work tree: what is read in it because others named it, and what is written in it, never leads out of it.

Links inside of the tree are followed. Folders are opened one below the other and not through links, so that one that
is replaced by a link between looking and opening leads nowhere.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pinner.errors import InputError

LARGEST = 64 * 2**20  # bytes
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def resolve(path: Path) -> Path:
    """What `path` points to, absolute; for a loop of links or a name that cannot be, as far as it goes."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:  # ValueError: a NUL in it
        raise InputError(getattr(error, "strerror", None) or str(error), path=str(path)) from None


def root_of(path: Path) -> Path:
    """The folder that the file named `path` belongs to, without links: the root of the git work tree that the name lies
    in; outside of one the current directory, if it holds the file; else the file's own folder."""
    here = current()
    place = here / path
    if ".." in place.parts:
        place = resolve(place.parent) / place.name
    trees = [resolve(each) for each in (place.parent, *place.parent.parents) if is_root(each)]
    if not trees:
        return resolve(here if place.is_relative_to(here) else place.parent)
    root = trees[0]
    for outer in trees[1:]:  # a link to another work tree leads out of the one that it lies in
        if not root.is_relative_to(outer):
            root = outer
    return root


def is_root(folder: Path) -> bool:
    """Whether a git work tree begins at `folder`: by a `.git` of the folder's owner, this user or root. In one that all
    may write, like /tmp, it could be anybody's."""
    try:
        name = os.path.join(folder, ".git")  # noqa: PTH118, most folders have none: that is found out soonest so
        owner = os.lstat(name).st_uid
        mine = os.geteuid() if hasattr(os, "geteuid") else 0
        return owner in (mine, 0, folder.stat().st_uid) and os.path.exists(name)  # noqa: PTH110
    except OSError:
        return False


def current() -> Path:
    """The current directory. Raises `InputError` if it is not there any more."""
    try:
        return Path.cwd()
    except OSError as error:
        raise InputError(f"the current directory cannot be used: {error.strerror}") from None


def inside(path: Path, root: Path) -> Path:
    """What `path` points to. Raises `InputError` if that lies outside of `root`."""
    place = resolve(path)
    if not place.is_relative_to(root):
        hint = "pinner follows no link out of a work tree, and no `..`: put the file itself there"
        raise InputError(f"leads out of the work tree {root}, to {place}", path=str(path), hint=hint)
    return place


def is_file(path: Path, root: Path) -> bool:
    """Whether there is a regular file at `path`, inside of `root`."""
    with suppress(OSError, ValueError, InputError):
        return stat.S_ISREG(inside(path, root).lstat().st_mode)
    return False


def read(path: Path, root: Path, limit: int = LARGEST) -> bytes:
    """The content of the regular file at `path`, which is not the user's own word. Raises `InputError`."""
    place = inside(path, root)
    try:
        with Folder(place.parent, root) as folder, folder.open(place.name) as file:
            return bounded(file, str(path), limit)
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path)) from None


def bounded(file: BinaryIO, path: str, limit: int = LARGEST) -> bytes:
    """All that `file` holds; `InputError` if that is more than any Dockerfile has, like /dev/zero."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"larger than {limit // 2**20} MiB", path=path, hint="is this the right file?")
    return data


class Folder:
    """A folder inside of a work tree, held open: names in it mean what they meant, whatever becomes of its path.

    `path` and `root` are without links. Its methods raise `OSError`.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self._handle: int | None = None
        if not _BY_DESCRIPTOR:
            return
        flags = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | _NO_LINK
        handle = os.open(root, flags)
        for part in path.relative_to(root).parts:
            try:
                inner = os.open(part, flags, dir_fd=handle)
            finally:
                os.close(handle)
            handle = inner
        self._handle = handle

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the folder back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _named(self, name: str) -> str | Path:
        return name if self._handle is not None else self.path / name

    def has(self, name: str) -> bool:
        """Whether there is something of that name."""
        with suppress(FileNotFoundError):
            self.stat(name)
            return True
        return False

    def stat(self, name: str) -> os.stat_result:
        """Of the file itself: a link is not followed."""
        return os.stat(self._named(name), dir_fd=self._handle, follow_symlinks=False)

    def open(self, name: str) -> BinaryIO:
        """To read it. What is no regular file is refused, and not waited for."""
        handle = os.open(self._named(name), os.O_RDONLY | _NO_LINK | _NO_WAIT, dir_fd=self._handle)
        try:
            if not stat.S_ISREG(mode := os.fstat(handle).st_mode):
                raise OSError("Is a directory" if stat.S_ISDIR(mode) else "Not a regular file")
            return os.fdopen(handle, "rb")
        except BaseException:
            os.close(handle)
            raise

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if there is none."""
        try:
            with self.open(name) as file:
                return bounded(file, str(self.path / name))
        except FileNotFoundError:
            return None

    def create(self, name: str, data: bytes, like: str | None = None) -> None:
        """A new file, on the disk when this returns; with the owner, mode and further attributes of the file `like`, as
        far as this user may give them."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
        with os.fdopen(os.open(self._named(name), flags, 0o666, dir_fd=self._handle), "wb") as file:
            file.write(data)
            file.flush()
            if like is not None:
                self._imitate(file.fileno(), like)
            os.fsync(file.fileno())

    def _imitate(self, handle: int, like: str) -> None:
        with self.open(like) as old:
            known, own = os.fstat(old.fileno()), os.fstat(handle)
            if hasattr(os, "fchown") and (known.st_uid, known.st_gid) != (own.st_uid, own.st_gid):
                for owner in ((-1, known.st_gid), (known.st_uid, -1)):
                    with suppress(OSError):
                        os.fchown(handle, *owner)
            if hasattr(os, "fchmod"):
                same = os.fstat(handle).st_uid == known.st_uid
                os.fchmod(handle, stat.S_IMODE(known.st_mode) & (0o7777 if same else 0o777))
            if hasattr(os, "listxattr"):  # access control lists and labels among them
                with suppress(OSError):
                    for name in os.listxattr(old.fileno()):
                        with suppress(OSError):
                            os.setxattr(handle, name, os.getxattr(old.fileno(), name))

    def rename(self, old: str, new: str) -> None:
        """`new` is replaced by `old`."""
        os.replace(self._named(old), self._named(new), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def remove(self, name: str) -> None:
        """Away with a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._named(name), dir_fd=self._handle)

    def is_writable(self, name: str) -> bool:
        """Whether this user may write the file."""
        return os.access(self._named(name), os.W_OK, dir_fd=self._handle)

    def sync(self) -> None:
        """Makes the names last, where the system can."""
        if self._handle is not None:
            with suppress(OSError):
                handle = os.open(".", os.O_RDONLY, dir_fd=self._handle)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
