"""What a team has decided in `[policy]`: which pins move when, in which form, and what verify fails on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.story import Story

TODAY = datetime.now(UTC).date()
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


def hold(until: object, package: str = "cur*") -> str:
    return f'[[policy.hold]]\npackage = "{package}"\nuntil = {until}\nreason = "the client breaks"\n'


def move_both(story: Story) -> None:
    story.main.package("curl", "8-1").package("jq", "1.7-1")


def test_a_hold_lasts_until_its_day(story: Story) -> None:
    story.bench.configure(hold(TOMORROW))
    story.lock()
    move_both(story)
    result = story.bench.run("refresh")
    assert result.status == 0
    assert f"not moved [held]: held until {TOMORROW}: the client breaks" in result.out
    assert story.words() == "curl=7.88.1-10 jq=1.7-1"
    found = story.verify("--fail-on", "superseded")
    assert found.status == 0
    assert f"superseded by 8-1 in bookworm; held until {TOMORROW}: the client breaks" in found.out
    # whoever names the package means it
    assert story.bench.run("refresh", "--package", "curl").status == 0
    assert story.words() == "curl=8-1 jq=1.7-1"


def test_a_hold_that_has_ended_is_said_and_does_not_count(story: Story) -> None:
    story.bench.configure(hold(YESTERDAY))
    story.lock()
    move_both(story)
    said = f"the hold of cur* (the client breaks) has ended on {YESTERDAY}: take it out of [policy]"
    assert said in story.verify().err
    result = story.bench.run("refresh")
    assert (result.status, said in result.err) == (0, True)
    assert story.words() == "curl=8-1 jq=1.7-1"


def test_a_pin_that_is_held_and_gone_is_told(story: Story) -> None:
    story.bench.configure(hold(TOMORROW, "jq"))
    story.lock()
    story.main.remove("jq").package("jq", "1.7-1")
    assert story.bench.run("refresh").status == 1
    assert story.words() == "curl=7.88.1-10 jq=1.6-2"


def test_security_alone(story: Story) -> None:
    story.bench.configure("[policy]\nsecurity-only = true\n")
    story.main.package("tree", "1")
    story.dockerfile("tree jq curl")
    story.lock()
    story.updates.package("tree", "2")
    story.security.package("jq", "1.6-3")
    story.main.remove("curl").package("curl", "7.88.1-11")
    assert story.bench.run("refresh").status == 0
    assert story.words() == "tree=1 jq=1.6-3 curl=7.88.1-11"
    assert story.bench.run("refresh", "--only", "all").status == 0
    assert story.words() == "tree=2 jq=1.6-3 curl=7.88.1-11"


def test_candidates_ripen(story: Story) -> None:
    story.bench.configure('[policy]\nmin-age = "3h"\n')
    story.security.date = story.bench.archive.now - timedelta(hours=3)
    story.lock()
    story.security.date = story.bench.archive.now - timedelta(hours=2)
    story.security.package("jq", "1.6-3")
    assert "not moved [min-age]: the new version was first seen on" in story.bench.run("refresh").out
    assert story.bench.run("refresh", "--min-age", "1h").status == 0
    assert story.words() == "curl=7.88.1-10 jq=1.6-3"


def test_what_the_policy_does_not_let_move_is_no_fault_for_verify(story: Story) -> None:
    story.bench.configure('[policy]\nfail-on = "superseded"\nmin-age = "3h"\nsecurity-only = true\n')
    story.lock()
    story.updates.package("jq", "1.6-3")
    result = story.verify()
    assert (result.status, "the policy waits for security updates" in result.out) == (0, True)
    assert story.verify("--fail-on", "superseded").status == 0  # it is too young as well
    story.bench.configure('[policy]\nfail-on = "security"\nmin-age = "3h"\n')
    story.security.package("jq", "1.6-4")
    result = story.verify()
    assert (result.status, "the new version was first seen on" in result.out) == (0, True)
    assert story.bench.run("refresh").status == 0
    assert story.words() == "curl=7.88.1-10 jq=1.6-2"
    story.bench.configure('[policy]\nfail-on = "security"\nmin-age = "0h"\n')
    assert story.verify().status == 1


def test_a_pin_in_a_file_of_another_form_of_version(story: Story) -> None:
    """With strict siblings: what is pinned beside it has the form, too, and both outlive a revision together."""
    story.bench.configure('[policy]\npin = "upstream*"\n')
    story.lock("--pin-siblings")
    assert story.words() == 'curl="7.88.1-*" libcurl4="7.88.1-*" jq="1.6-*"'
    story.main.remove("curl").remove("libcurl4")
    story.main.package("curl", "7.88.1-11", depends="libcurl4 (= 7.88.1-11)").package("libcurl4", "7.88.1-11")
    assert story.verify().status == 0
    assert story.bench.run("refresh").status == 0
    assert story.words() == 'curl="7.88.1-*" libcurl4="7.88.1-*" jq="1.6-*"'


def test_globs_of_upstream_versions(story: Story) -> None:
    story.bench.configure('[policy]\npin = "upstream*"\n')
    story.main.package("native", "5")
    story.dockerfile("curl jq native")
    story.lock()
    assert story.words() == 'curl="7.88.1-*" jq="1.6-*" native=5'
    assert story.verify().status == 0
    # it outlives what the distribution does within an upstream version
    story.main.remove("jq").package("jq", "1.6-2.1")
    assert story.verify().status == 0
    assert story.bench.run("refresh").status == 0
    assert story.words() == 'curl="7.88.1-*" jq="1.6-*" native=5'
    assert story.verify().status == 0
    story.main.remove("jq").package("jq", "1.7-1")
    assert story.verify().status == 1
    assert story.bench.run("refresh").status == 0
    assert story.words() == 'curl="7.88.1-*" jq="1.7-*" native=5'


def test_a_pin_may_lag_behind_for_so_long(story: Story) -> None:
    for suite in (story.main, story.updates, story.security):
        suite.date = story.bench.archive.now - timedelta(days=9)
    story.bench.configure('[policy]\nmax-lag = "7d"\n')
    story.lock()
    assert story.verify().status == 0  # old, but nothing newer is there
    for suite in (story.main, story.updates, story.security):
        suite.date = story.bench.archive.now
    story.main.package("jq", "1.7-1")
    result = story.verify()
    assert result.status == 1
    assert "superseded by 1.7-1 in bookworm; pinned 9 days ago, and the policy allows 7 days" in result.out
    assert story.verify("--max-lag", "10d").status == 0


def test_what_verify_fails_on(story: Story) -> None:
    story.bench.configure('[policy]\nfail-on = "superseded"\n')
    story.lock()
    story.main.package("jq", "1.7-1")
    assert story.verify().status == 1
    assert story.verify("--fail-on", "none").status == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[policy]\nminage = "3d"\n', "unknown key policy.minage\nhint: did you mean min-age?"),
        ("[policy]\nmin-age = 3\n", "policy.min-age must be a duration"),
        ('[policy]\nsecurity-only = "yes"\n', "policy.security-only must be true or false"),
        ('[policy]\npin = "major*"\n', "policy.pin must be exact or upstream*"),
        ('[policy]\nfail-on = "gone"\n', "policy.fail-on must be of superseded, security, cve:critical"),
        ('[policy.hold]\npackage = "jq"\n', "[[policy.hold]] must be tables"),
        ("[[policy.hold]]\nuntil = 2026-01-01\n", "[[policy.hold]] needs a package"),
        (hold('"soon"'), "policy.hold.until must be a date"),
        (hold(TOMORROW) + 'untill = ""\n', "unknown key policy.hold.untill"),
        ("policy = 1\n", "[policy] must be a table"),
    ],
)
def test_it_is_read_strictly(story: Story, text: str, said: str) -> None:
    story.bench.configure(text)
    result = story.bench.run("verify")
    assert result.status == 3
    assert said in result.err
