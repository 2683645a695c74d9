"""A report as workflow commands of GitHub Actions, which shows them as annotations.

Format and escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from pinner.errors import printable
from pinner.report.diagnostic import Diagnostic, Report

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """One command a diagnostic."""
    return "\n".join(map(_command, report.diagnostics))


def _command(each: Diagnostic) -> str:
    place = each.place
    properties = {"file": place.path} if place.path else {}
    properties["title"] = f"pinner: {each.code}"
    if place.line:
        properties |= {"line": str(place.line), "endLine": str(place.end_line)}
        if place.column and place.line == place.end_line:  # columns hold for one line alone
            properties |= {"col": str(place.column), "endColumn": str(place.end_column)}
    given = ",".join(f"{key}={_escaped(value, of_property=True)}" for key, value in properties.items())
    return f"::{_COMMANDS[each.severity]} {given}::{_escaped(each.text)}"


def _escaped(text: str, *, of_property: bool = False) -> str:
    text = printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if of_property else text
