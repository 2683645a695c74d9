"""A Dockerfile, instruction by instruction: what each install command sees of apt's files.

ARG, ENV, COPY, ADD, WORKDIR, SHELL and RUN change the state of their stage (Dockerfile reference); a stage that is
built on another begins with what that one ends with.

What is not known is a mark in a text, or a file without one: it refuses the words that it may decide, and only these.
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from posixpath import basename, join

from pinner.edit.span import Joined
from pinner.recipe import blocks, texts
from pinner.recipe.builds import VARIABLE
from pinner.recipe.dockerfile import Dockerfile, Instruction, Stage, of_platform, settings
from pinner.regex import later
from pinner.shell import expand, fields, nested
from pinner.shell.content import UNKNOWN, BuildContext, Content, ContextTree, FileTree, PartlyKnown, Value
from pinner.shell.evaluate import Shell
from pinner.shell.expand import Piece
from pinner.shell.fields import Meaning
from pinner.shell.nested import POSIX_SHELLS
from pinner.shell.outcomes import AptCommand, SeenInstall, Walk
from pinner.shell.process import PATH
from pinner.shell.state import Overlay, State
from pinner.shell.trace import Trace

_URL = later(r"https?://")

#: The files of a stage's base image that matter.
BaseFiles = Callable[[Stage], Mapping[str, Content]]


class Walked:
    """The stages of a file on one platform, each walked when it is first asked for.

    `asked` tells whether the platform mattered so far.
    """

    def __init__(
        self,
        dockerfile: Dockerfile,
        platform: str,
        arch: str,
        base: BaseFiles,
        context: BuildContext | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._file = dockerfile
        self._platform = platform
        self._base = base
        self._tree = ContextTree(context) if context is not None else None
        self.walk = Walk(arch, context, trace)
        self._states: dict[int, State] = {}
        self._begun: dict[int, int] = {}
        self._given: dict[int, set[str]] = {}
        self._shells: dict[int, str] = {}
        self.seen: dict[int, list[SeenInstall]] = {}
        self.commands: dict[int, list[AptCommand]] = {}
        self.places: dict[int, dict[tuple[str, int, int], list[SeenInstall]]] = {}
        self._own_places: dict[int, list[tuple[int, int]]] = {}
        self._placed: dict[int, int] = {}
        self._own = [block.span for block in blocks.find(dockerfile)]
        self._arguments: dict[str, Value] = {}
        for name, value in of_platform(platform).items() if platform else ():
            self._arguments[name] = Value(value)
        for instruction in dockerfile.arguments:
            self._declare(instruction, self._arguments)

    @property
    def asked(self) -> bool:
        """Whether the platform mattered."""
        return self.walk.asked or self._file.varies

    def stage(self, index: int, until: int | None = None) -> State:
        """What holds at the end of a stage, or with `until` behind the instruction at that offset, if not further on:
        what is behind the last install command is rarely asked for."""
        todo = [index]
        while todo[-1] not in self._states and (below := self._file.stages[todo[-1]].parent) is not None:
            todo.append(below)
        for each in reversed(todo[1:]):
            self._go(each)
        return self._go(index, until)

    def _go(self, index: int, until: int | None = None) -> State:
        """The same, for a stage that is begun or whose parent is at its end."""
        stage = self._file.stages[index]
        if index not in self._states:
            if stage.parent is not None:
                self._states[index] = self._states[stage.parent].copy()
                self._shells[index] = self._shells[stage.parent]
            else:
                self._states[index] = State(self._base(stage))
                self._states[index].variables["PATH"] = Value(":".join(PATH))
                self._states[index].exported = frozenset({"PATH"})
                self._shells[index] = "sh"
            self.seen[index], self.commands[index], self._begun[index] = [], [], 0
            self.places[index], self._own_places[index], self._placed[index] = {}, [], 0
            self._given[index] = set()
            if stage.parent is not None:
                self._triggered(index, self._file.stages[stage.parent])
        state, given = self._states[index], self._given[index]
        before, at, self.walk.seen = self.walk.seen, self.walk.at, self.seen[index]
        commands, self.walk.commands = self.walk.commands, self.commands[index]
        while self._begun[index] < len(stage.instructions):
            instruction = stage.instructions[self._begun[index]]
            start = instruction.span.start
            if until is not None and start > until:
                break
            self._begun[index] += 1
            block = bisect_right(self._own, start, key=lambda span: span.start) - 1
            if (self.walk.trace or not instruction.onbuild) and not (
                block >= 0 and start < self._own[block].end
            ):
                self.walk.at = start
                self.walk.reach = instruction.span
                self._take(index, state, instruction, given)
            if self._begun[index] == len(stage.instructions):
                for name in given:
                    state.variables.pop(name, None)
        self.walk.seen, self.walk.at, self.walk.commands = before, at, commands
        for seen in self.seen[index][self._placed[index] :]:
            known = self.places[index].setdefault((seen.file, seen.start, seen.end), [])
            known.append(seen)
            if not seen.file and len(known) == 1:
                insort(self._own_places[index], (seen.start, -seen.end))
        self._placed[index] = len(self.seen[index])
        return state

    def around(self, index: int, at: int) -> SeenInstall | None:
        """What was met at an offset of the Dockerfile in a stage: a command, or else the instruction."""
        own = self._own_places[index]
        last = bisect_right(own, (at, 0)) - 1
        for number in range(last, -1, -1):  # they nest: the last one is the innermost
            start, end = own[number][0], -own[number][1]
            if at < end:
                return self.places[index]["", start, end][0]
        return None

    def _triggered(self, index: int, parent: Stage) -> None:
        """What those built on a stage run first (ONBUILD)."""
        before, self.walk.seen = self.walk.seen, []
        for instruction in parent.instructions:
            if instruction.onbuild:
                self.walk.at = instruction.span.start
                self._take(index, self._states[index], instruction, set())
        self.walk.seen = before

    def _take(self, index: int, state: State, instruction: Instruction, given: set[str]) -> None:
        keyword = instruction.keyword
        if keyword == "RUN":
            before = state.copy()
            self._run(index, state, instruction)
            span = instruction.span
            self.walk.seen.append(
                SeenInstall("", span.start, span.end, before, unclear=before.differs(state))
            )
        elif keyword in ("COPY", "ADD"):
            self._copy(state, instruction)
        elif keyword in ("ARG", "ENV", VARIABLE):
            self._set(state, instruction, given)
        elif keyword == "WORKDIR":
            state.cwd = state.path(self._word(state, instruction.text.text.strip()))
        elif keyword == "SHELL" and instruction.argv:
            names = [re.split(r"[/\\]", each)[-1].lower().removesuffix(".exe") for each in instruction.argv]
            self._shells[index] = next((name for name in names if name in POSIX_SHELLS), names[0])

    # --- variables ---------------------------------------------------------------------------------------------

    def _set(self, state: State, instruction: Instruction, given: set[str]) -> None:
        if instruction.keyword == VARIABLE:
            name, *why = instruction.argv
            state.variables[name] = Value(UNKNOWN if why else instruction.text.text)
            state.exported |= {name}
            return
        own: dict[str, Value] = {}
        self._declare(instruction, own, state.variables)
        named = re.findall(r"\$\{?(\w+)", instruction.text.text)
        if instruction.keyword == "ARG" or any(
            each not in state.variables or each in self.walk.doubtful for each in named
        ):  # another build may have another value
            self.walk.doubtful |= own.keys() - of_platform(self._platform).keys()
        for name, value in own.items():
            if instruction.keyword == "ENV":
                given.discard(name)
            elif name in state.variables and name not in given:
                continue  # ENV prevails
            else:
                given.add(name)
                if name in of_platform(self._platform):
                    self.walk.asked = True
            state.variables[name] = value
            state.exported |= {name}

    def _declare(
        self,
        instruction: Instruction,
        into: dict[str, Value],
        known: Mapping[str, Value | tuple[Value, ...]] | None = None,
    ) -> None:
        """Take note of what an ARG or ENV sets: in a stage by what was `known` before the whole instruction."""
        values = _Values({**(into if known is None else known)})
        for name, value in settings(instruction, self._file.escape):
            if value is None:
                if name in self._arguments:
                    into[name] = self._arguments[name]
                continue
            found = expand.substitute(value.text, values, self._file.escape)
            if not found and instruction.keyword == "ARG":
                found = None  # a build argument may fill it
            into[name] = Value(UNKNOWN if found is None else found)
            if known is None:
                values[name] = into[name]

    def _word(self, state: State, word: str) -> str:
        found = expand.substitute(word, _Values(state.variables), self._file.escape)
        return UNKNOWN if found is None else found

    # --- COPY, ADD ---------------------------------------------------------------------------------------------

    def _copy(self, state: State, instruction: Instruction) -> None:
        from pinner.shell.programs import archives, fetching

        words = list(instruction.argv) or [
            self._word(state, each) for each in expand.words(instruction.text.text, self._file.escape)
        ]
        if len(words) < 2:
            return
        *sources, target = words
        into = target.endswith(("/", "/.")) or target in (".", "..")
        place = state.path(target)
        heredocs = {each.name: each for each in instruction.heredocs}
        origin = next((flag[7:] for flag in instruction.flags if flag.startswith("--from=")), "")
        tree = self._from(self._word(state, origin)) if origin else self._tree
        excluded = [flag[10:] for flag in instruction.flags if flag.startswith("--exclude=")]
        if tree is not None and excluded:
            tree = PartlyKnown(tree, excluded)
        for source in sources:
            name = re.sub(r"^<<-?[\"']?([^\"']*)[\"']?$", r"\1", source)
            if source.startswith("<<") and name in heredocs:
                text = heredocs[name].content.of(self._file.text)
                if not re.search(r"[\"']", heredocs[name].word.of(self._file.text)):
                    meaning = Meaning(
                        lambda name: state.variables.get(name), lambda start, end: Value(UNKNOWN)
                    )
                    text = fields.document(text, meaning)[0].text
                self._put(state, join(place, name) if into else place, Content(text))
            elif _URL.match(source):
                content = fetching.of(source)
                self._put(state, join(place, source.rpartition("/")[2]) if into else place, content)
            else:
                self._place(
                    state,
                    tree,
                    source,
                    place,
                    into=into or len(sources) > 1,
                    foreign=bool(origin),
                    parents=not {"--parents", "--parents=true"}.isdisjoint(instruction.flags),
                    unpacks=instruction.keyword == "ADD" and archives.reaches(place),
                )

    def _from(self, name: str) -> FileTree | None:
        """The files of another stage, None for those of an image."""
        for stage in self._file.stages:
            if name.lower() == stage.name or name == str(stage.index):
                return self.stage(stage.index)
        return None

    def _put(self, state: State, path: str, content: Content) -> None:
        Shell(self.walk, state).write(path, content)

    def _place(
        self,
        state: State,
        tree: FileTree | None,
        source: str,
        place: str,
        *,
        into: bool,
        foreign: bool,
        parents: bool,
        unpacks: bool,
    ) -> None:
        """Bring in a file or folder, or what a pattern matches; with `parents` to its own path, from `/./` on."""
        from pinner.shell.programs import archives

        clean = source.strip("/").removeprefix("./")
        before, _, kept = clean.rpartition("/./")
        clean, above = join(before, kept), before.count("/") + 1 if before else 0
        root = "/" if foreign else ""
        found = list(_matching(tree, "" if clean == "." else clean, root)) if tree is not None else []
        for path in found:
            assert tree is not None  # it has what was found
            own = join(place, *path.strip("/").split("/")[above:]) if parents else ""
            content = tree.read(path)
            if content is None:
                state.cover(Overlay(own or place, tree, path, self.walk.at))
            elif not unpacks or not archives.unpacked(Shell(self.walk, state), content, place):
                target = own or (join(place, basename(path)) if into or state.is_dir(place) else place)
                state.write(target, content._replace(at=self.walk.at, by=target))
                Shell(self.walk, state).changed(target)
        if any(layer.at == self.walk.at for layer in state.layers):
            self.walk.changes += (
                (self.walk.at, path)
                for path, content in state.sources().items()
                if content.at == self.walk.at
            )
        if not found:
            target = join(place, basename(clean)) if into and "." in basename(clean) else place
            target = join(place, kept) if parents else target
            if re.match(r"/etc/apt(?:$|/(?:sources\.list|preferences|apt\.conf))", target):
                if target.rpartition("/")[2] in ("apt", "sources.list.d", "preferences.d", "apt.conf.d"):
                    Shell(self.walk, state).unknown(target)
                else:
                    self._put(state, target, Content())

    # --- RUN ---------------------------------------------------------------------------------------------------

    def _run(self, index: int, state: State, instruction: Instruction) -> None:
        layers, variables, cwd = state.layers, state.variables, state.cwd
        exported = state.exported
        mounted = list(self._mounts(state, instruction))
        state.layers = (*layers, *mounted)
        state.variables = dict(variables)
        try:
            self._evaluate(index, state, instruction)
        finally:
            state.variables, state.cwd, state.exported = variables, cwd, exported
            state.layers = tuple(each for each in state.layers if each not in mounted)
            state.dead = False

    def _mounts(self, state: State, instruction: Instruction) -> Iterator[Overlay]:
        """The bind mounts of a RUN (`--mount`, whose default type is `bind`)."""
        for flag in instruction.flags:
            name, _, value = flag.partition("=")
            if name != "--mount":
                continue
            options = dict(each.partition("=")[::2] for each in value.split(","))
            target = options.get("target") or options.get("dst") or options.get("destination")
            if options.get("type", "bind") != "bind" or not target:
                continue
            tree = self._from(options["from"]) if "from" in options else self._tree
            source = self._word(state, options.get("source") or options.get("src") or ".")
            if tree is not None:
                source = source.strip("/").removeprefix("./")
                source = ("/" if "from" in options else "") + ("" if source == "." else source)
                yield Overlay(state.path(self._word(state, target)), tree, source, self.walk.at)

    def _evaluate(self, index: int, state: State, instruction: Instruction) -> None:
        source = self._file.text
        shell = Shell(self.walk, state, self._shells[index])
        if instruction.form == "exec":
            span = instruction.body
            shell.span, shell.fixed, shell.source = (span.start, span.end), False, source
            strings = texts.exec_form(source, instruction) if self.walk.trace is not None else ()
            words = [Value(text.text, (), ((Piece(text, ()),),)) for _, text in strings]
            shell.words(words or [Value(each) for each in instruction.argv])
            return
        if self._shells[index] not in POSIX_SHELLS:
            return
        heredocs = instruction.heredocs
        if any(not each.terminated for each in heredocs):
            return
        if len(heredocs) == 1 and heredocs[0].word == instruction.body:
            lines = Joined.without(source, heredocs[0].content, ())
            body = nested.heredoc(lines, expands=False, tabs="<<-" in instruction.text.text)
            program = nested.interpreter(body.text)
            if not program or program in POSIX_SHELLS:
                shell.run(source, nested.unfolded(body))
            else:
                shell.words([Value(program), Value("-c"), Value(body.text)])
            return
        shell.run(source, texts.with_heredocs(source, instruction))


class _Values(dict[str, str | None]):
    """Variables as texts; one that is not known has none."""

    def __init__(self, values: Mapping[str, Value | tuple[Value, ...]]) -> None:
        super().__init__()
        for name, value in values.items():
            self[name] = value

    def __setitem__(self, name: str, value: object) -> None:
        text = value.text if isinstance(value, Value) else UNKNOWN
        super().__setitem__(name, None if UNKNOWN in text else text)

    def get(self, name: str, default: object = None) -> str | None:
        """The value, None also for a name that nothing sets: the base image may."""
        return super().get(name)


def _matching(tree: FileTree, source: str, root: str) -> Iterator[str]:
    """The files and folders of a tree that a source of COPY names: a path or a pattern (Go's filepath.Match)."""
    from fnmatch import fnmatchcase

    if UNKNOWN in source:
        return
    if not any(char in source for char in "*?["):
        path = root + source
        if not source or tree.read(path) is not None or tree.is_dir(path):
            yield path
        return
    found = [root]
    for part in source.split("/"):
        found = [
            join(folder, name) for folder in found for name in tree.names(folder) if fnmatchcase(name, part)
        ]
    yield from found
