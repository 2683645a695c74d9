"""What `pinner snapshot find` found, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from pinner.distributions.moments import UBUNTU, UBUNTU_STEP
from pinner.errors import printable
from pinner.report.terminal import some
from pinner.search.coexist import FoundMoment
from pinner.search.find import SearchResult
from pinner.search.windows import WantedVersion

_SHOWN = 6
_HOUR = timedelta(hours=1)


def lines(results: Sequence[SearchResult]) -> Iterator[str]:
    """For people: the moments of each suite, and why one is not enough."""
    for result in results:
        answer = result.answer
        stepped = any(place.archive == UBUNTU for place in result.wanted.places())
        suite = result.wanted.name
        there = sum(len(found.items) for found in answer.found)
        if len(answer.found) == 1:
            said = "the version is there" if there == 1 else f"all {there} versions are there"
            yield f"{suite}: {said} at {_moment(answer.found[0])}"
        elif answer.found:
            yield f"{suite}: no moment has all {there} versions; it takes {len(answer.found)}:"
            for found in answer.found:
                yield f"  {_moment(found)}: {printable(some(_by_name(found.items), _SHOWN))}"
            for found in answer.found:
                yield from _apart(found)
        none = "none of these moments" if stepped else "no snapshot"
        clauses = result.wanted.elsewhere
        for maybe in dict.fromkeys(clauses.get(each, "") for each in answer.never):
            for name in _by_name(each for each in answer.never if clauses.get(each, "") == maybe):
                yield printable(f"{suite}: {none} has {name}" + (f"; {maybe}" if maybe else ""))
        every = f", one every {UBUNTU_STEP // _HOUR} hours" if stepped else ""
        yield f"  proven by the indices of {result.read} of the {result.moments} moments{every}"


def _moment(found: FoundMoment) -> str:
    imports = ", ".join(f"{archive} {stamp}" for archive, stamp in found.imports)
    return f"{found.moment} ({imports})"


def _by_name(items: Iterable[WantedVersion]) -> list[str]:
    found: dict[tuple[str, str], list[str]] = {}
    for item in items:
        found.setdefault(item[:2], []).append(item.platform.removeprefix("linux/"))
    return [f"{name}={version} ({', '.join(platforms)})" for (name, version), platforms in found.items()]


def _apart(found: FoundMoment) -> Iterator[str]:
    """The intervals that contradict each other."""
    groups: dict[tuple[str, tuple[str, ...]], list[WantedVersion]] = {}
    for item, versions in found.apart:
        groups.setdefault((item.name, versions), []).append(item)
    lines = []
    for (_, versions), items in groups.items():
        has = f": it had {', '.join(versions)}" if versions else ""
        for name in _by_name(items):
            if found.last is not None:
                text = f"{found.last} is not there after {found.moment}, {name} not at that time yet{has}"
            else:
                text = f"{name} is not there at {found.moment}{has}"
            lines.append(printable(f"  {text}"))
    yield from lines[:_SHOWN]
    if lines[_SHOWN:]:
        yield f"  and so on for {len(lines) - _SHOWN} more"


def data(results: Sequence[SearchResult]) -> dict[str, Any]:
    """For machines."""
    return {
        "suites": [
            {
                "suite": result.wanted.suite.codename,
                "moments": [
                    {
                        "snapshot": found.moment,
                        "imports": dict(found.imports),
                        "packages": [one._asdict() for one in found.items],
                        "apart": [{**one._asdict(), "had": list(instead)} for one, instead in found.apart],
                    }
                    for found in result.answer.found
                ],
                "never": [one._asdict() for one in result.answer.never],
                "indices_read": result.read,
            }
            for result in results
        ]
    }
