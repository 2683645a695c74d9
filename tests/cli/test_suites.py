"""Every suite that pinner knows, served by a stand-in as its archive serves it: which pocket a pin comes from, and what
the lock says of its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from pinner.distributions.debian import DEBIAN
from pinner.distributions.suite import Distribution, Suite
from pinner.distributions.ubuntu import UBUNTU
from pinner.lock.reader import loads
from tests.cli.workbench import RELEASED, Workbench
from tests.simulator import SimulatedArchive

ARCHITECTURES = ("amd64", "arm64", "riscv64", "i386")
AUTOMATIC = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
D, S, A = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security", "http://archive.debian.org"
U, B = "http://archive.ubuntu.com/ubuntu", "http://security.ubuntu.com/ubuntu"
P, OLD = "http://ports.ubuntu.com/ubuntu-ports", "http://old-releases.ubuntu.com"


def fill(archive: SimulatedArchive, distribution: Distribution, suite: Suite) -> None:
    """Its pockets for all architectures; each has a `curl` of a version that names it, later ones higher."""
    for number, pocket in enumerate((*suite.pockets, *suite.variants.values())):
        for arch in ARCHITECTURES:
            path = urlsplit(pocket.address(arch)).path.strip("/")
            if any((each.path, each.name) == (path, pocket.suite) for each in archive.suites):
                continue
            name = pocket.suite.partition("/")[0]
            fields = {"Suite": name, "Codename": name}
            if pocket.suite.endswith("-backports"):
                fields |= AUTOMATIC
            if pocket.suite == "experimental":
                fields |= {"NotAutomatic": "yes"}
            made = archive.suite(
                pocket.suite,
                path=path,
                architectures=ARCHITECTURES,
                components=distribution.components,
                fields=fields,
            )
            made.date, made.valid_for = RELEASED, timedelta(days=7) if suite.laid_up else None
            made.package("curl", f"8.{number}~{pocket.suite.replace('/', '').replace('-', '')}")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    archive = SimulatedArchive()
    for distribution in (DEBIAN, UBUNTU):
        for suite in distribution.suites:
            fill(archive, distribution, suite)
    folder = tmp_path_factory.mktemp("suites")
    (folder / "project").mkdir()
    with archive.serve():
        yield Workbench(folder / "project", archive, folder)


@pytest.mark.parametrize(
    ("image", "platform", "version", "places"),
    [
        ("debian:buster", "amd64", "8.1~busterupdates",
         {f"{A}/debian buster", f"{A}/debian-security buster/updates"}),
        ("debian:9-slim", "386", "8.1~stretchupdates", {f"{A}/debian stretch", f"{A}/debian-security stretch/updates"}),
        ("debian:bullseye", "arm64", "8.2~bullseyeupdates",
         {f"{D} bullseye", f"{D} bullseye-updates", f"{S} bullseye-security"}),
        ("debian:12", "amd64", "8.2~bookwormsecurity",
         {f"{D} bookworm", f"{D} bookworm-updates", f"{S} bookworm-security"}),
        ("debian:forky-slim", "riscv64", "8.2~forkysecurity",
         {f"{D} forky", f"{D} forky-updates", f"{S} forky-security"}),
        ("debian:sid", "riscv64", "8.0~sid", {f"{D} sid"}),
        ("debian:experimental", "amd64", "8.0~sid", {f"{D} sid", f"{D} experimental"}),
        ("debian:rc-buggy", "amd64", "8.0~sid", {f"{D} sid", f"{D} experimental"}),
        ("debian:bookworm-backports", "amd64", "8.2~bookwormsecurity",
         {f"{D} bookworm", f"{D} bookworm-updates", f"{S} bookworm-security", f"{D} bookworm-backports"}),
        ("debian:13\n# pinner: suite=trixie-proposed-updates", "amd64", "8.4~trixieproposedupdates",
         {f"{D} trixie", f"{D} trixie-updates", f"{S} trixie-security", f"{D} trixie-proposed-updates"}),
        ("ubuntu:xenial", "386", "8.3~xenialsecurity",
         {f"{U} xenial", f"{U} xenial-updates", f"{U} xenial-backports", f"{B} xenial-security"}),
        ("ubuntu:20.04", "amd64", "8.3~focalsecurity",
         {f"{U} focal", f"{U} focal-updates", f"{U} focal-backports", f"{B} focal-security"}),
        ("ubuntu:24.04", "arm64", "8.3~noblesecurity",
         {f"{P} noble", f"{P} noble-updates", f"{P} noble-backports", f"{P} noble-security"}),
        ("ubuntu:26.04", "riscv64", "8.3~resolutesecurity",
         {f"{P} resolute", f"{P} resolute-updates", f"{P} resolute-backports", f"{P} resolute-security"}),
        ("ubuntu:oracular", "arm64", "8.3~oracularsecurity",
         {f"{OLD}/ubuntu oracular{pocket}" for pocket in ("", "-updates", "-backports", "-security")}),
        ("ubuntu:25.04", "amd64", "8.3~pluckysecurity",
         {f"{OLD}/ubuntu plucky{pocket}" for pocket in ("", "-updates", "-backports", "-security")}),
    ],
)  # fmt: skip
def test_where_a_pin_comes_from(
    bench: Workbench, image: str, platform: str, version: str, places: set[str]
) -> None:
    (bench.folder / "pinner.lock").unlink(missing_ok=True)
    bench.write("Dockerfile", f"FROM {image}\nRUN apt-get install -y curl\n")
    result = bench.run("lock", "--platform", platform)
    assert result.status == 0, result.err
    assert f"curl={version}\n" in bench.read("Dockerfile")
    lock = loads(bench.read("pinner.lock"))
    assert {f"{source.uri} {source.suite}" for source in lock.releases} == places
    assert bench.run("verify", "--platform", platform).status == 0


@pytest.mark.parametrize("distribution", [DEBIAN, UBUNTU], ids=["debian", "ubuntu"])
def test_every_suite_can_be_named(bench: Workbench, distribution: Distribution) -> None:
    text = "".join(
        f"FROM x\n# pinner: suite={each.codename}\nRUN apt-get install -y curl\n"
        for each in distribution.suites
    )
    result = bench.run("lock", "--dry-run", "--platform", "amd64", "-", stdin=text.encode())
    assert (result.status, result.out.count("+RUN apt-get install -y curl=8.")) == (
        0,
        len(distribution.suites),
    )


def test_an_end_with_updates_for_subscribers(bench: Workbench) -> None:
    bench.write("Dockerfile", "FROM ubuntu:20.04\nRUN apt-get install -y curl=8.3~focalsecurity\n")
    result = bench.run("verify", "--platform", "amd64")
    assert (
        "security support of focal ended on 2025-05-29; Ubuntu Pro has updates until 2030-04-23, "
        "from an archive that pinner does not read\n"
    ) in result.out


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("deb http://archive.ubuntu.com/ubuntu noble main", f"{U} noble"),
        ("deb http://de.archive.ubuntu.com/ubuntu noble main", f"{U} noble"),
        ("deb http://cache:3142/ports.ubuntu.com/ubuntu-ports noble main", f"{P} noble"),
        ("deb {url}/ubuntu noble main", f"{U} noble"),
    ],
)
def test_the_host_that_a_stage_names_is_asked_on_every_architecture(
    bench: Workbench, line: str, place: str
) -> None:
    (bench.folder / "pinner.lock").unlink(missing_ok=True)
    bench.configure("")
    line = line.format(url=bench.archive.url)
    bench.write(
        "Dockerfile",
        f"FROM ubuntu:24.04\nRUN rm -rf /etc/apt/sources.list.d/* && echo '{line}' > /etc/apt/sources.list\n"
        "RUN apt-get update && apt-get install -y curl\n",
    )
    status = "Package: apt\nStatus: install ok installed\nArchitecture: arm64\nVersion: 2.8.3\n"
    bench.write("status", status)
    result = bench.run("lock", "--platform", "arm64", "--installed", "status")
    fetched = bench.run("download", "debs")
    (bench.folder / "pinner.toml").unlink()
    assert result.status == 0, result.err
    lock = loads(bench.read("pinner.lock"))
    assert {f"{source.uri} {source.suite}" for source in lock.releases} == {place}
    # this archive has no .debs
    assert fetched.err.startswith(f"error: curl:arm64=8.0~noble is gone: {place.partition(' ')[0]}/pool/"), (
        fetched
    )
