"""`pinner resolve` and `pinner why`: closures with their causes."""

from __future__ import annotations

import json

import pytest

from tests.cli.workbench import Workbench

PACKAGES = {
    "app": ("2.0", {"depends": "lib (= 2.0), editor | other", "recommends": "doc"}),
    "lib": ("2.0", {"depends": "base"}),
    "base": ("1.0", {}),
    "doc": ("1.0", {}),
    "nano": ("7.2", {"provides": "editor"}),
    "vim": ("9.0", {"provides": "editor", "source": "editors"}),
    "other": ("1.0", {}),
}


@pytest.fixture
def filled(bench: Workbench) -> Workbench:
    suite = bench.archive.suites[-1]
    for name, (version, fields) in PACKAGES.items():
        suite.package(name, version, **fields)
    suite.package("build-essential", "1", depends="other")
    for name, needs in (("thing", "lib"), ("editors", "base")):
        suite.stanza(f"Package: {name}\nVersion: 1\nBuild-Depends: {needs}\n", arch="source")
    return bench


def names(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ")]


def test_the_closure_with_its_causes(filled: Workbench) -> None:
    result = filled.run("resolve", "app", "--suite", "bookworm", "--platform", "amd64")
    assert result.status == 0
    head, *lines = result.out.splitlines()
    assert head.startswith(
        "linux/amd64 (bookworm, bookworm-updates, bookworm-security; starting from minbase): 5 p"
    )
    assert sorted(line.split() for line in lines) == [
        ["app", "2.0", "bookworm", "asked", "for"],
        ["base", "1.0", "bookworm", "lib", "Depends:", "base"],
        ["doc", "1.0", "bookworm", "app", "Recommends:", "doc"],
        ["lib", "2.0", "bookworm", "app", "Depends:", "lib", "(=", "2.0)"],
        ["vim", "9.0", "bookworm", "app", "Depends:", "editor", "|", "other"],
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["app", "--no-install-recommends"], {"app", "lib", "base", "vim"}),
        (["app", "nano"], {"app", "lib", "base", "nano", "doc"}),
        (["app", "vim-"], {"app", "lib", "base", "nano", "doc"}),
        (["app=2.*", "other"], {"app", "lib", "base", "other", "doc"}),
        (["base"], {"base"}),
        (["--satisfy", "lib (>= 1), nano | vim"], {"lib", "base", "nano"}),
        (["--satisfy", "missing | other", "Conflicts: vim"], {"other"}),
        (["--satisfy", "editor", "--no-install-recommends"], {"vim"}),
        (["--build-dep", "thing"], {"build-essential", "other", "lib", "base"}),
        (["--build-dep", "vim"], {"build-essential", "other", "base"}),
    ],
)
def test_what_is_asked_decides(filled: Workbench, arguments: list[str], expected: set[str]) -> None:
    result = filled.run("resolve", *arguments, "--suite", "bookworm", "--platform", "amd64")
    assert (result.status, set(names(result.out))) == (0, expected)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["appp"], 1, "there is no package appp\nhint: did you mean app?"),
        (["app=1.0"], 4, "app: 1.0 is no longer in the archive (candidate 2.0)"),
        (["editor"], 4, "editor is a virtual package provided by "),
        (["lib*"], 2, "it may stand for several packages"),
        (["app", "lib-"], 4, "app 2.0 needs lib (= 2.0)"),
        (["--build-dep", "nosuch"], 4, "there is no source package nosuch"),
        (["app", "-t", "nosuch"], 2, "'nosuch' is the release of no source"),
    ],
)
def test_what_apt_would_refuse(filled: Workbench, arguments: list[str], status: int, message: str) -> None:
    result = filled.run("resolve", *arguments, "--suite", "bookworm", "--platform", "amd64")
    assert (result.status, result.out) == (status, "")
    assert message in result.err


def test_a_suite_must_be_told(filled: Workbench) -> None:
    result = filled.run("resolve", "app")
    assert result.status == 2
    assert "give --suite" in result.err


def test_resolve_as_json(filled: Workbench) -> None:
    result = filled.run("resolve", "app", "--suite", "bookworm", "--json")
    found = json.loads(result.out)["platforms"]
    assert list(found) == ["linux/amd64", "linux/arm64"]
    lib = next(package for package in found["linux/arm64"]["packages"] if package["name"] == "lib")
    assert lib["causes"] == [{"by": "app", "version": "2.0", "relation": "Depends: lib (= 2.0)"}]
    assert len(lib["sha256"]) == 64


def test_why_names_the_way_from_the_word(filled: Workbench) -> None:
    filled.write("Dockerfile", "FROM debian:bookworm AS web\nRUN apt-get install -y \\\n    app\n")
    result = filled.run("why", "base")
    assert result.status == 0
    assert result.out.startswith(
        "Dockerfile:3  stage web  (linux/amd64, linux/arm64)\n"
        "  app 2.0  Depends: lib (= 2.0)\n"
        "    lib 2.0  Depends: base\n"
        "      base 1.0\n"
    )
    assert (
        "base:\n  Installed: (none)\n  Candidate: 1.0\n  Version table:\n     1.0 500\n"
        "        500 http://deb.debian.org/debian bookworm/main amd64 Packages\n"
    ) in result.out


def test_why_names_what_was_passed_over(filled: Workbench) -> None:
    filled.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y app\n")
    result = filled.run("why", "vim")
    assert "  passed over: nano 7.2, a provider whose name apt met earlier\n" in result.out
    assert "  passed over: other 1.0, a later alternative\n" in result.out


def test_why_not(filled: Workbench) -> None:
    filled.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y lib\n")
    result = filled.run("why", "vim")
    assert result.status == 1
    assert "no stage here installs vim" in result.out
    assert "  Candidate: 9.0" in result.out
    result = filled.run("why", "currl")
    assert (result.status, result.out) == (
        1,
        "no stage here installs currl, and no source that was read has a package of that name (did you mean curl?)\n",
    )


def test_why_where_a_stage_cannot_be_followed(filled: Workbench) -> None:
    filled.write("Dockerfile", "FROM debian:bookworm AS web\nRUN apt-get install -y app\n")
    assert filled.run("lock", "--platform", "amd64").status == 0
    text = "FROM debian:bookworm AS web\nRUN apt-get install -y app=2.0 && apt-get build-dep -y vim\n"
    filled.write("Dockerfile", text)
    result = filled.run("why", "curl")
    assert result.status == 1
    assert result.out.startswith(
        "it is not known whether a stage here installs curl:\n  Dockerfile:2  stage web  not followed: "
    )
    filled.write("Dockerfile", text.replace("app=2.0 &&", "nano &&"))
    assert (
        "\n  the lock has it: Dockerfile, stage web, linux/amd64: lib=2.0, for app\n"
        in filled.run("why", "lib").out
    )


def test_what_is_upgraded_with_its_source(filled: Workbench) -> None:
    suite = filled.archive.suites[-1]
    for name in ("tool", "tool-data"):
        suite.package(name, "2.0", source="tool")
    held = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nSource: tool\nVersion: 1.0\n"
    filled.write("status", "\n".join(held.format(name) for name in ("tool", "tool-data")))
    asked = ("resolve", "tool", "--suite", "bookworm", "--platform", "amd64", "--installed", "status")
    assert "tool-data  2.0  bookworm  tool of the same source" in filled.run(*asked).out
    packages = json.loads(filled.run(*asked, "--json").out)["platforms"]["linux/amd64"]["packages"]
    causes = {each["name"]: each["causes"] for each in packages}
    assert causes["tool-data"] == [{"by": "tool", "version": "2.0", "relation": ""}]


@pytest.mark.parametrize(
    ("relation", "status", "error"),
    [
        ("lib (>= 3)", 4, "needs lib (>= 3), but lib 2.0 is the candidate"),
        ("lib ((", 3, "not a package relation: 'lib (('"),
    ],
)
def test_relations_that_cannot_be_satisfied(
    filled: Workbench, relation: str, status: int, error: str
) -> None:
    result = filled.run("resolve", "--satisfy", relation, "--suite", "bookworm", "--platform", "amd64")
    assert result.status == status
    assert error in result.err
