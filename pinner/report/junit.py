"""Findings as JUnit XML, the form that build servers read: a test suite for each file, a test case for each pin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import quoteattr

from pinner.regex import later
from pinner.report.verify import Checked, Row, at

# What XML 1.0 cannot hold, not even escaped (section 2.2).
_NOT_XML = later(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(all_checked: Sequence[Checked], found: Sequence[Row], now: datetime) -> str:
    """One document; live pins are cases that pass, findings that count against the run are failures.

    Other findings stand in the suite's output. Valid against Ant's schema (https://github.com/windyroad/JUnit-Schema),
    which demands the most, and that of Jenkins' xUnit plugin.
    """
    cases: dict[str, list[tuple[str, Row | None]]] = {}
    told: dict[str, list[str]] = {}
    for checked in all_checked:
        for path in checked.verified.files:
            cases.setdefault(checked.shown(path), [])
        for pin in checked.verified.pins:
            if pin.state == "live":
                name = f"line {pin.place.line}: {pin.name}={pin.version}"
                cases[checked.shown(pin.place.path)].append((name, None))
    for row in found:
        head = f"line {row.place.line}: " if row.place.line else ""
        failing = row if row.level == "error" else None
        cases.setdefault(row.place.path, []).append((f"{head}{row.subject} {row.rule}", failing))
        if failing is None:
            told.setdefault(row.place.path, []).append(f"{at(row.place)}: {row.subject}: {row.text}")
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for number, (path, group) in enumerate(cases.items()):
        out += _suite(number, path, group, told.get(path, ()), f"{now:%Y-%m-%dT%H:%M:%S}")
    out.append("</testsuites>")
    return "\n".join(out)


def _suite(
    number: int, path: str, cases: Sequence[tuple[str, Row | None]], told: Sequence[str], timestamp: str
) -> Iterator[str]:
    failures = sum(row is not None for _, row in cases)
    yield (
        f'  <testsuite id="{number}" package="pinner" name={_quoted(path)} timestamp="{timestamp}" '
        f'hostname="localhost" tests="{len(cases)}" failures="{failures}" errors="0" time="0">'
    )
    yield "    <properties/>"
    for name, row in cases:
        head = f'    <testcase classname={_quoted(path)} name={_quoted(name)} time="0"'
        if row is None:
            yield f"{head}/>"
        else:
            failure = f"<failure type={_quoted(row.rule)} message={_quoted(row.text)}/>"
            yield f"{head}>{failure}</testcase>"
    text = "\n".join(told)
    yield f"    <system-out>{_text(text)}</system-out>"
    yield "    <system-err/>"
    yield "  </testsuite>"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _quoted(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _text(text: str) -> str:
    return _clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
