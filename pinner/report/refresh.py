"""What `pinner refresh` changed: lines for people, a pull request's text, a commit's message, data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from pinner.edit.span import Place
from pinner.errors import PinnerError, printable
from pinner.regex import later
from pinner.report.diagnostic import Diagnostic, Shown, at, diagnostic, encoded, fields, of_error, to_dicts
from pinner.report.terminal import Style, coded, count, some
from pinner.report.verify import vulnerabilities
from pinner.stages.choice import short
from pinner.values import NamedTuple
from pinner.workflow.changes import Based, Change, DependencyChange
from pinner.workflow.moves import Stay
from pinner.workflow.vulnerable import VulnerabilityFix

if TYPE_CHECKING:
    from pinner.apt.changelog import ChangelogEntry
    from pinner.codes import Severity

DIGEST = 19  # characters of a digest that are shown: its algorithm, and as many as Docker shows
_PLAIN = later(r"[A-Za-z0-9.+:~*-]{1,100}")
KINDS = {
    "added": "pinned now",
    "rebuild": "rebuilt only",
    "revision": "update within the upstream version",
    "upstream": "another upstream version",
    "downgrade": "older than before",
}


class Outcome(NamedTuple):
    """A run over all projects. `uploads` are the changelog entries of a change, newest first; `refused` tells that
    nothing was or would be written; `fixes` are the vulnerabilities that end, where these were asked for; `unpinned`
    the arguments that have no pin."""

    changes: tuple[Change, ...]
    images: tuple[Based, ...]
    dependencies: tuple[DependencyChange, ...]
    stays: tuple[Stay, ...]
    uploads: Mapping[tuple[str, str, str], Sequence[ChangelogEntry]]
    wrote: tuple[str, ...]
    pins: int
    refused: bool
    written: bool
    notes: tuple[str, ...]
    fixes: tuple[VulnerabilityFix, ...] = ()
    unpinned: tuple[Stay, ...] = ()
    today: date = date.min


def why(change: Change) -> str:
    """What kind of change it is, the urgent first."""
    parts = ["security"] if change.security else []
    if change.gone:
        parts.append("the old one is gone")
    return ", ".join([*parts, KINDS[change.kind]])


def why_based(image: Based) -> str:
    """What has become of a base image."""
    parts = [f"{image.old_suite} → {image.new_suite}"] if image.old_suite != image.new_suite else []
    parts += [f"{image.old[:DIGEST]} → {image.new[:DIGEST]}"] if image.new else []
    return ", ".join(parts) or "its tag means another image now"


def _joined(parts: Sequence[str]) -> str:
    """`1 package, 2 base images and 3 packages`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def link(change: Change) -> str:
    """Where the changelog of the new version can be read, by source and version; "" for others' repositories."""
    package, index = change.offer.package, change.offer.index
    path = encoded(f"{package.source}/{package.source_version}")
    keyring = index.source.signed_by.keyring if index is not None else ""
    if keyring.startswith("debian-"):
        return f"https://sources.debian.org/src/{path}/debian/changelog/"
    return f"https://launchpad.net/ubuntu/+source/{path}" if keyring.startswith("ubuntu-") else ""


def title(outcome: Outcome) -> str:
    """`refresh 3 apt pins (1 security update)`; where it is one source package, `refresh openssl to 3.0.18-1`."""
    if not outcome.changes and not outcome.images:
        return "refresh dependencies of apt pins" if outcome.dependencies else "nothing to refresh"
    urgent = sum(change.security for change in outcome.changes)
    sources = {(change.offer.package.source, change.new) for change in outcome.changes}
    if len(sources) == 1 and not outcome.images:
        ((source, version),) = sources
        name = source if len({change.name for change in outcome.changes}) > 1 else outcome.changes[0].name
        if _PLAIN.fullmatch(f"{name}{version}"):
            return f"refresh {name} to {version}{' (security update)' if urgent else ''}"
    parts = [count(len(outcome.changes), "apt pin")] if outcome.changes else []
    parts += [count(len(outcome.images), "base image")] if outcome.images else []
    text = f"refresh {_joined(parts)}"
    return f"{text} ({count(urgent, 'security update')})" if urgent else text


def commit_message(outcome: Outcome) -> str:
    """A conventional commit's message (https://www.conventionalcommits.org/)."""
    lines = [f"build(deps): {title(outcome)}", ""]
    lines += (
        f"- {each.name} {each.old or '(unpinned)'} -> {each.new} ({why(each)})" for each in outcome.changes
    )
    lines += (f"- {image.image}: {why_based(image)}" for image in outcome.images)
    if outcome.dependencies:
        lines.append(f"- {count(len(outcome.dependencies), 'package')} installed with them")
    return printable("\n".join(lines)).rstrip("\n") + "\n"


def lines(outcome: Outcome, style: Style) -> Iterator[str]:
    """One line a change, and one for each pin that was left although it is not what apt would take."""
    rows = []
    for change in () if style.quiet else outcome.changes:
        colour = "31" if change.security or change.gone else "32"
        what = f"{change.name} {change.old or '(none)'} → {change.new}"
        rows.append((some([*map(at, change.places)], 1), what, colour, why(change)))
    for image in () if style.quiet else outcome.images:
        rows.append(("base image", image.image, "", printable(why_based(image))))
    for stay in outcome.stays:
        fails = stay.gone or stay.refuses
        if fails or not style.quiet:
            label = coded("cannot move" if stay.refuses else "not moved", stay.code)
            text = f"{style.paint(label, '31' if fails else '33')}: {printable(stay.why)}"
            rows.append((at(stay.place), _subject(stay), "", text))
    yield from style.rows(rows)
    for fix in () if style.quiet else outcome.fixes:
        yield f"fixed in {fix.source} {fix.new}: {printable(vulnerabilities(fix.fixed))}"
    if style.verbose:
        for each in outcome.dependencies:
            text = f"{each.name} {each.old or '(new)'} → {each.new or '(not needed any more)'}"
            yield printable(f"dependencies: {text} ({', '.join(map(short, each.platforms))})")


def diagnostics(
    outcome: Outcome, errors: Iterable[PinnerError], shown: Shown = str, *, check: bool = False
) -> Iterator[Diagnostic]:
    """What moves or would, which is an error with `check`, what stays, and those errors that no stay tells."""
    for change in outcome.changes:
        code = "gone" if change.gone else "security" if change.security else "superseded"
        text = f"{change.old} → {change.new}, {why(change)}" if change.old else f"pinned to {change.new}"
        for place in change.places:
            found = diagnostic(code if change.old else "unpinned", "note", place, change.name, text)
            yield found._replace(severity="error" if check else "note")
    for image in outcome.images:
        severity: Severity = "error" if check else "note"
        yield diagnostic("image-moved", severity, Place(""), image.image, why_based(image))
    for stay in outcome.stays:
        found = diagnostic(stay.code, "error", stay.place, _subject(stay), stay.why)
        yield found if stay.gone or stay.refuses else found._replace(severity="note")
    said = {stay.why for stay in outcome.stays}
    yield from (of_error(error, shown) for error in errors if error.message not in said)


def summary(outcome: Outcome) -> str:
    """The last line."""
    if outcome.refused:
        return "nothing was written: --atomic, and something cannot be refreshed"
    few = len(outcome.wrote) <= 5
    names = ", ".join(map(printable, outcome.wrote)) if few else f"{len(outcome.wrote)} files"
    wrote = f"; {'wrote' if outcome.written else 'would write'} {names}" if outcome.wrote else ""
    if not outcome.changes and not outcome.images and not outcome.dependencies:
        if any(stay.refuses for stay in outcome.stays):
            return f"nothing was refreshed{wrote}"
        if outcome.stays:
            return f"nothing to refresh; {count(len(outcome.stays), 'pin')} not moved{wrote}"
        return f"nothing to refresh: {count(outcome.pins, 'pin')} as apt would take them{wrote}"
    done = "refreshed" if outcome.written else "would refresh"
    urgent = sum(change.security for change in outcome.changes)
    parts = [count(len(outcome.images), "base image")] if outcome.images else []
    if outcome.changes or not parts:
        own = count(len(outcome.changes), "package")
        parts.insert(0, f"{own} ({urgent} by security)" if urgent else own)
    parts += (
        [f"{count(len(outcome.dependencies), 'package')} installed with them"] if outcome.dependencies else []
    )
    stuck = sum(stay.refuses for stay in outcome.stays)
    return (
        f"{done} {_joined(parts)}{f', {stuck} cannot move' if stuck else ''}{wrote or '; nothing to write'}"
    )


def _subject(stay: Stay) -> str:
    return f"{stay.name}={stay.pin}" if stay.pin else stay.name


def line(outcome: Outcome, found: Sequence[Diagnostic]) -> dict[str, Any]:
    """A repository in short: what moved, and what was found."""
    return {
        "changed": bool(outcome.wrote),
        "counts": {
            "moved": len(outcome.changes),
            "gone": sum(stay.gone for stay in outcome.stays),
            "unpinned": len(outcome.unpinned),
        },
        "moves": [fields(each, "name old new") for each in outcome.changes],
        "diagnostics": to_dicts(found),
    }


def data(outcome: Outcome) -> dict[str, Any]:
    """The outcome as data."""
    changes: list[dict[str, Any]] = [
        {
            **fields(change, "name old new pocket security gone kind"),
            **fields(change.offer.package, "source source_version"),
            "changelog": link(change),
            "places": [place._asdict() for place in change.places],
            "images": list(change.images),
            "uploads": [
                {**each._asdict(), "date": str(each.date or ""), "ids": list(each.ids)}
                for each in outcome.uploads.get(change.key, ())
            ],
        }
        for change in outcome.changes
    ]
    return {
        "title": title(outcome),
        "changes": changes,
        "images": [each._asdict() for each in outcome.images],
        "dependencies": [each._asdict() for each in outcome.dependencies],
        "stays": [{**stay._asdict(), "place": stay.place._asdict()} for stay in outcome.stays],
        "unpinned": [
            {**fields(each, "name why code"), "place": each.place._asdict()} for each in outcome.unpinned
        ],
        "pin_count": outcome.pins,
        "vulnerabilities": [
            {**each._asdict(), "fixed": [one._asdict() for one in each.fixed]} for each in outcome.fixes
        ],
        "refused": outcome.refused,
        "wrote": list(outcome.wrote) if outcome.written else [],
        "would_write": [] if outcome.written else list(outcome.wrote),
        "notes": list(outcome.notes),
    }
