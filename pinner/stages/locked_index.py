"""An index of which only what the lock has of it is known: where its Release is the locked one, it need not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pinner.apt.packages import Package, SourceVersion
from pinner.apt.release import Release
from pinner.apt.sources import Source
from pinner.lock.schema import Lock, LockedPackage

#: Gives what stands in for an index: by source, component, Release and the digest of its InRelease; None: nothing does.
StandIn = Callable[[Source, str, Release, str], "LockedIndex | None"]
#: The packages of a lock, by name.
LockedRows = Mapping[str, Sequence[LockedPackage]]


class NotLocked(Exception):
    """The lock does not say what is asked."""


class LockedIndex:
    """Satisfies `resolve.universe.Index`. Raises `NotLocked` for all that the lock does not say: also for dependencies,
    so that nothing can be resolved with it (`workflow.closure`)."""

    def __init__(
        self, rows: LockedRows, source: Source, component: str, release: Release, digest: str
    ) -> None:
        self.source = source
        self.component = component
        self.release = release._replace(files={})
        self.release_sha256 = digest
        self._rows = rows
        self._apart = component and len(release.components) > 1
        self._packages: dict[str, tuple[Package, ...]] = {}

    def packages(self, name: str) -> tuple[Package, ...]:
        """The locked versions of the name. None of a name that is locked from elsewhere."""
        if name not in self._packages:
            source = self.source
            rows = [each for each in self._rows.get(name, ()) if each.arch in (source.arch, "all")]
            own = [each for each in rows if (each.uri, each.suite) == (source.uri, source.suite)]
            places = [
                _component(each.filename, self.release) if self._apart else self.component for each in own
            ]
            if not rows or None in places:
                raise NotLocked(name)
            self._packages[name] = tuple(
                _package(each) for each, place in zip(own, places, strict=True) if place == self.component
            )
        return self._packages[name]

    def providers(self, name: str) -> tuple[Package, ...]:
        """Not known."""
        raise NotLocked(name)

    def texts(self, name: str) -> Iterable[str]:
        """Not known."""
        raise NotLocked(name)

    def names(self) -> Iterable[str]:
        """Not known."""
        raise NotLocked

    def order(self, name: str) -> int | None:
        """Not known."""
        raise NotLocked(name)

    def source_versions(self, source: str) -> Iterable[SourceVersion]:
        """Not known."""
        raise NotLocked(source)

    def having(self, field: str) -> Iterable[tuple[str, str, str]]:
        """Not known."""
        raise NotLocked(field)


def stand_in(lock: Lock) -> StandIn:
    """What stands in for the indices of the Releases that a lock was made from."""
    digests = {(each.uri, each.suite, each.component): each.digest for each in lock.releases}
    named: dict[str, list[LockedPackage]] = {}
    for each in lock.packages:
        named.setdefault(each.name, []).append(each)

    def found(source: Source, component: str, release: Release, digest: str) -> LockedIndex | None:
        if digests.get((source.uri, source.suite, component)) != digest:
            return None
        return LockedIndex(named, source, component, release, digest)

    return found


def _component(filename: str, release: Release) -> str | None:
    """The component that a file of the pool belongs to; security has pool/updates/main."""
    parts = filename.split("/")[1:3]
    return next((each for each in release.components if each in parts), None)


def _package(row: LockedPackage) -> Package:
    return Package(
        row.name,
        row.version,
        row.arch,
        row.source or row.name,
        row.source_version or row.version,
        filename=row.filename,
        size=row.size,
        digest=row.digest,
    )
