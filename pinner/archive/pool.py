"""The .debs of a lock → a directory, each under its name only once its size and SHA-256 are right.

    DIR/pool/main/c/curl/curl_7.88.1-10_amd64.deb     as in the archive
    DIR/partial/<SHA-256>                             what a run that broke off leaves, for the next to go on with

The lock vouches for every byte: neither the archive's signature nor its index is asked for.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import file_digest
from pathlib import Path
from types import TracebackType

from pinner.apt.digest import algorithm, label
from pinner.archive import parallel
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.archive.snapshot import Mirror, Snapshots
from pinner.distributions.moments import split
from pinner.errors import FetchError, InputError, TrustError
from pinner.lock.schema import LockedPackage
from pinner.regex import later

_AT_ONCE = 4
_PLACE = later(r"(?:[A-Za-z0-9][A-Za-z0-9+._~%:-]*/)*[A-Za-z0-9][A-Za-z0-9+._~%:-]*\.deb")
_GONE = (
    "an archive keeps a superseded version for a short while only: move the lock on with `pinner refresh`, or lock a "
    "snapshot; single files are kept at https://snapshot.debian.org"
)


class Pool:
    """A directory that is filled from the archives, or from the snapshots of them that the lock names."""

    def __init__(self, root: Path, network: Network, snapshots: Snapshots) -> None:
        self._root = root
        self._partial = root / "partial"
        self._reporter = network.reporter
        self._live = Fetcher(network)
        self._snapshots = snapshots

    def fetch(self, packages: Sequence[LockedPackage]) -> tuple[LockedPackage, ...]:
        """Fetches what is missing or damaged, and returns it; all else in the directory stays.

        Raises FetchError, TrustError, and InputError for the directory and for a lock that names no place in it.
        """
        _check_places(packages)
        for folder in (self._partial, *(self._root / Path(package.filename).parent for package in packages)):
            self._check_inside(folder)
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self._root, error) from None
        wanted = [package for package in packages if not self._is_there(package)]
        kept: list[Callable[[], None]] = []
        live: list[Callable[[], None]] = []
        for package in sorted(wanted, key=lambda package: -package.size):
            (kept if split(package.uri) else live).append(partial(self._one, package))
        try:
            parallel.run(live, _AT_ONCE)
            parallel.run(kept, 1)  # see `pace`
        finally:
            self._live.close()
            self._snapshots.close()
        with suppress(OSError):
            self._partial.rmdir()
        return tuple(wanted)

    def _is_there(self, package: LockedPackage) -> bool:
        return not _fault(self._root / package.filename, package)

    def _one(self, package: LockedPackage) -> None:
        place, draft_path = self._root / package.filename, self._partial / package.digest
        attempt = partial(self._verified, package)
        with Draft(draft_path) as draft:
            try:
                if split(package.uri):
                    self._snapshots.first(lambda mirror: attempt(draft, mirror))
                else:
                    attempt(draft, self._live)
            except TrustError:
                draft_path.unlink(missing_ok=True)
                raise
            except FetchError as error:
                if error.status not in (404, 410):
                    raise
                draft_path.unlink(missing_ok=True)
                raise FetchError(
                    f"{package.id} is gone: {error.message}",
                    url=error.url,
                    status=error.status,
                    tries=error.tries,
                    hint=_GONE,
                ) from None
            draft.sync()
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                self._check_inside(place.parent)
                draft_path.replace(place)
            except OSError as error:
                raise _unwritable(place, error) from None

    def _check_inside(self, folder: Path) -> None:
        """Raises InputError for one that a symbolic link puts elsewhere: a checkout may have brought it."""
        if not folder.resolve().is_relative_to(self._root.resolve()):
            raise InputError("leads out of the directory", path=str(folder), hint="remove the symbolic link")

    def _verified(self, package: LockedPackage, draft: Draft, door: Fetcher | Mirror) -> None:
        """Fetch what is missing of a draft, until it is what was locked; what is not goes away."""
        begun = len(draft)
        if begun > package.size:
            draft.clear()
        try:
            self._get(package, draft, door)
            fault = _fault(draft.path, package)
            if fault and begun:  # the beginning that lay there may have been another's
                draft.clear()
                self._get(package, draft, door)
                fault = _fault(draft.path, package)
            if fault:
                raise TrustError(
                    f"{url(package)}: {fault}",
                    hint="the archive serves another file than the one that was locked: try another mirror, and find "
                    "out why before you lock again",
                )
        except TrustError:
            draft.clear()
            raise

    def _get(self, package: LockedPackage, draft: Draft, door: Fetcher | Mirror) -> None:
        if len(draft) < package.size:
            progress = self._reporter(package.name, package.size)
            door.save(url(package), draft, limit=package.size, progress=progress)


class Draft:
    """A file that grows, and that no other process works on meanwhile. Raises InputError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(path, flags, 0o666), "ab")
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise InputError("is a symbolic link", path=str(path), hint="remove it") from None
            raise _unwritable(path, error) from None
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise InputError(
                "another run is fetching this file", path=str(path), hint="wait for its end, then try again"
            ) from None
        self._size = self._file.seek(0, os.SEEK_END)
        self._changed = threading.Lock()

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._file.close()

    def __len__(self) -> int:
        return self._size

    def extend(self, piece: bytes | bytearray) -> None:
        """Writes the next bytes."""
        try:
            self._file.write(piece)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._size += len(piece)

    def clear(self) -> None:
        """Begins anew."""
        try:
            self._file.truncate(0)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._size = 0

    def sync(self) -> None:
        """Returns once it is on the disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from None


def url(package: LockedPackage) -> str:
    """Where the archive has a .deb."""
    return f"{package.uri}/{package.filename}"


def _check_places(packages: Sequence[LockedPackage]) -> None:
    """A lock is a file like any other: it must not lead out of the directory, nor two files to one place."""
    taken: dict[str, LockedPackage] = {}
    for package in packages:
        if not _PLACE.fullmatch(package.filename):
            raise InputError(
                f"the lock names no .deb of a pool for {package.id}: {package.filename!r}",
                hint="restore the lock from version control, or delete it and run `pinner lock`",
            )
        other = taken.setdefault(package.filename, package)
        if other.digest != package.digest:
            raise InputError(
                f"{other.id} of {other.uri} and {package.id} of {package.uri} are two files with one name: "
                f"{package.filename}",
                hint="choose among the targets with --file, --stage and --platform, a directory for each",
            )


def _fault(path: Path, package: LockedPackage) -> str:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != package.size:
                return f"{size} bytes instead of {package.size}"
            digest = file_digest(file, algorithm(package.digest)).hexdigest()
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path)) from None
    return "" if digest == package.digest else f"{label(package.digest)} {digest} instead of {package.digest}"


def _unwritable(path: Path, error: OSError) -> InputError:
    hint = "make room or name another directory; a rerun goes on where this one ended"
    return InputError(f"cannot be written: {error.strerror or error}", path=str(path), hint=hint)
