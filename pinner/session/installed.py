"""`--installed FILE`: what a root holds, from dpkg's status file or from the output of `dpkg-query -W`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from pinner.apt import installed
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import InputError
from pinner.project import tree
from pinner.project.config import Config
from pinner.session.projects import STDIN, standard_input
from pinner.stages.starting_set import Root

_HINT = "write the file in the image: `dpkg-query -W > FILE`, or copy /var/lib/dpkg/status"


def roots(config: Config, named: Sequence[str], platforms: Sequence[str]) -> Mapping[str, tuple[Root, ...]]:
    """What images hold, by globs of image references: `named` files are for all, else the configuration tells.

    Raises `InputError` for files that cannot be used, and for one that would be used on no platform.
    """
    if not named:
        return {glob: _distinct(list(map(configured, paths))) for glob, paths in config.installed.items()}
    found = _distinct([read_installed(path) for path in named])
    archs = {PLATFORMS[platform] for platform in platforms}
    for root, path in zip(found, named, strict=True):
        if root.arch not in archs:
            platform = next(name for name, arch in PLATFORMS.items() if arch == root.arch)
            raise InputError(
                f"lists packages of {root.arch}, and nothing is resolved for {platform}",
                path=path,
                hint=f"add --platform {platform}",
            )
    return {"*": found}


def configured(path: str) -> Root:
    """As `read_installed`, for a file that the configuration names: it lies in the work tree."""
    return _root(tree.read(Path(path), tree.root_of(Path(path))), path)


def read_installed(path: str) -> Root:
    """The packages that a file lists (`-`: standard input). The label is the file's name and the content's SHA-256.

    The architecture is that of most packages. Raises `InputError` for a file that is neither form.
    """
    if path == STDIN:
        data = standard_input()
    else:
        try:
            with Path(path).open("rb") as file:
                data = tree.bounded(file, path)
        except OSError as error:
            raise InputError(error.strerror or str(error), path=path, hint=_HINT) from None
    return _root(data, path)


def _root(data: bytes, path: str) -> Root:
    label = f"{Path(path).name if path != STDIN else 'standard input'} sha256:{sha256(data).hexdigest()}"
    text = data.decode("utf-8", "replace")  # dpkg takes any bytes in the fields that nobody asks for
    if text.lstrip()[:8].lower() == "package:":
        try:
            packages = installed.packages(text)
        except InputError as error:
            error.path = path
            raise
        return Root(label, _architecture([each.architecture for each in packages], path), packages)
    listed = installed.listed(text, path)
    return Root(label, _architecture([each.arch for each in listed], path), listed=listed)


def _architecture(found: Sequence[str], path: str) -> str:
    if not found:
        raise InputError("lists no installed package", path=path, hint=_HINT)
    counts = Counter(arch for arch in found if arch not in ("", "all")).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        raise InputError("does not say which architecture the image has", path=path, hint=_HINT)
    arch = counts[0][0]
    if arch not in PLATFORMS.values():
        raise InputError(f"lists packages of {arch}, which pinner does not know", path=path)
    return arch


def _distinct(found: Sequence[Root]) -> tuple[Root, ...]:
    for root in found:
        same = [other.label.split(" ")[0] for other in found if other.arch == root.arch]
        if len(same) > 1:
            hint = "give one file for each architecture"
            raise InputError(f"{' and '.join(same)} are both of {root.arch}", hint=hint)
    return tuple(found)
