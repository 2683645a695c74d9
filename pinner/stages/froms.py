"""The digests of base images in FROM: put in, and moved to what the tags mean today."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pinner.edit.span import Edit, Span, apply
from pinner.errors import InputError
from pinner.recipe import dockerfile as dockerfiles
from pinner.recipe import kinds
from pinner.regex import later
from pinner.stages.bases import ImageLookup
from pinner.stages.suites import Options
from pinner.values import NamedTuple

_FROM = later(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)", re.IGNORECASE | re.MULTILINE)


class _Place(NamedTuple):
    """A base image in a file: its name, the digest behind it ("" if there is none), and where that stands or is to."""

    name: str
    digest: str
    span: Span


class Digests(NamedTuple):
    """Files, by path, with other digests in FROM, and what became of each image: its digests before and after."""

    texts: Mapping[str, str]
    moved: Mapping[str, tuple[str, str]]


def pinned(texts: Mapping[str, str], options: Options, today: ImageLookup) -> Digests:
    """The files with the digest of each base image behind its name; what has one keeps it.

    `today` tells what an image means now. A FROM whose image a variable decides stays, and so does one whose image
    cannot be asked for. Raises what `today` raises.
    """
    return _edited(texts, options, today, old=False)


def moved(texts: Mapping[str, str], options: Options, today: ImageLookup) -> Digests:
    """The files with the digests that stand behind tags moved to what the tags mean today."""
    return _edited(texts, options, today, old=True)


def _edited(texts: Mapping[str, str], options: Options, today: ImageLookup, *, old: bool) -> Digests:
    found = {path: tuple(_places(path, text, old=old)) for path, text in texts.items()}
    names = dict.fromkeys(place.name for places in found.values() for place in places)
    today.ahead((name, options.platforms[0]) for name in names)
    now = {name: _index(name, options, today) for name in names}
    edited = dict(texts)
    changed: dict[str, tuple[str, str]] = {}
    for path, places in found.items():
        moved = [place for place in places if now[place.name] not in ("", place.digest)]
        edited[path] = apply(texts[path], [Edit(each.span, f"@{now[each.name]}") for each in moved])
        changed |= {each.name: (each.digest, now[each.name]) for each in moved}
    return Digests(edited, changed)


def _places(path: str, text: str, *, old: bool) -> Iterator[_Place]:
    """The images that have a digest and a tag, or with not `old` no digest."""
    if kinds.of(path, text) != "dockerfile":
        return
    try:
        parsed = dockerfiles.parse(text)
    except InputError:
        return  # whoever reads the file next says why it cannot be read
    places = list(_FROM.finditer(text))
    if [match[1] for match in places] != [stage.raw_base for stage in parsed.stages]:
        return  # a FROM that is split over lines, or looks like one in a here-document
    for stage, match in zip(parsed.stages, places, strict=True):
        name, at, digest = stage.raw_base.partition("@")
        tagged = ":" in name.rpartition("/")[2]
        if stage.parent is not None or stage.base != stage.raw_base or name == "scratch":
            continue
        if bool(at) == old and (tagged or not old):
            yield _Place(name, digest, Span(match.start(1) + len(name), match.end(1)))


def _index(name: str, options: Options, today: ImageLookup) -> str:
    for platform in options.platforms:
        content = today(name, platform)
        if content is not None:
            return content.index
    return ""
