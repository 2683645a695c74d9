"""Sources files as sources.list(5) has them."""

from __future__ import annotations

import pytest

from pinner.apt.sources_list import Entry, read
from pinner.errors import InputError

URI = "http://deb.debian.org/debian"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deb http://deb.debian.org/debian bookworm main contrib # why\n",
         [Entry(URI, "bookworm", ("main", "contrib"))]),
        ("deb-src http://deb.debian.org/debian bookworm main\n#deb x y z\n\n", []),
        ("deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/x.gpg] https://x.example/deb/ stable main",
         [Entry("https://x.example/deb", "stable", ("main",), ("amd64", "arm64"), "/usr/share/keyrings/x.gpg")]),
        ("deb\t[ trusted=yes  check-valid-until=no Unknown=1 ] https://x.example ./\n",
         [Entry("https://x.example", "./", trusted=True, check_valid_until=False)]),
        ("deb [ Signed-By=\"/a.gpg\" ] \"https://x.example\" \"s\" main\r\n",
         [Entry("https://x.example", "s", ("main",), signed_by="/a.gpg")]),
    ],
)  # fmt: skip
def test_one_line(text: str, expected: list[Entry]) -> None:
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
        Entry(URI, "bookworm", *both),
        Entry(URI, "bookworm-updates", *both),
        Entry("https://a.example", "./", signed_by=armoured, check_valid_until=False),
        Entry("https://b.example", "./", signed_by=armoured, check_valid_until=False),
    )


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.list", "deb http://x.example bookworm\n", 1),
        ("a.list", "\ndebs http://x.example bookworm main\n", 2),
        ("a.list", "deb http://x.example ./ main", 1),
        ("a.sources", "Types: deb\nURIs: http://x.example\n", 1),
        ("a.sources", "Types: deb\nnonsense\n", 2),
    ],
)
def test_what_apt_refuses(path: str, text: str, line: int) -> None:
    with pytest.raises(InputError) as raised:
        read(path, text)
    assert (raised.value.path, raised.value.line) == (path, line)
