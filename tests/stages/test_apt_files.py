"""Preferences and apt.conf that a stage writes decide about versions, as apt has it; what is not read refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.lock.reader import loads
from tests.cli.workbench import RELEASED, Workbench, debian
from tests.simulator import SimulatedArchive

BACKPORTS = (
    'RUN echo "deb http://deb.debian.org/debian bookworm-backports main" > /etc/apt/sources.list.d/b.list'
)
HIGHER = r"RUN printf 'Package: *\nPin: release n=bookworm-backports\nPin-Priority: 600\n' > /etc/apt/preferences.d/b"
LOWER = r"RUN printf 'Package: curl\nPin: release n=bookworm-backports\nPin-Priority: -1\n' > /etc/apt/preferences.d/a"
MOVED = """RUN echo 'Dir::Etc::{} "{}";' > /etc/apt/apt.conf.d/moved && apt-get update"""
OLD, NEW = "curl=7.88", "curl=8.0~bpo12+1"


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    debian(archive, "bookworm").package("curl", "7.88").package("jq", "1")
    fields = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    backports = archive.suite("bookworm-backports", fields=fields).package("curl", "8.0~bpo12+1")
    backports.date = RELEASED
    with archive.serve():
        yield archive


@pytest.fixture
def bench(archive: SimulatedArchive, tmp_path: Path) -> Workbench:
    (tmp_path / "project").mkdir()
    return Workbench(tmp_path / "project", archive, tmp_path)


@pytest.mark.parametrize(
    ("lines", "pinned"),
    [
        ([BACKPORTS], OLD),
        ([BACKPORTS, HIGHER], NEW),
        ([BACKPORTS.replace("b.list", ".b.list"), HIGHER], OLD),  # apt reads no hidden file
        ([BACKPORTS, HIGHER, LOWER], OLD),
        ([BACKPORTS, HIGHER, "RUN rm /etc/apt/preferences.d/b"], OLD),
        ([BACKPORTS, HIGHER, "RUN rm -rf /etc/apt/preferences.d/*"], OLD),
        ([BACKPORTS, HIGHER.replace(".d/b", ".d/b.txt")], OLD),  # apt reads no such name
        ([BACKPORTS, HIGHER.replace(".d/b", "").replace("600", "400"), HIGHER], OLD),  # the first counts
        ([BACKPORTS, HIGHER.replace("release n=bookworm-backports", "version 8*").replace("*", "curl", 1)], NEW),
        ([BACKPORTS, """RUN echo 'APT::Default-Release "bookworm-backports";' > /etc/apt/apt.conf.d/9default"""], NEW),
        ([BACKPORTS, "COPY <<EOF /etc/apt/preferences.d/x\nPackage: *\nPin: release a=bookworm-backports\n"
          "Pin-Priority: 990\nEOF"], NEW),
        ([BACKPORTS, "COPY apt/prefer /etc/apt/preferences.d/"], NEW),
        ([BACKPORTS, "COPY apt/default.conf /etc/apt/apt.conf.d/"], NEW),
        ([BACKPORTS, "RUN rm /etc/apt/sources.list.d/b.list", HIGHER], OLD),
        ([BACKPORTS, HIGHER, MOVED.format("PreferencesParts", "/nowhere")], OLD),
        ([BACKPORTS.replace("b.list", "b/c.list"), HIGHER, MOVED.format("SourceParts", "sources.list.d/b")], NEW),
        ([BACKPORTS.replace("/sources.list.d/b.list", "/mine"), HIGHER, MOVED.format("SourceList", "mine")], NEW),
        ([BACKPORTS, HIGHER.replace("/etc/apt/preferences.d/b", "/opt/p"), "ENV APT_CONFIG=/opt/c",
          MOVED.format("Preferences", "/opt/p").replace("/etc/apt/apt.conf.d/moved", "/opt/c")], NEW),
    ],
)  # fmt: skip
def test_candidates(bench: Workbench, lines: list[str], pinned: str) -> None:
    bench.write("apt/prefer", "Package: *\nPin: release n=bookworm-backports\nPin-Priority: 500\n")
    bench.write(
        "apt/default.conf", 'APT::Default-Release "bookworm-backports";\nAPT::Install-Recommends "0";\n'
    )
    bench.write("Dockerfile", "\n".join(("FROM debian:bookworm", *lines, "RUN apt-get install -y curl", "")))
    assert bench.run("lock").status == 0
    assert bench.read("Dockerfile").endswith(f" {pinned}\n")
    assert bench.run("lock", "--check").status == 0
    assert bench.run("verify").status == 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (HIGHER.replace("*", "/(cu)+/"), "the regular expression /(cu)+/ is not followed"),
        (HIGHER.replace("*", "src:/c{1}/"), "the regular expression /c{1}/ is not followed"),
        (HIGHER.replace("600", "0"), "apt wants a priority that is not zero"),
        (HIGHER.replace("600", "$PRIORITY").replace("'", '"'), "which pinner does not read"),
        (HIGHER.replace("release n=bookworm-backports", "origin deb.debian.org"), "may be a mirror of"),
        ("RUN curl https://x.example/preferences > /etc/apt/preferences.d/x", "which pinner does not read"),
        (
            f"RUN if test -f /x; then {HIGHER.removeprefix('RUN ')}; fi",
            "line 3 changes where apt takes packages from, under a condition that is not known here: "
            "8.0~bpo12+1 or 7.88",
        ),
        (
            f"RUN {' && '.join('if test -f /$X; then echo x > /etc/apt/preferences.d/' + x + '; fi' for x in 'abcd')}",
            "(/etc/apt/preferences.d/a), which pinner does not read",
        ),
        (
            """RUN echo 'Dir { Etc::sourceparts "/x"; };' > /etc/apt/apt.conf.d/x""",
            "apt has no sources left here",
        ),
    ],
)
def test_what_is_not_read(bench: Workbench, line: str, why: str) -> None:
    before = f"FROM debian:bookworm\n{BACKPORTS}\n{line}\nRUN apt-get install -y curl\n"
    bench.write("Dockerfile", before)
    assert why in bench.run("lock").out
    assert bench.read("Dockerfile") == before


@pytest.mark.parametrize(
    "line",
    [
        f"RUN if test -f /x; then {BACKPORTS.removeprefix('RUN ')}; fi",
        f"{BACKPORTS}\nRUN test -f /x || rm /etc/apt/sources.list.d/b.list",
        f"RUN if test -f /x; then {HIGHER.removeprefix('RUN ')}; fi; apt-get update",
        "RUN apt-get update && echo 'deb http://deb.debian.org/debian bookworm-backports main' > "
        "/etc/apt/sources.list.d/b.list; if test -f /x; then apt-get update; fi",
        f"RUN if test -f /x; then {BACKPORTS.removeprefix('RUN ')}; apt-get update; else apt-get update; fi",
    ],
)
def test_a_condition_that_decides_no_version_is_harmless(bench: Workbench, line: str) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\n{line}\nRUN apt-get install -y curl jq\n")
    assert bench.run("lock").status == 0
    assert f"{OLD} jq=1\n" in bench.read("Dockerfile")
    assert "under a condition that is not known here: what is installed with it may differ" in bench.read(
        "pinner.lock"
    )
    assert bench.run("lock", "--check").status == bench.run("verify").status == 0


def test_a_condition_under_which_the_build_ends_decides_nothing(bench: Workbench) -> None:
    lines = f"FROM debian:bookworm\nRUN if test -f /x; then rm /etc/apt/sources.list.d/*; {BACKPORTS[4:]}; fi"
    bench.write("Dockerfile", f"{lines}\nRUN apt-get update && apt-get install -y curl jq\n")
    bench.run("lock")
    assert bench.read("Dockerfile").endswith("curl jq=1\n")


def test_turns_that_differ(bench: Workbench) -> None:
    higher = HIGHER.removeprefix("RUN ").replace("600", "$n").replace("'", '"')
    before = f"FROM debian:bookworm\n{BACKPORTS}\nRUN for n in 100 600; do {higher}; apt-get install -y curl jq; done\n"
    bench.write("Dockerfile", before)
    assert (
        f"what apt reads differs from turn to turn: 7.88 or {NEW.partition('=')[2]}" in bench.run("lock").out
    )
    assert bench.read("Dockerfile") == before.replace("jq", "jq=1")


def test_an_update_of_some_sources(bench: Workbench) -> None:
    """The lists of other sources are left to apt only if it is told to clean nothing up (apt.conf(5))."""
    update = "RUN apt-get update -o Dir::Etc::sourcelist=sources.list.d/b.list -o Dir::Etc::sourceparts=-"
    lines = f"FROM debian:bookworm\n{BACKPORTS}\n{update}"
    bench.write("Dockerfile", f"{lines} -o APT::Get::List-Cleanup=0\nRUN apt-get install -y jq curl\n")
    bench.run("lock")
    assert f"jq=1 {OLD}\n" in bench.read("Dockerfile")
    bench.write("Dockerfile", f"{lines}\nRUN apt-get install -y jq curl\n")
    assert "there is no package jq" in bench.run("lock").out
    assert f"jq {NEW}\n" in bench.read("Dockerfile")


def test_the_lock_knows_what_apt_was_told(bench: Workbench) -> None:
    """The same words in the same archives, but other preferences, bring along other versions."""
    install = "RUN apt-get install -y jq"
    bench.archive.suites[-2].remove("jq")
    for suite in bench.archive.suites:
        if suite.name == "bookworm":
            suite.package("jq", "1", depends="curl")
    bench.write("Dockerfile", f"FROM debian:bookworm\n{BACKPORTS}\n{install}\n")
    bench.run("lock", "--platform", "amd64")
    bench.write("Dockerfile", f"FROM debian:bookworm\n{BACKPORTS}\n{HIGHER}\n{install}=1\n")
    bench.run("lock", "--platform", "amd64")
    packages = {package.name: package.version for package in loads(bench.read("pinner.lock")).packages}
    assert packages == {"jq": "1", "curl": "8.0~bpo12+1"}


def test_preferences_by_name_and_another_architecture(bench: Workbench) -> None:
    lines = f"FROM debian:bookworm\n{BACKPORTS}\n{HIGHER.replace('*', 'curl')}\nRUN dpkg --add-architecture arm64\n"
    bench.write("Dockerfile", f"{lines}RUN apt-get install -y curl:arm64 jq:arm64 curl\n")
    result = bench.run("lock", "--platform", "amd64")
    told = "curl:arm64 jq:arm64  not pinned [other-repository]: preferences by name, which are not followed for arm64"
    assert told in result.out
    assert "curl:arm64 jq:arm64 curl=8.0~bpo12+1" in bench.read("Dockerfile")
    bench.write("Dockerfile", f"{lines.replace('curl', '*')}RUN apt-get install -y curl:arm64\n")
    bench.run("lock", "--platform", "amd64")
    assert "curl:arm64=8.0~bpo12+1" in bench.read("Dockerfile")


@pytest.mark.parametrize("run", ["RUN get", "RUN set -e; get -q", "RUN . /lib.sh && add -q"])
def test_what_installs_its_arguments(bench: Workbench, run: str) -> None:
    bench.write("get", f'#!/bin/sh\n{HIGHER[4:]}\napt-get update\napt-get install -y "$@"\n')
    bench.write("lib.sh", f'add() {{ {HIGHER[4:]}; apt-get update; apt-get install "$@"; }}\n')
    lines = f"FROM debian:bookworm\n{BACKPORTS}\nCOPY get /usr/bin/get\nCOPY lib.sh /\n{run}"
    bench.write("Dockerfile", f"{lines} curl jq\n")
    assert bench.run("lock", "Dockerfile").status == 0
    assert bench.read("Dockerfile") == f"{lines} {NEW} jq=1\n"
    assert bench.run("lock", "--check", "Dockerfile").status == 0
