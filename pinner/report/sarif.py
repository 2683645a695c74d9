"""A report as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), for code scanning."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pinner import __version__
from pinner.codes import Code
from pinner.report.diagnostic import Diagnostic, Report, dumps, encoded

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SECURITY = {Code.SECURITY, Code.GONE, Code.END_OF_LIFE, Code.NOT_SERVED, Code.UNTRUSTED}


def render(report: Report) -> str:
    """One run; its rules are the codes that occur."""
    codes = sorted({each.code for each in report.diagnostics})
    driver = {"name": "pinner", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"pinner/{report.command}/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code)) for each in report.diagnostics],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.value,
        "shortDescription": {"text": code.meaning.replace("`", "")},
        "help": {"text": code.help.replace("`", ""), "markdown": code.help},
        "helpUri": code.url,
        "defaultConfiguration": {"level": code.severity},
        "properties": {"tags": ["security"] if code in _SECURITY else []},
    }


def _result(each: Diagnostic, rule: int) -> dict[str, Any]:
    place = each.place
    result: dict[str, Any] = {
        "ruleId": each.code.value,
        "ruleIndex": rule,
        "level": each.severity,
        "message": {"text": each.text},
    }
    if place.path:
        location: dict[str, Any] = {"artifactLocation": {"uri": encoded(place.path).replace(":", "%3A")}}
        if place.line:
            location["region"] = {"startLine": place.line, "endLine": place.end_line}
            if place.column:
                location["region"] |= {"startColumn": place.column, "endColumn": place.end_column}
        result["locations"] = [{"physicalLocation": location}]
    # What identifies a finding over time: not its line, which moves with every edit above it.
    identity = f"{each.code}\n{place.path}\n{each.subject}".encode("utf-8", "surrogateescape")
    return result | {"partialFingerprints": {"pinner/v1": sha256(identity).hexdigest()}}
