"""A bit that fell over in a file of the cache is noticed, what was kept is fetched anew, and results are the same.

Every kind of file that the cache has is tried, each with the command that reads it. PINNER_FLIPS is how many bits of
each kind; `scripts/attack` takes 200.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinner.archive.advisories import URLS
from tests.attacks.registries import FILES
from tests.cli.workbench import RELEASED, Workbench, debian
from tests.registry import Registry, make, serve, tar
from tests.simulator import Key
from tests.snapshots import SnapshotService

_FLIPS = int(os.environ.get("PINNER_FLIPS", "6"))
_STAMP = "20260301T031500Z"
_RING = "/usr/share/keyrings/vendor.gpg"
_FILES = """\
FROM {host}/app:1 AS app
RUN apt-get update && apt-get install -y curl
FROM {host}/app:1
RUN curl https://vendor.example/key.asc | gpg --dearmor -o {ring} \\
 && echo "deb [signed-by={ring}] https://apt.vendor.example/debian bookworm main" > /etc/apt/sources.list.d/v.list
RUN apt-get update && apt-get install -y tool
"""
VERIFY = ("verify", "Dockerfile", "--cve", "--json")
LOCK = ("lock", "Dockerfile", "--check", "--json")
REFRESH = ("refresh", "Dockerfile", "--dry-run", "--min-age", "3d", "--json")
#: What reads the files of each folder of the cache.
READERS = {
    "http": (*LOCK, "--max-age", "0s"),
    "indices": LOCK,
    "releases": VERIFY,
    "images": ("lock", "new/Dockerfile", "--check", "--json"),
    "snapshots": ("snapshot", "find", "old/Dockerfile", "--json"),
    "keys": LOCK,
    "cve": VERIFY,
    "seen": REFRESH,
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """A cache that holds every kind of file."""
    service = SnapshotService(now=datetime.now(UTC), architectures=("amd64", "arm64"))
    service.run("debian", _STAMP, {"bookworm": {"apt": "2.6.1", "curl": "7.88-1"}, "bookworm-updates": {}})
    service.run("debian-security", _STAMP, {"bookworm-security": {}})
    debian(service, "bookworm").package("curl", "7.88-1")
    vendor = service.suite("bookworm", path="vendor").package("tool", "2.0")
    vendor.signers, vendor.date = [Key("Vendor")], RELEASED
    service.pool["/keys/key.asc"] = bytes(vendor.signers[0].certificate)
    states = {"releases": {"bookworm": {"repositories": {}, "status": "open", "urgency": "high"}}}
    service.pool["/tracker/data/json"] = json.dumps({"curl": {"CVE-2026-1": states}}).encode()
    service.validators = True
    (tmp_path / "project").mkdir()
    with service.serve(), serve(Registry()) as registry:
        registry.put("app:1", make(tar([*FILES.items()])))
        bench = Workbench(tmp_path / "project", service, tmp_path)
        own = {
            "https://apt.vendor.example/debian": "/vendor",
            "https://vendor.example": "/keys",
            URLS["debian"].rpartition("/tracker")[0]: "",
        }
        bench.configure('platforms = ["linux/amd64"]\n[snapshot]\ninterval = 0\n')
        mirrors = "".join(f'"{official}" = "{service.url}{path}"\n' for official, path in own.items())
        bench.write("pinner.toml", bench.read("pinner.toml") + mirrors)
        bench.write("Dockerfile", _FILES.format(host=registry.host, ring=_RING))
        bench.write("new/Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y curl\n")
        bench.write("old/Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl=7.88-1\n")
        done = run(bench, "lock", "Dockerfile", "--trust-new-keys")
        assert done.startswith("0 "), done
        security = next(suite for suite in service.suites if suite.name == "bookworm-security")
        security.package("curl", "7.88-1+deb12u1")
        for command in {*READERS.values()}:
            run(bench, *command)
        yield bench


def run(bench: Workbench, *command: str) -> str:
    host = bench.read("Dockerfile").split()[1].partition("/")[0]
    images = () if command[0] == "snapshot" else ("--images", "always", "--insecure-registry", host)
    done = bench.run(*command, *images)
    assert "Traceback" not in done.err
    return f"{done.status} {done.out}{done.err}"


@pytest.mark.parametrize("kind", READERS)
def test_bits_that_fell_over(bench: Workbench, kind: str) -> None:
    draw = random.Random(12)
    assert {path.name for path in bench.cache.iterdir()} - {"new"} == READERS.keys()
    if kind == "images":  # a lock knows what its images hold
        (bench.folder / "pinner.lock").unlink()
    first = run(bench, *READERS[kind])
    wanted = {path: path.read_bytes() for path in sorted(bench.cache.rglob("*")) if path.is_file()}
    own = [path for path in wanted if path.is_relative_to(bench.cache / kind)]
    mended = 0
    for number in range(-len(own), _FLIPS):
        path = own[number % len(own)]
        damaged = bytearray(wanted[path])
        if number < 0:  # first each file without anything
            damaged.clear()
        else:
            at = draw.randrange(len(damaged)) if number % 3 else draw.randrange(min(len(damaged), 200))
            damaged[at] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert run(bench, *READERS[kind]) == first, (path.relative_to(bench.cache), number)
        mended += path.read_bytes() != damaged
        for each, content in wanted.items():
            each.write_bytes(content)
    assert mended  # else nothing has read them
