"""What was read from images, in the cache's directory `images`.

    <digest>                 an index, a manifest or a config; verified each time it is read
    <digest>.<paths>.layer   what a layer says about a set of paths, which their SHA-256 names
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


class ImageCache:
    """The files of `cache` that are about images."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def document(self, digest: str) -> bytes | None:
        """The document with this digest."""
        algorithm, _, expected = digest.partition(":")
        with suppress(OSError):
            content = self._path(digest, "").read_bytes()
            return content if new(algorithm, content).hexdigest() == expected else None
        return None

    def keep_document(self, digest: str, content: bytes) -> None:
        """Keeps a document that was verified."""
        self._cache.write(self._path(digest, ""), content)

    def layer(self, digest: str, wanted: frozenset[str]) -> LayerEntries | None:
        """What the layer with this digest says about the `wanted` paths."""
        text = self._cache.kept(self._layer(digest, wanted))
        if not text:
            return None
        import json

        return tuple(LayerEntry(*fields) for fields in json.loads(text))

    def keep_layer(self, digest: str, wanted: frozenset[str], layer: LayerEntries) -> None:
        """Keeps what a layer says that was verified."""
        import json

        text = json.dumps([(entry.path, entry.kind, entry.text) for entry in layer]).encode()
        self._cache.keep(self._layer(digest, wanted), text)

    def tag(self, name: str) -> tuple[str, datetime] | None:
        """The digest that the image `name` meant, and when it was asked for."""
        digest, _, asked = self._cache.kept(self._tag(name)).decode().partition(" ")
        return (digest, datetime.fromisoformat(asked)) if digest else None

    def keep_tag(self, name: str, digest: str, asked: datetime) -> None:
        """Keeps what the image `name` meant."""
        self._cache.keep(self._tag(name), f"{digest} {asked.isoformat()}".encode())

    def _tag(self, name: str) -> Path:
        return self._cache.images / f"{sha256(name.encode()).hexdigest()}.tag"

    def _layer(self, digest: str, wanted: frozenset[str]) -> Path:
        paths = sha256("\0".join(sorted(wanted)).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self._path(digest, f".{paths}.layer")

    def _path(self, digest: str, suffix: str) -> Path:
        return self._cache.images / f"{digest.replace(':', '-')}{suffix}"
