"""One layer of an image: its compressed bytes, as they come → what it says about a few paths.

Nothing is unpacked to a disk, and no more than a piece of the stream and the few files asked for is in memory. A digest
vouches for the whole compressed stream, so a layer that is begun is read to its end before anything from it counts.

Whiteouts: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal

from pinner.archive.tar import Tar, TarMember
from pinner.archive.unpack import UnpackedStream
from pinner.errors import InputError, TrustError
from pinner.images.manifests import Descriptor
from pinner.values import NamedTuple

LONGEST_FILE = 8 << 20
_MOST_KEPT = 16 << 20  # characters of one layer's files, names included
_MOST_ENTRIES = 20_000
# What may come out of a layer: Debian's own unpack to three times their size, a bomb to a thousand times.
_ROOM, _RATIO = 1 << 30, 100

#: How key files' names end.
KEY_FILES = (".gpg", ".asc", ".pgp", ".key")

EntryKind = Literal["file", "directory", "symlink", "hardlink", "other", "whiteout", "opaque"]


class LayerEntry(NamedTuple):
    """What a layer says about `path` (relative to the root, without `.` and `..`).

    `text` is the content of a file, or the target of a link. `whiteout` removes the path of the layers below, `opaque`
    what they have in the directory.
    """

    path: str
    kind: EntryKind
    text: str = ""


LayerEntries = tuple[LayerEntry, ...]


def read(chunks: Iterable[bytes], descriptor: Descriptor, wanted: frozenset[str], what: str) -> LayerEntries:
    """What the layer in `chunks` says about the `wanted` paths, the directories above, and what lies directly in them.

    Raises TrustError where the bytes are not those of `descriptor`, InputError where they are but cannot be read or ask
    for too much. `what` names the layer in messages.
    """
    stream = _Verified(chunks, descriptor, what)
    problem: InputError | None = None
    layer: LayerEntries = ()
    try:
        unpacked = UnpackedStream(stream, _ROOM + _RATIO * max(descriptor.size, 0), what)
        layer = _entries(Tar(unpacked, what), wanted, what)
    except InputError as error:
        problem = error
    for _ in stream:
        pass
    stream.check()
    if problem is not None:
        raise problem
    return layer


def asks_for(path: str, wanted: frozenset[str]) -> bool:
    """Whether `read` with these `wanted` paths would have kept an entry for `path`."""
    return path.rpartition("/")[0] in wanted or any(
        path == one or one.startswith(f"{path}/") for one in wanted
    )


def _entries(tar: Tar, wanted: frozenset[str], what: str) -> LayerEntries:
    exact = wanted | {above for path in wanted for above in _above(path)} | {""}
    found: dict[tuple[str, str], LayerEntry] = {}
    kept = 0
    while member := tar.next():
        path = _clean(member.name, what)
        directory, _, base = path.rpartition("/")
        if base == ".wh..wh..opq":
            entry = LayerEntry(directory, "opaque")
        elif base.startswith(".wh..wh."):  # aufs' own notes
            continue
        elif base.startswith(".wh."):
            entry = LayerEntry(f"{directory}/{base[4:]}".lstrip("/"), "whiteout")
        else:
            entry = LayerEntry(path, "other")
        if entry.path not in exact and entry.path.rpartition("/")[0] not in wanted:
            continue
        if entry.kind == "other":
            entry = _entry(path, member, tar, found, what)
        kept += len(entry.text) + len(entry.path)
        # A whiteout speaks of the layers below, whatever this one puts in the place.
        found[entry.path, entry.kind if entry.kind in ("whiteout", "opaque") else ""] = entry
        if kept > _MOST_KEPT or len(found) > _MOST_ENTRIES:
            raise InputError(f"{what} has more in the directories of apt and dpkg than can be real")
    return tuple(found.values())


def _entry(
    path: str, member: TarMember, tar: Tar, found: dict[tuple[str, str], LayerEntry], what: str
) -> LayerEntry:
    match member.kind:
        case "file":
            if member.size > LONGEST_FILE:
                raise InputError(
                    f"{what}: {path} is {member.size} bytes long; {LONGEST_FILE} are read at most"
                )
            # Bytes of keys that are no text come back by `encode`.
            errors = "surrogateescape" if path.endswith(KEY_FILES) else "replace"
            return LayerEntry(path, "file", tar.content(member).decode("utf-8", errors))
        case "sparse":
            raise InputError(f"{what}: {path} is stored as a sparse file, which is not read")
        case "symlink":
            return LayerEntry(path, "symlink", member.target)
        case "hardlink":
            target = _clean(member.target, what)
            other = found.get((target, ""))
            return (
                LayerEntry(path, "file", other.text)
                if other and other.kind == "file"
                else LayerEntry(path, "hardlink", target)
            )
        case kind:
            return LayerEntry(path, kind)


def _clean(name: str, what: str) -> str:
    """`name` relative to the image's root, in one spelling; Docker, too, refuses a layer with a name that leaves it."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise InputError(f"{what} has a member whose name leaves the image: {name[:200]!r}")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


class _Verified:
    def __init__(self, chunks: Iterable[bytes], descriptor: Descriptor, what: str) -> None:
        algorithm, _, self._expected = descriptor.digest.partition(":")
        self._hash = hashlib.new(algorithm)
        self._chunks = iter(chunks)
        self._size = descriptor.size
        self._what = what
        self._count = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._count += len(chunk)
        if 0 <= self._size < self._count:
            raise TrustError(f"{self._what} is longer than the {self._size} bytes that its manifest says")
        self._hash.update(chunk)
        return chunk

    def check(self) -> None:
        """Raises TrustError unless all that came is what was vouched for. Call it at the end."""
        if self._size >= 0 and self._count != self._size:
            raise TrustError(f"{self._what} ends after {self._count} of {self._size} bytes")
        if self._hash.hexdigest() != self._expected:
            raise TrustError(
                f"{self._what} has another digest: expected {self._expected}, found {self._hash.hexdigest()}",
                hint="the registry, a proxy or the archive delivers other bytes than the image was made of",
            )
