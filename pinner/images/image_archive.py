"""Images in local archives: OCI layouts (a directory or a tar of one) and what `docker save` writes.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md; manifest.json of `docker save`:
https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import closing
from hashlib import new
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pinner.archive.tar import Tar
from pinner.errors import InputError, TrustError
from pinner.images import image, layers, manifests, reference
from pinner.images.image import FoundImage, Image, NoPlatform
from pinner.images.layers import LayerEntries
from pinner.images.manifests import Descriptor
from pinner.images.reference import Platform, preference

_CHUNK = 1 << 16
_LARGEST = 8 << 20  # bytes of a document


def inspect_archive(path: Path, platform: str, *, layers: bool = True) -> Image:
    """The image for `platform` in the archive at `path`; without `layers` only what its configuration tells.

    Raises InputError for an archive that cannot be read or holds several images for the platform, TrustError where
    content does not have its digest.
    """
    wanted = reference.platform(platform)
    try:
        with closing(_Directory(path) if path.is_dir() else _TarFile(path)) as files:
            return _inspect(_Archive(files, path), wanted, layers)
    except OSError as error:
        raise InputError(f"the archive cannot be read: {error.strerror}", path=str(path)) from None


def _inspect(archive: _Archive, wanted: Platform, layers: bool) -> Image:
    what = str(archive.path)
    if archive.has("index.json"):
        index = manifests.read(archive.content("index.json"), f"index.json in {what}")
        if isinstance(index, manifests.Manifest):
            raise InputError("index.json is not an index", path=what)
        found = image.find(archive, index, wanted, what)
    elif archive.has("manifest.json"):
        found = archive.saved(wanted)
    else:
        raise InputError(
            "this is no archive of an image: it has neither index.json nor manifest.json",
            path=what,
            hint="write it with `docker save` or `skopeo copy … oci-archive:FILE`",
        )
    if len({(one.digest, one.config) for one in found}) > 1:
        hint = "save one image per archive"
        raise InputError(f"the archive holds {len(found)} images for {wanted}", path=what, hint=hint)
    return image.look(found[0], archive.layer, reference=what, platform=wanted, layers=layers)


class _Files(Protocol):
    def open(self, name: str) -> tuple[BinaryIO, int] | None:
        """The file at its start, and its size; None if there is none."""

    def close(self) -> None:
        """Ends the reading."""


class _Archive:
    def __init__(self, files: _Files, path: Path) -> None:
        self._files = files
        self.path = path
        self._members: dict[str, str] = {}  # of what `docker save` wrote, by digest

    def has(self, name: str) -> bool:
        """Whether there is a file `name`."""
        return self._files.open(name) is not None

    def content(self, name: str) -> bytes:
        """The document `name`."""
        file, size = self._opened(name)
        content = b"".join(_chunks(file, min(size, _LARGEST + 1)))
        if len(content) > _LARGEST:
            raise InputError(f"{name} is longer than {_LARGEST} bytes", path=str(self.path))
        return content

    def manifest(self, descriptor: Descriptor) -> bytes:
        """An index or a manifest."""
        algorithm, _, expected = descriptor.digest.partition(":")
        content = self.content(f"blobs/{algorithm}/{expected}")
        if (found := new(algorithm, content).hexdigest()) != expected:
            raise TrustError(f"{self.path}: blobs/{algorithm}/{expected} has another digest: {found}")
        return content

    config = manifest

    def layer(self, descriptor: Descriptor, wanted: frozenset[str]) -> LayerEntries:
        """What a layer says about the `wanted` paths."""
        name = self._members.get(descriptor.digest) or f"blobs/{descriptor.digest.replace(':', '/')}"
        return layers.read(
            _chunks(*self._opened(name)), descriptor, wanted, f"{self.path}: layer {descriptor.digest}"
        )

    def saved(self, wanted: Platform) -> tuple[FoundImage, ...]:
        """The images for `wanted` that manifest.json lists. Their layers are vouched for by the config's diff_ids."""
        what = f"manifest.json in {self.path}"
        listed = manifests.document(b'{"images": ' + self.content("manifest.json") + b"}", what)["images"]
        found, offered = [], set()
        for entry in listed if isinstance(listed, list) else []:
            config_name, names = _saved_entry(entry, what)
            config = manifests.config(self.content(config_name), f"{config_name} in {self.path}")
            offered.add(str(config.platform))
            if preference(wanted, config.platform) is None:
                continue
            if len(names) != len(config.diff_ids):
                raise InputError(f"{what} and {config_name} list different numbers of layers")
            self._members |= dict(zip(config.diff_ids, names, strict=True))
            pairs = zip(config.diff_ids, names, strict=True)
            stack = tuple(Descriptor(digest, self._opened(name)[1]) for digest, name in pairs)
            found.append(FoundImage("", "", stack, config))
        if not found:
            have = f"it has {', '.join(sorted(offered))}" if offered else "it has none"
            raise NoPlatform(f"{self.path}: no image for {wanted}; {have}")
        return tuple(found)

    def _opened(self, name: str) -> tuple[BinaryIO, int]:
        opened = self._files.open(name)
        if opened is None:
            raise InputError(f"the archive has no {name}", path=str(self.path))
        return opened


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size and (chunk := file.read(min(_CHUNK, size))):
        size -= len(chunk)
        yield chunk


def _saved_entry(entry: Any, what: str) -> tuple[str, list[str]]:
    fields: dict[str, Any] = entry if isinstance(entry, dict) else {}
    config: Any = fields.get("Config")
    names: Any = fields.get("Layers")
    whole = isinstance(names, list) and all(isinstance(name, str) for name in (config, *names))
    if not whole:
        raise InputError(f"{what} is not what `docker save` writes")
    return config, names


class _Directory:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: BinaryIO | None = None

    def open(self, name: str) -> tuple[BinaryIO, int] | None:
        """The file `name`, without what leaves the directory."""
        path = self._root / posixpath.normpath(f"/{name}").lstrip("/")
        self.close()
        if not path.is_file():
            return None
        self._open = path.open("rb")
        return self._open, path.stat().st_size

    def close(self) -> None:
        """Closes the file that was opened last."""
        if self._open:
            self._open.close()


class _TarFile:
    """The members of a tar, found by one walk over its headers."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._places: dict[str, tuple[int, int]] = {}
        links: dict[str, str] = {}
        try:
            if self._file.read(2) == b"\x1f\x8b":
                raise InputError("the archive is compressed", path=str(path), hint="gunzip it first")
            self._file.seek(0)
            tar = Tar(_Seekable(self._file), str(path))
            while member := tar.next():
                name = posixpath.normpath(f"/{member.name}")
                if member.kind == "file":
                    self._places[name] = self._file.tell(), member.size
                elif member.kind in ("symlink", "hardlink"):
                    # Older `docker save` links a layer that two images share.
                    above = "/" if member.kind == "hardlink" else posixpath.dirname(name)
                    links[name] = posixpath.normpath(posixpath.join(above, member.target))
        except BaseException:
            self._file.close()
            raise
        self._places |= {name: self._places[to] for name, to in links.items() if to in self._places}

    def open(self, name: str) -> tuple[BinaryIO, int] | None:
        """The member `name`."""
        place = self._places.get(posixpath.normpath(f"/{name}"))
        if place is None:
            return None
        self._file.seek(place[0])
        return self._file, place[1]

    def close(self) -> None:
        """Closes the tar."""
        self._file.close()


class _Seekable:
    """A file as a source for `Tar` that passes over members without reading them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = os.fstat(file.fileno()).st_size

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def skip(self, size: int) -> bool:
        return self._file.seek(size, os.SEEK_CUR) <= self._end
