"""The archive's own state: a Release that stands still, a suite at its end, a platform left without security; and base
images that have moved since they were locked: to other packages, past a pin, or to another suite."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from pinner.apt.version import compare
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.suite import Suite
from pinner.errors import PinnerError
from pinner.lock.schema import Lock, Target
from pinner.stages.archives import Archives
from pinner.stages.bases import ImageContent, ImageLookup
from pinner.stages.choice import short
from pinner.stages.image_names import Named
from pinner.stages.sources import sources_of
from pinner.values import NamedTuple
from pinner.workflow.standing import is_security

#: Pockets and moving suites are signed anew at least weekly, their Valid-Until says so; a released suite moves with
#: its point releases, every two months or so (https://wiki.debian.org/DebianReleases/PointReleases).
_STILL, _STILL_RELEASED = timedelta(days=14), timedelta(days=200)
_NEAR = timedelta(days=90)


Rule = Literal[
    "stale-release", "end-of-life", "not-served", "image-moved", "image-passed", "image-suite", "incomplete"
]


class Notice(NamedTuple):
    """Something about a suite that no pin shows. `about` is the suite, or suite and platform."""

    rule: Rule
    about: str
    text: str


def notices(
    wheres: Mapping[tuple[str, str, str], Named], archives: Archives, now: datetime
) -> Iterator[Notice]:
    """What is to be said of the suites of these (file, stage, platform), each thing once."""
    for where in dict.fromkeys(wheres.values()):
        platforms = dict.fromkeys(key[2] for key, value in wheres.items() if value == where)
        suite = where.suite
        yield from _end(suite, now.date())
        dates = {
            index.source.suite: index.release.date
            for platform in platforms
            for index in archives.universe_of(where, platform).indexes
            if index.source.signed_by.keyring == suite.signed_by.keyring  # others may stand still
        }
        if where.distribution.signed_weekly and (suite.end is None or now.date() <= suite.end):
            for name, moved in dates.items():
                yield from _still(suite, name, moved, now)
        for platform in platforms:
            arch = PLATFORMS[platform]
            served = {index.source.suite for index in archives.universe_of(where, platform).indexes}
            for source in sources_of(where, arch):
                if is_security(source.suite) and source.suite not in served:
                    text = f"{source.suite} does not serve {arch}: no security update reaches {platform}"
                    yield Notice("not-served", f"{source.suite} {platform}", text)


def incomplete(lock: Lock, files: Collection[str]) -> Iterator[Notice]:
    """What the lock does not say of these files' targets."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for target in lock.targets:
        for each in target.closure.incomplete if target.file in files else ():
            text = f"the lock is incomplete: {each.place}: {each.reason}"
            found.setdefault((f"{target.file}, stage {target.stage}", text), {})[target.platform] = None
    for (about, text), platforms in found.items():
        yield Notice("incomplete", about, f"{text} ({', '.join(map(short, platforms))})")


def _end(suite: Suite, today: date) -> Iterator[Notice]:
    if suite.end is None or today + _NEAR < suite.end:
        return
    days = (suite.end - today).days
    when = f"ended on {suite.end}" if days < 0 else f"ends on {suite.end}, in {days} days"
    text = f"security support of {suite.codename} {when}"
    if suite.esm and today <= suite.esm:
        text += f"; Ubuntu Pro has updates until {suite.esm}, from an archive that pinner does not read"
    yield Notice("end-of-life", suite.codename, text)


def _still(suite: Suite, name: str, moved: datetime, now: datetime) -> Iterator[Notice]:
    limit = _STILL
    if name == suite.codename and suite.version:
        if suite.full is None or now.date() > suite.full:  # a release without point releases, or past them
            return
        limit = _STILL_RELEASED
    if now - moved > limit:
        text = f"the Release of {name} has not moved since {moved:%Y-%m-%d}, {(now - moved).days} days ago"
        yield Notice("stale-release", name, text)


def moved_images(lock: Lock, look: ImageLookup) -> Iterator[Notice]:
    """What is to be said of the images that the lock knows by digest. `look` tells what their names mean today."""
    images: dict[tuple[str, str], list[Target]] = {}
    for target in lock.targets:
        name, at, _ = target.closure.image.partition("@")
        if target.closure.digest and (not at or ":" in name.rpartition("/")[2]):
            images.setdefault((target.closure.image, target.platform), []).append(target)
    look.ahead((image.partition("@")[0], platform) for image, platform in images)
    found: dict[tuple[Rule, str, str], list[str]] = {}
    for (image, platform), targets in images.items():
        name, at, digest = image.partition("@")
        now = look(name, platform)
        if now is not None and at and digest not in (now.index, now.digest):
            found.setdefault(
                ("image-moved", name, "has moved on from the digest in FROM: pinner refresh"), []
            )
        elif now is not None and not at and now.digest != targets[0].closure.digest:
            found.setdefault(_said(targets, now), []).append(platform)
    for (rule, name, text), platforms in found.items():
        yield Notice(rule, " ".join(filter(None, (name, ", ".join(platforms)))), text)


def _said(targets: list[Target], now: ImageContent) -> tuple[Rule, str, str]:
    name, suite = targets[0].closure.image, targets[0].closure.suite
    if now.suite and now.suite != suite:
        return "image-suite", name, f"was {suite} when it was locked, and is {now.suite} now: pinner refresh"
    passed = ", ".join(_passed(targets, now))
    if passed:
        text = f"holds {passed} by now, above the pin, which apt would refuse to install: pinner refresh"
        return "image-passed", name, text
    return "image-moved", name, "is another image than the one that was locked: pinner refresh"


def _passed(targets: list[Target], now: ImageContent) -> Iterator[str]:
    """The packages that are asked for in a version below the one that the image holds."""
    try:
        held = now.root.versions()
    except PinnerError:
        return
    seen: set[str] = set()
    for target in targets:
        for locked in target.closure.members:
            name = locked.name
            if (
                locked.argument
                and name in held
                and name not in seen
                and compare(held[name], locked.version) > 0
            ):
                seen.add(name)
                yield f"{name} {held[name]}"
