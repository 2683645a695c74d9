"""Where the blocks of an .xz file lie, so that each can be unpacked on its own.

`xz` of Debian's archive cuts a file into blocks of 24 MiB that know nothing of each other; liblzma unpacks them one
after the other. Only the container is read here (https://tukaani.org/xz/xz-file-format.txt, the sections are named
below); whatever is unusual makes the file one without blocks, which Python's lzma then reads as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinner.values import NamedTuple

_LZMA2 = 0x21
_CHECK_SIZES = (0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64)  # 2.1.1.2


class XzBlock(NamedTuple):
    """The LZMA2 data of a block, as offsets into the file, the size of its dictionary and of its content in bytes."""

    start: int
    end: int
    dictionary: int
    size: int


def blocks(packed: bytes | bytearray) -> list[XzBlock]:
    """The blocks of a file of one stream in order; nothing if it is anything but that."""
    try:
        return list(_blocks(memoryview(packed)))
    except (IndexError, ValueError):
        return []


def _blocks(packed: memoryview) -> Iterator[XzBlock]:
    if bytes(packed[:6]) != b"\xfd7zXZ\0" or bytes(packed[-2:]) != b"YZ":  # 2.1.1.1, 2.1.2.4
        raise ValueError
    check = _CHECK_SIZES[packed[7] & 0x0F]
    index = len(packed) - 12 - (int.from_bytes(packed[-8:-4], "little") + 1) * 4  # 2.1.2.2
    if index < 12 or packed[index] != 0:  # 4.1
        raise ValueError
    count, at = _number(packed, index + 1)
    start = 12
    for _ in range(count):
        unpadded, at = _number(packed, at)  # 4.3
        size, at = _number(packed, at)
        header = (packed[start] + 1) * 4  # 3.1.1
        flags, body = packed[start + 1], start + 2
        if flags & 0x3F:  # 3.1.2: other than one filter
            raise ValueError
        for present in (flags & 0x40, flags & 0x80):
            if present:
                _, body = _number(packed, body)
        bits = packed[body + 2]
        if packed[body] != _LZMA2 or packed[body + 1] != 1 or bits > 28:  # 5.3.1; larger than 64 MiB
            raise ValueError
        yield XzBlock(start + header, start + unpadded - check, (2 | (bits & 1)) << (bits // 2 + 11), size)
        start += (unpadded + 3) // 4 * 4
    if start != index:
        raise ValueError


def _number(packed: memoryview, at: int) -> tuple[int, int]:
    """A multibyte integer (1.2) and the offset after it."""
    value = 0
    for position in range(9):
        byte = packed[at + position]
        value |= (byte & 0x7F) << (position * 7)
        if byte < 0x80:
            return value, at + position + 1
    raise ValueError


def unpack(packed: bytes | bytearray, block: XzBlock, chunk: int) -> Iterator[bytes]:
    """The content of a block in pieces of `chunk` bytes. Its own check is not looked at.

    Raises lzma.LZMAError, also as soon as it is more than the container says.
    """
    import lzma

    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": block.dictionary}]
    decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=filters)
    piece = decompressor.decompress(memoryview(packed)[block.start : block.end], chunk)
    left = block.size
    while piece:
        left -= len(piece)
        if left < 0:
            raise lzma.LZMAError("a block is larger than the file says")
        yield piece
        piece = b"" if decompressor.eof else decompressor.decompress(b"", chunk)
