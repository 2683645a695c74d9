"""The keys that a project's files name themselves for the repositories they add."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pinner.apt.sources import Keys
from pinner.cli import doors
from pinner.cli.common import Project
from pinner.lock.schema import NAME as LOCK_NAME
from pinner.lock.schema import Lock, LockedKey
from pinner.project import files, tree
from pinner.project.config import Config
from pinner.workflow.repositories import Known

if TYPE_CHECKING:  # what most runs do not need is loaded where it is
    from pinner.archive.keys import Keyring
    from pinner.recipe.keys import Origin


class Vouching:
    """Answers who may sign what a project's files add; `notes` gets what is trusted for the first time."""

    def __init__(
        self,
        project: Project,
        lock: Lock,
        notes: dict[str, None],
        *,
        new: bool = False,
        offline: bool = False,
    ) -> None:
        self._project = project
        self._notes = notes
        self._lock = lock
        self._new = new
        self._offline = offline

    @cached_property
    def _ring(self) -> Keyring:
        return _ring(self._project.config, self._lock, new=self._new, offline=self._offline)

    @property
    def used(self) -> tuple[LockedKey, ...]:
        """What the lock is to hold of them."""
        return tuple(self._ring.used.values()) if "_ring" in self.__dict__ else ()

    def __call__(self, name: str, uri: str, origins: Sequence[Origin]) -> Keys | str:
        """The keys of these origins, or a clause about what to do so that they count; see `Options.vouch`."""
        if not origins:
            return ""
        folder = doors.recorded()
        if folder is not None:
            return Keys(str(folder / "key.pgp"))
        from pinner.archive.keys import is_secure

        found = []
        for origin in origins:
            if origin.image:
                keys: Keys | None = self._ring.from_image(uri, origin.image, origin.content)
            elif origin.context:
                path = self._project.context_file(name, origin.context)
                if path is None:
                    return ""
                own = files.relative(path, self._project.lock_path.parent)
                keys = self._ring.from_context(uri, tree.read(path, self._project.root), own)
            elif is_secure(origin.url):
                keys = self._ring.from_address(uri, origin.url)
            else:
                return ""
            if keys is None:
                return f"trust the key at {origin.url} on first use by --trust-new-keys"
            found.append(keys)
        for key in self._ring.used.values():
            if key not in self._lock.keys and "://" in key.origin:
                prints = ", ".join(key.fingerprints)
                self._notes[f"trusted on first use for {key.uri}: {key.origin}, the key {prints}"] = None
        return self._ring.joined(found)


def known(config: Config, lock: Lock, root: Path, *, offline: bool) -> tuple[Known, ...]:
    """Who signs what a lock was made from, by the configuration and by itself; `root` is its folder."""
    if doors.recorded() is not None:
        return config.source
    ring = _ring(config, lock, new=False, offline=offline)
    found: dict[str, list[Keys]] = {}
    for key in lock.keys:
        if "://" in key.origin:
            keys = ring.from_address(key.uri, key.origin)
        elif ":/" in key.origin:
            keys = ring.as_of_image(key)
        else:
            content = tree.read(root / key.origin, tree.root_of(root / LOCK_NAME))
            keys = ring.from_context(key.uri, content, key.origin)
        found.setdefault(key.uri, []).append(keys or Keys(""))
    return (*config.source, *(Known(uri, "", ring.joined(keys)) for uri, keys in found.items()))


def _ring(config: Config, lock: Lock, *, new: bool, offline: bool) -> Keyring:
    from pinner.archive.keys import Keyring

    return Keyring(
        doors.cache_dir(),
        lock.keys,
        now=datetime.now(UTC),
        mirrors=config.mirrors,
        new=new,
        offline=offline,
    )
