"""Which files of the build context list packages, and the image that each is installed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import basename, dirname, join, normpath
from typing import NamedTuple

from pinner.errors import InputError
from pinner.recipe import dockerfile, kinds, lists
from pinner.recipe.dockerfile import Dockerfile, Stage
from pinner.workflow.scripts import image_of, mounts, sources


class PackageList(NamedTuple):
    """A list that a Dockerfile's calls read: the image they run on, the Dockerfile, and how it names the list."""

    image: str
    dockerfile: str
    written: str


def of(texts: Mapping[str, str]) -> dict[str, PackageList]:
    """The lists that the Dockerfiles among `texts` read, by path from the root of the project.

    Each is read on one image alone. It stands in its Dockerfile's folder, or else in the project's, whichever is the
    build context: the first of those with the same use that there is.
    """
    found: dict[str, set[PackageList]] = {}
    for path, text in texts.items():
        if not lists.may_be_read(text) or kinds.of(path, text) != "dockerfile":
            continue
        try:
            parsed = dockerfile.parse(text)
        except InputError:
            continue  # it is told of where the file itself is read
        for stage in parsed.stages:
            for source, written in _read(parsed, stage):
                use = PackageList(image_of(parsed, stage), path, written)
                for context in dict.fromkeys((dirname(path), "")):
                    found.setdefault(normpath(join(context, source.lstrip("/"))), set()).add(use)
    return {
        place: next(iter(uses))
        for place, uses in found.items()
        if len(uses) == 1 and kinds.by_name(place) is None and not place.startswith("..")
    }


def _read(parsed: Dockerfile, stage: Stage) -> Iterator[tuple[str, str]]:
    """The lists of a stage: where they stand in the build context, and how its RUN names them."""
    chain = [stage]
    while chain[-1].parent is not None:
        chain.append(parsed.stages[chain[-1].parent])
    copied: dict[str, str] = {}
    folder = "/"
    for each in reversed(chain):
        for instruction in each.instructions:
            text = instruction.text.text
            if instruction.keyword == "WORKDIR":
                folder = join(folder, text.strip("\"'"))
            elif instruction.keyword in ("COPY", "ADD"):
                *own, target = sources(parsed, instruction) or [""]
                for source in own:
                    copied |= _places(source, join(folder, target), several=len(own) > 1)
            elif each is stage:
                present = copied | {join("/", target): source for source, target in mounts(instruction)}
                for written in lists.named(instruction):
                    place = normpath(join(folder, written))
                    for target, source in present.items():
                        if place == target:
                            yield source, written
                        elif place.startswith(f"{target.rstrip('/')}/"):
                            yield join(source, place[len(target.rstrip("/")) + 1 :]), written


def _places(source: str, target: str, *, several: bool) -> dict[str, str]:
    """Where a copied file or folder comes to stand: in a folder, or under a new name."""
    if several or target.endswith(("/", "/.")):
        inside = normpath(join(target, basename(source.rstrip("/"))))
        return {inside: source} if "." in basename(source) else {inside: source, normpath(target): source}
    return {normpath(target): source}
