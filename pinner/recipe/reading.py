"""A Dockerfile → the install calls in it, words left aside whose variable has another use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from pinner.apt import command_line
from pinner.edit.span import Lines, Span
from pinner.recipe.arguments import Request
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Stage
from pinner.recipe.instructions import Install, Reader, refused
from pinner.recipe.notes import Notes, Skipped
from pinner.recipe.walk import Walked
from pinner.shell import prefixes
from pinner.shell.expand import Variable
from pinner.shell.nested import POSIX_SHELLS
from pinner.shell.prefixes import Wrappers

__all__ = ["Install", "Skipped", "find"]

_READ = ("RUN", "ENV", "ARG", UNREAD)
_INSTALLS = command_line.VERSIONED | command_line.UNPINNED.keys()


def find(dockerfile: Dockerfile, wrappers: Wrappers = {}) -> tuple[Install | Skipped, ...]:  # noqa: B006
    """Every install call of the file, read or skipped, in file order.

    Raises `InputError` for an unknown pinner directive in a comment behind a command, which only the shell's
    grammar shows to be one.
    """
    if (
        _may_call(dockerfile.text)
        or any(name in dockerfile.text for name in wrappers)
        or any(
            _may_call(instruction.text.text)
            or instruction.keyword == UNREAD
            or not all(heredoc.terminated for heredoc in instruction.heredocs)
            for stage in dockerfile.stages
            for instruction in stage.instructions
        )
    ):
        return _FileReader(dockerfile, wrappers).read()
    return ()


def roots(dockerfile: Dockerfile) -> list[Stage]:
    """The stages that calls of mmdebstrap make, for those whose variables name packages for these alone."""
    reader = _FileReader(dockerfile, {})
    reader.read()
    uses = reader.notes.uses
    return [each.stage for each in reader.notes.roots if uses.forbidding(each.through) is None]


def _may_call(text: str) -> bool:
    return "apt" in text or prefixes.mentions(text)


class _FileReader:
    """Reads one file."""

    def __init__(self, dockerfile: Dockerfile, wrappers: Wrappers) -> None:
        self._dockerfile = dockerfile
        self.notes = Notes(dockerfile, wrappers)
        self._forbidding: dict[frozenset[Variable], int | None] = {}

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self._dockerfile.text)

    def read(self) -> tuple[Install | Skipped, ...]:
        """The calls of all instructions."""
        found: list[Install | Skipped] = []
        shells: list[str] = []
        for stage in self._dockerfile.stages:
            shells.append(shells[stage.parent] if stage.parent is not None else "sh")
            for instruction in stage.instructions:
                if instruction.keyword == "SHELL" and instruction.argv:
                    shells[-1] = _shell(instruction.argv)
                if instruction.keyword not in _READ and not instruction.heredocs:
                    continue
                found += Reader(self.notes, stage, instruction, shells[-1]).read()
        found = [each for each in found if isinstance(each, Install) or not self.notes.is_followed(each)]
        found += self._written(found)
        return tuple(sorted(map(self._settled, found), key=lambda call: call.span))

    def _written(self, found: Iterable[Install | Skipped]) -> Iterator[Skipped]:
        """The calls in files that the stages themselves write, where these are run."""
        text, begin = self._dockerfile.text, 0
        parts = []
        for call in sorted(found, key=lambda call: call.span):
            parts.append(text[begin : max(call.span.start, begin)])
            begin = max(call.span.end, begin)
        rest = "".join((*parts, text[begin:]))
        if not prefixes.asks(rest.replace("\\n", "\n")):
            return
        walked = Walked(self._dockerfile, "linux/amd64", "amd64", lambda stage: {})
        why = "it runs commands that the stage has written to a file"
        seen = set()
        for stage in self._dockerfile.stages:
            walked.stage(stage.index)
            for command in walked.commands[stage.index]:
                span = Span(command.seen.start, command.seen.end)
                if (
                    command.program in prefixes.APT_PROGRAMS
                    and span not in seen
                    and not any(each.span.start < span.end and span.start < each.span.end for each in found)
                    and text[span.start] not in "$\"'`"
                    and not prefixes.asks(span.of(text))
                    and not _INSTALLS.isdisjoint(command.words)
                ):
                    seen.add(span)
                    yield Skipped(stage.index, span, "string", why)

    def _settled(self, call: Install | Skipped) -> Install | Skipped:
        """The call, words skipped that stand in variables which something else uses too."""
        if isinstance(call, Skipped) or not self.notes.carried:
            return call
        return call._replace(requests=tuple(map(self._unless_used, call.requests)))

    def _unless_used(self, request: Request) -> Request:
        variables = self.notes.carried.get(request)
        if not variables or (request.action != "pin" and not request.expansion):
            return request
        if variables not in self._forbidding:
            self._forbidding[variables] = self.notes.uses.forbidding(variables)
        at = self._forbidding[variables]
        if at is None:
            return request
        line, _ = self._lines.position(at)
        told = {"what the function is given" if each.name == "@" else each.name for each in variables}
        names = " or ".join(sorted(told))
        return refused(request, "variable-other-use", f"{names} has another use in line {line}")


def _shell(argv: tuple[str, ...]) -> str:
    """The shell that a SHELL instruction names, also behind `env` or `conda run`; else its program."""
    names = [re.split(r"[/\\]", argument)[-1].lower().removesuffix(".exe") for argument in argv]
    return next((name for name in names if name in POSIX_SHELLS), names[0])
