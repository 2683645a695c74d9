"""`pinner refresh` while the archive moves on: it corrects what `verify` complains about, and explains itself."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from datetime import timedelta

import pytest

from tests.scenarios.story import Story

KILLER = """
import os, signal, sys
left = {left}
def hook(event, arguments):
    global left
    if event in ("open", "os.chmod", "os.rename", "os.remove") and ".pinner" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


def point_release(story: Story) -> None:
    """Both pins are gone, with strict siblings."""
    story.main.remove("curl").remove("libcurl4").remove("jq")
    story.main.package("curl", "7.88.1-11", depends="libcurl4 (= 7.88.1-11)").package("libcurl4", "7.88.1-11")
    story.main.package("jq", "1.7-1")


def test_day_0_there_is_nothing_to_do(story: Story) -> None:
    story.lock()
    before = story.bench.files()
    result = story.bench.run("refresh")
    assert (result.status, result.out) == (0, "nothing to refresh: 2 pins as apt would take them\n")
    assert story.bench.run("refresh", "--check").status == 0
    assert story.bench.files() == before


def test_a_point_release_is_healed_and_verifies(story: Story) -> None:
    story.lock()
    point_release(story)
    assert story.verify().status == 1
    result = story.bench.run("refresh")
    assert result.status == 0
    assert result.out == (
        "Dockerfile:2  curl 7.88.1-10 → 7.88.1-11  the old one is gone, update within the upstream version\n"
        "Dockerfile:2  jq 1.6-2 → 1.7-1            the old one is gone, another upstream version\n"
        "refreshed 2 packages and 1 package installed with them; wrote Dockerfile, pinner.lock\n"
    )
    assert story.words() == "curl=7.88.1-11 jq=1.7-1"
    assert story.verify().status == 0
    before = story.bench.files()
    assert story.bench.run("refresh").out.startswith("nothing to refresh")
    assert story.bench.files() == before


def test_a_security_upload(story: Story) -> None:
    story.lock()
    story.security.package("jq", "1.6-2+deb12u1")
    (change,) = story.data("refresh")["changes"]
    assert (change["name"], change["old"], change["new"]) == ("jq", "1.6-2", "1.6-2+deb12u1")
    assert (change["pocket"], change["security"], change["kind"]) == ("bookworm-security", True, "revision")
    assert story.words() == "curl=7.88.1-10 jq=1.6-2+deb12u1"


def test_a_binary_rebuild_on_one_architecture(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.6-2+b1", arch="amd64").package("jq", "1.6-2", arch="arm64")
    (change,) = story.data("refresh")["changes"]
    assert (change["new"], change["kind"]) == ("1.6-2*", "rebuild")
    assert story.words() == 'curl=7.88.1-10 jq="1.6-2*"'
    assert story.verify().status == 0
    # and back: the glob keeps its shape while it selects the candidate
    story.main.remove("jq").package("jq", "1.6-2+b1")
    assert story.bench.run("refresh").status == 0
    assert story.words() == 'curl=7.88.1-10 jq="1.6-2*"'
    assert story.verify().status == 0


def test_what_is_brought_along_moves_with_the_lock_alone(story: Story) -> None:
    story.dockerfile("php")
    story.main.package("php", "1", depends="libphp").package("libphp", "1")
    story.lock()
    story.main.remove("libphp").package("libphp", "1+b1")
    result = story.bench.run("refresh", "--verbose")
    assert result.out == (
        "dependencies: libphp 1 → 1+b1 (amd64, arm64)\n"
        "refreshed 0 packages and 1 package installed with them; wrote pinner.lock\n"
    )
    assert story.verify().status == 0


# Which pins


def test_only_what_is_gone(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.7-1")
    story.security.package("curl", "7.88.1-11", depends="libcurl4").package("libcurl4", "7.88.1-10")
    assert story.bench.run("refresh", "--only", "gone").status == 0
    assert story.words() == "curl=7.88.1-10 jq=1.7-1"


def test_only_security(story: Story) -> None:
    story.main.package("tree", "1")
    story.dockerfile("tree jq")
    story.lock()
    story.updates.package("tree", "2")
    story.security.package("jq", "1.6-3")
    assert story.bench.run("refresh", "--only", "security").status == 0
    assert story.words() == "tree=1 jq=1.6-3"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--package", "jq"), "tree=1 jq=1.6-3"),
        (("--package", "tr*"), "tree=2 jq=1.6-2"),
        (("--exclude", "jq"), "tree=2 jq=1.6-2"),
        (("--package", "jq", "--exclude", "j*"), "tree=1 jq=1.6-2"),
    ],
)
def test_by_name(story: Story, flags: tuple[str, ...], words: str) -> None:
    story.main.package("tree", "1")
    story.dockerfile("tree jq")
    story.lock()
    story.main.package("tree", "2").package("jq", "1.6-3")
    result = story.bench.run("refresh", *flags)
    assert (result.status, story.words()) == (0, words)


def test_a_name_that_no_file_has_is_a_slip(story: Story) -> None:
    story.lock()
    point_release(story)
    result = story.bench.run("refresh", "--package", "crul", "--package", "jq")
    assert result.status == 1
    assert "--package crul: no install command here names such a package" in result.err
    assert story.words() == "curl=7.88.1-10 jq=1.7-1"
    assert "not moved [excluded]: it is left out by name" in result.out


def test_what_is_gone_and_left_out_is_told(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.7-1")
    assert story.bench.run("refresh", "--exclude", "jq").status == 1
    assert story.words() == "curl=7.88.1-10 jq=1.6-2"


def test_unpinned_words_only_if_asked(story: Story) -> None:
    story.dockerfile("curl jq=1.6-1")
    story.main.remove("jq").package("jq", "1.6-2")
    assert story.bench.run("refresh").status == 0
    assert story.words() == "curl jq=1.6-2"
    assert story.bench.run("refresh", "--add").status == 0
    assert story.words() == "curl=7.88.1-10 jq=1.6-2"


def test_a_version_above_the_candidate_is_meant(story: Story) -> None:
    backports = story.bench.archive.suite(
        "bookworm-backports", fields={"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    )
    backports.package("jq", "2.0-1~bpo12+1")
    story.bench.write(
        "Dockerfile", "FROM debian:bookworm-backports\nRUN apt-get install -y jq=2.0-1~bpo12+1\n"
    )
    assert story.bench.run("refresh").out.startswith("nothing to refresh")


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ('"jq=1.6-2"', '"jq=1.6-3"'),
        ("jq='1.6-2'", "jq='1.6-3'"),
        ("jq:amd64=1.6-2 jq=1.6-2", "jq:amd64=1.6-3 jq=1.6-3"),
        ("jq=1.6-2 # jq=1.6-2", "jq=1.6-3 # jq=1.6-2"),
        ('jq="1.6-2*"', 'jq="1.6-3"'),
        ('jq="1.6-*"', 'jq="1.6-*"'),
    ],
)
def test_the_version_alone_is_replaced(story: Story, words: str, after: str) -> None:
    story.main.package("jq", "1.6-3")
    story.dockerfile(words)
    story.bench.run("refresh")
    assert story.words() == after


VARIABLE = "FROM debian:bookworm\nARG JQ=1.6-2\nRUN apt-get install -y jq=$JQ {}\n"


def test_a_version_in_a_variable_moves_there(story: Story) -> None:
    story.bench.write("Dockerfile", VARIABLE.format("curl"))
    story.lock()
    point_release(story)
    assert story.bench.run("refresh").status == 0
    assert story.bench.read("Dockerfile") == VARIABLE.replace("1.6-2", "1.7-1").format("curl=7.88.1-11")
    assert story.verify().status == 0


def test_words_that_share_a_variable_move_together_or_not_at_all(story: Story) -> None:
    story.main.package("libjq1", "1.6-2")
    story.bench.write("Dockerfile", VARIABLE.format("libjq1=$JQ"))
    story.lock()
    story.main.package("jq", "1.7-1")
    before = story.bench.files()
    result = story.bench.run("refresh")
    assert result.status == 4
    assert (
        "cannot move [together]: its version is in the same place as that of jq, which moves to 1.7-1"
        in result.out
    )
    assert story.bench.files() == before
    story.main.package("libjq1", "1.7-1")
    assert story.bench.run("refresh", "--exclude", "libjq1").status == 4
    assert story.bench.run("refresh").status == 0
    assert story.bench.read("Dockerfile") == VARIABLE.replace("1.6-2", "1.7-1").format("libjq1=$JQ")


# Age


def test_a_candidate_must_have_been_there_for_a_while(story: Story) -> None:
    now = story.bench.archive.now
    story.security.date = now - timedelta(hours=3)
    story.lock()
    story.security.date = now - timedelta(hours=2)
    story.security.package("jq", "1.6-3")
    result = story.bench.run("refresh", "--min-age", "3h")
    assert "not moved [min-age]: the new version was first seen on" in result.out
    assert story.words() == "curl=7.88.1-10 jq=1.6-2"
    # signed anew, but the cache remembers the version
    story.security.date = now
    assert story.bench.run("refresh", "--min-age", "3h").out.startswith("Dockerfile:2  jq=1.6-2  not moved")
    assert story.bench.run("refresh", "--min-age", "1h").status == 0
    assert story.words() == "curl=7.88.1-10 jq=1.6-3"


def test_a_pin_that_is_gone_does_not_wait(story: Story) -> None:
    story.lock()
    story.main.remove("jq").package("jq", "1.7-1")
    assert story.bench.run("refresh", "--min-age", "30d").status == 0
    assert story.words() == "curl=7.88.1-10 jq=1.7-1"


def test_a_young_lock_needs_no_network(story: Story) -> None:
    story.lock()
    point_release(story)
    story.bench.archive.requests.clear()
    result = story.bench.run("refresh", "--if-older-than", "7d")
    assert (result.status, result.out) == (0, "")
    assert "nothing done" in result.err
    assert story.bench.archive.requests == []
    assert story.bench.run("refresh", "--if-older-than", "30m").out.startswith("Dockerfile:2")


# One that cannot move stops no other


def test_a_pin_that_cannot_be_saved_stops_its_command_alone(story: Story) -> None:
    story.bench.write(
        "Dockerfile",
        "FROM debian:bookworm\nRUN apt-get install -y curl jq\n"
        "FROM debian:bookworm AS other\nRUN apt-get install -y jq\n",
    )
    story.dockerfile("jq", "b.Dockerfile")
    story.lock()
    story.main.package("jq", "1.7-1")
    story.main.remove("curl").package("curl", "8-1", arch="amd64").package("curl", "9-1", arch="arm64")
    before = story.bench.files()
    result = story.bench.run("refresh", "--atomic", "--summary", "s.md")
    assert result.status == 4
    assert result.out.endswith("nothing was written: --atomic, and something cannot be refreshed\n")
    assert "Nothing was written" in story.bench.read("s.md")
    (story.bench.folder / "s.md").unlink()
    assert story.bench.files() == before
    result = story.bench.run("refresh", "--summary", "s.md")
    assert result.status == 4
    assert (
        "Dockerfile:2             curl=7.88.1-10    cannot move [platforms-differ]: the platforms differ: "
        in result.out
    )
    assert result.out.endswith(
        "refreshed 1 package, 1 cannot move; wrote Dockerfile, b.Dockerfile, pinner.lock\n"
    )
    assert story.words("b.Dockerfile") == "jq=1.7-1"
    text = story.bench.read("Dockerfile")
    assert ("curl=7.88.1-10 jq=1.6-2" in text, "install -y jq=1.7-1" in text) == (True, True)
    assert "- `curl=7.88.1-10` in `Dockerfile:2`" in story.bench.read("s.md")
    # what the lock knows of the command that cannot be carried out stays, and says so
    lock = story.bench.read("pinner.lock")
    assert ("curl:amd64=7.88.1-10" in lock, 'kind = "command"' in lock) == (True, True)
    assert story.bench.run("lock", "--check").status == 1  # curl is gone; nothing else is said of it
    assert story.bench.run("refresh").out.endswith("nothing was refreshed\n")


def test_a_command_that_apt_could_not_carry_out_after_it_stays(story: Story) -> None:
    story.dockerfile("curl libcurl4 jq")
    story.dockerfile("jq", "b.Dockerfile")
    story.lock()
    point_release(story)
    story.main.package("libcurl4", "7.88.1-10")
    result = story.bench.run("refresh", "--exclude", "libcurl4")
    assert result.status == 4
    assert (
        "cannot move [uninstallable]: apt could not install the line: curl 7.88.1-11 needs libcurl4 (= 7.88.1-11)"
        in result.out
    )
    assert story.words() == "curl=7.88.1-10 libcurl4=7.88.1-10 jq=1.6-2"
    assert story.words("b.Dockerfile") == "jq=1.7-1"


CURL, LIB, TOGETHER = "curl=7.88.1-10", "libcurl4=7.88.1-10", "curl=7.88.1-11"
PLUGIN = "curl-plugin=1"


@pytest.mark.parametrize(
    ("stages", "moved", "stops"),
    [
        # a later command would have to go back, which apt-get -y refuses: the one that causes it stays, others move
        (["", "curl", "libcurl4", "jq"], [CURL, LIB, "jq=1.7-1"], "3: line 4"),
        (["", "jq", "curl", "libcurl4"], ["jq=1.7-1", CURL, LIB], "4: line 5"),
        (["", "curl", "libcurl4 jq"], [CURL, f"{LIB} jq=1.7-1"], "3: line 4"),
        (["", "curl jq", "libcurl4"], [f"{CURL} jq=1.6-2", LIB], "3: line 4"),
        ([" AS a", "curl", "FROM a", "libcurl4", "jq"], [CURL, LIB, "jq=1.7-1"], "3: line 5"),
        # an earlier one is passed by
        (["", "libcurl4", "curl"], [LIB, TOGETHER], ""),
        # another stage knows nothing of it
        ([" AS a", "curl", "FROM debian:bookworm", "libcurl4"], [TOGETHER, LIB], ""),
    ],
)
def test_a_move_that_another_command_of_the_stage_could_not_follow(
    story: Story, stages: list[str], moved: list[str], stops: str
) -> None:
    story.main.package("libcurl4", "7.88.1-10")
    body = [each if each.startswith("FROM") else f"RUN apt-get install -y {each}" for each in stages[1:]]
    story.bench.write("Dockerfile", "\n".join([f"FROM debian:bookworm{stages[0]}", "RUN :", *body, ""]))
    story.lock()
    assert story.verify().status == 0
    point_release(story)
    story.main.package("libcurl4", "7.88.1-10")
    result = story.bench.run("refresh", "--exclude", "libcurl4")
    assert re.findall("install -y (.*)", story.bench.read("Dockerfile")) == moved
    place, _, line = stops.partition(": ")
    assert result.status == (4 if stops else 0)
    assert (
        f"Dockerfile:{place}" in result.out
        and f"could not install {line} any more: apt would have" in result.out
    ) is bool(stops)
    assert "does not fit together" not in story.verify().out


@pytest.mark.parametrize(
    ("lines", "moved", "says"),
    [
        # the plugin has no version yet that fits: the newer curl would make apt remove it
        (
            ["curl-plugin", "curl", "jq"],
            [PLUGIN, CURL, "jq=1.7-1"],
            "[removes]: apt would remove curl-plugin, which is",
        ),
        (["curl-plugin jq", "curl"], [f"{PLUGIN} jq=1.7-1", CURL], "[removes]"),
        # in one command apt finds no solution; a package that is only a dependency may go
        (["curl-plugin curl", "jq"], [f"{PLUGIN} {CURL}", "jq=1.7-1"], "[uninstallable]"),
        (["wants-plugin", "curl"], ["wants-plugin=1", TOGETHER], ""),
        # so it was before, or the file says so
        (["old-jq", "jq"], ["old-jq=1", "jq=1.7-1"], ""),
        (["curl-plugin", "curl curl-plugin-"], [PLUGIN, f"{TOGETHER} curl-plugin-"], ""),
    ],
)
def test_a_move_that_makes_apt_remove_what_is_asked_for(
    story: Story, lines: list[str], moved: list[str], says: str
) -> None:
    story.main.package("curl-plugin", "1").package("old-jq", "1").package(
        "wants-plugin", "1", recommends="nosuch"
    )
    story.main.package("jq", "1.6-2", conflicts="old-jq")
    body = "".join(f"RUN apt-get install -y {each}\n" for each in lines)
    story.bench.write("Dockerfile", f"FROM debian:bookworm\n{body}")
    story.lock()
    point_release(story)
    story.main.remove("curl").package("jq", "1.7-1", conflicts="old-jq")
    story.main.package("curl", "7.88.1-11", depends="libcurl4 (= 7.88.1-11)", breaks="curl-plugin (<= 1)")
    result = story.bench.run("refresh")
    assert re.findall("install -y (.*)", story.bench.read("Dockerfile")) == moved, result
    assert (result.status, says in result.out) == (4 if says else 0, True), result


def test_a_package_that_does_not_exist_is_a_fault_for_every_command(story: Story) -> None:
    story.dockerfile("jq nosuch")
    assert story.bench.run("lock").status == 1
    for arguments in (["refresh", "--add"], ["refresh"], ["verify"], ["lock"]):
        result = story.bench.run(*arguments)
        assert (result.status, "there is no package nosuch" in result.out) == (1, True), arguments


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("apt-get instal -y jq", "apt-get has no command instal; did you mean install?"),
        ("apt updat && apt-get install -y jq=1.6-2", "apt has no command updat; did you mean update?"),
        ("apt-get -y -o A::B=c autoremov", "apt-get has no command autoremov; did you mean autoremove?"),
        ("apt-get moo && apt-get source jq && apt-get -v && aptitude searc jq && apt $X", ""),
    ],
)
def test_a_command_that_apt_does_not_have(story: Story, line: str, meant: str) -> None:
    story.bench.write("Dockerfile", f"FROM debian:bookworm\nRUN {line}\n")
    for command in ("lock", "verify"):
        result = story.bench.run(command)
        assert (result.status, "has no command" in result.out) == (int(bool(meant)), bool(meant)), result
        assert meant in result.out


def test_what_the_lock_does_not_know_is_said(story: Story) -> None:
    story.dockerfile("jq nosuch $FOO")
    story.bench.run("lock")
    out = story.verify().out
    assert "the lock is incomplete: $FOO: the value of FOO is not known here" in out
    assert "the lock is incomplete: apt-get install jq=1.6-2 nosuch $FOO: there is no package nosuch" in out


def test_what_was_looked_at_is_said(story: Story) -> None:
    story.lock()
    assert story.bench.run("refresh", "--rescue").out == "nothing to rescue: no pin is gone in 1 file\n"
    for command in ("lock", "refresh", "verify", "scan"):
        result = story.bench.run(command, "--kind", "gitlab")
        assert (result.status, "no file of the kind gitlab" in result.err) == (3, True)


def test_a_suite_that_does_not_answer_stops_its_files_alone(story: Story) -> None:
    trixie = story.bench.archive.suite("trixie").package("apt", "3.0").package("jq", "2-1")
    for pocket, path in (("-updates", "debian"), ("-security", "debian-security")):
        story.bench.archive.suite(f"trixie{pocket}", path=path)
    story.bench.write("b.Dockerfile", "FROM debian:trixie\nRUN apt-get install -y jq\n")
    story.lock()
    locked = [line for line in story.bench.read("pinner.lock").splitlines() if "=2-1" in line]
    point_release(story)
    trixie.package("jq", "2-2")
    story.bench.archive.missing("*/dists/trixie/*")
    result = story.bench.run("refresh")
    assert result.status == 5
    assert re.search(r"b\.Dockerfile:2 +apt-get install +cannot move \[unreachable\]: .*trixie", result.out)
    assert "error: " in result.err
    assert story.words() == "curl=7.88.1-11 jq=1.7-1"
    assert story.words("b.Dockerfile") == "jq=2-1"
    lock = story.bench.read("pinner.lock")
    assert locked and all(line in lock for line in locked)
    story.bench.archive.behave()
    assert story.bench.run("refresh").status == 0
    assert story.verify().status == 0


def test_a_pin_behind_a_repository_that_is_not_read_is_named(story: Story) -> None:
    story.bench.write(
        "Dockerfile",
        "FROM debian:bookworm\n"
        "RUN echo 'deb https://repo.example.org/apt bookworm main' > /etc/apt/sources.list.d/x.list\n"
        "RUN apt-get update && apt-get install -y jq=1.5-1\n",
    )
    result = story.bench.run("refresh")
    assert result.status == 0
    assert result.out.startswith(
        "Dockerfile:3  jq=1.5-1  not moved [other-repository]: line 2 changes where apt"
    )


def test_what_the_lock_has_from_an_archive_that_is_read_is_gone_from_there(story: Story) -> None:
    """Though a file that is sourced before may have added another archive, the version that is locked was here."""
    text = "FROM debian:bookworm\nRUN apt-get update && . /etc/app/envvars && apt-get install -y jq\n"
    story.bench.write("Dockerfile", text)
    story.lock()
    assert story.words() == "jq=1.6-2"
    point_release(story)
    gone = story.verify()
    assert gone.status == 1 and "jq=1.6-2 error [gone]: gone" in gone.out
    assert story.bench.run("refresh").status == 0
    assert story.words() == "jq=1.7-1"
    story.bench.write("Dockerfile", text.replace("jq", "jq=1.5-1"))  # it may be from elsewhere
    assert story.bench.run("refresh").status == 0
    assert story.words() == "jq=1.5-1"


def test_a_file_that_cannot_be_read_stops_no_other(story: Story) -> None:
    story.dockerfile("jq", "b.Dockerfile")
    story.lock()
    point_release(story)
    story.bench.write(
        "b.Dockerfile", "FROM debian:bookworm\n# >>> pinner sources\nRUN apt-get install -y jq=1.6-2\n"
    )
    result = story.bench.run("refresh")
    assert result.status == 3
    assert "b.Dockerfile:2" in result.err
    assert "b.Dockerfile:2" in result.out
    assert story.words() == "curl=7.88.1-11 jq=1.7-1"


def test_many_files_move_together(story: Story) -> None:
    for number in range(5):
        story.dockerfile("jq curl", f"{number}/Dockerfile")
    story.lock()
    point_release(story)
    result = story.bench.run("refresh")
    assert result.out.splitlines()[0].startswith("0/Dockerfile:2 and 5 more  curl 7.88.1-10 → 7.88.1-11")
    assert {story.words(f"{number}/Dockerfile") for number in range(5)} == {"jq=1.7-1 curl=7.88.1-11"}
    assert story.verify().status == 0


def test_a_read_only_file_stops_all(story: Story) -> None:
    story.dockerfile("jq", "b.Dockerfile")
    story.lock()
    point_release(story)
    (story.bench.folder / "b.Dockerfile").chmod(0o444)
    before = story.bench.files()
    result = story.bench.run("refresh")
    assert result.status == 3
    assert "b.Dockerfile: cannot be written: the file is read-only" in result.err
    assert story.bench.files() == before


def test_a_lock_with_conflicts(story: Story) -> None:
    story.lock()
    text = story.bench.read("pinner.lock")
    conflict = f"<<<<<<< HEAD\n{text}=======\n>>>>>>> x\n"
    story.bench.write("pinner.lock", conflict)
    result = story.bench.run("verify")
    assert (result.status, "unresolved merge conflicts\nhint: `pinner lock` takes" in result.err) == (3, True)
    assert story.bench.run("lock").status == 0
    assert story.bench.read("pinner.lock") == text
    story.bench.write("pinner.lock", conflict)
    point_release(story)
    assert story.bench.run("refresh").status == 0
    assert "<<<<<<<" not in story.bench.read("pinner.lock")


def test_a_dead_network_changes_nothing(story: Story) -> None:
    story.lock()
    before = story.bench.files()
    story.bench.archive.missing("*")
    assert story.bench.run("refresh").status == 5
    assert story.bench.files() == before


def test_check_and_dry_run_write_nothing(story: Story) -> None:
    story.lock()
    point_release(story)
    before = story.bench.files()
    assert story.bench.run("refresh", "--check").status == 1
    result = story.bench.run("refresh", "--dry-run")
    assert result.status == 0
    assert "+RUN apt-get install -y curl=7.88.1-11 jq=1.7-1\n" in result.out
    assert story.bench.files() == before


# Kills and company


def states(story: Story) -> tuple[str, str]:
    return story.bench.read("Dockerfile"), story.bench.read("pinner.lock")


def rewind(story: Story, state: tuple[str, str]) -> None:
    for name, text in zip(("Dockerfile", "pinner.lock"), state, strict=True):
        story.bench.write(name, text)


def test_a_kill_at_any_moment_of_writing(story: Story) -> None:
    story.lock()
    old = states(story)
    point_release(story)
    story.bench.run("refresh")
    new = states(story)
    seen, moments = set(), 0
    while True:
        rewind(story, old)
        result = story.bench.process("refresh", first=KILLER.format(left=moments))
        if result.status == 0:
            break
        assert result.status == -signal.SIGKILL
        assert story.bench.run("unpin", "nosuch", "--quiet").status == 1
        assert states(story) in (old, new)
        assert sorted(story.bench.files()) == ["Dockerfile", "pinner.lock", "pinner.toml"]
        seen.add(states(story))
        moments += 1
    assert moments >= 10
    assert seen == {old, new}


@pytest.mark.live  # for its two minutes, not for the network
def test_kills_at_200_random_moments(story: Story) -> None:
    story.lock()
    old = states(story)
    point_release(story)
    start = time.monotonic()
    story.bench.process("refresh")
    whole = time.monotonic() - start
    new = states(story)
    dice = random.Random(4)
    for _ in range(200):
        rewind(story, old)
        process = story.bench.start("refresh")
        time.sleep(dice.uniform(0.3, 1.1) * whole)
        process.kill()
        process.communicate()
        assert story.bench.run("unpin", "nosuch", "--quiet").status == 1
        assert states(story) in (old, new)
        assert sorted(story.bench.files()) == ["Dockerfile", "pinner.lock", "pinner.toml"]


def test_two_at_once(story: Story) -> None:
    story.lock()
    point_release(story)
    processes = [story.bench.start("refresh") for _ in range(3)]
    for process in processes:
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 0 or b"was changed by somebody else" in err, err
    assert 0 in [process.returncode for process in processes]
    assert story.words() == "curl=7.88.1-11 jq=1.7-1"
    assert story.verify().status == 0


# What it says


def test_a_commit_message_and_a_summary(story: Story) -> None:
    story.lock()
    story.security.package("jq", "1.6-3")
    story.bench.run("refresh", "--summary", "s.md", "--commit-message", "m")
    assert story.bench.read("m") == (
        "build(deps): refresh jq to 1.6-3 (security update)\n\n"
        "- jq 1.6-2 -> 1.6-3 (security, update within the upstream version)\n"
    )
    assert story.bench.read("s.md") == (
        "## Refresh jq to 1.6-3 (security update)\n\n"
        "| package | from | to | pocket | why | where |\n| --- | --- | --- | --- | --- | --- |\n"
        "| [`jq`](https://sources.debian.org/src/jq/1.6-3/debian/changelog/) | `1.6-2` | `1.6-3` | bookworm-security "
        "| security, update within the upstream version | `Dockerfile:2` on `debian:bookworm` |\n\n"
        "To leave one of these out, put its old version back where the table says, run `pinner lock`, and keep it "
        "there by a `[[policy.hold]]` in pinner.toml. Not those whose old version is gone: their lines would not build "
        "any more.\n"
    )


def test_the_same_indices_give_the_same_bytes(story: Story) -> None:
    story.lock()
    old = states(story)
    point_release(story)
    story.bench.run("refresh")
    new = states(story)
    rewind(story, old)
    subprocess.run(["rm", "-r", str(story.bench.cache)], check=True)
    story.bench.run("refresh")
    assert states(story) == new


def test_as_json(story: Story) -> None:
    story.lock()
    point_release(story)
    data = json.loads(story.bench.run("refresh", "--json", "--check").out)
    assert data["status"] == 1
    assert data["would_write"] == ["Dockerfile", "pinner.lock"]
    assert [each["name"] for each in data["dependencies"]] == ["libcurl4"]
    assert data["changes"][0]["places"][0] | {"end_column": 0} == {
        "path": "Dockerfile", "line": 2, "column": 24, "end_line": 2, "end_column": 0,
    }  # fmt: skip
