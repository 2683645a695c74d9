"""Findings as workflow commands of GitHub Actions, which shows them as annotations.

Format and escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinner.errors import printable
from pinner.report.verify import Row

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def commands(found: Sequence[Row]) -> Iterator[str]:
    """One command a finding."""
    for row in found:
        place = row.place
        properties = {"file": place.path, "title": f"pinner: {row.rule}"}
        if place.line:
            properties |= {"line": str(place.line), "endLine": str(place.end_line)}
            if place.line == place.end_line:  # columns hold for one line alone
                properties |= {"col": str(place.column), "endColumn": str(place.end_column)}
        told = ",".join(f"{key}={_escaped(value, of_property=True)}" for key, value in properties.items())
        yield f"::{_COMMANDS[row.level]} {told}::{_escaped(f'{row.subject}: {row.text}')}"


def _escaped(text: str, *, of_property: bool = False) -> str:
    text = printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if of_property else text
