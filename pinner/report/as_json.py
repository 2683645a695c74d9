"""Results as JSON: one document, stable keys, every string from outside escaped by JSON itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pinner.errors import without_login
from pinner.workflow.lock import Finding, Plan


class Changes(Protocol):
    """A project's plan, the files that it changes, and how files are named."""

    plan: Plan
    project: Any

    @property
    def wrote(self) -> Sequence[str]:
        """The changed files."""


def lock(outcomes: Sequence[Changes], *, written: bool) -> dict[str, Any]:
    """What `pinner lock` did or would do. `wrote` or `would_write` names the changed files."""
    files = [
        {
            "path": outcome.project.relative(planned.path),
            "changed": planned.old != planned.new,
            "words": [word(finding) for finding in planned.findings],
        }
        for outcome in outcomes
        for planned in outcome.plan.files
    ]
    plans = [outcome.plan for outcome in outcomes]
    changed = [name for outcome in outcomes for name in outcome.wrote]
    return {
        "files": files,
        "platforms": _unique(name for plan in plans for name in plan.platforms),
        "suites": _unique(name for plan in plans for name in plan.suites),
        "notes": _unique(note for plan in plans for note in plan.notes),
        "wrote": changed if written else [],
        "would_write": [] if written else changed,
    }


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
    """`value` as indented JSON, without logins in addresses and without what is a command to a runner (`##vso`)."""
    import json

    text = without_login(json.dumps(value, indent=2, ensure_ascii=True))
    return text.replace("##[", r"#\u0023[").replace("##vso", r"#\u0023vso")
