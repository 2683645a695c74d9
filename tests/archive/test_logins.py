"""Logins to archives, in the syntax of apt_auth.conf(5)."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from pinner.archive import logins

TEXT = """
# machine comment.example login a password b
machine plain.example login bot password s3cr3t
machine http://insecure.example
    login bot password "with space"
machine path.example:8443/debian login p password 1
machine path.example/debian login q password 2
default login nobody password nothing
macdef init
machine macro.example login a password b

machine last.example password only
"""


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("https://plain.example/debian", "bot"),
        ("https://PLAIN.example:8443/debian", "bot"),
        ("http://plain.example/debian", None),
        ("http://insecure.example/x", "bot"),
        ("https://insecure.example/x", None),
        ("https://path.example:8443/debian/x", "p"),
        ("https://path.example/debian/x", "q"),
        ("https://path.example/other", None),
        ("https://path.example:1/debian", None),
        ("https://elsewhere.example/", None),
        ("https://comment.example/", None),
        ("https://macro.example/", None),
        ("https://last.example/", None),
        ("https://evil-plain.example/", None),
    ],
)
def test_find(url: str, user: str | None) -> None:
    found = logins.find(logins.parse(TEXT), url)
    assert (found.user if found else None) == user


def test_what_a_request_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(TEXT)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("PINNER_AUTH", "machine plain.example login env password e")
    logins.own.cache_clear()
    session = logins.Session()

    def sent(url: str) -> str | None:
        return session.prepare_request(requests.Request("GET", url, auth=logins.attach)).headers.get(
            "Authorization"
        )

    assert sent("https://plain.example/") == requests.auth._basic_auth_str("env", "e")
    assert sent("http://plain.example/") is None
    assert sent("http://u:p%40@mirror.example/") == requests.auth._basic_auth_str("u", "p@")
    # a redirection to another host takes no login along, and gets its own
    prepared = session.prepare_request(requests.Request("GET", "https://plain.example/", auth=logins.attach))
    for url, expected in (("https://elsewhere.example/", None), ("http://plain.example/", None)):
        prepared.url = url
        session.rebuild_auth(prepared, requests.Response())
        assert prepared.headers.get("Authorization") == expected
    logins.own.cache_clear()
