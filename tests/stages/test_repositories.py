"""Which entries of sources files are the distribution's own archive."""

from __future__ import annotations

import pytest

from pinner.apt import decisions
from pinner.apt.decisions import UNTOLD
from pinner.apt.sources_list import read
from pinner.distributions.catalogue import suite_named
from pinner.distributions.mirrors import official
from pinner.recipe import dockerfile
from pinner.stages.apt_files import View
from pinner.stages.image_names import Named
from pinner.stages.repositories import listed, pocket_of
from pinner.stages.sources import snapshot_problem, sources_of
from pinner.stages.suites import Options, StageBase
from pinner.stages.views import Views
from tests.registry import official as image


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


def named(codename: str) -> Named:
    found = suite_named(codename)
    assert found is not None
    return Named(*found)


@pytest.mark.parametrize("codename", ["bullseye", "bookworm", "trixie", "noble"])
def test_an_official_image_reads_what_is_assumed_of_it(codename: str) -> None:
    files = [(f"/{path}", str(text)) for path, text in image(codename).items()]
    sources = [(path, text) for path, text in files if "/sources.list" in path]
    where = named(codename)
    assert listed({"linux/amd64": sources}, where.suite, where.distribution, ()) == (None, "")
    found = decisions.of([(path, text) for path, text in files if "/apt.conf.d/" in path])
    assert found._replace(said=()) == UNTOLD


def view_of(where: Named, path: str, line: str) -> View:
    """What a call sees behind a line that is written into a sources file."""
    parsed = dockerfile.parse(f"FROM x\nRUN echo '{line}' > {path}\nRUN apt-get install a\n")
    base = StageBase("", where, ("linux/amd64",), True)
    return Views("Dockerfile", parsed, Options()).of(parsed.stages[0], parsed.text.index("apt-get"), base)


@pytest.mark.parametrize(
    ("codename", "path", "line", "fits"),
    [
        ("noble", "z.list", "deb http://archive.ubuntu.com/ubuntu noble-backports main", False),
        ("noble", "a.list", "deb http://archive.ubuntu.com/ubuntu noble-backports main", True),
        ("noble", "z.list", "deb http://archive.ubuntu.com/ubuntu noble-proposed main", True),
        ("noble", "z.list", "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg]"
         " http://archive.ubuntu.com/ubuntu noble main", True),
        ("bookworm", "x.list", "deb http://deb.debian.org/debian bookworm contrib", False),
        ("bookworm", "x.list", "deb [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
         " http://deb.debian.org/debian bookworm contrib", False),
        ("trixie", "x.list", "deb http://deb.debian.org/debian trixie contrib", True),
        ("bullseye", "x.list", "deb http://deb.debian.org/debian bullseye contrib", True),
    ],
)  # fmt: skip
def test_entries_that_contradict_the_images_own(codename: str, path: str, line: str, fits: bool) -> None:
    view = view_of(named(codename), f"/etc/apt/sources.list.d/{path}", line)
    assert ("Conflicting values set for option" in view.error) != fits
    assert bool(isinstance(view.where, Named) and view.where.listed) == fits


@pytest.mark.parametrize(
    ("address", "uri", "stamp"),
    [
        ("http://snapshot.debian.org/archive/debian/20240407T000000Z",
         "http://snapshot.debian.org/archive/debian/20240407T000000Z", "20240407T000000Z"),
        ("https://snapshot.debian.org/archive/debian/20240407/",
         "http://snapshot.debian.org/archive/debian/20240407T000000Z", "20240407T000000Z"),
    ],
)  # fmt: skip
def test_a_snapshot_by_hand_is_read_at_its_moment(address: str, uri: str, stamp: str) -> None:
    where = named("bookworm")._replace(listed=())
    view = view_of(where, "/etc/apt/sources.list", f"deb [check-valid-until=no] {address} bookworm main")
    assert isinstance(view.where, Named)
    (source,) = sources_of(view.where, "amd64")
    assert (source.uri, source.suite, source.snapshot, source.check_valid_until) == (
        uri,
        "bookworm",
        stamp,
        False,
    )
    assert source.signed_by.keyring == "debian-archive-keyring"
    assert source.signed_by.accept_expired


def test_a_snapshot_of_what_is_not_the_distributions_own_is_refused() -> None:
    line = "deb http://snapshot.debian.org/archive/debian-ports/20240407T000000Z sid main"
    view = view_of(named("bookworm"), "/etc/apt/sources.list", line)
    assert "no snapshot of debian's own suites" in view.problem


@pytest.mark.parametrize(
    ("codename", "option", "moment", "stamps"),
    [
        ("noble", "", "20260101T000000Z", {"20260101T000000Z"}),
        ("noble", "", "", {""}),
        ("bookworm", "", "20260101T000000Z", {""}),
        ("trixie", "snapshot=20250901T000000Z", "20260101T000000Z", {"20250901T000000Z"}),
        ("trixie", "snapshot=no", "20260101T000000Z", {""}),
        ("trixie", "snapshot=enable", "20260101T000000Z", {"20260101T000000Z"}),
        ("bookworm", "snapshot=20250901T000000Z", "", {""}),
    ],
)
def test_apts_own_snapshots(codename: str, option: str, moment: str, stamps: set[str]) -> None:
    where = named(codename)
    if option:
        line = f"deb [{option}] http://deb.debian.org/debian {codename} main"
        view = view_of(where._replace(listed=()), "/etc/apt/sources.list", line)
        assert isinstance(view.where, Named)
        where = view.where
    where = where._replace(decided=UNTOLD._replace(snapshot=moment))
    assert {source.snapshot for source in sources_of(where, "amd64")} == stamps


@pytest.mark.parametrize(
    ("codename", "option", "moment", "asked", "why"),
    [
        ("trixie", "", "20260101T000000Z", True, ""),
        ("trixie", "snapshot=foo", "", False, "foo, which is no moment"),
        ("trixie", "", "tomorrow", True, "tomorrow, which is no moment"),
        ("trixie", "snapshot=no", "", False, ""),
        ("bookworm", "snapshot=20250901T000000Z", "", False, ""),
        ("bookworm", "", "20260101T000000Z", False, ""),
        ("bookworm", "", "20260101T000000Z", True, "knows no snapshots"),
        ("jammy", "", "20260101T000000Z", False, "does not follow there"),
    ],
)
def test_snapshots_that_are_not_read(codename: str, option: str, moment: str, asked: bool, why: str) -> None:
    where = named(codename)
    if option:
        line = f"deb [{option}] http://deb.debian.org/debian {codename} main"
        view = view_of(where._replace(listed=()), "/etc/apt/sources.list", line)
        assert isinstance(view.where, Named)
        where = view.where
    base = StageBase(
        "", where._replace(decided=UNTOLD._replace(snapshot=moment)), ("linux/amd64",), asked=True
    )
    said = snapshot_problem(base, asked=asked)
    assert (why in said) if why else not said
