"""What files ask for, as lines for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from pinner.edit.span import Span
from pinner.errors import printable
from pinner.recipe.installs import Request, Skipped
from pinner.report.diagnostic import Diagnostic, Report, diagnostic, fields
from pinner.report.terminal import Style, coded, count
from pinner.stages.image_names import Alias, Named, Unnamed
from pinner.stages.install_commands import File, InstallCommand, place
from pinner.values import NamedTuple

_COLOURS = {"pin": "32", "keep": "", "skip": "33"}


def suite_name(call: InstallCommand) -> str:
    """The suite or alias of the call's stage as a name, "" if unknown."""
    where = call.base.where
    if isinstance(where, Named):
        return where.suite.codename + (f"-{where.variant}" if where.variant else "")
    return where.name if isinstance(where, Alias) else ""


class Counted(NamedTuple):
    """The words of a file, or several, by what `lock` would do and by the reasons of those it leaves; the calls that
    are not read by theirs."""

    files: int
    asking: int
    actions: Counter[str]
    reasons: Counter[str]
    unread: Counter[str]

    def __add__(self, other: object) -> Counted:
        """Both together."""
        assert isinstance(other, Counted)
        return Counted(
            self.files + other.files,
            self.asking + other.asking,
            self.actions + other.actions,
            self.reasons + other.reasons,
            self.unread + other.unread,
        )


NOTHING = Counted(0, 0, Counter(), Counter(), Counter())


def counted(file: File) -> Counted:
    """The words of one file."""
    words = [request for call in file.calls() for request in call.requests]
    return Counted(
        1,
        int(bool(file.found)),
        Counter([request.action for request in words]),
        Counter([request.reason for request in words if request.action == "skip"]),
        Counter([item.reason for item in file.found if isinstance(item, Skipped)]),
    )


def lines(files: Sequence[File], style: Style) -> Iterable[str]:
    """One line a call, one a word or several that are skipped alike."""
    for file in files:
        for item in file.found:
            line, column = file.lines.position(
                item.span.start if isinstance(item, Skipped) else item.install.span.start
            )
            place = f"{printable(file.path)}:{line}:{column}"
            stage = file.stage_name(item.stage if isinstance(item, Skipped) else item.install.stage)
            if isinstance(item, Skipped):
                label = style.paint(coded("not read", item.reason), "33")
                yield f"{place}  stage {printable(stage)}  {label}: {printable(item.detail)}"
                continue
            suite = suite_name(item) or "suite unknown"
            image = printable(item.base.image) or "image unknown"
            yield f"{place}  stage {printable(stage)}  {item.install.command}  ({image}, {suite})"
            for same in _alike(item.requests, style):
                where = item.base.where
                hint = where.hint if isinstance(where, Unnamed) and same[0].reason == where.reason else ""
                yield f"  {_words(file, same, style)}" + (f" ({hint})" if hint else "")


def _alike(requests: Sequence[Request], style: Style) -> Iterable[Sequence[Request]]:
    """Neighbours that are skipped for the same reason, together, unless all is asked for."""

    def outcome(request: Request) -> object:
        skipped = request.action == "skip" and not style.verbose
        return (request.reason, request.detail) if skipped else request.word.span

    return [list(same) for _, same in groupby(requests, outcome)]


def _words(file: File, same: Sequence[Request], style: Style) -> str:
    first = same[0]
    line, column = file.lines.position(first.word.span.start)
    raw = " ".join(" ".join(printable(request.word.raw).split()) for request in same)
    action = coded("not pinned", first.reason) if first.action == "skip" else first.action
    why = f": {printable(first.detail)}" if first.detail else ""
    return f"{line}:{column}  {raw}  {style.paint(action, _COLOURS[first.action])}{why}"


def diagnostics(files: Sequence[File], *, strict: bool) -> Iterable[Diagnostic]:
    """What is to be said of each argument that has no pin; with `strict` one that would get none is an error."""

    def said(file: File, span: Span, reason: str, subject: str, detail: str, *, allowed: bool) -> Diagnostic:
        shown = " ".join(subject.split())
        found = diagnostic(reason, "note", place(file, span), shown, detail)
        fails = strict and not (allowed or reason in ("ignored", "unpinned"))
        return found._replace(severity="error" if fails else "note" if allowed else found.code.severity)

    for file in files:
        for item in file.found:
            if isinstance(item, Skipped):
                raw = item.span.of(file.dockerfile.text)
                yield said(file, item.span, item.reason, raw, item.detail, allowed=item.allowed)
                continue
            for each in item.requests:
                reason, detail = each.reason, each.detail
                if each.action == "pin":
                    reason, detail = "unpinned", "it has no pin"
                if each.action != "keep":
                    yield said(file, each.word.span, reason, each.word.raw, detail, allowed=each.allowed)


def report(files: Sequence[File], total: Counted, found: Iterable[Diagnostic], now: datetime) -> Report:
    """The run in whichever format."""
    passed = (
        (place(file, each.word.span), each.word.raw)
        for file in files
        for call in file.calls()
        for each in call.requests
        if each.action == "keep"
    )
    paths = tuple(file.path for file in files)
    return Report("scan", summary(total), tuple(found), paths, tuple(passed), now)


def table(found: Mapping[str, Counted], total: Counted) -> Iterable[str]:
    """A row for each file that asks for packages, and one for all: how many words, and what share has a pin."""
    rows = [
        ("file", "arguments", "pinned", "to pin", "skipped", "not read", "share pinned"),
        *(_row(printable(path), each) for path, each in found.items() if each.asking),
        _row("total", total),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *rest in rows:
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield f"{first.ljust(widths[0])}  {'  '.join(cells)}"


def _row(name: str, found: Counted) -> tuple[str, ...]:
    actions = found.actions
    words = actions.total()
    share = f"{100 * actions['keep'] // words} %" if words else ""
    numbers = (words, actions["keep"], actions["pin"], actions["skip"], found.unread.total())
    return name, *map(str, numbers), share


def summary(total: Counted) -> str:
    """The share that `lock` would pin, and the reasons of the rest counted."""
    actions = total.actions
    text = f"{count(total.files, 'file')}, {count(actions.total(), 'package argument')}: "
    text += f"{actions['pin']} to pin, {actions['keep']} pinned"
    if total.reasons:
        text += f", {actions['skip']} skipped ({_counted(total.reasons)})"
    if total.unread:
        text += f"; not read: {_counted(total.unread)}"
    return text


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in reasons.most_common())


def unread(programs: Counter[str]) -> str:
    """How many files install packages that pinner does not read, by the program that does."""
    verb = "other file installs" if programs.total() == 1 else "other files install"
    verb += " packages and is not read" if programs.total() == 1 else " packages and are not read"
    return f"{programs.total()} {verb}: {_counted(programs)}"


def files(taken: Mapping[str, str], passed: Mapping[str, tuple[str, str]]) -> Iterable[str]:
    """A line for each file: those that are read with their kinds, the others with the reason."""
    for name, kind in sorted(taken.items()):
        yield f"{printable(name)}  {kind}"
    for name, (kind, why) in sorted(passed.items()):
        yield f"{printable(name)}  {kind}, passed over: {why}"


def files_data(taken: Mapping[str, str], passed: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The same, for JSON."""
    rows = [{"path": name, "kind": kind} for name, kind in sorted(taken.items())]
    rows_passed = [
        {"path": name, "kind": kind, "reason": why} for name, (kind, why) in sorted(passed.items())
    ]
    return {"files": rows, "passed": rows_passed}


def data(files: Sequence[File], *, sources: bool = False) -> dict[str, Any]:
    """Every call with its words, and what was not read. Lines and columns count from 1, ends are exclusive.

    With `sources` each call has those that apt reads there, and clauses about what it may read beside them.
    """
    calls, skipped = [], []
    for file in files:
        for item in file.found:
            if isinstance(item, Skipped):
                skipped.append(
                    {
                        "path": file.path,
                        **_place(file, item.span.start, item.span.end),
                        "stage": file.stage_name(item.stage),
                        "raw": item.span.of(file.dockerfile.text),
                        **fields(item, "reason detail allowed"),
                    }
                )
            else:
                calls.append(_call(file, item))
                if sources:
                    from pinner.report.sources import to_dicts

                    doubts = [{"detail": each.why, "serves": list(each.serves)} for each in item.doubts]
                    calls[-1] |= {"sources": list(to_dicts(item)), "doubts": doubts}
    return {"files": [file.path for file in files], "calls": calls, "skipped": skipped}


def _place(file: File, start: int, end: int) -> dict[str, int]:
    line, column = file.lines.position(start)
    end_line, end_column = file.lines.position(end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _call(file: File, call: InstallCommand) -> dict[str, Any]:
    install = call.install
    return {
        "path": file.path,
        **_place(file, install.span.start, install.span.end),
        "command": install.command,
        "stage": file.stage_name(install.stage),
        "base_image": call.base.image,
        "suite": suite_name(call),
        "platforms": list(call.base.platforms),
        "options": [word.raw for word in install.options],
        **fields(install, "recommends target_release"),
        "words": [
            {
                "word": request.word.raw if request.word.value is None else request.word.value,
                "raw": request.word.raw,
                **_place(file, request.word.span.start, request.word.span.end),
                **fields(request, "kind action reason detail name arch pin release allowed"),
            }
            for request in install.requests
        ],
    }
