"""cloud-init's user data."""

from __future__ import annotations

import pytest

from pinner.stages.install_commands import read_file
from pinner.stages.suites import Options
from tests.recipe.tables import VERSION, pins_where_marked


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("packages:\n  - a^\n  - 'b^'\n  - \"c^\"\n", ()),
        ("packages: [a^, [b, 1.2], [c^]]\n", ()),
        ("packages:\n  - apt: [a^]\n  - snap: [b]\n", ()),
        ("packages: [a=1.2]\n", ()),
        ("packages: [a]\npackages: [b^]\n", ()),
        ("package_upgrade: true\n", ("upgrade",)),
        ("package_upgrade: false\n", ()),
        ("runcmd:\n  - [apt-get, install, -y, a^]\n", ()),
        ("runcmd: {}\n", ()),
        ("write_files: [{path: /x, content: 'x; apt-get install a'}]\n", ("other-key",)),
        (
            "write_files: [{path: /x, content: apt-get update}, {path: b, content: use apt to install a}]\n",
            (),
        ),
        ("runcmd: [x]\nname: apt-get install a\n", ()),
    ],
)
def test_words(text: str, reasons: tuple[str, ...]) -> None:
    assert pins_where_marked("cloud-init", f"#cloud-config\n{text}") == reasons


@pytest.mark.parametrize(
    "text", ["runcmd:\n  - apt-get install a^\n", "runcmd:\n  - [sh, -c, apt-get install a^]\n"]
)
def test_commands(text: str) -> None:
    assert pins_where_marked("cloud-init", text, f'="{VERSION}"') == ()


def test_a_mirror_counts() -> None:
    text = (
        "#cloud-config\n# pinner: suite=noble\napt: {primary: [{uri: 'http://x.example'}]}\npackages: [a]\n"
    )
    (call,) = read_file("user-data", text, Options()).calls()
    assert [each.reason for each in call.install.requests] == ["other-repository"]
