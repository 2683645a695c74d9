"""What the commands of a stage leave installed, as the lock states it: remove, marks, upgrade and their like."""

from __future__ import annotations

import json
import re

import pytest

from pinner.lock.reader import loads
from pinner.workflow.export import closure, left
from tests.archive.test_changelog import deb
from tests.cli.workbench import Workbench, debian

BASE = "tool"  # what the image holds beside apt, in an old version


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    bench.archive.suites.clear()
    bookworm = debian(bench.archive, "bookworm")
    bookworm.package("app", "2", depends="libapp").package("libapp", "2", recommends="nice").package(
        "nice", "2"
    )
    bookworm.package("gcc", "2", depends="libgcc, binutils").package("libgcc", "2").package("binutils", "2")
    bookworm.package("tool", "2").package("lib-one", "2").package("lib-two", "2", depends="libgcc")
    bookworm.package("build-essential", "2", depends="gcc")
    for name, version, needs in (
        ("thing", "1", "nosuch"),
        ("thing", "2", "app, lib-one [!amd64], lib-two <!cross>"),
    ):
        bookworm.stanza(f"Package: {name}\nVersion: {version}\nBuild-Depends: {needs}\n", arch="source")
    bench.write("base", "apt\t2.6.1\ntool:amd64\t1\n")
    return bench


def lines(text: str) -> str:
    return " && ".join(text.strip().split("\n"))


STAGES = [
    # what the stage does; what is left of the archive's packages (`?`: maybe); what is there for a while; what is gone
    ("apt-get install -y app\napt-get purge -y --auto-remove app", "", "app libapp nice", ""),
    ("apt-get install -y app\napt-get remove -y app", "libapp nice", "app", ""),
    ("apt-get install -y app\napt-get remove -y libapp", "nice", "app libapp", ""),
    (
        "apt-get install -y app gcc\napt-get purge -y --auto-remove gcc",
        "app libapp nice",
        "binutils gcc libgcc",
        "",
    ),
    (
        "apt-get install -y app gcc\nB='gcc'; apt-get autoremove -y --purge $B",
        "app libapp nice",
        "binutils gcc libgcc",
        "",
    ),
    (
        "apt-get install -y app gcc\napt-get purge -y --auto-remove -o APT::AutoRemove::RecommendsImportant=false gcc",
        "app libapp",
        "binutils gcc libgcc nice",
        "",
    ),
    (
        # what an installed package recommends is kept, unless the command says otherwise
        "apt-get install -y app\napt-mark auto nice\napt-get autoremove -y",
        "app libapp nice",
        "",
        "",
    ),
    (
        "apt-get install -y app\napt-get autoremove -y -o APT::AutoRemove::RecommendsImportant=false",
        "app libapp",
        "nice",
        "",
    ),
    (
        "sed -i 's/^Types: deb$/& deb-src/' /etc/apt/sources.list.d/debian.sources\n"
        "apt-get update\napt-get build-dep -y thing\napt-get purge -y --auto-remove build-essential",
        "app lib-two libapp libgcc",
        "binutils build-essential gcc",
        "",
    ),
    ("apt-get satisfy -y 'app | gcc, lib-one (>= 1)' 'Conflicts: gcc'", "app lib-one libapp nice", "", ""),
    (
        'echo \'APT::AutoRemove::RecommendsImportant "false"; APT::Get::AutomaticRemove "1";\' >'
        " /etc/apt/apt.conf.d/90auto\napt-get install -y gcc app\napt-get purge -y gcc",
        "app libapp",
        "binutils gcc libgcc",
        "",
    ),
    (
        "apt-get install -y app\napt-mark auto app\napt-mark manual libapp\napt-get autoremove -y",
        "libapp nice",
        "app",
        "",
    ),
    (
        'apt-get install -y --no-install-recommends app\nsaved="$(apt-mark showmanual)"\n'
        "apt-get install -y gcc\napt-mark auto '.*' > /dev/null\n"
        '{ [ -z "$saved" ] || apt-mark manual $saved; }\napt-get purge -y --auto-remove',
        "app libapp",
        "binutils gcc libgcc",
        "",
    ),
    (
        "apt-get install -y gcc app\napt-mark auto '.*'\nldd /x | xargs -r apt-mark manual\n"
        "apt-get purge -y --auto-remove",
        "app? binutils? gcc? libapp? libgcc? nice?",
        "",
        "tool?",
    ),
    ('apt-get install -y gcc\nif [ -n "$X" ]; then apt-get purge -y gcc; fi', "binutils gcc? libgcc", "", ""),
    # what the platform decides against is not done there, and leaves nothing unknown
    (
        'a="$(dpkg --print-architecture)"\napt-get install -y lib-one\n'
        'case "$a" in amd64) apt-get install -y app ;; *) mk-build-deps x; apt-get install -y gcc $X ;; esac',
        "app lib-one libapp nice",
        "",
        "",
    ),
    (
        "apt-get install -y lib-one\n"
        'if [ "$(dpkg --print-architecture)" = arm64 ]; then apt-get install -y gcc; fi\n'
        '{ [ "$(uname -m)" = x86_64 ] || apt-get install -y app; }\n{ [ a = b ] && apt-get install -y "$X"; true; }',
        "lib-one",
        "",
        "",
    ),
    # what may be otherwise in another build is locked as if it were done
    (
        'if [ "${X:-}" = yes ]; then apt-get install -y gcc; fi\n[ -z "$1" ] || apt-get install -y lib-one',
        "binutils gcc lib-one libgcc",
        "",
        "",
    ),
    (
        'for each in arm64 amd64; do if [ "$each" = amd64 ]; then apt-get install -y lib-one; fi; done',
        "lib-one",
        "",
        "",
    ),
    ("apt-get install -y gcc\ndpkg --purge gcc\napt-get autoremove -y", "", "binutils gcc libgcc", ""),
    (
        "apt-get install -y gcc\napt-mark hold binutils\napt-get purge -y --auto-remove gcc",
        "binutils",
        "gcc libgcc",
        "",
    ),
    (
        "apt-get satisfy -y 'gcc (>= 2) | app, nice'\napt-get autoremove -y",
        "binutils gcc libgcc nice",
        "",
        "",
    ),
    (
        "apt-get install -y gcc\napt-get satisfy -y app 'Conflicts: gcc'",
        "app binutils libapp libgcc nice",
        "gcc",
        "",
    ),
    ("apt-get upgrade -y", "tool", "", ""),
    ("apt-mark hold tool\napt-get upgrade -y\napt-get install -y gcc", "binutils gcc libgcc", "", ""),
    ("apt-get full-upgrade -y gcc", "binutils gcc libgcc tool", "", ""),
    ("apt-get purge -y tool\napt-get install -y gcc", "binutils gcc libgcc", "", "tool"),
    ("apt-get install -y tool\napt-get purge -y tool", "", "tool", "tool"),
    ("apt-get install -y --only-upgrade tool gcc", "tool", "", ""),
    ("apt-get install -y --no-upgrade tool gcc", "binutils gcc libgcc", "", ""),
    ("apt-get install -y --download-only gcc", "", "binutils gcc libgcc", ""),
    (
        "apt-get install -y gcc\napt-get install -y app gcc- --auto-remove",
        "app libapp nice",
        "binutils gcc libgcc",
        "",
    ),
    ("apt-get install -y 'lib-*'", "lib-one lib-two libgcc", "", ""),
    ("apt-get install -y '^lib-t'", "lib-two libgcc", "", ""),
    ("apt-get install -y gcc\napt-get purge -y 'binut*'", "libgcc", "binutils gcc", ""),
    ("apt-get install -y gcc\napt-get -s purge gcc", "binutils gcc libgcc", "", ""),
]


@pytest.mark.parametrize(("text", "there", "while_", "gone"), STAGES)
def test_what_is_left(bench: Workbench, text: str, there: str, while_: str, gone: str) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\nRUN {lines(text)}\n")
    run = ("lock", "--platform", "amd64", "--installed", "base")
    assert bench.run(*run).status == 0
    lock = loads(bench.read("pinner.lock"))
    (target,) = lock.targets
    assert target.closure.incomplete == ()
    end = left(lock, target)
    assert " ".join(f"{name}{'?' * (name in end.maybe)}" for name in sorted(end.packages)) == there
    assert sorted(closure(lock, target).keys() - end.packages.keys()) == while_.split()
    assert " ".join(f"{each.name}{'?' * each.maybe}" for each in target.closure.gone) == gone
    assert bench.run(*run, "--check").status == 0  # all that decides is as it was


def test_a_stage_removes_what_the_one_below_has_installed(bench: Workbench) -> None:
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm AS build\nRUN apt-get install -y gcc app\n"
        "FROM build\nRUN apt-get purge -y --autoremove gcc\n",
    )
    assert bench.run("lock", "--platform", "amd64", "--installed", "base").status == 0
    lock = loads(bench.read("pinner.lock"))
    ends = [
        left(lock, target).packages.keys() for target in sorted(lock.targets, key=lambda each: each.parent)
    ]
    assert [sorted(names) for names in ends] == [
        ["app", "binutils", "gcc", "libapp", "libgcc", "nice"],
        ["app", "libapp", "nice"],
    ]
    bench.write("image", "apt\t2.6.1\ntool:amd64\t1\napp\t2\nlibapp\t2\nnice\t2\n")
    assert bench.run("audit", "--installed", "image", "--base", "base", "--stage", "1").status == 0
    bench.write("image", "apt\t2.6.1\ntool:amd64\t1\napp\t2\nlibapp\t2\nnice\t2\ngcc\t2\n")
    result = bench.run("audit", "--installed", "image", "--base", "base", "--stage", "1", "-q")
    assert (result.status, result.out) == (1, "extra    gcc  2\n")


def test_scripts_of_the_build_context_install_into_the_stage(bench: Workbench) -> None:
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm\nCOPY tools.sh add.sh /bin/\nENV MORE=lib-one\n"
        "RUN tools.sh && add.sh lib-two && apt-get install -y app && apt-get purge -y --auto-remove gcc\n",
    )
    bench.write("tools.sh", "#!/bin/sh\napt-get install -y gcc $MORE\n")
    bench.write("add.sh", '#!/bin/sh\napt-get install -y "$@"\n')
    run = ("lock", "--platform", "amd64", "--installed", "base")
    assert bench.run(*run).status == 0
    assert "gcc=2" in bench.read("tools.sh")
    lock = loads(bench.read("pinner.lock"))
    target = next(each for each in lock.targets if each.file == "Dockerfile")
    assert target.closure.incomplete == ()
    assert sorted(left(lock, target).packages) == ["app", "lib-one", "lib-two", "libapp", "libgcc", "nice"]
    assert sorted(closure(lock, target)) == [
        *("app", "binutils", "gcc", "lib-one", "lib-two", "libapp", "libgcc", "nice"),
    ]
    assert bench.run(*run, "--check").status == 0
    bench.archive.suites.clear()
    bookworm = debian(bench.archive, "bookworm")
    for name in ("app", "libapp", "libgcc", "nice", "binutils", "lib-one", "lib-two", "tool"):
        bookworm.package(name, "2")
    bookworm.package("gcc", "3", depends="libgcc, binutils")
    assert bench.run("refresh").status == 0
    assert "gcc=3" in bench.read("tools.sh")
    assert bench.run("verify").status == 0


LOCAL = [
    ("apt-get install -y /x/own.deb", "app libapp nice own=3"),
    ("apt-get install -y --no-install-recommends /x/*.deb lib-one", "app lib-one libapp own=3"),
    ("dpkg -i /x/own.deb || apt-get install -y -f; apt-get update && apt-get install -y lib-two",
     "app lib-two libapp libgcc own=3"),
    ("apt-get install -y /x/own.deb && apt-get purge -y --auto-remove own", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "there"), LOCAL)
def test_packages_of_the_build_context(bench: Workbench, text: str, there: str) -> None:
    control = b"Package: own\nVersion: 3\nArchitecture: amd64\nDepends: app\nRecommends: nice\n"
    (bench.folder / "debs").mkdir()
    (bench.folder / "debs/own.deb").write_bytes(deb({"usr/bin/own": b"x"}, control={"control": control}))
    bench.write("Dockerfile", f"FROM debian:bookworm\nCOPY debs /x\nRUN {text}\n")
    run = ("lock", "--platform", "amd64", "--installed", "base")
    assert bench.run(*run).status == 0
    assert bench.run(*run, "--check").status == 0
    lock = loads(bench.read("pinner.lock"))
    (target,) = lock.targets
    assert target.closure.incomplete == ()
    end = left(lock, target)
    assert " ".join(sorted([*end.packages, *(f"{name}={each}" for name, each in end.files.items())])) == there
    image = [f"{name}\t{each.version}" for name, each in end.packages.items()]
    image += [f"{name}\t{each}" for name, each in end.files.items()]
    bench.write("image", "\n".join(["apt\t2.6.1", "tool:amd64\t1", *image, ""]))
    assert bench.run("audit", "--installed", "image", "--base", "base").status == 0
    document = json.loads(bench.run("export", "json").out)
    assert [(each["path"], each["left"]) for each in document["files"]] == [
        ("debs/own.deb", "yes" if "own=3" in there else "no")
    ]
    assert ("pkg:deb/own@3?arch=amd64" in bench.run("export", "sbom").out) == ("own=3" in there)
    (bench.folder / "debs/own.deb").write_bytes(deb({"usr/bin/own": b"y"}, control={"control": control}))
    assert bench.run(*run, "--check").status == 1  # it is another file


GAPS = [
    ("apt-get install -y app && apt-get purge -y $X", "apt-get purge …"),
    ("apt-get install -y app && dpkg -i /tmp/x.deb", "dpkg --install /tmp/x.deb"),
    ("apt-get install -y app && apt-get build-dep -y thing", "apt-get build-dep thing"),
    ("apt-get install -y app && apt-mark hold app && apt-get purge -y app", "apt-get purge app"),
    ("apt-get install -y app && apt-get build-dep -y ./", "apt-get build-dep ./"),
    ("apt-get install -y app && cat list | xargs apt-get install -y", "xargs apt-get install -y"),
    ('apt-get install -y app && if [ -n "$X" ]; then apt-get upgrade -y; fi', "apt-get upgrade [if]"),
]


@pytest.mark.parametrize(("text", "place"), GAPS)
def test_what_cannot_be_followed_is_said(bench: Workbench, text: str, place: str) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\nARG X\nRUN {text}\n")
    assert bench.run("lock", "--platform", "amd64", "--installed", "base").status == 0
    lock = loads(bench.read("pinner.lock"))
    (target,) = lock.targets
    assert [each.place for each in target.closure.incomplete] == [place]
    assert sorted(left(lock, target).packages) == ["app", "libapp", "nice"]
    for command in (["export", "preferences"], ["export", "packages"]):
        result = bench.run(*command)
        assert result.status == 1
        assert f"warning: the lock is incomplete: Dockerfile, stage 0, linux/amd64: {place}: " in result.err
    assert re.search(rf"incomplete\W.*{re.escape(place)}", bench.run("verify", "Dockerfile").out)


def test_an_argument_of_apt_remove_does_not_decide_about_pins(bench: Workbench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y gcc && apt-get purge -y nosuch\n")
    assert bench.run("lock", "--platform", "amd64", "--installed", "base").status == 0
    assert "gcc=2" in bench.read("Dockerfile")


def test_bills_tell_what_a_build_needs_from_what_is_left(bench: Workbench) -> None:
    bench.write(
        "Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y app gcc && apt-get purge -y gcc\n"
    )
    assert bench.run("lock", "--platform", "amd64", "--installed", "base").status == 0
    packages = json.loads(bench.run("export", "json").out)["packages"]
    assert {each["name"] for each in packages if each["left"] == "no"} == {"gcc"}
    assert 'name: "gcc"' in bench.run("export", "debs-lock").out
    parts = json.loads(bench.run("export", "sbom").out)["components"]
    names = {each["name"] for each in parts}
    assert "gcc" not in names
    assert names > {"app", "libapp", "binutils"}
