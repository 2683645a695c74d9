"""Base images that are not read: what their names tell about where packages may come from."""

from __future__ import annotations

import pytest

from pinner.lock.reader import loads
from tests.cli.workbench import Result, Workbench

ASSUMED = "not read and not known"


def lock(bench: Workbench, image: str, *flags: str, words: str = "curl libpq-dev") -> Result:
    bench.archive.suites[0].package("libpq-dev", "15.8")
    bench.write("Dockerfile", f"FROM {image}\nRUN apt-get update && apt-get install -y {words}\n")
    return bench.run("lock", "--platform", "linux/amd64", "--images", "never", *flags)


@pytest.mark.parametrize(
    "image",
    [
        "debian:bookworm",
        "python:3.12-bookworm",
        "docker.io/library/node:20-bookworm",
        "arm64v8/golang:bookworm",
    ],
)
def test_a_plain_image_is_its_distribution(bench: Workbench, image: str) -> None:
    result = lock(bench, image, "--strict")
    assert (result.status, result.err) == (0, "")
    assert "curl=7.88.1-10+deb12u14 libpq-dev=15.8" in bench.read("Dockerfile")


def test_what_an_images_repositories_serve_is_unknown(bench: Workbench) -> None:
    result = lock(bench, "postgres:17-bookworm")
    assert (result.status, result.err) == (0, "")
    assert "curl=7.88.1-10+deb12u14 libpq-dev\n" in bench.read("Dockerfile")
    assert "postgres:17-bookworm is not read, and may hold another repository's packages" in result.out


def test_an_image_that_nothing_is_known_of_is_taken_by_its_name(bench: Workbench) -> None:
    result = lock(bench, "example/app:bookworm")
    assert result.status == 0 and result.err.count(ASSUMED) == 1
    assert "curl=7.88.1-10+deb12u14 libpq-dev=15.8" in bench.read("Dockerfile")
    assert lock(bench, "example/app:bookworm", "--strict").status == 1
    assert bench.run("scan", "--strict").status == 1


def test_one_note_a_file(bench: Workbench) -> None:
    result = lock(bench, "example/app:bookworm\nRUN apt-get install -y jq\nFROM example/other:bookworm")
    assert result.err.count(ASSUMED) == 1
    assert "example/app:bookworm, example/other:bookworm" in result.err


@pytest.mark.parametrize("image", ["postgres:17-bookworm", "example/app:bookworm"])
def test_what_is_not_in_the_suite_may_be_in_the_image(bench: Workbench, image: str) -> None:
    result = lock(bench, image, words="curl app-extras app-server=9.1")
    assert result.status == 0 and "there is no package" not in result.out and "gone" not in result.out
    assert "curl=7.88.1-10+deb12u14 app-extras app-server=9.1\n" in bench.read("Dockerfile")
    result = bench.run("verify", "--images", "never")
    assert "gone" not in result.out and "no package" not in result.out
    bench.run("refresh", "--images", "never")
    assert "app-server=9.1\n" in bench.read("Dockerfile")


@pytest.mark.parametrize("image", ["postgres:17", "example/app:bookworm"])
def test_a_person_who_tells_the_suite_vouches_for_the_image(bench: Workbench, image: str) -> None:
    for flags, comment in ((("--suite", "bookworm"), ""), ((), "# pinner: suite=bookworm\n")):
        bench.write("Dockerfile", f"{comment}FROM {image}\nRUN apt-get install -y curl app-extras\n")
        result = bench.run("lock", "--platform", "linux/amd64", "--images", "never", *flags)
        assert result.status == 1 and ASSUMED not in result.err
        assert "there is no package app-extras" in result.out


def test_a_tag_that_names_its_suite_in_its_own_way(bench: Workbench) -> None:
    assert lock(bench, "mcr.microsoft.com/dotnet/aspnet:8.0").status == 0
    assert {target.closure.suite for target in loads(bench.read("pinner.lock")).targets} == {"bookworm"}
