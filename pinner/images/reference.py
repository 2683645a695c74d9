"""The name of an image, and the platform wanted of it.

Reference grammar: https://pkg.go.dev/github.com/distribution/reference; platforms as containerd reads and matches
them: https://pkg.go.dev/github.com/containerd/platforms
"""

from __future__ import annotations

import re

from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

HUB = "registry-1.docker.io"
_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "www.docker.io", HUB})

DIGEST = later(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_REGISTRY = later(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = later(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = later(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")

_ALIASES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm/v7",
    "armel": "arm/v6",
    "i386": "386",
}
# The variant an architecture has when none is said, and that says nothing when it is.
_PLAIN_VARIANT = {"amd64": "v1", "arm": "v7", "arm64": "v8"}


class Reference(NamedTuple):
    """An image in a registry. `registry` is the host (and port) that is asked; `tag` or `digest` may be empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """The full name, in the form that Docker prints."""
        registry = "docker.io" if self.registry == HUB else self.registry
        tag = f":{self.tag}" if self.tag else ""
        return f"{registry}/{self.repository}{tag}{'@' if self.digest else ''}{self.digest}"


def parse(text: str) -> Reference:
    """The reference `text` as Docker reads it: `debian` is `docker.io/library/debian:latest`. Raises InputError."""
    name, at, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    if slash and (re.search(r"[.:A-Z]", first) or first == "localhost"):
        registry, name = first, rest
    else:
        registry = HUB
    name, colon, tag = name.partition(":")
    if registry in _HUB_NAMES:
        registry = HUB
        name = name if "/" in name else f"library/{name}"
    if not (
        _REGISTRY.fullmatch(registry)
        and _REPOSITORY.fullmatch(name)
        and len(name) <= 255
        and (not colon or _TAG.fullmatch(tag))
        and (not at or DIGEST.fullmatch(digest))
    ):
        raise InputError(f"this is not the name of an image: {text[:300]}")
    return Reference(registry, name, tag if colon or at else "latest", digest)


class Platform(NamedTuple):
    """What an image runs on. `variant` is empty where it says nothing (`amd64`, `arm64/v8`)."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def platform(text: str) -> Platform:
    """The platform `text`, like `linux/arm/v7`, in its normal form. Raises InputError."""
    parts = text.lower().split("/")
    if not 2 <= len(parts) <= 3 or not all(re.fullmatch(r"[a-z0-9_.\-]+", part) for part in parts):
        raise InputError(f"this is not a platform: {text[:100]}", hint="a platform is like linux/arm64")
    return normal(*parts)


def normal(os: str, architecture: str, variant: str = "") -> Platform:
    """One spelling of a platform: `x86_64` is `amd64`, `arm64/v8` is `arm64`, `arm` is `arm/v7`."""
    architecture, _, implied = _ALIASES.get(architecture.lower(), architecture.lower()).partition("/")
    variant = variant.lower() or implied
    variant = f"v{variant}" if variant.isdecimal() else variant
    if architecture == "arm":
        variant = variant or _PLAIN_VARIANT["arm"]
    elif variant == _PLAIN_VARIANT.get(architecture):
        variant = ""
    return Platform(os.lower(), architecture, variant)


def preference(wanted: Platform, offered: Platform) -> int | None:
    """How well an image for `offered` does for `wanted`: 0 is exact, more is worse, None not at all.

    As for containerd an older variant does (`arm/v6` for `arm/v7`), a newer one does not. Its fall from amd64 to 386
    and from arm64 to arm is left out: the packages inside would be those of another Debian architecture.
    """
    if (wanted.os, wanted.architecture) != (offered.os, offered.architecture):
        return None
    if wanted.variant == offered.variant:
        return 0
    plain = _PLAIN_VARIANT.get(wanted.architecture, "")
    numbers = [re.fullmatch(r"v(\d{1,3})", one.variant or plain) for one in (wanted, offered)]
    if numbers[0] is None or numbers[1] is None:
        return None
    distance = int(numbers[0][1]) - int(numbers[1][1])
    return distance if distance >= 0 else None
