"""The packages that mmdebstrap installs into a new root (mmdebstrap(1))."""

from __future__ import annotations

import pytest

from pinner.recipe import kinds
from tests.recipe.tables import pins_where_marked


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("mmdebstrap --include=a^,b^ bookworm x", ()),
        (
            "sudo mmdebstrap -q --variant minbase --include 'a^ b^,c^,,' bookworm x http://deb.debian.org/debian",
            (),
        ),
        (
            'mmdebstrap bookworm "$1" --INCL="a^" --incl="b^" -- "deb http://deb.debian.org/debian bookworm main"',
            (),
        ),
        ("L=a^,b^\nS=bookworm\nmmdebstrap --include=$L $S x", ()),
        ("L=a\nmmdebstrap --include=$L bookworm x; dpkg -s $L", ("mmdebstrap",)),
        ("bash -c 'mmdebstrap --include=a^ bookworm x'", ()),
        ("mmdebstrap --include=a=1 bookworm x", ()),
        ("mmdebstrap --include=a^,$L,b^,c$D bookworm x", ("variable-unknown",)),
        ("mmdebstrap --include=a^ --include={b,c} bookworm x", ("variable-unknown",)),
        ("mmdebstrap --include='?essential' --include=./a.deb --include=a^ bookworm x", ("pattern", "file")),
        ("mmdebstrap --include=a $S x", ("mmdebstrap",)),
        ("mmdebstrap --include=a bookworm x $M", ("mmdebstrap",)),
        ("mmdebstrap --include=a bookworm x ./sources.list", ("mmdebstrap",)),
        ("mmdebstrap --include=a bookworm - -", ("mmdebstrap",)),
        ("mmdebstrap --include=a < sources.list", ("mmdebstrap",)),
        ("mmdebstrap --include=a --wrong bookworm x", ("mmdebstrap",)),
        ("mmdebstrap --include=a --setup-hook='cp x $1/etc/apt/' bookworm x", ("mmdebstrap",)),
        ("mmdebstrap --include=a --hook-dir=./hooks bookworm x", ("mmdebstrap",)),
        ("mmdebstrap --include=a^ --customize-hook='chroot $1 apt-get install b' bookworm x", ("chroot",)),
        ("mmdebstrap --include=a --aptopt=./apt.conf bookworm x", ("mmdebstrap",)),
        ("mmdebstrap --include=a --arch=z80 bookworm x", ("mmdebstrap",)),
        ("x=$(mmdebstrap --include=a bookworm x)", ("mmdebstrap",)),
        ("mmdebstrap bookworm x", ()),
    ],
)
def test_words(text: str, reasons: tuple[str, ...]) -> None:
    assert pins_where_marked("script", f"#!/bin/bash\n{text}\n") == reasons


def test_other_kinds_of_files() -> None:
    text = "jobs:\n x:\n  runs-on: ubuntu-latest\n  steps:\n  - run: mmdebstrap --include=a^,${{ m.x }} trixie y\n"
    assert pins_where_marked("github", text) == ("variable-unknown",)
    assert pins_where_marked("dockerfile", 'FROM x\nRUN mmdebstrap --include="a^" trixie y\n') == ()


@pytest.mark.parametrize(
    ("arguments", "suite", "platform", "lines"),
    [
        (
            "bookworm x",
            "bookworm",
            "",
            [
                "/debian bookworm main",
                "/debian bookworm-updates main",
                "/debian-security bookworm-security main",
            ],
        ),
        ("testing x", "testing", "", ["http://deb.debian.org/debian testing main"]),
        (
            "--comp=main --comp='contrib non-free' --arch=arm64 trixie x http://m/d",
            "trixie",
            "linux/arm64",
            ["deb http://m/d trixie main contrib non-free"],
        ),
        (
            "trixie x 'deb http://m/d x y' http://n",
            "trixie",
            "",
            ["deb http://m/d x y", "deb http://n trixie main"],
        ),
    ],
)
def test_where_the_root_takes_its_packages_from(
    arguments: str, suite: str, platform: str, lines: list[str]
) -> None:
    _, root = kinds.parse("script", f"mmdebstrap --include=a {arguments}\n").stages
    assert (root.name, root.suite, root.platform) == ("mmdebstrap", suite, platform)
    said = [each for each in root.instructions[0].text.text.splitlines() if "deb " in each]
    assert len(said) == len(lines)
    assert all(wanted in line for line, wanted in zip(said, lines, strict=True))
