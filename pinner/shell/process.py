"""A shell process on the state of a stage: its texts, its words, and the programs and scripts that it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pinner.apt.packages import PackageFile
from pinner.edit.span import Joined, Level
from pinner.regex import later
from pinner.shell import fields, nested, prefixes, syntax
from pinner.shell.content import UNKNOWN, Content, KeyOrigin, Value
from pinner.shell.expand import Piece, Unknown, Variable, Ways
from pinner.shell.expand import joined as joined_pieces
from pinner.shell.fields import Meaning
from pinner.shell.outcomes import (
    AptCommand,
    Invocation,
    Leave,
    ProgramStatus,
    SeenInstall,
    SourcedCall,
    Walk,
    joined,
    value_of,
)
from pinner.shell.state import UNDECIDED, State
from pinner.shell.syntax import Script, UnparsableError
from pinner.shell.trace import Trace, Tracer, assigned
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

    from pinner.shell.plain import AndList, Simple

DEEPEST = 8
ALARM = later(
    r"/etc/apt|apt-(?:add|key)|add-apt|sources\.list|\bdpkg\b|\.deb\b|\b(?:curl|wget)\s[^;&|\n]*://"
)
# What a program that is in no row may change, how an interpreter's script may put that together, and the programs that
# just look at it or leave its text as it is.
APT_FILES = later(r"/etc/apt(?:/?$|/(?:sources|preferences|apt\.conf))")
_APT_WORDS = later(
    r"etc\W{1,9}apt\b(?!\W{1,9}(?:keyrings|trusted|auth))|\bsources\.list|\bpreferences\.d\b|\bapt\.conf\b"
)
HARMLESS = later(
    "(?:ch(?:mod|own|grp)|setfacl|getfacl|ls|tree|stat|touch|mkdir|rmdir|wc|file|diff|cmp|(?:md5|sha\\d+|b2|ck)?sum|less"
    "|more|which|du|nl|od|xxd|hexdump|strings|test)$"
)
# What a function makes of what it is given, but for telling people.
_GIVEN = later(r"\$\{?(?:#(?=[1-9]))?[@*1-9]|\bshift\b")
_PASSED = later(r"""\bfor\s+(\w+)\s+in\s+"?\$\{?[@*]|\b(\w+)=\(?"?\$\{?[@*1-9]""")
_HANDS_ON = later(r'^[ \t]*([A-Za-z_]\w*)[ \t]+"\$@"[ \t]*$', re.MULTILINE)  # to a function of its own
_SAYS = later(r"(?<![(`])\b(?:echo|printf)\b[^;&|\n]*(?=[;&\n]|\Z|\|\|)")  # what no other program reads
_SIMPLE = later(r"[^\\'\"$`{<>]+")
_INTERPRETERS = later(r"(?:python|perl|ruby|node|nodejs|php|lua|pwsh|tclsh)[\d.]*$")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
#: Where programs are looked for, if nothing else is said.
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Function(NamedTuple):
    """A shell function: the `body` in its script, and the `file` and text that it stands in, as those of a process."""

    script: Script
    body: Node
    file: str
    source: str
    fixed: bool


class Process:
    """One shell process; how its statements follow one another, `evaluate.Shell` decides."""

    def __init__(
        self,
        walk: Walk,
        state: State,
        name: str = "sh",
        file: str = "",
        args: Sequence[Value] = (),
        depth: int = 0,
    ) -> None:
        """`name` is the kind of shell, `file` the file of the build context that is read ("": the Dockerfile)."""
        self.walk = walk
        self.state = state
        self.name = name
        self.file = file
        self.args = tuple(args)
        self.depth = depth
        self.stdin: Content | None = None
        self.functions: dict[str, Function] = {}
        self.errexit = False
        #: What `trap` has it do at its end, and where that stands; the folders that `pushd` has left.
        self.trap: tuple[Value, tuple[int, int]] | None = None
        self.folders: list[str] = []
        self.span = (0, 0)
        self.fixed = False
        self.source = ""
        self.wrapper = ""
        self.called_from: SourcedCall | None = None
        self.zero = UNKNOWN
        #: Whether `exec` has just moved what this shell prints or reads.
        self.moved = False
        self.sourced_from = ""
        self._sink: list[Content] | None = None
        self._script: Script = None  # type: ignore[assignment]
        self._text = ""
        self._shell: Joined | None = None
        self._into: Variable | None = None
        #: What the variables that a function has made its own held before.
        self.locals: dict[str, Value | tuple[Value, ...] | None] = {}
        #: Whether it is not known with which arguments this is called.
        self.uncalled = walk.trace is not None and not depth
        self._ended: list[State] = []
        self._nested = 0
        self._hung: dict[tuple[int, int, str], Sequence[Node]] = {}

    def run(self, source: str, text: Joined, *, must: bool = True) -> ProgramStatus:
        """Evaluate a text that stands in `source`. With `must` its failure ends the build."""
        status: ProgramStatus = "done"
        self.source = source
        try:
            status = self._run(source, text, must=must)
        except Leave as leave:
            status = leave.status
            self.state.dead = status == "no" or self.state.dead
        self._finish()
        return status

    def _finish(self) -> None:
        """Come to the end of this process: `trap` may have it do something there."""
        self._end()
        if self.trap and not self.state.dead:
            (end, self.span), self.trap = self.trap, None
            with suppress(Leave):
                self.string(end)
            self._end()

    def _end(self) -> None:
        if self._ended:
            self.state.merge(self._ended)
            self._ended = []

    def _run(self, source: str, text: Joined, *, must: bool) -> ProgramStatus:
        key = (self.file, text.origin(0), text.text)
        if key not in self.walk.known:
            try:
                self.walk.known[key] = syntax.read(source, text)
            except UnparsableError:
                self.walk.known[key] = None
        script = self.walk.known[key]
        if script is None:
            if ALARM.search(text.text):
                self.unknown("a text that is not understood")
            return "done"
        if script.unread and ALARM.search(text.text, *script.unread):
            self.unknown("a text that is not understood")
        before = self._script, self._text, self._shell
        self._script, self._text, self._shell = script, script.shell.text, script.shell
        try:
            if self.walk.trace is not None and script.unread:
                self.walk.trace.unread.update(re.findall(r"\w+", self._text[slice(*script.unread)]))
            whole = script.plain if script.plain is not None and self.walk.trace is None else None
            status = self._statements(script.root.named_children if whole is None else whole, must=must)
            if self.walk.trace is not None:
                self._call_all(self.walk.trace)
            return status
        finally:
            self._script, self._text, self._shell = before

    def _call_all(self, trace: Trace) -> None:
        """Follow the functions that nothing has called so far: another file may."""
        for name, own in list(self.functions.items()):
            if (own.body.start_byte, own.script.shell.text) not in trace.called and not self.state.dead:
                with suppress(Leave):
                    self._function(name, (), uncalled=True)

    def words(self, args: Sequence[Value]) -> None:
        """Run a command that stands alone, without a shell."""
        with suppress(Leave):
            self.execute(args)
        self._end()

    def string(self, value: Value) -> ProgramStatus:
        """Evaluate a text that a command is given, in this shell."""
        if self.depth >= DEEPEST:
            if ALARM.search(value.text):
                self.unknown("a text within too many others")
            return "done"
        self.depth += 1
        try:
            return self._string(value)
        finally:
            self.depth -= 1

    def _string(self, value: Value) -> ProgramStatus:
        before, at, text = self.fixed, -1, value.text
        if (
            len(value.ways) == 1
            and (own := joined_pieces(each for each in value.ways[0] if each))
            and own.text
        ):
            return self._run(self.source, nested.unfolded(self._quoted(own, value.ways[0][0])), must=False)
        start, end = self.span
        if not self.fixed and text:
            at = self.source.find(text, start, end)
            at = -1 if self.source.find(text, at + 1, end) >= 0 else at
        self.fixed = at < 0
        whole = Joined(text, (0,), (max(at, 0),), (max(at, 0) + len(text),))
        try:
            return self._run(self.source, nested.unfolded(whole), must=False)
        finally:
            self.fixed = before

    def _quoted(self, text: Joined, first: Piece | None) -> Joined:
        """A text in quotes; one that stands at no place of its own is in none."""
        quote = self.source[text.origin(0) - 1 : text.origin(0)]
        level: Level | None = "double" if quote == '"' else "single" if quote == "'" else None
        outer = self._shell.levels if self._shell is not None else ()
        if first is not None and first.places and level:
            text.levels = (level, *outer)
        return text

    def sourced(self, path: str, content: Content, args: Sequence[Value]) -> ProgramStatus:
        """Evaluate the file at a path in this shell, as `.` does."""
        if self.depth >= DEEPEST:
            return "done"
        before = self.file, self.source, self.fixed, self.args, self.sourced_from
        text = content.text or ""
        self.sourced_from = path
        self.file, self.source, self.fixed = content.file or self.file, text, not content.file
        self.args = tuple(args) or self.args
        self.depth += 1
        try:
            whole = Joined(text, (0,), (0,), (len(text),))
            return self._run(text, nested.unfolded(whole), must=False)
        except Leave as leave:
            if leave.what != "return":
                raise
            return leave.status
        finally:
            self.file, self.source, self.fixed, self.args, self.sourced_from = before
            self.depth -= 1

    def child(self, name: str = "sh", args: Sequence[Value] = (), file: str | None = None) -> Process:
        """Another shell process on the same files, with the variables that are exported."""
        state = self.state
        shell = type(self)(self.walk, state, name, self.file if file is None else file, args, self.depth + 1)
        shell.span, shell.fixed, shell.source = self.span, self.fixed, self.source
        shell.called_from = self.called_from
        shell.wrapper, shell.zero, shell.sourced_from = self.wrapper, self.zero, self.sourced_from
        shell._nested = self._nested
        shell.stdin = self.stdin
        return shell

    def process(
        self, run: Callable[[Process], ProgramStatus], shell: Process, *, inherits: bool = False
    ) -> ProgramStatus:
        """Let another shell process run; its variables and folder end with it."""
        state = self.state
        variables, exported, cwd = state.variables, state.exported, state.cwd
        kept = variables if inherits else {name: variables[name] for name in exported if name in variables}
        state.variables = dict(kept)
        shell._sink = self._sink
        try:
            status = run(shell)
        except Leave as leave:  # that process ends, this one goes on
            status = leave.status
        shell._finish()
        state.variables, state.exported, state.cwd = variables, exported, cwd
        return status

    def _of(self, node: Node | Simple | AndList) -> str:
        return self._text[node.start_byte : node.end_byte]

    def captured(self, run: Callable[[], ProgramStatus]) -> tuple[ProgramStatus, Content]:
        """What a statement prints."""
        before, self._sink = self._sink, []
        try:
            status = run()
        finally:
            parts, self._sink = self._sink, before
        return status, joined(parts)

    def write(self, name: str, content: Content, *, append: bool = False) -> None:
        """Put what is known of an output into a file."""
        if name == UNKNOWN:
            if content.text and re.search(r"(?m)^(?:deb\s|Types:)", content.text):
                self.unknown("a file whose name is not known")
            return
        path = self.state.real(self.state.path(name))
        if path.startswith(UNDECIDED):
            self.unknown(name, live=False)
            return
        made = content._replace(
            at=self.walk.at,
            by=content.by or path,
            gone=False,
            file="" if append else content.file,
            place=None,
            ways=(),
        )
        if append:
            self.state.append(path, made)
        else:
            self.state.write(path, made)
        self.changed(path)

    def changed(self, path: str) -> None:
        """Take note of a change of what apt reads."""
        path = self.state.real(path)
        if path.startswith(("/etc/apt/sources.list", "/etc/apt/preferences", "?")):
            self.walk.changes.append((self.walk.at, path))

    def command(self, program: str, words: Sequence[str]) -> int:
        """Take note of a command that may change what is installed; its number."""
        start, end = self.span
        seen, walk = SeenInstall(self.file, start, end, self.state.copy()), self.walk
        number = walk.counted
        walk.counted += 1
        files = tuple(
            (word, self.deb(path))
            for word in words
            if word.endswith(".deb")
            for path in self.state.glob(self.state.path(word))
        )
        walk.commands.append(
            AptCommand(program, tuple(words), seen, walk.undecided > 0, number, walk.at, files)
        )
        return number

    def deb(self, path: str) -> PackageFile | None:
        """What a .deb of the build context says of its package; None if it is not seen, or of another architecture."""
        content = self.state.read(path) if self.walk.context is not None else None
        if content is None or not content.file or content.others or self.walk.context is None:
            return None
        found = self.walk.context.deb(content.file)
        if found is not None and found.package.architecture != "all":
            self.walk.asked = True  # dpkg installs those of its own architecture alone
        return found if found and found.package.architecture in ("all", self.walk.arch) else None

    def unknown(self, by: str, serves: tuple[str, ...] = (), *, live: bool = True) -> None:
        """From here on, or from the next update on, apt may read what is not known, because of this."""
        content = Content(at=self.walk.at, by=by, live=live, serves=serves)
        self.state.write(f"?{len(self.state.files)}{by}", content)
        self.changed("?")

    def _braced(self, start: int, end: int) -> list[Value]:
        raw = self._text[start:end]
        if self.walk.trace is None and _SIMPLE.fullmatch(raw):
            return [Value(raw)]
        if raw.startswith("<(") and raw.endswith(")"):
            path = f"/dev/fd/{len(self.state.files)}"
            self.state.write(path, self._content(start + 2, end - 1) or Content())
            return [Value(path)]
        if raw.startswith(">(") and raw.endswith(")"):  # what it will read is not known
            before, self.stdin = self.stdin, Content()
            self._content(start + 2, end - 1)
            self.stdin = before
            return [Value("/dev/null")]
        if self.walk.trace is None and "{" in raw and "$" not in raw and self.name != "sh" and "'" not in raw:
            from pinner.shell import braces

            words = braces.expanded(raw)
            if words and words != (raw,):
                return [each for one in words for each in fields.fields(one, 0, len(one), self._meaning)]
        return fields.fields(self._text, start, end, self._meaning)

    def execute(
        self, args: Sequence[Value], variables: Mapping[str, Value | tuple[Value, ...]] | None = None
    ) -> ProgramStatus:
        """Run a command: a function, a program of the table, or a script that is seen."""
        from pinner.shell import programs

        texts = [each.text for each in args]
        at = prefixes.begin(texts, UNKNOWN)
        own = dict(variables or {})
        for word in texts[:at]:
            name, equals, value = word.partition("=")
            if equals and name.isidentifier():
                own[name] = Value(value)
        if at >= len(texts):
            self.moved = "exec" in texts
            return "done"
        name, rest = texts[at].rpartition("/")[2], tuple(args[at + 1 :])
        if texts[at] in self.functions and all("=" in word for word in texts[:at]):
            return self._function(texts[at], rest)
        kept = self.state.variables, self.state.exported
        if own:
            self.state.variables = {**self.state.variables, **own}
            self.state.exported |= own.keys()
        try:
            program = programs.row_of(name)
            if program is None or "/" in texts[at]:
                status = self._file(texts[at], rest)
                if status is not None:
                    return status
            if program is None:
                self._foreign(name, rest)
                self._print(None)
                return "done"
            result = program(Invocation(self, name, rest, self.stdin))
            self._print(result.output)
            return result.status
        finally:
            if own and name not in (":", "export", "eval"):
                self.state.exported = kept[1]
                for each in own:
                    self.state.variables.pop(each, None)
                    if each in kept[0]:
                        self.state.variables[each] = kept[0][each]

    def _foreign(self, name: str, args: Sequence[Value]) -> None:
        """A program that is in no row: it may change the files of apt's that it is given, or that its script names."""
        if HARMLESS.match(name):
            return
        interprets = _INTERPRETERS.match(name) is not None
        texts = [each.text for each in args]
        operands = [each for each in texts if not each.startswith("-")]
        read = [self.state.read(self.state.path(each)) for each in operands if interprets or "." in each]
        if interprets and (not operands or "-" in texts):
            read.append(self.stdin)
        texts += (each.text for each in read if each is not None and each.text is not None)
        named = (*texts, self.state.cwd, *(self.state.path(each) for each in operands))
        if any(APT_FILES.search(each) for each in named) or (
            interprets and any(_APT_WORDS.search(each) for each in texts)
        ):
            self.unknown(name)
            return
        if interprets:  # a script that was fetched, from a file, its input, or in its arguments
            urls = [each.url for content in read[:1] if content is not None for each in content.origins]
            for url in (*urls, *(each for value in args for each in value.lists)):
                if "://" in url:
                    self.fetched(url)

    def _print(self, output: Content | None) -> None:
        if self._sink is not None:
            self._sink.append(Content(UNKNOWN) if output is None else output)

    def _file(self, name: str, args: Sequence[Value]) -> ProgramStatus | None:
        """Run a file that is seen; None if there is none."""
        if "/" in name:
            paths: Iterable[str] = (self.state.path(name),)
        else:
            told = self.state.variables.get("PATH")
            own = told.text.split(":") if isinstance(told, Value) else []
            folders = (each for each in own if each.startswith("/") and UNKNOWN not in each)
            paths = self.state.seen_in(tuple(dict.fromkeys((*folders, *PATH))), name)
        for path in paths:
            content = self.state.read(path)
            if content is not None:
                return self.script(content, args, wrapper=path)
        self.walk.others.add(name.rpartition("/")[2])
        if "/" in name and name.endswith((".sh", ".bash")):
            self.unseen(name)
        return None

    def blind(self, text: str | None, by: str) -> None:
        """Take note of a text that is run: if nothing is known of it, it may do anything."""
        if self.walk.trace is None and (
            text is None or (UNKNOWN in text and not text.strip(f"{UNKNOWN} \n"))
        ):
            self.unknown(by)

    def unseen(self, name: str) -> None:
        """A script that is not seen: it is not likely to add a repository, but nothing is certain behind it."""
        if not any(content.by == name for path, content in self.state.files.items() if path[0] == "?"):
            self.unknown(name, ("",))

    def script(
        self, content: Content, args: Sequence[Value], shell: str = "", wrapper: str = "", path: str = ""
    ) -> ProgramStatus:
        """Run what a file holds as a program."""
        if self.depth >= DEEPEST:
            return "done"
        name = shell or nested.shell_of(content.text or "")
        if content.text is None or name.rpartition("/")[2] not in _SHELLS:
            for origin in content.origins if content.text is None else ():
                if origin.url:
                    self.fetched(origin.url)
            if content.text is not None and (
                APT_FILES.search(content.text)
                or (_INTERPRETERS.match(name) and _APT_WORDS.search(content.text))
            ):
                self.unknown(name)
            self._print(None)
            return "done"
        file = content.file
        text = content.text
        own = self.child(name, args, file=file or self.file)
        own.zero = path or wrapper or UNKNOWN
        own.wrapper = (path or wrapper or own.wrapper).rpartition("/")[2]
        if path or wrapper:
            own.called_from = self._called(own.wrapper, args, text)
        own.fixed = not file and content.place is None
        whole = content.place or Joined(text, (0,), (0,), (len(text),))

        def run(shell: Process) -> ProgramStatus:
            before = shell.state.copy()
            status = shell.run(self.source if content.place else text, nested.unfolded(whole), must=False)
            if status == "no":
                self.state.dead = False
            if file:
                changed = before.differs(shell.state)
                self.walk.seen.append(SeenInstall(file, 0, len(text), before, unclear=changed))
            self._returned(own.called_from)
            return status

        return self.process(run, own)

    def fetched(self, url: str, *, live: bool = True) -> None:
        """What the program or package at an address does when it is run or installed."""
        from pinner.distributions import programs

        if self.walk.trace is not None:
            return
        effect = programs.effect(url)
        if effect.kind == "none":
            return
        found = self.state.read("/etc/os-release")
        release = dict(
            line.partition("=")[::2] for line in ((found.text if found else "") or "").splitlines()
        )
        names = {"codename": "VERSION_CODENAME", "id": "ID", "version": "VERSION_ID"}
        system = {key: release[name].strip('"') for key, name in names.items() if name in release}
        written = effect.written({**system, "arch": self.walk.arch}) if effect.kind == "adds" else None
        if written is None:
            self.unknown(url, effect.serves, live=live)
            return
        self.walk.asked = True
        files, keys = written
        for path, text in files.items():
            self.write(path, Content(text))
        for path, key in keys.items():
            self.write(path, Content(origins=(KeyOrigin(key),)))
        if effect.updates:
            self.state.update()

    def _called(self, name: str, args: Sequence[Value], text: str) -> SourcedCall:
        """A call of what another file holds."""
        text = _SAYS.sub("", text)
        if (own := _HANDS_ON.search(text)) and re.search(rf"\b{own[1]}[ \t]*\(\)", text):
            text = text[: own.start()] + text[own.end() :]
        once = len(_GIVEN.findall(text)) == 1 and not self.fixed
        if once and (passed := _PASSED.search(text)):
            once = len(re.findall(rf"\$\{{?{passed[1] or passed[2]}\b", text)) == 1
        return SourcedCall((self.file, *self.span), name, tuple(args), once, self.called_from)

    def _returned(self, call: SourcedCall | None) -> None:
        """Take note of a call that did not add what it is given to a command of apt's."""
        if call and call.given and call.place not in self.walk.adding:
            self.walk.others.add(call.name)

    def _function(self, name: str, args: Sequence[Value], *, uncalled: bool = False) -> ProgramStatus:
        own = self.functions[name]
        if self.depth >= DEEPEST:
            return "done"
        called_from = self.called_from
        if own.file != self.file:
            body = own.script.shell.text[own.body.start_byte : own.body.end_byte]
            self.called_from = self._called(name, args, body)
        if self.walk.trace is not None:
            self.walk.trace.called.add((own.body.start_byte, own.script.shell.text))
        before = self._script, self._text, self._shell, self.args, self.file, self.source, self.fixed
        trace = self.walk.trace
        given, self.uncalled = self.uncalled, uncalled or (trace is not None and name in trace.unread)
        outer, self.locals = self.locals, {}
        self._script, self._text, self.args = own.script, own.script.shell.text, tuple(args)
        self._shell = own.script.shell
        self.file, self.source, self.fixed = own.file, own.source, own.fixed
        self.depth += 1
        try:
            return self._statement(own.body, must=False)
        except Leave as leave:
            if leave.what != "return":
                raise
            return leave.status
        finally:
            self._script, self._text, self._shell, self.args, self.file, self.source, self.fixed = before
            self._returned(self.called_from if own.file != self.file else None)
            self.uncalled, self.called_from = given, called_from
            for variable, value in self.locals.items():
                self.state.variables.pop(variable, None)
                if value is not None:
                    self.state.variables[variable] = value
            self.locals = outer
            self.depth -= 1

    def leave(self, what: str, status: ProgramStatus = "done") -> None:
        """Do nothing that stands behind: `exit`, `return`, `break` or `continue`."""
        if what == "exit" and status != "no":
            self._ended.append(self.state.copy())
            self.state.dead = True
        raise Leave(what, status)

    @property
    def _meaning(self) -> Meaning:
        return Meaning(self.variable, self._output, self.tracer(), self._assign_default)

    def _assign_default(self, name: str, at: int, value: Value) -> None:
        """Set a variable by an expansion at an index of the present text (`${X:=…}`)."""
        if (tracer := self.tracer()) is not None:
            value = assigned(value, Variable(name, tracer.shell.origin(at), *self.walk.reach))
        self.state.variables[name] = value

    def tracer(self) -> Tracer | None:
        """What takes note of where the words of the present text come from."""
        trace = self.walk.trace
        if trace is None or self.file or self.fixed or self._shell is None:
            return None
        return Tracer(trace, self._shell, self._into)

    def _fields(self, node: Node) -> list[Value]:
        return self._braced(node.start_byte, node.end_byte)

    def _word(self, node: Node) -> Value:
        raw = self._text[node.start_byte : node.end_byte]
        if self.walk.trace is None and _SIMPLE.fullmatch(raw):
            return Value(raw)
        return fields.word(self._text, node.start_byte, node.end_byte, self._meaning)

    def word(self, text: str) -> Value:
        """A word of another text, as this shell reads it."""
        before, self._text = self._text, text
        try:
            return fields.word(text, 0, len(text), Meaning(self.variable, self._output))
        finally:
            self._text = before

    def _globbed(self, text: str) -> list[str]:
        if not any(char in text for char in "*?["):
            return [text]
        return self.state.glob(self.state.path(text)) if text.startswith(("/", ".", "*")) else [text]

    def variable(self, name: str) -> Value | tuple[Value, ...] | None:
        """What a name means here; None if nothing sets it."""
        if name not in self.state.variables or name in self.walk.doubtful:
            self.walk.doubts += 1
        if self.uncalled and (name in "@*" or name.isdecimal()):
            return None
        if self.walk.trace is not None and name in self.walk.trace.unread:
            why = Unknown("variable-unknown", f"{name} is mentioned where the script is not understood")
            return Value(UNKNOWN, ways=((Piece(why, ()),),))
        if name in "@*":
            return self.args
        if name.isdecimal():
            number = int(name)
            if number == 0:
                return Value(self.zero)
            return self.args[number - 1] if number <= len(self.args) else Value("")
        found = self.state.variables.get(name)
        if found is None and name == "BASH_SOURCE":
            return Value(self.sourced_from or self.zero)
        if found is None and name in ("HOME", "PWD", "USER"):
            return Value({"HOME": "/root", "PWD": self.state.cwd, "USER": "root"}[name])
        return found

    def _output(self, start: int, stop: int) -> Value:
        """What the command between two indices of the present text prints, as a text."""
        return value_of(self._content(start, stop))

    def _content(self, start: int, stop: int) -> Content | None:
        """What the command between two indices of the present text prints."""
        text = self._text[start:stop].strip()
        if text.startswith("<") and not text.startswith("<<"):
            return self.state.read(self.state.path(self.word(text[1:].strip()).text))
        if self.depth >= DEEPEST:
            return None
        shell = self.child(self.name, self.args)
        shell.functions, shell.uncalled = dict(self.functions), self.uncalled

        def run(own: Process) -> ProgramStatus:
            with suppress(Leave):
                own.string(self._piece(start, stop))
            return "done"

        kept = self.walk.seen, self.state.dead
        self.walk.seen = []  # a call in a command substitution is none that is pinned
        _, output = shell.captured(lambda: self._quietly(run, shell))
        self.walk.seen, self.state.dead = kept
        return output

    def _piece(self, start: int, stop: int) -> Value:
        """What stands between two indices of the present text."""
        tracer = self.tracer()
        ways: Ways = ((Piece(tracer.shell.part(start, stop), ()),),) if tracer is not None else ()
        return Value(self._text[start:stop], (), ways)

    def _quietly(self, run: Callable[[Process], ProgramStatus], shell: Process) -> ProgramStatus:
        state = self.state
        variables, exported, cwd = state.variables, state.exported, state.cwd
        state.variables = dict(variables)
        try:
            return run(shell)
        finally:
            state.variables, state.exported, state.cwd = variables, exported, cwd

    def _statements(self, nodes: Iterable[Node | Simple | AndList], *, must: bool) -> ProgramStatus:
        raise NotImplementedError

    def _statement(self, node: Node | Simple | AndList, *, must: bool) -> ProgramStatus:
        raise NotImplementedError
