"""OpenPGP by packets (RFC 9580, 4 and 6): what may reach the OpenPGP library, by tags and lengths alone.

The library reads whatever it is given: half a megabyte of a compressed packet becomes a gigabyte before anybody has
asked whether it is a signature. So it gets what was admitted here, and no other bytes: an armored text is taken apart
and made anew. Everything raises ValueError, whose text says what is wrong.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection

from pinner.regex import later

LARGEST_SIGNATURES = 1 << 16  # bytes; a Release.gpg has 1 to 5 kB
LARGEST_KEYRING = 1 << 20
_MOST_SIGNATURES, _MOST_OF_KEYS = 32, 4096
_LONGEST_SIGNATURE, _LONGEST_OF_KEYS = 1 << 14, 1 << 17  # a user attribute holds a picture

_SIGNATURE = 2
#: Signature, public key, trust (GnuPG's own, in old keyrings), user ID, public subkey, user attribute.
_OF_KEYS = frozenset({_SIGNATURE, 6, 12, 13, 14, 17})
_BEGIN, _END = b"-----BEGIN PGP ", b"-----END PGP "
_HEAD = later(
    rb"\s*-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?\n(?:Hash: ?[A-Za-z0-9, /-]{1,80}\r?\n){0,16}[ \t]*\r?\n"
)


def signatures(content: bytes) -> list[bytes]:
    """The packets of detached signatures (a Release.gpg), armored or not; at least one."""
    found = _packets(_binary(content, LARGEST_SIGNATURES), {_SIGNATURE}, _MOST_SIGNATURES, _LONGEST_SIGNATURE)
    if not found:
        raise ValueError("there is no signature in it")
    return found


def clear_signed(content: bytes) -> bytes:
    """A clear-signed text (an InRelease), the same text with nothing but signatures below it."""
    head = _HEAD.match(content)
    at = content.rfind(b"\n-----BEGIN PGP SIGNATURE-----")
    if head is None or at < 0:
        raise ValueError("its head or its signature is not where it belongs")
    below = b64encode(b"".join(signatures(content[at + 1 :])))
    return b"%b\n-----BEGIN PGP SIGNATURE-----\n\n%b\n-----END PGP SIGNATURE-----\n" % (content[:at], below)


def keys(content: bytes) -> bytes:
    """The packets of a key file or a keyring, armored or not, of any number of certificates."""
    return b"".join(_packets(_binary(content, LARGEST_KEYRING), _OF_KEYS, _MOST_OF_KEYS, _LONGEST_OF_KEYS))


def _binary(content: bytes, limit: int) -> bytes:
    """The bytes of packets; those of all blocks of an armored text, whose checksums tell nothing that matters."""
    if len(content) > limit:
        raise ValueError(f"it has {len(content)} bytes, more than the {limit} that are read")
    if content[:1] >= b"\x80":
        return content
    blocks: list[bytes] = []
    lines: list[bytes] | None = None
    head = False
    for line in map(bytes.strip, content.splitlines()):
        if line.startswith(_BEGIN):
            lines, head = [], True
        elif line.startswith(_END) and lines is not None:
            blocks.append(b64decode(b"".join(lines), validate=True))
            lines = None
        elif lines is not None and not (head and b":" in line) and not line.startswith(b"="):
            head = False
            lines.append(line)
    if lines is not None:
        raise ValueError("its armor has no end")
    if not blocks:
        raise ValueError("there is no OpenPGP data in it")
    return b"".join(blocks)


def _packets(content: bytes, admitted: Collection[int], most: int, longest: int) -> list[bytes]:
    """The packets, one after the other, with their headers; all of a length that is said (RFC 9580, 4.2)."""
    found: list[bytes] = []
    at = 0
    while at < len(content):
        first, more = content[at], content[at + 1 : at + 6]
        if not first & 0x80:
            raise ValueError("it is no OpenPGP data")
        if first & 0x40:
            tag = first & 0x3F
            if more[:1] == b"\xff":
                begin, size = at + 6, int.from_bytes(more[1:5], "big")
            elif more[:1] >= b"\xe0":
                raise ValueError("a packet comes in parts, which no signature and no key does")
            elif more[:1] >= b"\xc0":
                begin, size = at + 3, ((more[0] - 192) << 8) + int.from_bytes(more[1:2], "big") + 192
            else:
                begin, size = at + 2, int.from_bytes(more[:1], "big")
        else:
            tag, width = first >> 2 & 0xF, 1 << (first & 3)
            if width == 8:
                raise ValueError("a packet has no length, as no signature and no key does")
            begin, size = at + 1 + width, int.from_bytes(more[:width], "big")
        if tag not in admitted:
            raise ValueError(f"a packet of type {tag} has no place in it")
        if size > longest:
            raise ValueError(f"a packet of {size} bytes is longer than the {longest} that are read")
        if begin + size > len(content):
            raise ValueError("its last packet is cut short")
        if len(found) == most:
            raise ValueError(f"it has more than the {most} packets that are read")
        found.append(content[at : begin + size])
        at = begin + size
    return found
