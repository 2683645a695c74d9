"""What a stage's sources block says, and the edits that put it there or take it away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.debian import DEBIAN
from pinner.distributions.moments import Moment, found_in
from pinner.edit.span import Edit, Lines, Span
from pinner.errors import InputError
from pinner.recipe import blocks, kinds
from pinner.recipe.blocks import ManagedBlock
from pinner.recipe.dockerfile import Dockerfile, Stage
from pinner.stages.archives import Archives
from pinner.stages.image_names import Named, split
from pinner.stages.install_commands import File
from pinner.stages.sources import sources_of
from pinner.stages.suites import StageBase, chain

# Whose images have a one-line sources.list; later ones have deb822 files (sources.list(5)).
_ONE_LINE = frozenset(
    {
        "jessie",
        "stretch",
        "buster",
        "bullseye",
        "xenial",
        "bionic",
        "focal",
        "jammy",
        "kinetic",
        "lunar",
        "mantic",
    }
)
# The keyring's file is called .pgp in Debian from trixie on.
_GPG = _ONE_LINE | {"bookworm"}


def sources(where: Named, platforms: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The path of a sources file in the image, and its lines: what the stage reads at its moment, in apt's order.

    Raises `InputError` where that is not the same on all platforms.
    """
    assert where.at is not None
    by_platform = {
        tuple((each.uri, each.suite, each.components) for each in sources_of(where, PLATFORMS[platform]))
        for platform in platforms
    }
    if len(by_platform) > 1:
        hint = "lock one platform by --platform"
        raise InputError(f"{where.suite.codename} has other archives for some of these platforms", hint=hint)
    (read,) = by_platform
    codename = where.suite.codename
    ending = "pgp" if where.distribution is DEBIAN and codename not in _GPG else "gpg"
    keyring = f"/usr/share/keyrings/{where.distribution.name}-archive-keyring.{ending}"
    if codename in _ONE_LINE:
        options = f"[check-valid-until=no signed-by={keyring}]"
        lines = tuple(
            f"deb {options} {uri} {suite} {' '.join(components)}" for uri, suite, components in read
        )
        return "/etc/apt/sources.list.d/pinner.list", lines
    stanzas = []
    for (uri, components), group in groupby(read, lambda each: (each[0], each[2])):
        suites = " ".join(suite for _, suite, _ in group)
        stanzas += [
            "",
            "Types: deb",
            f"URIs: {uri}",
            f"Suites: {suites}",
            f"Components: {' '.join(components)}",
        ]
        stanzas += ["Check-Valid-Until: no", f"Signed-By: {keyring}"]
    return "/etc/apt/sources.list.d/pinner.sources", tuple(stanzas[1:])


def edits(file: File, archives: Archives) -> tuple[Edit, ...]:
    """Put a block into each stage of a Dockerfile with install commands at a moment; one that is there is made anew.

    A stage built on one that has a block needs none, nor one of whose calls none is read: its own sources would be
    lost. Raises `InputError`, with the place, where the stage does not run as root before its first use of apt.
    """
    dockerfile = file.dockerfile
    if kinds.of(file.path, dockerfile.text) != "dockerfile":
        return ()
    there = {block.stage: block for block in blocks.find(dockerfile)}
    places: dict[int, StageBase] = {}
    for call in file.calls():
        where = archives.named(call.base.where)
        stages = chain(dockerfile, dockerfile.stages[call.install.stage])
        index, *above = (stage.index for stage in stages)
        if call.unread and index not in there:
            continue
        if where is not None and where.at is not None and not any(other in places for other in above):
            places.setdefault(index, call.base._replace(where=where))
    return tuple(
        _edit(file, dockerfile.stages[index], there.get(index), base) for index, base in places.items()
    )


def _edit(file: File, stage: Stage, block: ManagedBlock | None, base: StageBase) -> Edit:
    dockerfile = file.dockerfile
    text = dockerfile.text
    where = base.where
    assert isinstance(where, Named)
    path, lines = sources(where, base.platforms)
    newline = "\r\n" if "\r\n" in text else "\n"
    made = blocks.render(str(where.at), path, lines, escape=dockerfile.escape, newline=newline)
    if block is not None:
        return Edit(block.span, made)
    found = blocks.place(dockerfile, stage)
    assert found is not None  # an install command is a use of apt
    at, user = found
    if user and user.partition(":")[0] not in {"root", "0"}:
        line, column = Lines(text).position(at)
        raise InputError(
            f"apt's sources cannot be written here: the stage runs as user {user}",
            path=file.path,
            line=line,
            column=column,
            hint="put `USER root` before it, or place what `pinner export sources` prints yourself",
        )
    return Edit(Span(at, at), made)


def removals(dockerfile: Dockerfile) -> tuple[Edit, ...]:
    """Take every block away."""
    return tuple(Edit(block.span, "") for block in blocks.find(dockerfile))


def caveats(file: File, archives: Archives, *, written: bool) -> Iterator[str]:
    """What is to be said of a build that reads a snapshot: what it reads live all the same, and base images that may be
    newer.

    apt does not go back to an older version of what the image holds, and then cannot install what needs it. `written`
    tells that the stages get blocks.
    """
    begun = {block.stage: block.span.end for block in blocks.find(file.dockerfile)}
    stages = [stage for stage in file.dockerfile.stages if not stage.suite]
    for stage in stages if written else ():
        found = blocks.place(file.dockerfile, stage)
        if found:
            begun.setdefault(stage.index, found[0])
    for stage in stages if begun else ():
        base = next((call.base for call in file.calls() if call.install.stage == stage.index), None)
        for at in dict.fromkeys(file.views.changes(stage, base)) if base and file.views else ():
            inside = any(each.span.start <= at < each.span.end for each in stage.instructions)
            if inside and at > begun.get(stage.index, len(file.dockerfile.text)):
                line, _ = file.lines.position(at)
                yield (
                    f"{file.path}: line {line} changes where apt takes packages from, and the build reads that live, "
                    "beside the snapshot"
                )
    said: dict[tuple[str, Moment], None] = {}
    for call in file.calls():
        where = archives.named(call.base.where)
        if where is None or where.at is None or (call.base.image, where.at) in said:
            continue
        said[call.base.image, where.at] = None
        repository, _ = split(call.base.image)
        day = _made(call.base)
        if not day:
            yield (
                f"{call.base.image}: the date of this image is not known; if it is newer than the snapshot "
                f"{where.at}, apt cannot go back to what the snapshot has: name an image of that time by date or digest"
            )
        elif day > max(stamp for _, stamp in where.at.imports)[:8]:
            yield (
                f"{call.base.image}: the image is newer than the snapshot {where.at}, and apt does not go back to "
                f"older versions of what {repository} holds: take a later snapshot or an earlier image"
            )


def _made(base: StageBase) -> str:
    """The day whose archive a base image was made from, as YYYYMMDD; "" if nothing tells it.

    The sources files of Debian's images name it in comments; else the tag may.
    """
    texts = [text for content in base.contents.values() for _, text in content.sources]
    stamps = [stamp for text in texts for _, stamp in found_in(text).imports]
    dated = re.search(r"(?<!\d)20\d{6}(?!\d)", split(base.image)[1])
    return max(stamps)[:8] if stamps else dated[0] if dated else ""
