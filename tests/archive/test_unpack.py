"""Unpacking, and the blocks of .xz files."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.apt.release import FileEntry
from pinner.archive import xz
from pinner.archive.unpack import unpack
from pinner.errors import TrustError

PLAIN = b"".join(b"line %d\n" % number for number in range(100_000))
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".xz": lambda plain: lzma.compress(plain, preset=1),
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    "": bytes,
}


def entry(content: bytes) -> FileEntry:
    return FileEntry(len(content), sha256(content).hexdigest())


def unpacked(packed: bytes, extension: str, plain: bytes, threads: int = 1) -> bytes:
    return b"".join(unpack(packed, extension, entry(plain), url="u", threads=threads))


@pytest.mark.parametrize("extension", PACK)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("plain", [b"", b"x", PLAIN], ids=["nothing", "little", "much"])
def test_each_form(extension: str, threads: int, plain: bytes) -> None:
    assert unpacked(PACK[extension](plain), extension, plain, threads) == plain


@pytest.mark.parametrize("extension", [".xz", ".gz", ".bz2"])
def test_several_streams_one_after_the_other(extension: str) -> None:
    packed = PACK[extension](b"one") + PACK[extension](b"two")
    assert unpacked(packed, extension, b"onetwo") == b"onetwo"


@pytest.mark.parametrize("extension", [".xz", ".gz", ".bz2"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda p: p[:-20],
        lambda p: p[:30],
        lambda p: p[: len(p) // 2],
        lambda p: b"x" * 50,
        lambda p: p + b"xyz",
    ],
)
def test_what_cannot_be_unpacked(extension: str, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TrustError, match=r"u: cannot be unpacked|u: unpacks to"):
        unpacked(damage(PACK[extension](PLAIN)), extension, PLAIN)


@pytest.mark.parametrize("extension", [".xz", ".gz", ".bz2"])
def test_a_bomb_goes_off_in_small(extension: str) -> None:
    taken = 0
    with pytest.raises(TrustError, match="unpacks to more than the 10 bytes"):
        packed, vouched = PACK[extension](bytes(9_000_000)), FileEntry(10, "0" * 64)
        for chunk in unpack(packed, extension, vouched, url="u", threads=2):
            taken += len(chunk)
    assert taken == 0


def in_blocks(plain: bytes) -> bytes:
    program = shutil.which("xz")
    if program is None:
        pytest.skip("no xz")
    return subprocess.run(
        [program, "--block-size=200000", "-T1"], input=plain, capture_output=True, check=True
    ).stdout


def test_blocks_are_unpacked_side_by_side() -> None:
    packed = in_blocks(PLAIN)
    found = xz.blocks(packed)
    assert len(found) == len(PLAIN) // 200_000 + 1
    assert b"".join(piece for block in found for piece in xz.unpack(packed, block, 1000)) == PLAIN
    assert unpacked(packed, ".xz", PLAIN, threads=2) == PLAIN


@pytest.mark.parametrize(
    "packed",
    [b"", b"\xfd7zXZ\0", lzma.compress(b"x") * 2, lzma.compress(b"x", format=lzma.FORMAT_ALONE), b"YZ" * 40],
)
def test_files_without_blocks(packed: bytes) -> None:
    assert xz.blocks(packed) == []


@given(st.data())
def test_any_damage_to_the_container_is_survived(data: st.DataObject) -> None:
    packed = bytearray(lzma.compress(b"content" * 9))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    for block in xz.blocks(packed):
        with suppress(lzma.LZMAError):
            list(xz.unpack(packed, block, 100))
