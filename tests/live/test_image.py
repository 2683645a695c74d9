"""The container image, built for real: what is in it is what is locked, it is small, and nobody is root in it.

Needs root, the network, and the Debian packages buildah and debootstrap. The base image is made here, as slim as
debian:trixie-slim is, since a registry may be out of reach.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.lock import reader
from tests.live.test_builds import SOURCES, TOOLS, inside, run, versions

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason=f"needs root and {', '.join(TOOLS)}",
    ),
]
ROOT = Path(__file__).parent.parent.parent
BASE, IMAGE = "docker.io/library/debian:trixie-slim", "localhost/pinner-test-image"
BARE = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)
LARGEST = 80_000_000


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("base") / "root"
    run("debootstrap", "--variant=minbase", "trixie", str(root), "http://deb.debian.org/debian")
    for folder in BARE:
        for each in (root / folder).iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    (root / "etc/apt/sources.list").unlink()
    (root / "etc/apt/sources.list.d/debian.sources").write_text(SOURCES.replace("bookworm", "trixie"))
    if own := os.environ.get("PIP_CERT"):  # where an authority of one's own stands between here and PyPI
        shutil.copy(own, root / "etc/pip-ca.crt")
        (root / "etc/pip.conf").write_text("[global]\ncert = /etc/pip-ca.crt\n")
    container = run("buildah", "from", "scratch").strip()
    run("buildah", "add", container, str(root), "/")
    shutil.rmtree(root)
    run("buildah", "commit", "--rm", container, BASE)
    options = ("--isolation", "chroot", "--network", "host", "--pull-never", "--layers=false")
    run("buildah", "bud", *options, "--tag", IMAGE, ".", cwd=ROOT)
    yield IMAGE
    run("buildah", "rmi", "--force", IMAGE, BASE)


def test_it_is_small(image: str, tmp_path: Path) -> None:
    packed = tmp_path / "image.tar"
    run("buildah", "push", "--quiet", image, f"oci-archive:{packed}")
    with tarfile.open(packed) as tar:
        assert sum(member.size for member in tar) < LARGEST


def test_it_runs_and_nobody_is_root(image: str) -> None:
    assert inside(image, "id", "-u").strip() == "65532"
    config = json.loads(run("buildah", "inspect", "--type", "image", image))["OCIv1"]["config"]
    command = [*config["Entrypoint"], "--version"]
    assert inside(image, *command).startswith("pinner ")
    assert inside(image, "git", "--version").startswith("git version")


def test_it_has_what_is_locked(image: str) -> None:
    lock = reader.loads((ROOT / "pinner.lock").read_text(encoding="utf-8"))
    target = lock.target(("Dockerfile", "base", "linux/amd64"))
    assert target is not None
    there = versions(inside(image, "dpkg-query", "-W"))
    packages = lock.by_id
    locked = {packages[each.id].name: packages[each.id].version for each in target.closure.members}
    assert len(locked) > 20
    assert {name: there[name] for name in locked if name in there} == {
        n: v for n, v in locked.items() if n in there
    }
    gone = {name for name in locked if name not in there}
    assert all("perl" in name for name in gone), gone


def test_its_pins_stand() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pinner", "verify", "--images", "never", "Dockerfile"],
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0
