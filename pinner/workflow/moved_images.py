"""Base images that have moved since they were locked: to other packages, past a pin, or to another suite."""

from __future__ import annotations

from collections.abc import Iterator

from pinner.apt.version import compare
from pinner.errors import PinnerError
from pinner.lock.schema import Lock, Target
from pinner.stages.bases import ImageContent, ImageLookup
from pinner.workflow.health import Notice, Rule


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
            name, _, version = locked.id.partition("=")
            name = name.partition(":")[0]
            if locked.argument and name in held and name not in seen and compare(held[name], version) > 0:
                seen.add(name)
                yield f"{name} {held[name]}"
