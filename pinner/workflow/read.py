"""What a file asks for, before any archive is asked: its install calls with the suite and platforms of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from pinner.errors import InputError
from pinner.text import dockerfile as dockerfiles
from pinner.text import installs
from pinner.text.dockerfile import Dockerfile
from pinner.text.installs import Install, Request, Skipped
from pinner.text.repositories import Addition, additions
from pinner.text.span import Lines
from pinner.workflow.images import Unnamed
from pinner.workflow.stages import HOW_TO_TELL, Base, Options, base_of, chain


@dataclass(frozen=True, slots=True)
class Call:
    """One install call, its requests as they stand after the stage's suite, its repositories and the caller's wishes
    were weighed, and what the stage is built on."""

    install: Install
    base: Base

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
        bases = {}
        found: list[Call | Skipped] = []
        for item in installs.find(parsed):
            if isinstance(item, Skipped):
                found.append(item)
                continue
            if item.stage not in bases:
                bases[item.stage] = base_of(parsed, parsed.stages[item.stage], options)
            base = bases[item.stage]
            foreign = _foreign(parsed, item, added)
            requests = tuple(_weighed(request, base, foreign, options) for request in item.requests)
            found.append(Call(replace(item, requests=requests), base))
    except InputError as error:
        error.path = path
        raise
    return File(path, parsed, Lines(text), tuple(found))


def _foreign(parsed: Dockerfile, install: Install, added: tuple[Addition, ...]) -> Addition | None:
    """The last addition of a repository that apt has already seen when it comes to this call."""
    stages = [stage.index for stage in chain(parsed, parsed.stages[install.stage])]
    seen = [
        addition
        for addition in added
        if addition.stage in stages
        and (addition.stage != install.stage or addition.span.start < install.span.start)
    ]
    return seen[-1] if seen else None


def _weighed(request: Request, base: Base, foreign: Addition | None, options: Options) -> Request:
    if request.action == "skip":
        return request
    if any(fnmatchcase(request.name, pattern) for pattern in options.ignore):
        return replace(request, action="skip", reason="ignored", detail="ignored by the configuration")
    if isinstance(base.where, Unnamed):
        detail = f"{base.where.why}: {HOW_TO_TELL}"
        return replace(request, action="skip", reason="suite-unknown", detail=detail)
    if foreign is not None and request.action == "pin":
        detail = f"{foreign.what}, which pinner does not read and which may serve another version"
        return replace(request, action="skip", reason="other-repository", detail=detail)
    return request
