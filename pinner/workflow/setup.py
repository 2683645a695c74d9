"""What a stage has told apt, sources, preferences and keys, by the time of a call: read instruction by instruction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pinner.apt.sources import Keys
from pinner.apt.sources_list import Entry
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.repositories import ANYTHING
from pinner.errors import InputError
from pinner.recipe import keys, sourcefiles
from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.recipe.environment import Environment
from pinner.recipe.repositories import Addition, adds_components
from pinner.regex import later
from pinner.workflow.images import Named
from pinner.workflow.repositories import UnreadRepository, follow
from pinner.workflow.stages import Doubt, Options, chain

if TYPE_CHECKING:
    from pinner.recipe.installs import Install

# In a text that is not followed: what moves no version is believed.
_RECOMMENDS = later(r"\bAPT::Install-Recommends\b[\s\\\"'=]*(\w+)", re.IGNORECASE)
UNREAD = "which pinner does not read and which may serve another version"


class State(NamedTuple):
    """`where` apt looks, the origins of the keys that the stage `held` by then, and a clause about a change that is not
    read, behind which nothing is known; `doubts` are about repositories that are not read."""

    where: Named
    held: keys.Held
    problem: str = ""
    doubts: tuple[Doubt, ...] = ()


class Setup:
    """A file's changes of what apt reads. Every instruction is read once for each stage that stands on it.

    `added` are their traces, `foreign` the architectures that dpkg is told to add.
    """

    def __init__(
        self,
        path: str,
        dockerfile: Dockerfile,
        added: Sequence[Addition],
        foreign: Sequence[str],
        options: Options,
    ) -> None:
        self._path = path
        self._file = dockerfile
        self._added = added
        self._foreign = foreign
        self._options = options
        self._environment = Environment(dockerfile, {})
        self._states: dict[int, list[State]] = {}

    def before(self, install: Install, where: Named, platforms: Sequence[str]) -> State:
        """What holds for a call in a stage that begins with `where`."""
        archs = [*(PLATFORMS[platform] for platform in platforms), *self._foreign]
        at = install.span.start
        stages = reversed(chain(self._file, self._file.stages[install.stage]))
        steps = [
            (stage.index, instruction)
            for stage in stages
            for instruction in stage.instructions
            if stage.index != install.stage or instruction.span.start < at
        ]
        states = self._states.setdefault(install.stage, [State(where, {})])
        whole = sum(stage != install.stage or instruction.span.end <= at for stage, instruction in steps)
        while len(states) <= whole:
            stage, instruction = steps[len(states) - 1]
            states.append(self._after(states[-1], stage, instruction, len(self._file.text), archs))
        state = states[whole]
        for stage, instruction in steps[whole:]:
            state = self._after(state, stage, instruction, at, archs)
        if not state.problem and state.where.listed == ():
            return state._replace(problem="no source is left to apt here")
        return state

    def _after(
        self, state: State, stage: int, instruction: Instruction, until: int, archs: Sequence[str]
    ) -> State:
        """The state after an instruction, as far as it stands before `until`."""
        if state.problem:
            return state
        where, held = state.where, state.held
        asked = sourcefiles.Asked(
            _release(where),
            partial(self._options.context, self._path),
            partial(self._environment.lookup, stage),
        )
        text = instruction.span.of(self._file.text)
        if keys.mentions(text):
            held = keys.follow(held, self._file, instruction, asked, until)
        own = [
            each
            for each in self._added
            if instruction.span.start <= each.span.start < min(instruction.span.end, until)
        ]
        if not own and not adds_components(text):
            return state._replace(held=held)
        changes = sourcefiles.changes(self._file, instruction, asked, until)
        if changes is None and own and all(each.serves != ANYTHING for each in own):
            doubts = tuple(Doubt(unread(each), each.serves) for each in own)
            return state._replace(held=held, doubts=(*state.doubts, *doubts))
        if changes is None and own and all(each.mild for each in own):
            said = _RECOMMENDS.findall(text)
            configured = tuple(("", f'APT::Install-Recommends "{each}";') for each in said)
            where = where._replace(configuration=where.configuration + configured)
            return state._replace(where=where, held=held)
        if changes is None:
            return state._replace(held=held, problem=unread(own[-1]) if own else "")

        def vouch(entry: Entry) -> Keys | str:
            return self._options.vouch(self._path, entry, keys.signers(held, entry.signed_by))

        doubts = state.doubts
        try:
            for change in changes:
                try:
                    where = follow(where, change, self._options.known, archs, vouch, self._options.mirrors)
                except UnreadRepository as error:
                    if not own or error.serves == ANYTHING:
                        raise
                    doubts = (*doubts, Doubt(f"{own[-1].what}: {error.message}, {UNREAD}", error.serves))
        except InputError as error:
            hint = f" ({error.hint})" if error.hint else ""
            problem = f"{own[-1].what}: {error.message}, {UNREAD}{hint}" if own else ""
            return state._replace(held=held, problem=problem)
        return State(where, held, doubts=doubts)


def unread(change: Addition) -> str:
    """A clause about a change that is not read."""
    return f"{change.what} ({change.by}), {UNREAD}"


def _release(where: Named) -> Mapping[str, str]:
    """The variables of os-release(5) in an image of the suite, as far as they are certain."""
    name, suite = where.distribution.name, where.suite
    found = {"ID": name}
    if suite.version:
        found |= {"VERSION_CODENAME": suite.codename, "VERSION_ID": suite.version}
        if name == "ubuntu":
            found["UBUNTU_CODENAME"] = suite.codename
    return found
