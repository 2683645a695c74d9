"""The results of many repositories as one: what is gone, what waits for security, what has no pin, where, how old.

A result is a JSON line, as `verify` or `refresh` writes one for each repository. The page is one file of HTML without
scripts and without anything that would have to be fetched.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from pinner.errors import InputError, printable
from pinner.report.terminal import count

_NEEDED = {"command": str, "repository": str, "status": int, "date": str}
_STATUSES = {
    0: "good",
    1: "differences or faults",
    3: "a file cannot be used",
    4: "apt would find no solution",
    5: "not reachable",
    6: "not trustworthy",
}
#: The columns of the table, each with the key of a repository's line.
_COUNTS = {
    "gone": "gone",
    "security": "security",
    "superseded": "superseded",
    "unpinned": "unpinned",
    "unread": "not read",
}
_AGES = ((7, "up to a week"), (30, "up to 30 days"), (90, "up to 90 days"), (10**6, "older"))
_MOST = 50  # findings of one repository that the page shows
_SHOWN = ("error", "warning", "note")
_FREQUENT = ("gone", "security", "cve-fixed", "uninstallable")  # by package


def read_line(text: str | bytes, path: str, number: int) -> dict[str, Any]:
    """One result. Raises `InputError` for a line that is none."""
    try:
        found = json.loads(text)
        if all(isinstance(found[key], kind) for key, kind in _NEEDED.items()):
            return dict(found)
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise InputError("this line is no result of pinner", path=path, line=number)


def merged(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest result of each repository and command, those that need attention first."""
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for line in lines:
        key = line["repository"], line["command"]
        if key not in newest or line["date"] >= newest[key]["date"]:
            newest[key] = line
    return sorted(newest.values(), key=_urgency)


def _counts(line: Mapping[str, Any]) -> dict[str, int]:
    """The numbers of a line; what could not be read at all is one thing that is not read."""
    found = {key: int((line.get("counts") or {}).get(key, 0)) for key in _COUNTS}
    return {**found, "unread": max(found["unread"], int(bool(line.get("errors"))))}


def _urgency(line: Mapping[str, Any]) -> tuple[Any, ...]:
    counts = _counts(line)
    return (*(-counts[key] for key in ("gone", "unread", "security")), -line["status"], line["repository"])


def data(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One document: totals, the packages that are met most often, and the results."""
    totals: Counter[str] = Counter()
    for line in lines:
        totals.update(_counts(line))
    statuses = sorted(Counter(line["status"] for line in lines).items())
    found = _packages(lines)
    return {
        "repositories": len({line["repository"] for line in lines}),
        "statuses": {str(status): n for status, n in statuses},
        "totals": dict(totals),
        "ages": ages(lines),
        "packages": [{"code": rule, "package": name, "repositories": n} for (rule, name), n in found],
        "results": list(lines),
    }


def ages(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many locks are how old: the time from the newest Release that each was made from to the run."""
    found: dict[str, int] = {name: 0 for _, name in _AGES}
    for line in lines:
        days = age(line)
        if days is not None:
            found[next(name for most, name in _AGES if days <= most)] += 1
    return found


def age(line: Mapping[str, Any]) -> int | None:
    """The age of a repository's lock in days, None without one."""
    try:
        span = datetime.fromisoformat(line["date"]) - datetime.fromisoformat(line.get("locked") or "")
    except (ValueError, TypeError):
        return None
    return max(span, timedelta(0)).days


def _findings(line: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (each for each in line.get("diagnostics") or () if isinstance(each, dict))


def _packages(lines: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[str, str], int]]:
    """By rule and package, in how many repositories it is found; the most frequent first."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        own = (each for each in _findings(line) if each.get("code") in _FREQUENT)
        found.update({(each["code"], str(each.get("subject", "")).partition("=")[0]) for each in own})
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]


def text(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """For people: the repositories that need attention, and a last line with the totals."""
    whole = data(lines)
    worst = [line for line in lines if line["status"] or _counts(line)["security"]]
    width = max((len(printable(line["repository"], line=True)) for line in worst), default=0)
    for line in worst:
        yield f"{printable(line['repository'], line=True):{width}}  {printable(_summary(line), line=True)}"
    totals = ", ".join(f"{number} {_COUNTS[key]}" for key, number in whole["totals"].items() if number)
    good = whole["statuses"].get("0", 0)
    yield f"{count(whole['repositories'], 'result')}, {good} of them good" + (f": {totals}" if totals else "")


def _summary(line: Mapping[str, Any]) -> str:
    counts = _counts(line)
    parts = [f"{counts[key]} {_COUNTS[key]}" for key in _COUNTS if counts[key]]
    errors = [str(each.get("message", "")) for each in line.get("errors") or ()]
    return "; ".join([*filter(None, [", ".join(parts)]), *errors[:1]]) or _STATUSES.get(line["status"], "")


def page(lines: Sequence[Mapping[str, Any]], title: str = "apt pins") -> str:
    """All of it as HTML."""
    whole = data(lines)
    tiles = [("repositories", whole["repositories"])]
    tiles += ((_COUNTS[key], n) for key, n in whole["totals"].items())
    statuses = (
        (f"{status}: {_STATUSES.get(int(status), 'another status')}", n)
        for status, n in whole["statuses"].items()
    )
    most = ((_mark(each["code"]), _code(each["package"]), each["repositories"]) for each in whole["packages"])
    parts = [
        _HEAD.format(title=escape(title)),
        "<dl>" + "".join(f"<div><dt>{escape(name)}</dt><dd>{n}</dd></div>" for name, n in tiles) + "</dl>",
        '<div class="side"><section>',
        *_table("Results", ("status", ""), ((escape(text), n) for text, n in statuses)),
        "</section><section>",
        *_table("Age of the locks", ("", "repositories"), ((escape(k), n) for k, n in whole["ages"].items())),
        "</section><section>",
        *_table("Packages met most often", ("", "package", "repositories"), most),
        "</section></div>",
        *_table("Repositories", ("repository", *_COUNTS.values(), "lock, days"), map(_row, lines)),
        "<h2>Findings</h2>",
        *(_details(line) for line in lines if line.get("diagnostics") or line.get("errors")),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _row(line: Mapping[str, Any]) -> tuple[object, ...]:
    counts = _counts(line)
    days = age(line)
    name = _name(line)
    if line.get("diagnostics") or line.get("errors"):
        name = f'<a href="#{_anchor(line)}">{name}</a>'
    return name, *(counts[key] or "" for key in _COUNTS), "" if days is None else days


def _name(line: Mapping[str, Any]) -> str:
    other = f" ({escape(line['command'])})" if line["command"] != "verify" else ""
    return escape(printable(line["repository"], line=True)) + other


def _anchor(line: Mapping[str, Any]) -> str:
    from hashlib import sha256

    name = f"{line['command']} {line['repository']}".encode("utf-8", "surrogatepass")
    return f"r{sha256(name).hexdigest()[:16]}"


def _details(line: Mapping[str, Any]) -> str:
    found, ranks = list(_findings(line)), {level: rank for rank, level in enumerate(_SHOWN)}
    rows = [
        (
            _mark(str(each.get("code", "")), str(each.get("severity", ""))),
            _code(f"{each.get('path', '')}{':' + str(each['line']) if each.get('line') else ''}"),
            _code(str(each.get("subject", ""))),
            escape(printable(str(each.get("message", "")))),
        )
        for each in sorted(found, key=lambda each: ranks.get(str(each.get("severity")), len(ranks)))[:_MOST]
    ]
    for each in line.get("errors") or ():
        what = escape(printable(str(each.get("message", ""))))
        rows.append((_mark("not read", "error"), _code(str(each.get("path", ""))), "", what))
    more = f"<p>… and {len(found) - _MOST} more</p>" if len(found) > _MOST else ""
    table = "".join(_table("", ("", "where", "what", "finding"), rows))
    head = f"<summary>{_name(line)}: {escape(printable(_summary(line), line=True))}</summary>"
    return f'<details id="{_anchor(line)}">{head}{table}{more}</details>'


def _mark(rule: str, level: str = "") -> str:
    kind = level if level in _SHOWN else {"gone": "error", "uninstallable": "error"}.get(rule, "warning")
    return f'<span class="{kind}">{escape(printable(rule, line=True))}</span>'


def _code(value: str) -> str:
    return f"<code>{escape(printable(value, line=True))}</code>" if value else ""


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table, if there is anything in it; its cells are HTML already."""
    body = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    if body:
        yield f"<h2>{escape(title)}</h2>" if title else ""
        yield f'<div class="wide"><table><tr>{"".join(f"<th>{escape(head)}</th>" for head in heads)}</tr>'
        yield from body
        yield "</table></div>"


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>
:root {{ color-scheme: light dark }}
:root {{ --line: #8884; --soft: #8881; --error: #b3261e; --warning: #8a5a00; --note: #2a5db0 }}
@media (prefers-color-scheme: dark) {{ :root {{ --error: #ff8a80; --warning: #ffc266; --note: #8ab4ff }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 }}
main {{ max-width: 75rem; margin: auto; padding: 1rem }}
dl {{ display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 }}
dl div {{ background: var(--soft); border-radius: .5rem; padding: .5rem 1rem; min-width: 6rem }}
dt {{ font-size: .8rem }} dd {{ margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums }}
.wide {{ overflow-x: auto }} .side {{ display: flex; flex-wrap: wrap; gap: 0 3rem }}
table {{ border-collapse: collapse; min-width: 20rem }}
th, td {{ text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }}
th, td {{ padding: .25rem .75rem .25rem 0 }} td {{ font-variant-numeric: tabular-nums }}
code {{ font-size: .9em; white-space: nowrap }}
details {{ border-bottom: 1px solid var(--line); padding: .4rem 0 }} summary {{ cursor: pointer }}
.error {{ color: var(--error); font-weight: 600 }} .warning {{ color: var(--warning); font-weight: 600 }}
.note {{ color: var(--note) }}
</style></head><body><main><h1>{title}</h1>"""
