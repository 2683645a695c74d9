"""Pins taken out again: the versions of words in files, and what the lock says of them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from fnmatch import fnmatchcase

from pinner.edit.span import Edit, Place, Span, apply
from pinner.lock.schema import Lock, Target
from pinner.recipe.installs import Request
from pinner.stages.image_names import Unnamed
from pinner.stages.install_commands import File, InstallCommand, place, read_file
from pinner.stages.suites import Options
from pinner.values import NamedTuple
from pinner.workflow.sources_block import removals


class Unpinned(NamedTuple):
    """A file without these pins: its text, the words that lost theirs and, in `left`, those that could not.

    `pins` counts the pins that the file still has.
    """

    text: str
    words: tuple[tuple[Place, str], ...]
    left: tuple[tuple[Place, str], ...]
    pins: int


def unpin(file: File, globs: Sequence[str], options: Options, *, sources: bool = False) -> Unpinned:
    """Take the pins of packages with these names (globs; none: all) out of a file; with `sources` its sources blocks.

    Raises `InputError` for a block that is damaged.
    """
    text = file.dockerfile.text
    pinned = [request for call in file.calls() for request in call.requests if _is_pinned(request, call)]
    wanted = {each: edit for each in pinned if _is_named(each.name, globs) and (edit := _edit(each, text))}
    blocks = removals(file.dockerfile) if sources else ()
    new = apply(text, {*wanted.values(), *blocks})
    if not _holds(file, read_file(file.path, new, options), wanted):
        alone = {each: edit for each, edit in wanted.items() if _holds_alone(file, each, edit, options)}
        wanted = alone
        new = apply(text, {*wanted.values(), *blocks})
        if not _holds(file, read_file(file.path, new, options), wanted):
            wanted, new = {}, apply(text, blocks)
    left = [each for each in pinned if _is_named(each.name, globs) and each not in wanted]
    return Unpinned(
        new,
        tuple((place(file, each.word.span), f"{each.name}={each.pin}") for each in wanted),
        tuple((place(file, each.word.span), f"{each.name}={each.pin}") for each in left),
        len(pinned) - len(wanted),
    )


def without_pins(lock: Lock, paths: Container[str], globs: Sequence[str]) -> Lock:
    """The lock once these packages have no pin in files that still have others."""
    targets = tuple(_bare(target, globs) if target.file in paths else target for target in lock.targets)
    return lock._replace(targets=targets)


def _bare(target: Target, globs: Sequence[str]) -> Target:
    def is_meant(word: str) -> bool:
        return _is_named(word.partition("=")[0].partition(":")[0].strip("\"'"), globs)

    closure = target.closure
    commands = tuple(
        " ".join(_cut(word) if "=" in word and is_meant(word) else word for word in line.split(" "))
        for line in closure.commands
    )
    members = tuple(
        each._replace(argument="") if each.argument and is_meant(each.argument) else each
        for each in closure.members
    )
    return target._replace(closure=closure._replace(id="", commands=commands, members=members))


def _is_pinned(request: Request, call: InstallCommand) -> bool:
    """Whether a word has a pin, also where the suite is not known: that decides only which versions there are."""
    where = call.base.where
    unknown = isinstance(where, Unnamed) and request.reason == where.reason
    return request.action == "keep" or (unknown and bool(request.pin))


def _is_named(name: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _cut(raw: str) -> str:
    """A word without its version; a quote that is open before that is closed."""
    name = raw.partition("=")[0]
    return name + "".join(quote for quote in ("'", '"') if name.count(quote) % 2)


def _edit(request: Request, text: str) -> Edit | None:
    word = request.word
    name, equals, _ = word.span.of(text).partition("=")
    if not equals:
        return None
    opened = any(name.count(quote) % 2 for quote in "'\"")
    closing = text[word.tail : word.span.end] if opened else ""  # as it is written, which may be escaped
    return Edit(Span(word.span.start + len(name), word.span.end), closing)


def _holds(file: File, again: File, wanted: Mapping[Request, object]) -> bool:
    old = [request for call in file.calls() for request in call.requests]
    now = [request for call in again.calls() for request in call.requests]
    expected = [(each.name, each.arch, "" if each in wanted else each.pin) for each in old]
    return [(each.name, each.arch, each.pin) for each in now] == expected


def _holds_alone(file: File, request: Request, edit: Edit, options: Options) -> bool:
    again = read_file(file.path, apply(file.dockerfile.text, [edit]), options)
    same = {other: None for call in file.calls() for other in call.requests if other.word.span == edit.span}
    return _holds(file, again, {request: None, **same})
