"""Container registries: image → `Image`, through the cache.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md

What was read lies in the cache's directory `images`:

    <digest>                 an index, a manifest or a config; verified each time it is read
    <digest>.<paths>.layer   what a layer says about a set of paths, which their SHA-256 names
    <name>.tag               the digest that a tag meant, and when that was; the SHA-256 of the image's name

What is named by its digest never changes: it is kept for ever. A damaged file is as good as none.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import new, sha256
from pathlib import Path

from pinner.archive.cache import Cache
from pinner.archive.fetch import TRIES, Fetcher
from pinner.archive.network import Network, not_cached
from pinner.errors import FetchError, TrustError
from pinner.images import image, layers, reference
from pinner.images.credentials import Login, login
from pinner.images.image import Image
from pinner.images.layers import LayerEntries, LayerEntry
from pinner.images.manifests import INDEXES, MANIFESTS, Descriptor, from_config
from pinner.images.reference import DIGEST, Reference
from pinner.images.registry_client import Client, host_of
from pinner.values import NamedTuple

_LARGEST_MANIFEST = 4 << 20  # bytes; what registries must take at least
_LARGEST_CONFIG = 8 << 20
_MANIFEST = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}


class Registry:
    """Registries as seen through one cache directory.

    `logins` are files like Docker's config.json. Hosts in `insecure` (with a port or, for all ports,
    without) are spoken to in http. What the network has in the place of a registry's address
    (`https://registry-1.docker.io`) is asked with the login for the mirror. What a tag means is not asked for again
    within its `max_age`; with `hasty` there is one try, and no long wait for a host that does not answer. Several
    threads may share a registry.
    """

    def __init__(
        self,
        network: Network,
        *,
        logins: Sequence[Path] = (),
        insecure: Sequence[str] = (),
        hasty: bool = False,
    ) -> None:
        self._network = network
        self._cache = ImageCache(network.cache)
        self._logins = tuple(logins)
        self._insecure = frozenset(insecure)
        self._hasty = hasty
        self._meant: dict[str, str] = {}
        self._alone = Alone()

    def inspect(
        self, name: str, platform: str, *, limit: Limit | None = None, known: Collection[str] = ()
    ) -> Image:
        """The image `name` for `platform` (`linux/arm64`); the layers are not read of one whose digest is `known`.

        Where its layers have more bytes in all than `limit` allows, only what its configuration tells, which takes some
        small requests. Raises InputError for a name or an image that cannot be read, FetchError, TrustError.
        """
        wanted = reference.platform(platform)
        parsed = reference.parse(name)
        base = self._base(parsed.registry)
        fetcher = Fetcher(self._network._replace(mirrors={}), hasty=self._hasty)
        client = Client(fetcher, parsed, base, partial(self._login, base, parsed))
        blobs = _Repository(client, self._cache, parsed, self._network, self._alone)
        try:
            top = Descriptor(parsed.digest or self._resolve(blobs, f"{base} {parsed}"))
            found = image.find(blobs, (top,), wanted, str(parsed))[0]
            size = sum(layer.size for layer in found.layers)
            says = bool(from_config(found.config).suite)
            return image.look(
                found,
                blobs.layer,
                reference=str(parsed),
                platform=wanted,
                layers=found.digest not in known
                and (limit is None or size <= (limit.known if says else limit.unknown)),
            )
        finally:
            fetcher.close()

    def _login(self, base: str, wanted: Reference) -> Login | None:
        """None for a registry in http that the user has not named: a configuration could have sent it in the clear."""
        host = host_of(base)
        plain = {host, host.rpartition(":")[0] or host} & self._insecure
        if base.startswith("http:") and not plain:
            return None
        return login(self._logins, host, wanted.repository)

    def _base(self, registry: str) -> str:
        address = f"https://{registry}"
        for prefix, mirror in self._network.mirrors.items():
            if prefix.rstrip("/") == address:
                return mirror.rstrip("/")
        plain = {registry, registry.rpartition(":")[0] or registry} & self._insecure
        return f"http://{registry}" if plain else address

    def _resolve(self, blobs: _Repository, name: str) -> str:
        """The digest that the tag of `name` means: for one registry it does not change."""
        with self._alone(name):
            if name not in self._meant:
                known = self._cache.tag(name)
                if known and self._network.is_recent(known[1]):
                    self._meant[name] = known[0]
                else:
                    self._meant[name] = blobs.resolve()
                    self._cache.keep_tag(name, self._meant[name], self._network.now)
            return self._meant[name]


class Limit(NamedTuple):
    """The most bytes of packed layers that are read where an image's configuration tells its suite, and where not."""

    known: int
    unknown: int


class Alone:
    """Lets one thread at a time work for a key, so that what several want is fetched once."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}

    def __call__(self, key: str) -> threading.Lock:
        """A lock to hold; `setdefault` is atomic."""
        return self._locks.setdefault(key, threading.Lock())


class _Repository:
    def __init__(
        self, client: Client, cache: ImageCache, name: Reference, network: Network, alone: Alone
    ) -> None:
        self._client = client
        self._cache = cache
        self._name = name
        self._network = network
        self._alone = alone

    def resolve(self) -> str:
        """What the tag means now. Registries count a HEAD less than a GET, or not at all."""
        self._check_online()
        path = f"manifests/{self._name.tag}"
        with self._client.ask(path, method="HEAD", headers=_MANIFEST) as answer:
            digest = answer.headers.get("Docker-Content-Digest", "")
        if DIGEST.fullmatch(digest):
            return digest
        with self._client.ask(path, headers=_MANIFEST) as answer:
            content = answer.body(_LARGEST_MANIFEST)
        digest = f"sha256:{sha256(content).hexdigest()}"
        self._cache.keep_document(digest, content)
        return digest

    def manifest(self, descriptor: Descriptor) -> bytes:
        """An index or a manifest."""
        return self._document(descriptor, "manifests", _MANIFEST, _LARGEST_MANIFEST)

    def config(self, descriptor: Descriptor) -> bytes:
        """An image's configuration."""
        return self._document(descriptor, "blobs", {}, _LARGEST_CONFIG)

    def layer(self, descriptor: Descriptor, wanted: frozenset[str]) -> LayerEntries:
        """What a layer says about the `wanted` paths."""
        with self._alone(descriptor.digest):
            layer = self._cache.layer(descriptor.digest, wanted)
            if layer is None:
                self._check_online()
                what = f"{self._name}: layer {descriptor.digest}"
                layer = layers.read(self._chunks(descriptor), descriptor, wanted, what)
                self._cache.keep_layer(descriptor.digest, wanted, layer)
            return layer

    def _document(self, descriptor: Descriptor, kind: str, headers: Mapping[str, str], limit: int) -> bytes:
        digest = descriptor.digest
        with self._alone(digest):
            content = self._cache.document(digest)
            if content is not None:
                return content
            self._check_online()
            with self._client.ask(f"{kind}/{digest}", headers=headers) as answer:
                content = answer.body(limit)
            algorithm, _, expected = digest.partition(":")
            if (found := new(algorithm, content).hexdigest()) != expected:
                raise TrustError(
                    f"{self._name}: what the registry gives for {digest} has another digest: {found}",
                    hint="the registry or a proxy delivers other bytes than were asked for",
                )
            self._cache.keep_document(digest, content)
            return content

    def _chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes of a blob; where they break off they are asked for from there on."""
        done = breaks = 0
        report = self._network.reporter(str(self._name), descriptor.size)
        while True:
            headers = {"Range": f"bytes={done}-"} if done else {}
            with self._client.ask(f"blobs/{descriptor.digest}", headers=headers) as answer:
                if answer.status == 206 and not answer.headers.get("Content-Range", "").startswith(
                    f"bytes {done}-"
                ):
                    raise FetchError(
                        f"{self._name}: the registry gives another part than asked for", url=answer.url
                    )
                unwanted = done if answer.status == 200 else 0
                try:
                    for piece in answer.pieces(descriptor.size):
                        fresh = piece[unwanted:]
                        unwanted -= len(piece) - len(fresh)
                        done += len(fresh)
                        if report:
                            report(done)
                        yield fresh
                    return
                except FetchError:
                    breaks += 1
                    if breaks == TRIES:
                        raise

    def _check_online(self) -> None:
        if self._network.offline:
            raise not_cached(f"https://{self._name.registry}/", str(self._name))


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
