"""A .deb in hand (deb(5)): an ar archive with control.tar.* and data.tar.*. Nothing of it is unpacked to the disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from posixpath import normpath

from pinner.apt.packages import PackageFile, fault, fields, package
from pinner.archive.tar import Tar
from pinner.archive.unpack import Torn, UnpackedStream
from pinner.errors import InputError
from pinner.regex import later

_PIECE = 1 << 18
_LARGEST_CONTROL, _LARGEST_DATA = 16_000_000, 1_000_000_000  # bytes, unpacked
_LARGEST_TEXT = 1_000_000
_NAME = later(r"[a-z0-9][a-z0-9+.-]+")
_APT = later(rb"/etc/apt|apt-(?:add|key)|add-apt|sources\.list")
_APT_PATH = later(r"(?:etc/apt|usr/share/keyrings)/.")


def member(deb: bytes, name: str, what: str) -> Iterator[bytes]:
    """The member `NAME.tar.*`, as it is packed, in pieces. Raises `InputError` for what is no .deb."""
    at = 8
    if deb[:at] != b"!<arch>\n":
        raise InputError(f"{what}: not a .deb")
    while at + 60 <= len(deb):
        head = deb[at : at + 60]
        size = head[48:58].strip()
        if head[58:] != b"`\n" or not size.isdigit():
            break
        at, end = at + 60, at + 60 + int(size)
        if re.fullmatch(rb"%b\.tar(\.(xz|gz|bz2|zst))?/?" % name.encode(), head[:16].strip()):
            return (deb[start : min(start + _PIECE, end)] for start in range(at, min(end, len(deb)), _PIECE))
        at = end + int(size) % 2
    raise InputError(f"{what}: its {name} member cannot be found")


def read(deb: bytes, path: str) -> PackageFile:
    """What a file says of its package. Raises `InputError` for what is no .deb."""
    texts: dict[str, bytes] = {}
    whole = True
    try:
        tar = Tar(UnpackedStream(member(deb, "control", path), _LARGEST_CONTROL, path), path)
        while each := tar.next():
            if each.kind == "file" and each.size <= _LARGEST_TEXT:
                texts[each.name.removeprefix("./")] = tar.content(each)
            whole = whole and (each.kind == "directory" or each.name.removeprefix("./") in texts)
        found = fields(texts.pop("control", b""))
        quiet = whole and not any(_APT.search(text) for text in texts.values())
        tar = Tar(UnpackedStream(member(deb, "data", path), _LARGEST_DATA, path), path)
        while quiet and (each := tar.next()):
            quiet = not _APT_PATH.match(normpath(f"/{each.name}").lstrip("/"))
    except Torn as error:
        raise InputError(f"{path}: cannot be read as a .deb: {error}") from None
    if found is None:
        raise InputError(f"{path}: its control file has no version")
    if (wrong := fault(found)) or not _NAME.fullmatch(package(found).name):
        raise InputError(f"{path}: its control file has {wrong or 'no name of a package'}")
    return PackageFile(path, package(found), hashlib.sha256(deb).hexdigest(), quiet)
