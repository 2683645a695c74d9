"""Packed bytes → plain ones, never more than were vouched for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from pinner.archive import parallel
from pinner.archive.release import FileEntry
from pinner.errors import TrustError

EXTENSIONS = (".xz", ".zst", ".gz", ".bz2", "")
# Not smaller: after each piece the unpacking thread waits for Python's lock, which the indexing thread holds.
_CHUNK = 1 << 20


def unpack(
    packed: bytes | bytearray, extension: str, plain: FileEntry, *, url: str, threads: int
) -> Iterator[bytes]:
    """The content of a packed file, a chunk at a time, unpacked in other threads.

    Ends in TrustError if it is not what `plain` vouches for: what was made of the chunks may be used only after the
    last one. More than one of `threads` is for .xz files of several blocks, and takes 24 MiB for each.
    """
    import lzma
    import zlib

    digest, size = sha256(), 0
    errors: tuple[type[Exception], ...] = (lzma.LZMAError, zlib.error, EOFError, OSError)
    if extension == ".zst":
        errors += (_zstd().ZstdError,)
    try:
        for chunk in _chunks(packed, extension, threads):
            size += len(chunk)
            if size > plain.size:
                raise TrustError(f"{url}: unpacks to more than the {plain.size} bytes it should", hint=_ODD)
            digest.update(chunk)
            yield chunk
    except errors as error:
        raise TrustError(f"{url}: cannot be unpacked: {error}", hint=_ODD) from None
    if (size, digest.hexdigest()) != (plain.size, plain.sha256):
        raise TrustError(
            f"{url}: unpacks to {size} bytes with SHA-256 {digest.hexdigest()} instead of {plain.size} bytes with "
            f"{plain.sha256}",
            hint=_ODD,
        )


_ODD = "the archive itself vouches for a file that does not fit: tell its keepers"


def _chunks(packed: bytes | bytearray, extension: str, threads: int) -> Iterator[bytes]:
    if extension == "":
        yield bytes(packed)
        return
    if extension == ".xz" and threads > 1:
        from pinner.archive import xz

        if len(blocks := xz.blocks(packed)) > 1:
            yield from parallel.chained([xz.unpack(packed, block, _CHUNK) for block in blocks], threads)
            return
    yield from parallel.ahead(_stream(packed, extension), depth=2)


def _stream(packed: bytes | bytearray, extension: str) -> Iterator[bytes]:
    """Unpacked in one go, also where several streams follow one another. Raises EOFError for a torn one."""
    import bz2
    import lzma
    import zlib

    rest: bytes | bytearray = packed
    while rest:
        if extension == ".gz":
            inflater = zlib.decompressobj(wbits=31)
            while not inflater.eof:
                piece = inflater.decompress(rest, _CHUNK)
                rest = inflater.unconsumed_tail
                if not piece and not rest and not inflater.eof:
                    raise EOFError("it ends too early")
                yield piece
            rest = inflater.unused_data
        else:
            decompressor = (
                lzma.LZMADecompressor()
                if extension == ".xz"
                else _zstd().ZstdDecompressor()
                if extension == ".zst"
                else bz2.BZ2Decompressor()
            )
            while not decompressor.eof:
                piece = decompressor.decompress(rest, _CHUNK)
                rest = b""
                if not piece and decompressor.needs_input and not decompressor.eof:
                    raise EOFError("it ends too early")
                yield piece
            rest = decompressor.unused_data.lstrip(b"\0")  # stream padding


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
