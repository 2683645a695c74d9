"""Packed bytes → plain ones, never more than were vouched for."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from pinner.apt.digest import algorithm, label
from pinner.apt.release import FileEntry
from pinner.archive import parallel
from pinner.errors import TrustError

EXTENSIONS = (".xz", ".zst", ".gz", ".bz2", "")
# Not smaller: after each piece the unpacking thread waits for Python's lock, which the indexing thread holds.
_CHUNK = 1 << 20
_SLICE = 1 << 18


T = TypeVar("T")


def unpack(
    packed: bytes | bytearray | Iterator[bytes],
    extension: str,
    plain: FileEntry,
    *,
    url: str,
    threads: int,
    work: Callable[[Iterable[bytes]], Iterator[tuple[bytes | memoryview, T]]],
) -> Iterator[tuple[bytes | memoryview, T]]:
    """The content of a packed file, which may be arriving still, in pieces, each with what `work` makes of it.

    Both are done in other threads. `work` gets the content of a part of the file, in chunks that end anywhere, and
    gives the same bytes in pieces of its own. More than one of `threads` is for .xz files of several blocks, each of
    which is a part then, and takes 24 MiB for each.

    Ends in TrustError if the content is not what `plain` vouches for: what was made of it may be used only after the
    last piece.
    """
    import lzma
    import zlib

    digest, size = hashlib.new(algorithm(plain.digest)), 0
    errors: tuple[type[Exception], ...] = (lzma.LZMAError, zlib.error, EOFError, OSError)
    if extension == ".zst":
        errors += (_zstd().ZstdError,)
    try:
        parts: list[Iterator[bytes]] = []
        if isinstance(packed, bytes | bytearray):
            parts = _parts(packed, extension) if threads > 1 else []
            packed = _slices(packed)
        for piece, made in (
            parallel.chained([work(part) for part in parts], threads)
            if len(parts) > 1
            else parallel.ahead(work(_stream(packed, extension)), depth=2)
        ):
            size += len(piece)
            if size > plain.size:
                raise TrustError(f"{url}: unpacks to more than the {plain.size} bytes it should", hint=_ODD)
            digest.update(piece)
            yield piece, made
    except errors as error:
        raise TrustError(f"{url}: cannot be unpacked: {error}", hint=_ODD) from None
    if (size, digest.hexdigest()) != (plain.size, plain.digest):
        raise TrustError(
            f"{url}: unpacks to {size} bytes with {label(plain.digest)} {digest.hexdigest()} "
            f"instead of {plain.size} bytes with {plain.digest}",
            hint=_ODD,
        )


_ODD = "the archive's own Release lists a file that does not match: report it to the archive's maintainers"


def _parts(packed: bytes | bytearray, extension: str) -> list[Iterator[bytes]]:
    if extension != ".xz":
        return []
    from pinner.archive import xz

    return [xz.unpack(packed, block, _CHUNK) for block in xz.blocks(packed)]


def _slices(packed: bytes | bytearray) -> Iterator[bytes]:
    for start in range(0, len(packed), _SLICE):
        yield bytes(packed[start : start + _SLICE])


def _stream(chunks: Iterator[bytes], extension: str) -> Iterator[bytes]:
    """Unpacked in one go, also where several streams follow one another. Raises EOFError for a torn one."""
    import bz2
    import lzma
    import zlib

    if extension == "":
        yield from chunks
        return
    rest = next(chunks, b"")
    while rest:
        decompressor: Any = (
            zlib.decompressobj(wbits=31)
            if extension == ".gz"
            else lzma.LZMADecompressor()
            if extension == ".xz"
            else _zstd().ZstdDecompressor()
            if extension == ".zst"
            else bz2.BZ2Decompressor()
        )
        while not decompressor.eof:
            if piece := decompressor.decompress(rest, _CHUNK):
                yield piece
            rest = decompressor.unconsumed_tail if extension == ".gz" else b""
            hungry = not rest if extension == ".gz" else decompressor.needs_input
            if hungry and not decompressor.eof and not (rest := next(chunks, b"")):
                raise EOFError("it ends too early")
        rest = decompressor.unused_data.lstrip(b"\0")  # stream padding
        while not rest and (more := next(chunks, b"")):
            rest = more.lstrip(b"\0")


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
