"""What `verify` finds, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from pinner.edit.span import Place
from pinner.errors import PinnerError
from pinner.lock.schema import LockedPackage
from pinner.stages.image_names import Named
from pinner.values import NamedTuple
from pinner.workflow.drift import Drift
from pinner.workflow.health import Notice
from pinner.workflow.standing import Standing, VersionState

_ORDER: tuple[VersionState, ...] = ("live", "superseded", "unknown", "gone")


class Pin(NamedTuple):
    """A word with a version, and how that stands by platform. A platform that has no such package at all is absent
    where nobody asked for that platform. `lag`: for how long a newer version may have been there; `young`: why that is
    too young to move to, "" if it is not."""

    place: Place
    name: str
    version: str
    raw: str
    standings: Mapping[str, Standing]
    lag: timedelta | None = None
    young: str = ""

    @property
    def state(self) -> VersionState:
        """The worst of its platforms."""
        return worst(self.standings.values())

    @property
    def security(self) -> bool:
        """Whether a security update is waiting on any platform."""
        return any(each.security for each in self.standings.values())


class LockedVersion(NamedTuple):
    """A version in the lock, and how it stands by platform; `state` is the worst of these. `files` have it in a target;
    `asked`: by a word. `where` is its suite, `packages` are the locked ones by platform."""

    name: str
    version: str
    asked: bool
    files: tuple[str, ...]
    standings: Mapping[str, Standing]
    state: VersionState
    where: Named
    packages: Mapping[str, LockedPackage]


class Broken(NamedTuple):
    """A call that apt could not carry out as it stands, since of one of its arguments (then `command` is that), or (not
    `certain`) of which pinner cannot tell."""

    place: Place
    command: str
    platforms: tuple[str, ...]
    detail: str
    hint: str
    certain: bool
    code: str = ""


class Verified(NamedTuple):
    """All that was found about one project. `unpinned` counts the words without a version; `locked` is the date of
    the lock's newest Release, "" without one."""

    pins: tuple[Pin, ...]
    packages: tuple[LockedVersion, ...]
    broken: tuple[Broken, ...]
    drifts: tuple[tuple[Drift, Place], ...]
    notices: tuple[Notice, ...]
    errors: tuple[PinnerError, ...]
    files: tuple[str, ...]
    unpinned: int
    notes: tuple[str, ...]
    locked: str = ""

    def named(self, name: Callable[[str], str]) -> Verified:
        """The same with its files named otherwise."""

        def at(place: Place) -> Place:
            return place._replace(path=name(place.path))

        if all(name(each) == each for each in self.files):
            return self
        return self._replace(
            pins=tuple([each._replace(place=at(each.place)) for each in self.pins]),
            packages=tuple([each._replace(files=tuple(map(name, each.files))) for each in self.packages]),
            broken=tuple([each._replace(place=at(each.place)) for each in self.broken]),
            drifts=tuple([(drift, at(place)) for drift, place in self.drifts]),
            files=tuple(map(name, self.files)),
        )


def worst(standings: Iterable[Standing]) -> VersionState:
    """The state that counts: the worst one; `unknown` of nothing."""
    states = {each.state for each in standings}
    return max(states, key=_ORDER.index) if len(states) > 1 else next(iter(states), "unknown")
