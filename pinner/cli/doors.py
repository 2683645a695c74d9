"""The doors to the world that a command opens: archives, snapshot services, and the cache that they share."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pinner.apt.sources import Source
from pinner.archive import reach
from pinner.errors import InputError
from pinner.project import git, tree
from pinner.project.config import Config
from pinner.report.terminal import Style
from pinner.resolve.universe import Index
from pinner.stages.archives import Archives

if TYPE_CHECKING:
    from pinner.archive.snapshot import Snapshots

_F = TypeVar("_F", bound=Callable[..., Any])
_RECORDED = "pinner.recorded"
_SERVICES = "pinner.snapshots"
_WIPE = "\r\x1b[K"
_LONG = 3  # seconds of a wait that is told


def _keep_recorded(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    ctx.meta[_RECORDED] = value


def _keep_private(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    reach.allow(private=value)


def recorded() -> Path | None:
    """The directory of the recorded archive that is read in the place of all others."""
    context = click.get_current_context(silent=True)
    found: Path | None = context.meta.get(_RECORDED) if context else None
    return found.resolve() if found else None


NETWORK: list[Callable[[_F], _F]] = [
    click.option(
        "--allow-private",
        is_flag=True,
        envvar="PINNER_ALLOW_PRIVATE",
        expose_value=False,
        callback=_keep_private,
        help="In CI, ask addresses of the runner's own network, too.",
    )
]
RECORDED: list[Callable[[_F], _F]] = [
    click.option(
        "--archive",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        callback=_keep_recorded,
        metavar="DIR",
        help="Read the recorded archive in this directory, and ask nobody.",
    ),
    *NETWORK,
]


def cache_dir() -> Path:
    """Where verified indices are kept: PINNER_CACHE_DIR, or else the platform's place for caches."""
    own = os.environ.get("PINNER_CACHE_DIR")
    if own:
        _not_of_the_checkout(own)
        return Path(own)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("pinner"))


@cache
def _not_of_the_checkout(own: str) -> None:
    """Raises `InputError` for a cache that came with a checkout: what is in it counts as verified."""
    path = tree.resolve(Path(own))
    if git.tracks(path):
        raise InputError(
            "is not used as the cache: git tracks files in it", path=own, hint="name another directory"
        )


def archives(config: Config, *, offline: bool, max_age: timedelta, style: Style) -> Archives:
    """The archives as seen through the cache, with a progress line on a terminal."""
    from pinner.archive.load import Archive

    progress = Progress("indices") if sys.stderr.isatty() and not style.quiet else None
    folder = recorded()
    archive = Archive(
        cache_dir(),
        now=datetime.now(UTC),
        max_age=max_age,
        offline=offline,
        mirrors=mirrors(config),
        progress=progress,
        snapshots=lambda: snapshots(config, offline=offline),
        keyring=folder / "key.pgp" if folder else None,
        say=lambda note: found.notes.update({note: None}),
    )

    def load(sources: Sequence[Source]) -> tuple[Sequence[Index], Sequence[str]]:
        try:
            return archive.load(sources)
        finally:
            if progress:
                progress.wipe()

    found = Archives(load, archive.codename)
    return found


def mirrors(config: Config) -> Mapping[str, str]:
    """Where addresses are really asked for: a recorded archive holds all hosts as directories."""
    folder = recorded()
    if folder is None:
        for address in (*config.mirrors.values(), *config.snapshot.mirrors):
            reach.check(address)
        return config.mirrors
    return {f"{scheme}://": folder.as_uri() for scheme in ("http", "https")}


def snapshots(config: Config, *, offline: bool) -> Snapshots:
    """The snapshot service as the configuration names it: the same for all of a run, so that it keeps one pace."""
    from pinner.archive.snapshot import Snapshots

    folder = recorded()
    services = click.get_current_context().meta.setdefault(_SERVICES, {})
    key = (config.snapshot, tuple(config.mirrors.items()), offline)
    if key not in services:
        services[key] = Snapshots(
            cache_dir(),
            now=datetime.now(UTC),
            mirrors=config.snapshot.mirrors
            if folder is None
            else (f"{folder.as_uri()}/snapshot.debian.org",),
            rewrites=mirrors(config),
            interval=config.snapshot.interval,
            offline=offline,
            wait=_wait,
        )
    found: Snapshots = services[key]
    return found


def _wait(seconds: float) -> None:
    """Sleeps, and tells a terminal of a longer wait."""
    told = seconds >= _LONG and sys.stderr.isatty()
    if told:
        sys.stderr.write(f"{_WIPE}waiting for {seconds:.0f} seconds: the service is busy, or did not answer")
        sys.stderr.flush()
    try:
        time.sleep(seconds)
    finally:
        if told:
            sys.stderr.write(_WIPE)


class Progress:
    """One line on the terminal for all that is fetched, from several threads; overwritten, and wiped at the end."""

    def __init__(self, noun: str) -> None:
        """`noun` is what several of them are called."""
        self._noun = noun
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, int]] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of the `total` bytes of `what` are here."""
        with self._lock:
            self._parts[what] = done, total
            so_far, size = (sum(numbers) / 1e6 for numbers in zip(*self._parts.values(), strict=True))
            label = what if len(self._parts) == 1 else f"{len(self._parts)} {self._noun}"
            sys.stderr.write(f"{_WIPE}fetching {label}: {so_far:.1f} of {size:.1f} MB")
            sys.stderr.flush()

    def wipe(self) -> None:
        """The line is gone; what is fetched later counts anew."""
        with self._lock:
            if self._parts:
                self._parts.clear()
                sys.stderr.write(_WIPE)
                sys.stderr.flush()
