"""What a file asks for, before any archive is asked: its install calls with the suite and platforms of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from pinner.errors import InputError
from pinner.text import dockerfile as dockerfiles
from pinner.text import installs
from pinner.text.dockerfile import Dockerfile
from pinner.text.installs import Install, Request, Skipped
from pinner.text.repositories import Addition, additions
from pinner.text.settings import Setting, settings
from pinner.text.span import Lines
from pinner.workflow.images import Unnamed
from pinner.workflow.stages import Base, Options, base_of, chain

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """One install call and what it stands on.

    Its requests are weighed already against the stage's suite, its repositories and the caller's wishes.
    `recommends` tells whether apt follows Recommends here; `architectures` are those that dpkg was told to add.
    """

    install: Install
    base: Base
    recommends: bool
    architectures: tuple[str, ...]

    @property
    def requests(self) -> tuple[Request, ...]:
        """The package words, in order."""
        return self.install.requests


@dataclass(frozen=True, slots=True)
class File:
    """A file as read. `path` is how it is named to people and in the lock; `found` is in file order."""

    path: str
    dockerfile: Dockerfile
    lines: Lines
    found: tuple[Call | Skipped, ...]

    def calls(self) -> Iterator[Call]:
        """The install calls alone."""
        return (item for item in self.found if isinstance(item, Call))

    def stage_name(self, index: int) -> str:
        """The stage as the lock and people name it: its name, or else its number."""
        return self.dockerfile.stages[index].name or str(index)


def read(path: str, text: str, options: Options) -> File:
    """Find the install calls of a Dockerfile. Raises `InputError`, with the place, for what cannot be used at all."""
    try:
        parsed = dockerfiles.parse(text)
        added = additions(parsed)
        told = settings(parsed)
        bases: dict[int, Base] = {}
        found: list[Call | Skipped] = []
        for item in installs.find(parsed):
            if isinstance(item, Skipped):
                found.append(item)
                continue
            if item.stage not in bases:
                bases[item.stage] = base_of(parsed, parsed.stages[item.stage], options)
            base = bases[item.stage]
            foreign = _before(parsed, item, [(each.stage, each.span.start, each) for each in added])
            requests = tuple(
                _weighed(request, base, foreign[-1] if foreign else None, options)
                for request in item.requests
            )
            found.append(_call(replace(item, requests=requests), base, parsed, told))
    except InputError as error:
        if error.line:
            error.path = path
        raise
    return File(path, parsed, Lines(text), tuple(found))


def _call(install: Install, base: Base, parsed: Dockerfile, told: Sequence[Setting]) -> Call:
    seen = _before(parsed, install, [(each.stage, each.at, each) for each in told])
    recommends = install.recommends
    if recommends is None:
        said = [each.recommends for each in seen if each.recommends is not None]
        recommends = said[-1] if said else True
    return Call(install, base, recommends, tuple(each.architecture for each in seen if each.architecture))


def _before(parsed: Dockerfile, install: Install, places: Sequence[tuple[int, int, _T]]) -> list[_T]:
    """Those (stage, offset, thing) that took effect before the call: earlier in its stage, or in one below it."""
    if not places:
        return []
    stages = [stage.index for stage in chain(parsed, parsed.stages[install.stage])]
    return [
        thing
        for stage, at, thing in places
        if stage in stages and (stage != install.stage or at < install.span.start)
    ]


def _weighed(request: Request, base: Base, foreign: Addition | None, options: Options) -> Request:
    if request.action == "skip":
        return request
    if any(fnmatchcase(request.name, pattern) for pattern in options.ignore):
        return replace(request, action="skip", reason="ignored", detail="ignored by the configuration")
    if isinstance(base.where, Unnamed):
        return replace(request, action="skip", reason="suite-unknown", detail=base.where.why)
    if foreign is not None and request.action == "pin":
        detail = f"{foreign.what}, which pinner does not read and which may serve another version"
        return replace(request, action="skip", reason="other-repository", detail=detail)
    return request
