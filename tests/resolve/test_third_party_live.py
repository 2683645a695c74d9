"""A distribution, its backports and others' repositories side by side, under preferences: candidates and closures as
`apt-cache policy` and `apt-get -s install` of real apt have them over the same signed archives.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from pinner.apt import installed, preferences
from pinner.apt.sources import Source
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.errors import Unsatisfiable
from pinner.resolve.classic import solve
from pinner.resolve.resolution import ResolvedArgument
from pinner.resolve.universe import Universe
from tests.apt_root import AptRoot
from tests.simulator import SimulatedArchive, SimulatedSuite

pytestmark = pytest.mark.live

NAMES = [f"{word}{number}" for word in ("app", "lib", "tool") for number in range(6)]
VERSIONS = ["1.0-1", "1.0-1+b1", "1.2-1~bpo12+1", "2:0.9-1", "1.10-1.pgdg120+1", "1.10-1", "2.0~rc1-1"]
RELEASES = "a=main n=main-backports o=Vendor l=Pgdg c=extra a=main-* v=12* * nothing b=amd64".split()  # noqa: SIM905
PRIORITIES = ["-1", "1", "99", "100", "101", "500", "501", "990", "999", "1000", "1001"]
RELATIONS = ["{0}", "{0} (>= 1.0)", "{0} (>= 1.1)", "{0} (= 1.10-1)", "{0} | {1}", "virtual"]
PACKAGES = ["app*", "lib[0-3]", "tool1:amd64", "tool?:arm64", "app0 lib1 tool2"]


def world(draw: Random, archive: SimulatedArchive) -> list[tuple[SimulatedSuite, str, str]]:
    """Suites, each with its host and components, in the order of the sources file."""
    backports = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    pgdg = {"Label": "Pgdg", "NotAutomatic": draw.choice([None, "yes"])}
    vendor = archive.suite("vendor", path="vendor", components=("main", "extra"), fields={"Origin": "Vendor"})
    made = [
        (archive.suite("main", fields={"Version": "12.4"}), "127.0.0.1", "main"),
        (archive.suite("main-backports", fields=backports), "127.0.0.1", "main"),
        (vendor, "localhost", "main extra"),
        (archive.suite("pgdg", path="pgdg", fields=pgdg), "127.0.0.1", "main"),
    ]
    for suite, _, components in made:
        for component in components.split():
            for name in draw.sample(NAMES, 9):
                for version in draw.sample(VERSIONS, draw.choice([1, 1, 2])):
                    suite.package(name, version, arch="amd64", component=component, **relations(draw, name))
    return made


def relations(draw: Random, name: str) -> dict[str, str]:
    found = {"provides": "virtual"} if draw.random() < 0.1 else {}
    others = [other for other in NAMES if other != name]
    for field, often in (("depends", 0.5), ("recommends", 0.15), ("conflicts", 0.15)):
        if draw.random() < often:
            # A conflict has no alternatives (Policy 7.1).
            kinds = [each for each in RELATIONS if field != "conflicts" or "|" not in each]
            clauses = [draw.choice(kinds) for _ in range(draw.choice([1, 1, 2]))]
            found[field] = ", ".join(clause.format(*draw.sample(others, 2)) for clause in clauses)
    return found


def preferred(draw: Random) -> str:
    found = []
    for _ in range(draw.choice([0, 1, 2, 4])):
        package = draw.choice(["*", "*", draw.choice(NAMES), draw.choice(PACKAGES)])
        kind = draw.choice(["release", "release", "origin", "version"])
        data = {
            "release": ",".join(draw.sample(RELEASES, draw.choice([1, 1, 2]))),
            "origin": draw.choice(['"127.0.0.1"', "localhost", "other.example", '""']),
            "version": draw.choice([*VERSIONS, "1.*", "*pgdg*", "9"]),
        }[kind]
        priority = draw.choice(PRIORITIES if package != "*" else [*PRIORITIES, "never"])
        found.append(f"Package: {package}\nPin: {kind} {data}\nPin-Priority: {priority}\n")
    return "\n".join(found)


def status(draw: Random, universe: Universe) -> str:
    """A few installed packages, of versions that some index has or none."""
    found = []
    for name in draw.sample(NAMES, 4):
        versions = [offer.version for offer in universe.versions(name)]
        once = [version for version in versions if versions.count(version) == 1]
        if once and draw.random() < 0.7:
            found.append((name, draw.choice(once)))
        else:
            found.append((name, draw.choice(["0.1", "1.5", "3"])))
    return "\n".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
        "Maintainer: x\nDescription: x\n"
        for name, version in found
    )


# Six packages provide what is asked for, and some of them conflict: apt's problem resolver goes in circles.
CIRCLES = pytest.mark.xfail(strict=True, reason="we find a solution where apt's problem resolver finds none")


@pytest.mark.parametrize("seed", [pytest.param(n, marks=CIRCLES) if n == 16 else n for n in range(40)])
def test_as_apt(seed: int, tmp_path: Path) -> None:
    draw = Random(seed)
    archive = SimulatedArchive()
    with archive.serve():
        suites = world(draw, archive)
        text = preferred(draw)
        key = tmp_path / "key.pgp"
        key.write_bytes(bytes(archive.key.certificate))
        port = archive.url.rpartition(":")[2]
        sources, lines = [], []
        for suite, host, components in suites:
            uri = f"http://{host}:{port}/{suite.path}"
            lines.append(f"deb [signed-by={key}] {uri} {suite.name} {components}\n")
            sources.append(Source(uri, suite.name, tuple(components.split()), "amd64", archive.keys))
        indexes, _ = Archive(Network(Cache(tmp_path / "cache"), archive.now, wait=archive.wait)).load(sources)
        prefer = preferences.read("x", text)
        ours = Universe(indexes, arch="amd64", preferences=prefer)
        held = status(draw, ours) if seed % 2 else ""
        ours = ours.with_installed(installed.packages(held)) if held else ours
        apt = AptRoot(tmp_path / "root", "amd64", {"sources.list": "".join(lines), "preferences": text}, held)
        apt.update()

        candidates = {name: offer.version for name in NAMES if (offer := ours.candidate(name))}
        assert apt.candidates(NAMES) == candidates, text
        if held:
            return  # what is installed is broken here, which apt mends in its own way
        compared = 0
        for name in candidates:
            try:
                resolution = solve(ours, [ResolvedArgument(ours.select(name))])
                mine = {each.offer.name: each.offer.version for each in resolution.chosen}
            except Unsatisfiable:
                mine = None
            try:
                theirs = apt.installs(name)
            except AssertionError:
                theirs = None
            assert mine == theirs, (name, text)
            compared += theirs is not None
        assert compared or not candidates
