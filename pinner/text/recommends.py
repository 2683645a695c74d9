"""Whether a stage has written `APT::Install-Recommends` into apt's configuration before a given place (apt.conf(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinner.text.dockerfile import Dockerfile

_SETTING = re.compile(r"\bAPT::Install-Recommends\b[\s\\\"'=]*(\w+)", re.IGNORECASE)
_FILE = "/etc/apt/apt.conf"
_FALSE = frozenset({"0", "no", "false", "without", "off", "disable"})


@dataclass(frozen=True, slots=True)
class Setting:
    """From `at` on, in this stage and those built on it, Recommends count or not."""

    stage: int
    at: int
    recommends: bool


def settings(dockerfile: Dockerfile) -> tuple[Setting, ...]:
    """Every such line that a RUN or COPY of the file writes, in file order."""
    if _FILE not in dockerfile.text or not _SETTING.search(dockerfile.text):
        return ()
    return tuple(
        Setting(stage.index, instruction.span.start + match.start(), match[1].lower() not in _FALSE)
        for stage in dockerfile.stages
        for instruction in stage.instructions
        if _FILE in (body := instruction.span.of(dockerfile.text))
        for match in _SETTING.finditer(body)
    )
