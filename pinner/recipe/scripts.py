"""Shell scripts and the jobs of CI files, as if a Dockerfile had them: stages on base images, and RUNs.

So whatever reads a Dockerfile's calls, suites and comments reads these. A script is one stage; a job is one stage, and
each of its steps a RUN.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from pinner.edit.span import Joined, Level, Span
from pinner.recipe import directives
from pinner.recipe.builds import VARIABLE
from pinner.recipe.directives import Directive
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.recipe.formats.yamltext import Node, scalar
from pinner.regex import later
from pinner.shell import nested, prefixes
from pinner.shell.expand import REPLACED
from pinner.values import NamedTuple

# A variable that GitHub's expressions see.
_IN_EXPRESSION = later(r"\benv\.(\w+)")
_EXPANDED = later(r"\$\{?[!#]?(\w+)")
_ASSIGNED = later(r"(?<![\w$])(\w+)\+?=")
# Keys of what people read, and what a text may seem to be that is no script.
_PROSE = frozenset(("name", "description", "title", "summary", "help", "label", "comment", "msg", "message"))
_DOUBTFUL = frozenset(("wrapper", "unparsable", "string", "unknown-command"))
_INSTALL = ("install", "reinstall", "download", "install_packages")
_PLAIN = later(r"[\w.+:=~/@%,-]+")
_UNKNOWN = f"${{{REPLACED}}}"
_COMMENT = later(r"^[ \t]*(#[^\r\n]*)", re.MULTILINE)


#: The places in a text that a format replaces itself, or what tells the text as the format makes it.
Hidden = re.Pattern[str] | Callable[[Joined], Joined] | None


class Step(NamedTuple):
    """A shell text, the program that runs it ("" for the usual one), and the variables that are set for it alone.

    A step may be the `names` of packages instead, perhaps with their `versions`, or the `words` of a command that runs
    without a shell, what it `adds` to apt's sources, or what is `unread` in it: a code and a clause. `hidden` are the
    places that the format itself replaces before a shell sees them, or what tells the text as the format makes it.
    """

    text: Node
    shell: str = ""
    variables: tuple[tuple[Node, Node], ...] = ()
    names: tuple[Joined, ...] = ()
    versions: tuple[Joined | None, ...] = ()
    words: tuple[Joined, ...] = ()
    adds: str = ""
    unread: tuple[str, ...] = ()
    hidden: Hidden = None


class Job:
    """What a CI file says of one job: the image or runner (`base`; `raw` as written), its variables, its steps.

    `variables` are names and values; the last of a name counts. `runner` is the name of a hosted machine, if it runs
    on one.
    """

    def __init__(self, name: str, span: Span, base: str = "", raw: str = "", platform: str = "") -> None:
        self.name, self.span, self.base, self.raw, self.platform = name, span, base, raw, platform
        self.variables: list[tuple[Node, Node]] = []
        self.steps: list[Step] = []
        self.runner = ""


def script(text: str) -> Dockerfile:
    """A shell script; what it runs on is not in its text."""
    whole = Span(0, len(text))
    begin = 1 if text.startswith("\ufeff") else 0
    joined = nested.unfolded(Joined.without(text, Span(begin, len(text)), ()))
    run = Instruction("RUN", whole, whole, joined)
    at = Span(0, 0)
    shell = Instruction("SHELL", at, at, Joined("", (0,), (0,), (0,)), argv=(nested.shell_of(text),))
    said = comments(text)
    told = tuple(each for span in said if (each := directives.read(text, span)))
    stage = Stage(0, "script", "", "of this script", "", None, (shell, run), told)
    return Dockerfile(text, "\\", (stage,), said)


def jobs(text: str, found: Iterator[Job], root: Node | None) -> Dockerfile:
    """A CI file with these jobs. A suite that a comment outside of them names holds for all.

    What else in the tree `root` installs packages is a stage of its own, which is not read.
    """
    said = comments(text)
    every = list(found)
    told = _by_job(every, [each for span in said if (each := directives.read(text, span))])
    elsewhere = frozenset(_IN_EXPRESSION.findall(text))
    stages: list[Stage] = []
    for number, job in enumerate(every):
        instructions = tuple(_instructions(text, job, elsewhere))
        own = tuple(sorted((*told.get(number, ()), *told.get(-1, ())), key=lambda each: each.span))
        stages.append(
            Stage(number, job.name, job.base, job.raw, job.platform, None, instructions, own, job.runner)
        )
    if root is not None:
        read = [step.text.span for job in every for step in job.steps if step.text.source == root.source]
        if rest := tuple(others(root, read)):
            stages.append(Stage(len(stages), "elsewhere", "", "of this file", "", None, rest, ()))
    return Dockerfile(text, "\\", tuple(stages), said)


def others(root: Node, read: Sequence[Span]) -> Iterator[Instruction]:
    """The texts that install packages beside those that are `read`: something else runs them."""
    spans = sorted(read)
    starts = [span.start for span in spans]
    ends = list(accumulate((span.end for span in spans), max))  # of those that begin no later

    def is_read(span: Span) -> bool:
        at = bisect_right(starts, span.start) - 1
        return at >= 0 and span.end <= ends[at]

    for key, node in root.named_texts():
        if (
            prefixes.asks(node.value)
            and key.lower() not in _PROSE
            and node.source == root.source
            and not is_read(node.span)
            and _installs(node.value)
        ):
            why = f"the command is under {key}, and what runs it is not known here"
            yield unread(root.source, node.span, "other-key", why)


def _installs(text: str) -> bool:
    from pinner.recipe import installs

    found = installs.find(script(text))
    return any(isinstance(each, installs.Install) or each.reason not in _DOUBTFUL for each in found)


def _by_job(every: Sequence[Job], told: Iterable[Directive]) -> dict[int, list[Directive]]:
    """Directives, by the number of the job that they stand in; -1, if in none."""
    order = sorted(range(len(every)), key=lambda number: every[number].span)
    starts = [every[number].span.start for number in order]
    found: dict[int, list[Directive]] = {}
    for each in told:
        at = bisect_right(starts, each.span.start) - 1
        inside = at >= 0 and each.span.start < every[order[at]].span.end
        found.setdefault(order[at] if inside else -1, []).append(each)
    return found


def _instructions(text: str, job: Job, elsewhere: frozenset[str]) -> Iterator[Instruction]:
    """A job's steps as RUNs, with the variables that they expand.

    One that a step sets, for itself or the steps behind it, or that is named `elsewhere`, is not known.
    """
    used = {name for step in job.steps for name in _EXPANDED.findall(step.text.value)}
    unclear = elsewhere.union(*(_ASSIGNED.findall(step.text.value) for step in job.steps))
    outer = {name.text: value for name, value in job.variables if name.text in used}
    at = min((job.span.start, *(step.text.span.start for step in job.steps)))
    for name, value in outer.items():
        yield _variable(text, at, name, None if name in unclear else value)
    for step in job.steps:
        where = _where(text, step.text, at)
        at = where.start
        own = {name.text: value for name, value in step.variables if name.text in used}
        for name, value in own.items():
            yield _variable(text, at, name, None if name in unclear else value)
        if step.unread:
            yield unread(text, step.text.span, *step.unread)
        elif step.names:
            yield from calls(step.names, step.versions or (None,) * len(step.names), where)
        elif step.words:
            yield _command(text, step, where)
        elif step.adds:
            yield adding(step.adds, where, step.hidden)
        else:
            yield from _step(text, step, where)
        at = where.end
        for name in own:
            yield _variable(text, at, name, None if name in unclear else outer.get(name))


def comments(text: str) -> tuple[Span, ...]:
    """The lines that are comments, each from its `#` on."""
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


def _step(text: str, step: Step, where: Span) -> Iterator[Instruction]:
    """The RUN of a step, behind the SHELL that it is run by."""
    node = step.text
    joined = scalar(text, node)
    shell = Joined("", (0,), (where.start,), (where.start,))
    yield Instruction("SHELL", where, where, shell, argv=(step.shell or "sh",))
    if joined is None and prefixes.asks(node.value):
        yield unread(text, node.span, "yaml", "how this string is written in YAML is not followed")
    elif joined is not None:
        if callable(step.hidden):
            joined = step.hidden(joined)
        elif step.hidden is not None:
            joined = joined.read_as(
                [(*match.span(), _UNKNOWN) for match in step.hidden.finditer(joined.text)]
            )
        yield Instruction("RUN", where, node.span, nested.unfolded(joined))


def calls(names: Sequence[Joined], versions: Sequence[Joined | None], where: Span) -> Iterator[Instruction]:
    """A RUN that installs packages, one for each way in which their names are quoted; versions are as variables."""
    for _, same in groupby(zip(names, versions, strict=True), lambda each: each[0].levels):
        own = list(same)
        parts = [_filler("apt-get install", own[0][0].origin(0))]
        for number, (name, version) in enumerate(own):
            parts += (_filler(" ", name.origin(0)), name)
            if version is not None:
                before = Span(where.start, where.start)
                yield Instruction(VARIABLE, before, before, version, argv=(f"version_{number}",))
                parts.append(_filler(f"=$version_{number}", name.span(0, len(name.text)).end))
        yield _run(parts, own[0][0].levels, where)


def _command(text: str, step: Step, where: Span) -> Instruction:
    """The RUN of a command that is a list of words, if no shell reads these otherwise than as they are."""
    install = next((at for at, word in enumerate(step.words) if word.text in _INSTALL), len(step.words))
    levels = {word.levels for word in step.words[install + 1 :] if word.text[:1] not in ("", "-")}
    if len(levels) > 1 or not all(_PLAIN.fullmatch(word.text) for word in step.words):
        return unread(
            text, step.text.span, "words", "the command is a list, not all of whose items are plain text"
        )
    own = levels.pop() if levels else ()
    parts: list[Joined] = []
    for word in step.words:
        parts += (
            word if word.levels == own else _filler(word.text, word.origin(0)),
            _filler(" ", word.span(0, len(word.text)).end),
        )
    return _run(parts, own, where)


def adding(source: str, where: Span, hidden: Hidden = None) -> Instruction:
    """The RUN that adds a source, which `$RELEASE` may be the suite of; what is `hidden` in it is not known."""
    said = source.replace("'", '"')
    if hidden is not None and not callable(hidden):
        said = hidden.sub(f"'\"{_UNKNOWN}\"'", said)
    said = said.replace("$RELEASE", "'\"$(lsb_release -cs)\"'")
    if said.startswith("/"):  # a file, whose text is not known
        command = f'echo "{_UNKNOWN}" > {said} && apt-get update'
    else:
        command = f"add-apt-repository -y '{said}' && apt-get update"
    return written(command, where)


def written(command: str, where: Span) -> Instruction:
    """The RUN of a command that is not written in the file."""
    return Instruction("RUN", where, where, _filler(command, where.start))


def _filler(text: str, at: int) -> Joined:
    """A text that is not written in the file, and cannot be edited."""
    return Joined.chain(Joined(char, (0,), (at,), (at,)) for char in text)


def _run(parts: Iterable[Joined], levels: tuple[Level, ...], where: Span) -> Instruction:
    text = Joined.chain(parts)
    text.levels = levels
    return Instruction("RUN", where, where, text.replaced((), "bare"))


def unread(text: str, span: Span, reason: str, detail: str) -> Instruction:
    """What may install packages and is not read: a code and a clause."""
    return Instruction(UNREAD, span, span, Joined.without(text, span, ()), argv=(reason, detail))
