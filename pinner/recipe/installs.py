"""A Dockerfile → the install calls in it, or why one is not read; and chosen versions → edits."""

from __future__ import annotations

from collections.abc import Mapping

from pinner.edit.span import Edit, Span, encode
from pinner.recipe.arguments import Action, ArgumentKind, Request, VersionText
from pinner.recipe.reading import Install, Skipped, find

__all__ = ["Action", "ArgumentKind", "Install", "Request", "Skipped", "VersionText", "find", "pin"]


def pin(source: str, chosen: Mapping[Request, str]) -> tuple[Edit, ...]:
    """The edits that put `=version` behind each request's word; taking them out again gives `source` back.

    A version with a `*` is quoted, so that the shell cannot expand it. Raises `ValueError` for a request that may
    not be pinned or does not stand in `source`: that is a bug of whoever asks.
    """
    edits: set[Edit] = set()
    for request, version in chosen.items():
        word = request.word
        if request.action != "pin" or word.span.of(source) != word.raw:
            raise ValueError(f"not to be pinned: {word}")
        text = encode(f"={_quoted(version, word.guarded)}", word.levels)
        if text is None:
            raise ValueError(f"cannot be written at {word}: {version}")
        edits.add(Edit(Span(request.at, request.at), text))
    return tuple(sorted(edits))


def _quoted(version: str, guarded: bool) -> str:
    return f'"{version}"' if "*" in version and not guarded else version
