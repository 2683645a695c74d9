"""Signatures: who may sign, until when, and what comes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinner.apt.release import FileEntry
from pinner.apt.sources import Keys
from pinner.archive import trust
from pinner.errors import InputError, TrustError
from tests.simulator import Key

REAL_NOW = datetime.now(UTC)  # Sequoia's clock is the machine's
TEXT = b"Origin: Simulated\nSuite: s\nDate: Tue, 24 Nov 2026 11:00:00 UTC\nSHA256:\n - dashes\n"
RELEASE = b"Suite: s\nDate: %b\nSHA256:\n"


def keys(
    tmp_path: Path, *parts: Key | bytes, fingerprints: tuple[str, ...] = (), accept_expired: bool = False
) -> Keys:
    path = tmp_path / "keys.pgp"
    path.write_bytes(b"".join(part if isinstance(part, bytes) else bytes(part.certificate) for part in parts))
    return Keys(str(path), fingerprints, accept_expired)


def test_the_signed_text_comes_out_as_it_was(tmp_path: Path) -> None:
    key = Key()
    assert trust.signed(key.clear_sign(TEXT), keys(tmp_path, key), now=REAL_NOW, url="u").text == TEXT


def test_one_of_several_keys(tmp_path: Path) -> None:
    key = Key()
    ring = keys(tmp_path, Key("other"), key)
    assert trust.signed(key.clear_sign(TEXT), ring, now=REAL_NOW, url="u").text == TEXT


def test_a_key_of_the_keyring_that_the_source_does_not_name(tmp_path: Path) -> None:
    key, named = Key(), Key("named")
    ring = keys(tmp_path, key, named, fingerprints=(named.fingerprint,))
    assert trust.signed(named.clear_sign(TEXT), ring, now=REAL_NOW, url="u").text == TEXT
    with pytest.raises(TrustError, match="not signed by a key of"):
        trust.signed(key.clear_sign(TEXT), ring, now=REAL_NOW, url="u")


def test_the_message_names_what_and_why_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrustError) as caught:
        trust.signed(Key().clear_sign(TEXT), keys(tmp_path, Key()), now=REAL_NOW, url="http://host/InRelease")
    assert caught.value.message.startswith("http://host/InRelease: not signed by a key of ")
    assert "\n" not in caught.value.message


def test_a_revoked_key(tmp_path: Path) -> None:
    key = Key()
    signed = key.clear_sign(TEXT)
    with pytest.raises(TrustError, match=r"is revoked|not signed by a key"):
        trust.signed(signed, keys(tmp_path, key.revoked()), now=REAL_NOW, url="u")


def test_an_expired_key(tmp_path: Path) -> None:
    key = Key(expires_after=timedelta(days=30))
    signed = key.clear_sign(TEXT)
    ring = keys(tmp_path, key)
    assert trust.signed(signed, ring, now=REAL_NOW + timedelta(days=29), url="u").text == TEXT
    with pytest.raises(
        TrustError, match=rf"the key [0-9A-F]{{40}} expired on {REAL_NOW + timedelta(days=30):%Y-%m-%d}\n"
    ):
        trust.signed(signed, ring, now=REAL_NOW + timedelta(days=31), url="u")


def test_an_expired_key_where_it_may_have_expired_since(tmp_path: Path) -> None:
    key = Key(expires_after=timedelta(days=30))
    ring = keys(tmp_path, key, accept_expired=True)
    for age, accepted in ((29, True), (31, False)):
        date = f"{REAL_NOW + timedelta(days=age):%a, %d %b %Y %H:%M:%S} UTC".encode()
        text = RELEASE % date
        if accepted:
            assert (
                trust.signed(key.clear_sign(text), ring, now=REAL_NOW + timedelta(days=99), url="u").text
                == text
            )
        else:
            with pytest.raises(TrustError, match="before the Release was made"):
                trust.signed(key.clear_sign(text), ring, now=REAL_NOW + timedelta(days=99), url="u")


def test_a_detached_signature(tmp_path: Path) -> None:
    key, other = Key(), Key("other")
    ring = keys(tmp_path, key)
    assert trust.signed_detached(TEXT, key.detached(TEXT), ring, now=REAL_NOW, url="u").text == TEXT
    for content, signature in (
        (TEXT + b"x", key.detached(TEXT)),
        (TEXT, other.detached(TEXT)),
        (TEXT, b""),
        (TEXT, b"x"),
    ):
        with pytest.raises(TrustError):
            trust.signed_detached(content, signature, ring, now=REAL_NOW, url="u")


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"])
def test_a_keyring_that_is_none(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a keyring|none of the wanted keys"):
        trust.signed(Key().clear_sign(TEXT), keys(tmp_path, content), now=REAL_NOW, url="u")


def test_the_shipped_keys_are_debians() -> None:
    certificates = trust._certificates(Keys("debian-archive-keyring"))
    fingerprints = {certificate.fingerprint.upper() for certificate in certificates}
    assert {
        "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",  # archive, bookworm
        "05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0",  # security, bookworm
        "04B54C3CDCA79751B16BC6B5225629DF75B188BD",  # archive, trixie
    } <= fingerprints
    removed = trust._certificates(Keys("debian-archive-removed-keys"))
    assert not fingerprints & {certificate.fingerprint.upper() for certificate in removed}


def test_a_weak_hash() -> None:
    """Made by GnuPG (`--digest-algo SHA1 --allow-weak-digest-algos`), since Sequoia makes none."""
    data = Path(__file__).parent / "data"
    ring = Keys(str(data / "key.pgp"))
    assert trust.signed((data / "SHA256.InRelease").read_bytes(), ring, now=REAL_NOW, url="u")
    with pytest.raises(TrustError, match="not signed by a key of"):
        trust.signed((data / "SHA1.InRelease").read_bytes(), ring, now=REAL_NOW, url="u")


SHA1_BOUND = Path(__file__).parent / "data" / "sha1"  # made by gpg --cert-digest-algo SHA1
ITS_FINGERPRINT = ("0E816A710A22C8FFC52C8E80D5983E5B4097933B",)


def bound_by_sha1(name: str = "key", *fingerprints: str, accept_expired: bool = False) -> Keys:
    return Keys(str(SHA1_BOUND / f"{name}.pgp"), fingerprints, accept_expired)


def test_a_key_bound_by_sha1_is_believed_by_its_fingerprint() -> None:
    content = (SHA1_BOUND / "InRelease").read_bytes()
    ring = bound_by_sha1("key", *ITS_FINGERPRINT)
    assert trust.signed(content, ring, now=REAL_NOW, url="u") == (TEXT, None)
    signature = (SHA1_BOUND / "Release.gpg").read_bytes()
    assert trust.signed_detached(TEXT, signature, ring, now=REAL_NOW, url="u").text == TEXT
    for altered in (content.replace(b"Suite: s", b"Suite: t"), content.replace(b"- dashes", b"- dashed")):
        with pytest.raises(TrustError, match="not signed by a key of"):
            trust.signed(altered, ring, now=REAL_NOW, url="u")
    with pytest.raises(TrustError, match="not signed by a key of"):
        trust.signed_detached(TEXT + b"x", signature, ring, now=REAL_NOW, url="u")


def test_a_key_bound_by_sha1_of_a_keyring_without_fingerprints() -> None:
    with pytest.raises(TrustError, match="not signed by a key of"):
        trust.signed((SHA1_BOUND / "InRelease").read_bytes(), bound_by_sha1(), now=REAL_NOW, url="u")


def test_a_key_bound_by_sha1_signs_nothing_with_sha1() -> None:
    content = (SHA1_BOUND / "SHA1.InRelease").read_bytes()
    with pytest.raises(TrustError, match="not signed by a key of"):
        trust.signed(content, bound_by_sha1("key", *ITS_FINGERPRINT), now=REAL_NOW, url="u")


def test_a_key_bound_by_sha1_expires_and_is_revoked() -> None:
    content = (SHA1_BOUND / "InRelease").read_bytes()
    ring = bound_by_sha1("expires", *ITS_FINGERPRINT)
    before, after = datetime(2026, 12, 30, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)
    assert trust.signed(content, ring, now=before, url="u").text == TEXT
    with pytest.raises(TrustError, match="expired on 2027-01-01\n"):
        trust.signed(content, ring, now=after, url="u")
    with pytest.raises(TrustError, match="is revoked"):
        trust.signed(content, bound_by_sha1("revoked", *ITS_FINGERPRINT), now=before, url="u")


def test_without_a_self_signature_nothing_is_known_of_a_keys_life(tmp_path: Path) -> None:
    content, whole = (SHA1_BOUND / "InRelease").read_bytes(), (SHA1_BOUND / "expires.pgp").read_bytes()
    for stripped in (whole[: whole.index(b"Bound by") + 14], whole[:-9] + bytes(9)):
        ring = keys(tmp_path, stripped, fingerprints=ITS_FINGERPRINT)
        with pytest.raises(TrustError, match="not signed by a key of"):
            trust.signed(content, ring, now=REAL_NOW, url="u")


def test_digest_and_size() -> None:
    entry = FileEntry(5, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    trust.check(b"hello", entry, url="u")
    with pytest.raises(TrustError, match="u: 6 bytes instead of 5"):
        trust.check(b"hello!", entry, url="u")
    with pytest.raises(TrustError, match=r"u: SHA-256 [0-9a-f]{64} instead of 2cf24dba"):
        trust.check(b"hellO", entry, url="u")
