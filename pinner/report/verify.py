"""What `pinner verify` found, as diagnostics and as lines for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pinner.distributions.advisories import Vulnerability
from pinner.edit.span import Place
from pinner.errors import InputError, printable
from pinner.report.diagnostic import Diagnostic, Report, at, diagnostic, of_error
from pinner.report.terminal import Style, coded, count, some
from pinner.stages.choice import short
from pinner.stages.policy import Policy
from pinner.values import NamedTuple
from pinner.workflow.drift import Drift
from pinner.workflow.standing import Standing
from pinner.workflow.verified import LockedVersion, Pin, Verified
from pinner.workflow.vulnerable import Exposed, counts

if TYPE_CHECKING:
    from pinner.codes import Severity

_MOST = 6  # vulnerabilities that are named in a line
_ERROR: Severity = "error"
_WARNING: Severity = "warning"
_BREAKS = frozenset({"image-suite", "image-passed"})
_COLOURS: Mapping[Severity, str] = {"error": "31", "warning": "33", "note": "36"}


class Checked(NamedTuple):
    """One project: what was found, the name of its lock, and what counts as an error there today. `exposed` are the
    vulnerabilities of what is locked, where they were asked for. All files are named as they are to be shown."""

    verified: Verified
    name: str
    policy: Policy = Policy()
    today: date = date.min
    exposed: tuple[Exposed, ...] = ()


def diagnostics(checked: Checked, said: Collection[str] = ()) -> Iterator[Diagnostic]:
    """All findings of a project but what is live. `said`, of `policy.FAILURES`, makes these errors too; "" leaves that
    to the policy."""
    verified, policy = checked.verified, checked.policy
    fail_on = said or policy.fail_on
    # Builds whose pins are meant to outlive a revision go on without the one that is locked.
    globs = [pin for pin in verified.pins if policy.pin != "exact" and "*" in pin.version]
    loose = {pin.place.path for pin in globs if pin.state != "gone"}
    gone: set[tuple[str, str]] = set()
    for pin in verified.pins:
        if pin.state == "gone":
            versions = (pin.version, *(each.version for each in pin.standings.values()))
            gone |= {(pin.name, each) for each in versions}
        if pin.state != "live":
            waits = _waits(pin, checked, said=bool(said)) if pin.state == "superseded" else ""
            rule, level = _severity(pin, () if waits else fail_on)
            text = by_platform(pin.standings)
            if waits:
                text += f"; {waits}"
            elif pin.lag is not None and policy.max_lag is not None and pin.lag > policy.max_lag:
                rule, level, allowed = "lag", "error", span(policy.max_lag)
                text += f"; pinned {count(pin.lag.days, 'day')} ago, and the policy allows {allowed}"
            subject = f"{pin.name}={pin.version}" if pin.version else " ".join(pin.raw.split())
            yield diagnostic(rule, level, pin.place, subject, text)
    for broken in verified.broken:
        text = broken.detail + (f" ({', '.join(map(short, broken.platforms))})" if broken.platforms else "")
        code, level = ("uninstallable", _ERROR) if broken.certain else ("unfollowed", _WARNING)
        yield diagnostic(broken.code or code, level, broken.place, broken.command, text, broken.hint)
    for drift, place in verified.drifts:
        yield diagnostic("drift", "error", place, drift.name, drift_text(drift))
    for locked in verified.packages:
        if locked.state == "gone" and (locked.name, locked.version) not in gone:
            text = f"{by_platform(locked.standings)}; locked for {', '.join(locked.files)}"
            level = "warning" if loose.issuperset(locked.files) else "error"
            yield diagnostic("gone", level, Place(checked.name), f"{locked.name}={locked.version}", text)
    for exposed in checked.exposed:
        yield from _of_exposed(exposed, checked, fail_on)
    for notice in verified.notices:
        level = "error" if notice.rule in _BREAKS else "warning"
        yield diagnostic(notice.rule, level, Place(checked.name), notice.about, notice.text)
    for error in verified.errors:
        yield of_error(error, otherwise=checked.name)


def span(length: timedelta) -> str:
    """`3 days`, or hours where there is no whole day."""
    return count(length.days, "day") if length.days else count(length.seconds // 3600, "hour")


def _waits(pin: Pin, checked: Checked, *, said: bool) -> str:
    """Why the policy does not let a pin move that has a newer version, "" if it does; then it is no fault, either.

    What the command line says to fail on counts more than that only security updates are wanted.
    """
    hold = checked.policy.held(pin.name, checked.today)
    if hold is not None:
        return str(hold)
    if checked.policy.security_only and not pin.security and not said:
        return "the policy waits for security updates"
    return pin.young


def _severity(pin: Pin, fail_on: Collection[str]) -> tuple[str, Severity]:
    if pin.state != "superseded":
        return pin.state, "error"
    if pin.security:
        return "security", "error" if {"security", "superseded"} & set(fail_on) else "warning"
    return "superseded", "error" if "superseded" in fail_on else "note"


def _of_exposed(exposed: Exposed, checked: Checked, fail_on: Collection[str]) -> Iterator[Diagnostic]:
    """What the waiting version fixes, what stays open, or that this is not known."""
    levels = [each.removeprefix("cve:") for each in fail_on if each.startswith("cve:")]
    place, subject = Place(checked.name), f"{exposed.source}={exposed.version}"
    where = f"in the base image {exposed.image} of" if exposed.image else "locked for"
    files = f"; {where} {', '.join(exposed.files)}"
    if not exposed.source:
        text = f"its vulnerabilities are not known{files}"
        yield diagnostic("cve-unknown", "error" if levels else "warning", place, exposed.release, text)
    names = (exposed.source, *exposed.packages)
    for rule, found in (("cve-fixed", exposed.fixed), ("cve-open", exposed.open)):
        fixed = rule == "cve-fixed"
        own = [one for one in found if not checked.policy.accepted(one.id, names, checked.today)]
        if own:
            fails = any(counts(one, levels, fixed=fixed) for one in own)
            head = f"{exposed.waiting} is available and fixes " if fixed else "open: "
            level: Severity = "error" if fails else "warning" if fixed else "note"
            yield diagnostic(rule, level, place, subject, f"{head}{vulnerabilities(own)}{files}")


def vulnerabilities(found: Sequence[Vulnerability]) -> str:
    """The first ones with their severities, and how many more there are."""
    return some([f"{one.id} ({one.severity or 'not rated'})" for one in found], _MOST)


def standing_text(each: Standing) -> str:
    """How a version stands, as a clause."""
    newer = f"{each.newer} in {each.newer_pocket}" if each.newer_pocket else each.newer
    security = ", a security update" if each.security else ""
    if each.state == "live":
        return f"live in {each.pocket}" if each.pocket else "live"
    if each.state == "superseded":
        return f"superseded by {newer}{security}"
    if each.state == "unknown":
        return f"not checked: {each.detail}" if each.detail else "not checked"
    text = f"gone: {each.detail}" if each.detail else "gone"
    if each.newer and not each.detail:
        text += f"; next is {newer}{security}"
        if each.candidate != each.newer:
            text += f"; apt would take {each.candidate}"
    return text


def by_platform(standings: Mapping[str, Standing]) -> str:
    """The clauses of all platforms; equal ones are said once."""
    groups: dict[str, list[str]] = {}
    for platform, each in standings.items():
        groups.setdefault(standing_text(each), []).append(short(platform))
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{', '.join(platforms)}: {text}" for text, platforms in groups.items())


def drift_text(drift: Drift) -> str:
    """A difference between file and lock, as a clause."""
    where = f" ({', '.join(map(short, drift.platforms))})"
    hint = "; pinner lock writes it down"
    texts = {
        "edited": f"the file has {drift.found}, the lock {drift.locked}",
        "removed": f"the lock has {drift.locked}, which the file does not ask for",
        "added": f"the file asks for {drift.found}, which the lock does not know",
        "unlocked": "the lock does not know it",
        "file-gone": "the lock knows this file, which is not there",
        "conflict": f"the lock contradicts itself here ({drift.locked}): run pinner lock",
        "stage-gone": "the lock knows this stage, which the file does not have",
        "suite": f"the stage is based on {drift.found}, the lock has {drift.locked}",
    }
    return texts[drift.kind] + where + hint


def lines(all_checked: Sequence[Checked], found: Sequence[Diagnostic], style: Style) -> Iterator[str]:
    """One line a diagnostic but for errors; with `verbose` also what is live, and locked packages with newer ones."""
    shown: list[tuple[str, str, str, str]] = []
    for each in found:
        if each.subject and (each.severity == "error" or not style.quiet):
            label = style.paint(coded(each.severity, each.code), _COLOURS[each.severity])
            text = f"{label}: {printable(each.message)}" + (f" ({printable(each.help)})" if each.help else "")
            shown.append((at(each.place), each.subject, "", text))
    for checked in all_checked if style.verbose else ():
        verified = checked.verified
        quiet: list[tuple[str, Pin | LockedVersion]] = [
            (at(pin.place), pin) for pin in verified.pins if pin.state == "live"
        ]
        quiet += [
            (checked.name, locked)
            for locked in verified.packages
            if locked.state == "superseded" and not locked.asked
        ]
        shown += (
            (where, f"{each.name}={each.version}", "", printable(by_platform(each.standings)))
            for where, each in quiet
        )
    yield from style.rows(shown, widest=48)


def summary(all_checked: Sequence[Checked]) -> str:
    """The last line: how many pins and locked packages were checked, and how they stand."""
    pins = [pin for checked in all_checked for pin in checked.verified.pins]
    locked = [each for checked in all_checked for each in checked.verified.packages if not each.asked]
    if not pins:
        errors = (error for one in all_checked for error in one.verified.errors)
        unread = {each.path for each in errors if isinstance(each, InputError)}
        if unread and unread.issuperset(path for one in all_checked for path in one.verified.files):
            return "no file could be checked"
        unpinned = sum(checked.verified.unpinned for checked in all_checked)
        return "found no pins" + (f"; {count(unpinned, 'package')} without one" if unpinned else "")
    platforms = dict.fromkeys(name for pin in pins for name in pin.standings if name)
    text = f"checked {count(len(pins), 'pin')}"
    text += f" and {count(len(locked), 'package')} installed with them" if locked else ""
    text += f" for {', '.join(platforms)}" if platforms else ""
    broken = sum(each.certain for checked in all_checked for each in checked.verified.broken)
    drifts = sum(len(checked.verified.drifts) for checked in all_checked)
    parts = [states(pins)]
    if locked:
        parts.append(f"dependencies: {states(locked)}")
    if broken:
        parts.append(f"{count(broken, 'install command')} uninstallable")
    if drifts:
        parts.append(f"{count(drifts, 'difference')} from the lock")
    return f"{text}: {'; '.join(parts)}"


def states(things: Sequence[Pin] | Sequence[LockedVersion]) -> str:
    """`8 live, 1 superseded (1 by security), 1 gone`."""
    parts = []
    for state in ("live", "superseded", "gone", "unknown"):
        group = [thing for thing in things if thing.state == state]
        if not group:
            continue
        urgent = sum(any(each.security for each in thing.standings.values()) for thing in group)
        tail = f" ({urgent} by security)" if urgent and state == "superseded" else ""
        parts.append(f"{len(group)} {state}{tail}")
    return ", ".join(parts)


def report(all_checked: Sequence[Checked], found: Sequence[Diagnostic], now: datetime) -> Report:
    """The run in whichever format."""
    return Report(
        "verify",
        summary(all_checked),
        tuple(found),
        tuple(path for checked in all_checked for path in checked.verified.files),
        tuple(
            (pin.place, f"{pin.name}={pin.version}")
            for checked in all_checked
            for pin in checked.verified.pins
            if pin.state == "live"
        ),
        now,
    )
