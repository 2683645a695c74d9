"""Logins from Docker's config.json and from credential helpers."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.images.credentials import Login, login
from pinner.images.reference import HUB


def write(path: Path, settings: object) -> Path:
    file = path / "config.json"
    file.write_text(json.dumps(settings))
    return file


def auth(text: str) -> dict[str, str]:
    return {"auth": b64encode(text.encode()).decode()}


ME = Login("me", "s3cret")


@pytest.mark.parametrize(
    ("settings", "registry", "expected"),
    [
        ({"auths": {"ghcr.io": auth("me:s3cret")}}, "ghcr.io", ME),
        ({"auths": {"ghcr.io": auth("me:s3:cret")}}, "ghcr.io", Login("me", "s3:cret")),
        ({"auths": {"https://ghcr.io/v2/": auth("me:s3cret")}}, "ghcr.io", ME),
        ({"auths": {"r.io:5000": auth("me:s3cret")}}, "r.io:5000", ME),
        ({"auths": {"ghcr.io": {"username": "me", "password": "s3cret"}}}, "ghcr.io", ME),
        ({"auths": {"https://index.docker.io/v1/": auth("me:s3cret")}}, HUB, ME),
        ({"auths": {"docker.io": auth("me:s3cret")}}, HUB, ME),
        (
            {"auths": {"ghcr.io": {"auth": auth("me:")["auth"], "identitytoken": "t"}}},
            "ghcr.io",
            Login("me", "t", identity=True),
        ),
        # The nearest path counts, as podman writes it.
        ({"auths": {"ghcr.io/team": auth("me:s3cret"), "ghcr.io": auth("you:x")}}, "ghcr.io", ME),
        ({"auths": {"ghcr.io": auth("you:x"), "ghcr.io/team/app": auth("me:s3cret")}}, "ghcr.io", ME),
        ({"auths": {"docker.io/team": auth("me:s3cret")}}, HUB, ME),
        # Nothing for this host.
        (
            {"auths": {"ghcr.io/te": auth("me:s3cret"), "ghcr.io/team/app2": auth("me:s3cret")}},
            "ghcr.io",
            None,
        ),
        ({"auths": {"ghcr.io": auth("me:s3cret")}}, "ghcr.io:5000", None),
        ({"auths": {"ghcr.io": auth("me:s3cret")}}, "evil-ghcr.io", None),
        ({"auths": {"ghcr.io.evil": auth("me:s3cret")}}, "ghcr.io", None),
        ({"auths": {"https://index.docker.io/v1/": auth("me:s3cret")}}, "ghcr.io", None),
        ({"auths": {"ghcr.io": {}}}, "ghcr.io", None),
        ({"auths": {"ghcr.io": None}}, "ghcr.io", None),
        ({"auths": None, "credsStore": ""}, "ghcr.io", None),
        ({}, "ghcr.io", None),
    ],
)
def test_the_file(tmp_path: Path, settings: object, registry: str, expected: Login | None) -> None:
    assert login([write(tmp_path, settings)], registry, "team/app") == expected


def test_the_first_file_that_has_a_login(tmp_path: Path) -> None:
    for name, registry in (("a", "r.io"), ("b", "ghcr.io"), ("c", "ghcr.io")):
        (tmp_path / name).mkdir()
        write(tmp_path / name, {"auths": {registry: auth(f"{name}:s3cret")}})
    files = [tmp_path / name / "config.json" for name in "abc"]
    assert login(files, "ghcr.io", "app") == Login("b", "s3cret")


def test_no_file(tmp_path: Path) -> None:
    assert login([], "ghcr.io", "app") is None
    assert login([tmp_path / "config.json"], "ghcr.io", "app") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"auths": [1]}',
        '{"credHelpers": 1}',
        '{"credsStore": 1}',
        '{"auths": {"r.io": {"auth": "?"}}}',
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        login([file], "r.io", "app")
    assert caught.value.path == str(file)


def test_a_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(ME)


def helper(path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = path / "docker-credential-stand-in"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")


ANSWER = """printf '{"ServerURL":"%s","Username":"me","Secret":"for %s %s"}' x "$1" "$(cat)" """


@pytest.mark.parametrize(
    ("settings", "registry", "expected"),
    [
        ({"credsStore": "stand-in"}, "ghcr.io", Login("me", "for get ghcr.io")),
        ({"credsStore": "stand-in"}, HUB, Login("me", "for get https://index.docker.io/v1/")),
        (
            {"credsStore": "not-there", "credHelpers": {"r.io": "stand-in"}},
            "r.io",
            Login("me", "for get r.io"),
        ),
        ({"credHelpers": {"r.io": "stand-in"}}, "ghcr.io", None),
    ],
)
def test_a_helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object, registry: str, expected: Login | None
) -> None:
    helper(tmp_path, monkeypatch, ANSWER)
    assert login([write(tmp_path, settings)], registry, "team/app") == expected


def test_a_helper_with_an_identity_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, """echo '{"Username":"<token>","Secret":"t"}'""")
    assert login([write(tmp_path, {"credsStore": "stand-in"})], "r.io", "app") == Login(
        "", "t", identity=True
    )


def test_a_helper_that_has_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")
    settings = {"credsStore": "stand-in", "auths": {"r.io": auth("me:s3cret")}}
    assert login([write(tmp_path, settings)], "r.io", "app") == ME
    assert login([write(tmp_path, settings)], "s.io", "app") is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo the keychain is locked; exit 1", "the keychain is locked"),
        ("echo nonsense", "an invalid answer"),
        ('echo \'{"Username": 1, "Secret": 2}\'', "an invalid answer"),
        ("echo '[]'", "an invalid answer"),
    ],
)
def test_a_helper_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    helper(tmp_path, monkeypatch, script)
    with pytest.raises(InputError, match=words):
        login([write(tmp_path, {"credsStore": "stand-in"})], "r.io", "app")


@pytest.mark.parametrize(
    ("name", "words"),
    [("not-there", "is not installed"), ("../../bin/sh", "not the name of a credential helper")],
)
def test_a_helper_that_is_none(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        login([write(tmp_path, {"credsStore": name})], "r.io", "app")
