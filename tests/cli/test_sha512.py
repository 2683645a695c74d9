"""An archive that states SHA-512 alone, as Ubuntu 26.10 does: what is locked, fetched and listed goes by that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha512
from pathlib import Path

import pytest

from pinner.lock.reader import loads
from tests.cli.workbench import Workbench
from tests.simulator import SimulatedArchive


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    archive = SimulatedArchive()
    for name in ("bookworm", "bookworm-updates", "bookworm-security"):
        suite = archive.suite(name, path="debian-security" if "security" in name else "debian")
        suite.hashes = ("SHA512",)
    archive.suites[0].deb("curl", "8.20.0-2").package("apt", "2.6.1")
    folder = tmp_path / "project"
    folder.mkdir()
    with archive.serve():
        bench = Workbench(folder, archive, tmp_path)
        bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
        assert bench.run("lock", "--platform", "amd64").status == 0
        yield bench


def test_the_lock(bench: Workbench) -> None:
    (package,) = loads(bench.read("pinner.lock")).packages
    content = next(body for path, body in bench.archive.pool.items() if "amd64" in path)
    assert package.digest == sha512(content).hexdigest()
    assert f'digest = "{package.digest}"' in bench.read("pinner.lock")
    assert bench.run("verify", "--platform", "amd64").status == 0


def test_another_file_is_not_taken(bench: Workbench, tmp_path: Path) -> None:
    assert bench.run("download", str(tmp_path / "good")).status == 0
    packages = next((tmp_path / "good").rglob("Packages")).read_text()
    assert "\nSHA512: " in packages
    assert "\nSHA256: " not in packages
    for path, body in bench.archive.pool.items():
        bench.archive.pool[path] = b"!" + body[1:]
    result = bench.run("download", str(tmp_path / "bad"))
    assert (result.status, "SHA-512" in result.err) == (6, True)


def test_the_bill(bench: Workbench) -> None:
    pytest.importorskip("cyclonedx")
    result = bench.run("export", "sbom")
    assert result.status == 0, result
    bom = json.loads(result.out)
    assert [each["alg"] for part in bom["components"] for each in part.get("hashes", [])] == ["SHA-512"]
    bom = json.loads(bench.run("export", "sbom", "--format", "spdx").out)
    assert {each["algorithm"] for part in bom["packages"] for each in part.get("checksums", [])} == {"SHA512"}
