"""The architectures that a stage tells dpkg(1) to add, and where."""

from __future__ import annotations

from typing import NamedTuple

from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later

_ARCHITECTURE = later(r"\bdpkg\s+--add-architecture\s+([a-z0-9-]+)")


class Setting(NamedTuple):
    """From offset `at` on, in `stage` and those built on it, an architecture is added."""

    stage: int
    at: int
    architecture: str


def settings(dockerfile: Dockerfile) -> tuple[Setting, ...]:
    """Every such setting of the file, in file order within each stage."""
    if "--add-architecture" not in dockerfile.text:
        return ()
    return tuple(
        Setting(stage.index, instruction.span.start + match.start(), match[1])
        for stage in dockerfile.stages
        for instruction in stage.instructions
        if instruction.keyword == "RUN"
        for match in _ARCHITECTURE.finditer(instruction.span.of(dockerfile.text))
    )
