"""The formats of `pinner verify`: well-formed whatever stands in a file, and what build servers expect."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from pinner.edit.span import Place
from pinner.report import github, junit, markdown, sarif, verify
from pinner.report.diagnostic import Diagnostic, Report, dumps
from pinner.report.terminal import Style
from pinner.report.verify import Checked
from pinner.report.verify_json import data
from pinner.workflow.standing import Standing
from pinner.workflow.verified import Pin, Verified

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = "\x1b[31m|`<b>&\"'\u202e%0A::error::@x\x00\udcff]]>"


def checked(*pins: Pin, files: tuple[str, ...] = ("a/Dockerfile",)) -> Checked:
    return Checked(Verified(pins, (), (), (), (), (), files, 0, ()), "pinner.lock")


def pin(name: str, *states: Standing, path: str = "a/Dockerfile") -> Pin:
    place = Place(path, 3, 5, 3, 12)
    return Pin(
        place, name, "1.0", f"{name}=1.0", dict(zip(("linux/amd64", "linux/arm64"), states, strict=False))
    )


LIVE = Standing("live", "1.0", "bookworm", candidate="1.0")
GONE = Standing("gone", newer="1.1", newer_pocket="bookworm-security", candidate="1.1", security=True)
OLD = Standing("superseded", "1.0", "bookworm", "1.1", "bookworm-security", "1.1", True)


def found_in(one: Checked, fail_on: str = "") -> list[Diagnostic]:
    return list(verify.diagnostics(one, [fail_on]))


def report(one: Checked) -> Report:
    return verify.report([one], found_in(one), NOW)


@pytest.mark.parametrize(
    ("standings", "text"),
    [
        ((LIVE, LIVE), "live in bookworm"),
        ((GONE, GONE), "gone; next is 1.1 in bookworm-security, a security update"),
        (
            (LIVE, OLD),
            "amd64: live in bookworm; arm64: superseded by 1.1 in bookworm-security, a security update",
        ),
        ((Standing("gone", detail="there is no package x"),), "gone: there is no package x"),
        ((Standing("unknown"),), "not checked"),
    ],
)
def test_standings_as_clauses(standings: tuple[Standing, ...], text: str) -> None:
    assert verify.by_platform(pin("x", *standings).standings) == text


@pytest.mark.parametrize(
    ("standing", "fail_on", "code", "severity"),
    [
        (GONE, "", "gone", "error"),
        (OLD, "", "security", "warning"),
        (OLD, "security", "security", "error"),
        (OLD, "superseded", "security", "error"),
        (Standing("superseded", "1", "a", "2", "a", "2"), "", "superseded", "note"),
        (Standing("superseded", "1", "a", "2", "a", "2"), "security", "superseded", "note"),
        (Standing("superseded", "1", "a", "2", "a", "2"), "superseded", "superseded", "error"),
        (Standing("unknown"), "", "unknown", "error"),
    ],
)
def test_what_counts(standing: Standing, fail_on: str, code: str, severity: str) -> None:
    (found,) = found_in(checked(pin("x", standing)), fail_on)
    assert (found.code, found.severity) == (code, severity)


def test_sarif_shows_the_place() -> None:
    one = checked(pin("curl", GONE, path="a b/Dockerfile"), files=("a b/Dockerfile",))
    (run,) = json.loads(sarif.render(report(one)))["runs"]
    (result,) = run["results"]
    assert result["ruleId"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "gone"
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b/Dockerfile"},
        "region": {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 12},
    }


def test_a_finding_keeps_its_fingerprint_when_its_line_moves() -> None:
    one = pin("curl", GONE)
    moved = Pin(Place("a/Dockerfile", 9, 1, 9, 8), one.name, one.version, one.raw, one.standings)
    prints = [
        json.loads(sarif.render(report(checked(each))))["runs"][0]["results"][0]["partialFingerprints"]
        for each in (one, moved)
    ]
    assert prints[0] == prints[1]


def test_github_annotations() -> None:
    assert github.render(report(checked(pin("curl", GONE)))) == (
        "::error file=a/Dockerfile,title=pinner%3A gone,line=3,endLine=3,col=5,endColumn=12::"
        "curl=1.0: gone; next is 1.1 in bookworm-security, a security update"
    )


def test_junit_counts_and_passes_what_is_live() -> None:
    one = checked(pin("curl", GONE), pin("jq", LIVE), pin("tini", OLD))
    (suite,) = ElementTree.fromstring(junit.render(report(one)).encode())
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [case.get("name") for case in suite.iter("testcase")] == [
        "line 3: jq=1.0",
        "line 3: curl=1.0 gone",
        "line 3: tini=1.0 security",
    ]
    assert [child.tag for child in suite if child.tag != "testcase"] == [
        "properties",
        "system-out",
        "system-err",
    ]


def test_nothing_from_outside_breaks_a_format() -> None:
    one = checked(pin(HOSTILE, GONE, path=HOSTILE), files=(HOSTILE,))
    whole = report(one)
    json.loads(dumps(data([one])))
    json.loads(sarif.render(whole))
    ElementTree.fromstring(junit.render(whole).encode())
    assert "\u202e" not in junit.render(whole)
    line = github.render(whole)
    assert line.count("::") == 2 + line.partition("::")[2].partition("::")[2].count("::")
    assert "%250A" in line
    row = markdown.render(whole).splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    for text in (line, row, *verify.lines([one], whole.diagnostics, Style(verbose=True))):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\udcff]", text)


def test_nothing_found() -> None:
    one = checked(pin("jq", LIVE))
    assert json.loads(sarif.render(report(one)))["runs"][0]["results"] == []
    assert github.render(report(one)) == ""
    assert markdown.render(report(one)) == "### pinner verify: checked 1 pin for linux/amd64: 1 live"
