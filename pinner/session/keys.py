"""The keys that a project's files name themselves for the repositories they add."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pinner.apt.sources import Keys
from pinner.apt.sources_list import SourceEntry
from pinner.distributions import repositories
from pinner.errors import FetchError
from pinner.lock.schema import NAME as LOCK_NAME
from pinner.lock.schema import Lock, LockedKey
from pinner.project import files, tree
from pinner.project.config import Config
from pinner.session.access import Access
from pinner.session.projects import Project
from pinner.stages.repositories import UnreadRepository, VouchedRepository

if TYPE_CHECKING:  # what most runs do not need is loaded where it is
    from pinner.archive.keys import Keyring
    from pinner.shell.content import KeyOrigin


class Vouching:
    """Answers who may sign what a project's files add; `notes` gets what is trusted for the first time.

    `unreachable` are the errors of known repositories whose keys could not be asked for.
    """

    def __init__(
        self, project: Project, lock: Lock, access: Access, notes: dict[str, None], *, new: bool = False
    ) -> None:
        self._project = project
        self._notes = notes
        self._lock = lock
        self._new = new
        self._access = access
        self.unreachable: dict[str, FetchError] = {}

    @cached_property
    def _ring(self) -> Keyring:
        return self._access.keyring(self._project.config, self._lock.keys, new=self._new)

    @property
    def used(self) -> tuple[LockedKey, ...]:
        """What the lock is to hold of them."""
        return tuple(self._ring.used.values()) if "_ring" in self.__dict__ else ()

    def __call__(self, name: str, entry: SourceEntry, origins: Sequence[KeyOrigin]) -> Keys | str:
        """The keys of these origins, or a clause about what to do so that they count; see `Options.vouch`.

        Raises `UnreadRepository` where a known repository's key cannot be had now.
        """
        owner = repositories.find(entry.uri, entry.suite)
        if not origins and owner is None:
            return ""
        folder = self._access.recorded
        if folder is not None:
            return Keys(str(folder / "key.pgp")) if origins else ""
        from pinner.archive.keys import is_secure

        if owner is not None and not any(origin.image or origin.context for origin in origins):
            urls = [*owner.keys, *(origin.url for origin in origins if is_secure(origin.url))]
            return self._owners(owner, urls) if urls else ""
        uri, found = entry.uri, []
        for origin in origins:
            if origin.image:
                keys: Keys | None = self._ring.from_image(uri, origin.image, origin.content)
            elif origin.context:
                context = self._project.context(name)
                path = (
                    context.path(origin.context) if context is not None else None
                )  # None: in doubt which is meant
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
            key = self._ring.used.get((uri, origin.url))
            if key is not None and key not in self._lock.keys:
                prints = ", ".join(key.fingerprints)
                self._notes[f"trusted on first use for {key.uri}: {key.origin}, the key {prints}"] = None
        return self._ring.joined(found)

    def _owners(self, owner: repositories.KnownRepository, urls: Sequence[str]) -> Keys:
        if owner.name not in self.unreachable:
            try:
                return self._ring.from_owner(owner, urls)
            except FetchError as error:
                self.unreachable[owner.name] = error
        why = self.unreachable[owner.name].message
        raise UnreadRepository(f"{owner.uri}, whose key could not be fetched ({why})", owner.serves)


def known(access: Access, config: Config, lock: Lock, root: Path) -> tuple[VouchedRepository, ...]:
    """Who signs what a lock was made from, by the configuration and by itself; `root` is its folder."""
    if access.recorded is not None:
        return config.source
    ring = access.keyring(config, lock.keys)
    found: dict[str, list[Keys]] = {}
    for key in lock.keys:
        owner = repositories.of_key(key.uri, key.origin, key.fingerprints) if "://" in key.origin else None
        if owner is not None:
            keys: Keys | None = ring.from_owner(owner._replace(uri=key.uri), (key.origin, *owner.keys))
        elif "://" in key.origin:
            keys = ring.from_address(key.uri, key.origin)
        elif ":/" in key.origin:
            keys = ring.as_of_image(key)
        else:
            content = tree.read(root / key.origin, tree.root_of(root / LOCK_NAME))
            keys = ring.from_context(key.uri, content, key.origin)
        found.setdefault(key.uri, []).append(keys or Keys(""))
    return (*config.source, *(VouchedRepository(uri, "", ring.joined(keys)) for uri, keys in found.items()))
