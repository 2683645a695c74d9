"""Repositories that the catalogue knows: their keys come from their owners, and count by their fingerprints alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinner.distributions import repositories, tables
from pinner.lock.reader import loads
from pinner.lock.schema import LockedKey
from tests.cli.workbench import RELEASED, Result, Workbench, debian
from tests.simulator import Key, SimulatedArchive

URI, URL = "https://apt.vendor.example/debian", "https://vendor.example/key.asc"
RING = "/usr/share/keyrings/vendor.gpg"
ADDED = f'RUN echo "deb [signed-by={RING}] {URI} bookworm main" > /etc/apt/sources.list.d/vendor.list'
INSTALL = "RUN apt-get update && apt-get install -y tool curl"
Catalogue = Callable[..., None]


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    debian(archive, "bookworm").package("curl", "7.88").package("tool", "1.0")
    vendor = archive.suite("bookworm", path="vendor").deb("tool", "2.0")
    vendor.signers, vendor.date = [Key("Vendor")], RELEASED
    archive.pool["/keys/key.asc"] = bytes(vendor.signers[0].certificate)
    with archive.serve():
        yield archive


@pytest.fixture
def bench(archive: SimulatedArchive, tmp_path: Path) -> Workbench:
    (tmp_path / "project").mkdir()
    bench = Workbench(tmp_path / "project", archive, tmp_path)
    mirrors = archive.mirrors | {
        URI: f"{archive.url}/vendor",
        "https://vendor.example": f"{archive.url}/keys",
    }
    lines = "".join(f'"{official}" = "{here}"\n' for official, here in mirrors.items())
    bench.write("pinner.toml", f'platforms = ["linux/amd64"]\n[mirrors]\n{lines}')
    return bench


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    """Writes the catalogue of repositories that holds for the test: the vendor's alone."""
    folder = Path(tables.__file__).parent
    caches = (tables.rows, repositories._index, repositories._by_name)

    def write(*fingerprints: str, **fields: object) -> None:
        row = {
            "name": "vendor",
            "uris": [URI.partition("://")[2]],
            "suites": ["CODENAME"],
            "keys": [URL],
            "fingerprints": fingerprints,
            **fields,
        }
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in row.items())
        (tmp_path / "repositories.toml").write_text(f"[[repository]]\n{lines}", encoding="utf-8")
        for each in caches:
            each.cache_clear()

    for name in ("programs.toml", "images.toml"):
        shutil.copy(folder / name, tmp_path)
    monkeypatch.setattr(tables, "__file__", str(tmp_path / "tables.py"))
    yield write
    monkeypatch.undo()
    for each in caches:
        each.cache_clear()


def vendor(archive: SimulatedArchive) -> Key:
    return archive.suites[-1].signers[0]


def lock(bench: Workbench, *lines: str, flags: tuple[str, ...] = ()) -> Result:
    bench.write("Dockerfile", "\n".join(("FROM debian:bookworm", *lines, "")))
    return bench.run("lock", *flags)


def test_neither_configuration_nor_trust_on_first_use(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue
) -> None:
    catalogue("0" * 40, vendor(archive).fingerprint)
    result = lock(bench, ADDED, INSTALL)
    assert (result.status, result.err) == (0, "")
    assert "tool=2.0 curl=7.88" in bench.read("Dockerfile")
    (key,) = loads(bench.read("pinner.lock")).keys
    assert key == LockedKey(URI, URL, (vendor(archive).fingerprint,))
    assert bench.run("verify").status == 0
    assert bench.run("export", "--format", "packages").status in (0, 2)
    assert bench.run("scan", "--strict").status == 0


def test_what_else_is_in_the_key_file_signs_nothing(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue
) -> None:
    right, other = vendor(archive), Key("Somebody else")
    archive.pool["/keys/key.asc"] = bytes(right.certificate) + bytes(other.certificate)
    catalogue(right.fingerprint)
    archive.suites[-1].signers = [other]
    result = lock(bench, ADDED, INSTALL)
    assert result.status == 6 and "not signed by a key of" in result.err
    archive.suites[-1].signers = [right]
    assert lock(bench, ADDED, INSTALL).status == 0
    (key,) = loads(bench.read("pinner.lock")).keys
    assert key.fingerprints == (right.fingerprint,)


def test_a_fingerprint_that_has_changed_is_refused_with_both(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue
) -> None:
    catalogue("0" * 40)
    result = lock(bench, ADDED, INSTALL)
    assert result.status == 6
    assert vendor(archive).fingerprint in result.err and "0" * 40 in result.err
    catalogue("0" * 40, retired=[vendor(archive).fingerprint])
    assert "withdrawn" in lock(bench, ADDED, INSTALL).err
    # First use is not asked for either; the configuration is the way out.
    assert lock(bench, ADDED, INSTALL, flags=("--trust-new-keys",)).status == 6
    bench.write("vendor.pgp", bytes(vendor(archive).certificate))
    config = bench.read("pinner.toml")
    bench.write("pinner.toml", f'{config}[[source]]\nuri = "{URI}"\nkey = "vendor.pgp"\n')
    assert lock(bench, ADDED, INSTALL).status == 0


def test_the_address_in_the_file_serves_where_the_owners_does_not(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue
) -> None:
    catalogue(vendor(archive).fingerprint, keys=["https://vendor.example/moved.asc"])
    fetched = f"RUN curl -fsSL {URL} | gpg --dearmor -o {RING}"
    result = lock(bench, fetched, ADDED, INSTALL)
    assert (result.status, result.err) == (0, "")
    archive.pool["/keys/key.asc"] = bytes(Key("Somebody else").certificate)
    result = lock(bench, fetched, ADDED, INSTALL.replace("curl", "tool"))
    assert result.status == 6 and vendor(archive).fingerprint in result.err


def test_an_owner_that_does_not_answer_costs_the_words_that_it_may_serve(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue
) -> None:
    catalogue(vendor(archive).fingerprint, serves=["tool*"])
    archive.status("*/key.asc", 503)
    result = lock(bench, ADDED, INSTALL)
    assert result.status == 5 and "HTTP status 503" in result.err
    assert "install -y tool curl=7.88" in bench.read("Dockerfile")
    assert "whose key could not be fetched" in result.out
    result = bench.run("refresh")
    assert result.status == 5 and "HTTP status 503" in result.err


@pytest.mark.parametrize("flags", [(), ("--trust-new-keys",)])
def test_a_repository_that_does_not_answer_costs_the_words_that_it_may_serve(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue, flags: tuple[str, ...]
) -> None:
    catalogue(vendor(archive).fingerprint, serves=["tool*"])
    archive.status("/vendor/*/InRelease", 503)
    result = lock(bench, ADDED, INSTALL, flags=flags)
    assert result.status == 5 and "HTTP status 503" in result.err
    assert "install -y tool curl=7.88" in bench.read("Dockerfile")
    assert "which does not answer" in result.out


def test_where_many_share_a_key_only_the_rows_own_address_counts(
    bench: Workbench, archive: SimulatedArchive, catalogue: Catalogue
) -> None:
    catalogue(vendor(archive).fingerprint, shared=True)
    result = lock(bench, ADDED.replace("https://", "http://"), INSTALL)
    assert (result.status, result.err) == (0, "")
    assert f'"{URI}"' in bench.read("pinner.lock") and "http://apt.vendor" not in bench.read("pinner.lock")
    result = lock(bench, ADDED.replace("apt.vendor", "mirror.vendor"), INSTALL)
    assert "tool curl" in bench.read("Dockerfile")


@pytest.mark.parametrize("place", ["/etc/apt/keyrings/vendor.gpg", "/etc/apt/trusted.gpg.d/vendor.gpg", RING])
def test_a_key_of_the_build_context_wherever_it_is_copied_to(
    bench: Workbench, archive: SimulatedArchive, place: str
) -> None:
    bench.write("vendor.gpg", bytes(vendor(archive).certificate))
    for target in (place, place.rpartition("/")[0] + "/"):
        added = ADDED.replace(RING, place)
        if "trusted" in place:
            added = ADDED.replace(f"[signed-by={RING}] ", "")
        result = lock(bench, f"COPY vendor.gpg {target}", added, INSTALL)
        assert (result.status, result.err) == (0, "")
        assert "tool=2.0" in bench.read("Dockerfile")
