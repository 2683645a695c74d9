"""Preferences by patterns and source packages, as real apt takes them (apt_preferences(5); `apt-cache policy`)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pinner.apt import preferences
from pinner.resolve.universe import Universe
from tests.apt_root import AptRoot
from tests.resolve.stories import index

STORY = "abc=1.0 Source: srcx\nabc=2.0 Source: srcx (3.0)\nxab=1.0\nxab=2.0\nbcd=1.0 Source: abc\nbcd=2.0 Source: abc"
NAMES = ("abc", "xab", "bcd")

TABLE = (
    ("/AB/", "version 1.0", "900", "1.0 1.0 2.0"),
    ("/^ab/", "version 1.0", "900", "1.0 2.0 2.0"),
    ("/^ab/ bcd", "version 1.0", "900", "1.0 2.0 1.0"),
    ("ABC", "version 1.0", "900", "2.0 2.0 2.0"),
    ("A*", "version 1.0", "900", "1.0 2.0 2.0"),
    ("/ab/:any", "version 1.0", "900", "1.0 1.0 2.0"),
    ("src:srcx", "version 1.0", "900", "1.0 2.0 2.0"),
    ("src:srcx", "version 3.0", "900", "2.0 2.0 2.0"),
    ("src:SRCX", "version 1.*", "900", "2.0 2.0 2.0"),
    ("src:abc", "version 1.*", "900", "2.0 2.0 1.0"),
    ("src:a*", "version 1.*", "900", "2.0 2.0 1.0"),
    ("src:/^ab/", "version 1.*", "900", "2.0 2.0 1.0"),
    ("src:xab", "version 1.*", "900", "2.0 1.0 2.0"),
    ("src:abc:arm64", "version 1.*", "900", "2.0 2.0 2.0"),
    ("src:srcx", "release n=a", "-1", "- 2.0 2.0"),
    ("abc", "version /^1/", "900", "1.0 2.0 2.0"),
    ("*", "release a=/^A$/", "-5", "- - -"),
    ("*", "release n=/x/", "-5", "2.0 2.0 2.0"),
    ("*", "release o=/^sy/,n=a", "-5", "- - -"),
)


def stanza(package: str, pin: str, priority: str) -> str:
    return f"Package: {package}\nPin: {pin}\nPin-Priority: {priority}\n"


@pytest.mark.parametrize(("package", "pin", "priority", "expected"), TABLE)
def test_candidates(package: str, pin: str, priority: str, expected: str) -> None:
    found = preferences.read("x", stanza(package, pin, priority))
    universe = Universe([index(STORY, "a")], arch="amd64", preferences=found)
    offers = (universe.candidate(name) for name in NAMES)
    assert " ".join(offer.version if offer else "-" for offer in offers) == expected


@pytest.mark.live
@pytest.mark.parametrize(("package", "pin", "priority", "expected"), TABLE)
def test_real_apt_agrees(package: str, pin: str, priority: str, expected: str, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    packages = ""
    for line in STORY.splitlines():
        head, _, source = line.partition(" ")
        name, _, version = head.partition("=")
        packages += (
            f"Package: {name}\nVersion: {version}\n{source + chr(10) if source else ''}Architecture: all\n"
        )
        packages += f"Maintainer: x\nSize: 1\nSHA256: {'0' * 64}\nFilename: ./{name}_{version}.deb\nDescription: x\n\n"
    (folder / "Packages").write_text(packages)
    digest = hashlib.sha256(packages.encode()).hexdigest()
    (folder / "Release").write_text(
        "Origin: Syn\nLabel: Syn\nSuite: a\nCodename: a\nDate: Mon, 02 Nov 2026 00:00:00 UTC\n"
        f"SHA256:\n {digest} {len(packages)} Packages\n"
    )
    sources = {
        "sources.list": f"deb [trusted=yes] file:{folder} ./\n",
        "preferences": stanza(package, pin, priority),
    }
    apt = AptRoot(tmp_path / "root", "amd64", sources)
    apt.update()
    candidates = apt.candidates(NAMES)
    assert " ".join(candidates.get(name, "-") for name in NAMES) == expected
