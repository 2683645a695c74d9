"""Findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), for code scanning."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from pinner import __version__
from pinner.report.as_json import dumps
from pinner.report.uri import encoded
from pinner.report.verify import RULES, Row

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SECURITY = {"security", "gone", "end-of-life", "not-served"}


def to_sarif(found: Sequence[Row]) -> str:
    """One run with all findings."""
    rules = list(RULES)
    return dumps(
        {
            "$schema": _SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "pinner",
                            "version": __version__,
                            "rules": [
                                {
                                    "id": rule,
                                    "shortDescription": {"text": text},
                                    "properties": {"tags": ["security"] if rule in _SECURITY else []},
                                }
                                for rule, text in RULES.items()
                            ],
                        }
                    },
                    "columnKind": "unicodeCodePoints",
                    "results": [_result(row, rules.index(row.rule)) for row in found],
                }
            ],
        }
    )


def _result(row: Row, rule: int) -> dict[str, Any]:
    place = row.place
    location: dict[str, Any] = {"artifactLocation": {"uri": encoded(place.path).replace(":", "%3A")}}
    if place.line:
        location["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }
    # What identifies a finding over time: not its line, which moves with every edit above it.
    identity = sha256(
        f"{row.rule}\n{place.path}\n{row.subject}".encode("utf-8", "surrogateescape")
    ).hexdigest()
    return {
        "ruleId": row.rule,
        "ruleIndex": rule,
        "level": row.level,
        "message": {"text": f"{row.subject}: {row.text}"},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"pinner/v1": identity},
    }
