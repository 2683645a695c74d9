"""One layer of an image: its compressed bytes, as they come → what it says about a few paths.

Nothing is unpacked to a disk, and no more than a piece of the stream and the few files asked for is in memory. A digest
vouches for the whole compressed stream, so a layer that is begun is read to its end before anything from it counts.

Whiteouts: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
"""

from __future__ import annotations

import bz2
import hashlib
import lzma
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Literal

from pinner.archive.tar import Tar, TarMember
from pinner.errors import InputError, TrustError
from pinner.images.manifests import Descriptor
from pinner.values import NamedTuple

_PIECE = 1 << 18
LONGEST_FILE = 8 << 20
_MOST_KEPT = 16 << 20  # characters of one layer's files, names included
_MOST_ENTRIES = 20_000
# What may come out of a layer: Debian's own unpack to three times their size, a bomb to a thousand times.
_ROOM, _RATIO = 1 << 30, 100
_WINDOW = 25  # binary logarithm of the memory a zstd stream may ask for: 32 MiB, as `zstd --ultra -20` does

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
        layer = _entries(Tar(UnpackedStream(stream, descriptor.size, what), what), wanted, what)
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
    """The chunks of a blob, counted and hashed on the way."""

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


class UnpackedStream:
    """The unpacked stream as a source for `Tar`; how it is packed, its first bytes tell, as for Docker.

    Raises InputError for what is damaged, and for more than a real one unpacks to.
    """

    def __init__(self, chunks: Iterator[bytes], size: int, what: str) -> None:
        self._what = what
        self._left = _ROOM + _RATIO * max(size, 0)
        self._pieces = self._unpack(chunks)
        self._buffer = b""
        self._position = 0

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        if self._position + size <= len(self._buffer):
            self._position += size
            return self._buffer[self._position - size : self._position]
        parts = []
        while size and self._fill():
            part = self._buffer[self._position : self._position + size]
            self._position += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> bool:
        """Pass over so many bytes; whether they are there."""
        while size and self._fill():
            passed = min(size, len(self._buffer) - self._position)
            self._position += passed
            size -= passed
        return not size

    def _fill(self) -> bool:
        while self._position == len(self._buffer):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._left -= len(piece)
            if self._left < 0:
                raise InputError(
                    f"{self._what} unpacks to more than {_ROOM >> 30} GiB and {_RATIO} times its own size: a tar bomb"
                )
            self._buffer, self._position = piece, 0
        return True

    def _unpack(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        start = b""
        for chunk in chunks:
            start += chunk
            if len(start) >= 4:
                break
        if start.startswith(b"\x1f\x8b"):
            return self._gzip(start, chunks)
        # A zstd frame, or a frame to be skipped, with which some writers begin (RFC 8878, 3.1).
        if start.startswith(b"\x28\xb5\x2f\xfd") or (start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5):
            return self._zstd(start, chunks)
        if start.startswith(b"BZh"):
            return self._other(bz2.BZ2Decompressor, start, chunks)
        if start.startswith(b"\xfd7zX"):
            return self._other(lzma.LZMADecompressor, start, chunks)
        return self._plain(start, chunks)

    def _other(
        self,
        fresh: type[bz2.BZ2Decompressor] | type[lzma.LZMADecompressor],
        data: bytes,
        chunks: Iterator[bytes],
    ) -> Iterator[bytes]:
        unpacker = fresh()
        try:
            while not unpacker.eof:
                yield unpacker.decompress(data, _PIECE)
                data = next(chunks) if unpacker.needs_input and not unpacker.eof else b""
        except (OSError, lzma.LZMAError, EOFError, StopIteration):
            raise InputError(f"{self._what} is not whole {fresh.__module__.strip('_')} data") from None

    def _plain(self, start: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
        yield start
        yield from chunks

    def _gzip(self, data: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while True:
            try:
                piece = unpacker.decompress(data, _PIECE)
            except zlib.error:
                raise InputError(f"{self._what} is not whole gzip data") from None
            yield piece
            data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            if not data and (unpacker.eof or len(piece) < _PIECE):
                data = next(chunks, b"")
                if not data:
                    break
            if unpacker.eof:
                unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        if not unpacker.eof:
            raise InputError(f"{self._what} is not whole gzip data")

    def _zstd(self, data: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        def fresh() -> zstd.ZstdDecompressor:
            return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW})

        unpacker = fresh()
        while True:
            try:
                piece = unpacker.decompress(data, _PIECE)
            except zstd.ZstdError:
                raise InputError(
                    f"{self._what} is not whole zstd data, or needs more than {1 << _WINDOW >> 20} MiB to be unpacked"
                ) from None
            yield piece
            data = unpacker.unused_data if unpacker.eof else b""
            if not data and (unpacker.eof or unpacker.needs_input):
                data = next(chunks, b"")
                if not data:
                    break
            if unpacker.eof:
                unpacker = fresh()
        if not unpacker.eof:
            raise InputError(f"{self._what} is not whole zstd data")
