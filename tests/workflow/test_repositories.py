"""Which entries of sources files are the distribution's own archive."""

from __future__ import annotations

import pytest

from pinner.apt.sources_list import read
from pinner.distributions.catalogue import suite_named
from pinner.distributions.mirrors import official
from pinner.workflow.repositories import pocket_of


@pytest.mark.parametrize(
    ("line", "suite"),
    [
        ("deb http://deb.debian.org/debian bookworm main", "bookworm"),
        ("deb https://deb.debian.org/debian/ bookworm-backports main contrib", "bookworm-backports"),
        ("deb http://security.debian.org/debian-security bookworm-security main", "bookworm-security"),
        ("deb http://ftp.de.debian.org/debian sid main", "sid"),
        ("deb https://mirrors.example.edu/debian bookworm non-free-firmware", "bookworm"),
        (
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main",
            "bookworm",
        ),
        ("deb http://archive.raspberrypi.example/debian bookworm main", ""),
        ("deb https://pkgs.example.com/stable/debian bookworm main", ""),
        ("deb https://mirrors.example.com/zabbix/6.0/debian bookworm main", ""),
        ("deb https://evildebian.org/debian bookworm main", ""),
        ("deb https://debian.org.example/debian bookworm main", ""),
        ("deb [signed-by=/usr/share/keyrings/x.gpg] https://mirrors.example.com/debian bookworm main", ""),
        ("deb [trusted=yes] https://mirrors.example.com/debian bookworm main", ""),
        ("deb https://mirrors.example.com/debian bookworm stable", ""),
        ("deb https://deb.debian.org/debian bookworm-nonsense main", ""),
    ],
)
def test_the_distributions_own(line: str, suite: str) -> None:
    (entry,), found = read("x.list", line), suite_named("bookworm")
    assert found is not None
    own = entry._replace(uri=official(entry.uri, {}))
    pocket = pocket_of(own, found[1], found[0])
    assert (pocket.suite if pocket else "") == suite
