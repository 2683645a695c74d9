"""What moved between two locks, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pinner.distributions.catalogue import PLATFORMS
from pinner.lock.schema import Lock, LockedPackage, Target
from pinner.stages.starting_set import key
from pinner.values import NamedTuple
from pinner.workflow.changes import ChangeKind, kind_of

StepKind = ChangeKind | Literal["removed", "digest"]


class PackageDifference(NamedTuple):
    """A package that is another one after than before, on these platforms. `old` is the version before, "" for one that
    was `added`, `new` that after, "" for one that was `removed`; `digest` means the same version with other content.
    `asked` tells that an install command names it, `based` that the base image has it.
    """

    name: str
    old: str
    new: str
    kind: StepKind
    asked: bool
    based: bool
    platforms: tuple[str, ...]


class ImageDifference(NamedTuple):
    """A base image that is another one, by the digests ("" if it was not read) and suites of before and after."""

    name: str
    old: str
    new: str
    old_suite: str
    new_suite: str
    platforms: tuple[str, ...]


class Difference(NamedTuple):
    """A stage of a file that differs. `added` and `removed` are platforms that only the new or the old lock has it for,
    `unknown` those of which a lock does not know all that is installed."""

    file: str
    stage: str
    platforms: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    unknown: tuple[str, ...]
    images: tuple[ImageDifference, ...]
    steps: tuple[PackageDifference, ...]


class _Known(NamedTuple):
    lock: Lock
    packages: Mapping[str, LockedPackage]


class _Held(NamedTuple):
    version: str
    digest: str
    asked: bool
    based: bool


def between(old: Lock, new: Lock) -> tuple[Difference, ...]:
    """The stages that differ, in the order of file and stage."""
    places: dict[tuple[str, str], dict[str, None]] = {}
    for target in sorted((*old.targets, *new.targets), key=lambda each: each.key):
        places.setdefault((target.file, target.stage), {})[target.platform] = None
    known = _Known(old, old.by_id), _Known(new, new.by_id)
    found = (_stage(*known, *place, tuple(platforms)) for place, platforms in places.items())
    return tuple(each for each in found if each.added or each.removed or each.images or each.steps)


def _stage(old: _Known, new: _Known, file: str, stage: str, platforms: tuple[str, ...]) -> Difference:
    images: dict[tuple[str, str, str, str, str], list[str]] = {}
    steps: dict[tuple[str, str, str, StepKind, bool, bool], list[str]] = {}
    added: list[str] = []
    removed: list[str] = []
    unknown: list[str] = []
    for platform in platforms:
        was, now = (each.lock.target((file, stage, platform)) for each in (old, new))
        if was is None or now is None:
            (added if was is None else removed).append(platform)
        elif not was.parent and not now.parent and _image(was) != _image(now):
            one, two = was.closure, now.closure
            names = dict.fromkeys(each.image.partition("@")[0] for each in (one, two))
            row = " → ".join(names), one.digest, two.digest, one.suite, two.suite
            images.setdefault(row, []).append(platform)
        if any(each and (each.problem or each.conflict) for each in (was, now)):
            unknown.append(platform)
        read = all(each is not None and _has(known.lock, each) for known, each in ((old, was), (new, now)))
        before, after = _held(old, was, read=read), _held(new, now, read=read)
        for name in sorted({*before, *after}):
            a, b = before.get(name), after.get(name)
            if a is None or b is None:
                kind: StepKind = "added" if a is None else "removed"
            elif a.version != b.version:
                kind = kind_of(a.version, b.version)
            elif a.digest and b.digest and a.digest != b.digest:
                kind = "digest"
            else:
                continue
            last = b or a
            assert last is not None
            step = name, a.version if a else "", b.version if b else "", kind, last.asked, last.based
            steps.setdefault(step, []).append(platform)
    return Difference(
        file,
        stage,
        platforms,
        tuple(added),
        tuple(removed),
        tuple(unknown),
        tuple(ImageDifference(*row, tuple(on)) for row, on in images.items()),
        tuple(PackageDifference(*step, tuple(on)) for step, on in sorted(steps.items())),
    )


def _image(target: Target) -> tuple[str, str, str]:
    closure = target.closure
    return closure.image.partition("@")[0], closure.digest, closure.suite


def _has(lock: Lock, target: Target) -> bool:
    return not target.parent and any(image.digest == target.closure.digest for image in lock.images)


def _held(known: _Known, target: Target | None, *, read: bool) -> Mapping[str, _Held]:
    """What the target's stage ends with, by name: what it installs, over what its image has where that was `read`."""
    if target is None:
        return {}
    arch = PLATFORMS[target.platform]
    found = {
        key(package.name, package.arch, arch): _Held(package.version, "", False, True)
        for image in known.lock.images
        if read and image.digest == target.closure.digest
        for package in image.packages
    }
    for member in target.closure.members:
        package = known.packages[member.id]
        held = _Held(package.version, package.digest, bool(member.argument), False)
        found[key(package.name, package.arch, arch)] = held
    return found
