"""Signatures of RSA keys whose certificates Sequoia's policy refuses, since they bind themselves by SHA-1.

Such a certificate (Ubuntu's archive key of 2012, NVIDIA's, Ceph's) says about itself what nobody else may say, so a
collision gains nothing as long as the key is known by its whole fingerprint: the caller has to know it so. What the key
signs has to be SHA-256 or better all the same. Only the primary key counts; a subkey is believed by its binding alone,
which is what Sequoia refuses. The formats are those of RFC 4880 (OpenPGP) and RFC 8017 (RSASSA-PKCS1-v1_5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pysequoia import Cert
    from pysequoia.packet import Packet

#: OpenPGP's numbers of hashes, with hashlib's names and what PKCS #1 puts before the digest.
_HASHES = {
    2: ("sha1", bytes.fromhex("3021300906052b0e03021a05000414")),
    8: ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
    9: ("sha384", bytes.fromhex("3041300d060960864801650304020205000430")),
    10: ("sha512", bytes.fromhex("3051300d060960864801650304020305000440")),
}
_STRONG = frozenset({8, 9, 10})
_RSA = frozenset({1, 3})
_LEAST_BITS = 2048
_BINARY, _TEXT, _DIRECT_KEY, _KEY_REVOCATION = 0x00, 0x01, 0x1F, 0x20
_CERTIFICATIONS = frozenset({0x10, 0x11, 0x12, 0x13})


class Signer(NamedTuple):
    """The primary key that made a signature: its fingerprint, when it expires, and whether it is revoked."""

    fingerprint: str
    expires: datetime | None
    revoked: bool


def is_weakly_bound(certificate: Cert) -> bool:
    """Whether Sequoia finds no self-signature that it accepts, so that it says nothing about the certificate."""
    try:
        _ = certificate.expiration
    except Exception:  # pysequoia knows no kinds of errors
        return True
    return False


def clear_text(content: bytes) -> tuple[bytes, bytes, bytes]:
    """The text of a clear-signed message, the same as it is hashed, and the armored signature (RFC 4880, 7).

    The text comes out as it was signed: without blanks at the ends of its lines. Raises `ValueError`.
    """
    head, mark, signature = content.partition(b"\n-----BEGIN PGP SIGNATURE-----")
    lines = [line.rstrip(b" \t\r") for line in head.split(b"\n")]
    begin = lines.index(b"", 1)
    if not mark or not all(line.startswith(b"Hash: ") for line in lines[1:begin]):
        raise ValueError("not a clear-signed message")
    plain = [line.removeprefix(b"- ") for line in lines[begin + 1 :]]
    return b"\n".join(plain) + b"\n", b"\r\n".join(plain), mark[1:] + signature


def signer(hashed: bytes, signatures: bytes, certificates: Sequence[Cert], *, text: bool) -> Signer | None:
    """Whose primary key, of weakly bound certificates, made one of the signatures of what is hashed.

    None if there is none. `text` tells that line ends are those of text (CR LF). Raises whatever pysequoia raises for
    what is no signature or certificate.
    """
    from pysequoia.packet import PacketPile, Tag

    packets = [packet for packet in PacketPile.from_bytes(signatures) if packet.tag == Tag.Signature]
    for certificate in filter(is_weakly_bound, certificates):
        own = list(PacketPile.from_bytes(bytes(certificate)))
        key = bytes(own[0].body)
        life = _life(key, own)
        for packet in packets:
            body = bytes(packet.body)
            usual = body[3] in _STRONG and body[1] in ({_BINARY, _TEXT} if text else {_BINARY})
            if life and usual and not packet.signature_validity_period and _verifies(key, body, hashed):
                return Signer(certificate.fingerprint, *life)
    return None


def _life(key: bytes, packets: Sequence[Packet]) -> tuple[datetime | None, bool] | None:
    """When a primary key expires by the newest of its self-signatures, and whether it is revoked; None if it has no
    self-signature."""
    from pysequoia.packet import Tag

    whole = b"\x99" + len(key).to_bytes(2, "big") + key
    user, newest, expires, revoked = b"", None, None, False
    for packet in packets[1:]:
        body = bytes(packet.body)
        if packet.tag == Tag.PublicSubkey:
            break
        if packet.tag in (Tag.UserID, Tag.UserAttribute):
            kind = b"\xb4" if packet.tag == Tag.UserID else b"\xd1"
            user = kind + len(body).to_bytes(4, "big") + body
        elif packet.tag == Tag.Signature and body[1] == _KEY_REVOCATION:
            revoked = revoked or _verifies(key, body, whole)
        elif packet.tag == Tag.Signature and (body[1] in _CERTIFICATIONS or body[1] == _DIRECT_KEY):
            made = packet.signature_created
            later = made is not None and (newest is None or made > newest)
            if later and _verifies(key, body, whole if body[1] == _DIRECT_KEY else whole + user):
                newest, validity, created = made, packet.key_validity_period, packets[0].key_created
                expires = created + validity if created and validity else None
    return (expires, revoked) if newest else None


def _verifies(key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether an RSA key (the body of its packet) made a signature (likewise) of the content."""
    if key[0] != 4 or key[5] not in _RSA or signature[0] != 4 or signature[2] not in _RSA:
        return False
    if signature[3] not in _HASHES:
        return False
    name, prefix = _HASHES[signature[3]]
    end = 6 + int.from_bytes(signature[4:6], "big")
    trailer = signature[:end] + b"\x04\xff" + end.to_bytes(4, "big")
    digest = hashlib.new(name, content + trailer, usedforsecurity=False).digest()
    behind = end + 2 + int.from_bytes(signature[end : end + 2], "big") + 2
    value, _ = _integer(signature, behind)
    modulus, at = _integer(key, 6)
    exponent, _ = _integer(key, at)
    size = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < _LEAST_BITS or value >= modulus:
        return False
    padding = b"\xff" * (size - 3 - len(prefix) - len(digest))
    return (
        pow(value, exponent, modulus).to_bytes(size, "big")
        == b"\x00\x01" + padding + b"\x00" + prefix + digest
    )


def _integer(body: bytes, at: int) -> tuple[int, int]:
    """The multiprecision integer at an offset, and the offset behind it."""
    end = at + 2 + (int.from_bytes(body[at : at + 2], "big") + 7) // 8
    return int.from_bytes(body[at + 2 : end], "big"), end
