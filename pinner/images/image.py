"""What is in an image: its suite, its installed packages, and how apt in it is configured. Read, never run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from pinner.apt import sources_list
from pinner.errors import InputError
from pinner.images import manifests
from pinner.images.layers import KEY_FILES, LayerEntries, asks_for
from pinner.images.manifests import (
    Descriptor,
    ImageConfig,
    ImageOrigin,
    Manifest,
    from_config,
    from_os_release,
)
from pinner.images.reference import Platform, preference
from pinner.images.tree import ImageTree
from pinner.regex import later
from pinner.values import NamedTuple

PathText = tuple[str, str]

_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
_STATUS, _STATUS_D = "var/lib/dpkg/status", "var/lib/dpkg/status.d"
_STATES = "var/lib/apt/extended_states"
_ARCHITECTURES = "var/lib/dpkg/arch"
_SOURCES, _SOURCES_D = "etc/apt/sources.list", "etc/apt/sources.list.d"
_CONF, _CONF_D = "etc/apt/apt.conf", "etc/apt/apt.conf.d"
_PREFERENCES, _PREFERENCES_D = "etc/apt/preferences", "etc/apt/preferences.d"
_FILES = (_STATUS, _STATES, _ARCHITECTURES, _SOURCES, _CONF, _PREFERENCES)
# The names in a directory that are read: sources.list(5), apt.conf(5), apt_preferences(5). Those of status.d are
# distroless' own, which puts lists of checksums beside them.
_DIRECTORIES = {
    _STATUS_D: re.compile(r"[^.].*(?<!\.md5sums)"),
    _SOURCES_D: re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?:list|sources)"),
    _CONF_D: re.compile(r"[A-Za-z0-9_-]+(?:[A-Za-z0-9_.-]*\.conf)?"),
    _PREFERENCES_D: re.compile(r"[A-Za-z0-9_-]+(?:[A-Za-z0-9_.-]*\.pref)?"),
}
_WANTED = frozenset((*_OS_RELEASE, *_FILES, *_DIRECTORIES))
# What is not in an image but mounted when it runs: a link to /dev/null is an empty file.
_MOUNTED = later(r"(?:dev|proc|sys)(?:/|$)")
_OWN_KEYS = later(r"/(?:debian|ubuntu)-archive-[a-z0-9-]+\.(?:gpg|pgp)$")
_MOST_ROUNDS = 5
_DEEPEST = 4  # indices within indices


class Image(NamedTuple):
    """An image for one platform.

    `digest` is that of the platform's manifest, `index_digest` of the index it was found in ("" if none; both are ""
    for an archive without manifests). `distribution` and `suite` are as the image tells them, "" if it does not;
    `suite_from` says where (`history`, `label`, `os-release`). `status` is the text of dpkg's status file and of
    status.d, `states` that of what apt knows of their installation (`extended_states`), "" if there is none.
    `sources`, `apt_conf` and `preferences` are pairs of an absolute path and its text, in apt's order of reading;
    `keys` are pairs of a path that the sources name for others' keys, and its content; `architectures` is dpkg's list,
    which an image has where one was added. All these are empty where the layers were not `read`. `size` is that of
    all layers, packed, in bytes.
    """

    reference: str
    platform: str
    digest: str
    index_digest: str
    distribution: str
    suite: str
    suite_from: str
    size: int = 0
    read: bool = True
    status: str = ""
    sources: tuple[PathText, ...] = ()
    apt_conf: tuple[PathText, ...] = ()
    preferences: tuple[PathText, ...] = ()
    keys: tuple[tuple[str, bytes], ...] = ()
    states: str = ""
    architectures: tuple[PathText, ...] = ()


class Blobs(Protocol):
    """Where documents come from; each is verified against its digest."""

    def manifest(self, descriptor: Descriptor) -> bytes:
        """An index or a manifest."""

    def config(self, descriptor: Descriptor) -> bytes:
        """An image's configuration."""


class NoPlatform(InputError):
    """That an image is not made for the platform that is wanted."""


class FoundImage(NamedTuple):
    """A platform's image before its layers are read; they stand with the lowest first."""

    digest: str
    index_digest: str
    layers: tuple[Descriptor, ...]
    config: ImageConfig


def find(blobs: Blobs, entries: Sequence[Descriptor], wanted: Platform, what: str) -> tuple[FoundImage, ...]:
    """Those of `entries` that are the best for `wanted`, in order. Raises NoPlatform if none will do."""
    offered: set[str] = set()

    def those_of(entries: Sequence[Descriptor], index: str = "", depth: int = 0) -> Iterator[FoundImage]:
        known = [(entry, entry.platform) for entry in entries if entry.platform]
        offered.update(str(platform) for _, platform in known if platform.os != "unknown")
        fits = ((entry, preference(wanted, platform)) for entry, platform in known)
        ranks = {entry: rank for entry, rank in fits if rank is not None}
        best = min(ranks.values(), default=None)
        chosen = [entry for entry in entries if ranks.get(entry) == best] if ranks else []
        for entry in chosen or [entry for entry in entries if entry.platform is None]:
            document = manifests.read(blobs.manifest(entry), what)
            if isinstance(document, Manifest):
                config = manifests.config(blobs.config(document.config), f"the config of {what}")
                if entry.platform is None:
                    offered.add(str(config.platform))
                    if preference(wanted, config.platform) is None:
                        continue
                yield FoundImage(entry.digest, index, document.layers, config)
            elif depth == _DEEPEST:
                raise InputError(f"{what} has indices within indices")
            else:
                yield from those_of(document, entry.digest, depth + 1)

    found = tuple(those_of(entries))
    if not found:
        have = ", ".join(sorted(offered)) or "none for a platform that pinner knows"
        raise NoPlatform(f"{what}: no image for {wanted}; it has {have}")
    return found


def look(
    found: FoundImage,
    read: Callable[[Descriptor, frozenset[str]], LayerEntries],
    *,
    reference: str,
    platform: Platform,
    layers: bool,
) -> Image:
    """The image, its layers read from the top by `read` until nothing below can change what is wanted.

    Without `layers` only what the configuration tells.
    """
    origin = from_config(found.config)
    tree = _tree(found, read, origin) if layers else ImageTree(())
    if not origin.suite:
        texts = (tree.text(path) for path in _OS_RELEASE)
        origin = next((from_os_release(text) for text in texts if text is not None), origin)
    return Image(
        reference=reference,
        platform=str(platform),
        digest=found.digest,
        index_digest=found.index_digest,
        distribution=origin.distribution,
        suite=origin.suite,
        suite_from=origin.told_by if origin.suite else "",
        size=sum(layer.size for layer in found.layers),
        read=layers,
        status="\n".join(f"{text.rstrip()}\n" for _, text in _texts(tree, _STATUS, _STATUS_D)),
        sources=_texts(tree, _SOURCES, _SOURCES_D),
        # apt reads the directory before the file (apt.conf(5)).
        apt_conf=_texts(tree, "", _CONF_D) + _texts(tree, _CONF, ""),
        preferences=_texts(tree, _PREFERENCES, _PREFERENCES_D),
        keys=tuple(
            (f"/{path}", text.encode("utf-8", "surrogateescape"))
            for path in sorted(_keys(tree))
            if (text := tree.text(path)) is not None
        ),
        states=tree.text(_STATES) or "",
        architectures=_texts(tree, _ARCHITECTURES, ""),
    )


def _tree(
    found: FoundImage, read: Callable[[Descriptor, frozenset[str]], LayerEntries], origin: ImageOrigin
) -> ImageTree:
    wanted, keys = _WANTED, frozenset[str]()
    for _ in range(_MOST_ROUNDS):
        stack: list[LayerEntries] = []
        tree = ImageTree(stack)
        for descriptor in reversed(found.layers):
            if _settled(tree, origin) and all(map(tree.settled, keys)):
                break
            stack.append(read(descriptor, wanted))
            tree = ImageTree(stack)
        targets = {tree.real(path) for path in _paths(tree)}
        missing = {path for path in targets if not asks_for(path, wanted) and not _MOUNTED.match(path)}
        keys = _keys(tree)
        missing |= {path for path in (*keys, *map(tree.real, keys)) if path not in wanted}
        if not missing:
            return tree
        # Sources name keys, or a link leads out of the directories that were looked at: again, with its target.
        wanted |= missing
    raise InputError(
        "apt's files in the image are links to links to links", hint="name the suite by a comment in the file"
    )


def _keys(tree: ImageTree) -> frozenset[str]:
    found = set[str]()
    for path, text in _texts(tree, _SOURCES, _SOURCES_D):
        with suppress(InputError):  # what cannot be read is said where it counts
            found |= {entry.signed_by for entry in sources_list.read(path, text)}
    return frozenset(
        path.lstrip("/")
        for path in found
        if path.startswith("/") and path.endswith(KEY_FILES) and not _OWN_KEYS.search(path)
    )


def _settled(tree: ImageTree, origin: ImageOrigin) -> bool:
    return (
        (bool(origin.suite) or any(tree.text(path) is not None for path in _OS_RELEASE))
        and all(tree.settled(path) for path in _FILES)
        and all(tree.settled(path, directory=True) for path in _DIRECTORIES)
    )


def _paths(tree: ImageTree) -> list[str]:
    inside = [
        f"{directory}/{name}"
        for directory, pattern in _DIRECTORIES.items()
        for name in tree.names(directory)
        if pattern.fullmatch(name)
    ]
    return [*_OS_RELEASE, *_FILES, *_DIRECTORIES, *inside]


def _texts(tree: ImageTree, file: str, directory: str) -> tuple[PathText, ...]:
    paths = [file] if file else []
    if directory:
        pattern = _DIRECTORIES[directory]
        paths += [f"{directory}/{name}" for name in tree.names(directory) if pattern.fullmatch(name)]
    texts = ((path, tree.text(path)) for path in paths)
    return tuple((f"/{path}", text) for path, text in texts if text is not None)
