"""A report as Markdown, and text inside of Markdown."""

from __future__ import annotations

import re

from pinner.errors import printable
from pinner.regex import later
from pinner.report.diagnostic import Report, at

_SIGNS = {"error": "🔴", "warning": "🟡", "note": "🔵"}
_MARKUP = later(r"([\\`*_{}\[\]<>#|~!])")


def escaped(text: str) -> str:
    """`text` as it is to be read: on one line, without markup, mentions or HTML of its own."""
    plain = " ".join(printable(text).split()).replace("&", "&amp;")
    return _MARKUP.sub(r"\\\1", plain).replace("@", "&#64;")


def code(text: str) -> str:
    """`text` as code in a table's cell."""
    plain = " ".join(printable(text).split()).replace("|", "\\|")
    runs = re.findall("`+", plain)
    if not runs:
        return f"`{plain}`"
    fence = "`" * (len(max(runs, key=len)) + 1)
    return f"{fence} {plain} {fence}"


def render(report: Report) -> str:
    """The summary and a table of the diagnostics."""
    out = [f"### pinner {report.command}: {escaped(report.summary)}"]
    if report.diagnostics:
        out += ["", "| | where | what | finding |", "| --- | --- | --- | --- |"]
    for each in report.diagnostics:
        text = f"{each.message} ({each.help})" if each.help else each.message
        what = code(each.subject) if each.subject else ""
        label = f"{_SIGNS[each.severity]} [{each.code}]({each.url})"
        where = code(at(each.place)) if each.place.path else ""
        out.append(f"| {label} | {where} | {what} | {escaped(text)} |")
    return "\n".join(out)
