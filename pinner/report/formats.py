"""The formats of a report for other programs, each a module with `render(report)`: a new one is a module and a row."""

from __future__ import annotations

from importlib import import_module

from pinner.report.diagnostic import Report

#: What `--format` may say, and the module that makes it; text and JSON are each command's own.
FORMATS = {
    "text": "",
    "json": "",
    "markdown": "markdown",
    "sarif": "sarif",
    "github": "github",
    "junit": "junit",
}


def render(form: str, report: Report) -> str:
    """A report in a format other than text and JSON."""
    text: str = import_module(f"pinner.report.{FORMATS[form]}").render(report)
    return text
