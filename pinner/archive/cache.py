"""The cache directory: what lies where, and how files come into being there.

    indices/<SHA-256 of the Packages file>.<schema>.sqlite    see `store`; and what `index` keeps beside it
    releases/<SHA-256 of URI, suite and keys>                 see `load`
    images/                                                   see `registry`
    snapshots/<SHA-256 of the question>                       see `snapshot`
    keys/<SHA-256 of the content>, <of the address>.last      see `keys`
    cve/debian, cve/ubuntu                                    see `advisories`
    seen/versions, locks                                      see `seen`
    http/<SHA-256 of the URL>                                 see `kept`
    new/                                                      files being written

The directory belongs to the user, and like apt's lists nothing in it is verified against a signature a second
time; damage is noticed by a digest in the file's name, a digest before its content or a CRC, and what is damaged is
as good as absent. Hence nothing waits for the disk: a file that a loss of power tears is fetched anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from pinner.errors import CacheError

SCHEMA = 3  # of the stores of indices
_FORM = b"2"  # of all that `keep` is given: with another one nothing is kept
_ABANDONED = 24 * 3600.0  # seconds after which a file in `new` belongs to a run that was killed


class Cache:
    """The files below `root`, which comes into being with the first file written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.http = root / "http"
        self.releases = root / "releases"
        self.indices = root / "indices"
        self.images = root / "images"
        self.snapshots = root / "snapshots"
        self.seen = root / "seen"
        self.keys = root / "keys"
        self.cve = root / "cve"

    def index(self, digest: str) -> Path:
        """Where the store of the Packages file with this SHA-256 lies."""
        return self.indices / f"{digest}.{SCHEMA}.sqlite"

    def drop(self, digest: str) -> None:
        """Removes the store of the Packages file with this SHA-256, and what lies beside it."""
        for file in _files(self.indices):
            if file.name.startswith(digest):
                file.unlink(missing_ok=True)

    def write(self, path: Path, content: bytes) -> None:
        """Puts `content` at `path`: at any moment the old file is there, or the new one, and no half of it."""
        with self.new(path) as draft:
            draft.write_bytes(content)

    def keep(self, path: Path, content: bytes) -> None:
        """The same for content that `kept` gives back."""
        self.write(path, _digest(path, content) + content)

    def kept(self, path: Path) -> bytes:
        """What `keep` has put at `path`; nothing if there is none, or it is damaged."""
        with suppress(OSError):
            entry = path.read_bytes()
            if entry[:32] == _digest(path, entry[32:]):
                return entry[32:]
        return b""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes out that read and write what was seen."""
        with suppress(OSError):
            self.seen.mkdir(parents=True, exist_ok=True)
        return alone(self.seen)

    @contextmanager
    def new(self, path: Path) -> Iterator[Path]:
        """A draft's path; it becomes `path` at the end of the block, or vanishes. So do those of runs killed a day ago.

        Raises CacheError where the disk is full or the directory cannot be written.
        """
        draft = self.root / "new" / f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove(self._abandoned(time.time()))
            yield draft
            draft.replace(path)
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "make room (pinner cache prune), or name another directory in PINNER_CACHE_DIR"
            raise CacheError(f"{self.root}: the cache cannot be written: {reason}", hint=hint) from None
        finally:
            with suppress(OSError):
                draft.unlink()

    def prune(self, keep: frozenset[str], now: float) -> int:
        """Removes the indices whose digest is not in `keep` and the drafts of killed runs; the bytes set free.

        `now` is in seconds since the epoch.
        """
        kept = tuple(f"{self.index(digest).stem}." for digest in keep)
        superseded = [file for file in _files(self.indices) if not file.name.startswith(kept)]
        return _remove(superseded + self._abandoned(now))

    def _abandoned(self, now: float) -> list[Path]:
        found = []
        for file in _files(self.root / "new"):
            with suppress(FileNotFoundError):  # another process may be done with it
                if now - file.stat().st_mtime > _ABANDONED:
                    found.append(file)
        return found

    def clear(self) -> int:
        """Removes every file of the cache, and nothing else below `root`; the bytes set free."""
        directories = (
            *(self.http, self.releases, self.indices, self.images, self.snapshots),
            *(self.seen / "solved.d", self.seen, self.keys, self.cve, self.root / "new"),
        )
        freed = _remove([file for directory in directories for file in _files(directory)])
        for directory in directories:
            with suppress(OSError):
                directory.rmdir()
        return freed


def _digest(path: Path, content: bytes) -> bytes:
    """That of what is kept under a name, which it belongs to."""
    return sha256(b"\0".join((_FORM, os.fsencode(path.name), content))).digest()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes out that ask for the same folder; they wait. Where the system has no such locks, nobody."""
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


def _files(directory: Path) -> list[Path]:
    """What the cache keeps in one of its folders; a link is none of its own."""
    return sorted(directory.iterdir()) if directory.is_dir() and not directory.is_symlink() else []


def _remove(files: list[Path]) -> int:
    freed = 0
    for file in files:
        with suppress(FileNotFoundError, IsADirectoryError):  # another process may prune as well
            size = file.stat().st_size
            file.unlink()
            freed += size
    return freed
