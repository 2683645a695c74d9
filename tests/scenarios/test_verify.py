"""`pinner verify` while the archive moves on. `!` marks a security update."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.story import Story

LIVE = {"amd64": "live", "arm64": "live"}


def test_day_0_everything_is_live(story: Story) -> None:
    story.lock()
    result = story.verify()
    assert result.status == 0
    assert result.out == (
        "checked 2 pins and 1 package installed with them for linux/amd64, linux/arm64: 2 live; "
        "dependencies: 1 live\n"
    )
    assert story.standings() == {"curl": LIVE, "jq": LIVE}


def test_a_security_upload_while_the_old_version_is_still_there(story: Story) -> None:
    story.lock()
    story.security.package("jq", "1.6-2+deb12u1")
    assert story.standings()["jq"] == dict.fromkeys(LIVE, "superseded! → 1.6-2+deb12u1")
    result = story.verify()
    assert result.status == 0
    assert result.out.splitlines()[0] == (
        "Dockerfile:2 jq=1.6-2 warning [security]: superseded by 1.6-2+deb12u1 in bookworm-security, a security update"
    )
    assert story.verify("--fail-on", "security").status == 1
    assert story.verify("--fail-on", "superseded").status == 1


def test_an_update_that_is_no_security_matter(story: Story) -> None:
    story.lock()
    story.updates.package("jq", "1.6-2+deb12u1")
    assert story.standings()["jq"] == dict.fromkeys(LIVE, "superseded → 1.6-2+deb12u1")
    assert story.verify("--fail-on", "security").status == 0
    assert story.verify("--fail-on", "superseded").status == 1


def test_a_security_fix_that_a_point_release_took_in_is_still_one(story: Story) -> None:
    story.lock()
    story.security.package("jq", "1.6-2+deb12u1")
    story.main.package("jq", "1.6-2+deb12u2")
    assert story.standings()["jq"] == dict.fromkeys(LIVE, "superseded! → 1.6-2+deb12u2")


def test_a_point_release_drops_the_old_version(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.6-3")
    assert story.standings() == {"curl": LIVE, "jq": dict.fromkeys(LIVE, "gone → 1.6-3")}
    result = story.verify()
    assert result.status == 1
    assert "jq=1.6-2 error [gone]: gone; next is 1.6-3 in bookworm" in result.out


def test_the_nearest_successor_is_named_and_what_apt_would_take(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.6-3")
    story.security.package("jq", "1.6-4")
    assert "gone; next is 1.6-3 in bookworm, a security update; apt would take 1.6-4" in story.verify().out


def test_a_binary_rebuild_on_one_architecture(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.6-2+b1", arch="amd64").package("jq", "1.6-2", arch="arm64")
    assert story.standings()["jq"] == {"amd64": "gone → 1.6-2+b1", "arm64": "live"}
    assert "amd64: gone; next is 1.6-2+b1 in bookworm; arm64: live in bookworm" in story.verify().out


def test_strict_siblings_are_uninstallable(story: Story) -> None:
    story.lock()
    story.security.package("curl", "7.88.1-10+deb12u1", depends="libcurl4 (= 7.88.1-10+deb12u1)")
    story.security.package("libcurl4", "7.88.1-10+deb12u1")
    result = story.verify()
    assert result.status == 1
    assert "curl 7.88.1-10 needs libcurl4 (= 7.88.1-10), but libcurl4 7.88.1-10+deb12u1 is" in result.out
    assert "1 install command uninstallable" in result.out


def test_what_is_brought_along_can_be_gone_too(story: Story) -> None:
    story.dockerfile("php")
    story.main.package("php", "1", depends="libphp").package("libphp", "1")
    story.lock()
    story.main.remove("libphp").package("libphp", "1+b1")
    result = story.verify()
    assert result.status == 1
    assert "libphp=1 error [gone]: gone; next is 1+b1 in bookworm; locked for Dockerfile" in result.out


def test_other_bytes_under_the_same_version(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.6-2", sha256="f" * 64)
    result = story.verify()
    assert result.status == 1
    assert "gone: the archive has another file under the same version" in result.out


def test_security_stops_serving_an_architecture(story: Story) -> None:
    story.lock()
    story.security.architectures = ("amd64",)
    result = story.verify()
    assert result.status == 0
    assert "bookworm-security does not serve arm64: no security update reaches linux/arm64" in result.out


@pytest.mark.parametrize(("pocket", "says"), [("updates", True), ("security", True), ("main", False)])
def test_a_pocket_that_stands_still(story: Story, pocket: str, says: bool) -> None:
    suite = getattr(story, pocket)
    suite.date = datetime.now(UTC) - timedelta(days=30)
    story.lock()
    assert ("has not moved since" in story.verify().out) is says


def test_a_pocket_that_is_expired_is_unknown_and_never_good(story: Story) -> None:
    story.security.date = datetime.now(UTC) - timedelta(days=9)
    story.lock()
    story.security.valid_for = timedelta(days=7)
    result = story.verify()
    assert result.status == 6
    assert "jq=1.6-2 error [unknown]: not checked: " in result.out
    assert "expired on" in result.err


def test_a_dead_network_is_unknown_and_never_good(story: Story) -> None:
    story.lock()
    story.bench.archive.status("*", 404)
    result = story.verify()
    assert result.status == 5
    assert "2 unknown" in result.out


def test_one_suite_that_cannot_be_asked_hides_nothing_about_another(story: Story) -> None:
    trixie = story.bench.archive.suite("trixie").package("apt", "3.0.3").package("tree", "2")
    story.bench.archive.suite("trixie-updates")
    story.bench.archive.suite("trixie-security", path="debian-security")
    story.bench.write("b.Dockerfile", "FROM debian:trixie\nRUN apt-get install -y tree\n")
    story.lock()
    trixie.remove("tree").package("tree", "3")
    story.bench.archive.missing("*/dists/bookworm/*")
    result = story.verify()
    assert result.status == 5
    assert "tree=2 error [gone]: gone; next is 3 in trixie" in result.out


# Files and lock


def test_an_edited_pin(story: Story) -> None:
    story.main.package("jq", "1.6-1")
    story.lock()
    story.dockerfile("curl=7.88.1-10 jq=1.6-1")
    result = story.verify()
    assert result.status == 1
    assert "the file has jq=1.6-1, the lock jq=1.6-2 (amd64, arm64)" in result.out


def test_a_package_that_was_taken_out_and_one_that_came(story: Story) -> None:
    story.lock()
    story.dockerfile("curl=7.88.1-10 apt")
    result = story.verify()
    assert result.status == 1
    assert "the lock has jq=1.6-2, which the file does not ask for" in result.out
    assert "the file asks for apt, which the lock does not know" in result.out


def test_a_file_that_came_and_one_that_went(story: Story) -> None:
    story.dockerfile("jq", "b.Dockerfile")
    story.lock()
    (story.bench.folder / "b.Dockerfile").unlink()
    story.dockerfile("jq=1.6-2", "c.Dockerfile")
    result = story.verify()
    assert result.status == 1
    assert (
        "b.Dockerfile b.Dockerfile error [drift]: the lock knows this file, which is not there" in result.out
    )
    assert "c.Dockerfile:2 c.Dockerfile error [drift]: the lock does not know it" in result.out


def test_a_stage_that_stands_on_another_suite_now(story: Story) -> None:
    story.lock()
    story.bench.archive.suite("trixie").package("apt", "3.0.3").package("curl", "7.88.1-10").package(
        "jq", "1.6-2"
    )
    story.bench.archive.suite("trixie-updates")
    story.bench.archive.suite("trixie-security", path="debian-security")
    story.bench.write("Dockerfile", story.bench.read("Dockerfile").replace("bookworm", "trixie"))
    result = story.verify()
    assert result.status == 1
    assert "the stage is based on trixie, the lock has bookworm" in result.out


def test_the_platforms_are_those_of_the_lock(story: Story) -> None:
    story.main.package("only", "1", arch="amd64")
    story.dockerfile("only")
    story.lock("--platform", "amd64")
    assert story.verify().status == 0
    assert story.standings() == {"only": {"amd64": "live"}}


def test_a_stage_whose_packages_are_there_already_is_locked(story: Story) -> None:
    text = "FROM debian:bookworm AS a\nRUN apt-get install -y curl\nFROM a\nRUN apt-get install -y libcurl4\n"
    story.bench.write("Dockerfile", text)
    story.lock()
    assert story.verify().status == 0


def test_pins_without_a_lock(story: Story) -> None:
    story.dockerfile("jq=1.6-2")
    assert story.verify().status == 0


# What counts


def test_no_pins_is_said(story: Story) -> None:
    result = story.verify()
    assert (result.status, result.out) == (0, "found no pins; 2 packages without one\n")
    assert story.verify("--strict").status == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("jq=$(cat jq)", "a command's output decides it"),
        ("jq={{ version }}", "a template fills it in"),
    ],
)
def test_a_version_that_cannot_be_read_is_unknown(story: Story, words: str, why: str) -> None:
    story.dockerfile(words)
    result = story.verify("Dockerfile")
    assert result.status == 1
    assert f"not checked: {why}" in result.out


def test_a_call_that_is_not_read_with_a_pin_in_it(story: Story) -> None:
    story.bench.write("Dockerfile", 'FROM debian:bookworm\nSHELL ["pwsh"]\nRUN apt-get install -y jq=1.6-2\n')
    result = story.verify()
    assert result.status == 1
    assert "not checked: pwsh runs it, which is not read" in result.out


def test_what_is_to_be_ignored_is_no_pin(story: Story) -> None:
    story.bench.write("Dockerfile", "FROM debian:bookworm\n# pinner: ignore\nRUN apt-get install -y jq=0.1\n")
    assert story.verify("--strict").out == "found no pins\n"


def test_a_suite_that_nobody_told_is_unknown(story: Story) -> None:
    story.bench.write("Dockerfile", "FROM example.org/base\nRUN apt-get install -y jq=1.6-2\n")
    assert story.verify().status == 1
    assert story.verify("--suite", "bookworm").status == 0


def test_a_stage_of_no_known_suite_is_not_taken_for_another_stages(story: Story) -> None:
    text = (
        "FROM debian:bookworm\nRUN apt-get install -y curl\nFROM company/base:7\nRUN apt-get install -y jq\n"
    )
    story.bench.write("Dockerfile", text)
    story.lock()
    assert story.verify().status == 0
    story.lock("--suite", "bookworm")
    result = story.verify()
    assert (result.status, "checked 2 pins" in result.out) == (0, True)


def test_the_archive_is_asked_each_time(story: Story) -> None:
    story.lock()
    story.verify()
    story.bench.archive.requests.clear()
    story.verify()
    assert sorted(story.bench.archive.requests) == [
        "/debian-security/dists/bookworm-security/InRelease",
        "/debian/dists/bookworm-updates/InRelease",
        "/debian/dists/bookworm/InRelease",
    ]


def test_a_package_that_one_platform_does_not_have(story: Story) -> None:
    story.main.package("only", "1", arch="amd64")
    story.dockerfile("only=1")
    assert story.standings() == {"only": {"amd64": "live"}}
    assert story.verify().status == 0
    assert story.verify("--platform", "amd64", "--platform", "arm64").status == 1


# What apt could not install together


@pytest.mark.parametrize("field", ["conflicts", "breaks"])
def test_packages_that_can_be_installed_alone_but_not_together(story: Story, field: str) -> None:
    story.main.package("a", "1", depends="liba").package("liba", "1", **{field: "libb"})
    story.main.package("b", "1", depends="libb").package("libb", "1")
    story.dockerfile("a=1")
    story.bench.write("b.Dockerfile", "FROM debian:bookworm\nRUN apt-get install b=1\n")
    assert story.verify().status == 0
    story.dockerfile("a=1 b=1")
    result = story.verify()
    assert result.status == 1
    assert "1 install command uninstallable" in result.out


def test_packages_that_a_later_call_cannot_bring(story: Story) -> None:
    story.main.package("a", "1").package("b", "1", conflicts="a")
    story.bench.write(
        "Dockerfile", "FROM debian:bookworm\nRUN apt-get install a=1\nRUN apt-get install --no-remove b=1\n"
    )
    story.verify()
    text = (
        "FROM debian:bookworm AS x\nRUN apt-get install a=1\nFROM debian:bookworm\nRUN apt-get install b=1\n"
    )
    story.bench.write("Dockerfile", text)
    assert story.verify().status == 0
