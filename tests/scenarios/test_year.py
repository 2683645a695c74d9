"""A year of an archive, refreshed every week: security uploads, point releases, binNMUs, a removal, a repository of
somebody else that is down for a month; with a policy of a minimum age, too. What a build would do is judged by a model
of its own, not by pinner."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from functools import cmp_to_key

import pytest

from pinner.apt.version import compare
from pinner.session import access
from tests.scenarios.story import Story
from tests.simulator import SimulatedSuite

ARCHITECTURES = ("amd64", "arm64")
#: Source packages with their binaries, which need one another in the very same version.
SOURCES = {
    "curl": ("curl", "libcurl4"),
    "jq": ("jq",),
    "git": ("git", "git-man"),
    "openssl": ("openssl", "libssl3"),
    "tree": ("tree",),
    "tool": ("tool",),
}
FILES = {
    "Dockerfile": """\
FROM debian:bookworm AS base
# curl=1 in a comment
RUN apt-get update && apt-get install -y curl jq
FROM base
RUN apt-get update && apt-get install -y --no-install-recommends \\
      git git-man \\
      openssl # libssl3=1
""",
    "b/Dockerfile": """\
FROM debian:bookworm
ARG JQ_VERSION=1-1
RUN apt-get update && apt-get install -y tree
RUN apt-get install -y jq=${JQ_VERSION} libssl3 libcurl4
""",
    "web/Dockerfile": """\
FROM debian:bookworm
COPY key.pgp /usr/share/keyrings/tool.pgp
RUN echo "deb [signed-by=/usr/share/keyrings/tool.pgp] https://apt.example/ppa bookworm main" \\
      > /etc/apt/sources.list.d/tool.list
RUN apt-get update && apt-get install -y tool
RUN apt-get install -y openssl
""",
}
DOWN, REMOVED = range(20, 25), range(30, 34)
_PIN = re.compile(r'\b([a-z0-9-]+)=("?)([0-9][^\s"]*)\2')


class Year:
    """The archive and what it offers: versions by pocket, name and architecture."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.dice = random.Random(52)
        self.ppa = story.bench.archive.suite("bookworm", path="ppa")
        self.pockets: dict[str, SimulatedSuite] = {
            "main": story.main, "security": story.security, "ppa": self.ppa,
        }  # fmt: skip
        self.has: dict[tuple[str, str], dict[str, str]] = {}
        self.revision = dict.fromkeys(SOURCES, 1)
        self.week = 0
        self.first: dict[tuple[str, str], int] = {}  # since which week there is a version of a name
        story.main.remove("curl").remove("libcurl4").remove("jq")
        for source in SOURCES:
            self.upload("ppa" if source == "tool" else "main", source, "1-1")

    def upload(self, pocket: str, source: str, version: str, *architectures: str) -> None:
        """A source package takes the place of its older version in a pocket."""
        suite = self.pockets[pocket]
        for name in SOURCES[source]:
            had = {**self.has.get((pocket, name), {})}
            had |= dict.fromkeys(architectures or ARCHITECTURES, version)
            self.remove(pocket, name)
            self.has[pocket, name] = had
            for architecture, each in had.items():
                self.first.setdefault((name, each), self.week)
                needs = [other for other in SOURCES[source] if other != name and name == SOURCES[source][0]]
                depends = ", ".join(f"{other} (= {each})" for other in needs)
                suite.package(name, each, arch=architecture, depends=depends, source=source)

    def remove(self, pocket: str, name: str) -> None:
        if self.has.pop((pocket, name), None):
            self.pockets[pocket].remove(name)

    def candidate(self, name: str, architecture: str) -> str:
        """What apt would take, "" if there is nothing."""
        found = [had[architecture] for (_, each), had in self.has.items() if each == name]
        return max(found, key=cmp_to_key(compare), default="")

    def is_young(self, name: str, version: str) -> bool:
        """Whether it was not there two weeks ago."""
        return self.week - self.first[name, version] < 2

    def offers(self, name: str, architecture: str, pin: str) -> bool:
        """Whether apt finds what is asked for."""
        own = (had[architecture] for (_, each), had in self.has.items() if each == name)
        return any(fnmatchcase(version, pin) for version in own)

    def pass_week(self, week: int) -> None:
        """What becomes of the archive in a week."""
        self.week = week
        source = self.dice.choice([each for each in SOURCES if each not in ("tool", "tree")])
        self.revision[source] += 1
        version = f"1-1+deb12u{self.revision[source]}"
        if week % 8 == 0:  # a point release takes in what security has, which drops it
            for pocket, name in [each for each in self.has if each[0] == "security"]:
                own = next(each for each, binaries in SOURCES.items() if name in binaries)
                if (pocket, name) in self.has:
                    self.upload("main", own, self.candidate(name, "amd64"))
                    for binary in SOURCES[own]:
                        self.remove("security", binary)
        elif week % 5 == 0:  # a rebuild, on one architecture or on both
            pocket = "security" if ("security", SOURCES[source][0]) in self.has else "main"
            rebuilt = f"{self.has[pocket, SOURCES[source][0]]['amd64'].partition('+b')[0]}+b{week}"
            self.upload(pocket, source, rebuilt, *self.dice.choice([("amd64",), ARCHITECTURES]))
        else:
            self.upload(self.dice.choice(["security", "security", "main"]), source, version)
        if week % 3 == 0:
            self.upload("ppa", "tool", f"2-{week}")
        if week == REMOVED[0]:
            self.remove("main", "tree")
        if week == REMOVED[-1] + 1:
            self.upload("main", "tree", "2-1")
        archive = self.story.bench.archive
        archive.behave()
        if week in DOWN:
            archive.status("*/ppa/*", 503, retry_after="0")
        archive.now += timedelta(weeks=1)


def skeleton(text: str) -> str:
    """A text without the versions of its pins."""
    return re.sub(r"JQ_VERSION=\S+", "JQ_VERSION=", _PIN.sub(r"\1", text))


def commands(text: str) -> Iterator[dict[str, str]]:
    """The names and pins of each install command."""
    variable = re.search(r"JQ_VERSION=\"?([^\s\"]+)", text)
    joined = re.sub(r" #.*|\\\n", "", text)
    for line in re.findall(r"install -y (.*)", joined):
        line = line.replace("${JQ_VERSION}", variable[1] if variable else "")
        words = (word.replace('"', "").partition("=") for word in line.split() if not word.startswith("-"))
        yield {name: pin for name, _, pin in words}


def needs(name: str) -> set[str]:
    """What it depends on in its own version: apt takes the candidate of that unless it has a pin, too."""
    own = next(binaries for binaries in SOURCES.values() if name in binaries)
    return {*own} if name == own[0] else {name}


@pytest.mark.parametrize(("min_age", "weeks"), [("0d", 53), ("10d", 27)])
def test_a_year(story: Story, monkeypatch: pytest.MonkeyPatch, min_age: str, weeks: int) -> None:
    year, bench = Year(story), story.bench

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return bench.archive.now

    monkeypatch.setattr(access, "datetime", Clock)
    bench.configure(
        f'[policy]\nmin-age = "{min_age}"\n[[source]]\nuri = "https://apt.example/ppa"\nkey = "key.pgp"\n'
    )
    bench.write("key.pgp", bytes(bench.archive.key.certificate))
    for name, text in FILES.items():
        bench.write(name, text)
    year.pass_week(1)
    assert bench.run("refresh", "--add").status == 0
    assert story.verify().status == 0
    statuses, moved, waited = set(), 0, 0
    for week in range(2, weeks):
        year.pass_week(week)
        before = {name: bench.read(name) for name in FILES}
        result = bench.run("refresh")
        statuses.add(result.status)
        trouble = {*(["tree"] if week in REMOVED else ()), *(["tool"] if week in DOWN else ())}
        assert (result.status == 0) is not bool(trouble), (week, result)
        assert bench.read("pinner.lock").count('id = "tool:') == 2, week
        for name in FILES:
            now = bench.read(name)
            assert skeleton(now) == skeleton(before[name]) == skeleton(bench.read(name)), week
            moved += now != before[name]
            for old, command in zip(commands(before[name]), commands(now), strict=True):
                if trouble & command.keys():
                    assert command == old, week
                    continue
                # apt installs a command as it was, with the siblings' candidates
                fits = all(
                    command.keys() >= needs(each)
                    or all(fnmatchcase(year.candidate(each, arch), old[each]) for arch in ARCHITECTURES)
                    or not all(year.offers(each, arch, old[each]) for arch in ARCHITECTURES)  # then it moves
                    for each in command
                )
                for package, pin in command.items():  # nothing is lost, and apt finds what it is asked for
                    wanted = {year.candidate(package, each) for each in ARCHITECTURES}
                    if (
                        min_age != "0d"
                        and fits
                        and any(year.is_young(package, each) for each in wanted)
                        and all(year.offers(package, each, old[package]) for each in ARCHITECTURES)
                    ):
                        assert pin == old[package], (week, name, package, pin, wanted)
                        waited += not all(fnmatchcase(each, pin) for each in wanted)
                    else:
                        assert all(fnmatchcase(each, pin) for each in wanted), (
                            week,
                            name,
                            package,
                            pin,
                            wanted,
                        )
        if week % 6 == 0:
            assert (story.verify().status == 0) is (result.status == 0), week
            states = bench.files()
            assert bench.run("refresh").status == result.status
            assert bench.files() == states, week
    assert statuses >= {0, 5} and moved > weeks / 2
    assert (waited > 3) is (min_age != "0d")
