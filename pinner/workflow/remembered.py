"""What a lock remembers of earlier runs: the platforms and suites of files, and what is pinned beside arguments.

The command line counts more than the configuration, and that more than the lock.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinner.lock.schema import Lock
from pinner.stages.suites import Options, PinScope

#: How the lock states that only what the file asks for is pinned, where that was said.
ARGUMENTS = "arguments"


def remembered(options: Options, lock: Lock, path: str) -> Options:
    """The options for a file, with what the command line said when it was locked and does not say now."""
    settings = lock.settings_of(path)
    if settings.platforms and not options.asked:
        options = options._replace(platforms=tuple(settings.platforms.split()), asked=True)
    if settings.pin and options.scope is None:
        options = options._replace(scope=scope_of(settings.pin))
    return options


def scope_of(pin: str) -> PinScope:
    """What a word of the lock or the configuration says about it."""
    return "siblings" if pin == "siblings" else "closure" if pin == "closure" else ""


def as_locked(options: Options, lock: Lock, path: str) -> Options:
    """The same, and what nobody says at all is as it was when the file was locked: its platforms, and the suites of
    images that do not say theirs."""
    options = remembered(options, lock, path)
    targets = lock.of(path)
    if not targets:
        return options
    if not options.asked:
        platforms = tuple(dict.fromkeys(target.platform for target in targets))
        options = options._replace(platforms=platforms)
    suites: dict[str, set[str]] = {}
    for target in targets:
        suites.setdefault(target.closure.image, set()).add(target.closure.suite)
    fallback = {image: suite for image, (suite, *others) in suites.items() if not others}
    return options if options.fallback else options._replace(fallback=fallback)


def overridden(options: Options, lock: Lock, files: Iterable[str]) -> tuple[str, ...]:
    """What is said now and was otherwise when files were locked, in words."""
    notes: dict[str, None] = {}
    for file in files:
        settings = lock.settings_of(file)
        platforms = " ".join(options.platforms)
        if options.asked and settings.platforms and settings.platforms != platforms:
            notes[f"for {platforms}; pinner.lock was made for {settings.platforms}"] = None
        pin = options.scope if options.scope is None else options.scope or ARGUMENTS
        if pin and settings.pin and settings.pin != pin:
            notes[f"pins {pin}; pinner.lock was made with {settings.pin}"] = None
    return tuple(notes)
