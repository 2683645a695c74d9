"""What `pinner verify` found, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pinner.distributions.advisories import Vulnerability, address
from pinner.distributions.catalogue import suite_named
from pinner.edit.span import Place
from pinner.report.diagnostic import Diagnostic, to_dicts
from pinner.report.verify import Checked, drift_text
from pinner.workflow.standing import Standing
from pinner.workflow.vulnerable import Exposed


def data(all_checked: Sequence[Checked]) -> dict[str, Any]:
    """One document for all projects, but for the errors."""
    pins: list[dict[str, Any]] = []
    packages: list[dict[str, Any]] = []
    broken: list[dict[str, Any]] = []
    drifts: list[dict[str, Any]] = []
    vulnerabilities: list[dict[str, Any]] = []
    notices: dict[tuple[str, str], dict[str, Any]] = {}
    notes: dict[str, None] = {}
    for checked in all_checked:
        verified = checked.verified
        pins += (
            {
                **_place(pin.place, checked),
                "name": pin.name,
                "pin": pin.version,
                "raw": pin.raw,
                "state": pin.state,
                "security": pin.security,
                "platforms": _standings(pin.standings),
            }
            for pin in verified.pins
        )
        packages += (
            {
                "name": held.name,
                "version": held.version,
                "asked": held.asked,
                "state": held.state,
                "files": [checked.shown(path) for path in held.files],
                "platforms": _standings(held.standings),
            }
            for held in verified.held
        )
        broken += (
            {
                **_place(each.place, checked),
                "command": each.command,
                "state": "uninstallable" if each.certain else "unknown",
                "platforms": list(each.platforms),
                "detail": each.detail,
                "hint": each.hint,
            }
            for each in verified.broken
        )
        drifts += (
            {
                **_place(place, checked),
                "kind": drift.kind,
                "name": drift.name,
                "locked": drift.locked,
                "found": drift.found,
                "platforms": list(drift.platforms),
                "detail": drift_text(drift),
            }
            for drift, place in verified.drifts
        )
        vulnerabilities += (_of_exposed(each, checked) for each in checked.exposed)
        notices |= {(each.rule, each.about): each._asdict() for each in verified.notices}
        notes |= dict.fromkeys(verified.notes)
    return {
        "pins": pins,
        "packages": packages,
        "uninstallable": broken,
        "drift": drifts,
        "vulnerabilities": vulnerabilities,
        "notices": list(notices.values()),
        "notes": list(notes),
    }


def line(all_checked: Sequence[Checked], found: Sequence[Diagnostic]) -> dict[str, Any]:
    """A repository in short: when its newest lock was made, how many pins stand how, and what was found."""
    pins = [pin for checked in all_checked for pin in checked.verified.pins]
    states = Counter(pin.state for pin in pins)
    held = [each.state for checked in all_checked for each in checked.verified.held if not each.asked]
    return {
        "locked": max((checked.verified.locked for checked in all_checked), default=""),
        "counts": {
            **{state: states[state] for state in ("live", "superseded", "gone", "unknown")},
            "security": sum(pin.security for pin in pins),
            "unpinned": sum(checked.verified.unpinned for checked in all_checked),
            "unread": sum(not each.subject for each in found),
            "locked_gone": held.count("gone"),
        },
        "diagnostics": to_dicts(found),
    }


def _of_exposed(exposed: Exposed, checked: Checked) -> dict[str, Any]:
    names = (exposed.source, *exposed.packages)
    known = suite_named(exposed.release)

    def each(found: Sequence[Vulnerability]) -> list[dict[str, Any]]:
        return [
            {
                **one._asdict(),
                "url": address(known[0].name if known else "", one.id),
                "accepted": str(checked.policy.accepted(one.id, names, checked.today) or ""),
            }
            for one in found
        ]

    files = [checked.shown(path) for path in exposed.files]
    return {**exposed._asdict(), "files": files, "fixed": each(exposed.fixed), "open": each(exposed.open)}


def _place(place: Place, checked: Checked) -> dict[str, Any]:
    return {**place._asdict(), "path": checked.shown(place.path)}


def _standings(standings: Mapping[str, Standing]) -> dict[str, Any]:
    return {platform: each._asdict() for platform, each in standings.items()}
