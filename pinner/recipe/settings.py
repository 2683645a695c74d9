"""What a stage tells apt and dpkg before a given place: Recommends by apt.conf(5), architectures by dpkg(1)."""

from __future__ import annotations

import re
from typing import NamedTuple

from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later

_RECOMMENDS = later(r"\bAPT::Install-Recommends\b[\s\\\"'=]*(\w+)", re.IGNORECASE)
_CONFIGURATION = "/etc/apt/apt.conf"
_FALSE = frozenset({"0", "no", "false", "without", "off", "disable"})
_ARCHITECTURE = later(r"\bdpkg\s+--add-architecture\s+([a-z0-9-]+)")


class Setting(NamedTuple):
    """From offset `at` on, in `stage` and those built on it: Recommends count or not, or an architecture is added."""

    stage: int
    at: int
    recommends: bool | None = None
    architecture: str = ""


def settings(dockerfile: Dockerfile) -> tuple[Setting, ...]:
    """Every such setting of the file, in file order within each stage."""
    if _CONFIGURATION not in dockerfile.text and "--add-architecture" not in dockerfile.text:
        return ()
    found = []
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            body = instruction.span.of(dockerfile.text)
            start = instruction.span.start
            if _CONFIGURATION in body:
                found += [
                    Setting(stage.index, start + match.start(), recommends=match[1].lower() not in _FALSE)
                    for match in _RECOMMENDS.finditer(body)
                ]
            if instruction.keyword == "RUN":
                found += [
                    Setting(stage.index, start + match.start(), architecture=match[1])
                    for match in _ARCHITECTURE.finditer(body)
                ]
    return tuple(found)
