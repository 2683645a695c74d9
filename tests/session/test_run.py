"""Every command sees a stage as `lock` does: the same options, the same images, the same files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.cli.main import run
from pinner.lock.reader import loads
from pinner.lock.schema import Lock
from tests.cli.test_base_images import image
from tests.cli.workbench import Result, Workbench, debian
from tests.images.test_image_archive import archive as saved_archive
from tests.images.test_image_archive import saved
from tests.registry import Registry, serve
from tests.simulator import SimulatedArchive

COMMANDS = (["lock"], ["refresh"], ["verify"], ["why"], ["scan"], ["resolve"], ["snapshot", "find"])
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LISTED = "apt\t2.6.1\ndpkg:amd64\t1.21.22\nlibcurl4:amd64\t7.88\n"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serve(Registry()) as registry:
        registry.put("app:1", image({"apt": "2.6.1"}))
        yield registry


@pytest.fixture
def bench(registry: Registry, tmp_path: Path) -> Iterator[Workbench]:
    """An image whose name tells no suite, and a stage that copies its sources from beside the Dockerfile."""
    archive = SimulatedArchive()
    bookworm = debian(archive, "bookworm").package("curl", "7.88", depends="libcurl4")
    bookworm.package("libcurl4", "7.88").package("steam", "1", component="non-free")
    for suite in archive.suites:
        suite.components.append("non-free")
    (tmp_path / "project").mkdir()
    with archive.serve():
        bench = Workbench(tmp_path / "project", archive, tmp_path)
        bench.write(
            "Dockerfile",
            f"FROM {registry.host}/app:1\nCOPY my.list /etc/apt/sources.list.d/\nRUN apt-get install -y curl steam\n",
        )
        bench.write(
            "my.list", f"deb [signed-by={KEYRING}] http://deb.debian.org/debian bookworm main non-free\n"
        )
        yield bench


def ask(bench: Workbench, registry: Registry, *arguments: str, images: str = "auto") -> Result:
    told = ("--images", images, "--insecure-registry", registry.host, "--platform", "amd64")
    return bench.run(*arguments, *told)


def locked(bench: Workbench) -> Lock:
    return loads(bench.read("pinner.lock"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_options_are_the_same(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    text = capsys.readouterr().out
    for option in (
        "archive",
        "platform",
        "suite",
        "installed",
        "images",
        "image-archive",
        "insecure-registry",
    ):
        assert f"  --{option} " in text


def test_scan_knows_an_image_that_was_read_before_and_asks_nobody(
    bench: Workbench, registry: Registry
) -> None:
    before = ask(bench, registry, "scan")
    assert "the image " in before.out and "does not name a suite" in before.out
    assert (registry.log, bench.archive.requests) == ([], [])
    ask(bench, registry, "lock", "--dry-run")
    registry.log.clear()
    bench.archive.requests.clear()
    after = ask(bench, registry, "scan")
    assert "app:1, bookworm)" in after.out
    assert "3:24  curl  pin\n  3:29  steam  pin\n" in after.out
    assert (registry.log, bench.archive.requests) == ([], [])
    assert "suite unknown" in ask(bench, registry, "scan", images="never").out


def test_scan_fails_where_an_image_must_be_known(bench: Workbench, registry: Registry) -> None:
    result = ask(bench, registry, "scan", images="always")
    assert (result.status, registry.log) == (5, [])
    assert "not in the cache" in result.err


def test_scan_reads_an_archive(bench: Workbench, registry: Registry, tmp_path: Path) -> None:
    path = saved_archive(tmp_path, saved(image({"apt": "2.6.1"}, packing="plain")))
    assert ", bookworm)" in ask(bench, registry, "scan", "--image-archive", str(path)).out
    assert registry.log == []


@pytest.mark.parametrize("command", ["lock", "scan"])
def test_archives_are_read_where_no_registry_may_be_asked(
    bench: Workbench, registry: Registry, tmp_path: Path, command: str
) -> None:
    path = saved_archive(tmp_path, saved(image({"apt": "2.6.1"}, packing="plain")))
    result = ask(bench, registry, command, "--image-archive", str(path), images="never")
    assert ("suite-unknown" in result.out, registry.log) == (False, [])


def test_refresh_and_verify_see_the_image_and_the_copied_sources(
    bench: Workbench, registry: Registry
) -> None:
    assert ask(bench, registry, "refresh", "--add").status == 0
    assert "curl=7.88 steam=1" in bench.read("Dockerfile")
    assert ask(bench, registry, "verify").status == 0
    text = bench.read("pinner.lock")
    assert (ask(bench, registry, "lock").status, bench.read("pinner.lock")) == (0, text)


def test_refresh_starts_from_what_it_is_told_to_be_installed(bench: Workbench, registry: Registry) -> None:
    bench.write("base.list", LISTED)
    ask(bench, registry, "lock", "--installed", "base.list")
    text = bench.read("pinner.lock")
    assert "libcurl4" not in text
    assert ask(bench, registry, "refresh", "--installed", "base.list").status == 0
    assert bench.read("pinner.lock") == text
    ask(bench, registry, "refresh")
    assert "libcurl4" in bench.read("pinner.lock")


def test_each_project_is_asked_for_at_its_own_mirrors(bench: Workbench, registry: Registry) -> None:
    other = bench.read("pinner.toml")
    bench.write("other/pinner.toml", other)
    bench.write("other/Dockerfile", bench.read("Dockerfile"))
    bench.write("other/my.list", bench.read("my.list"))
    ask(bench, registry, "lock")
    bench.archive.requests.clear()
    bench.write("pinner.toml", '[mirrors]\n"http://deb.debian.org" = "http://127.0.0.1:9"\n')
    result = ask(bench, registry, "verify", "Dockerfile", "other/Dockerfile")
    assert ": 2 live, 2 unknown;" in result.out
    assert bench.archive.requests


def test_resolve_in_a_base_image(bench: Workbench, registry: Registry, tmp_path: Path) -> None:
    asked = ask(bench, registry, "resolve", "--from", f"{registry.host}/app:1", "curl")
    assert asked.status == 0
    assert "libcurl4" in asked.out
    path = saved_archive(tmp_path, saved(image({"apt": "2.6.1", "libcurl4": "7.88"}, packing="plain")))
    asked = ask(bench, registry, "resolve", "--from", "any", "--image-archive", str(path), "curl")
    assert (asked.status, "libcurl4" in asked.out) == (0, False)
    told = ask(bench, registry, "resolve", "curl")
    assert (told.status, "--from" in told.err) == (2, True)
    assert ask(bench, registry, "resolve", "--from", "a b", "curl").status == 2
