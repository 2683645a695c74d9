"""What is printed moves no cursor, forges no command and tells no login."""

from __future__ import annotations

import pytest

from pinner.errors import InputError, printable, without_login


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: #1 a/b:c", "plain: #1 a/b:c"),
        ("a\x1b[2Jb\x9b", "a\\x1b[2Jb\\x9b"),
        ("a\u202eb\u200bc\u2066\ufeff\xad", "a\\u202eb\\u200bc\\u2066\\ufeff\\xad"),
        ("\ud800\U000e0041", "\\ud800\\U000e0041"),
        ("größe 漢字 🔴", "größe 漢字 🔴"),
        ("a\n::error::x\n ##[group]y", "a\n\\::error::x\n #\\#[group]y"),
        ("a ##vso[task.prependpath]x", "a #\\#vso[task.prependpath]x"),
        ("::set-output name=a::b", "\\::set-output name=a::b"),
        ("a::b", "a::b"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_name_is_on_one_line() -> None:
    assert printable("a\n\t::error", line=True) == "a\\n\\t::error"
    error = InputError("bad", path="dir\n::error::x/Dockerfile", line=3)
    assert str(error) == "dir\\n::error::x/Dockerfile:3: bad"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bot:s3cr3t@apt.example.org/debian", "https://apt.example.org/debian"),
        ("deb [a=b] https://s3cr3t@h:1/x y", "deb [a=b] https://h:1/x y"),
        ('{"a": "http://u:s3/cr3t@h/x"}', '{"a": "http://h/x"}'),
        ("http://u:p@ss@h/x", "http://h/x"),
        ("http://h:80/a@b and c@d", "http://h:80/a@b and c@d"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("http://h/a@sha256:0", "http://h/a@sha256:0"),
    ],
)
def test_logins_are_not_shown(text: str, shown: str) -> None:
    assert without_login(text) == printable(text) == shown
