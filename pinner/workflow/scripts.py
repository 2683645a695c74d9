"""Which image a shell script runs on: the one whose Dockerfile copies it in and runs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from posixpath import basename, dirname, join, normpath

from pinner.errors import InputError
from pinner.recipe import dockerfile, kinds
from pinner.recipe.dockerfile import Dockerfile, Instruction, Stage
from pinner.shell import expand


def images(texts: Mapping[str, str]) -> dict[str, str]:
    """The image of each script among `texts` (by path from the root of the project) that runs on exactly one."""
    found: dict[str, set[str]] = {
        path: set() for path, text in texts.items() if kinds.of(path, text) == "script"
    }
    if not found:
        return {}
    for path, text in texts.items():
        if kinds.of(path, text) == "dockerfile":
            try:
                parsed = dockerfile.parse(text)
            except InputError:
                continue  # it is told of where the file itself is read
            for script, stage in _uses(path, parsed, found):
                found[script].add(image_of(parsed, stage))
    return {script: next(iter(bases)) for script, bases in found.items() if len(bases) == 1}


def image_of(parsed: Dockerfile, stage: Stage) -> str:
    """The image that a stage's chain of stages begins with."""
    while stage.parent is not None:
        stage = parsed.stages[stage.parent]
    return stage.base


def _uses(path: str, parsed: Dockerfile, scripts: Iterable[str]) -> Iterator[tuple[str, Stage]]:
    """The scripts that the RUNs of a Dockerfile run, each with its stage."""
    for stage in parsed.stages:
        copied: list[str] = []
        chain = [stage]
        while chain[-1].parent is not None:
            chain.append(parsed.stages[chain[-1].parent])
        for each in reversed(chain):
            for instruction in each.instructions:
                brought = [*sources(parsed, instruction)[:-1], *(source for source, _ in mounts(instruction))]
                for source in brought:
                    copied += _meant(source, path, scripts)
                if instruction.keyword != "RUN" or each is not stage:
                    continue
                for script in dict.fromkeys(copied):
                    name = re.escape(basename(script))
                    if re.search(rf"(?<![\w.-]){name}(?![\w.-])", instruction.text.text):
                        yield script, stage


def sources(parsed: Dockerfile, instruction: Instruction) -> list[str]:
    """The words of a COPY or ADD from the build context: what it copies, and last where to."""
    if instruction.keyword not in ("COPY", "ADD") or any(
        flag.startswith("--from") for flag in instruction.flags
    ):
        return []
    words = instruction.argv or expand.words(instruction.text.text, parsed.escape)
    return [word.strip("\"'") for word in words]


def mounts(instruction: Instruction) -> list[tuple[str, str]]:
    """What of the build context a RUN mounts, and where."""
    found = []
    for flag in instruction.flags:
        name, _, value = flag.partition("=")
        options = dict(each.partition("=")[::2] for each in value.split(","))
        target = options.get("target") or options.get("dst") or options.get("destination")
        if name == "--mount" and options.get("type") == "bind" and "from" not in options and target:
            found.append((options.get("source") or options.get("src") or ".", target))
    return found


def _meant(source: str, path: str, scripts: Iterable[str]) -> list[str]:
    """The scripts that `source` is or holds, in the Dockerfile's folder, or else in the project's."""
    for context in (dirname(path), ""):
        place = normpath(join(context, source.lstrip("/")))
        found = [
            script
            for script in scripts
            if place in (".", script) or script.startswith(f"{place}/") or fnmatchcase(script, place)
        ]
        if found:
            return found
    return []
