"""How what a built image holds stands to the lock: did the build obey?"""

from __future__ import annotations

from collections.abc import Mapping

from pinner.distributions import minbase
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import InputError
from pinner.lock.schema import Lock, Target
from pinner.stages.bases import label_of
from pinner.stages.starting_set import EMPTY, MINBASE, Root
from pinner.values import NamedTuple
from pinner.workflow.export import gaps, left, named


class Different(NamedTuple):
    """A package whose version in the image is not the one that the lock, or the starting set, has."""

    name: str
    locked: str
    found: str


class Audit(NamedTuple):
    """One image against one target, each by name.

    `equal` counts the locked packages that are there as they should be. `missing` are locked and not there; `extra`
    are there, and neither locked nor in the starting set; both with the versions. `gaps` tell what of the stage is
    not in the lock.
    """

    target: Target
    equal: int
    differing: tuple[Different, ...]
    missing: tuple[tuple[str, str], ...]
    extra: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the image is not what was locked."""
        return bool(self.differing or self.missing or self.extra)


def audit(lock: Lock, target: Target, image: Root, base: Root | None) -> Audit:
    """Compare `image`, what dpkg has installed there, with a target and the stages it is built on.

    `base` is the starting set, where the lock was made with one that was told. Packages of the minimal set are expected
    at any version, those of a set that was told at the version it has; what a command removed must not be there.
    Packages of which the lock does not know whether they are left may be there in their version. Raises `InputError`
    where image, base and target do not fit.
    """
    arch = PLATFORMS[target.platform]
    if image.arch != arch:
        raise InputError(f"{named(target)} is of {arch}, the image that was given of {image.arch}")
    there = left(lock, target)
    locked = {name: package.version for name, package in there.packages.items()}
    locked |= there.files
    start = _start(lock.chain(target)[-1], base)
    found = image.versions()
    expected = {name: version for name, version in {**start, **locked}.items() if name not in there.gone}
    certain = {name: version for name, version in locked.items() if name not in there.maybe}
    return Audit(
        target,
        sum(found.get(name) == version for name, version in locked.items()),
        tuple(
            Different(name, expected[name], version)
            for name, version in sorted(found.items())
            if expected.get(name, "") not in ("", version)
        ),
        tuple(sorted((name, version) for name, version in certain.items() if name not in found)),
        tuple(sorted((name, version) for name, version in found.items() if name not in expected)),
        gaps(lock, [target]),
    )


def _start(target: Target, base: Root | None) -> Mapping[str, str]:
    """The versions that the image began with, by name; "" where any will do."""
    if target.closure.installed == MINBASE.label:
        return dict.fromkeys(minbase.names(target.closure.suite, PLATFORMS[target.platform]), "")
    if target.closure.installed == EMPTY:
        return {}
    if base is None or target.closure.installed not in (base.label, label_of(base.packages)):
        raise InputError(
            f"{named(target)} was locked for a base image that holds {target.closure.installed}",
            hint="give the list that `pinner lock --installed` had, or else the base image's /var/lib/dpkg/status, by "
            "--base, or the image by --image-archive",
        )
    return base.versions()
