"""`pinner export`: the lock as apt preferences and as an index."""

from __future__ import annotations

import pytest

from tests.cli.workbench import Workbench, debian, incomplete

STAGES = """\
FROM debian:bookworm AS base
RUN apt-get install -y curl
FROM base AS middle
RUN true
FROM middle
RUN apt-get install -y jq
"""


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    archive = bench.archive
    archive.suites.clear()
    bookworm = debian(archive, "bookworm")
    bookworm.package("curl", "7.88.1-10", depends="libcurl4").package("jq", "1.6", arch="all")
    bookworm.package("libcurl4", "7.88.1-10", arch="amd64", source="curl")
    bookworm.package("libcurl4", "7.88.1-10+b1", arch="arm64", source="curl (7.88.1-10)")
    debian(archive, "trixie").package("curl", "8.14.1")
    bench.write("Dockerfile", STAGES)
    assert bench.run("lock").status == 0
    return bench


def test_preferences(bench: Workbench) -> None:
    result = bench.run("export", "preferences")
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        "# Made by `pinner export preferences` from pinner.lock.\n"
        "\nPackage: curl\nPin: version 7.88.1-10\nPin-Priority: 1000\n"
        "\nPackage: jq\nPin: version 1.6\nPin-Priority: 1000\n"
        "\nPackage: libcurl4:amd64\nPin: version 7.88.1-10\nPin-Priority: 1000\n"
        "\nPackage: libcurl4:arm64\nPin: version 7.88.1-10+b1\nPin-Priority: 1000\n"
    )


def test_preferences_of_what_the_image_holds(bench: Workbench) -> None:
    bench.write("base", "apt\t2.6.1\ncurl\t7.88.1-10\nlibcurl4:amd64\t7.88.1-10\n")
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl jq\n")
    assert bench.run("lock", "--platform", "amd64", "--installed", "base").status == 0
    assert pinned(bench.run("export", "preferences").out) == ["curl", "jq"]


def pinned(text: str) -> list[str]:
    return [line.removeprefix("Package: ") for line in text.splitlines() if line.startswith("Package: ")]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (["--platform", "arm64"], ["curl", "jq", "libcurl4"]),
        (["--platform", "amd64", "--platform", "linux/arm64"], ["curl", "jq", "libcurl4:amd64", "libcurl4:arm64"]),
        (["--stage", "base"], ["curl", "libcurl4:amd64", "libcurl4:arm64"]),
        # a stage holds what those hold that it is built on
        (["--stage", "2", "--platform", "amd64"], ["curl", "jq", "libcurl4"]),
        (["--file", "./Dockerfile", "--stage", "base", "--platform", "amd64"], ["curl", "libcurl4"]),
    ],
)  # fmt: skip
def test_choice(bench: Workbench, choice: list[str], expected: list[str]) -> None:
    assert pinned(bench.run("export", "preferences", *choice).out) == expected


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (["--stage", "final"], "the lock has no target for the stage final\nhint: it has 2, base\n"),
        (["--file", "other"], "the lock has no target for the file other\nhint: it has Dockerfile\n"),
        (["--platform", "arm32"], "--platform"),
        (["--platform", "linux/s390x"], "no target for the platform linux/s390x"),
    ],
)
def test_choice_of_nothing(bench: Workbench, choice: list[str], said: str) -> None:
    result = bench.run("export", "preferences", *choice)
    assert (result.status, result.out) == (2, "")
    assert said in result.err


def test_targets_that_differ(bench: Workbench) -> None:
    bench.write("web/Dockerfile", "FROM debian:trixie\nRUN apt-get install -y curl\n")
    assert bench.run("lock", "web").status == 0
    result = bench.run("export", "preferences")
    assert (result.status, result.out) == (3, "")
    assert result.err == (
        "error: curl is 7.88.1-10 in Dockerfile, stage 2, linux/amd64, and 8.14.1 in web/Dockerfile, stage 0, "
        "linux/amd64\nhint: choose among the targets with --file, --stage and --platform\n"
    )
    assert pinned(bench.run("export", "preferences", "--file", "web/Dockerfile").out) == ["curl"]
    assert bench.run("export", "packages").out.count("Package: curl\n") == 4


def test_what_is_not_known_is_not_exported(bench: Workbench) -> None:
    bench.write("pinner.lock", incomplete(bench.read("pinner.lock")))
    for command in (("export", "preferences"), ("export", "packages"), ("download", "out")):
        result = bench.run(*command)
        assert (result.status, result.out) == (3, "")
        assert "the lock does not know all that is installed: why" in result.err


def test_packages(bench: Workbench) -> None:
    result = bench.run("export", "packages", "--stage", "base", "--offline")
    assert result.status == 0
    stanzas = result.out.split("\n\n")
    assert [text.splitlines()[0] for text in stanzas] == ["Package: curl"] * 2 + ["Package: libcurl4"] * 2
    assert "Source: curl (7.88.1-10)\nVersion: 7.88.1-10+b1\nArchitecture: arm64\n" in stanzas[3]
    assert "Depends: libcurl4\n" in stanzas[0]
    assert result.out.endswith("\n") and not result.out.endswith("\n\n")


@pytest.mark.parametrize("command", [("export", "preferences"), ("export", "packages"), ("download", "out")])
def test_no_lock(bench: Workbench, command: tuple[str, ...]) -> None:
    (bench.folder / "pinner.lock").unlink()
    result = bench.run(*command)
    assert result.status == 3
    assert "pinner.lock: there is no lock\nhint: run `pinner lock`" in result.err


def test_an_address_that_is_no_distributions(bench: Workbench) -> None:
    bench.write(
        "pinner.lock", bench.read("pinner.lock").replace("http://deb.debian.org", "http://evil.example")
    )
    result = bench.run("export", "packages")
    assert result.status == 3
    assert "which is no part of bookworm as pinner knows it" in result.err
