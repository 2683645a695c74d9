"""The sources block in roots of three releases: apt 2.2, 2.6, 3.0 read the snapshot alone, and nothing fails open."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pinner.distributions.moments import Moment
from pinner.recipe import blocks
from pinner.stages.image_names import Named, named
from pinner.workflow.sources_block import sources

AT = Moment((("debian", "20261101T031500Z"), ("debian-security", "20261101T050000Z")))

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        shutil.which("debootstrap") is None or os.getuid() != 0, reason="needs debootstrap and root"
    ),
]


@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie"])
def test_apt_reads_the_snapshot_alone(tmp_path: Path, suite: str) -> None:
    root = tmp_path / suite
    command = ["debootstrap", "--variant=minbase", suite, str(root), "http://deb.debian.org/debian"]
    subprocess.run(command, capture_output=True, check=True)
    where = named(suite)
    assert isinstance(where, Named)
    path, lines = sources(where._replace(at=AT), ["linux/amd64"])
    block = blocks.render(str(AT), path, lines, escape="\\", newline="\n").splitlines(keepends=True)
    script = "".join(block[1:-1]).removeprefix("RUN ")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["chroot", root, *words], capture_output=True, text=True, check=False)

    done = run("sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    listed = run("apt-get", "update", "--print-uris")
    assert (listed.returncode, listed.stderr) == (0, "")
    hosts = set(re.findall(r"^'(http://[^/]+/archive/[^/]+/[^/]+)/", listed.stdout, re.MULTILINE))
    assert hosts == {AT.uri(pocket.uri) for pocket in where.suite.pockets}
    assert listed.stdout.count("'http") == listed.stdout.count("'http://snapshot.debian.org/archive/")
    unreachable = run("env", "http_proxy=http://127.0.0.1:9", "apt-get", "update", "-o", "Acquire::Retries=0")
    assert unreachable.returncode == 100
