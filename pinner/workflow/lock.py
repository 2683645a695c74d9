"""`pinner lock`: pin what is unpinned, keep what is pinned, and write down where every version came from.

The story: read each file, learn the suite of each stage, load the indices of all suites and platforms at once, choose
a version for each word, edit, read the edited text again, and state the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pinner.errors import InputError, PinnerError, Unsatisfiable
from pinner.lockfile import Lock
from pinner.text.installs import Request, Skipped, pin
from pinner.text.span import Span, apply
from pinner.workflow.archives import Archives
from pinner.workflow.choose import Choice, choose
from pinner.workflow.images import Unnamed
from pinner.workflow.read import File, read
from pinner.workflow.stages import Options
from pinner.workflow.targets import Problem, Targets


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one word, or of a call that was not read (`choice.reason` tells)."""

    path: str
    line: int
    column: int
    span: Span
    raw: str
    name: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class Planned:
    """One file: its text before and after, and what became of each word."""

    path: str
    old: str
    new: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run would write and say. `lock` holds these files' targets alone.

    `errors` are those of files that cannot be used at all, which take no part; neither do the `unserved` ones, by
    path, whose archives gave that error.
    """

    files: tuple[Planned, ...]
    errors: tuple[InputError, ...]
    lock: Lock
    platforms: tuple[str, ...]
    suites: tuple[str, ...]
    notes: tuple[str, ...]
    unserved: Mapping[str, PinnerError]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all files."""
        return tuple(finding for planned in self.files for finding in planned.findings)

    @property
    def fails(self) -> bool:
        """Whether something was found that must not count as good."""
        return any(finding.choice.fails for finding in self.findings)


def plan(texts: Mapping[str, str], options: Options, archives: Archives, old: Lock) -> Plan:
    """What `pinner lock` would do to these files, by path. `old` is the lock as it is.

    What a target installs is taken over from `old` where nothing that decides it has changed and all of it can still
    be had: `refresh` moves a closure, `lock` does not. Raises `PinnerError`; writes nothing.
    """
    files, errors = [], []
    for path, text in texts.items():
        try:
            files.append(read(path, text, options))
        except InputError as error:
            if not error.line:
                raise
            errors.append(error)
    unserved = archives.prepare_each(files)
    files = [file for file in files if file.path not in unserved]
    targets = Targets(archives, old)
    planned = []
    for file in files:
        choices = choices_of(file, archives)
        edits = pin(
            file.dockerfile.text,
            {request: choice.version for request, choice in choices.items() if choice.status == "pinned"},
        )
        new = apply(file.dockerfile.text, edits)
        if edits:
            _prove(file, new, choices, options)
        problems = targets.add(file, choices)
        planned.append(Planned(file.path, file.dockerfile.text, new, _findings(file, choices, problems)))
    lock = targets.lock()
    return Plan(
        tuple(planned),
        tuple(errors),
        lock,
        tuple(dict.fromkeys(source.platform for source in lock.sources)),
        tuple(dict.fromkeys(source.suite for source in lock.sources)),
        tuple(archives.notes),
        unserved,
    )


def choices_of(file: File, archives: Archives) -> dict[Request, Choice]:
    """What becomes of each word of a file whose archives are loaded."""
    choices: dict[Request, Choice] = {}
    for call in file.calls():
        for request in call.requests:
            if request.action == "skip":
                where = call.base.where
                hint = where.hint if request.reason == "suite-unknown" and isinstance(where, Unnamed) else ""
                choices[request] = Choice("skipped", reason=request.reason, detail=request.detail, hint=hint)
                continue
            try:
                universes = archives.universes(call, request.arch)
            except Unsatisfiable as error:
                choices[request] = Choice(
                    "missing", reason="target-release", detail=error.message, hint=error.hint, fails=True
                )
                continue
            choices[request] = choose(request, universes, asked=call.base.asked)
    return choices


def _prove(file: File, new: str, choices: Mapping[Request, Choice], options: Options) -> None:
    """The edited text must ask for the same words, pinned, and nothing else; anything else is a bug of pinner's."""
    again = read(file.path, new, options)
    old = [request for call in file.calls() for request in call.requests]
    now = [request for call in again.calls() for request in call.requests]
    expected = [
        (
            request.name,
            request.arch,
            choices[request].version if choices[request].status == "pinned" else request.pin,
        )
        for request in old
    ]
    if [(request.name, request.arch, request.pin) for request in now] != expected:
        raise AssertionError(
            f"{file.path}: the edited file would not ask for what was chosen; nothing was written"
        )


def _findings(
    file: File, choices: Mapping[Request, Choice], problems: Sequence[Problem]
) -> tuple[Finding, ...]:
    found = []
    for item in file.found:
        if isinstance(item, Skipped):
            choice = Choice("skipped", reason=item.reason, detail=item.detail)
            found.append(_finding(file, item.span, "", choice))
            continue
        found += [
            _finding(file, request.word.span, request.name, choices[request]) for request in item.requests
        ]
        for problem in problems:
            if problem.call is item:
                found.append(_finding(file, item.install.span, item.install.command, problem.choice()))
    return tuple(found)


def _finding(file: File, span: Span, name: str, choice: Choice) -> Finding:
    line, column = file.lines.position(span.start)
    return Finding(file.path, line, column, span, span.of(file.dockerfile.text), name, choice)
