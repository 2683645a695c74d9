"""A plan as lines for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pinner.errors import printable
from pinner.workflow.lock import Finding, Plan

_COLOURS = {"pinned": "32", "kept": "", "skipped": "33", "gone": "31", "missing": "31"}
_WIDEST = 40
_VERSION = 20


@dataclass(frozen=True, slots=True)
class Style:
    """How lines are shown: `colour` uses ANSI colours, `verbose` shows kept words too, `quiet` shows errors alone."""

    colour: bool = False
    verbose: bool = False
    quiet: bool = False

    def paint(self, text: str, colour: str) -> str:
        """`text` in an SGR colour, where colours are wanted."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour else text


def count(number: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _word(finding: Finding) -> str:
    shown = finding.name if finding.choice.status in {"pinned", "kept"} and finding.name else finding.raw
    shown = " ".join(printable(shown).split())
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"


def _outcome(finding: Finding, style: Style) -> str:
    choice = finding.choice
    colour = _COLOURS[choice.status]
    detail = printable(choice.detail)
    if choice.status in {"pinned", "kept"}:
        version = style.paint(choice.version, colour)
        return f"{version}{' ' * max(1, _VERSION - len(choice.version))} {detail}" if detail else version
    label = {"skipped": "not pinned", "gone": "gone", "missing": "error"}[choice.status]
    return f"{style.paint(label, colour)}: {detail}" + (f" ({printable(choice.hint)})" if choice.hint else "")


def lines(plan: Plan, style: Style, shown: Callable[[str], str]) -> Iterable[str]:
    """One line a word: place, name, version or why there is none. Kept words only when asked for.

    `shown` turns a file's name in the lock into the one that people know it by.
    """
    findings = [
        finding
        for finding in plan.findings
        if style.verbose or finding.choice.status != "kept" or finding.choice.detail
    ]
    places = [f"{printable(shown(finding.path))}:{finding.line}" for finding in findings]
    names = [_word(finding) for finding in findings]
    place_width = max(map(len, places), default=0)
    name_width = max(map(len, names), default=0)
    for finding, place, name in zip(findings, places, names, strict=True):
        yield f"{place:{place_width}}  {name:{name_width}}  {_outcome(finding, style)}"


def summary(plan: Plan, wrote: Sequence[str], *, would: bool = False) -> str:
    """The last line: how much is pinned, for which platforms and suites, and what was written."""
    statuses = [finding.choice.status for finding in plan.findings]
    total = len(statuses)
    if not total:
        return "found no packages to pin"
    new, kept = statuses.count("pinned"), statuses.count("kept")
    where = f" for {', '.join(plan.platforms)} ({', '.join(plan.suites)})" if plan.platforms else ""
    if new:
        text = f"{'would pin' if would else 'pinned'} {new} of {count(total, 'package')}{where}"
        text += f", {kept} pinned already" if kept else ""
    elif kept == total:
        text = f"all {count(total, 'package')} pinned already{where}"
    else:
        text = f"nothing to pin: {kept} of {count(total, 'package')} pinned already{where}"
    if wrote:
        return f"{text}; {'would write' if would else 'wrote'} {', '.join(map(printable, wrote))}"
    return f"{text}; nothing to write"
