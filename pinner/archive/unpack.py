"""Packed bytes → plain ones, never more than were vouched for."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from io import BufferedIOBase, BytesIO

from pinner.archive.release import FileEntry
from pinner.errors import TrustError

EXTENSIONS = (".xz", ".gz", ".bz2", "")
_CHUNK = 1 << 20


def unpack(packed: bytes, extension: str, plain: FileEntry, *, url: str) -> Iterator[bytes]:
    """The content of a packed file, a chunk at a time; ends in TrustError if it is not what `plain` vouches for.

    So what was made of the chunks may be used only after the last one.
    """
    import lzma
    import zlib

    digest, size = sha256(), 0
    try:
        with _opened(packed, extension) as file:
            while chunk := file.read(min(_CHUNK, plain.size - size + 1)):
                size += len(chunk)
                if size > plain.size:
                    raise TrustError(
                        f"{url}: unpacks to more than the {plain.size} bytes it should", hint=_ODD
                    )
                digest.update(chunk)
                yield chunk
    except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise TrustError(f"{url}: cannot be unpacked: {error}", hint=_ODD) from None
    if (size, digest.hexdigest()) != (plain.size, plain.sha256):
        raise TrustError(
            f"{url}: unpacks to {size} bytes with SHA-256 {digest.hexdigest()} instead of {plain.size} bytes with "
            f"{plain.sha256}",
            hint=_ODD,
        )


_ODD = "the archive itself vouches for a file that does not fit: tell its keepers"


def _opened(packed: bytes, extension: str) -> BufferedIOBase:
    source = BytesIO(packed)
    if extension == ".xz":
        import lzma

        return lzma.LZMAFile(source)
    if extension == ".gz":
        import gzip

        return gzip.GzipFile(fileobj=source)
    if extension == ".bz2":
        import bz2

        return bz2.BZ2File(source)
    return source
