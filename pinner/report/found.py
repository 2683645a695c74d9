"""What `pinner snapshot find` found, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from pinner.archive.moments import UBUNTU, UBUNTU_STEP
from pinner.errors import printable
from pinner.workflow.coexist import Found
from pinner.workflow.find import Result
from pinner.workflow.windows import Item

_SHOWN = 6
_HOUR = timedelta(hours=1)


def lines(results: Sequence[Result]) -> Iterator[str]:
    """For people: the moments of each suite, and why one is not enough."""
    for result in results:
        answer = result.answer
        stepped = any(place.archive == UBUNTU for place in result.wanted.places())
        suite = result.wanted.name
        there = sum(len(found.items) for found in answer.found)
        if len(answer.found) == 1:
            yield f"{suite}: {_count(there)} at {_moment(answer.found[0])}"
        elif answer.found:
            least = "the fewest are" if answer.proven else "found are"
            yield f"{suite}: no moment has all {there} versions; {least} {len(answer.found)}:"
            for found in answer.found:
                yield f"  {_moment(found)}: {_names(found.items)}"
            for found in answer.found:
                yield from _apart(found)
        for item in answer.never:
            maybe = result.wanted.elsewhere.get(item)
            none = "none of these moments" if stepped else "no snapshot"
            yield printable(f"{suite}: {none} has {item}" + (f"; {maybe}" if maybe else ""))
        every = f", one every {UBUNTU_STEP // _HOUR} hours" if stepped else ""
        yield f"  proven by {result.read} of the {result.moments} moments{every}"


def _count(number: int) -> str:
    return "the version is there" if number == 1 else f"all {number} versions are there"


def _moment(found: Found) -> str:
    imports = ", ".join(f"{archive} {stamp}" for archive, stamp in found.imports)
    return f"{found.moment} ({imports})"


def _names(items: Iterable[Item]) -> str:
    names = [str(item) for item in items]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return printable(", ".join(names[:_SHOWN]) + more)


def _apart(found: Found) -> Iterator[str]:
    """The intervals that contradict each other."""
    for item, instead in found.apart[:_SHOWN]:
        has = f": it had {', '.join(instead)}" if instead else ""
        if found.last is not None:
            yield printable(
                f"  {found.last} is not there after {found.moment}, {item} not at that time yet{has}"
            )
        else:
            yield printable(f"  {item} is not there at {found.moment}{has}")


def to_json(results: Sequence[Result]) -> str:
    """For machines."""
    import json

    def item(one: Item) -> dict[str, str]:
        return {"name": one.name, "version": one.version, "platform": one.platform}

    return json.dumps(
        [
            {
                "suite": result.wanted.suite.codename,
                "moments": [
                    {
                        "snapshot": found.moment,
                        "imports": dict(found.imports),
                        "packages": [item(one) for one in found.items],
                        "apart": [{**item(one), "had": list(instead)} for one, instead in found.apart],
                    }
                    for found in result.answer.found
                ],
                "fewest": result.answer.proven,
                "never": [item(one) for one in result.answer.never],
                "indices_read": result.read,
            }
            for result in results
        ],
        indent=2,
    )
