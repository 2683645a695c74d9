"""What `lock` would do with arguments, or did: as lines for people, diagnostics, and data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from pinner.edit.span import Place
from pinner.errors import printable
from pinner.report.diagnostic import Diagnostic, Shown, diagnostic, fields
from pinner.report.terminal import Style, coded, count
from pinner.workflow.lock import Finding, Plan

_COLOURS = {"pinned": "32", "kept": "", "skipped": "33", "gone": "31", "missing": "31", "unsolved": "31"}
_WIDEST = 40  # characters of an argument
_VERSION = 20  # columns of a version
_MOST_NAMES = 6


def _word(finding: Finding) -> str:
    """The word as the file has it, without its pin; the command where the call as a whole is meant."""
    if finding.choice.status == "unsolved":
        return finding.name
    raw = finding.raw.partition("=")[0].strip("\"'") if finding.choice.status == "kept" else finding.raw
    first, *more = printable(raw).strip().split("\n")
    shown = " ".join(first.split())
    return shown if len(shown) <= _WIDEST and not more else shown[: _WIDEST - 1].rstrip(" \\") + "…"


def _words(findings: Sequence[Finding]) -> str:
    words = [_word(finding) for finding in findings]
    joined = " ".join(words)
    return joined if len(joined) <= _WIDEST else f"{words[0]} and {len(words) - 1} more"


def _outcome(finding: Finding, hint: str, style: Style) -> str:
    choice = finding.choice
    colour = _COLOURS[choice.status]
    detail = printable(choice.detail)
    if choice.status in {"pinned", "kept"}:
        version = style.paint(choice.version, colour)
        return f"{version}{' ' * max(1, _VERSION - len(choice.version))} {detail}" if detail else version
    label = "apt would fail" if choice.status == "unsolved" else "error"
    label = label if choice.fails else "not pinned" if choice.status == "skipped" else "note"
    said = f"{style.paint(coded(label, choice.reason), colour)}: {detail}"
    return said + (f" ({printable(hint)})" if hint else "")


def _rows(plan: Plan, style: Style) -> Iterable[Sequence[Finding]]:
    """What is shown, by line: neighbours that are skipped for the same reason share one, unless all is asked for."""
    row: list[Finding] = []
    for finding in plan.findings:
        choice = finding.choice
        if style.quiet and not choice.fails:
            continue
        if not style.verbose and choice.status == "kept" and not choice.detail:
            continue
        alike = row and (row[-1].path, row[-1].choice) == (finding.path, choice)
        if alike and choice.status == "skipped" and not style.verbose and not re.search(r"\s", finding.raw):
            row.append(finding)
            continue
        if row:
            yield row
        row = [finding]
    if row:
        yield row


def lines(plan: Plan, style: Style, shown: Callable[[str], str]) -> Iterable[str]:
    """One line a word: place, word, version or why there is none. Kept words only when asked for, a hint only once.

    `shown` turns a file's name in the lock into the one that people know it by.
    """
    hints = {""}
    for path, group in groupby(_rows(plan, style), key=lambda row: row[0].path):
        rows = []
        for row in group:
            hint = row[0].choice.hint
            outcome = _outcome(row[0], "" if hint in hints else hint, style)
            hints.add(hint)
            rows.append((_place(shown(path), row), _words(row), "", outcome))
        yield from style.rows(rows)


def _place(path: str, row: Sequence[Finding]) -> str:
    first, last = row[0].line, row[-1].line
    return f"{path}:{first}" if first == last else f"{path}:{first}-{last}"


def place_of(finding: Finding, path: str) -> Place:
    """Where a finding is, in the file that is shown as `path`."""
    last = finding.raw.rpartition("\n")[2]
    lines = finding.raw.count("\n")
    end = len(last) + (1 if lines else finding.column)
    return Place(path, finding.line, finding.column, finding.line + lines, end)


def diagnostics(
    plan: Plan, shown: Callable[[str], str], *, strict: bool, written: bool, check: bool
) -> Iterable[Diagnostic]:
    """What is to be said of each argument that has no pin; with `check` it is an error that one would get a pin."""
    for finding in plan.findings:
        choice = finding.choice
        if choice.status == "kept" or (choice.status == "pinned" and written):
            continue
        place, subject = place_of(finding, shown(finding.path)), _word(finding)
        if choice.status == "pinned":
            text = f"it has no pin; pinner lock writes {choice.version}"
            yield diagnostic("unpinned", "error" if check else "note", place, subject, text)
            continue
        found = diagnostic(choice.reason, "error", place, subject, choice.detail, choice.hint)
        left = choice.status == "skipped" and not finding.allowed
        fails = choice.fails or (strict and left)
        yield found if fails else found._replace(severity=found.code.severity if left else "note")


def summary(plan: Plan, wrote: Sequence[str], *, would: bool = False) -> str:
    """The last line: how much is pinned, for which platforms and suites, and what was written."""
    statuses = [finding.choice.status for finding in plan.findings if finding.choice.status != "unsolved"]
    total = len(statuses)
    if not total:
        return "found no packages to pin"
    new, kept = statuses.count("pinned"), statuses.count("kept")
    where = f" for {', '.join(plan.platforms)} ({', '.join(plan.suites)})" if plan.platforms else ""
    if new:
        text = f"{'would pin' if would else 'pinned'} {new} of {count(total, 'package')}{where}"
        text += f", {kept} pinned already" if kept else ""
    else:
        text = f"{kept or 'none'} of {count(total, 'package')} pinned{' already' if kept else ''}{where}"
    if not wrote:
        return f"{text}; nothing to write"
    names = ", ".join(map(printable, wrote)) if len(wrote) <= _MOST_NAMES else count(len(wrote), "file")
    return f"{text}; {'would write' if would else 'wrote'} {names}"


def data(plans: Iterable[tuple[Plan, Shown, Sequence[str]]], *, written: bool) -> dict[str, Any]:
    """What `pinner lock` did or would do: by project its plan, how its files are named, and those that change; `wrote`
    or `would_write` names these."""
    plans = list(plans)
    found: dict[str, Any] = {
        "files": [
            {
                "path": shown(planned.path),
                "changed": planned.old != planned.new,
                "words": [_data(finding) for finding in planned.findings],
            }
            for plan, shown, _ in plans
            for planned in plan.files
        ]
    }
    for name in ("platforms", "suites", "notes"):
        found[name] = list(dict.fromkeys(each for plan, *_ in plans for each in getattr(plan, name)))
    changed = [name for *_, names in plans for name in names]
    return found | {"wrote": changed if written else [], "would_write": [] if written else changed}


def _data(finding: Finding) -> dict[str, Any]:
    choice = finding.choice
    return {
        **fields(finding, "line column raw name"),
        **fields(choice, "status version"),
        "versions": {platform: offer.package.version for platform, offer in (choice.offers or {}).items()},
        **fields(choice, "reason detail hint"),
    }
