"""The text of a Release."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.apt.release import FileEntry, parse
from pinner.errors import TrustError

DIGEST = "0ed6d4c8891eb86358b94bb35d9e4da41484322a0ed6d4c8891eb86358b94bb3"
TEXT = f"""\
Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Version: 12
Codename: bookworm-security
Date: Sat, 21 Nov 2026 00:53:02 UTC
Valid-Until: Sat, 28 Nov 2026 00:53:02 UTC
NotAutomatic: yes
ButAutomaticUpgrades: yes
Acquire-By-Hash: yes
Architectures: all amd64 arm64
Components: updates/main updates/contrib
Description: Debian 12 - Security Updates
MD5Sum:
 0ed6d4c8891eb86358b94bb35d9e4da4  1484322 contrib/Contents-all
SHA256:
 {DIGEST}        0 main/binary-amd64/Packages
 {DIGEST.upper()} 378100 main/binary-amd64/Packages.xz
"""


def test_every_field() -> None:
    release = parse(TEXT)
    assert (release.origin, release.label, release.version) == ("Debian", "Debian-Security", "12")
    assert (release.suite, release.codename) == ("oldstable-security", "bookworm-security")
    assert release.date == datetime(2026, 11, 21, 0, 53, 2, tzinfo=UTC)
    assert release.valid_until == datetime(2026, 11, 28, 0, 53, 2, tzinfo=UTC)
    assert (release.not_automatic, release.but_automatic_upgrades, release.acquire_by_hash) == (
        True,
        True,
        True,
    )
    assert release.architectures == ("all", "amd64", "arm64")
    assert release.components == ("main", "contrib")
    assert release.all_apart
    assert release.files == {
        "main/binary-amd64/Packages": FileEntry(0, DIGEST),
        "main/binary-amd64/Packages.xz": FileEntry(378100, DIGEST),
    }


def test_what_may_be_absent() -> None:
    release = parse("Date: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n")
    assert release.valid_until is None
    assert (release.suite, release.codename, release.components, release.architectures) == ("", "", (), ())
    assert not (
        release.not_automatic
        or release.but_automatic_upgrades
        or release.acquire_by_hash
        or release.all_apart
    )


def test_packages_of_architecture_all_are_repeated_where_it_says_so() -> None:
    assert not parse(TEXT + "No-Support-for-Architecture-all: Packages\n").all_apart


@pytest.mark.parametrize(
    "date", ["Sat, 21 Nov 2026 00:53:02 UTC", "Sat, 21 Nov 2026 00:53:02 +0000", "21 Nov 2026  0:53:02 GMT"]
)
def test_dates(date: str) -> None:
    assert parse(f"Date: {date}\nSHA256:\n").date == datetime(2026, 11, 21, 0, 53, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no Date"),
        ("SHA256:\n", "no Date"),
        ("Date: Sat, 21 Nov 2026 00:53:02 UTC\n", "no SHA256"),
        ("Date: Sat, 21 Nov 2026 00:53:02 UTC\nMD5Sum:\n abc 1 x\n", "no SHA256"),
        ("Date: 2026-11-21\nSHA256:\n", "Date cannot be read: 2026-11-21"),
        ("Date: Sat, 21 Nov 2026 00:53:02 +0200\nSHA256:\n", "Date cannot be read"),
        ("Date: Sat, 21 Nov 2026 25:53:02 UTC\nSHA256:\n", "Date cannot be read"),
        (TEXT.replace("Valid-Until: Sat", "Valid-Until: soon, Sat"), "Valid-Until cannot be read"),
        (TEXT + "Suite: other\n", "two Suite fields"),
        (TEXT + f" {DIGEST} 1 /etc/passwd\n", "outside the suite"),
        (TEXT + f" {DIGEST} 1 main/../../x\n", "outside the suite"),
        (TEXT + f" {DIGEST} -1 x\n", "SHA256 field cannot be read"),
        (TEXT + f" {DIGEST[:-1]} 1 x\n", "SHA256 field cannot be read"),
        (
            TEXT + f" {DIGEST} 7 main/binary-amd64/Packages\n",
            "contradicts itself about main/binary-amd64/Packages",
        ),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(TrustError, match=message):
        parse(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(TrustError):
        parse(text)
