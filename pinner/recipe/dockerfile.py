"""Dockerfile → stages, instructions, directives, as BuildKit reads it (Dockerfile reference)."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar

from pinner.edit.span import Joined, Span
from pinner.recipe import directives, lines
from pinner.recipe.builds import Build, united
from pinner.recipe.directives import Directive
from pinner.recipe.lines import SPACE, DockerHeredoc, Lined, Logical, refuse
from pinner.regex import later
from pinner.shell import expand
from pinner.shell.content import UNKNOWN
from pinner.values import NamedTuple

#: The instructions that BuildKit knows.
KEYWORDS = frozenset(
    (
        *(
            "ADD",
            "ARG",
            "CMD",
            "COPY",
            "ENTRYPOINT",
            "ENV",
            "EXPOSE",
            "FROM",
            "HEALTHCHECK",
            "LABEL",
            "MAINTAINER",
        ),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    )
)
_KEYWORD = later(rf"[{SPACE}]*([^\t\v\f\r ]*)[\t\v\f\r ]*")
_FLAG = later(rf"""--(?:[^{SPACE}'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*(?=[{SPACE}]|\Z)""", re.DOTALL)
_BLANKS = later(rf"[{SPACE}]*")
_STRING = r'"(?:[^"\\\x00-\x1f]|\\.)*"'
_ARRAY = later(rf"\[\s*(?:{_STRING}\s*(?:,\s*{_STRING}\s*)*)?\]\s*\Z")
_STAGE_NAME = later(r"[a-z][a-z0-9-_.]*\Z")

# BuildKit sets these for FROM, and for stages that declare them.
_OF_PLATFORM = later(r"\$\{?(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)\b")

RunForm = Literal["shell", "exec"]
_T = TypeVar("_T")

#: The keyword of a text that may hold calls and is not read; its `argv` are the reason's code and its detail.
UNREAD = "UNREAD"


class Instruction(NamedTuple):
    """One instruction with its continued lines.

    `keyword` is in upper case; under ONBUILD it is the nested one's and `onbuild` is set. `body` is what follows the
    keyword and its `flags`, and `text` the same as BuildKit joins it. `argv` holds the strings of the exec form.
    """

    keyword: str
    span: Span
    body: Span
    text: Joined
    flags: tuple[str, ...] = ()
    form: RunForm = "shell"
    argv: tuple[str, ...] = ()
    heredocs: tuple[DockerHeredoc, ...] = ()
    onbuild: bool = False


class Stage(NamedTuple):
    """A `FROM` and all up to the next one.

    `base` is the image after substitution, "" where an argument without default decides it; `raw_base` as written.
    `platform` is the value of `FROM --platform`, "" if absent or not known here. `parent` is the index of the
    earlier stage that `base` names. `directives` are those of comments in the stage; one in the block of comment
    lines right above a FROM belongs to that FROM's stage, and one above the first FROM to the first stage. `runner` is
    the name of a hosted machine that stands in the place of an image. `why` is a clause about a base that is not known.
    `suite` is that of a new root, which the stage begins as, without a package. `like` is the image where `base` is not
    known, with a mark for what is not.
    """

    index: int  # type: ignore[assignment]
    name: str
    base: str
    raw_base: str
    platform: str
    parent: int | None
    instructions: tuple[Instruction, ...]
    directives: tuple[Directive, ...]
    runner: str = ""
    why: str = ""
    suite: str = ""
    like: str = ""


class _Dockerfile(NamedTuple):
    text: str
    escape: str
    stages: tuple[Stage, ...]
    comments: tuple[Span, ...]
    arguments: tuple[Instruction, ...] = ()
    varies: bool = False
    builds: tuple[Build, ...] = ()


class Dockerfile(_Dockerfile):
    """A file that BuildKit would read.

    `comments` are the spans of its comment lines, each from its `#` on; `arguments` the ARGs before the first FROM.
    `varies` tells that the platform decides what a stage is built on; `builds` are how the file is built.
    """

    def once(self, function: Callable[[Dockerfile], _T]) -> _T:
        """What `function` makes of this file, made once, however many stages ask for it."""
        made: dict[Any, _T] = self.__dict__
        if function not in made:
            made[function] = function(self)
        return made[function]

    def on(self, platform: str) -> Dockerfile:
        """The file as it is built for a platform."""
        if not self.varies:
            return self
        found = parse(self.text, platform, self.builds)
        return found._replace(stages=(*found.stages, *(each for each in self.stages if each.suite)))


def of_platform(platform: str) -> dict[str, str]:
    """The arguments that BuildKit sets where it builds for a platform, on a machine of its kind."""
    system, arch, variant = (*platform.split("/"), "", "")[:3]
    own = {"PLATFORM": platform, "OS": system, "OSVERSION": "", "ARCH": arch, "VARIANT": variant}
    return {f"{where}{what}": value for where in ("BUILD", "TARGET") for what, value in own.items()}


def parse(text: str, platform: str = "linux/amd64", builds: Sequence[Build] = ()) -> Dockerfile:
    """Read `text` as it is built for a platform by all of the `builds`.

    Raises `InputError` (without path) where BuildKit would refuse the file, and for a pinner directive that does not
    exist. A here-document without end is no error here: it is in its instruction's `heredocs`, unterminated.
    """
    return _parse(text, platform, builds) if builds else _parse_alone(text, platform)


@lru_cache(maxsize=16)
def _parse_alone(text: str, platform: str) -> Dockerfile:
    """A file that is read by itself: whoever looks for scripts and lists of a project reads it before."""
    return _parse(text, platform, ())


def _parse(text: str, platform: str, builds: Sequence[Build]) -> Dockerfile:
    lined = lines.read(text)
    found = [_instruction(text, lined.escape, logical) for logical in lined.logical]
    if not found:
        raise refuse(text, Span(0, 0), "the file has no instructions")
    stages = _stages(text, lined.escape, found, platform, None)
    arguments = tuple(itertools.takewhile(lambda instruction: instruction.keyword == "ARG", found))
    if builds:
        ways = [(each, _stages(text, lined.escape, found, platform, each)) for each in builds]
        stages = united(ways, stages, arguments, lined.escape)
    return Dockerfile(
        text,
        lined.escape,
        _with_directives(text, lined, stages, found),
        tuple(lined.comments),
        arguments,
        varies="$" in text and _varies(text, found),
        builds=tuple(builds),
    )


def _stages(
    text: str, escape: str, found: list[Instruction], platform: str, build: Build | None
) -> list[Stage]:
    """The stages as a build makes them, or as the file alone says."""
    stages: list[Stage] = []
    named: dict[str, int] = {}
    arguments: dict[str, str | None] = dict(of_platform(platform))
    start = 0
    for number, instruction in enumerate(found):
        if instruction.keyword == "FROM":
            if stages:
                stages[-1] = stages[-1]._replace(instructions=tuple(found[start:number]))
            stages.append(_stage(text, escape, instruction, len(stages), named, arguments, build))
            named[stages[-1].name] = stages[-1].index
            start = number + 1
        elif not stages and instruction.keyword != "ARG":
            raise refuse(
                text,
                instruction.span,
                "no build stage: FROM must come before this",
                "only ARG may precede it",
            )
        elif not stages:
            _declare(arguments, instruction, escape, build)
    if not stages:
        raise refuse(text, found[-1].span, "no build stage: the file has no FROM")
    stages[-1] = stages[-1]._replace(instructions=tuple(found[start:]))
    return stages


def _varies(text: str, found: list[Instruction]) -> bool:
    """Whether a FROM, or an argument that it may use, names a platform's argument; `FROM --platform` does not count."""
    used = [each.text.text for each in found if each.keyword == "FROM"]
    if any("$" in each for each in used):
        used += (each.text.text for each in found if each.keyword == "ARG")
    return any(_OF_PLATFORM.search(each) for each in used)


def _instruction(text: str, escape: str, logical: Logical) -> Instruction:
    """Split an instruction's line into keyword, flags and body."""
    joined = logical.joined
    match = _KEYWORD.match(joined.text)
    assert match is not None  # the pattern matches the empty text too
    keyword = match[1].upper()
    onbuild = keyword == "ONBUILD"
    if onbuild:
        match = _KEYWORD.match(joined.text, match.end())
        assert match is not None
        keyword = match[1].upper()
    # What ONBUILD is to do is looked at when it is done.
    if keyword in ("ONBUILD", "FROM", "MAINTAINER") if onbuild else keyword not in KEYWORDS:
        where = joined.span(match.start(1), match.end(1))
        if re.fullmatch(r"<{7}|\|{7}|={7}|>{7}", match[1]):
            raise refuse(text, where, "the file holds unresolved merge conflicts", "resolve them first")
        raise refuse(text, where, f"unknown instruction: {match[1]}", _near(keyword))
    begin = match.end()
    flags: list[str] = []
    while joined.text.startswith("--", begin) and (flag := _FLAG.match(joined.text, begin)):
        flags.append(flag[0])
        begin = _end(_BLANKS, joined.text, flag.end())
        if flag[0] == "--":
            break
    end = max(len(joined.text.rstrip(SPACE)), begin)
    body = joined.part(begin, end)
    argv = _argv(body.text)
    return Instruction(
        keyword,
        logical.span,
        joined.span(begin, end),
        body,
        tuple(flags),
        "shell" if argv is None else "exec",
        argv or (),
        logical.heredocs,
        onbuild,
    )


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _argv(body: str) -> tuple[str, ...] | None:
    """The strings of an exec form; None for the shell form, which malformed JSON falls back to."""
    if not body.startswith("[") or not _ARRAY.match(body):
        return None
    import json

    try:
        return tuple(json.loads(body))
    except ValueError:
        return None


def _near(keyword: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(keyword, KEYWORDS, n=1)
    return (
        f"did you mean {near[0]}?" if near else "a Dockerfile's lines begin with an instruction such as RUN"
    )


def _declare(
    arguments: dict[str, str | None], instruction: Instruction, escape: str, build: Build | None
) -> None:
    """Take note of an `ARG` before the first `FROM`; without a default its value is BuildKit's own, or not known."""
    for word in expand.words(instruction.text.text, escape):
        name, equals, value = word.partition("=")
        known = expand.substitute(value, arguments, escape) if equals else arguments.get(name)
        arguments[name] = build.args.get(name, known) if build is not None else known


def _stage(
    text: str,
    escape: str,
    instruction: Instruction,
    index: int,
    named: Mapping[str, int],
    arguments: Mapping[str, str | None],
    build: Build | None,
) -> Stage:
    """The stage that a FROM opens, without its instructions; `named` are the indices of the stages above, by name."""
    arguments_of = expand.words(instruction.text.text, escape)
    name = ""
    if len(arguments_of) == 3 and arguments_of[1].lower() == "as":
        name = arguments_of[2].lower()
        if not _STAGE_NAME.match(name):
            raise refuse(text, instruction.span, f"invalid name for a build stage: {arguments_of[2]}")
    elif len(arguments_of) != 1:
        raise refuse(text, instruction.span, "FROM requires either one or three arguments")
    base = expand.substitute(arguments_of[0], arguments, escape) or ""
    platform = ""
    for flag in instruction.flags:
        key, _, value = flag.partition("=")
        if key == "--platform" and not _OF_PLATFORM.search(value):
            platform = expand.substitute(value, arguments, escape) or ""
    parent, why = named.get(base.lower()) if base else None, ""
    if build is not None and base in build.contexts:  # whatever the name means in the file
        parent, base = None, build.contexts[base] or ""
        why = "" if base else f"{build.by} puts another build context in its place"
    like = "" if base or why else expand.substitute(arguments_of[0], arguments, escape, UNKNOWN) or ""
    return Stage(index, name, base, arguments_of[0], platform, parent, (), (), why=why, like=like)


def _with_directives(
    text: str, lined: Lined, stages: list[Stage], instructions: list[Instruction]
) -> tuple[Stage, ...]:
    """`stages` with the directives of the comments that belong to each."""
    if "pinner:" not in text:
        return tuple(stages)
    begins = [
        block_start(text, lined.comments, instruction.span.start)
        for instruction in instructions
        if instruction.keyword == "FROM"
    ]
    found: list[list[Directive]] = [[] for _ in stages]
    for comment in lined.comments:
        directive = directives.read(text, comment)
        if directive is not None:
            found[max(bisect_right(begins, comment.start) - 1, 0)].append(directive)
    return tuple(stage._replace(directives=tuple(own)) for stage, own in zip(stages, found, strict=True))


def block_start(text: str, comments: list[Span] | tuple[Span, ...], at: int) -> int:
    """Where the block of comment lines right above the line of `at` begins; `at` itself if there is none."""
    first = bisect_right(comments, Span(at, at))
    begin = at
    while first and text[comments[first - 1].end : begin].strip(SPACE) == "":
        first -= 1
        if text.count("\n", comments[first].end, begin) != 1:
            break
        begin = comments[first].start
    return begin


def settings(instruction: Instruction, escape: str) -> Iterator[tuple[str, Joined | None]]:
    """The names that an ARG or ENV sets, with their values as written; None for an ARG without one."""
    text = instruction.text
    words = list(expand.spans(text.text, escape))
    legacy = re.match(r"([A-Za-z_]\w*)[ \t]+(?=\S)", text.text)
    if instruction.keyword == "ENV" and legacy:
        yield legacy[1], text.part(legacy.end(), len(text.text))
        return
    for start, end in words:
        name, equals, value = text.text[start:end].partition("=")
        if name.isidentifier():
            yield name, text.part(end - len(value), end) if equals else None
