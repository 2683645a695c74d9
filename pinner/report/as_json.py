"""Results as JSON: one document, stable keys, every string from outside escaped by JSON itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinner.errors import without_login
from pinner.workflow.lock import Finding, Plan


def lock(outcomes: Sequence[tuple[Plan, Sequence[str]]], *, written: bool) -> str:
    """What `pinner lock` did or would do. `wrote` (or `would_write`) names the changed files."""
    files = [
        {
            "path": planned.path,
            "changed": planned.old != planned.new,
            "words": [word(finding) for finding in planned.findings],
        }
        for plan, _ in outcomes
        for planned in plan.files
    ]
    return dumps(
        {
            "files": files,
            "platforms": _unique(name for plan, _ in outcomes for name in plan.platforms),
            "suites": _unique(name for plan, _ in outcomes for name in plan.suites),
            "notes": _unique(note for plan, _ in outcomes for note in plan.notes),
            "wrote" if written else "would_write": [name for _, names in outcomes for name in names],
        }
    )


def word(finding: Finding) -> dict[str, Any]:
    """One word: where it stands, what became of it, and apt's version per platform."""
    choice = finding.choice
    return {
        "line": finding.line,
        "column": finding.column,
        "raw": finding.raw,
        "name": finding.name,
        "status": choice.status,
        "version": choice.version,
        "versions": {platform: offer.package.version for platform, offer in (choice.offers or {}).items()},
        "reason": choice.reason,
        "detail": choice.detail,
        "hint": choice.hint,
    }


def _unique(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def dumps(value: Any) -> str:
    """`value` as indented JSON, without logins in addresses."""
    import json

    return without_login(json.dumps(value, indent=2, ensure_ascii=True))
