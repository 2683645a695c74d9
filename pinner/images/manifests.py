"""Index, manifest and config of an image: JSON from outside → values; and the suite that an image says it has.

OCI image specification: https://github.com/opencontainers/image-spec; Docker's schema 2:
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pinner.distributions.ubuntu import UBUNTU
from pinner.errors import InputError
from pinner.images.reference import DIGEST, Platform, normal
from pinner.regex import later
from pinner.values import NamedTuple

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LAYERS = frozenset(
    f"application/vnd.{form}{packing}"
    for form, packings in (
        ("docker.image.rootfs.diff.tar", ("", ".gzip", ".zstd")),
        ("oci.image.layer.v1.tar", ("", "+gzip", "+zstd")),
        ("oci.image.layer.nondistributable.v1.tar", ("", "+gzip", "+zstd")),
    )
    for packing in packings
)
_MOST_LAYERS = 512


class Descriptor(NamedTuple):
    """A blob as another document vouches for it. `size` is in bytes, -1 where nothing says it."""

    digest: str
    size: int = -1
    media_type: str = ""
    platform: Platform | None = None


class Manifest(NamedTuple):
    """An image for one platform: its config, and its layers with the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


class ImageConfig(NamedTuple):
    """How an image was made: the commands, oldest first. `diff_ids` are the digests of the unpacked layers."""

    platform: Platform
    labels: tuple[tuple[str, str], ...]
    history: tuple[str, ...]
    diff_ids: tuple[str, ...]


def document(content: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `content`. `what` is for messages. Raises InputError."""
    import json

    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(f"{what} is not JSON") from None
    return _object(value, what)


def read(content: bytes, what: str) -> Manifest | tuple[Descriptor, ...]:
    """A manifest, or the entries of an index (manifest list). Raises InputError."""
    fields = document(content, what)
    media_type = _text(fields.get("mediaType", ""), f"mediaType of {what}")
    if media_type and media_type not in (*INDEXES, *MANIFESTS):
        hint = "is this the name of a container image?"
        raise InputError(f"{what} is of a kind that is not read: {media_type[:100]}", hint=hint)
    if fields.get("schemaVersion") != 2:
        hint = "push the image again with a present-day Docker: schema 1 was retired in 2019"
        raise InputError(f"{what} is not of schema version 2", hint=hint)
    if ("manifests" in fields) == ("config" in fields):
        raise InputError(f"{what} is neither an index nor a manifest")
    if "manifests" in fields:
        entries = _array(fields["manifests"], f"the entries of {what}")
        return tuple(_descriptor(entry, f"an entry of {what}") for entry in entries)
    listed = _array(fields.get("layers"), f"the layers of {what}")
    layers = tuple(_descriptor(layer, f"a layer in {what}") for layer in listed)
    if len(layers) > _MOST_LAYERS:
        raise InputError(f"{what} has {len(layers)} layers, more than {_MOST_LAYERS}")
    for layer in layers:
        if layer.media_type not in _LAYERS:
            hint = "Windows, encrypted and non-image layers cannot be looked into"
            kind = layer.media_type[:100]
            raise InputError(f"{what} has a layer of a kind that is not read: {kind}", hint=hint)
    return Manifest(_descriptor(fields["config"], f"the config in {what}"), layers)


def config(content: bytes, what: str) -> ImageConfig:
    """The image configuration in `content`. Raises InputError."""
    fields = document(content, what)
    inner = _object(fields.get("config") or {}, f"the settings in {what}")
    labels = _object(inner.get("Labels") or {}, f"the labels in {what}")
    rootfs = _object(fields.get("rootfs") or {}, f"rootfs in {what}")
    steps = _array(fields.get("history"), f"the history in {what}")
    history = [_object(step, f"a step of {what}") for step in steps]
    diff_ids = _array(rootfs.get("diff_ids"), f"diff_ids in {what}")
    return ImageConfig(
        _platform(fields, what),
        tuple((name, _text(value, f"label {name[:100]} in {what}")) for name, value in labels.items()),
        tuple(_text(step.get("created_by") or "", f"a command in {what}") for step in history),
        tuple(_text(one, f"a diff_id in {what}") for one in diff_ids),
    )


def _descriptor(value: Any, what: str) -> Descriptor:
    fields = _object(value, what)
    digest = _text(fields.get("digest"), f"the digest of {what}")
    size = fields.get("size")
    if not DIGEST.fullmatch(digest):
        raise InputError(f"{what} has an invalid digest: {digest[:100]}")
    if type(size) is not int or size < 0:
        raise InputError(f"{what} has no size in bytes")
    about = fields.get("platform")
    # Attestations that BuildKit adds to an index are for unknown/unknown.
    return Descriptor(
        digest,
        size,
        _text(fields.get("mediaType", ""), f"the media type of {what}"),
        None if about is None else _platform(_object(about, f"the platform of {what}"), what),
    )


def _platform(fields: dict[str, Any], what: str) -> Platform:
    names = (fields.get(name) or "" for name in ("os", "architecture", "variant"))
    return normal(*(_text(name, f"the platform of {what}") for name in names))


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{what} is not a JSON object")
    return value


def _array(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(f"{what} are not a JSON array")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{what} is not text")
    return value


# The command that stands in the history of the official Debian images and of all that are built on them:
# debian.sh --arch 'amd64' out/ 'bookworm' '@1721606400'
_DEBUERREOTYPE = later(r"\bdebian\.sh (?:[^\n]* )?'([a-z][a-z0-9-]*)' '@\d+'")


class ImageOrigin(NamedTuple):
    """`distribution` is an ID of os-release(5) and `suite` a codename, or what stood for one (`testing`); or empty.

    `told_by` says where that was read.
    """

    distribution: str = ""
    suite: str = ""
    told_by: Literal["history", "label", "os-release", ""] = ""


def from_config(config: ImageConfig) -> ImageOrigin:
    """The origin by the image's history, or else by its labels; an empty one if neither tells a suite.

    Labels are inherited, and an image built on Ubuntu's may give itself another version: the map then has none.
    """
    suites = {match[1] for step in config.history for match in _DEBUERREOTYPE.finditer(step)}
    if len(suites) == 1:
        return ImageOrigin("debian", suites.pop(), "history")
    labels = dict(config.labels)
    version = labels.get("org.opencontainers.image.version", "")
    suite = next((suite.codename for suite in UBUNTU.suites if suite.version == version), "")
    if suite and labels.get("org.opencontainers.image.ref.name") == "ubuntu":
        return ImageOrigin("ubuntu", suite, "label")
    return ImageOrigin()


def from_os_release(text: str) -> ImageOrigin:
    """The origin by os-release(5). Releases before 2017, and distroless, have the codename in VERSION only."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s*([A-Z][A-Z0-9_]*)=(\"|'|)(.*?)\2\s*", line)
        if match:
            fields[match[1]] = match[3]
    codename = fields.get("VERSION_CODENAME", "")
    if not codename and (match := re.search(r"\(([a-z]+)\)$", fields.get("VERSION", ""))):
        codename = match[1]
    identity = fields.get("ID", "")
    if not re.fullmatch(r"[a-z0-9._-]+", identity):
        return ImageOrigin()
    suite = codename if re.fullmatch(r"[a-z][a-z0-9._-]*", codename) else ""
    return ImageOrigin(identity, suite, "os-release")
