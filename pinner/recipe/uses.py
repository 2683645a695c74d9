"""Where variables are used: a list of packages may only be changed if nothing else looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pinner.edit.span import Joined
from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.recipe.environment import Environment
from pinner.regex import later
from pinner.shell.expand import Binding, Variable

# Up to the first blank of the value, so that the old value can stand in the new one.
_SET = later(r"(?<![\w$])(?:(\w+)\+?=[^\s;]*|for\s+(\w+)\s+in\b)")
_ANY_USE = later(r"\$\{?[!#]?(?:([A-Za-z_]\w*)|[@*#]|\d+)")
_USE = later(r"(?<!\\)\$\{?[!#]?(\w+)")


class Uses:
    """What is known of the uses of a file's variables, by the offset of each `$`.

    `packages` are those as arguments of apt that name packages; `flows` those that make up a variable's value.
    `shells` are the shell texts by their variables' scope.
    """

    def __init__(self) -> None:
        self.packages: set[int] = set()
        self.flows: dict[int, Variable] = {}
        self.shells: dict[int, Joined] = {}
        self._places: dict[int, dict[str, list[int]]] = {}

    def forbidding(
        self, variables: Iterable[Variable], of_file: Callable[[Variable], Iterable[int]]
    ) -> int | None:
        """The offset of a use of one of `variables` that is no list of packages; None if all are.

        `of_file` tells the uses of a variable that the Dockerfile sets.
        """
        seen: set[Variable] = set()
        todo = list(variables)
        while todo:
            variable = todo.pop()
            if variable in seen:
                continue
            seen.add(variable)
            shell = self.shells.get(variable.scope)
            for at in of_file(variable) if shell is None else self._in_shell(variable, shell):
                if at in self.flows:
                    todo.append(self.flows[at])
                elif at not in self.packages:
                    return at
        return None

    def _in_shell(self, variable: Variable, shell: Joined) -> Iterator[int]:
        """The uses of a variable in its own shell text."""
        places = self._places.get(variable.scope)
        if places is None:
            places = self._places[variable.scope] = {}
            for match in _ANY_USE.finditer(shell.text):
                places.setdefault(match[1] or "@", []).append(match.start())
        for place in places.get(variable.name, ()):
            yield shell.origin(place)


def of_file(dockerfile: Dockerfile, environment: Environment) -> dict[Variable, list[int]]:
    """The uses of the variables that ARG and ENV set."""
    found: dict[Variable, list[int]] = {}
    names = environment.names()
    for stage, instruction in _instructions(dockerfile):
        own = instruction.keyword == "RUN"
        texts = [instruction.text]
        texts += (Joined.without(dockerfile.text, each.content, []) for each in instruction.heredocs)
        for text in texts:
            first = _first_set(text.text) if own else {}
            for match in _USE.finditer(text.text):
                name = match[1]
                if name not in names or first.get(name, len(text.text)) < match.start():
                    continue
                meaning = environment.lookup(stage, name, instruction.span.start)
                if isinstance(meaning, Binding):
                    found.setdefault(meaning.variable, []).append(text.origin(match.start()))
    return found


def _instructions(dockerfile: Dockerfile) -> Iterator[tuple[int | None, Instruction]]:
    for instruction in dockerfile.arguments:
        yield None, instruction
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            yield stage.index, instruction


def _first_set(text: str) -> dict[str, int]:
    """Where a shell text has first set each variable: from there on a use is not the file's."""
    found: dict[str, int] = {}
    for match in _SET.finditer(text):
        found.setdefault(match[1] or match[2], match.end())
    return found
