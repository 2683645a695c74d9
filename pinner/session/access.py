"""Access to the world, the same for all of a run: archives, snapshot services, keys, and the cache that they share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from pinner.apt.sources import Source
from pinner.archive import reach
from pinner.archive.cache import Cache
from pinner.archive.network import Network
from pinner.errors import InputError, PinnerError
from pinner.lock.schema import Lock, LockedKey
from pinner.project import git, tree
from pinner.project.config import Config
from pinner.resolve.universe import Index
from pinner.stages.archives import Archives
from pinner.stages.locked_index import stand_in

if TYPE_CHECKING:  # what most runs do not need is loaded where it is
    from pinner.archive.advisories import Advisories
    from pinner.archive.changelog import Changelogs
    from pinner.archive.keys import Keyring
    from pinner.archive.load import Archive
    from pinner.archive.metasnap import Metasnap
    from pinner.archive.pool import Pool
    from pinner.archive.snapshot import Snapshots
    from pinner.images.image import Image
    from pinner.session.images import Images
    from pinner.stages.bases import Inspect, InspectMode


class Progress(Protocol):
    """Shows how much of what is fetched is there."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of the `total` bytes of `what` are here."""

    def wipe(self) -> None:
        """All of it is there."""


class Access:
    """What a run may ask, and how.

    Answers older than `max_age` are asked for again; with `offline` the network is not used. `recorded` is a directory
    that is read in the place of all archives. `progress` makes what shows the progress of several things of that name,
    or None; `wait` sleeps for seconds. `now` is aware.
    """

    def __init__(
        self,
        *,
        max_age: timedelta = timedelta(0),
        offline: bool = False,
        recorded: Path | None = None,
        progress: Callable[[str], Progress | None] = lambda noun: None,
        wait: Callable[[float], None] = time.sleep,
        now: datetime | None = None,
    ) -> None:
        self.max_age = max_age
        self.offline = offline
        self.recorded = recorded.resolve() if recorded else None
        self.progress = progress
        self.wait = wait
        self.now = now or datetime.now(UTC)
        self._snapshots: dict[tuple[object, ...], Snapshots] = {}
        self._archives: WeakSet[Archive] = WeakSet()

    @cached_property
    def cache(self) -> Cache:
        """Where verified indices are kept."""
        return Cache(cache_dir())

    def network(self, config: Config, progress: Progress | None = None) -> Network:
        """How a project's archives and services are asked."""
        mirrors = self.mirrors(config)
        return Network(self.cache, self.now, mirrors, self.offline, self.max_age, self.wait, progress)

    def mirrors(self, config: Config) -> Mapping[str, str]:
        """Where addresses are really asked for: a recorded archive holds all hosts as directories."""
        if self.recorded is None:
            for address in (*config.mirrors.values(), *config.snapshot.mirrors):
                reach.check(address)
            return config.mirrors
        return {f"{scheme}://": self.recorded.as_uri() for scheme in ("http", "https")}

    def archives(
        self,
        config: Config,
        notes: dict[str, None] | None = None,
        lock: Lock | None = None,
        *,
        proven: bool = False,
    ) -> Archives:
        """The archives as seen through the cache; `notes` gets what is to be said of them. Where the Release is the one
        that `lock` was made from, what the lock says of its packages stands in for an index that is not in the cache;
        where it is `proven`, for any.
        """
        from pinner.archive.load import Archive

        progress = self.progress("indices")
        archive = Archive(
            self.network(config, progress),
            snapshots=lambda: self.snapshots(config),
            keyring=self.recorded / "key.pgp" if self.recorded else None,
            say=lambda note: found.notes.update({note: None}),
            stand_in=stand_in(lock or Lock()),
            instead=proven,
        )
        self._archives.add(archive)

        def load(sources: Sequence[Source]) -> tuple[Sequence[Index], Sequence[str]]:
            with wiped(progress):
                return archive.load(sources)

        found = Archives(load, archive.release)
        if notes is not None:
            found.notes = notes
        return found

    def keep_lookups(self) -> None:
        """Keep what the archives were asked for, which makes later runs faster."""
        for archive in self._archives:
            archive.keep_lookups()

    def snapshots(self, config: Config, *, offline: bool | None = None) -> Snapshots:
        """The snapshot service as the configuration names it: the same for all of a run, so that it keeps one pace."""
        from pinner.archive.snapshot import Snapshots

        offline = self.offline if offline is None else offline
        key = (config.snapshot, tuple(config.mirrors.items()), offline)
        if key not in self._snapshots:
            own = (f"{self.recorded.as_uri()}/snapshot.debian.org",) if self.recorded else None
            network = self.network(config)._replace(offline=offline)
            mirrors, interval = own or config.snapshot.mirrors, config.snapshot.interval
            self._snapshots[key] = Snapshots(network, mirrors, interval=interval)
        return self._snapshots[key]

    def metasnap(self, config: Config) -> Metasnap:
        """metasnap.debian.net, or who the configuration names in its place."""
        from pinner.archive.metasnap import ADDRESS, Metasnap

        service = config.snapshot
        return Metasnap(self.network(config), address=service.metasnap or ADDRESS, interval=service.interval)

    def keyring(self, config: Config, locked: Iterable[LockedKey], *, new: bool = False) -> Keyring:
        """The keys that files name themselves, among them those that a lock has; with `new` on first use."""
        from pinner.archive.keys import Keyring

        return Keyring(self.network(config), locked, new=new)

    def advisories(self, config: Config) -> Advisories:
        """What the distributions' security teams know."""
        from pinner.archive.advisories import Advisories

        return Advisories(self.network(config))

    def changelogs(self, mirrors: Mapping[str, str]) -> Changelogs:
        """The changelogs in packages."""
        from pinner.archive.changelog import Changelogs

        return Changelogs(self.network(Config())._replace(mirrors=mirrors))

    def pool(self, root: Path, config: Config, progress: Progress | None) -> Pool:
        """A repository below `root` that packages are fetched into."""
        from pinner.archive.pool import Pool

        return Pool(root, self.network(config, progress), self.snapshots(config))

    def inspect(
        self, config: Config, mode: InspectMode, archives: Sequence[str], insecure: Sequence[str]
    ) -> Inspect:
        """What reads base images: from `archives` (values of --image-archive), and from registries by the mode."""
        progress = self.progress("layers")
        mode = "never" if self.recorded else mode

        @cache
        def images() -> Images:
            from pinner.session.images import Images

            return Images(self.network(config, progress), mode, archives, insecure)

        def inspect(
            wanted: Sequence[tuple[str, str]], known: Collection[str]
        ) -> Sequence[Image | PinnerError | None]:
            if mode == "never" and not archives:
                return [None for _ in wanted]
            with wiped(progress):
                return images().inspect(wanted, known)

        return inspect


@contextmanager
def wiped(progress: Progress | None) -> Iterator[None]:
    """What is shown of the progress goes with the end of the block."""
    try:
        yield
    finally:
        if progress:
            progress.wipe()


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
    named = Path(os.path.abspath(own))  # noqa: PTH100
    linked = (each for each in (named, *named.parents) if each.is_symlink())
    if git.tracks(path) or any(map(git.tracks, linked)):
        raise InputError(
            "is not used as the cache: git tracks files in it", path=own, hint="name another directory"
        )
