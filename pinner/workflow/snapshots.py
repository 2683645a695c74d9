"""The moment at which a run reads its archives: which archives that concerns, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pinner.distributions import moments
from pinner.distributions.moments import Moment, archive_of, instant
from pinner.errors import InputError
from pinner.lock.schema import Lock, Target
from pinner.stages.image_names import Alias, Named
from pinner.stages.install_commands import File, read_all
from pinner.stages.suites import Options

_GAP = timedelta(days=2)

Runs = Callable[[str], Sequence[str]]


def archives_of(texts: Mapping[str, str], options: Options) -> tuple[str, ...]:
    """The archives that the stages of these files read. What cannot be read says so where it is read for good."""
    found: dict[str, None] = {}
    for each in read_all(texts, dict.fromkeys(texts, options)).values():
        for where in (call.base.where for call in each.calls()) if isinstance(each, File) else ():
            suites = (
                (where.suite,)
                if isinstance(where, Named)
                else where.distribution.suites
                if isinstance(where, Alias)
                else ()
            )
            names = (archive_of(pocket.uri) for suite in suites for pocket in suite.pockets)
            found |= {name: None for name in names if name}
    return tuple(found)


def moment(texts: Mapping[str, str], options: Options, wanted: datetime, runs: Runs) -> Moment:
    """The imports of these files' archives at a time. Raises `InputError` for a time before the first one."""
    return moments.moment(archives_of(texts, options), wanted, runs)


def moment_of(lock: Lock, targets: Sequence[Target]) -> Moment | None:
    """The moment that targets were locked at, None for live archives.

    Raises `InputError` where they were locked at several, or at one of which the lock does not know every archive.
    """
    packages = lock.by_id
    used = {packages[member.id].uri for target in targets for member in target.closure.members}
    found = {pair for uri in used if (pair := moments.split(uri))}
    if not found:
        return None
    known = dict(found)
    others = {pair for each in lock.releases if (pair := moments.split(each.uri))}
    found |= {pair for pair in others if pair[0] not in known}
    if len(found) > len(dict(found)):
        raise InputError("the lock has several moments", hint="choose a --file, or write --snapshot")
    return Moment(tuple(sorted(found)))


def notes(moment: Moment, wanted: datetime) -> Iterator[str]:
    """What is read, and how far back an archive's last import before the wanted time lies, where that is unusual."""
    yield "snapshot: " + ", ".join(f"{archive} {stamp}" for archive, stamp in moment.imports)
    for archive, stamp in moment.imports:
        gap = wanted - instant(stamp)
        if gap > _GAP:
            yield f"{archive}: no import was made in the {gap.days} days before {moments.stamp(wanted)}"
