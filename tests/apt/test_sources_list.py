"""Sources files as sources.list(5) has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinner.apt.sources_list import SourceEntry, conflict, read
from pinner.errors import InputError
from tests.apt_root import AptRoot

URI = "http://deb.debian.org/debian"


LINES: tuple[tuple[str, list[SourceEntry]], ...] = (
    ("deb http://deb.debian.org/debian bookworm main contrib # why\n",
     [SourceEntry(URI, "bookworm", ("main", "contrib"))]),
    ("deb-src http://deb.debian.org/debian bookworm main\n#deb x y z\n\n", []),
    ("deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/x.gpg] https://x.example/deb/ stable main",
     [SourceEntry("https://x.example/deb", "stable", ("main",), ("amd64", "arm64"), "/usr/share/keyrings/x.gpg")]),
    ("deb\t[ trusted=yes  check-valid-until=no Unknown=1 ] https://x.example ./\n",
     [SourceEntry("https://x.example", "./", trusted=True, check_valid_until=False)]),
    ("deb [ signed-by=\"/a.gpg\" ] \"https://x.example\" \"s\" main\r\n",
     [SourceEntry("https://x.example", "s", ("main",), signed_by="/a.gpg")]),
    ("deb [Signed-By=/a.gpg foo=bar] https://x.example s main#c", [SourceEntry("https://x.example", "s", ("main",))]),
    ("deb [arch+=arm64 arch-=i386] https://x.example s main",
     [SourceEntry("https://x.example", "s", ("main",), without=("i386",))]),
    ("deb [arch=amd64 arch+=arm64] https://x.example s main",
     [SourceEntry("https://x.example", "s", ("main",), ("amd64", "arm64"))]),
    ("deb [target=Contents-deb] https://x.example s main\ndeb [target-=Packages] https://x.example s main", []),
    ("deb [valid-until-min=60 valid-until-max=120 check-date=no] https://x.example s main",
     [SourceEntry("https://x.example", "s", ("main",), check_date=False, valid_for=(60, 120))]),
    ("deb [by-hash=no lang=de pdiffs=no snapshot=20260101T000000Z] https://x.example s main",
     [SourceEntry("https://x.example", "s", ("main",), snapshot="20260101T000000Z")]),
    ("deb [trusted=no trusted=yes] https://x.example s main",
     [SourceEntry("https://x.example", "s", ("main",), trusted=True)]),
    ("deb [check-valid-until=maybe] https://x.example s main",
     [SourceEntry("https://x.example", "s", ("main",), check_valid_until=False)]),
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_one_line(text: str, expected: list[SourceEntry]) -> None:
    assert list(read("/etc/apt/sources.list", text)) == expected


def test_deb822() -> None:
    text = (
        "# made by hand\n"
        "types: deb deb-src\n"
        "# in between\n"
        "URIs: http://deb.debian.org/debian\n"
        "SUITES: nonsense\n"
        "Suites: bookworm\n  bookworm-updates\n"
        "Components: main contrib\n"
        "Architectures: amd64 arm64\n"
        "X-Note: nobody reads this\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        "\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: s\nComponents: c\n"
        "\n\n"
        "Types: deb\nURIs: https://a.example https://b.example/\nSuites: ./\nCheck-Valid-Until: no\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
    )
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    both = ("main", "contrib"), ("amd64", "arm64"), key
    armoured = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nabc"
    assert read("/etc/apt/sources.list.d/x.sources", text) == (
        SourceEntry(URI, "bookworm", *both),
        SourceEntry(URI, "bookworm-updates", *both),
        SourceEntry("https://a.example", "./", signed_by=armoured, check_valid_until=False),
        SourceEntry("https://b.example", "./", signed_by=armoured, check_valid_until=False),
    )


REFUSED = (
    ("a.list", "deb http://x.example bookworm\n", 1),
    ("a.list", "\ndebs http://x.example bookworm main\n", 2),
    ("a.list", "deb http://x.example ./ main", 1),
    ("a.sources", "Types: deb\nURIs: http://x.example\n", 1),
    ("a.sources", "Types: deb\nnonsense\n", 2),
    ("a.sources", "URIs: http://x.example\nSuites: ./\n", 1),
    ("a.sources", " Types: deb\nURIs: http://x.example\nSuites: ./\n", 1),
    ("a.sources", "Types: deb\nURIs: http://x.example # why\nSuites: ./\n", 1),
    ("a.list", "deb [arch=amd64]http://x.example s main", 1),
    ("a.list", "deb [arch = amd64] http://x.example s main", 1),
    ("a.list", "deb [foo] http://x.example s main", 1),
    ("a.list", "DEB http://x.example s main", 1),
    ("a.list", "deb x.example s main", 1),
    ("a.list", 'deb http://x.example s "main#c"', 1),
    ("a.list", "deb [signed-by=ABCD] http://x.example s main", 1),
    ("a.list", "deb http://x.example s main\\\n contrib", 2),
)


@pytest.mark.parametrize(("path", "text", "line"), REFUSED)
def test_what_apt_refuses(path: str, text: str, line: int) -> None:
    with pytest.raises(InputError) as raised:
        read(path, text)
    assert (raised.value.path, raised.value.line) == (path, line)


@pytest.mark.parametrize("option", ["inrelease-path=x", "include=a", "exclude=b"])
def test_what_is_not_followed_is_named(option: str) -> None:
    with pytest.raises(InputError, match=option.partition("=")[0]):
        read("a.list", f"deb [{option}] http://x.example s main")


def test_fingerprints() -> None:
    text = f"Types: deb\nURIs: http://x.example\nSuites: ./\nSigned-By: {'ab' * 20}\n {'CD' * 20}!\n"
    (entry,) = read("a.sources", text)
    assert entry.fingerprints == ("AB" * 20, "CD" * 20)
    assert not SourceEntry(URI, "x", signed_by="/a.gpg").fingerprints


#: Two lines of one place, and the option about which they disagree.
PAIRS = (
    ("", "", ""),
    ("[signed-by=/a.gpg]", "", "Signed-By"),
    ("", "[signed-by=/a.gpg]", ""),
    ("[signed-by=/a.gpg]", "[signed-by=/b.gpg]", "Signed-By"),
    ("[signed-by=/a.gpg]", "[signed-by=/a.gpg arch=arm64]", ""),
    ("[trusted=yes]", "", "Trusted"),
    ("", "[trusted=yes]", "Trusted"),
    ("[check-valid-until=no]", "", "Check-Valid-Until"),
    ("[check-valid-until=no]", "[check-valid-until=maybe]", ""),
    ("[check-date=no]", "[check-date=yes]", "Check-Date"),
    ("[valid-until-max=10]", "[valid-until-max=11]", "Max-ValidTime"),
    ("[valid-until-min=10]", "", "Min-ValidTime"),
    ("[allow-insecure=yes]", "", "Allow-Insecure"),
    ("[by-hash=yes]", "[by-hash=no]", ""),
)


@pytest.mark.parametrize(("one", "other", "option"), PAIRS)
def test_entries_of_a_place_have_to_agree(one: str, other: str, option: str) -> None:
    text = f"deb {one} http://x.example/d s main\ndeb {other} http://x.example/d/ s contrib\n"
    assert (f"option {option}" in conflict(read("a.list", text))) == bool(option)
    assert not conflict(read("a.list", text.replace("/d/ s", "/d/ t")))


@pytest.mark.live
@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("a.list", f"deb {a} http://x.example/d s main\ndeb {b} http://x.example/d s contrib\n")
            for a, b, _ in PAIRS
        ),
        *((name, text) for name, text, _ in REFUSED),
        *(("a.list", text) for text, _ in LINES),
    ],
)
def test_real_apt_agrees(name: str, text: str, tmp_path: Path) -> None:
    root = AptRoot(tmp_path, "amd64", {f"sources.list.d/{name}": text})
    refused = root.refuses("apt-get", "update", "--print-uris")
    try:
        entries = read(name, text)
    except InputError:
        assert refused
        return
    assert bool(conflict(entries)) == bool(refused), refused
    places = {f"{each.uri}/dists/{each.suite}/InRelease" for each in entries if not each.flat}
    assert refused or places <= set(re.findall(r"'(\S+)'", root.run("apt-get", "update", "--print-uris")))
