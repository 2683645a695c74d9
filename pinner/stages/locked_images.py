"""What an image says when it is read ↔ what the lock keeps of it, so that the same image need not be read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinner.apt.packages import Package
from pinner.lock.schema import ImageFile, InstalledPackage, LockedImage
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.images.image import Image, PathText


class KeptImage(NamedTuple):
    """An image as the lock has it: what `Image` says of one that was read, with its packages as values."""

    reference: str
    platform: str
    digest: str
    index_digest: str
    distribution: str
    suite: str
    size: int
    sources: tuple[PathText, ...]
    apt_conf: tuple[PathText, ...]
    preferences: tuple[PathText, ...]
    keys: tuple[tuple[str, bytes], ...]
    architectures: tuple[PathText, ...]
    packages: tuple[Package, ...]
    read: bool = True


def locked(image: Image, packages: Sequence[Package]) -> LockedImage | None:
    """What the lock is to keep of an image; None for one whose layers were not read, and for one without a digest."""
    if not image.read or not image.digest:
        return None
    from base64 import b64encode

    texts = {
        "sources": image.sources,
        "conf": image.apt_conf,
        "preferences": image.preferences,
        "architectures": image.architectures,
    }
    files = [
        ImageFile(kind, rank, path, text)
        for kind, pairs in texts.items()
        for rank, (path, text) in enumerate(pairs)
    ]
    files += (
        ImageFile("key", rank, path, b64encode(content).decode())
        for rank, (path, content) in enumerate(image.keys)
    )
    return LockedImage(
        image.digest,
        image.platform,
        image.index_digest,
        image.distribution,
        image.suite,
        image.suite_from,
        image.size,
        tuple(sorted(files)),
        tuple(sorted(map(_installed, packages))),
    )


def kept(image: LockedImage, reference: str) -> KeptImage:
    """The image as it was read. Raises `ValueError` for a key that is not base64."""
    from base64 import b64decode

    def texts(kind: str) -> tuple[PathText, ...]:
        return tuple((file.path, file.text) for file in sorted(image.files) if file.kind == kind)

    return KeptImage(
        reference,
        image.platform,
        image.digest,
        image.index_digest,
        image.distribution,
        image.suite,
        image.size,
        texts("sources"),
        texts("conf"),
        texts("preferences"),
        tuple((path, b64decode(text, validate=True)) for path, text in texts("key")),
        texts("architectures"),
        tuple(map(_package, image.packages)),
    )


def _installed(package: Package) -> InstalledPackage:
    values = {name: getattr(package, name) for name in InstalledPackage._fields if name != "arch"}
    values["source"] = "" if package.source == package.name else package.source
    values["source_version"] = "" if package.source_version == package.version else package.source_version
    values["multi_arch"] = "" if package.multi_arch == "no" else package.multi_arch
    values["priority"] = "" if package.priority == "optional" else package.priority
    return InstalledPackage(arch=package.architecture, **values)


def _package(row: InstalledPackage) -> Package:
    values = row._asdict()
    values["architecture"] = values.pop("arch")
    values["source"] = row.source or row.name
    values["source_version"] = row.source_version or row.version
    values["multi_arch"] = row.multi_arch or "no"
    values["priority"] = row.priority or "optional"
    return Package(**values)
