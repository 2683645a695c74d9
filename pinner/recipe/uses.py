"""Where variables are used: a list of packages may only be changed if nothing else looks at it.

`check_packages curl`, whose body runs both `dpkg -s "$@"` and `apt-get install "$@"`, is not pinned at its calls: dpkg
knows no `curl=1.2`, so that the guard would always hold, and what the image has in another version would be moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from pinner.edit.span import Joined
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later
from pinner.shell.expand import Variable
from pinner.shell.trace import Trace

_USE = later(r"(?<!\\)\$\{?[!#]?([A-Za-z_]\w*)")
# What asks whether a variable is empty, or how many words an array has.
_HARMLESS = later(
    r"""(?:\[\[?|\btest)[ \t]+(?:![ \t]+)?-[nz][ \t]+"?(?P<use>\$)
    |\[\[?[ \t]+"?(?P<own>\$)\{?\w+\}?"?[ \t]+!?=[=]?[ \t]+""
    |(?P<count>\$)\{\#\w+\[[@*]\]\}""",
    re.VERBOSE,
)


class Uses:
    """The uses of a file's variables, by the offset of each `$`; `packages` are those that name packages for apt."""

    def __init__(self, dockerfile: Dockerfile, trace: Trace) -> None:
        self._file = dockerfile
        self._trace = trace
        self.packages: set[int] = set()

    def forbidding(self, variables: Iterable[Variable]) -> int | None:
        """The offset of a use of one of `variables` that is no list of packages; None if all are."""
        seen: set[Variable] = set()
        todo = list(variables)
        while todo:
            variable = todo.pop()
            if variable in seen:
                continue
            seen.add(variable)
            for at in self._of(variable):
                if at in self._trace.flows:
                    todo += self._trace.flows[at]
                elif at not in self.packages and at not in self._trace.shown:
                    return at
        return None

    def _of(self, variable: Variable) -> Iterator[int]:
        yield from self._followed.get(variable, ())
        yield from (
            at for at in self._unfollowed.get(variable.name, ()) if variable.start <= at < variable.end
        )

    @cached_property
    def _followed(self) -> dict[Variable, list[int]]:
        found: dict[Variable, list[int]] = {}
        for at, variables in self._trace.variables.items():
            for variable in variables:
                found.setdefault(variable, []).append(at)
        return found

    @cached_property
    def _unfollowed(self) -> dict[str, list[int]]:
        """The uses in texts that were not evaluated, such as CMD, COPY or what another program gets, by name."""
        found: dict[str, list[int]] = {}
        every = (each for stage in self._file.stages for each in stage.instructions)
        for instruction in (*self._file.arguments, *every):
            texts = [instruction.text]
            texts += (Joined.without(self._file.text, each.content, []) for each in instruction.heredocs)
            for text in texts:
                harmless = {match.start(match.lastgroup or "use") for match in _HARMLESS.finditer(text.text)}
                for match in _USE.finditer(text.text):
                    at = text.origin(match.start())
                    if at not in self._trace.ways and match.start() not in harmless:
                        found.setdefault(match[1], []).append(at)
        return found
