"""A shell text, statement by statement: what it does to the state, as far as its text tells. Nothing is run.

Commands are assumed to succeed, since a build in which one fails ends; a test that is not decided may go either way,
and both ways are followed. What a program does is a row of the table `programs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from pinner.edit.span import Joined
from pinner.regex import later
from pinner.shell import fields, nested, prefixes, syntax
from pinner.shell.fields import Meaning
from pinner.shell.state import UNKNOWN, Content, Context, Origin, State, Value
from pinner.shell.syntax import Script, UnparsableError

if TYPE_CHECKING:
    from tree_sitter import Node

    from pinner.shell.lexer import Heredoc

#: Whether a statement succeeded: for certain, for certain not, or undecided; `done` is what a build assumes.
Status = Literal["yes", "no", "done", "maybe"]

_MOST_TURNS = 64
_DEEPEST = 8
_MOST_STEPS = 20_000
_MOST_NESTED = 40
_ALARM = later(
    r"/etc/apt|apt-(?:add|key)|add-apt|sources\.list|\bdpkg\b|\.deb\b|\b(?:curl|wget)\s[^;&|\n]*://"
)
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_COMPOUND = frozenset(
    ("if_statement", "case_statement", "for_statement", "while_statement", "c_style_for_statement")
)


class Seen(NamedTuple):
    """An `apt-get install` where it was met: in the Dockerfile (`file` is "") or a file of its build context.

    It stands from `start` to `end` in the file. `lists` are the files of the context that its words come from; a word
    of them `ends` in a carriage return. A whole script or instruction stands for what is not met in it; `unclear` tells
    that it changes something.
    """

    file: str
    start: int
    end: int
    state: State
    lists: tuple[str, ...] = ()
    ends: bool = False
    unclear: bool = False


@dataclass
class Walk:
    """What one walk through a file knows of the world, and gathers.

    `arch` is Debian's name of the platform's architecture; `asked` tells that it mattered. `at` is the offset in the
    Dockerfile of the present command, `changes` are those of apt's sources and preferences, `wrappers` the programs of
    the context that ran an install command.
    """

    arch: str = "amd64"
    context: Context | None = None
    seen: list[Seen] = field(default_factory=list)
    changes: list[tuple[int, str]] = field(default_factory=list)
    wrappers: set[str] = field(default_factory=set)
    asked: bool = False
    steps: int = 0
    at: int = 0
    known: dict[tuple[str, int, str], Script | None] = field(default_factory=dict)


class Call(NamedTuple):
    """A program that is run: its `name` and arguments, what it reads, and the shell that runs it."""

    shell: Shell
    name: str
    args: tuple[Value, ...]
    input: Content | None

    @property
    def words(self) -> list[str]:
        """The arguments as texts."""
        return [each.text for each in self.args]


class Result(NamedTuple):
    """How a program ended, and what it printed (None: nothing that is known)."""

    status: Status = "done"
    output: Content | None = Content("")


class _Leave(Exception):
    """`exit`, `return`, `break`: what stands behind is not done."""

    def __init__(self, what: str, status: Status) -> None:
        super().__init__()
        self.what = what
        self.status = status


class Shell:
    """One shell process: evaluates texts on a state."""

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
        self.functions: dict[str, tuple[Script, Node]] = {}
        self.errexit = False
        self.span = (0, 0)
        self.fixed = False
        self.source = ""
        self.wrapper = ""
        self._sink: list[Content] | None = None
        self._script: Script = None  # type: ignore[assignment]
        self._text = ""
        self._ended: list[State] = []
        self._nested = 0
        self._hung: dict[tuple[int, int, str], Sequence[Node]] = {}

    # --- texts -------------------------------------------------------------------------------------------------

    def run(self, source: str, text: Joined, *, must: bool = True) -> Status:
        """Evaluate a text that stands in `source`. With `must` its failure ends the build."""
        status: Status = "done"
        self.source = source
        try:
            status = self._run(source, text, must=must)
        except _Leave as leave:
            status = leave.status
            self.state.dead = status == "no" or self.state.dead
        self._end()
        return status

    def _end(self) -> None:
        if self._ended:
            self.state.merge(self._ended)
            self._ended = []

    def _run(self, source: str, text: Joined, *, must: bool) -> Status:
        key = (self.file, text.origin(0), text.text)
        if key not in self.walk.known:
            try:
                self.walk.known[key] = syntax.read(source, text)
            except UnparsableError:
                self.walk.known[key] = None
        script = self.walk.known[key]
        if script is None:
            if _ALARM.search(text.text):
                self.unknown("a text that is not understood")
            return "done"
        if script.unread and _ALARM.search(text.text, *script.unread):
            self.unknown("a text that is not understood")
        before = self._script, self._text
        self._script, self._text = script, script.shell.text
        try:
            return self._statements(script.root.named_children, must=must)
        finally:
            self._script, self._text = before

    def words(self, args: Sequence[Value]) -> None:
        """Run a command that stands alone, without a shell."""
        with suppress(_Leave):
            self.execute(args)
        self._end()

    def string(self, text: str) -> Status:
        """Evaluate a text that a command is given, in this shell."""
        before, at = self.fixed, -1
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

    def sourced(self, content: Content, args: Sequence[Value]) -> Status:
        """Evaluate a file in this shell, as `.` does."""
        if self.depth >= _DEEPEST:
            return "done"
        before = self.file, self.source, self.fixed, self.args
        text = content.text or ""
        self.file, self.source, self.fixed = content.file or self.file, text, not content.file
        self.args = tuple(args) or self.args
        self.depth += 1
        try:
            whole = Joined(text, (0,), (0,), (len(text),))
            return self._run(text, nested.unfolded(whole), must=False)
        except _Leave as leave:
            if leave.what != "return":
                raise
            return leave.status
        finally:
            self.file, self.source, self.fixed, self.args = before
            self.depth -= 1

    def child(self, name: str = "sh", args: Sequence[Value] = (), file: str | None = None) -> Shell:
        """Another shell process on the same files, with the variables that are exported."""
        state = self.state
        shell = Shell(self.walk, state, name, self.file if file is None else file, args, self.depth + 1)
        shell.span, shell.fixed, shell.source = self.span, self.fixed, self.source
        shell.wrapper = self.wrapper
        shell._nested = self._nested
        shell.stdin = self.stdin
        return shell

    def process(self, run: Callable[[Shell], Status], shell: Shell, *, inherits: bool = False) -> Status:
        """Let another shell process run; its variables and folder end with it."""
        state = self.state
        variables, exported, cwd = state.variables, state.exported, state.cwd
        kept = variables if inherits else {name: variables[name] for name in exported if name in variables}
        state.variables = dict(kept)
        shell._sink = self._sink
        try:
            return run(shell)
        finally:
            state.variables, state.exported, state.cwd = variables, exported, cwd

    # --- statements --------------------------------------------------------------------------------------------

    def _statements(self, nodes: Iterable[Node], *, must: bool) -> Status:
        status: Status = "done"
        nodes = [node for node in nodes if node.type not in ("comment", "heredoc_body", "heredoc_end")]
        for number, node in enumerate(nodes):
            status = self._statement(node, must=self.errexit or (must and number == len(nodes) - 1))
            if self.state.dead:
                break
        return status

    def _statement(self, node: Node, *, must: bool) -> Status:
        self.walk.steps += 1
        if self.walk.steps > _MOST_STEPS:
            if self.walk.steps == _MOST_STEPS + 1:
                self.unknown("a text that is too long")
            return "maybe"
        kind = node.type
        if kind != "command" and self._nested > _MOST_NESTED:
            if _ALARM.search(self._of(node)):
                self.unknown("a text that is nested too deeply")
            return "maybe"
        self._nested += 1
        try:
            return self._of_kind(node, kind, must=must)
        finally:
            self._nested -= 1

    def _of_kind(self, node: Node, kind: str, *, must: bool) -> Status:
        if self._hung and (redirects := self._hung.pop((node.start_byte, node.end_byte, kind), None)):
            return self._hanging(redirects, node, must)
        if kind == "command":
            return self._command(node, must)
        if kind == "list":
            return self._list(node, must)
        if kind == "redirected_statement":
            return self._redirected(node, must)
        if kind == "pipeline":
            return self._pipeline(node, must)
        if kind in ("compound_statement", "program", "do_group", "else_clause"):
            return self._statements(node.named_children, must=must)
        if kind == "subshell":
            shell = self.child(self.name, self.args)
            shell.functions, shell.errexit = dict(self.functions), self.errexit
            shell._script, shell._text = self._script, self._text
            return self.process(lambda own: own._guarded(node, must), shell, inherits=True)
        if kind == "negated_command":
            status = self._statement(node.named_children[-1], must=False)
            opposite: dict[Status, Status] = {"yes": "no", "no": "yes", "done": "maybe"}
            return opposite.get(status, "maybe")
        if kind == "if_statement":
            return self._if(node, must)
        if kind == "case_statement":
            return self._case(node, must)
        if kind in ("for_statement", "while_statement", "c_style_for_statement"):
            return self._loop(node)
        if kind == "function_definition":
            name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
            if name is not None and body is not None:
                self.functions[self._of(name)] = self._script, body
            return "yes"
        if kind in ("variable_assignment", "variable_assignments", "declaration_command", "unset_command"):
            return self._assignments(node)
        if kind == "test_command":
            return self._test(self._of(node))
        return "done"

    def _guarded(self, node: Node, must: bool) -> Status:
        try:
            status = self._statements(node.named_children, must=must)
        except _Leave as leave:
            status = leave.status
            self.state.dead = status == "no"
        self._end()
        return status

    def _of(self, node: Node) -> str:
        return self._text[node.start_byte : node.end_byte]

    def branch(self, *ways: Callable[[], object]) -> None:
        """Follow several ways from here; behind them one of them was taken."""
        states = []
        begin = self.state
        for way in ways:
            self.state = begin.copy()
            try:
                way()
            except _Leave as leave:
                if leave.what == "exit" and leave.status != "no":
                    self._ended.append(self.state.copy())
                # What `break` and `return` leave is held further down; it goes on behind the loop or function.
                self.state.dead = self.state.dead or leave.what == "exit"
            states.append(self.state)
        self.state = begin
        first, *rest = states
        begin.take(first)
        begin.merge(rest)

    def _list(self, node: Node, must: bool) -> Status:
        steps: list[tuple[str, Node]] = []
        while node.type == "list":
            left, *_, right = node.named_children
            steps.append((next(child.type for child in node.children if not child.is_named), right))
            node = left
        last = len(steps)
        # In `a && b` the failure of a ends what must succeed, but not in `a && b || c`.
        chained = must and all(operator == "&&" for operator, _ in steps)
        status = self._statement(node, must=chained)
        for number, (operator, right) in enumerate(reversed(steps), 1):
            if self.state.dead:
                return status
            own = must and (number == last or chained)
            if operator == "&&":
                if status == "no":
                    continue
                if status == "maybe" and not chained:
                    self.branch(lambda node=right: self._statement(node, must=False), lambda: None)  # type: ignore[misc]
                else:
                    status = self._statement(right, must=own)
            elif status == "no":
                status = self._statement(right, must=own)
            elif status != "yes":
                self.branch(lambda: None, lambda node=right, own=own: self._statement(node, must=own))  # type: ignore[misc]
                status = "done"
        return status

    def _if(self, node: Node, must: bool) -> Status:
        """The first part whose condition holds."""
        parts: list[tuple[list[Node], list[Node]]] = []
        otherwise: Node | None = None
        for each in (node, *(child for child in node.named_children if child.type == "elif_clause")):
            conditions: list[Node] = []
            body: list[Node] = []
            begun = False
            for child in each.children:
                if child.type == "then":
                    begun = True
                elif child.is_named and child.type not in ("elif_clause", "else_clause", "comment"):
                    (body if begun else conditions).append(child)
            parts.append((conditions, body))
        for child in node.named_children:
            if child.type == "else_clause":
                otherwise = child

        def take(number: int) -> Status:
            if number == len(parts):
                return self._statement(otherwise, must=must) if otherwise is not None else "yes"
            conditions, body = parts[number]
            status = self._statements(conditions, must=False)
            if status == "yes":
                return self._statements(body, must=must)
            if status == "no":
                return take(number + 1)
            self.branch(lambda: self._statements(body, must=must), lambda: take(number + 1))
            return "done"

        return take(0)

    def _case(self, node: Node, must: bool) -> Status:
        from fnmatch import fnmatchcase

        value = node.child_by_field_name("value")
        subject = self._word(value) if value is not None else Value(UNKNOWN)
        ways: list[Callable[[], object]] = []
        for item in node.named_children:
            if item.type != "case_item":
                continue
            values = item.children_by_field_name("value")
            patterns = [self._word(each).text for each in values]
            body = [child for child in item.named_children if child not in values]
            if UNKNOWN not in subject.text and not any(UNKNOWN in each for each in patterns):
                if any(fnmatchcase(subject.text, each) for each in patterns):
                    return self._statements(body, must=must)
            else:
                ways.append(lambda body=body: self._statements(body, must=must))  # type: ignore[misc]
        if ways:
            self.branch(*ways, lambda: None)
        return "done"

    def _loop(self, node: Node) -> Status:
        body = node.child_by_field_name("body")
        if body is None:
            return "done"
        if node.type == "for_statement":
            name = node.child_by_field_name("variable")
            words = [value for each in node.children_by_field_name("value") for value in self._fields(each)]
            if not node.children_by_field_name("value"):
                words = list(self.args)
            known = len(words) <= _MOST_TURNS and not any(UNKNOWN in each.text for each in words)
            words = [Value(path, each.lists) for each in words for path in self._globbed(each.text)]
            if not known:
                words = [Value(UNKNOWN, tuple(name for each in words for name in each.lists))]
            for value in words:
                if name is not None:
                    self.state.variables[self._of(name)] = value
                if not self._turn(body, sure=known):
                    break
            return "done"
        if node.type == "while_statement":
            condition = [child for child in node.named_children if child.start_byte < body.start_byte]
            lines = self.stdin
            status = self._statements(condition, must=False)
            if status == "no" and node.children[0].type == "while":
                return "done"
            if (
                "read" in self._text[node.start_byte : body.start_byte]
                and lines is not None
                and lines.known is not None
                and (known_lines := lines.known.splitlines())
                and len(known_lines) <= _MOST_TURNS * 8
            ):
                rest = known_lines[1:]
                while self._turn(body, sure=True) and rest:
                    self.stdin = lines._replace(text="\n".join(rest) + "\n")
                    rest = rest[1:]
                    self._statements(condition, must=False)
                return "done"
        self._turn(body, sure=False)
        return "done"

    def _turn(self, body: Node, *, sure: bool) -> bool:
        """One turn of a loop; whether there may be another."""
        goes_on = True

        def turn() -> None:
            nonlocal goes_on
            try:
                self._statement(body, must=False)
            except _Leave as leave:
                if leave.what not in ("break", "continue"):
                    raise
                goes_on = leave.what == "continue"

        if sure:
            turn()
        else:
            self.branch(turn, lambda: None)
        return goes_on and not self.state.dead

    # --- commands ----------------------------------------------------------------------------------------------

    def captured(self, run: Callable[[], Status]) -> tuple[Status, Content]:
        """What a statement prints."""
        before, self._sink = self._sink, []
        try:
            status = run()
        finally:
            parts, self._sink = self._sink, before
        return status, joined(parts)

    def _pipeline(self, node: Node, must: bool) -> Status:
        before = self.stdin
        status: Status = "done"
        *first, last = [child for child in node.named_children if child.type != "comment"]
        kept = dict(self.state.variables), self.state.cwd
        try:
            for each in first:
                _, self.stdin = self.captured(lambda each=each: self._statement(each, must=False))  # type: ignore[misc]
                self.state.variables, self.state.cwd = dict(kept[0]), kept[1]
            status = self._statement(last, must=must)
        finally:
            self.stdin = before
        return status

    def _redirected(self, node: Node, must: bool) -> Status:
        body = node.child_by_field_name("body")
        redirects = [child for child in node.named_children if child.type.endswith("_redirect")]
        if body is None:
            return self._printed(redirects, lambda: "yes")
        last = body
        while last.type in ("list", "pipeline"):  # the grammar hangs what the last command's are on all of it
            last = last.named_children[-1]
        if last is not body:
            self._hung[last.start_byte, last.end_byte, last.type] = redirects
            return self._statement(body, must=must)
        return self._hanging(redirects, body, must)

    def _hanging(self, redirects: Sequence[Node], body: Node, must: bool) -> Status:
        # The grammar puts the words behind a redirection into it.
        extra = [each for own in redirects for each in own.children_by_field_name("destination")[1:]]
        if body.type == "command":
            return self._printed(redirects, lambda: self._command(body, must, extra))
        return self._printed(redirects, lambda: self._statement(body, must=must))

    def _printed(self, redirects: Sequence[Node], run: Callable[[], Status]) -> Status:
        """Run something with its input and output redirected."""
        stdin, before = self.stdin, self.stdin
        target, append = "", False
        for each in redirects:
            operator = next((child.type for child in each.children if not child.is_named), "")
            descriptor = each.child_by_field_name("descriptor")
            number = self._of(descriptor) if descriptor is not None else ""
            heredoc = self._heredocs().get(each.start_byte + len(number))
            if heredoc is not None:
                stdin = self._document(heredoc)
                continue
            words = each.children_by_field_name("destination") or each.named_children[-1:]
            if each.type == "herestring_redirect":
                value = self._word(each.named_children[-1])
                stdin = Content(f"{value.text}\n", lists=value.lists)
            elif words and operator.startswith("<"):
                stdin = self.state.read(self.state.path(self._word(words[0]).text))
            elif words and operator in (">", ">>", ">|", "&>", "&>>") and number in ("", "1"):
                target, append = self._word(words[0]).text, operator.endswith(">>")
        self.stdin = stdin
        try:
            if not target:
                return run()
            status, output = self.captured(run)
            if target not in ("/dev/null", "/dev/stderr", "/dev/stdout"):
                self.write(target, output, append=append)
            return status
        finally:
            self.stdin = before

    def _heredocs(self) -> Mapping[int, Heredoc]:
        return {each.operator[0]: each for each in self._script.heredocs}

    def _document(self, heredoc: Heredoc) -> Content:
        body = nested.heredoc(self._script.shell.part(*heredoc.body), expands=False, tabs=heredoc.tabs)
        if not heredoc.expands:
            return Content(body.text)
        text, self._text = self._text, body.text
        try:
            value = fields.string(body.text, 0, len(body.text), self._meaning())
        finally:
            self._text = text
        return Content(value.text, lists=value.lists)

    def write(self, name: str, content: Content, *, append: bool = False) -> None:
        """Put what is known of an output into a file."""
        if name == UNKNOWN:
            if content.text and re.search(r"(?m)^(?:deb\s|Types:)", content.text):
                self.unknown("a file whose name is not known")
            return
        path = self.state.path(name)
        made = content._replace(
            at=self.walk.at, by=content.by or path, gone=False, file="" if append else content.file
        )
        if append:
            self.state.append(path, made)
        else:
            self.state.write(path, made)
        self.changed(path)

    def changed(self, path: str) -> None:
        """Take note of a change of what apt reads."""
        if path.startswith(("/etc/apt/sources.list", "/etc/apt/preferences", "?")):
            self.walk.changes.append((self.walk.at, path))

    def unknown(self, by: str, serves: tuple[str, ...] = (), *, live: bool = True) -> None:
        """From here on, or from the next update on, apt may read what is not known, because of this."""
        content = Content(at=self.walk.at, by=by, live=live, serves=serves)
        self.state.write(f"?{len(self.state.files)}{by}", content)
        self.changed("?")

    def _command(self, node: Node, must: bool, extra: Sequence[Node] = ()) -> Status:
        groups: list[list[Node]] = []
        redirects: list[Node] = []
        assigned: list[Node] = []
        for child in node.children:
            kind = child.type
            if kind.endswith("_redirect"):
                redirects.append(child)
                groups += ([each] for each in child.children_by_field_name("destination")[1:])
            elif kind == "variable_assignment" and not groups:
                assigned.append(child)
            elif groups and groups[-1][-1].end_byte == child.start_byte:
                groups[-1].append(child)
            else:
                groups.append([child])
        groups += ([each] for each in extra)
        before = self.span
        if not self.fixed:
            last = max(node.end_byte, groups[-1][-1].end_byte if groups else 0)
            place = self._script.shell.span(node.start_byte, last)
            self.span = (place.start, max(place.end, place.start + 1))
            if not self.file:
                self.walk.at = place.start
        try:
            args = [
                value for group in groups for value in self._braced(group[0].start_byte, group[-1].end_byte)
            ]
            if not groups:
                return self._assign(assigned)
            own = {name: value for each in assigned for name, value in self._assignment(each)}

            def run() -> Status:
                return self.execute(args, own)

            return self._printed(redirects, run) if redirects else run()
        finally:
            self.span = before

    def _braced(self, start: int, end: int) -> list[Value]:
        raw = self._text[start:end]
        if raw.startswith("<(") and raw.endswith(")"):
            path = f"/dev/fd/{len(self.state.files)}"
            self.state.write(path, self._content(start + 2, end - 1) or Content())
            return [Value(path)]
        if "{" in raw and "$" not in raw and self.name != "sh" and "'" not in raw:
            from pinner.shell import braces

            words = braces.expanded(raw)
            if words and words != (raw,):
                meaning = self._meaning()
                return [each for one in words for each in fields.fields(one, 0, len(one), meaning)]
        return fields.fields(self._text, start, end, self._meaning())

    def execute(
        self, args: Sequence[Value], variables: Mapping[str, Value | tuple[Value, ...]] | None = None
    ) -> Status:
        """Run a command: a function, a program of the table, or a script that is seen."""
        from pinner.shell.programs import PROGRAMS

        texts = [each.text for each in args]
        at = prefixes.begin(texts, UNKNOWN)
        own = dict(variables or {})
        for word in texts[:at]:
            name, equals, value = word.partition("=")
            if equals and name.isidentifier():
                own[name] = Value(value)
        if at >= len(texts):
            return "done"
        name, rest = texts[at].rpartition("/")[2], tuple(args[at + 1 :])
        if texts[at] in self.functions:
            return self._function(texts[at], rest)
        kept = self.state.variables, self.state.exported
        if own:
            self.state.variables = {**self.state.variables, **own}
            self.state.exported |= own.keys()
        try:
            program = PROGRAMS.get(name)
            if program is None or "/" in texts[at]:
                status = self._file(texts[at], rest)
                if status is not None:
                    return status
            if program is None:
                self._print(None)
                return "done"
            result = program(Call(self, name, rest, self.stdin))
            self._print(result.output)
            return result.status
        finally:
            if own and name not in (":", "export", "eval"):
                self.state.variables, self.state.exported = kept

    def _print(self, output: Content | None) -> None:
        if self._sink is not None:
            self._sink.append(Content(UNKNOWN) if output is None else output)

    def _file(self, name: str, args: Sequence[Value]) -> Status | None:
        """Run a file that is seen; None if there is none."""
        paths = [self.state.path(name)] if "/" in name else [f"{folder}/{name}" for folder in _PATH]
        for path in paths:
            content = self.state.read(path)
            if content is not None:
                return self.script(content, args, wrapper=path)
        return None

    def script(self, content: Content, args: Sequence[Value], shell: str = "", wrapper: str = "") -> Status:
        """Run what a file holds as a program."""
        if self.depth >= _DEEPEST:
            return "done"
        if content.text is None:
            for origin in content.origins:
                if origin.url:
                    self.fetched(origin.url)
            return "done"
        name = shell or nested.shell_of(content.text)
        if name.rpartition("/")[2] not in _SHELLS:
            return "done"
        file = content.file
        text = content.text
        own = self.child(name, args, file=file or self.file)
        if wrapper:
            own.wrapper = wrapper.rpartition("/")[2]
        if file:
            own.fixed = False
        elif content.text is not None:
            own.fixed = True
        whole = Joined(text, (0,), (0,), (len(text),))

        def run(shell: Shell) -> Status:
            before = shell.state.copy()
            status = shell.run(text, nested.unfolded(whole), must=False)
            if status == "no":
                self.state.dead = False
            if file:
                changed = before.differs(shell.state)
                self.walk.seen.append(Seen(file, 0, len(text), before, unclear=changed))
            return status

        return self.process(run, own)

    def fetched(self, url: str, *, live: bool = True) -> None:
        """What the program or package at an address does when it is run or installed."""
        from pinner.distributions import programs

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
            self.write(path, Content(origins=(Origin(key),)))
        if effect.updates:
            self.state.update()

    def _function(self, name: str, args: Sequence[Value]) -> Status:
        script, body = self.functions[name]
        if self.depth >= _DEEPEST:
            return "done"
        before = self._script, self._text, self.args
        self._script, self._text, self.args = script, script.shell.text, tuple(args)
        self.depth += 1
        try:
            return self._statement(body, must=False)
        except _Leave as leave:
            if leave.what != "return":
                raise
            return leave.status
        finally:
            self._script, self._text, self.args = before
            self.depth -= 1

    def leave(self, what: str, status: Status = "done") -> None:
        """Do nothing that stands behind: `exit`, `return`, `break` or `continue`."""
        if what == "exit" and status != "no":
            self._ended.append(self.state.copy())
            self.state.dead = True
        raise _Leave(what, status)

    # --- words -------------------------------------------------------------------------------------------------

    def _meaning(self) -> Meaning:
        return Meaning(self.variable, self._output)

    def _fields(self, node: Node) -> list[Value]:
        return self._braced(node.start_byte, node.end_byte)

    def _word(self, node: Node) -> Value:
        return fields.word(self._text, node.start_byte, node.end_byte, self._meaning())

    def word(self, text: str) -> Value:
        """A word of another text, as this shell reads it."""
        before, self._text = self._text, text
        try:
            return fields.word(text, 0, len(text), self._meaning())
        finally:
            self._text = before

    def _globbed(self, text: str) -> list[str]:
        if not any(char in text for char in "*?["):
            return [text]
        return self.state.glob(self.state.path(text)) if text.startswith(("/", ".", "*")) else [text]

    def variable(self, name: str) -> Value | tuple[Value, ...] | None:
        """What a name means here; None if nothing sets it."""
        if name in "@*":
            return self.args
        if name.isdecimal():
            number = int(name)
            if number == 0:
                return Value(UNKNOWN)
            return self.args[number - 1] if number <= len(self.args) else Value("")
        found = self.state.variables.get(name)
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
        if self.depth >= _DEEPEST:
            return None
        shell = self.child(self.name, self.args)
        shell.functions = dict(self.functions)

        def run(own: Shell) -> Status:
            with suppress(_Leave):
                own.string(self._text[start:stop])
            return "done"

        kept = self.walk.seen, self.state.dead
        self.walk.seen = []  # a call in a command substitution is none that is pinned
        _, output = shell.captured(lambda: self._quietly(run, shell))
        self.walk.seen, self.state.dead = kept
        return output

    def _quietly(self, run: Callable[[Shell], Status], shell: Shell) -> Status:
        state = self.state
        variables, exported, cwd = state.variables, state.exported, state.cwd
        state.variables = dict(variables)
        try:
            return run(shell)
        finally:
            state.variables, state.exported, state.cwd = variables, exported, cwd

    def _assignment(self, node: Node) -> Iterable[tuple[str, Value | tuple[Value, ...]]]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or name.type != "variable_name":
            return
        own = self._of(name)
        found: Value | tuple[Value, ...] = Value("")
        if value is not None and value.type == "array":
            found = tuple(
                each
                for child in value.named_children
                if child.type != "comment"
                for each in self._fields(child)
            )
        elif value is not None:
            found = self._word(value)
        if self._text.startswith("+=", name.end_byte):
            before = self.variable(own)
            if isinstance(found, Value) and isinstance(before, Value):
                found = Value(before.text + found.text, before.lists + found.lists)
            elif not isinstance(found, Value) and isinstance(before, tuple) and not isinstance(before, Value):
                found = (*before, *found)
            elif before is not None:
                found = Value(UNKNOWN)
        yield own, found

    def _assign(self, nodes: Iterable[Node]) -> Status:
        for node in nodes:
            for name, value in self._assignment(node):
                self.state.variables[name] = value
        return "done"

    def _assignments(self, node: Node) -> Status:
        if node.type == "variable_assignment":
            return self._assign([node])
        self._assign(child for child in node.named_children if child.type == "variable_assignment")
        if node.type == "declaration_command" and node.children and node.children[0].type == "export":
            for child in node.named_children:
                name = child.child_by_field_name("name") if child.type == "variable_assignment" else child
                if name is not None:
                    self.state.exported |= {self._of(name)}
        elif node.type == "unset_command":
            for child in node.named_children:
                self.state.variables.pop(self._of(child), None)
        return "done"

    def _test(self, text: str) -> Status:
        from pinner.shell.programs.tests import decide

        inner = text.strip("[]").strip() if not text.startswith("((") else ""
        words = [self.word(inner[start:end]) for start, end in fields.tokens(inner)]
        return decide(self, [each.text for each in words], pattern=text.startswith("[["))


def lists_of(content: Content | None) -> tuple[str, ...]:
    """The files of the build context that a content comes from."""
    if content is None:
        return ()
    return content.lists or ((content.file,) if content.file else ())


def value_of(content: Content | None) -> Value:
    """The text of an output."""
    if content is None:
        return Value(UNKNOWN)
    urls = tuple(each.url for each in content.origins if each.url) if content.text is None else ()
    lists = lists_of(content) or urls
    return Value(UNKNOWN if content.text is None or content.others else content.text, lists)


def joined(parts: Sequence[Content]) -> Content:
    """What several outputs make one behind the other."""
    parts = [each for each in parts if each.text != "" or each.lists or each.file]
    if len(parts) == 1:
        return parts[0]
    if any(each.text is None or each.others for each in parts):
        origins = tuple(origin for each in parts for origin in each.origins)
        return Content(origins=origins if all(each.origins for each in parts) else ())
    lists = tuple(name for each in parts for name in lists_of(each))
    return Content("".join(each.text or "" for each in parts), lists=lists)
