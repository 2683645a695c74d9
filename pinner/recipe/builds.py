"""How a Dockerfile is built, as Compose, Bake and Dev Containers say it: what its arguments and base images are.

An argument that has one value over all builds has that; of one that has several it is said which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Span
from pinner.regex import later
from pinner.shell import expand
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.recipe.dockerfile import Instruction, Stage

#: The keyword of a variable that is set to its text as it is; its `argv` is the name, and why the text is not known.
VARIABLE = "VARIABLE"

_FROM = later(r"(?:^--|[=,])from=([^,\s]+)")
_QUOTED = later(r'["\\$`]')


class Build(NamedTuple):
    """One build. `by` says whose it is, for people; `dockerfile` is the path of the file that is built, `context` that
    of its build context ("" where that is no folder here), both relative to whoever says so.

    `args` are the values of arguments, None for one that is not known; `contexts` the images that stand for names in
    FROM, None for what is no image. `target` is the stage that is built, "" for the last one.
    """

    by: str
    dockerfile: str
    context: str = "."
    args: Mapping[str, str | None] = {}
    contexts: Mapping[str, str | None] = {}
    target: str = ""

    def last(self, stages: Sequence[Stage]) -> int:
        """The stage that the image is of."""
        named = [each.index for each in stages if self.target.lower() in (each.name, str(each.index))]
        return named[-1] if named else len(stages) - 1

    def reaches(self, stages: Sequence[Stage]) -> set[int]:
        """The stages that this build makes, as far as names tell."""
        todo = [self.last(stages)]
        by_name = {name: each.index for each in stages for name in (each.name, str(each.index)) if name}
        found: set[int] = set()
        while todo:
            at = todo.pop()
            if at not in found:
                found.add(at)
                flags = (flag for each in stages[at].instructions for flag in each.flags)
                names = (match[1].lower() for flag in flags for match in _FROM.finditer(flag))
                parent = stages[at].parent
                todo += (by_name[name] for name in names if name in by_name)
                todo += [parent] if parent is not None else []
        return found


def image(context: str) -> str | None:
    """The image that a named build context means, None for a folder, an address or another build's result."""
    return context.removeprefix("docker-image://") if context.startswith("docker-image://") else None


def united(
    ways: Sequence[tuple[Build, Sequence[Stage]]],
    plain: Sequence[Stage],
    arguments: Iterable[Instruction],
    escape: str,
) -> list[Stage]:
    """The stages as all builds make them. `plain` are those that no build file speaks of, `arguments` the ARGs before
    the first FROM."""
    outer = {name: default for each in arguments for _, name, default in _declared(each, escape)}
    reached = [build.reaches(stages) for build, stages in ways]
    found = []
    for stage in plain:
        own = [
            (build, stages[stage.index])
            for (build, stages), reach in zip(ways, reached, strict=True)
            if stage.index in reach
        ]
        if own:
            stage = _stage(stage, own)
            filled = _filled(stage, outer, [build for build, _ in own], escape)
            stage = stage._replace(instructions=tuple(filled))
        found.append(stage)
    return found


def _stage(stage: Stage, own: Sequence[tuple[Build, Stage]]) -> Stage:
    first = own[0][1]
    if all(
        (each.base, each.parent, each.platform) == (first.base, first.parent, first.platform)
        for _, each in own
    ):
        why = first.why or ("" if first.base else f"{own[0][0].by} gives a value that is not known")
        return stage._replace(base=first.base, parent=first.parent, platform=first.platform, why=why)
    why = _differing((build.by, each.base or None) for build, each in own)
    return stage._replace(base="", parent=None, platform="", why=f"it is {why}")


def _differing(values: Iterable[tuple[str, str | None]]) -> str:
    """A clause about several builds' values, each with who says so."""
    by_value: dict[str | None, str] = {}
    for by, value in values:
        by_value.setdefault(value, by)
    shown = [f"{'not known' if value is None else value} in {by}" for value, by in by_value.items()]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _declared(instruction: Instruction, escape: str) -> Iterator[tuple[tuple[int, int], str, str | None]]:
    """The names of an ARG: where each stands, and its default without quotes, None if it has none."""
    for start, end in expand.spans(instruction.text.text, escape):
        name, equals, default = instruction.text.text[start:end].partition("=")
        known = expand.substitute(default, {}, escape) if "$" not in default else default
        yield (start, end), name, known if equals else None


def _filled(
    stage: Stage, outer: Mapping[str, str | None], builds: Sequence[Build], escape: str
) -> Iterator[Instruction]:
    """The instructions of a stage, its ARGs with the values that the builds give them."""
    given = {name for build in builds for name in build.args}
    for instruction in stage.instructions:
        if instruction.keyword != "ARG" or not given:
            yield instruction
            continue
        ranges, unknown = [], []
        for (start, end), name, default in _declared(instruction, escape):
            if name not in given:
                continue
            own = outer.get(name) if default is None else default
            values = [(build.by, build.args.get(name, own)) for build in builds]
            if len({value for _, value in values}) == 1 and (known := values[0][1]) is not None:
                ranges.append((start, end, f'{name}="{_QUOTED.sub(lambda match: escape + match[0], known)}"'))
            else:
                unknown.append((name, f"{name} is {_differing(values)}"))
        yield instruction._replace(text=instruction.text.read_as(ranges)) if ranges else instruction
        at = Span(instruction.span.end, instruction.span.end)
        nothing = Joined("", (0,), (at.start,), (at.start,))
        for name, why in unknown:
            yield instruction._replace(keyword=VARIABLE, span=at, body=at, text=nothing, argv=(name, why))
