"""Which OpenPGP packets are let in, by tags and lengths alone."""

from __future__ import annotations

import zlib
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinner.apt.sources import Keys
from pinner.archive import packets, trust
from pinner.errors import InputError, TrustError
from tests.simulator import Key

KEY = Key()
TEXT = b"Suite: s\nDate: Tue, 24 Nov 2026 11:00:00 UTC\nSHA256:\n"
NOW = datetime.now(UTC)  # Sequoia's clock is the machine's


def packet(tag: int, content: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(content).to_bytes(4, "big") + content


def armored(kind: str, content: bytes) -> bytes:
    lines = f"-----BEGIN PGP {kind}-----\n\n", b64encode(content).decode(), f"\n-----END PGP {kind}-----\n"
    return "".join(lines).encode()


def bomb() -> bytes:
    """60 kB of a compressed packet, whose content are 50 MB of another one."""
    inner = packet(11, b"b\0\0\0\0\0" + bytes(50 << 20))
    deflate = zlib.compressobj(9, wbits=-15)
    return packet(8, b"\x01" + deflate.compress(inner) + deflate.flush())


BOMB = bomb()
GOOD = packets.signatures(KEY.detached(TEXT))[0]
CERTIFICATE = bytes(KEY.certificate)


def accepted(content: bytes, tmp_path: Path) -> bytes:
    path = tmp_path / "keys.pgp"
    path.write_bytes(CERTIFICATE)
    return trust.signed_detached(TEXT, content, Keys(str(path)), now=NOW, url="u").text


@pytest.mark.parametrize("content", [GOOD, armored("SIGNATURE", GOOD), GOOD * 32, packet(2, b"?") + GOOD])
def test_signatures_that_are_read(content: bytes, tmp_path: Path) -> None:
    assert accepted(content, tmp_path) == TEXT


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB, "a packet of type 8 has no place in it"),
        (armored("SIGNATURE", BOMB[:40_000]), "a packet of type 8 has no place in it"),
        (GOOD + BOMB[:20_000], "a packet of type 8"),
        (BOMB + BOMB, "more than the 65536 that are read"),
        (GOOD + packet(11, b"b\0\0\0\0\0x"), "a packet of type 11"),
        (GOOD * 33, "more than the 32 packets"),
        (packet(2, bytes(20_000)), "a packet of 20000 bytes is longer than the 16384"),
        (b"\xc2\xe0x", "a packet comes in parts"),
        (b"\x8bx", "a packet has no length"),
        (packet(2, b"abc")[:-1], "its last packet is cut short"),
        (b"\xc2", "cut short|no signature"),
        (b"", "there is no OpenPGP data"),
        (b"<html>", "there is no OpenPGP data"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nAAAA", "its armor has no end"),
        (b"-----BEGIN PGP SIGNATURE-----\n\n!!!!\n-----END PGP SIGNATURE-----\n", "base64"),
        (armored("SIGNATURE", b""), "no signature in it"),
        (armored("SIGNATURE", b"text"), "it is no OpenPGP data"),
    ],
)
def test_signatures_that_are_not(content: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(TrustError, match=why):
        accepted(content, tmp_path)


def test_below_a_clear_signed_text_are_signatures_alone() -> None:
    text, begin, _ = KEY.clear_sign(TEXT).partition(b"-----BEGIN PGP SIGNATURE-----")
    assert begin
    assert packets.clear_signed(text + armored("SIGNATURE", GOOD)).startswith(text)
    for below, why in ((armored("SIGNATURE", GOOD + BOMB[:9000]), "type 8"), (b"", "where it belongs")):
        with pytest.raises(ValueError, match=why):
            packets.clear_signed(text + below)
    with pytest.raises(ValueError, match="where it belongs"):
        packets.clear_signed(text.replace(b"Hash:", b"Evil:") + armored("SIGNATURE", GOOD))
    with pytest.raises(ValueError, match="where it belongs"):
        packets.clear_signed(
            text.replace(b"Hash:", b"Hash: SHA1\n" * 99 + b"Hash:") + armored("SIGNATURE", GOOD)
        )


@pytest.mark.parametrize(
    "content",
    [
        CERTIFICATE,
        str(KEY.certificate).encode(),
        str(KEY.certificate).encode() + str(Key().certificate).encode(),
    ],
)
def test_keys_that_are_read(content: bytes) -> None:
    assert trust.certificates(content, "k")[0].fingerprint.upper() == KEY.fingerprint


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB, "type 8 has no place"),
        (armored("PUBLIC KEY BLOCK", CERTIFICATE + BOMB), "type 8 has no place"),
        (packet(5, CERTIFICATE[2:]), "type 5 has no place"),
        (CERTIFICATE + packet(13, b"u") * 5000, "more than the 4096 packets"),
        (CERTIFICATE + packet(17, bytes(200_000)), "longer than the 131072"),
        (CERTIFICATE * 900, "more than the 1048576 that are read"),
    ],
)
def test_keys_that_are_not(content: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        trust.certificates(content, "k")


def test_what_is_shipped_is_let_in_to_the_byte() -> None:
    for path in (Path(trust.__file__).parent.parent / "distributions").glob("*.pgp"):
        assert packets.keys(path.read_bytes()) == path.read_bytes()
