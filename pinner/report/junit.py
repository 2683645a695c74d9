"""A report as JUnit XML, the form that build servers read: a test suite for each file, a test case for each pin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from pinner.errors import printable
from pinner.regex import later
from pinner.report.diagnostic import Diagnostic, Report, at

# What XML 1.0 cannot hold, not even escaped (section 2.2).
_NOT_XML = later(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """One document; what is good are cases that pass, errors are failures, all else stands in the suite's output.

    Valid against Ant's schema (https://github.com/windyroad/JUnit-Schema), which demands the most, and that of
    Jenkins' xUnit plugin.
    """
    cases: dict[str, list[tuple[str, Diagnostic | None]]] = {path: [] for path in report.files}
    output: dict[str, list[str]] = {}
    for place, subject in report.passed:
        cases.setdefault(place.path, []).append((f"line {place.line}: {subject}", None))
    for each in report.diagnostics:
        place = each.place
        head = f"line {place.line}: " if place.line else ""
        failing = each if each.severity == "error" else None
        case = f"{head}{each.subject} {each.code}" if each.subject else f"{head}{each.code}"
        cases.setdefault(place.path, []).append((case, failing))
        if failing is None:
            output.setdefault(place.path, []).append(f"{at(place)}: {each.text}")
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for number, (path, group) in enumerate(cases.items()):
        out += _suite(number, path, group, output.get(path, ()), f"{report.now:%Y-%m-%dT%H:%M:%S}")
    out.append("</testsuites>")
    return "\n".join(out)


def _suite(
    number: int,
    path: str,
    cases: Sequence[tuple[str, Diagnostic | None]],
    output: Sequence[str],
    timestamp: str,
) -> Iterator[str]:
    failures = sum(failing is not None for _, failing in cases)
    yield (
        f'  <testsuite id="{number}" package="pinner" name={_quoted(path)} timestamp="{timestamp}" '
        f'hostname="localhost" tests="{len(cases)}" failures="{failures}" errors="0" time="0">'
    )
    yield "    <properties/>"
    for name, failing in cases:
        head = f'    <testcase classname={_quoted(path)} name={_quoted(name)} time="0"'
        if failing is None:
            yield f"{head}/>"
        else:
            failure = f"<failure type={_quoted(failing.code)} message={_quoted(failing.text)}/>"
            yield f"{head}>{failure}</testcase>"
    text = "\n".join(output)
    yield f"    <system-out>{escape(_clean(text))}</system-out>"
    yield "    <system-err/>"
    yield "  </testsuite>"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", printable(text))


def _quoted(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
