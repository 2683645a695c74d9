"""The digests of base images in FROM: put in, and moved to what the tags mean today."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pinner.errors import InputError
from pinner.text import dockerfile as dockerfiles
from pinner.text import kinds
from pinner.text.span import Edit, Span, apply
from pinner.workflow.bases import Content
from pinner.workflow.stages import Options

_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)", re.IGNORECASE | re.MULTILINE)


Today = Callable[[str, str], Content | None]


def pinned(texts: Mapping[str, str], options: Options, today: Today) -> dict[str, str]:
    """The files, by path, with the digest of each base image behind its name; what has one keeps it.

    `today` tells what an image means now. A FROM whose image a variable decides stays, and so does one whose image
    cannot be asked for. Raises what `today` raises.
    """
    return {path: _edited(path, text, options, today, old=False) for path, text in texts.items()}


def moved(texts: Mapping[str, str], options: Options, today: Today) -> dict[str, str]:
    """The files, by path, with the digests that stand behind tags moved to what the tags mean today."""
    return {path: _edited(path, text, options, today, old=True) for path, text in texts.items()}


def _edited(path: str, text: str, options: Options, today: Today, *, old: bool) -> str:
    if kinds.of(path, text) != "dockerfile":
        return text
    try:
        return apply(text, _edits(text, options, today, old=old))
    except InputError as error:
        if not error.line:
            raise
        return text  # whoever reads the file next says why it cannot be read


def _edits(text: str, options: Options, today: Today, *, old: bool) -> Iterator[Edit]:
    parsed = dockerfiles.parse(text)
    places = list(_FROM.finditer(text))
    if [match[1] for match in places] != [stage.raw_base for stage in parsed.stages]:
        return  # a FROM that is split over lines, or looks like one in a here-document
    for stage, match in zip(parsed.stages, places, strict=True):
        name, at, digest = stage.raw_base.partition("@")
        tagged = ":" in name.rpartition("/")[2]
        if stage.parent is not None or stage.base != stage.raw_base or name == "scratch":
            continue
        if bool(at) != old or (old and not tagged):
            continue
        found = _index(name, options, today)
        if found and found != digest:
            begin = match.start(1) + len(name)
            yield Edit(Span(begin, match.end(1)), f"@{found}")


def _index(name: str, options: Options, today: Today) -> str:
    for platform in options.platforms:
        content = today(name, platform)
        if content is not None:
            return content.index
    return ""
