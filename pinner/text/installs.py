"""A Dockerfile → the install calls in it, or why one is not read; and chosen versions → edits."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pinner.text import aptline, arguments, directives, prefixes, shell
from pinner.text.arguments import Action, Kind, Request
from pinner.text.dockerfile import Dockerfile, Instruction, Stage, block_start
from pinner.text.shell import Command, Word
from pinner.text.span import Edit, Span

__all__ = ["Action", "Install", "Kind", "Request", "Skipped", "find", "pin"]

_MENTION = re.compile(r"\bapt(?:-get|itude)?(?![\w./-])")
_POSIX_SHELLS = frozenset(["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"])


@dataclass(frozen=True, slots=True)
class Install:
    """One call of `apt-get install`, `apt install` or `aptitude install`.

    `span` reaches from the program's name (behind `sudo` and the like) to the last word. `options` are the option
    words with their values. `requests` are all its package arguments, in order. `recommends` and `suggests` are None
    where the call does not say and apt's defaults hold.
    """

    stage: int
    span: Span
    command: str
    options: tuple[Word, ...]
    requests: tuple[Request, ...]
    recommends: bool | None
    suggests: bool | None
    target_release: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An instruction or call that asks for packages, or may, and is not read."""

    stage: int
    span: Span
    reason: str
    detail: str


def find(dockerfile: Dockerfile) -> tuple[Install | Skipped, ...]:
    """Every install call of the file, read or skipped, in file order.

    Raises `InputError` for an unknown pinner directive in a comment behind a command, which only the shell's
    grammar shows to be one.
    """
    found: list[Install | Skipped] = []
    if _MENTION.search(dockerfile.text) or any(
        not heredoc.terminated
        for stage in dockerfile.stages
        for i in stage.instructions
        for heredoc in i.heredocs
    ):
        shells: list[str] = []
        for stage in dockerfile.stages:
            shells.append(shells[stage.parent] if stage.parent is not None else "sh")
            for instruction in stage.instructions:
                if instruction.keyword == "SHELL" and instruction.argv:
                    shells[-1] = _shell(instruction.argv)
                found += _Reader(dockerfile, stage, instruction, shells[-1]).read()
    return tuple(sorted(found, key=lambda call: call.span))


def pin(source: str, chosen: Mapping[Request, str]) -> tuple[Edit, ...]:
    """The edits that put `=version` behind each request's word; taking them out again gives `source` back.

    A version with a `*` is quoted, so that the shell cannot expand it. Raises `ValueError` for a request that may
    not be pinned or does not stand in `source`: that is a bug of whoever asks.
    """
    edits = []
    for request, version in chosen.items():
        word = request.word
        if request.action != "pin" or word.span.of(source) != word.raw:
            raise ValueError(f"not to be pinned: {word}")
        text = version if word.closing or "*" not in version else f'"{version}"'
        edits.append(Edit(Span(request.at, request.at), f"={text}"))
    return tuple(sorted(edits))


def _shell(argv: tuple[str, ...]) -> str:
    """The shell that a SHELL instruction names, also behind `env` or `conda run`; else its program."""
    names = [re.split(r"[/\\]", argument)[-1].lower().removesuffix(".exe") for argument in argv]
    return next((name for name in names if name in _POSIX_SHELLS), names[0])


class _Reader:
    """Reads one instruction."""

    def __init__(
        self, dockerfile: Dockerfile, stage: Stage, instruction: Instruction, shell_name: str
    ) -> None:
        self._dockerfile = dockerfile
        self._source = dockerfile.text
        self._stage = stage
        self._instruction = instruction
        self._shell = shell_name
        self._ignored = _Ignored(dockerfile, stage, instruction)

    def read(self) -> Iterator[Install | Skipped]:
        """The calls of the instruction."""
        instruction = self._instruction
        for heredoc in instruction.heredocs:
            if not heredoc.terminated:
                yield self._skip(
                    instruction.body, "unparsable", f"the here-document {heredoc.name} has no end"
                )
                return
            if prefixes.asks(heredoc.content.of(self._source)):
                yield self._skip(heredoc.content, "heredoc", "the call stands in a here-document")
        text = instruction.text.text
        if not _MENTION.search(text):
            return
        if instruction.keyword in ("ENV", "ARG"):
            if prefixes.asks(text):
                yield self._skip(instruction.body, "variable-command", "a variable holds the call")
        elif instruction.keyword == "RUN":
            yield from self._run(text)

    def _run(self, text: str) -> Iterator[Install | Skipped]:
        instruction = self._instruction
        if instruction.form == "exec":
            if prefixes.asks(" ".join(instruction.argv)):
                yield self._skip(instruction.body, "exec-form", "the call is in the exec form")
            return
        if self._shell not in _POSIX_SHELLS:
            if prefixes.asks(text):
                yield self._skip(instruction.body, "shell", f"{self._shell} runs it, which is not read")
            return
        blanks = [self._own(heredoc.word) for heredoc in instruction.heredocs]
        try:
            script = shell.read(self._source, instruction.text, "apt", blanks)
        except shell.UnparsableError:
            if prefixes.asks(text):
                yield self._skip(instruction.body, "unparsable", "its shell text is not understood")
            return
        for comment in script.comments:
            self._ignored.comment(comment)
        for assignment in script.assignments:
            if prefixes.asks(assignment.literal):
                yield self._skip(assignment.span, "variable-command", "a variable holds the call")
        for command in script.commands:
            yield from self._command(command)

    def _own(self, span: Span) -> Span:
        """A span of the source as a range of the instruction's joined text."""
        start = self._instruction.text.index(span.start)
        return Span(start, start + span.end - span.start)

    def _skip(self, span: Span, reason: str, detail: str) -> Skipped:
        return Skipped(self._stage.index, span, reason, detail)

    def _command(self, command: Command) -> Iterator[Install | Skipped]:
        program = prefixes.find(command.words)
        if program is None:
            return
        if program.reason:
            yield self._skip(command.span, program.reason, program.detail)
            return
        words = command.words[program.at + 1 :]
        call = aptline.parse(program.name, words)
        if call.subcommand != "install":
            if call.uncertain:
                yield self._skip(command.span, "variable-unknown", "a variable decides what apt does")
            return
        span = Span(command.words[program.at].span.start, command.span.end)
        if command.nested:
            yield self._skip(span, "command-substitution", "the call stands in a command substitution")
            return
        if not command.certain:
            yield self._skip(span, "unparsable", "its shell text is not understood")
            return
        requests = tuple(map(self._ignored.apply, arguments.read(call.arguments)))
        if call.error:
            requests = tuple(_refused(request, "refused", call.error) for request in requests)
        elif program.name == "aptitude":
            requests = tuple(
                _refused(request, "aptitude", "aptitude has its own solver") for request in requests
            )
        release = call.settings.get("apt::default-release", "")
        if release is None:
            detail = "the value of the target release is not known here"
            requests = tuple(_refused(request, "variable-unknown", detail) for request in requests)
        yield Install(
            self._stage.index,
            span,
            f"{program.name} install",
            tuple(call.options),
            requests,
            call.boolean("apt::install-recommends"),
            call.boolean("apt::install-suggests"),
            release or "",
        )


def _refused(request: Request, reason: str, detail: str) -> Request:
    """`request`, skipped because of its call; what is skipped for its own sake stays so."""
    if request.action == "skip":
        return request
    return replace(request, action="skip", reason=reason, detail=detail)


class _Ignored:
    """Which words of an instruction a `# pinner: ignore` covers."""

    def __init__(self, dockerfile: Dockerfile, stage: Stage, instruction: Instruction) -> None:
        self._source = dockerfile.text
        self._lines: list[Span] = []
        span = instruction.span
        for directive in stage.directives:
            at = directive.span.start
            if directive.key != "ignore" or at > span.end:
                continue
            if at >= span.start:
                self._lines.append(self._below(dockerfile, directive.span))
            elif at >= block_start(self._source, dockerfile.comments, span.start):
                self._lines.append(span)

    def _below(self, dockerfile: Dockerfile, comment: Span) -> Span:
        """The line below a comment line, behind further comment lines."""
        comments = dockerfile.comments
        at = bisect_left(comments, comment)
        while True:
            begin = self._source.find("\n", comments[at].end) + 1
            at += 1
            if at == len(comments) or self._source[begin : comments[at].start].strip():
                break
        return self._line(begin)

    def _line(self, begin: int) -> Span:
        end = self._source.find("\n", begin)
        return Span(begin, len(self._source) if end < 0 else end)

    def comment(self, comment: Span) -> None:
        """Heed a comment that stands behind words, where the shell allows one."""
        directive = directives.read(self._source, comment)
        if directive is not None and directive.key == "ignore":
            self._lines.append(self._line(self._source.rfind("\n", 0, comment.start) + 1))

    def apply(self, request: Request) -> Request:
        """`request`, skipped if its word stands where a directive covers it."""
        at = request.word.span.start
        if any(line.start <= at < line.end for line in self._lines):
            return _refused(request, "ignored", "a comment says to ignore it")
        return request
