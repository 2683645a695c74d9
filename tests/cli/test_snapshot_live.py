"""A build that reads a snapshot, by buildah and real apt, after the live archive has moved on.

The stand-in is the build's HTTP proxy, so that official addresses reach it; the image trusts its key in Debian's place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.workbench import Workbench, debian
from tests.snapshots import SnapshotService

BASE = "docker.io/library/debian:bookworm-slim"
THEN = "20261101T031500Z"
DOCKERFILE = "FROM localhost/debian:bookworm\nRUN apt-get update && apt-get install -y hello-pinner\n"


def available() -> bool:
    if shutil.which("buildah") is None or shutil.which("dpkg-deb") is None or os.getuid() != 0:
        return False
    return subprocess.run(["buildah", "inspect", BASE], capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not available(), reason=f"needs root, dpkg-deb, and buildah with {BASE}"),
]


def package(folder: Path, version: str) -> bytes:
    control = folder / version / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: hello-pinner\nVersion: {version}\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\n"
        "Description: says nothing\n"
    )
    made = folder / f"{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", folder / version, made], check=True)
    return made.read_bytes()


def build(folder: Path, proxy: str, tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *("buildah", "build", "--isolation", "chroot", "--no-cache", "--pull=never", "--network", "host"),
            *("--build-arg", f"http_proxy={proxy}", "-t", tag, "-f", folder / "Dockerfile", folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def held(tag: str) -> str:
    """What dpkg says of an image."""
    script = (
        "c=$(buildah from --pull=never $0) && "
        "buildah run --isolation chroot $c -- dpkg-query -W -f '${binary:Package}\t${Version}\n'; buildah rm $c >&2"
    )
    done = subprocess.run(["sh", "-c", script, tag], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_build_that_reads_the_snapshot(tmp_path: Path) -> None:
    service = SnapshotService(now=datetime.now(UTC))
    old, new = package(tmp_path / "debs", "1.0"), package(tmp_path / "debs", "2.0")
    file = "pool/main/h/hello-pinner/hello-pinner_{}_amd64.deb"
    fields = {"1.0": old, "2.0": new}
    run = service.run("debian", THEN, {"bookworm": {}, "bookworm-updates": {}})
    service.run("debian-security", THEN, {"bookworm-security": {}})
    live = debian(service, "bookworm")
    for suite, version in ((run.suites["bookworm"], "1.0"), (live, "1.0")):
        content = fields[version]
        suite.package(
            "hello-pinner",
            version,
            filename=file.format(version),
            size=len(content),
            sha256=sha256(content).hexdigest(),
        )
    service.pool[f"/archive/debian/{THEN}/{file.format('1.0')}"] = old
    service.pool[f"/debian/{file.format('2.0')}"] = new
    folder = tmp_path / "project"
    folder.mkdir()
    tags = [f"localhost/{name}" for name in ("debian:bookworm", "pinner-test:live", "pinner-test:snapshot")]
    try:
        with service.serve() as url:
            (folder / "key.gpg").write_bytes(bytes(service.key.certificate))
            keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
            base = f"FROM {BASE}\nCOPY key.gpg {keyring}\nRUN rm -rf /var/lib/apt/lists/*\n"
            (folder / "Dockerfile").write_text(base)
            done = build(folder, url, tags[0])
            assert done.returncode == 0, done.stderr
            bench = Workbench(folder, service, tmp_path)
            bench.configure("[snapshot]\ninterval = 0\n")
            bench.write("Dockerfile", DOCKERFILE)
            bench.write("base", held(tags[0]))
            options = ("--platform", "linux/amd64", "--suite", "bookworm")
            assert bench.run("lock", *options, "Dockerfile").status == 0
            live.remove("hello-pinner").package(
                "hello-pinner",
                "2.0",
                filename=file.format("2.0"),
                size=len(new),
                sha256=sha256(new).hexdigest(),
            )
            gone = build(folder, url, tags[1])
            assert "Version '1.0' for 'hello-pinner' was not found" in gone.stdout + gone.stderr
            assert "hello-pinner=1.0" in bench.read("Dockerfile")
            found = bench.run("snapshot", "find", *options, "Dockerfile")
            assert found.status == 0, found
            moment = ("--snapshot", "2026-11-02", "--write-sources", "--installed", "base")
            locked = bench.run("lock", *moment, *options, "Dockerfile")
            assert locked.status == 0, locked
            before = len(service.requests)
            done = build(folder, url, tags[2])
            assert done.returncode == 0, done.stdout + done.stderr
            asked = service.requests[before:]
            assert asked and all(path.startswith("/archive/") for path in asked), asked
            bench.write("built", held(tags[2]))
            assert "hello-pinner\t1.0\n" in bench.read("built")
            audit = bench.run("audit", "--installed", "built", "--base", "base")
            assert audit.status == 0, audit
    finally:
        subprocess.run(["buildah", "rmi", "-f", *tags], capture_output=True, check=False)
