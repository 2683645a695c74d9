"""Nothing older is believed than what the lock was made from."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from tests.cli.workbench import RELEASED, Workbench, debian

OLDER = RELEASED - timedelta(days=40)


def locked(bench: Workbench) -> None:
    assert bench.run("lock").status == 0
    shutil.rmtree(bench.cache)  # another machine


def go_back(bench: Workbench, version: str = "7.88.1-10+deb12u14") -> None:
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.date = OLDER
    suite.remove("curl").package("curl", version)


@pytest.mark.parametrize("command", ["lock", "refresh", "verify"])
def test_an_older_release_is_refused(command: str, bench: Workbench) -> None:
    locked(bench)
    before = bench.files()
    go_back(bench)
    done = bench.run(command)
    assert done.status == 6, done.err
    assert (
        "http://deb.debian.org/debian bookworm: the Release is of 2024-12-02 09:30 UTC, older than that of 2025-01-11 "
        "09:30 UTC, from which pinner.lock was made\nhint: the mirror lags behind" in done.err
    )
    assert bench.files() == before
    assert bench.run(command, "--allow-older").status == 0


def test_a_newer_release_and_the_same_one(bench: Workbench) -> None:
    locked(bench)
    assert bench.run("verify").status == 0
    for suite in bench.archive.suites:
        suite.date = RELEASED + timedelta(days=1)
    assert bench.run("verify").status == 0


def test_other_suites_are_verified(bench: Workbench) -> None:
    """One that is older takes no other one's result away."""
    debian(bench.archive, "trixie").package("jq", "1.7.1-6")
    bench.write("b.Dockerfile", "FROM debian:trixie\nRUN apt-get install -y jq\n")
    locked(bench)
    go_back(bench)
    done = bench.run("verify", "--json")
    assert done.status == 6
    assert '"jq"' in done.out


def test_refresh_does_not_go_back_by_itself(bench: Workbench) -> None:
    """Where a version is gone and only an older one is left."""
    locked(bench)
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.remove("curl").package("curl", "7.88.1-10+deb12u5")
    suite.date = RELEASED + timedelta(days=1)
    before = bench.files()
    done = bench.run("refresh")
    assert done.status == 4, done.err
    assert "apt would take 7.88.1-10+deb12u5, which is older: --allow-older goes back" in done.out + done.err
    assert bench.files() == before
    assert bench.run("refresh", "--allow-older").status == 0
    assert "curl=7.88.1-10+deb12u5" in bench.read("Dockerfile")


def test_another_suite_in_from_is_a_reason(bench: Workbench) -> None:
    debian(bench.archive, "bullseye").package("curl", "7.74.0-1").package("jq", "1.6-2.1")
    locked(bench)
    bench.write("Dockerfile", bench.read("Dockerfile").replace("bookworm", "bullseye"))
    assert bench.run("refresh").status == 0
    assert "curl=7.74.0-1" in bench.read("Dockerfile")


def test_what_comes_with_a_package_does_not_go_back_either(bench: Workbench) -> None:
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.remove("curl").package("curl", "8", depends="libcurl4").package("libcurl4", "8")
    assert bench.run("lock").status == 0
    suite.remove("libcurl4").package("libcurl4", "7")
    suite.date = RELEASED + timedelta(days=1)
    before = bench.files()
    done = bench.run("refresh")
    assert done.status == 4, done.err
    assert "apt would take 7, which is older" in done.out + done.err
    assert bench.files() == before
    assert bench.run("refresh", "--allow-older").status == 0


def test_another_suite_of_one_stage_hides_no_older_package_of_another(bench: Workbench) -> None:
    debian(bench.archive, "bullseye").package("curl", "7.74.0-1").package("jq", "1.6-2.1")
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.remove("curl").package("curl", "8", depends="libcurl4").package("libcurl4", "8")
    text = bench.read("Dockerfile")
    bench.write("Dockerfile", f"{text}FROM debian:bookworm\nRUN apt-get install -y jq\n")
    assert bench.run("lock").status == 0
    suite.remove("libcurl4").package("libcurl4", "7")
    suite.date = RELEASED + timedelta(days=1)
    first, _, second = bench.read("Dockerfile").rpartition("FROM debian:bookworm")
    bench.write("Dockerfile", f"{first}FROM debian:bullseye{second}")
    before = bench.files()
    done = bench.run("refresh")
    assert (done.status, "libcurl4" in done.out + done.err) == (4, True), done.err
    assert bench.files() == before


@pytest.mark.parametrize(
    ("image", "configuration"),
    [
        ("debian:stable", ""),
        ("ours", '[images]\nours = "stable"\n'),
        ("ours", 'suite = "stable"\n'),
    ],
)
def test_a_name_that_moves_does_not_go_back(bench: Workbench, image: str, configuration: str) -> None:
    """`stable` is trixie in the lock; an old Release of it says bookworm, whose own one is of today."""
    debian(bench.archive, "trixie").package("curl", "8")
    stable = bench.archive.suite("stable", fields={"Codename": "trixie"})
    stable.date = RELEASED
    bench.configure(configuration)
    bench.write("Dockerfile", f"FROM {image}\nRUN apt-get install -y curl\n")
    locked(bench)
    stable.fields["Codename"], stable.date = "bookworm", OLDER
    done = bench.run("refresh")
    assert (done.status, "debian stable: the Release is of 2024-12-02" in done.err) == (6, True), done.err
    assert bench.run("refresh", "--allow-older").status == 0
