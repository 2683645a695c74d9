"""Unpacking: what comes out is what the Release vouches for, or an error."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256

import pytest

from pinner.apt.release import FileEntry
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


def unpacked(packed: bytes, extension: str, plain: bytes) -> bytes:
    return b"".join(unpack(packed, extension, entry(plain), url="u"))


@pytest.mark.parametrize("extension", PACK)
@pytest.mark.parametrize("plain", [b"", b"x", PLAIN], ids=["nothing", "little", "much"])
def test_each_form(extension: str, plain: bytes) -> None:
    assert unpacked(PACK[extension](plain), extension, plain) == plain


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
        for chunk in unpack(packed, extension, vouched, url="u"):
            taken += len(chunk)
    assert taken == 0


def test_an_xz_file_of_several_blocks() -> None:
    program = shutil.which("xz")
    if program is None:
        pytest.skip("no xz")
    command = [program, "--block-size=200000", "-T1"]
    packed = subprocess.run(command, input=PLAIN, capture_output=True, check=True).stdout
    assert unpacked(packed, ".xz", PLAIN) == PLAIN
