"""A version is replaced at its own place; nothing else of the file moves."""

from __future__ import annotations

import pytest

from pinner.edit.span import apply
from pinner.recipe import dockerfile, installs
from pinner.recipe.arguments import Request
from pinner.recipe.repin import repin

HEAD = "FROM debian:bookworm\nRUN apt-get install -y "


def requests(words: str) -> tuple[str, list[Request]]:
    source = f"{HEAD}{words}\n"
    (call,) = installs.find(dockerfile.parse(source))
    assert isinstance(call, installs.Install)
    return source, list(call.requests)


@pytest.mark.parametrize(
    ("words", "version", "expected"),
    [
        ("curl=1", "2", "curl=2"),
        ("curl=1 jq", "2", "curl=2 jq"),
        ("curl:amd64=1:1.0-1+b1", "1:1.0-2", "curl:amd64=1:1.0-2"),
        ('"curl=1"', "2", '"curl=2"'),
        ("'curl=1'", "2", "'curl=2'"),
        ('curl="1"', "2", 'curl="2"'),
        ("curl='1'", "2", "curl='2'"),
        ('"curl"=1', "2", '"curl"=2'),
        ('curl="1*"', "2", 'curl="2"'),
        ('curl="1"', "2*", 'curl="2*"'),
        ("curl=1", "2*", 'curl="2*"'),
        ("'curl=1'", "2*", "'curl=2*'"),
        (r"curl=1\*", "2", "curl=2"),
        (r"curl=1\*", "2*", 'curl="2*"'),
        ("curl=1.1-1 lib1.1=1.1", "1.2-1", "curl=1.2-1 lib1.1=1.1"),
    ],
)
def test_the_version_alone(words: str, version: str, expected: str) -> None:
    source, found = requests(words)
    edit = repin(found[0], version)
    assert edit is not None
    new = apply(source, [edit])
    assert new == f"{HEAD}{expected}\n"
    (call,) = installs.find(dockerfile.parse(new))
    assert isinstance(call, installs.Install)
    assert call.requests[0].pin == version
    assert call.requests[0].name == found[0].name


@pytest.mark.parametrize("words", ['curl=1."0"', "curl='1'.0", r"curl=1\.0", "curl=1''"])
def test_a_version_in_pieces_has_no_place(words: str) -> None:
    _, (request,) = requests(words)
    assert request.action == "keep"
    assert repin(request, "2") is None


@pytest.mark.parametrize(
    ("lines", "version", "expected"),
    [
        ("ARG V=1\nRUN apt-get install curl=$V", "2", "ARG V=2\nRUN apt-get install curl=$V"),
        ('ENV V="1"\nRUN apt-get install curl=$V', "2", 'ENV V="2"\nRUN apt-get install curl=$V'),
        ("ARG V=1.0\nRUN apt-get install curl=1:$V-1", "1:2.0-1", "ARG V=2.0\nRUN apt-get install curl=1:$V-1"),
        ('ARG P="curl=1 jq"\nRUN apt-get install $P', "2", 'ARG P="curl=2 jq"\nRUN apt-get install $P'),
        ('RUN ["apt-get", "install", "curl=1"]', "2", 'RUN ["apt-get", "install", "curl=2"]'),
        ("RUN for p in curl=1 jq; do apt-get install $p; done", "2",
         "RUN for p in curl=2 jq; do apt-get install $p; done"),
    ],
)  # fmt: skip
def test_at_the_place_where_it_is_said(lines: str, version: str, expected: str) -> None:
    source = f"FROM debian:bookworm\n{lines}\n"
    request = next(
        request
        for call in installs.find(dockerfile.parse(source))
        if isinstance(call, installs.Install)
        for request in call.requests
    )
    edit = repin(request, version)
    assert edit is not None
    assert apply(source, [edit]) == f"FROM debian:bookworm\n{expected}\n"


def test_a_version_that_does_not_fit_around_the_variable() -> None:
    source = "FROM debian:bookworm\nARG V=1.0\nRUN apt-get install curl=1:$V-1\n"
    (call,) = installs.find(dockerfile.parse(source))
    assert isinstance(call, installs.Install)
    assert repin(call.requests[0], "2:1.1-1") is None
    assert repin(call.requests[0], "1:1.1-2") is None
