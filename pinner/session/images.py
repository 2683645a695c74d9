"""How base images are asked for: from registries, with Docker's logins, and from local archives."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from hashlib import sha256
from pathlib import Path

from pinner.archive import parallel
from pinner.archive.network import Network
from pinner.archive.reach import Private
from pinner.errors import CacheError, FetchError, InputError, PinnerError
from pinner.images import reference
from pinner.images.image import Image, NoPlatform
from pinner.images.registry import Limit, Registry
from pinner.stages.bases import LARGEST, LARGEST_UNKNOWN, InspectMode

# Images at a time; each may take some 33 MB of memory, for a layer that is packed with a large window.
_WIDTH = 4


class Images:
    """Images by name and platform. A host that gave no answer is not asked again by this run and those soon after.

    `archives` are the values of --image-archive, `insecure` hosts that are spoken to in http.
    """

    def __init__(
        self, network: Network, mode: InspectMode, archives: Sequence[str], insecure: Sequence[str]
    ) -> None:
        self._network = network
        self._mode = mode
        self._silent: dict[str, str] = {}
        self._limit = Limit(LARGEST, LARGEST_UNKNOWN) if mode == "auto" else None
        self._archives = [
            (pattern, Path(path)) if equals else ("*", Path(pattern))
            for pattern, equals, path in (text.partition("=") for text in archives)
        ]
        logins, hasty = _logins(), mode == "auto"
        self._registry, self._kept = (
            Registry(each, logins=logins, insecure=insecure, hasty=hasty)
            for each in (network, network._replace(offline=True))
        )

    def inspect(
        self, wanted: Sequence[tuple[str, str]], known: Collection[str] = ()
    ) -> list[Image | PinnerError | None]:
        """The images of these names and platforms, in order, several read at a time; no layers of `known` digests.

        None if no archive has one and no registry is to be asked; what no registry gives is an error, returned as it
        is. Raises InputError and TrustError for an archive that cannot be read: the caller has named it.
        """

        def one(name: str, platform: str) -> Image | PinnerError | None:
            for pattern, path in self._archives:
                if fnmatchcase(name.partition("@")[0], pattern):
                    return _archived(path, platform)
            try:
                return self._asked(name, platform, known)
            except CacheError:
                raise
            except PinnerError as error:
                return error

        return parallel.run([partial(one, *each) for each in wanted], _WIDTH)

    def _asked(self, name: str, platform: str, known: Collection[str]) -> Image | None:
        if self._mode == "never":
            return None
        host = reference.parse(name).registry
        silence = self._silence(host)
        try:
            registry = self._kept if silence else self._registry
            return registry.inspect(name, platform, limit=self._limit, known=known)
        except FetchError as error:
            if error.status or self._network.offline or isinstance(error, Private):
                raise
            if not silence:
                why = error.message.rpartition(": ")[2]
                why += " (--insecure-registry speaks http)" if "TLS" in why else ""
                self._silent[host] = silence = f"{host} gave no answer: {why}"
                self._network.cache.keep(self._path(host), self._network.now.isoformat().encode())
            raise FetchError(silence, url=error.url, tries=error.tries, hint=error.hint) from None

    def _silence(self, host: str) -> str:
        """That a host gave no answer, in words; "" if it did, or was not asked lately."""
        if self._mode != "auto" or self._network.offline:
            return ""
        if host not in self._silent:
            self._silent[host] = ""
            if kept := self._network.cache.kept(self._path(host)):
                since = datetime.fromisoformat(kept.decode())
                if self._network.is_recent(since):
                    said = f"{host} gave no answer at {since:%H:%M} UTC, and is not asked again yet"
                    self._silent[host] = said
        return self._silent[host]

    def _path(self, host: str) -> Path:
        return self._network.cache.images / f"{sha256(host.encode()).hexdigest()}.silent"


def _archived(path: Path, platform: str) -> Image | InputError:
    """The image in an archive. What that lacks, the image itself may have: `docker save` writes one platform."""
    from pinner.images.image_archive import inspect_archive

    try:
        return inspect_archive(path, platform)
    except NoPlatform as error:
        return InputError(error.message)


def _logins() -> list[Path]:
    """The files in which docker and podman keep logins (docker(1), containers-auth.json(5))."""
    environment, home = os.environ.get, Path.home()
    if own := environment("REGISTRY_AUTH_FILE"):
        return [Path(own)]
    folders = [environment("XDG_RUNTIME_DIR"), environment("XDG_CONFIG_HOME") or home / ".config"]
    return [
        Path(environment("DOCKER_CONFIG") or home / ".docker") / "config.json",
        *(Path(folder) / "containers" / "auth.json" for folder in folders if folder),
    ]
