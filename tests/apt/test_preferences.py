"""Preferences as values; what apt refuses, and what is not followed, is an error."""

from __future__ import annotations

import pytest

from pinner.apt.preferences import NEVER, Preference, read
from pinner.errors import InputError


def stanza(package: str, pin: str, priority: str = "900") -> str:
    return f"Package: {package}\nPin: {pin}\nPin-Priority: {priority}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stanza("*", "release a=stable"), [Preference((), "release", "a=stable", 900)]),
        (stanza("a b* c:arm64", "version 1.*"), [Preference(("a", "b*", "c:arm64"), "version", "1.*", 900)]),
        (stanza("a\n b", "release  n=x,  o=y", "-1"), [Preference(("a", "b"), "release", "n=x, o=y", -1)]),
        (stanza("*", 'origin ""'), [Preference((), "origin", "", 900)]),
        (stanza("*", "ORIGIN x.example", "never"), [Preference((), "origin", "x.example", NEVER)]),
        ("# why\nExplanation: so\n" + stanza("a", "version 1"), [Preference(("a",), "version", "1", 900)]),
        (stanza("/^a.*b$/ src:c:amd64", "version /^1/"),
         [Preference(("/^a.*b$/", "src:c:amd64"), "version", "/^1/", 900)]),
        (stanza("*", "version 1"), []),
        (stanza("a", "somehow 1"), []),
        ("Package: a\n", []),
        ("# nothing\n", []),
        (stanza("*", "release a=x") + "\n\n" + stanza("b", "version 2", "1001"),
         [Preference((), "release", "a=x", 900), Preference(("b",), "version", "2", 1001)]),
    ],
)  # fmt: skip
def test_read(text: str, found: list[Preference]) -> None:
    assert list(read("x", text)) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (stanza("*", "release a=x", "0"), "priority"),
        (stanza("*", "release a=x", "high"), "priority"),
        (stanza("*", "release a=x", "40000"), "priority"),
        ("Package: a\nPin: version 1\n", "priority"),
        ("Pin: version 1\nPin-Priority: 1\n", "Package"),
        ("nonsense\n", "cannot read"),
        (stanza("/[[:alpha:]]/", "version 1"), "regular expression"),
        (stanza("src:/(a+)+/", "version 1"), "regular expression"),
        (stanza("a", "release a=/x{2}/"), "regular expression"),
        (stanza("a", "release a=x", "never"), "never"),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read("x", text)
