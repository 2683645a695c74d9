"""Which distribution and suite an image was made from, as it says itself. Pure."""

from __future__ import annotations

import re
from typing import Literal

from pinner.distributions.ubuntu import UBUNTU
from pinner.images.manifests import ImageConfig
from pinner.regex import later
from pinner.values import NamedTuple

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
