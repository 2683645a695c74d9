"""ARG and ENV of a Dockerfile: what a variable means to an instruction (Dockerfile reference, "ARG", "ENV").

An ARG before the first FROM is seen by FROMs, and by a stage only where that declares it again. ENV passes on to the
stages built on it, ARG does not; ENV prevails over an ARG of its name. An ARG without default comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinner.edit.span import Joined
from pinner.recipe.builds import VARIABLE
from pinner.recipe.dockerfile import Dockerfile, Instruction, settings
from pinner.shell import expand
from pinner.shell.expand import Binding, Element, Piece, Unknown, Variable, bounded
from pinner.values import NamedTuple


class _Set(NamedTuple):
    """From offset `at` on the variable is set."""

    at: int
    persists: bool
    meaning: Binding | Unknown


class Environment:
    """The variables that a Dockerfile sets."""

    def __init__(self, dockerfile: Dockerfile, flows: dict[int, Variable]) -> None:
        """`flows` takes note of where a variable's value goes into another variable."""
        self._file = dockerfile
        self._flows = flows
        self._global: dict[str, list[_Set]] = {}
        self._stages: list[dict[str, list[_Set]]] = [{} for _ in dockerfile.stages]
        for instruction in dockerfile.arguments:
            self._read(None, instruction)
        for stage in dockerfile.stages:
            for instruction in stage.instructions:
                if instruction.keyword in ("ARG", "ENV", VARIABLE):
                    self._read(stage.index, instruction)

    def lookup(self, stage: int | None, name: str, at: int) -> Binding | Unknown:
        """What `name` means at offset `at` of a stage; without one, to a FROM."""
        found = self._sets(stage, name, at)
        if found is None:
            return Unknown("variable-unknown", expand.not_known(name), unset=True)
        return found.meaning

    def names(self) -> set[str]:
        """Every name that is set somewhere."""
        return set(self._global).union(*self._stages)

    def _sets(self, stage: int | None, name: str, at: int) -> _Set | None:
        argument: _Set | None = None
        own = self._global if stage is None else self._stages[stage]
        first = True
        while True:
            for each in reversed(own.get(name, ())):
                if each.at <= at or not first:
                    if each.persists:
                        return each
                    if first and argument is None:
                        argument = each
            stage = None if stage is None else self._file.stages[stage].parent
            if stage is None:
                return argument
            own, first = self._stages[stage], False

    def _read(self, stage: int | None, instruction: Instruction) -> None:
        own = self._global if stage is None else self._stages[stage]
        at = instruction.span.end
        if instruction.keyword == VARIABLE:
            name, *why = instruction.argv
            text = instruction.text
            variable = Variable(text.origin(0), name)
            whole = Piece(text, (text.span(0, len(text.text)),))
            told = Binding(variable, "text", (Element((whole,)),))
            own.setdefault(name, []).append(
                _Set(at, True, Unknown("variable-unknown", why[0]) if why else told)
            )
            return
        for name, value in settings(instruction, self._file.escape):
            meaning: Binding | Unknown
            if value is None:
                outer = self._global.get(name, ()) if stage is not None else ()
                meaning = (
                    outer[-1].meaning
                    if outer
                    else Unknown("variable-unknown", f"ARG {name} has no default", unset=True)
                )
            else:
                variable = Variable(value.origin(0), name)
                found = self._value(stage, value, variable, instruction.span.start)
                made = bounded(found, value.span(0, len(value.text)))
                empty = instruction.keyword == "ARG" and not value.text.strip("\"'")
                meaning = Binding(variable, "text", (Element(made),), fillable=empty)
            own.setdefault(name, []).append(_Set(at, instruction.keyword == "ENV", meaning))

    def _value(self, stage: int | None, text: Joined, into: Variable, at: int) -> Iterator[Piece]:
        """The pieces of a value after quote removal, its variables replaced."""

        def lookup(name: str, index: int) -> Binding | Unknown:
            own = expand.parameter(text.text, index)
            around = (text.text[index - 1 : index], text.text[own.end : own.end + 1] if own else "")
            if own and own.operator[-1:] in "-?" and not any(each.strip(" \t\"'") for each in around):
                self._flows[text.origin(index)] = into
            return self.lookup(stage, name, at)

        return expand.pieces(text, lookup, self._file.escape)
