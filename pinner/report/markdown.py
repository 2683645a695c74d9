"""Text inside of Markdown tables, and what `pinner verify` found as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pinner.errors import printable
from pinner.regex import later
from pinner.report.verify import Checked, Row, at, summary

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


def of_verify(all_checked: Sequence[Checked], found: Sequence[Row]) -> Iterator[str]:
    """The summary and a table of the findings."""
    yield f"### pinner verify: {escaped(summary(all_checked))}"
    if not found:
        return
    yield ""
    yield "| | where | what | finding |"
    yield "| --- | --- | --- | --- |"
    for row in found:
        yield f"| {_SIGNS[row.level]} {row.rule} | {code(at(row.place))} | {code(row.subject)} | {escaped(row.text)} |"
