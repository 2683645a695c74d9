"""What the security teams of Debian and Ubuntu publish of vulnerabilities, by release and source package.

Debian: the security tracker's JSON, one object of source packages, each of CVE numbers, each with `releases`
(https://security-tracker.debian.org/tracker/data/json; the tracker's documentation calls it unversioned). Of a release
`status` is `resolved` (with `fixed_version`, "0" where it never was vulnerable), `open` or `undetermined`; `urgency` is
the team's own, mostly `not yet assigned`; `nodsa` says why there is no advisory.

Ubuntu: one OSV record for each CVE (https://documentation.ubuntu.com/security/security-updates/osv/). What is listed in
`affected` is vulnerable; `fixed` is there once an update is. Ubuntu's priority is the severity of type `Ubuntu`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pinner.values import NamedTuple

#: Severities as both distributions give them, the worst first. What has none of these is unrated.
LEVELS = ("critical", "high", "medium", "low", "negligible")
_SAME = {"unimportant": "negligible"}
_UNRATED = ("", "not yet assigned", "untriaged", "unknown", "end-of-life")


class Vulnerability(NamedTuple):
    """One CVE in a source package of a release. `fixed` is the source version that fixes it, "" while there is none.

    `severity` is as the distribution gives it, "" where it gives none; `note` says why no fix is to be expected soon.
    """

    id: str
    fixed: str
    severity: str = ""
    note: str = ""

    @property
    def level(self) -> int | None:
        """The place in `LEVELS`, 0 the worst; None for one that is not rated."""
        name = _SAME.get(self.severity, self.severity)
        return LEVELS.index(name) if name in LEVELS else None


#: By release (a codename) and source package.
KnownVulnerabilities = dict[str, dict[str, list[Vulnerability]]]


def of_debian(members: Iterable[tuple[str, Any]], releases: Iterable[str]) -> KnownVulnerabilities:
    """What the tracker's members (source package and its value) say of releases.

    Raises `ValueError`, or what comes of values that are of other types than the format has.
    """
    found: KnownVulnerabilities = {release: {} for release in releases}
    for source, issues in members:
        for number, issue in issues.items():
            states = issue["releases"]
            for release in found.keys() & states.keys():
                one = _debian(number, states[release])
                if one is not None:
                    found[release].setdefault(source, []).append(one)
    return found


def _debian(number: str, state: Mapping[str, Any]) -> Vulnerability | None:
    fixed, urgency = str(state.get("fixed_version", "")), str(state.get("urgency", "")).rstrip("*")
    status = state.get("status")
    if status == "resolved" and fixed in ("", "0"):
        return None  # never vulnerable
    note = f"no advisory: {state['nodsa']}" if state.get("nodsa") else ""
    note = {"end-of-life": "no longer supported"}.get(urgency, note)
    note = "not determined whether it is vulnerable" if status == "undetermined" else note
    severity = "" if urgency in _UNRATED else urgency
    return Vulnerability(number, fixed if status == "resolved" else "", severity, note)


def of_ubuntu(records: Iterable[bytes], releases: Mapping[str, str]) -> KnownVulnerabilities:
    """What OSV records say of releases, by the number of each (`24.04`). Raises as `of_debian`."""
    import json

    names = {
        ecosystem: codename
        for number, codename in releases.items()
        for ecosystem in (f"Ubuntu:{number}", f"Ubuntu:{number}:LTS")
    }
    marks = [f'"{name}"'.encode() for name in names]
    found: KnownVulnerabilities = {codename: {} for codename in releases.values()}
    for text in records:
        if not any(mark in text for mark in marks):  # most are of other releases: they need not be read
            continue
        record = json.loads(text)
        if record.get("withdrawn"):
            continue
        number = next(iter(record.get("upstream") or ()), str(record["id"]).removeprefix("UBUNTU-"))
        severity = _priority(record.get("severity"))
        for affected in record.get("affected") or ():
            package = affected.get("package", {})
            codename = names.get(package.get("ecosystem", ""))
            if codename is not None:
                own = _priority(affected.get("severity"))
                own = own or str(affected.get("ecosystem_specific", {}).get("ubuntu_priority", ""))
                one = Vulnerability(number, _fixed(affected), own or severity)
                found[codename].setdefault(str(package["name"]), []).append(one)
    return found


def _priority(severities: Any) -> str:
    scores = [each.get("score", "") for each in severities or () if each.get("type") == "Ubuntu"]
    return "" if not scores or scores[0] in _UNRATED else str(scores[0])


def address(distribution: str, number: str) -> str:
    """Where a distribution says more of a CVE."""
    if distribution == "ubuntu":
        return f"https://ubuntu.com/security/{number}"
    return f"https://security-tracker.debian.org/tracker/{number}"


def _fixed(affected: Mapping[str, Any]) -> str:
    """The last version that a range says is the first without the fault."""
    fixed = ""
    for each in affected.get("ranges") or ():
        for event in each.get("events") or ():
            fixed = "" if "introduced" in event and event["introduced"] != "0" else fixed
            fixed = str(event.get("fixed", fixed))
    return fixed


def members(pieces: Iterable[str], largest: int) -> Iterator[tuple[str, Any]]:
    """The members of one JSON object, one after the other, of which no more than one is in memory.

    Raises `ValueError` for what is none, and for a member longer than `largest` characters.
    """
    import json

    decoder, source = json.JSONDecoder(), iter(pieces)
    text, at, first = "", 0, True

    def more() -> bool:
        nonlocal text, at
        grown = [text[at:]]
        size = len(grown[0])
        while (piece := next(source, None)) is not None:  # twice as much: what is long is tried seldom
            grown.append(piece)
            if sum(map(len, grown)) >= 2 * size:
                break
        text, at = "".join(grown), 0
        if len(text) > largest:
            raise ValueError("a member is too long")
        return len(grown) > 1

    def value() -> Any:
        nonlocal at
        while True:
            skip()
            try:
                found, at = decoder.raw_decode(text, at)
                return found
            except ValueError:
                if not more():
                    raise

    def skip() -> str:
        """The next character that is no blank."""
        nonlocal at
        while True:
            while at < len(text) and text[at] in " \t\r\n":
                at += 1
            if at < len(text) or not more():
                return text[at : at + 1]

    if skip() != "{":
        raise ValueError("it is no JSON object")
    at += 1
    while skip() not in ("}", ""):
        if not first:
            if skip() != ",":
                raise ValueError("members are not separated by commas")
            at += 1
        first = False
        key = value()
        if skip() != ":" or not isinstance(key, str):
            raise ValueError("a member has no name")
        at += 1
        yield key, value()
    if not text[at : at + 1]:
        raise ValueError("it breaks off")
