"""OpenPGP signatures and digests: bytes in, trusted bytes out, or TrustError. See apt-secure(8).

The rules for a signature:

1. Only the bytes that it covers come out; text outside the signed block is refused, as apt does.
2. At least one is by a key of the source's own `Keys`. Unknown further signers do not matter: a Release is
   signed by the keys of several Debian releases.
3. Its hash is not a weak one (MD5, SHA-1): Sequoia's standard policy. A key that is known by its whole fingerprint
   (`Keys.fingerprints`, or shipped) is believed even if it says SHA-1 of itself (`openpgp`); what it signs is not.
4. Neither the certificate nor the signing subkey is revoked, or expired by `now`. `Keys.accept_expired` accepts
   one that expired after the date the Release gives itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pinner.apt.digest import algorithm, label
from pinner.apt.release import FileEntry
from pinner.apt.sources import Keys
from pinner.archive import packets
from pinner.errors import InputError, TrustError
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pysequoia import Cert

_SHIPPED = Path(__file__).parent.parent / "distributions"
_CLEARSIGNED = [
    b"-----BEGIN PGP SIGNED MESSAGE-----",
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----END PGP SIGNATURE-----",
]
_NOT_AN_ARCHIVE = (
    "a login page, a broken mirror or an attack answers in the archive's place; try another network or mirror"
)


class Signed(NamedTuple):
    """A text that a signature vouches for, and when the key that made it expires, if ever."""

    text: bytes
    expires: datetime | None


def signed(inrelease: bytes, keys: Keys, *, now: datetime, url: str) -> Signed:
    """The text that a clear-signed file (InRelease) vouches for. `url` is for messages."""
    if re.findall(rb"^-----[A-Z ]+-----", inrelease, re.MULTILINE) != _CLEARSIGNED:
        raise TrustError(f"{url}: this is not one clear-signed text", hint=_NOT_AN_ARCHIVE)
    outside = (inrelease.partition(_CLEARSIGNED[0])[0] + inrelease.rpartition(_CLEARSIGNED[2])[2]).strip()
    if outside:
        found = outside[:40].decode("utf-8", "replace")
        raise TrustError(f"{url}: there is text outside the signed block: {found}", hint=_NOT_AN_ARCHIVE)
    try:
        admitted = packets.clear_signed(inrelease)
    except ValueError as error:
        raise TrustError(f"{url}: this is not one clear-signed text: {error}", hint=_NOT_AN_ARCHIVE) from None
    return _verified(admitted, None, keys, now, url)


def signed_detached(release: bytes, signatures: bytes, keys: Keys, *, now: datetime, url: str) -> Signed:
    """`release` again, if one of the detached `signatures` (Release.gpg) vouches for it."""
    try:
        found = packets.signatures(signatures)
    except ValueError as error:
        raise TrustError(f"{url}: no signature: {error}", hint=_NOT_AN_ARCHIVE) from None
    refusal = TrustError(f"{url}: no signature", hint=_NOT_AN_ARCHIVE)
    for packet in found:
        try:
            return _verified(release, packet, keys, now, url)
        except TrustError as error:
            refusal = error
    raise refusal


def _verified(content: bytes, signature: bytes | None, keys: Keys, now: datetime, url: str) -> Signed:
    certificates = list(_certificates(keys))
    holders = _holders(_content(keys)[0])

    def of_first(issuers: list[str]) -> list[Cert]:
        holder = holders.get(issuers[0]) if issuers else None
        return [certificate for certificate in certificates if certificate.fingerprint == holder]

    # To read a certificate takes 2 ms, and one good signature is enough: the first, as a rule.
    try:
        return _accepted(content, signature, of_first, keys, now, url)
    except TrustError:
        try:
            return _accepted(content, signature, lambda _: certificates, keys, now, url)
        except TrustError:
            found = _believed(content, signature, certificates, keys, now, url)
            if found is None:
                raise
            return found


def _believed(
    content: bytes, signature: bytes | None, certificates: Sequence[Cert], keys: Keys, now: datetime, url: str
) -> Signed | None:
    """What is signed by a key that is known by its whole fingerprint and bound by SHA-1; None if that is not so."""
    if not keys.fingerprints and not _is_shipped(keys.keyring):
        return None
    from pinner.archive import openpgp

    try:
        text = hashed = content
        signatures = signature or b""
        if signature is None:
            text, hashed, signatures = openpgp.clear_text(content)
        found = openpgp.signer(hashed, signatures, certificates, text=signature is None)
    except Exception:  # pysequoia knows no kinds of errors, and what cannot be read is not signed
        return None
    if found is None:
        return None
    refusal = _refusal(found.expires, found.revoked, keys, now, text)
    if refusal:
        raise _refused(url, [f"the key {found.fingerprint.upper()} {refusal}"])
    return Signed(text, found.expires)


def _accepted(
    content: bytes,
    signature: bytes | None,
    choose: Callable[[list[str]], list[Cert]],
    keys: Keys,
    now: datetime,
    url: str,
) -> Signed:
    """What is signed by one of the certificates that are chosen by the fingerprints of the signing keys."""
    from pysequoia import Sig, verify

    try:
        if signature is None:
            result = verify(content, choose)
        else:
            result = verify(content, choose, signature=Sig.from_bytes(signature))
    except Exception as error:  # pysequoia knows no kinds of errors
        raise TrustError(
            f"{url}: not signed by a key of {keys.keyring}: {_first_line(error)}",
            hint="the key is not this archive's, the file was altered, or the signature uses a weak hash",
        ) from None
    text = content if signature is not None else result.bytes or b""
    refusals = []
    for by in result.valid_sigs:
        certificate = next(c for c in _certificates(keys) if c.fingerprint == by.certificate)
        try:
            expires, revoked = _life(certificate, by.signing_key)
        except RuntimeError as error:  # nothing binds it any more
            refusals.append(f"the key {by.signing_key.upper()} is not valid today: {_first_line(error)}")
            continue
        refusal = _refusal(expires, revoked, keys, now, text)
        if not refusal:
            return Signed(text, expires)
        refusals.append(f"the key {by.signing_key.upper()} {refusal}")
    raise _refused(url, refusals)


def _refused(url: str, refusals: Sequence[str]) -> TrustError:
    hint = "a newer pinner ships newer keys; a suite past its end of life is read from a snapshot"
    return TrustError(f"{url}: {'; '.join(refusals)}", hint=hint)


@cache
def _holders(content: bytes) -> Mapping[str, str]:
    """The certificates that seem to hold the keys, all by their fingerprints: a hint, nothing to trust."""
    from pysequoia.packet import PacketPile, Tag

    found: dict[str, str] = {}
    certificate = ""
    try:
        for packet in PacketPile.from_bytes(packets.keys(content)):
            if packet.tag == Tag.PublicKey:
                certificate = packet.fingerprint or ""
            if packet.tag in (Tag.PublicKey, Tag.PublicSubkey) and packet.fingerprint:
                found[packet.fingerprint] = certificate
    except Exception:  # it is reported where the certificates are read
        return {}
    return found


def _refusal(expiry: datetime | None, revoked: bool, keys: Keys, now: datetime, text: bytes) -> str:
    """Why a signature that is valid as such is not accepted; nothing if it is."""
    if revoked:
        return "is revoked"
    if expiry is None or expiry > now:
        return ""
    if not keys.accept_expired:
        return f"expired on {expiry:%Y-%m-%d}"
    made = _date(text)
    if made is None or made >= expiry:
        return f"expired on {expiry:%Y-%m-%d}, before the Release was made"
    return ""


def _life(certificate: Cert, signing_key: str) -> tuple[datetime | None, bool]:
    """When the signing (sub)key or its certificate expires, and whether either is revoked.

    Sequoia judges both at the time of the signature, which an attacker with a stolen key chooses.
    """
    from pysequoia.packet import PacketPile, SignatureType, Tag

    revoked = certificate.is_revoked
    expiries = [certificate.expiration] if certificate.expiration else []
    subkey, created, bound, validity = None, None, None, None
    for packet in PacketPile.from_bytes(bytes(certificate)):
        if packet.tag == Tag.PublicSubkey:
            subkey, key_created = packet.fingerprint, packet.key_created
        elif subkey == signing_key and packet.signature_type == SignatureType.SubkeyRevocation:
            revoked = True
        elif subkey == signing_key and packet.signature_type == SignatureType.SubkeyBinding:
            made = packet.signature_created
            if bound is None or (made is not None and made > bound):  # the newest binding counts
                bound, created, validity = made, key_created, packet.key_validity_period
    if created is not None and validity:
        expiries.append(created + validity)
    return min(expiries, default=None), revoked


def _date(text: bytes) -> datetime | None:
    from pinner.apt.release import parse

    return parse(text.decode("utf-8", "replace")).date


def _certificates(keys: Keys) -> tuple[Cert, ...]:
    content, path = _content(keys)
    found = certificates(content, path)
    if keys.fingerprints:
        found = tuple(c for c in found if c.fingerprint.upper() in keys.fingerprints)
    if not found:
        raise InputError("the keyring holds none of the wanted keys", path=path)
    return found


def keyring(keys: Keys) -> str:
    """The SHA-256 of the keyring. Raises `InputError`."""
    return sha256(_content(keys)[0]).hexdigest()


def _content(keys: Keys) -> tuple[bytes, str]:
    path = _SHIPPED / f"{keys.keyring}.pgp" if _is_shipped(keys.keyring) else Path(keys.keyring)
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        hint = "name a shipped keyring (debian-archive-keyring) or a file that is here, not in the image"
        raise InputError(f"the keyring cannot be read: {error.strerror}", path=str(path), hint=hint) from None


def _is_shipped(name: str) -> bool:
    return "/" not in name and (_SHIPPED / f"{name}.pgp").is_file()


@cache
def certificates(content: bytes, what: str) -> tuple[Cert, ...]:
    """The certificates in a key file, `what` by name; at least one. Raises `InputError`."""
    from pysequoia import Cert

    try:
        found = Cert.split_bytes(packets.keys(content))
    except Exception as error:  # pysequoia knows no kinds of errors
        raise InputError(f"this is not a keyring: {_first_line(error)}", path=what) from None
    if not found:
        raise InputError("this is not a keyring: it holds no key", path=what)
    return tuple(found)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def check(content: bytes | bytearray, entry: FileEntry, *, url: str) -> None:
    """Raises TrustError unless `content` has the vouched size and digest."""
    if len(content) != entry.size:
        raise TrustError(f"{url}: {len(content)} bytes instead of {entry.size}", hint=_CHANGING)
    found = hashlib.new(algorithm(entry.digest), content).hexdigest()
    if found != entry.digest:
        raise TrustError(f"{url}: {label(entry.digest)} {found} instead of {entry.digest}", hint=_CHANGING)


_CHANGING = "the mirror may be in the middle of an update: try again in some minutes, or another mirror"
