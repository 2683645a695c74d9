"""What was read from images, in the cache's directory `images`.

    <digest>                 an index, a manifest or a config; verified each time it is read
    <digest>.<paths>.layer   what a layer says about a set of paths, after the SHA-256 of that; the SHA-256 of the paths
    <name>.tag               the digest that a tag meant, and when that was; the SHA-256 of the image's name

What is named by its digest never changes: it is kept for ever. A damaged file is as good as none.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from hashlib import new, sha256
from pathlib import Path

from pinner.archive.cache import Cache
from pinner.images.layers import LayerEntries, LayerEntry
from pinner.images.reference import DIGEST


class ImageCache:
    """The files of `cache` that are about images."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def document(self, digest: str) -> bytes | None:
        """The document with this digest."""
        content = _read(self._path(digest, ""))
        algorithm, _, expected = digest.partition(":")
        return content if content is not None and new(algorithm, content).hexdigest() == expected else None

    def keep_document(self, digest: str, content: bytes) -> None:
        """Keeps a document that was verified."""
        self._cache.write(self._path(digest, ""), content)

    def layer(self, digest: str, wanted: frozenset[str]) -> LayerEntries | None:
        """What the layer with this digest says about the `wanted` paths."""
        content = _read(self._layer(digest, wanted)) or b""
        checksum, _, text = content.partition(b"\n")
        if checksum != sha256(text).hexdigest().encode():
            return None
        import json

        return tuple(LayerEntry(*fields) for fields in json.loads(text))

    def keep_layer(self, digest: str, wanted: frozenset[str], layer: LayerEntries) -> None:
        """Keeps what a layer says that was verified."""
        import json

        text = json.dumps([(entry.path, entry.kind, entry.text) for entry in layer]).encode()
        self._cache.write(self._layer(digest, wanted), sha256(text).hexdigest().encode() + b"\n" + text)

    def tag(self, name: str) -> tuple[str, datetime] | None:
        """The digest that the image `name` meant, and when it was asked for."""
        digest, _, asked = (_read(self._tag(name)) or b"").decode("ascii", "replace").strip().partition(" ")
        with suppress(ValueError):
            if DIGEST.fullmatch(digest):
                return digest, datetime.fromisoformat(asked)
        return None

    def keep_tag(self, name: str, digest: str, asked: datetime) -> None:
        """Keeps what the image `name` meant."""
        self._cache.write(self._tag(name), f"{digest} {asked.isoformat()}\n".encode())

    def _tag(self, name: str) -> Path:
        return self._cache.images / f"{sha256(name.encode()).hexdigest()}.tag"

    def _layer(self, digest: str, wanted: frozenset[str]) -> Path:
        paths = sha256("\0".join(sorted(wanted)).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self._path(digest, f".{paths}.layer")

    def _path(self, digest: str, suffix: str) -> Path:
        return self._cache.images / f"{digest.replace(':', '-')}{suffix}"


def _read(path: Path) -> bytes | None:
    with suppress(OSError):
        return path.read_bytes()
    return None
