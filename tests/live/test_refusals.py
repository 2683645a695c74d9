"""A base image with newer, older, held packages: `lock` fails where `apt-get -y install` in a chroot refuses its line.

Needs root, the network, and the Debian packages debootstrap and dpkg.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.apt.installed import packages
from tests.cli.workbench import Workbench, debian
from tests.simulator import SimulatedArchive

TOOLS = ("debootstrap", "dpkg-deb", "chroot")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason=f"needs root and {', '.join(TOOLS)}",
    ),
]
#: What the archive has, and 3.0-1, which only an image has: name, version, fields.
OFFERED = [
    ("probe", "1.0-1", {}),
    ("probe", "1.0-1+b1", {}),
    ("probe", "2.0-1", {}),
    ("tool", "1", {"Depends": "probe (>= 2.0)"}),
    ("any", "1", {"Depends": "probe"}),
    ("other", "1", {}),
    ("either", "1", {"Depends": "probe (>= 2.0) | other"}),
    ("soft", "1", {"Recommends": "probe (>= 2.0)"}),
]
BUILT = [*OFFERED, ("probe", "3.0-1", {})]
#: Commands that make the image, the line, and what apt says if it refuses.
CASES = [
    ("", "probe=1.0-1", ""),
    ("", "probe=1.0-1+b1", ""),
    ("", "probe", ""),
    ("probe=1.0-1", "probe=1.0-1", ""),
    ("probe=1.0-1", "probe=1.0-1+b1", ""),
    ("probe=1.0-1", "probe=2.0-1", ""),
    ("probe=1.0-1", "tool", ""),
    ("probe=1.0-1+b1", "probe=1.0-1", "downgrade"),
    ("probe=1.0-1+b1", "probe=1.0-1*", ""),
    ("probe=2.0-1", "probe=1.0-1", "downgrade"),
    ("probe=2.0-1", "probe=1.*", "downgrade"),
    ("probe=2.0-1", "--allow-downgrades probe=1.0-1", ""),
    ("probe=2.0-1", "tool probe=1.0-1", "Depends|needs"),
    ("probe=2.0-1", "any probe=1.0-1", "downgrade"),
    ("probe=3.0-1", "probe", ""),
    ("probe=3.0-1", "probe=2.0-1", "downgrade"),
    ("probe=3.0-1", "tool", ""),
    ("probe=1.0-1 hold", "probe=1.0-1", ""),
    ("probe=1.0-1 hold", "probe=2.0-1", "held|hold"),
    ("probe=1.0-1 hold", "probe", "held|hold"),
    ("probe=1.0-1 hold", "--allow-change-held-packages probe=2.0-1", ""),
    ("probe=1.0-1 hold", "any", ""),
    ("probe=1.0-1 hold", "soft", ""),
    ("probe=1.0-1 hold", "tool", "Depends|needs"),
    ("probe=1.0-1 hold", "either", ""),
    ("probe=1.0-1", "either", ""),
    ("probe=2.0-1 hold", "tool", ""),
    ("probe=2.0-1 hold", "probe-", "held|hold"),
    ("probe=1.0-1 hold", "--allow-change-held-packages tool", "Depends|needs"),
    ("probe=2.0-1 hold", "probe=1.0-1", "held|hold|downgrade"),
    ("probe=2.0-1 remove", "probe=1.0-1", ""),
    ("probe=2.0-1 purge", "probe=1.0-1", ""),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chroot whose apt reads these packages alone."""
    root = tmp_path_factory.mktemp("chroot") / "root"
    command = ["debootstrap", "--variant=minbase", "bookworm", str(root), "http://deb.debian.org/debian"]
    subprocess.run(command, check=True, capture_output=True)
    for name, version, fields in BUILT:
        tree = root / "built" / f"{name}_{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(control(name, version, fields) + "Description: x\n")
        if name == "probe":
            (tree / "etc").mkdir()
            (tree / "etc" / "probe").write_text("x\n")
            (tree / "DEBIAN" / "conffiles").write_text("/etc/probe\n")
        subprocess.run(["dpkg-deb", "--build", str(tree), f"{tree}.deb"], check=True, capture_output=True)
    index = ""
    for name, version, fields in OFFERED:
        deb = root / "built" / f"{name}_{version}.deb"
        sha256 = subprocess.run(["sha256sum", str(deb)], capture_output=True, text=True, check=True).stdout[
            :64
        ]
        index += control(name, version, fields)
        index += f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {sha256}\nDescription: x\n\n"
    (root / "built" / "Packages").write_text(index)
    (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/built ./\n")
    # A status file of the same second and size would be taken for the one that is cached.
    (root / "etc/apt/apt.conf.d/nocache").write_text(
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    )
    run(root, "apt-get", "update")
    return root


def control(name: str, version: str, fields: dict[str, str]) -> str:
    own = {"Package": name, "Version": version, "Architecture": "amd64", "Maintainer": "x <x@example.org>"}
    return "".join(f"{key}: {value}\n" for key, value in (own | fields).items())


def run(root: Path, *command: str, status: int | None = 0) -> str:
    done = subprocess.run(
        ["chroot", str(root), *command],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
    )
    assert status is None or done.returncode == status, done.stdout + done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.fixture(scope="module")
def bench(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    archive = SimulatedArchive()
    bookworm = debian(archive, "bookworm")
    for name, version, fields in OFFERED:
        bookworm.package(name, version, arch="amd64", **{key.lower(): value for key, value in fields.items()})
    folder = tmp_path_factory.mktemp("bench")
    (folder / "project").mkdir()
    with archive.serve():
        yield Workbench(folder / "project", archive, folder)


@pytest.mark.parametrize(("image", "words", "says"), CASES)
def test_the_verdict_is_apts(root: Path, bench: Workbench, image: str, words: str, says: str) -> None:
    run(root, "sh", "-c", "apt-mark unhold probe; dpkg --purge probe tool any soft either other", status=None)
    for step in image.split():
        name, _, version = step.partition("=")
        if version:
            run(root, "dpkg", "-i", f"/built/{name}_{version}.deb")
        elif step == "hold":
            run(root, "apt-mark", "hold", "probe")
        else:
            run(root, "dpkg", f"--{step}", "probe")
    status = (root / "var/lib/dpkg/status").read_text()
    bench.write("base.status", status)
    bench.write("Dockerfile", f"FROM debian:bookworm\nRUN apt-get install -y {words}\n")
    (bench.folder / "pinner.lock").unlink(missing_ok=True)
    result = bench.run("lock", "--platform", "amd64", "--installed", "base.status")
    line = bench.read("Dockerfile").splitlines()[1].removeprefix("RUN apt-get install -y ").replace('"', "")
    refused = run(root, "apt-get", "install", "-y", *line.split(), status=None)
    assert bool(refused) == bool(says), refused
    assert result.status == int(bool(refused)), result.out + refused
    for text in filter(None, (refused, says and result.out)):
        assert re.search(says, text), text
    verified = bench.run("verify", "--platform", "amd64", "--installed", "base.status")
    assert verified.status == int(bool(refused)), verified.out
    if not refused:
        now = {each.name: each.version for each in packages((root / "var/lib/dpkg/status").read_text())}
        before = {each.name: each.version for each in packages(status)}
        target = bench.read("pinner.lock") if (bench.folder / "pinner.lock").exists() else ""
        changed = {name: version for name, version in now.items() if before.get(name) != version}
        assert all(f"{name}:amd64={version}" in target for name, version in changed.items()), (
            changed,
            target,
        )
