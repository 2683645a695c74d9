"""A refresh as the text of a pull request: Markdown that stays below the limit of the hosts, however much changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pinner.apt.changelog import ChangelogEntry
from pinner.distributions.advisories import address
from pinner.errors import printable
from pinner.report.diagnostic import at, encoded
from pinner.report.markdown import code, escaped
from pinner.report.refresh import Outcome, link, title, why, why_based
from pinner.report.terminal import count, some
from pinner.stages.choice import short
from pinner.workflow.changes import Change
from pinner.workflow.moves import Stay
from pinner.workflow.vulnerable import VulnerabilityFix

LIMIT = 60_000  # characters; GitHub takes 65,536, and those who open the request add something of their own
_TABLE, _CHANGELOGS, _ALONG = 25_000, 45_000, 57_000  # up to where each part may fill the text
_LONGEST_UPLOAD = 2_000
_PLACES = 3
_MOST_CVES = 20
_REVERT = (
    "To leave one of these out, put its old version back where the table says, run `pinner lock`, and keep it there by "
    "a `[[policy.hold]]` in pinner.toml. Not those whose old version is gone: their lines would not build any more."
)


class _Text:
    """Grows line by line up to a bound."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0

    def add(self, *lines: str) -> None:
        """Add lines in any case."""
        self._lines += lines
        self._size += sum(len(line) + 1 for line in lines)

    def fill(self, head: str, blocks: Iterable[str], bound: int, noun: str) -> None:
        """Add blocks below a head as long as the whole text stays below `bound`; say how many are left out."""
        self.add("", head)
        left_out = 0
        for block in blocks:
            if left_out or self._size + len(block) > bound:
                left_out += 1
            else:
                self.add(block)
        if left_out:
            self.add("", f"… and {left_out} more {noun}.")

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"


def summary(outcome: Outcome) -> str:
    """A title line, a table of the changes, and details that open on a click. Below `LIMIT` characters."""
    text = _Text()
    head = escaped(title(outcome))
    text.add(f"## {head[0].upper()}{head[1:]}")
    if outcome.refused:
        text.add("", "Nothing was written: something cannot be refreshed, and all was to move or nothing.")
    if outcome.changes:
        heads = ["package", "from", "to", "age", "pocket", "why", "where"]
        if not any(outcome.uploads.values()):
            heads.remove("age")
        head = f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}"
        text.fill(head, (_row(each, outcome) for each in outcome.changes), _TABLE, "packages")
    if outcome.images:
        rows = (f"| {code(image.image)} | {escaped(why_based(image))} |" for image in outcome.images)
        text.fill("| base image | |\n| --- | --- |", rows, _TABLE, "base images")
    if outcome.stays:
        text.fill("### Left as they are\n", map(_stay, outcome.stays), _TABLE + 5_000, "pins")
    if outcome.unpinned:
        text.fill("### Without a pin\n", map(_stay, outcome.unpinned), _TABLE + 8_000, "packages")
    if outcome.fixes:
        text.fill("### Vulnerabilities fixed\n", map(_fix, outcome.fixes), _TABLE + 10_000, "source packages")
    if any(outcome.uploads.values()):
        head = "<details><summary>Changelogs</summary>\n"
        text.fill(head, _changelogs(outcome), _CHANGELOGS, "changelogs")
        text.add("", "</details>")
    if outcome.dependencies:
        urgent = sum(each.security for each in outcome.dependencies)
        said = f" ({count(urgent, 'security update')})" if urgent else ""
        head = f"{count(len(outcome.dependencies), 'package')} that come with them{said}"
        rows = (
            f"- {code(each.name)} {code(each.old or 'new')} → {code(each.new or 'not needed any more')} "
            f"({', '.join(map(short, each.platforms))}){' **security**' if each.security else ''}"
            for each in sorted(outcome.dependencies, key=lambda each: not each.security)
        )
        text.fill(f"<details><summary>{head}</summary>\n", rows, _ALONG, "packages")
        text.add("", "</details>")
    if outcome.changes and not outcome.refused:
        text.add("", _REVERT)
    return str(text)


def _where(change: Change) -> str:
    places = some([code(at(place)) for place in change.places], _PLACES)
    return f"{places} on {some([*map(code, change.images)], _PLACES)}" if change.images else places


def _row(change: Change, outcome: Outcome) -> str:
    place = link(change)
    name = f"[{code(change.name)}]({place})" if place else code(change.name)
    uploads = outcome.uploads.get(change.key, ())
    numbers = {each for upload in uploads for each in upload.ids if each.startswith("CVE-")}
    reason = why(change) + (f", names {count(len(numbers), 'CVE')}" if numbers else "")
    day = uploads[0].date if uploads else None
    age = [count((outcome.today - day).days, "day") if day else ""] if any(outcome.uploads.values()) else []
    old = code(change.old) if change.old else ""
    cells = (name, old, code(change.new), *age, escaped(change.pocket), escaped(reason), _where(change))
    return f"| {' | '.join(cells)} |"


def _stay(stay: Stay) -> str:
    name = code(f"{stay.name}={stay.pin}" if stay.pin else stay.name)
    return f"- {name} in {code(at(stay.place))}: {escaped(stay.why)[:_LONGEST_UPLOAD]}"


def _fix(fix: VulnerabilityFix) -> str:
    shown = [
        f"[{escaped(one.id)}]({address(fix.distribution, encoded(one.id))}) ({escaped(one.severity or 'not rated')})"
        for one in fix.fixed
    ]
    return f"- {code(fix.source)} {code(fix.old)} → {code(fix.new)}: {some(shown, _MOST_CVES)}"


def _changelogs(outcome: Outcome) -> Iterator[str]:
    """One for each source package, what concerns security first."""
    sources: dict[tuple[str, str], list[Change]] = {}
    for change in sorted(outcome.changes, key=lambda change: not change.security):
        if outcome.uploads.get(change.key):
            package = change.offer.package
            sources.setdefault((package.source, package.source_version), []).append(change)
    for (source, _), changes in sources.items():
        uploads: dict[str, ChangelogEntry] = {}
        for change in changes:
            uploads |= {each.version: each for each in outcome.uploads[change.key]}
        ids = dict.fromkeys(name for upload in uploads.values() for name in upload.ids)
        names = [each.name for each in changes if each.name != source]
        head = f"**{escaped(source)}**" + (f" ({', '.join(map(escaped, names))})" if names else "")
        head = " ".join([head, ", ".join(_linked(name, changes[0]) for name in ids)]).rstrip()
        if len(uploads) > 1:
            head += f"\n{len(uploads)} versions: {', '.join(map(code, uploads))}"
        yield "\n".join([head, "", *map(_upload, uploads.values()), ""])


def _linked(name: str, change: Change) -> str:
    """A CVE's or an advisory's number, with where the distribution says more."""
    index = change.offer.index
    if name.startswith("USN-"):
        return f"[{name}](https://ubuntu.com/security/notices/{name})"
    if index is not None and index.source.signed_by.keyring.startswith("ubuntu-"):
        return f"[{name}](https://ubuntu.com/security/{name})" if name.startswith("CVE-") else name
    return f"[{name}](https://security-tracker.debian.org/tracker/{name})"


def _upload(upload: ChangelogEntry) -> str:
    """An upload as indented code, in which nothing is markup."""
    body = printable(upload.text[:_LONGEST_UPLOAD])
    said = [f"urgency {escaped(upload.urgency)}"] if upload.urgency else []
    said += [str(upload.date)] if upload.date else []
    head = code(upload.version) + (f" ({', '.join(said)})" if said else "")
    return "\n".join([head, "", *(f"    {line}" for line in body.splitlines()), ""])
