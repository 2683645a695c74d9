"""`--installed` and `[installed]`: what base images hold, told by a file."""

from __future__ import annotations

from hashlib import sha256

import pytest

from pinner.lock import reader
from pinner.lock.schema import Target
from tests.cli.workbench import Workbench, debian

STATUS = """\
Package: apt
Status: install ok installed
Architecture: amd64
Version: 2.6.1

Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.21.22

Package: libssl3
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 3.0.1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
LISTED = "apt\t2.6.1\nlibssl3:amd64\t3.0.1\nlibx1:amd64\t1.0\nlibx-bin\t1.0\n"


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    """curl needs libssl3; libx1 2.0 breaks nothing, but libx-bin is tied to it."""
    archive = bench.archive
    archive.suites.clear()
    bookworm = debian(archive, "bookworm")
    bookworm.package("curl", "7.88", depends="libssl3 (>= 3)", recommends="libx1 (>= 2)")
    bookworm.package("libssl3", "3.0.2", multi_arch="same").package("libx1", "2.0", multi_arch="same")
    bookworm.package("libx-bin", "2.0", depends="libx1 (= 2.0)")
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
    return bench


def target(bench: Workbench, platform: str = "linux/amd64", stage: str = "0") -> Target:
    found = reader.loads(bench.read("pinner.lock")).target(("Dockerfile", stage, platform))
    assert found is not None
    return found


def names(bench: Workbench, platform: str = "linux/amd64") -> list[str]:
    return [each.id.partition(":")[0] for each in target(bench, platform).closure.members]


def test_a_status_file(bench: Workbench) -> None:
    bench.write("base/status", STATUS)
    assert bench.run("lock", "--installed", "base/status").status == 0
    digest = sha256(STATUS.encode()).hexdigest()
    assert target(bench).closure.installed == f"status sha256:{digest}"
    assert names(bench) == ["curl", "libx1"]
    # the other platform is not of that architecture: the minimal set stands, which has no libssl3
    assert target(bench, "linux/arm64").closure.installed == "minbase"
    assert sorted(names(bench, "linux/arm64")) == ["curl", "libssl3", "libx1"]


def test_a_listing_whose_versions_the_archive_has_no_more(bench: Workbench) -> None:
    """libx-bin 1.0 is taken to need libx1 (= 1.0), as 2.0 needs 2.0: so apt has to upgrade it as well."""
    bench.write("list", LISTED)
    assert bench.run("lock", "--installed", "list", "--platform", "linux/amd64").status == 0
    assert sorted(names(bench)) == ["curl", "libx-bin", "libx1"]


def test_one_file_for_each_platform(bench: Workbench) -> None:
    bench.write("amd64", LISTED)
    bench.write("arm64", "apt\t2.6.1\nlibssl3:arm64\t3.0.2\n")
    assert bench.run("lock", "--installed", "amd64", "--installed", "arm64").status == 0
    assert target(bench).closure.installed.startswith("amd64 sha256:")
    assert target(bench, "linux/arm64").closure.installed.startswith("arm64 sha256:")


def test_another_file_resolves_anew(bench: Workbench) -> None:
    bench.run("lock", "--platform", "linux/amd64")
    assert sorted(names(bench)) == ["curl", "libssl3", "libx1"]
    bench.write("list", LISTED)
    assert bench.run("lock", "--installed", "list", "--platform", "linux/amd64").status == 0
    assert "libssl3" not in names(bench)
    before = bench.files()
    assert bench.run("lock", "--installed", "list", "--platform", "linux/amd64").status == 0
    assert bench.files() == before


def test_by_image_in_the_configuration(bench: Workbench) -> None:
    bench.configure('[installed]\n"debian:book*" = ["base/amd64", "base/arm64"]\n"other" = "missing"\n')
    bench.write("base/amd64", LISTED)
    bench.write("base/arm64", LISTED.replace("amd64", "arm64"))
    bench.write("base/Dockerfile", "FROM debian:trixie\nRUN true\n")
    result = bench.run("lock")
    assert (result.status, "pinner.toml: names missing, which is not there" in result.err) == (3, True)
    bench.configure('[installed]\n"debian:book*" = ["base/amd64", "base/arm64"]\n')
    assert bench.run("lock").status == 0
    assert target(bench).closure.installed.startswith("amd64 sha256:")
    assert target(bench, "linux/arm64").closure.installed.startswith("arm64 sha256:")


def test_resolve_takes_it_too(bench: Workbench) -> None:
    bench.write("list", LISTED)
    asked = ("resolve", "curl", "--suite", "bookworm", "--platform", "amd64")
    assert "libssl3" in bench.run(*asked).out
    result = bench.run(*asked, "--installed", "list")
    assert result.status == 0
    assert "libssl3" not in result.out


def test_verify_and_why_take_it_too(bench: Workbench) -> None:
    bench.write("list", LISTED)
    bench.run("lock", "--installed", "list", "--platform", "amd64")
    assert bench.run("verify", "--installed", "list", "--platform", "amd64").status == 0
    assert bench.run("why", "libx-bin", "--platform", "amd64").status == 1
    assert bench.run("why", "libx-bin", "--platform", "amd64", "--installed", "list").status == 0


BAD = {
    "missing": (None, "nothing: No such file or directory"),
    "empty": ("", "nothing: lists no installed package"),
    "neither": ("hello, world\n", "nothing:1: this is not a line of `dpkg-query -W`"),
    "no architecture": ("apt\t2.6.1\n", "does not say which architecture"),
    "two architectures": ("a:amd64\t1\nb:arm64\t1\n", "does not say which architecture"),
    "unknown architecture": ("a:m68k\t1\n", "lists packages of m68k, which pinner does not know"),
    "unusable stanza": ("Package: a\nVersion: 1 2\nArchitecture: amd64\n", "nothing: the list of installed"),
    "of no platform": (
        "a:armhf\t1\n",
        "nothing: lists packages of armhf, and nothing is resolved for linux/arm/v7\n"
        "hint: add --platform linux/arm/v7",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used(bench: Workbench, name: str) -> None:
    text, said = BAD[name]
    if text is not None:
        bench.write("nothing", text)
    before = bench.files()
    result = bench.run("lock", "--installed", "nothing")
    assert result.status == 3
    assert said in result.err
    assert bench.files() == before


def test_two_files_of_one_architecture(bench: Workbench) -> None:
    bench.write("a", LISTED)
    bench.write("b", LISTED)
    result = bench.run("lock", "--installed", "a", "--installed", "b")
    assert result.status == 3
    assert "a and b are both of amd64" in result.err


@pytest.mark.parametrize(
    ("wanted", "words", "text"),
    [
        (
            "hold",
            "libssl3",
            "apt would have to change libssl3, which is held back (apt-mark hold)",
        ),
        ("hold", "libssl3=3.0.2", "apt would have to change libssl3"),
        ("hold", "libssl3-", "apt would have to change libssl3"),
        ("hold", "--allow-change-held-packages libssl3", ""),
        ("hold", "libssl3=3.0.1", ""),
        ("hold", "curl", ""),
        ("install", "libssl3", ""),
    ],
)
def test_what_is_held_back(bench: Workbench, wanted: str, words: str, text: str) -> None:
    """As apt says; tests/live/test_refusals.py asks it."""
    bench.archive.suites[-1].package("libssl3", "3.0.1", multi_arch="same")
    status = STATUS.replace("Package: libssl3\nStatus: install", f"Package: libssl3\nStatus: {wanted}")
    bench.write("base.status", status)
    bench.write("Dockerfile", f"FROM debian:bookworm\nRUN apt-get install -y {words}\n")
    for command in ("lock", "verify", "lock"):
        result = bench.run(command, "--installed", "base.status", "--platform", "amd64")
        assert (result.status, text in result.out) == (int(bool(text)), True)


def test_a_call_that_needs_what_is_held_back(bench: Workbench) -> None:
    bench.archive.suites[-1].package("tool", "1", depends="libssl3 (>= 3.0.2)").package(
        "either", "1", depends="libssl3 (>= 3.0.2) | libx1"
    )
    status = STATUS.replace("Package: libssl3\nStatus: install", "Package: libssl3\nStatus: hold")
    bench.write("base.status", status)
    bench.write(
        "Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y tool\nRUN apt-get install -y either\n"
    )
    result = bench.run("lock", "--installed", "base.status", "--platform", "amd64")
    assert result.status == 1
    assert "tool 1 needs libssl3 (>= 3.0.2), but libssl3 3.0.1 is to be there" in result.out
    assert {"either", "libx1"} <= set(names(bench))


def test_verify_takes_what_the_image_holds_for_words_without_a_pin(bench: Workbench) -> None:
    bench.write("base.status", STATUS.replace("3.0.1", "3.1"))
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y libssl3\n")
    for command in ("lock", "verify"):
        assert bench.run(command, "--installed", "base.status", "--platform", "amd64").status == 0
