"""The formats of the security teams, in the shapes that they document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pinner.distributions.advisories import KnownVulnerabilities, Vulnerability, members, of_debian, of_ubuntu


def debian(**state: Any) -> KnownVulnerabilities:
    tracker = {"curl": {"CVE-2026-1": {"description": "…", "releases": {"bookworm": state, "sid": {}}}}}
    return of_debian(tracker.items(), ["bookworm"])


def ubuntu(
    *events: dict[str, str], ecosystem: str = "Ubuntu:24.04:LTS", **record: Any
) -> KnownVulnerabilities:
    affected = {
        "package": {"ecosystem": ecosystem, "name": "curl"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, *events]}],
        "ecosystem_specific": {},
    }
    severity = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}, {"type": "Ubuntu", "score": "high"}]
    whole = {
        "id": "UBUNTU-CVE-2026-1",
        "upstream": ["CVE-2026-1"],
        "severity": severity,
        "affected": [affected],
    }
    return of_ubuntu([json.dumps({**whole, **record}).encode()], {"24.04": "noble"})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"status": "open", "urgency": "high"}, ("", "high", "")),
        ({"status": "open", "urgency": "low**"}, ("", "low", "")),
        ({"status": "open", "urgency": "not yet assigned"}, ("", "", "")),
        ({"status": "open", "urgency": "unimportant"}, ("", "unimportant", "")),
        (
            {"status": "open", "urgency": "low", "nodsa": "Minor issue"},
            ("", "low", "no advisory: Minor issue"),
        ),
        ({"status": "open", "urgency": "end-of-life"}, ("", "", "no longer supported")),
        (
            {"status": "undetermined", "urgency": "not yet assigned"},
            ("", "", "not determined whether it is vulnerable"),
        ),
        (
            {"status": "resolved", "fixed_version": "7.88.1-10+deb12u5", "urgency": "medium"},
            ("7.88.1-10+deb12u5", "medium", ""),
        ),
        ({"status": "resolved", "fixed_version": "0", "urgency": "medium"}, None),
    ],
)
def test_debian(state: dict[str, str], expected: tuple[str, str, str] | None) -> None:
    found = debian(**state)["bookworm"].get("curl", [])
    assert found == ([Vulnerability("CVE-2026-1", *expected)] if expected else [])


def test_ubuntu() -> None:
    assert ubuntu()["noble"]["curl"] == [Vulnerability("CVE-2026-1", "", "high")]
    assert ubuntu({"fixed": "8.5-2ubuntu10.1"})["noble"]["curl"][0].fixed == "8.5-2ubuntu10.1"
    assert ubuntu(withdrawn="2026-01-01T00:00:00Z") == {"noble": {}}
    assert ubuntu(ecosystem="Ubuntu:24.04")[
        "noble"
    ]  # as a release is named before it has become one of the LTS
    assert ubuntu(ecosystem="Ubuntu:Pro:24.04:LTS") == {"noble": {}}  # another archive, of subscribers
    assert ubuntu(severity=[])["noble"]["curl"][0].level is None


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_members_one_by_one(size: int) -> None:
    value = {"a": {"deep": [1, {"b": "\\u007d }"}]}, "": {}, "é": "x" * 40}
    for text in (json.dumps(value), json.dumps(value, indent=1), "{}", " { } "):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert dict(members(pieces, 1000)) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"a":{}',
        '{"a":{},',
        '{"a" {}}',
        "{1:{}}",
        '{"a":{}x',
        '{"a":{} "b":{}}',
        '{"a":' + "[" * 2000,
    ],
)
def test_what_is_no_object(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        list(members([text], 1000))
