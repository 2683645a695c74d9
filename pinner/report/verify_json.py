"""What `pinner verify` found, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pinner.distributions.advisories import Vulnerability, address
from pinner.distributions.catalogue import suite_named
from pinner.edit.span import Place
from pinner.report.diagnostic import Diagnostic, fields, to_dicts
from pinner.report.verify import Checked, drift_text
from pinner.workflow.drift import Drift
from pinner.workflow.standing import Standing
from pinner.workflow.verified import Broken, LockedVersion, Pin
from pinner.workflow.vulnerable import Exposed


def data(all_checked: Sequence[Checked]) -> dict[str, Any]:
    """One document for all projects, but for the errors."""
    notices = {(each.rule, each.about): each for checked in all_checked for each in checked.verified.notices}
    return {
        "pins": [_pin(each) for checked in all_checked for each in checked.verified.pins],
        "packages": [_locked(each) for checked in all_checked for each in checked.verified.packages],
        "uninstallable": [_broken(each) for checked in all_checked for each in checked.verified.broken],
        "drift": [_drift(*each) for checked in all_checked for each in checked.verified.drifts],
        "vulnerabilities": [
            _of_exposed(each, checked) for checked in all_checked for each in checked.exposed
        ],
        "notices": [each._asdict() for each in notices.values()],
        "notes": list(dict.fromkeys(each for checked in all_checked for each in checked.verified.notes)),
    }


def line(all_checked: Sequence[Checked], found: Sequence[Diagnostic]) -> dict[str, Any]:
    """A repository in short: when its newest lock was made, how many pins stand how, and what was found."""
    pins = [pin for checked in all_checked for pin in checked.verified.pins]
    states = Counter(pin.state for pin in pins)
    locked = [each.state for checked in all_checked for each in checked.verified.packages if not each.asked]
    return {
        "locked": max((checked.verified.locked for checked in all_checked), default=""),
        "counts": {
            **{state: states[state] for state in ("live", "superseded", "gone", "unknown")},
            "security": sum(pin.security for pin in pins),
            "unpinned": sum(checked.verified.unpinned for checked in all_checked),
            "unread": sum(not each.subject for each in found),
            "locked_gone": locked.count("gone"),
        },
        "diagnostics": to_dicts(found),
    }


def _pin(pin: Pin) -> dict[str, Any]:
    return {
        **pin.place._asdict(),
        "name": pin.name,
        "pin": pin.version,
        **fields(pin, "raw state security"),
        "platforms": _standings(pin.standings),
    }


def _locked(locked: LockedVersion) -> dict[str, Any]:
    own = fields(locked, "name version asked state")
    return {**own, "files": list(locked.files), "platforms": _standings(locked.standings)}


def _broken(broken: Broken) -> dict[str, Any]:
    return {
        **broken.place._asdict(),
        "command": broken.command,
        "state": "uninstallable" if broken.certain else "unknown",
        "platforms": list(broken.platforms),
        **fields(broken, "detail hint"),
    }


def _drift(drift: Drift, place: Place) -> dict[str, Any]:
    own = fields(drift, "kind name locked found")
    return {**place._asdict(), **own, "platforms": list(drift.platforms), "detail": drift_text(drift)}


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

    return {**exposed._asdict(), "fixed": each(exposed.fixed), "open": each(exposed.open)}


def _standings(standings: Mapping[str, Standing]) -> dict[str, Any]:
    return {platform: each._asdict() for platform, each in standings.items()}
