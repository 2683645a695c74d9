"""How a version that a file or lock holds stands in the archive today, on one platform, and for how long."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from pinner.apt.version import compare
from pinner.errors import Unsatisfiable
from pinner.lock.schema import Lock, LockedPackage, Target
from pinner.recipe.installs import Request
from pinner.resolve.universe import Offer, Universe
from pinner.stages.install_commands import File, InstallCommand
from pinner.values import NamedTuple

VersionState = Literal["live", "superseded", "gone", "unknown"]
#: When a version was first seen: by suite, name and version.
SeenDates = Mapping[tuple[str, str, str], datetime]


class Standing(NamedTuple):
    """One version on one platform.

    `live`: an enabled pocket has it and apt would take no other. `superseded`: it is there, and the candidate is newer.
    `gone`: no enabled pocket has it. `unknown`: this could not be checked, `detail` says why.

    `version` is what apt takes, "" if nothing; `pocket` the suite that it comes from. `newer` is the candidate that
    supersedes it, or of a version that is gone the successor: the nearest higher one, else the candidate. `candidate`
    is what apt takes for the bare name. `security` tells that a newer version is in a security pocket.
    """

    state: VersionState
    version: str = ""
    pocket: str = ""
    newer: str = ""
    newer_pocket: str = ""
    candidate: str = ""
    security: bool = False
    detail: str = ""


def unknown(why: str) -> Standing:
    """What could not be checked."""
    return Standing("unknown", detail=why)


def of_pin(universe: Universe, name: str, pin: str) -> Standing:
    """How `name=pin` stands, by apt's own rule for what it selects (apt-get(8))."""
    try:
        offer = universe.select(name, version_text=pin)
    except Unsatisfiable:
        return _gone(universe, name, pin)
    return _there(universe, offer)


def that_count(found: Mapping[str, Standing], *, asked: bool) -> Mapping[str, Standing]:
    """By platform; one that has no such package is left out, unless it was `asked` for, or none has it."""
    there = {platform: each for platform, each in found.items() if each.state != "gone" or each.newer}
    return found if asked or not there else there


def of_file(universe: Universe, name: str, version: str, digest: str, size: int) -> Standing:
    """How the .deb of this version, digest and size in bytes stands."""
    same = [offer for offer in universe.versions(name) if offer.version == version]
    for offer in same:
        if (offer.package.digest, offer.package.size) == (digest, size):
            return _there(universe, offer)
    if same:
        return Standing(
            "gone",
            newer=version,
            newer_pocket=_pocket(same[0]),
            candidate=version,
            detail="the archive has another file under the same version",
        )
    return _gone(universe, name, version)


def is_security(suite: str) -> bool:
    """Whether a suite is a security pocket, by its name: `bookworm-security`, `noble-security`."""
    return suite.endswith("-security")


def _pocket(offer: Offer) -> str:
    return offer.index.source.suite if offer.index is not None else ""


def _security_after(universe: Universe, name: str, version: str) -> bool:
    return any(
        is_security(index.source.suite)
        for offer in universe.versions(name)
        if compare(offer.version, version) > 0
        for index in offer.pockets
    )


def _there(universe: Universe, offer: Offer) -> Standing:
    candidate = universe.candidate(offer.name)
    if candidate is None or compare(candidate.version, offer.version) <= 0:
        text = candidate.version if candidate is not None else offer.version
        return Standing("live", offer.version, _pocket(offer), candidate=text)
    return Standing(
        "superseded",
        offer.version,
        _pocket(offer),
        candidate.version,
        _pocket(candidate),
        candidate.version,
        _security_after(universe, offer.name, offer.version),
    )


def _gone(universe: Universe, name: str, pin: str) -> Standing:
    version = pin.rstrip("*")
    candidate = universe.candidate(name)
    if candidate is None:
        return Standing("gone", detail=f"there is no package {name}")
    higher = [offer for offer in universe.versions(name) if compare(offer.version, version) > 0]
    successor = higher[-1] if higher else candidate
    return Standing(
        "gone",
        newer=successor.version,
        newer_pocket=_pocket(successor),
        candidate=candidate.version,
        security=_security_after(universe, name, version),
    )


class Ages:
    """Which candidates are too young to move to. `seen` is what earlier runs remember; `young` are those that were
    found too young, and since when they are known to be there."""

    def __init__(self, now: datetime, min_age: timedelta, seen: SeenDates) -> None:
        self._now = now
        self._min_age = min_age
        self._seen = seen
        self.young: dict[tuple[str, str, str], datetime] = {}

    def too_young(self, offers: Mapping[str, Offer], known: LockHistory) -> str:
        """Why a candidate is too young. It has been there since the Release that lists it was made, at least."""
        latest = None
        for platform, offer in offers.items():
            since = min((index.release.date for index in offer.pockets), default=self._now)
            keys = [(index.source.suite, offer.name, offer.version) for index in offer.pockets]
            found = (self._seen[key] for key in keys if key in self._seen)
            since = min([since, *known.since(offer, platform), *found])
            if self._now - since < self._min_age:
                self.young |= dict.fromkeys(keys, since)
                latest = max(latest or since, since)
        return f"the new version was first seen on {latest:%Y-%m-%d %H:%M} UTC" if latest else ""


class Argument(NamedTuple):
    """A package argument of an install command of a file."""

    file: File
    call: InstallCommand
    request: Request

    @property
    def stage(self) -> str:
        """The stage that it is in, as the lock names it."""
        return self.file.stage_name(self.call.install.stage)


class LockHistory:
    """What the lock knows of versions: where they come from, and since when, by the Releases that it was made from."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    @cached_property
    def suites(self) -> Mapping[tuple[str, str, str], str]:
        """The suites of targets."""
        return {target.key: target.closure.suite for target in self._lock.targets}

    @cached_property
    def _origins(self) -> Mapping[tuple[str, str, str], set[tuple[str, str]]]:
        found: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
        for target, package in self._members():
            own = found.setdefault((target.file, target.stage, package.name), set())
            own.add((package.uri, package.version))
        return found

    @cached_property
    def _since(self) -> Mapping[tuple[str, str, str], datetime]:
        dates = {(each.uri, each.suite): datetime.fromisoformat(each.date) for each in self._lock.releases}
        return {
            (package.name, package.version, target.platform): date
            for target, package in self._members()
            if (date := dates.get((package.uri, package.suite)))
        }

    def _members(self) -> Iterator[tuple[Target, LockedPackage]]:
        packages = self._lock.by_id
        return (
            (target, package)
            for target in self._lock.targets
            for member in target.closure.members
            if (package := packages.get(member.id))
        )

    def comes_from(self, argument: Argument) -> set[str]:
        """The repositories that the lock has an argument's package from."""
        return {uri for uri, _ in self._of(argument)}

    def had(self, argument: Argument, addresses: Container[str]) -> bool:
        """Whether the lock has the pinned version from one of these repositories: then it is nowhere else."""
        pin = argument.request.pin
        return any(uri in addresses and version == pin for uri, version in self._of(argument))

    def _of(self, argument: Argument) -> set[tuple[str, str]]:
        return self._origins.get((argument.file.path, argument.stage, argument.request.name), set())

    def since(self, offer: Offer, platform: str) -> Iterator[datetime]:
        """The date, if the lock has this version."""
        date = self._since.get((offer.name, offer.version, platform))
        if date is not None:
            yield date
