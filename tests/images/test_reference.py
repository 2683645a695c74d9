"""Names of images as Docker reads them, and platforms as containerd matches them."""

from __future__ import annotations

import pytest

from pinner.errors import InputError
from pinner.images.reference import parse, platform, preference

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("debian", "docker.io/library/debian:latest"),
        ("debian:bookworm-slim", "docker.io/library/debian:bookworm-slim"),
        ("library/debian", "docker.io/library/debian:latest"),
        ("docker.io/debian", "docker.io/library/debian:latest"),
        ("index.docker.io/library/debian:12", "docker.io/library/debian:12"),
        ("registry-1.docker.io/a/b", "docker.io/a/b:latest"),
        ("company/base:7", "docker.io/company/base:7"),
        ("ghcr.io/a/b/c:1", "ghcr.io/a/b/c:1"),
        ("localhost/a", "localhost/a:latest"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
        ("[::1]:5000/a", "[::1]:5000/a:latest"),
        ("Host/a", "Host/a:latest"),
        (f"debian@sha256:{HEX}", f"docker.io/library/debian@sha256:{HEX}"),
        (f"debian:12@sha256:{HEX}", f"docker.io/library/debian:12@sha256:{HEX}"),
        ("a__b/c-d.e", "docker.io/a__b/c-d.e:latest"),
    ],
)
def test_references(text: str, full: str) -> None:
    assert str(parse(text)) == full
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "Debian", "a//b", "a:", "a@", "a@sha256:1", "a:b:c", "a b", "../a", "a/../b", "-a/b", "a.b/", "a\n", "$BASE",
     "x.y/a:" + "t" * 129, "http://a.b/c", "a.b/c?d", "u@h.io/a", "a.b:99999999/c", "a/" + "b" * 260,
     f"a@sha256:{HEX.upper()}"],
)  # fmt: skip
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InputError, match="not the name of an image"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v2", "linux/amd64/v2"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/i386", "linux/386"),
        ("linux/riscv64", "linux/riscv64"),
    ],
)
def test_platforms(text: str, normal: str) -> None:
    assert str(platform(text)) == normal


@pytest.mark.parametrize("text", ["", "linux", "linux/", "linux/a/b/c", "linux/arm 64", "linux//v7"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(InputError, match="not a platform"):
        platform(text)


@pytest.mark.parametrize(
    ("wanted", "offered", "rank"),
    [
        ("linux/amd64", "linux/amd64", 0),
        ("linux/amd64/v3", "linux/amd64", 2),
        ("linux/amd64", "linux/amd64/v2", None),
        ("linux/arm64", "linux/arm64/v8", 0),
        ("linux/arm64", "linux/arm/v8", None),
        ("linux/arm64/v9", "linux/arm64", 1),
        ("linux/arm/v7", "linux/arm/v7", 0),
        ("linux/arm/v7", "linux/arm/v5", 2),
        ("linux/arm/v5", "linux/arm/v7", None),
        ("linux/amd64", "linux/386", None),
        ("linux/amd64", "windows/amd64", None),
        ("linux/riscv64", "linux/riscv64/rva23", None),
        ("linux/riscv64/rva23", "linux/riscv64/rva23", 0),
    ],
)
def test_which_platform_does(wanted: str, offered: str, rank: int | None) -> None:
    assert preference(platform(wanted), platform(offered)) == rank
