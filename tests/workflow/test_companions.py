"""What else goes on a line: strict siblings, the whole closure; and what corrects a line that apt would refuse."""

from __future__ import annotations

import pytest

from tests.cli.workbench import Workbench


@pytest.fixture
def filled(bench: Workbench) -> Workbench:
    suite = bench.archive.suites[-1]
    suite.package("app", "1.0", depends="lib (= 1.0), tool")
    suite.package("lib", "1.0", depends="core (= 1.0)").package("core", "1.0").package("tool", "3.1")
    return bench


@pytest.mark.parametrize(
    ("option", "before", "after"),
    [
        ("--pin-siblings", "app", "app=1.0 lib=1.0 core=1.0"),
        ("--pin-siblings", "tool", "tool=3.1"),
        ("--pin-siblings", "lib app", "lib=1.0 core=1.0 app=1.0"),
        ("--pin-siblings", "lib app=1.0", "lib=1.0 core=1.0 app=1.0"),
        ("--pin-siblings", "'app' jq", "'app=1.0' lib=1.0 core=1.0 jq=1.6-2.1"),
        ("--closure", "app", "app=1.0 core=1.0 lib=1.0 tool=3.1"),
        ("--closure", "tool", "tool=3.1"),
        ("--closure", "app jq", "app=1.0 jq=1.6-2.1 core=1.0 lib=1.0 tool=3.1"),
    ],
)
def test_words_that_come_along(filled: Workbench, option: str, before: str, after: str) -> None:
    filled.write("Dockerfile", f"FROM debian:bookworm\nRUN apt-get install -y {before} && true\n")
    assert filled.run("lock", option).status == 0
    assert filled.read("Dockerfile") == f"FROM debian:bookworm\nRUN apt-get install -y {after} && true\n"
    files = filled.files()
    assert filled.run("lock", option).status == 0
    assert filled.files() == files


def test_words_on_lines_of_their_own(filled: Workbench) -> None:
    filled.write(
        "Dockerfile", "FROM debian:bookworm\r\nRUN apt-get install -y \\\r\n    app \\\r\n    jq\r\n"
    )
    result = filled.run("lock", "--pin-siblings")
    assert filled.read("Dockerfile") == (
        "FROM debian:bookworm\r\nRUN apt-get install -y \\\r\n    app=1.0 \\\r\n    lib=1.0 \\\r\n    core=1.0 \\\r\n"
        "    jq=1.6-2.1\r\n"
    )
    assert "Dockerfile:4  lib=1.0   1.0                  added to the line\n" in result.out


def test_platforms_that_need_different_words(filled: Workbench) -> None:
    suite = filled.archive.suites[-1]
    suite.package("odd", "1.0", arch="amd64", depends="extra (= 1.0)").package("extra", "1.0")
    suite.package("odd", "1.0", arch="arm64")
    filled.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y odd\n")
    before = filled.files()
    result = filled.run("lock", "--closure")
    assert (result.status, filled.files()) == (4, before)
    assert "extra would not be on the line for arm64" in result.err
    assert filled.run("lock", "--closure", "--platform", "amd64").status == 0
    assert "odd=1.0 extra=1.0\n" in filled.read("Dockerfile")


def test_what_heals_a_line(filled: Workbench) -> None:
    suite = filled.archive.suites[-1]
    suite.package("lib", "2.0").package("app", "2.0", depends="lib (= 2.0)")
    filled.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y app=1.0\n")
    result = filled.run("lock", "--check")
    assert result.status == 1
    assert (
        "apt would fail [uninstallable]: app 1.0 needs lib (= 1.0), but lib 2.0 is to be there (amd64, arm64)"
        in result.out
    )
    assert "ask for lib=1.0 as well" in result.out
    assert "pinner refresh --package app fixes it (1.0 → 2.0)" in result.out


def test_siblings_are_those_of_the_stage(filled: Workbench) -> None:
    suite = filled.archive.suites[-1]
    suite.package("curl", "8.0", depends="core").package("core-dev", "1.0", depends="core (= 1.0)")
    filled.write(
        "Dockerfile",
        "FROM debian:bookworm AS base\nRUN apt-get install -y curl\nFROM base\nRUN apt-get install -y core-dev\n",
    )
    assert filled.run("lock", "--pin-siblings").status == 0
    assert filled.read("Dockerfile").splitlines()[1::2] == [
        "RUN apt-get install -y curl=8.0 core=1.0",
        "RUN apt-get install -y core-dev=1.0",
    ]
    files = filled.files()
    assert filled.run("lock", "--pin-siblings").status == 0
    assert filled.files() == files


def test_an_older_version_than_what_a_call_brought_is_not_advised(filled: Workbench) -> None:
    suite = filled.archive.suites[-1]
    suite.package("curl", "8.0", depends="core").package("core-dev", "1.0", depends="core (= 1.0)")
    suite.package("core", "2.0").package("core-dev", "2.0", depends="core (= 2.0)")
    filled.write(
        "Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl && apt-get install -y core-dev=1.0\n"
    )
    result = filled.run("lock", "--check")
    assert result.status == 1
    assert "as well" not in result.out
    assert "pinner refresh --package core-dev fixes it (1.0 → 2.0)" in result.out
