"""A walk through a file for the words of its commands: where each is written, on whatever platform and image.

A package that is named in a variable's value is edited there, at its own place in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pinner.edit.span import Joined
from pinner.recipe.builds import VARIABLE
from pinner.recipe.dockerfile import Dockerfile, Instruction, settings
from pinner.recipe.walk import Walked
from pinner.shell import expand
from pinner.shell.content import UNKNOWN, Value
from pinner.shell.expand import Piece, Unknown, Variable
from pinner.shell.state import State
from pinner.shell.trace import Trace, assigned, unset, value


class Traced(Walked):
    """A file of which all stages are walked."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.trace = Trace()
        self._reach = (0, len(dockerfile.text))
        super().__init__(dockerfile, "", UNKNOWN, lambda stage: {}, trace=self.trace)
        for stage in dockerfile.stages:
            self.stage(stage.index)

    def _set(self, state: State, instruction: Instruction, given: set[str]) -> None:
        if instruction.keyword != VARIABLE:
            super()._set(state, instruction, given)
            return
        name, *why = instruction.argv
        place = instruction.text.span(0, len(instruction.text.text))
        piece = Piece(Unknown("variable-unknown", why[0]), ()) if why else Piece(instruction.text, (place,))
        own = value(((piece,),))
        variable = Variable(name, instruction.text.origin(0), *self._reach)
        state.variables[name] = assigned(own, variable)
        state.exported |= {name}

    def _declare(
        self,
        instruction: Instruction,
        into: dict[str, Value],
        known: Mapping[str, Value | tuple[Value, ...]] | None = None,
    ) -> None:
        values = {**(into if known is None else known)}
        for name, text in settings(instruction, self._file.escape):
            if text is None:
                nothing = Unknown("variable-unknown", f"ARG {name} has no default", unset=True)
                into[name] = self._arguments.get(name) or value(((Piece(nothing, ()),),))
                continue
            variable = Variable(name, text.origin(0), *self._reach)
            found = expand.bounded(self._pieces(text, values, variable))
            into[name] = assigned(value((found,)), variable)
            if known is None:
                values[name] = into[name]
            if instruction.keyword == "ARG" and not into[name].text:
                self.trace.fillable.add(name)

    def _pieces(
        self, text: Joined, values: Mapping[str, Value | tuple[Value, ...]], into: Variable
    ) -> Sequence[Piece]:
        """The pieces of the value of an ARG or ENV."""

        def lookup(name: str, index: int) -> Sequence[Piece] | Unknown:
            own = expand.parameter(text.text, index)
            around = (text.text[index - 1 : index], text.text[own.end : own.end + 1] if own else "")
            if own and own.operator[-1:] in "-?" and not any(each.strip(" \t\"'") for each in around):
                self.trace.flows.setdefault(text.origin(index), set()).add(into)
            found = values.get(name)
            if not isinstance(found, Value) or len(found.ways) != 1:
                return Unknown("variable-unknown", expand.not_known(name), unset=found is None)
            self.trace.note(text.origin(index), found.ways)
            return unset(found) or [each for each in found.ways[0] if each]

        return list(expand.pieces(text, lookup, self._file.escape))
