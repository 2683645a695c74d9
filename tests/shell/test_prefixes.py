"""Programs that run apt: those that the configuration knows, and those that only look like it."""

from __future__ import annotations

import pytest

from pinner.recipe import dockerfile, installs
from pinner.recipe.installs import Install, Skipped
from pinner.shell import prefixes

WRAPPERS = {"dinst": "sudo apt-get install -y --no-install-recommends", "retry": ""}


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("dinst a b", "a b"),
        ("/usr/local/bin/dinst -t x a", "a"),
        ("retry 5 apt-get install a", "a"),
        ("sudo retry -n 3 sudo -E apt-get install a", "a"),
        ("retry 5 dinst a", "a"),
        ("retry ls a", ""),
        ("dinst -h", ""),
        ("lazy-apt --no-install-recommends a", "wrapper"),
        ("docker-apt-install a", "wrapper"),
        ("my-apt-get /root install a", "wrapper"),
        ("apt-cache policy a install", ""),
        ("apt-mark hold a", ""),
        ("A=x make apt-install", "wrapper"),
        ("make install apt", ""),
        ("lazy-apt update", ""),
        ("rm apt-install", ""),
    ],
)
def test_command(command: str, found: str) -> None:
    parsed = dockerfile.parse(f"FROM debian:12\nRUN {command}\n")
    calls = installs.find(parsed, WRAPPERS)
    names = [each.name for call in calls if isinstance(call, Install) for each in call.requests]
    codes = [each.reason for each in calls if isinstance(each, Skipped)]
    assert " ".join((*names, *codes)) == found


def test_what_a_wrapper_adds_counts() -> None:
    (call,) = installs.find(dockerfile.parse("FROM debian:12\nRUN dinst a\n"), WRAPPERS)
    assert isinstance(call, Install)
    assert call.recommends is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apt-get install a", True),
        ("apt-get -y reinstall a", True),
        ("nala install a", True),
        ("xapt-get install a", False),
        ("apt-get preinstall a", False),
        ("apt-get update; pip install a", False),
        ("pip install --upgrade apt", False),
        ("apt update && apt full-upgrade", True),
        ("mdebstrap sid", True),
        ("mmdebstrap sid", True),
        ("xmdebstrap sid", False),
        ("qemu-debootstrap sid", True),
        ("dpkg -i a.deb", True),
        ("mydpkg -i a.deb", False),
        ("dpkg --print-architecture", False),
        ("unattended-upgrade -v", True),
        ("ansible all -m apt -a name=a", True),
    ],
)
def test_asks(text: str, expected: bool) -> None:
    assert prefixes.asks(text) is prefixes.asks(f"true;{text}") is expected
