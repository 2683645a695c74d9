"""Shell scripts and the jobs of CI files, told as if a Dockerfile had them: stages that stand on images, and RUNs.

So whatever reads a Dockerfile's calls, suites and comments reads these. A script is one stage; a job is one stage, and
each of its steps a RUN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pinner.text import directives, nested, prefixes
from pinner.text.dockerfile import UNREAD, VARIABLE, Dockerfile, Instruction, Stage
from pinner.text.span import Joined, Span
from pinner.text.yamltext import Node, scalar

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# A variable that GitHub's expressions see.
_OF_ENV = re.compile(r"\benv\.(\w+)")
_COMMENT = re.compile(r"^[ \t]*(#[^\r\n]*)", re.MULTILINE)


class Step(NamedTuple):
    """A shell text, the program that runs it ("" for the usual one), and the variables that are set for it alone."""

    text: Node
    shell: str = ""
    variables: tuple[tuple[Node, Node], ...] = ()


@dataclass(slots=True)
class Job:
    """What a CI file says of one job: the image or runner (`base`; `raw` as written), its variables, its steps.

    `variables` are names and values; the last of a name counts.
    """

    name: str
    span: Span
    base: str = ""
    raw: str = ""
    platform: str = ""
    variables: list[tuple[Node, Node]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def script(text: str, base: str = "") -> Dockerfile:
    """A shell script that runs on the image `base`."""
    whole = Span(0, len(text))
    begin = 1 if text.startswith("\ufeff") else 0
    joined = nested.unfolded(Joined.without(text, Span(begin, len(text)), ()))
    run = Instruction("RUN", whole, whole, joined)
    at = Span(0, 0)
    shell = Instruction("SHELL", at, at, Joined("", (0,), (0,), (0,)), argv=(nested.shell_of(text),))
    comments = _comments(text)
    told = tuple(each for span in comments if (each := directives.read(text, span)))
    stage = Stage(0, "script", base, base or "of this script", "", None, (shell, run), told)
    return Dockerfile(text, "\\", (stage,), comments)


def devcontainer(text: str) -> Dockerfile:
    """A devcontainer.json, of which is only said where it asks for packages."""
    found = tuple(
        _unread(text, Span(*match.span()), "devcontainer", "the call is in a devcontainer.json")
        for match in _STRING.finditer(text)
        if prefixes.asks(match[0])
    )
    stage = Stage(0, "devcontainer", "", "of this container", "", None, found, ())
    return Dockerfile(text, "\\", (stage,), ())


def jobs(text: str, found: Iterator[Job]) -> Dockerfile:
    """A CI file with these jobs. A suite told by comment outside of them holds for all."""
    comments = _comments(text)
    told = [each for span in comments if (each := directives.read(text, span))]
    in_expressions = frozenset(_OF_ENV.findall(text))
    stages: list[Stage] = []
    every = list(found)

    def variable(at: int, name: str, value: Node | None) -> Instruction:
        return _variable(text, at, name, None if name in in_expressions else value)

    for job in every:
        at = job.span.start
        instructions = [variable(at, name.text, value) for name, value in job.variables]
        outer = {name.text: value for name, value in job.variables}
        for step in job.steps:
            where = _where(text, step.text, at)
            at = where.start
            instructions += (variable(at, name.text, value) for name, value in step.variables)
            instructions += _step(text, step.text, step.shell, where)
            at = where.end
            for name, _ in step.variables:
                instructions.append(variable(at, name.text, outer.get(name.text)))
        own = tuple(
            each
            for each in told
            if job.span.start <= each.span.start < job.span.end
            or not any(other.span.start <= each.span.start < other.span.end for other in every)
        )
        stages.append(
            Stage(len(stages), job.name, job.base, job.raw, job.platform, None, tuple(instructions), own)
        )
    return Dockerfile(text, "\\", tuple(stages), comments)


def _comments(text: str) -> tuple[Span, ...]:
    return tuple(Span(*match.span(1)) for match in _COMMENT.finditer(text))


def _variable(text: str, at: int, name: str, value: Node | None) -> Instruction:
    """The variable as set from the offset `at` on; without a value, as one that is not known."""
    where = Span(at, at)
    joined = scalar(text, value) if value is not None and "$" not in value.text else None
    if joined is None:
        nothing = Joined("", (0,), (at,), (at,))
        return Instruction(
            VARIABLE, where, where, nothing, argv=(name, f"the value of {name} is not known here")
        )
    return Instruction(VARIABLE, where, where, joined, argv=(name,))


def _where(text: str, node: Node, after: int) -> Span:
    """Where a step stands: from the begin of its line on, if that is not before `after`."""
    line = text.rfind("\n", 0, node.span.start) + 1
    begin = node.span.start - len(text[line : node.span.start].lstrip(" \t"))
    return Span(begin if begin >= after else node.span.start, node.span.end)


def _step(text: str, node: Node, program: str, where: Span) -> Iterator[Instruction]:
    """The RUN of a step, behind the SHELL that it is run by."""
    joined = scalar(text, node)
    shell = Joined("", (0,), (where.start,), (where.start,))
    yield Instruction("SHELL", where, where, shell, argv=(program or "sh",))
    if joined is None and prefixes.asks(node.value):
        yield _unread(text, node.span, "yaml", "how this string is written in YAML is not followed")
    elif joined is not None:
        yield Instruction("RUN", where, node.span, nested.unfolded(joined))


def _unread(text: str, span: Span, reason: str, detail: str) -> Instruction:
    return Instruction(UNREAD, span, span, Joined.without(text, span, ()), argv=(reason, detail))
