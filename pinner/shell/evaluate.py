"""A shell text, statement by statement: what it does to the state, as far as its text tells. Nothing is run.

Commands are assumed to succeed, since a build in which one fails ends; a test that is not decided may go either way,
and both ways are followed. What a program does is a row of the table `programs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pinner.shell import fields, nested, trace
from pinner.shell.content import UNKNOWN, Content, Value
from pinner.shell.expand import Variable
from pinner.shell.outcomes import Leave, ProgramStatus
from pinner.shell.process import ALARM, Function, Process

if TYPE_CHECKING:
    from tree_sitter import Node

    from pinner.shell.lexer import Heredoc
    from pinner.shell.plain import AndList, Simple

    Statement = Node | Simple | AndList

_MOST_TURNS = 64
_MOST_STEPS = 20_000
_MOST_NESTED = 40


class Shell(Process):
    """A shell process that evaluates statements."""

    def _statements(self, nodes: Iterable[Statement], *, must: bool) -> ProgramStatus:
        status: ProgramStatus = "done"
        nodes = [node for node in nodes if node.type not in ("comment", "heredoc_body", "heredoc_end")]
        for number, node in enumerate(nodes):
            status = self._statement(node, must=self.errexit or (must and number == len(nodes) - 1))
            if self.state.dead:
                break
        return status

    def _statement(self, node: Statement, *, must: bool) -> ProgramStatus:
        self.walk.steps += 1
        if self.walk.steps > _MOST_STEPS:
            if self.walk.steps == _MOST_STEPS + 1:
                self.unknown("a text that is too long")
            return "maybe"
        kind = node.type
        if kind not in ("command", "simple") and self._nested > _MOST_NESTED:
            if ALARM.search(self._of(node)):
                self.unknown("a text that is nested too deeply")
            return "maybe"
        self._nested += 1
        try:
            status = self._of_kind(node, kind, must=must)
            # Where words come from is asked of every way.
            return "maybe" if self.walk.trace is not None and status != "done" else status
        finally:
            self._nested -= 1

    def _of_kind(self, node: Any, kind: str, *, must: bool) -> ProgramStatus:
        if self._hung and (redirects := self._hung.pop((node.start_byte, node.end_byte, kind), None)):
            return self._hanging(redirects, node, must)
        if kind == "simple":
            return self._simple(node)
        if kind == "and":
            return self._chain(node.commands[0], [("&&", each) for each in node.commands[1:]], must)
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
            shell.uncalled = self.uncalled
            shell._script, shell._text, shell._shell = self._script, self._text, self._shell
            assert isinstance(shell, Shell)  # it is of this kind
            return self.process(lambda own: shell._guarded(node, must), shell, inherits=True)
        if kind == "negated_command":
            status = self._statement(node.named_children[-1], must=False)
            opposite: dict[ProgramStatus, ProgramStatus] = {"yes": "no", "no": "yes", "done": "maybe"}
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
                self.functions[self._of(name)] = Function(
                    self._script, body, self.file, self.source, self.fixed
                )
            return "yes"
        if kind in ("variable_assignment", "variable_assignments", "declaration_command", "unset_command"):
            return self._assignments(node)
        if kind == "test_command":
            return self._test(self._of(node))
        return "done"

    def _guarded(self, node: Node, must: bool) -> ProgramStatus:
        try:
            return self._statements(node.named_children, must=must)
        except Leave as leave:
            self.state.dead |= must and leave.status == "no"
            return leave.status

    def branch(self, *ways: Callable[[], object]) -> None:
        """Follow several ways from here; behind them one of them was taken."""
        states = []
        begin = self.state
        self.walk.undecided += 1
        for way in ways:
            self.state = begin.copy()
            try:
                way()
            except Leave as leave:
                if leave.what == "exit" and leave.status != "no":
                    self._ended.append(self.state.copy())
                # What `break` and `return` leave is held further down; it goes on behind the loop or function.
                self.state.dead = self.state.dead or leave.what == "exit"
            states.append(self.state)
        self.walk.undecided -= 1
        self.state = begin
        first, *rest = states
        begin.take(first)
        begin.merge(rest)

    def _pass(self, nodes: Iterable[Statement], doubts: int) -> None:
        """Note that a test leaves these out, before which there were so many doubts."""
        if self.walk.doubts == doubts and not self.fixed and not self.file:
            places = [self._script.shell.span(node.start_byte, node.end_byte) for node in nodes]
            self.walk.passed += ((place.start, place.end) for place in places)

    def _list(self, node: Node, must: bool) -> ProgramStatus:
        steps: list[tuple[str, Node]] = []
        while node.type == "list":
            left, *_, right = node.named_children
            steps.append((next(child.type for child in node.children if not child.is_named), right))
            node = left
        return self._chain(node, steps[::-1], must)

    def _chain(self, node: Statement, steps: Sequence[tuple[str, Statement]], must: bool) -> ProgramStatus:
        """A statement, and those behind it, each with the operator before it."""
        last = len(steps)
        # In `a && b` the failure of a ends what must succeed, but not in `a && b || c`.
        chained = must and all(operator == "&&" for operator, _ in steps)
        doubts = self.walk.doubts
        status = self._statement(node, must=chained)
        for number, (operator, right) in enumerate(steps, 1):
            if self.state.dead:
                return status
            own = must and (number == last or chained)
            if operator == "&&":
                if status == "no":
                    self._pass([right], doubts)
                    continue
                if status == "maybe" and not chained:
                    self.branch(lambda node=right: self._statement(node, must=False), lambda: None)  # type: ignore[misc]
                else:
                    status = self._statement(right, must=own)
            elif status == "no":
                status = self._statement(right, must=own)
            elif status == "yes":
                self._pass([right], doubts)
            else:
                self.branch(lambda: None, lambda node=right, own=own: self._statement(node, must=own))  # type: ignore[misc]
                status = "done"
        return status

    def _if(self, node: Node, must: bool) -> ProgramStatus:
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

        def take(number: int) -> ProgramStatus:
            if number == len(parts):
                return self._statement(otherwise, must=must) if otherwise is not None else "yes"
            conditions, body = parts[number]
            doubts = self.walk.doubts
            status = self._statements(conditions, must=False)
            if status == "yes":
                behind = [each for part in parts[number + 1 :] for own in part for each in own]
                self._pass(behind if otherwise is None else [*behind, otherwise], doubts)
                return self._statements(body, must=must)
            if status == "no":
                self._pass(body, doubts)
                return take(number + 1)
            self.branch(lambda: self._statements(body, must=must), lambda: take(number + 1))
            return "done"

        return take(0)

    def _case(self, node: Node, must: bool) -> ProgramStatus:
        doubts, value = self.walk.doubts, node.child_by_field_name("value")
        subject = self._word(value) if value is not None else Value(UNKNOWN)
        ways: list[Callable[[], object]] = []
        items = [item for item in node.named_children if item.type == "case_item"]
        for number, item in enumerate(items):
            values = item.children_by_field_name("value")
            patterns = [self._word(each).text for each in values]
            body = [child for child in item.named_children if child not in values]
            found = [_matches(subject.text, each) for each in patterns]
            if True in found and self.walk.trace is None:
                self._pass(items[number + 1 :], doubts)
                if not ways:
                    return self._statements(body, must=must)
            if self.walk.trace is not None or any(each is not False for each in found):
                ways.append(lambda body=body: self._statements(body, must=must))  # type: ignore[misc]
            else:
                self._pass([item], doubts)
            if True in found and self.walk.trace is None:
                break
        else:
            ways.append(lambda: None)
        if len(ways) > 1:
            self.branch(*ways)
        return "done"

    def _loop(self, node: Node) -> ProgramStatus:
        body = node.child_by_field_name("body")
        if body is None:
            return "done"
        if node.type == "for_statement" and self.walk.trace is not None:
            return self._every_turn(node, body)
        if node.type == "for_statement":
            name, doubts = node.child_by_field_name("variable"), self.walk.doubts
            words = [value for each in node.children_by_field_name("value") for value in self._fields(each)]
            if name is not None and (not words or self.walk.doubts > doubts):
                self.walk.doubtful.add(self._of(name))
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
                self.walk.trace is None
                and "read" in self._text[node.start_byte : body.start_byte]
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
        for _ in range(1 if self.walk.trace is None else 2):
            self._turn(body, sure=False)
        return "done"

    def _every_turn(self, node: Node, body: Node) -> ProgramStatus:
        """All turns of a loop over words as one, and again with what a turn leaves to the next."""
        name = node.child_by_field_name("variable")
        if name is None:
            return "done"
        with self._setting(self._of(name), name.start_byte) as variable:
            words = [value for each in node.children_by_field_name("value") for value in self._fields(each)]
        if not node.children_by_field_name("value") and not self.uncalled:
            words = list(self.args)
        own = trace.united([trace.assigned(each, variable, words=True) for each in words], trace.MOST_VALUES)
        for _ in range(2):
            self.state.variables[variable.name] = own
            self._turn(body, sure=False)
        return "done"

    @contextmanager
    def _setting(self, name: str, at: int) -> Iterator[Variable]:
        """Evaluates the words that are given to a variable, at an index of the present text."""
        place = self._shell.origin(at) if self._shell is not None else 0
        variable, before = Variable(name, place, *self.walk.reach), self._into
        self._into = variable
        try:
            yield variable
        finally:
            self._into = before

    def _turn(self, body: Node, *, sure: bool) -> bool:
        """One turn of a loop; whether there may be another."""
        goes_on = True

        def turn() -> None:
            nonlocal goes_on
            try:
                self._statement(body, must=False)
            except Leave as leave:
                if leave.what not in ("break", "continue"):
                    raise
                goes_on = leave.what == "continue"

        if sure:
            turn()
        else:
            self.branch(turn, lambda: None)
        return goes_on and not self.state.dead

    def _pipeline(self, node: Node, must: bool) -> ProgramStatus:
        before = self.stdin
        status: ProgramStatus = "done"
        *first, last = [child for child in node.named_children if child.type != "comment"]
        kept = dict(self.state.variables), self.state.cwd
        try:
            for each in first:
                _, self.stdin = self.captured(lambda each=each: self._piped(each, must=False))  # type: ignore[misc]
                self.state.variables, self.state.cwd = dict(kept[0]), kept[1]
            status = self._piped(last, must=must)
        finally:
            self.stdin = before
        return status

    def _piped(self, node: Node, *, must: bool) -> ProgramStatus:
        """A part of a pipeline, which `exit` ends alone."""
        ended, self._ended = self._ended, []
        try:
            status = self._statement(node, must=must)
        except Leave as leave:
            status = leave.status
            self.state.dead |= must and status == "no"
        self._end()
        self._ended = ended
        return status

    def _redirected(self, node: Node, must: bool) -> ProgramStatus:
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

    def _hanging(self, redirects: Sequence[Node], body: Node, must: bool) -> ProgramStatus:
        # The grammar puts the words behind a redirection into it.
        extra = [each for own in redirects for each in _destination(own)[2]]
        if body.type == "command":
            return self._printed(redirects, lambda: self._command(body, must, extra))
        return self._printed(redirects, lambda: self._statement(body, must=must))

    def _printed(self, redirects: Sequence[Node], run: Callable[[], ProgramStatus]) -> ProgramStatus:
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
            begin, end, _ = _destination(each)
            if self._text.startswith("<<<", each.start_byte + len(number)):
                value = self._word(each.named_children[-1])
                stdin = Content(f"{value.text}\n", lists=value.lists, ways=value.ways)
                continue
            if self._text.startswith(">(", begin):
                (value,) = self._braced(begin, end)
            else:
                value = fields.word(self._text, begin, end, self._meaning)
            name = value.text
            if operator.startswith("<"):
                stdin = self.state.read(self.state.path(name))
            elif operator in (">", ">>", ">|", "&>", "&>>") and number in ("", "1"):
                target, append = name, operator.endswith(">>")
            elif operator == ">&" and number in ("", "1") and name == "2":
                target = "/dev/stderr"
            elif operator.startswith(">") and operator != ">&" and name.startswith("/etc/apt/"):
                self.write(name, Content())
        self.stdin = stdin
        try:
            if not target:
                return run()
            if target == "/dev/stderr":
                sink, self._sink = self._sink, None
                try:
                    return run()
                finally:
                    self._sink = sink
            status, output = self.captured(run)
            if self.moved:
                self.moved, output = False, Content()
            if target not in ("/dev/null", "/dev/stdout"):
                self.write(target, output, append=append)
            return status
        finally:
            self.stdin = before

    def _heredocs(self) -> Mapping[int, Heredoc]:
        return {each.operator[0]: each for each in self._script.heredocs}

    def _document(self, heredoc: Heredoc) -> Content:
        body = nested.heredoc(self._script.shell.part(*heredoc.body), expands=False, tabs=heredoc.tabs)
        if not heredoc.expands:
            own = trace.whole(body) if self.tracer() is not None else ()
            return Content(body.text, place=None if self.fixed else body, ways=own)
        text, shell, self._text, self._shell = self._text, self._shell, body.text, body
        try:
            value, ranges = fields.document(body.text, self._meaning)
        finally:
            self._text, self._shell = text, shell
        place = None if self.fixed else body.read_as(ranges)
        return Content(value.text, lists=value.lists, place=place, ways=value.ways)

    def _simple(self, own: Simple) -> ProgramStatus:
        before = self.span
        self._stands(own.start_byte, own.end_byte)
        try:
            if own.args:
                return self.execute(own.args, dict(own.assigned))
            self.state.variables.update(own.assigned)
            return "done"
        finally:
            self.span = before

    def _stands(self, start: int, end: int) -> None:
        """Take note of where the present command stands."""
        if not self.fixed:
            place = self._script.shell.span(start, end)
            self.span = (place.start, max(place.end, place.start + 1))
            if not self.file:
                self.walk.at = place.start

    def _command(self, node: Node, must: bool, extra: Sequence[Node] = ()) -> ProgramStatus:
        groups: list[list[Node]] = []
        redirects: list[Node] = []
        assigned: list[Node] = []
        for child in node.children:
            kind = child.type
            if kind.endswith("_redirect"):
                redirects.append(child)
                groups += ([each] for each in _destination(child)[2])
            elif kind == "variable_assignment" and not groups:
                assigned.append(child)
            elif groups and groups[-1][-1].end_byte == child.start_byte:
                groups[-1].append(child)
            else:
                groups.append([child])
        groups += ([each] for each in extra)
        before = self.span
        self._stands(node.start_byte, max(node.end_byte, groups[-1][-1].end_byte if groups else 0))
        try:
            args, expansions = self._arguments(groups)
            if not groups:
                return self._assign(assigned)
            own = {name: value for each in assigned for name, value in self._assignment(each)}

            def run() -> ProgramStatus:
                if self.walk.trace is not None and self._only_shows(args):
                    self.walk.trace.shown.update(expansions)
                return self.execute(args, own)

            return self._printed(redirects, run) if redirects else run()
        finally:
            self.span = before

    def _only_shows(self, args: Sequence[Value]) -> bool:
        """Whether a command prints its arguments for people, or asks whether one is empty."""
        words = [each.text for each in args[:2]]
        return (words[:1] in (["echo"], ["printf"]) and words[1:] != ["-v"] and self._sink is None) or (
            words[:1] == ["test"] and words[1:] in (["-n"], ["-z"])
        )

    def _arguments(self, groups: Sequence[Sequence[Node]]) -> tuple[list[Value], Sequence[int]]:
        """The words of a command; those that a function is given are the values of its arguments. With them the places
        of the expansions in them, if these are traced."""
        args: list[Value] = []
        if self.walk.trace is None:
            return [each for own in groups for each in self._braced(own[0].start_byte, own[-1].end_byte)], ()
        latest, self.walk.trace.latest = self.walk.trace.latest, []
        for group in groups:
            if args and args[0].text in self.functions:
                with self._setting("@", groups[0][0].start_byte) as given:
                    own = self._braced(group[0].start_byte, group[-1].end_byte)
                args += (trace.assigned(each, given, words=True) for each in own)
            else:
                args += self._braced(group[0].start_byte, group[-1].end_byte)
        expansions, self.walk.trace.latest = self.walk.trace.latest, latest
        return args, expansions

    def _assignment(self, node: Node) -> Iterable[tuple[str, Value | tuple[Value, ...]]]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or name.type != "variable_name":
            return
        own = self._of(name)
        found: Value | tuple[Value, ...] = Value("")
        with self._setting(own, node.start_byte) as variable:
            if value is not None and value.type == "array":
                found = tuple(
                    trace.assigned(each, variable, words=True)
                    for child in value.named_children
                    if child.type != "comment"
                    for each in self._fields(child)
                )
            elif value is not None:
                found = trace.assigned(self._word(value), variable)
            elif self.walk.trace is not None:
                found = Value("", ways=((),))
        if self._text.startswith("+=", name.end_byte):
            before = self.variable(own)
            if isinstance(found, Value) and isinstance(before, Value):
                ways = trace.combined((before.ways, found.ways)) if found.ways and before.ways else ()
                found = Value(before.text + found.text, before.lists + found.lists, ways)
            elif not isinstance(found, Value) and isinstance(before, tuple) and not isinstance(before, Value):
                found = (*before, *found)
            elif before is not None:
                found = Value(UNKNOWN)
        yield own, found

    def _assign(self, nodes: Iterable[Node]) -> ProgramStatus:
        for node in nodes:
            doubts = self.walk.doubts
            for name, value in self._assignment(node):
                self.state.variables[name] = value
                if self.walk.doubts > doubts:
                    self.walk.doubtful.add(name)
        return "done"

    def _assignments(self, node: Node) -> ProgramStatus:
        if node.type == "variable_assignment":
            return self._assign([node])
        if node.children and node.children[0].type in ("local", "declare", "typeset"):
            for child in node.named_children:
                own = self._of(child.child_by_field_name("name") or child).partition("=")[0]
                self.locals.setdefault(own, self.state.variables.get(own))
        self._assign(child for child in node.named_children if child.type == "variable_assignment")
        if node.type == "declaration_command" and node.children and node.children[0].type == "export":
            for child in node.named_children:
                if child.type in ("variable_assignment", "variable_name"):
                    name = child.child_by_field_name("name") or child
                    self.state.exported |= {self._of(name)}
                    continue
                for each in self._fields(child):
                    own, equals, text = each.text.partition("=")
                    self.state.exported |= {own}
                    if equals:
                        self.state.variables[own] = Value(text, each.lists)
        elif node.type == "unset_command":
            for child in node.named_children:
                self.state.variables.pop(self._of(child), None)
        return "done"

    def _test(self, text: str) -> ProgramStatus:
        from pinner.shell.programs.tests import decide

        inner = text.strip("[]").strip() if not text.startswith("((") else ""
        words = [self.word(inner[start:end]) for start, end in fields.tokens(inner)]
        return decide(self, [each.text for each in words], pattern=text.startswith("[["))


def _destination(redirect: Node) -> tuple[int, int, list[Node]]:
    """Where the word of a redirection begins and ends, and the words behind it, which the grammar puts into it."""
    first, *rest = redirect.children_by_field_name("destination") or redirect.named_children[-1:]
    end = first.end_byte
    while rest and rest[0].start_byte == end:  # one word that the grammar takes apart
        end = rest.pop(0).end_byte
    return first.start_byte, end, rest


def _matches(text: str, pattern: str) -> bool | None:
    """Whether a text is of a pattern of `case`; None if what is not known of them decides that."""
    from fnmatch import fnmatchcase

    if UNKNOWN in pattern:
        return None
    if UNKNOWN not in text:
        return fnmatchcase(text, pattern)
    if pattern.strip("*") == "":
        return True if pattern else None
    begin, end = re.split(r"[*?\[\\]", pattern)[0], text.partition(UNKNOWN)[0]
    if not (begin.startswith(end) or end.startswith(begin)):
        return False
    return True if pattern == f"{begin}*" and end.startswith(begin) else None
