"""The texts of `pinner refresh`: bounded, safe, and the right words for the kind of change."""

from __future__ import annotations

import json
import re
from datetime import date

from pinner.apt.changelog import ChangelogEntry
from pinner.apt.packages import Package
from pinner.edit.span import Place
from pinner.report import refresh
from pinner.report.diagnostic import dumps
from pinner.report.pull_request import LIMIT, summary
from pinner.report.refresh import Outcome
from pinner.report.terminal import Style
from pinner.resolve.universe import Offer
from pinner.workflow.changes import Change, DependencyChange
from pinner.workflow.moves import Stay

HOSTILE = "\x1b[31m|```</details><b>\u202e@team\n#1"


def change(name: str, source: str = "", *, security: bool = False) -> Change:
    package = Package(name, "2", "amd64", source=source or name, source_version="2")
    places = (Place("Dockerfile", 2, 1, 2, 9),)
    return Change(
        name, "1", "2", "bookworm", security, False, "upstream", places, Offer(package, None, (), 500)
    )


def outcome(*changes: Change) -> Outcome:
    return Outcome(changes, (), (), (), {}, ("Dockerfile",), len(changes), False, True, ())


def test_a_summary_stays_below_the_limit_however_much_changed() -> None:
    changes = tuple(change(f"package-with-a-long-name-{number}") for number in range(5_000))
    uploads = {each.key: [ChangelogEntry("2", "CVE-2026-1 " + "x" * 50_000)] for each in changes}
    dependencies = tuple(
        DependencyChange(f"lib{number}", "1", "2", ("linux/amd64",)) for number in range(5_000)
    )
    stays = tuple(Stay(Place("Dockerfile", 2), "stay", "1", "why " * 5_000, "held") for _ in range(5_000))
    text = summary(outcome(*changes)._replace(uploads=uploads, dependencies=dependencies, stays=stays))
    assert 30_000 < len(text) < LIMIT
    for noun in ("packages", "changelogs", "pins"):
        assert re.search(rf"… and \d+ more {noun}\.", text)
    assert text.count("<details>") == text.count("</details>") == 2
    assert len(summary(outcome(change(HOSTILE * 20_000)))) < LIMIT


def test_a_source_package_has_one_changelog_and_links() -> None:
    uploads = [
        ChangelogEntry(
            "3-2", "Fix CVE-2026-2002 (DSA-1-1).\n -- A <a@b>  Sun, 1 Nov 2026 10:00:00 +0000", "high"
        ),
        ChangelogEntry("3-1", "Fix CVE-2026-1001."),
    ]
    changes = [
        change("jq"),
        change("libssl-dev", "openssl", security=True),
        change("openssl", security=True),
    ]
    dependencies = (
        DependencyChange("a", "1", "2", ("linux/amd64",)),
        DependencyChange("z", "1", "2", ("linux/amd64",), security=True),
    )
    text = summary(
        outcome(*changes)._replace(
            uploads={each.key: uploads for each in changes[1:]},
            dependencies=dependencies,
            stays=(Stay(Place("a", 2), "nginx", "1", "held until 2026-12-01: breaks", "held"),),
            unpinned=(Stay(Place("a", 9), "tini", "", "has no pin", "unpinned"),),
            today=date(2026, 11, 28),
        )
    )
    assert text.count("Fix CVE-2026-1001.") == 1
    tracker = "https://security-tracker.debian.org/tracker"
    assert (
        f"**openssl** (libssl-dev) [CVE-2026-2002]({tracker}/CVE-2026-2002), [DSA-1-1]({tracker}/DSA-1-1)"
        in text
    )
    assert "2 versions: `3-2`, `3-1`" in text
    assert (
        "| 27 days | bookworm | security, another upstream version, names 2 CVEs | `Dockerfile:2` |" in text
    )
    assert "`3-2` (urgency high, 2026-11-01)" in text
    assert "### Without a pin\n\n- `tini` in `a:9`: has no pin" in text
    assert "2 packages that come with them (1 security update)" in text
    assert text.index("`z`") < text.index("- `a`")
    assert "held until 2026-12-01: breaks" in text
    assert "put its old version back" in text


def test_nothing_from_outside_is_markup() -> None:
    hostile = outcome(change(HOSTILE))._replace(
        uploads={(HOSTILE, "1", "2"): [ChangelogEntry(HOSTILE, HOSTILE, HOSTILE)]},
        stays=(Stay(Place(HOSTILE, 1), HOSTILE, HOSTILE, HOSTILE, "held"),),
        dependencies=(DependencyChange(HOSTILE, "", "1", ("linux/amd64",)),),
    )
    text = summary(hostile)
    outside_code = re.sub(
        r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|^    .*$", "", text, flags=re.MULTILINE | re.DOTALL
    )
    assert "<b>" not in outside_code
    assert outside_code.count("</details>") == outside_code.count("<details>")
    assert "@team" not in outside_code
    json.loads(dumps(refresh.data(hostile)))
    texts = (text, refresh.commit_message(hostile), *refresh.lines(hostile, Style(verbose=True)))
    for each in texts:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", each)


def test_the_first_line_of_a_commit() -> None:
    message = refresh.commit_message(outcome(change("curl", security=True), change("jq")))
    assert message.splitlines()[:3] == [
        "build(deps): refresh 2 apt pins (1 security update)",
        "",
        "- curl 1 -> 2 (security, another upstream version)",
    ]
    dependencies = outcome()._replace(dependencies=(DependencyChange("lib", "1", "2", ("linux/amd64",)),))
    assert refresh.commit_message(dependencies).startswith("build(deps): refresh dependencies of apt pins\n")
