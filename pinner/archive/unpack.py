"""Packed bytes → plain ones, never more than were vouched for."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from pinner.apt.digest import algorithm, label
from pinner.apt.release import FileEntry
from pinner.archive import parallel
from pinner.errors import InputError, TrustError

EXTENSIONS = (".xz", ".zst", ".gz", ".bz2", "")
# Of the second-level cache: what is unpacked is hashed and copied next.
_CHUNK = 1 << 19
_SLICE, _FIRST = 1 << 18, 1 << 12
_WINDOW = 25  # binary logarithm of the memory a zstd stream may ask for: 32 MiB, as `zstd --ultra -20` does
_MEMORY = 128 << 20  # bytes for an xz stream: `xz -9` needs 65 MiB


def unpack(
    packed: bytes | bytearray | Iterator[bytes], extension: str, vouched: FileEntry, *, url: str
) -> Iterator[bytes]:
    """The content of a packed file, which may be arriving still, in chunks that end anywhere.

    It is unpacked and hashed in another thread, without Python's lock.

    Ends in TrustError if the content is not what is `vouched` for: what was made of it may be used only after the
    last chunk.
    """
    arriving = _slices(packed) if isinstance(packed, bytes | bytearray) else packed
    yield from parallel.ahead(_checked(plain(arriving, extension), vouched, url), depth=2)


def _checked(chunks: Iterator[bytes], vouched: FileEntry, url: str) -> Iterator[bytes]:
    digest, size = hashlib.new(algorithm(vouched.digest)), 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > vouched.size:
                raise TrustError(f"{url}: unpacks to more than the {vouched.size} bytes it should", hint=_ODD)
            digest.update(chunk)
            yield chunk
    except Torn as error:
        raise TrustError(f"{url}: cannot be unpacked: {error}", hint=_ODD) from None
    if (size, digest.hexdigest()) != (vouched.size, vouched.digest):
        raise TrustError(
            f"{url}: unpacks to {size} bytes with {label(vouched.digest)} {digest.hexdigest()} "
            f"instead of {vouched.size} bytes with {vouched.digest}",
            hint=_ODD,
        )


_ODD = "the archive's own Release lists a file that does not match: report it to the archive's maintainers"


def _slices(packed: bytes | bytearray) -> Iterator[bytes]:
    for start in range(0, len(packed), _SLICE):
        yield bytes(packed[start : start + _SLICE])


def plain(chunks: Iterator[bytes], extension: str) -> Iterator[bytes]:
    """What packed bytes hold, in pieces of at most half a MiB, also where several streams follow one another.

    Raises `Torn` for what is not whole, or asks for more memory than any real file needs.
    """
    if extension == "":
        yield from chunks
        return
    unpacker: Any = None
    begun, chunk, at, width = False, b"", 0, _FIRST
    while True:
        if at == len(chunk):
            chunk, at = next(chunks, b""), 0
            if not chunk:
                break
        # A stream begins with little, since what it leaves is copied: a file may be thousands of streams.
        data = chunk[at : at + width]
        at += len(data)
        if unpacker is None:
            data = data.lstrip(b"\0") if begun else data  # stream padding
            if not data:
                continue
            unpacker, begun = _unpacker(extension), True
        try:
            while piece := unpacker.decompress(data, _CHUNK):
                yield piece
                data = b""
                if unpacker.eof or unpacker.needs_input:
                    break
        except _faults() as error:
            raise Torn(str(error)) from None
        width = min(2 * width, _SLICE)
        if unpacker.eof:
            at -= len(unpacker.unused_data)
            unpacker, width = None, _FIRST
    if unpacker is not None or not begun:
        raise Torn("it ends too early")


class Torn(Exception):
    """The bytes are not whole, or not of the form that they should have."""


class _Gzip:
    """zlib's object with the manners of the other modules'."""

    def __init__(self) -> None:
        import zlib

        self._object = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._object.decompress(data or self._object.unconsumed_tail, most)

    @property
    def needs_input(self) -> bool:
        return not self._object.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data


def _unpacker(extension: str) -> Any:
    if extension == ".gz":
        return _Gzip()
    if extension == ".xz":
        import lzma

        return lzma.LZMADecompressor(memlimit=_MEMORY)
    if extension == ".zst":
        zstd = _zstd()
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW})
    import bz2

    return bz2.BZ2Decompressor()


def _faults() -> tuple[type[Exception], ...]:
    """What the modules that were used raise; OSError and EOFError are of bz2."""
    import lzma
    import zlib

    found: tuple[type[Exception], ...] = (lzma.LZMAError, zlib.error, EOFError, OSError)
    return (*found, _zstd().ZstdError)


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


class UnpackedStream:
    """What packed bytes hold as a source for `tar.Tar`; how they are packed, the first of them tell, as for Docker.

    Raises InputError for what is damaged, and for more than `most` bytes. `what` names it in messages.
    """

    def __init__(self, chunks: Iterator[bytes], most: int, what: str) -> None:
        self._what = what
        self._left = self._most = most
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
                raise InputError(f"{self._what} unpacks to more than {self._most >> 20} MiB: a tar bomb")
            self._buffer, self._position = piece, 0
        return True

    def _unpack(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        start = b""
        for chunk in chunks:
            start += chunk
            if len(start) >= 4:
                break
        if not start:
            return
        extension = next((form for form, magic in _MAGIC.items() if start.startswith(magic)), "")
        # A frame to be skipped, with which some writers begin (RFC 8878, 3.1.2).
        if start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5:
            extension = ".zst"
        try:
            yield from plain(chain([start], chunks), extension)
        except Torn as error:
            raise InputError(f"{self._what} is not whole {_NAMES[extension]} data: {error}") from None


_MAGIC = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd", ".bz2": b"BZh", ".xz": b"\xfd7zXZ"}
_NAMES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
