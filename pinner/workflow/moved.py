"""Base images that have moved since they were locked: to other packages, past a pin, or to another suite."""

from __future__ import annotations

from collections.abc import Iterator

from pinner.errors import PinnerError
from pinner.lockfile import Lock, Target
from pinner.resolve.version import compare
from pinner.workflow.bases import Content, Look
from pinner.workflow.health import Notice


def moved(lock: Lock, look: Look) -> Iterator[Notice]:
    """What is to be said of the images that the lock knows by digest. `look` tells what their names mean today."""
    images = _by_image(lock)
    look.ahead(images)
    for (image, platform), targets in images.items():
        now = look(image, platform)
        if now is None or now.digest == targets[0].digest:
            continue
        about = f"{image} {platform}"
        if now.suite and now.suite != targets[0].suite:
            text = f"was {targets[0].suite} when it was locked, and is {now.suite} now: pinner refresh"
            yield Notice("image-suite", about, text)
            continue
        passed = list(_passed(targets, now))
        if passed:
            text = f"holds {', '.join(passed)} by now, above the pin, which apt would refuse to install: pinner refresh"
            yield Notice("image-passed", about, text)
        else:
            yield Notice(
                "image-moved", about, "is another image than the one that was locked: pinner refresh"
            )


def _by_image(lock: Lock) -> dict[tuple[str, str], list[Target]]:
    found: dict[tuple[str, str], list[Target]] = {}
    for target in lock.targets:
        if target.digest and "@" not in target.image:
            found.setdefault((target.image, target.platform), []).append(target)
    return found


def _passed(targets: list[Target], now: Content) -> Iterator[str]:
    """The packages that are asked for in a version below the one that the image holds."""
    try:
        held = now.root.versions()
    except PinnerError:
        return
    seen: set[str] = set()
    for target in targets:
        for locked in target.packages:
            name, _, version = locked.id.partition("=")
            name = name.partition(":")[0]
            if locked.asked and name in held and name not in seen and compare(held[name], version) > 0:
                seen.add(name)
                yield f"{name} {held[name]}"
