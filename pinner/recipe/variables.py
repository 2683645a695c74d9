"""What variables hold in one shell text: assignments, loops, and when they count (POSIX shell, 2.9.1, 2.9.4).

Followed is what every run of the text does: the first assignment to a name may stand in a branch, since without it the
name holds nothing; a further one that not every run meets makes the value unknown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from pinner.recipe.uses import Uses
from pinner.recipe.values import ShellText, elements, is_plain, pieces
from pinner.regex import later
from pinner.shell.expand import Binding, Element, Lookup, Piece, Unknown, Variable, bounded, joined
from pinner.shell.functions import Functions
from pinner.shell.history import Definition, History, Ranges
from pinner.shell.syntax import Command, Script, Word

if TYPE_CHECKING:
    from tree_sitter import Node

_SETS = later(
    r"\b(?:read|mapfile|readarray|getopts|printf[ \t]+-v|(?:local|declare|typeset)[ \t]+-\w*[nAi]\w*)\b([^;&|\n]*)"
)
_SOURCES = later(r"(?:^|[;&|({\n]|\bthen\b|\bdo\b)[ \t]*(?:\.|source)[ \t]+(\S+)")
_OS_RELEASE = later(r"[\"']?(?:/etc/(?:os|lsb)-release|/usr/lib/os-release)\b")
_OF_OS_RELEASE = later(
    r"(?:ID|NAME|PRETTY_NAME|BUILD_ID|VARIANT|DISTRIB|HOME|BUG|SUPPORT|UBUNTU|VERSION)(?:_\w+)?\Z"
)
# What no shell reads anything into.
_PLAIN = later(r"[\w\s.+:=~*@/,^%-]*")
_DEEPEST = 50

_NEVER_SET = History((), Ranges(()))


class Variables:
    """The variables of one shell text. `outer` tells what names mean that it does not set."""

    def __init__(self, script: Script, outer: Lookup, uses: Uses, expanded: Lookup | None = None) -> None:
        """`uses` takes note of where a variable's value goes into another variable, and of functions' texts.

        `expanded` tells what names mean that another shell has replaced before this one reads the text: those whose
        dollar sign is not escaped.
        """
        self.script = script
        self._expanded = expanded
        self._text = script.shell.text
        self._scope = script.shell.origin(0)
        self._outer = outer
        self._uses = uses
        uses.shells[self._scope] = script.shell
        self._depth = 0
        self._known: dict[tuple[str, int], Binding] = {}
        self.context = ShellText(script.source, script.shell, self.lookup)

    def lookup(self, name: str, at: int) -> Binding | Unknown:
        """What `name` means at the index `at`."""
        if self._expanded is not None and self.script.source[self.script.shell.origin(at)] != "\\":
            return self._expanded(name, at)
        if not name[0].isalpha() and name[0] != "_":
            return self._positional(name, at)
        own = self._histories.get(name) or _NEVER_SET
        loop = own.loop(at)
        if loop is not None:
            return self._binding(name, [loop])
        if name in self._unread:
            return Unknown("variable-unknown", f"{name} is mentioned where the script is not understood")
        if name in self._set_by_commands:
            return Unknown("variable-unknown", f"a command sets {name}")
        before = own.before(at)
        if self._sourced(name, own.all[before - 1].end if before else 0, at):
            return Unknown("variable-unknown", f"a file that is read may set {name}")
        if not before:
            if own.all and self._repeated.hold(at):
                return Unknown("variable-conditional", f"{name} is set further down")
            return self._outer(name, at)
        if own.odd[before]:
            return Unknown("variable-unknown", f"what sets {name} is not followed")
        if before < len(own.all) and self._repeated.hold(at):
            return Unknown("variable-conditional", f"{name} is set again further down")
        inherited = isinstance(self._outer(name, at), Binding)
        if own.is_conditional(before, first=inherited):
            return Unknown("variable-conditional", f"{name} is set again under a condition")
        begin = own.begin[before]
        if own.all[begin].appends:
            return Unknown("variable-unknown", f"what {name} holds before is not known here")
        return self._binding(name, own.all[begin:before])

    def inside(self, command: Command) -> Lookup:
        """What names mean to a shell that `command` starts: of what is set here it gets what is exported."""

        def lookup(name: str, at: int) -> Binding | Unknown:
            if name in self._set or any(word.raw.startswith(f"{name}=") for word in command.words):
                return Unknown("variable-unknown", f"whether {name} is exported is not followed")
            return self._outer(name, command.place[0])

        return lookup

    def expanded(self, command: Command) -> Lookup:
        """What names mean in a text that this shell expands before `command`, a shell too, reads it."""

        def lookup(name: str, at: int) -> Binding | Unknown:
            found = self.lookup(name, command.place[0])
            if isinstance(found, Unknown):
                return found
            texts = [joined(each.pieces) for each in found.elements]
            if (
                name in "@*"
                or found.kind == "list"
                or not all(text is None or _PLAIN.fullmatch(text.text) for text in texts)
            ):
                return Unknown("variable-unknown", f"the value of {name} becomes part of a script")
            return found

        return lookup

    @cached_property
    def _unread(self) -> frozenset[str]:
        """The words in what is not understood."""
        unread = self.script.unread
        return frozenset(re.findall(r"\w+", self._text[slice(*unread)]) if unread else ())

    @cached_property
    def _set(self) -> set[str]:
        """The names that the text sets in any way."""
        assigned = (node.child_by_field_name("name") for node in self.script.assignment_nodes())
        return {
            *self._unread,
            *self._set_by_commands,
            *self._histories,
            *(self._of(node) for node in assigned if node is not None),
        }

    def _positional(self, name: str, at: int) -> Binding | Unknown:
        """What a function's `$@` or `$1` means: in turn what each of its calls gives."""
        place = self.functions.around(at)
        calls = self.functions.arguments(place) if place is not None else None
        if place is None or not calls:
            return Unknown("variable-unknown", f"the value of ${name} is not known here")
        scope = -1 - self.script.shell.origin(place[0])
        key = name, -1 - place[0]
        if key not in self._known:
            variable = Variable(scope, "@")
            self._uses.shells[scope] = self.script.shell.part(*place)
            number = int(name) if name.isdecimal() else 0
            given = [word for call in calls for word in (call[number - 1 : number] if number else call)]
            self._depth += 1
            listed = tuple(
                each for word in given for each in self._elements(word, self._pieces(word, variable))
            )
            self._depth -= 1
            self._known[key] = Binding(variable, "each", listed)
        return self._known[key]

    @cached_property
    def functions(self) -> Functions:
        """The functions of the text."""
        return Functions(self.script)

    def _sourced(self, name: str, start: int, end: int) -> bool:
        """Whether between two places a file is read that may set the variable."""
        foreign, known = self._sources
        places = known if _OF_OS_RELEASE.match(name) else foreign
        at = bisect_right(places, start)
        return at < len(places) and places[at] < end

    @cached_property
    def _set_by_commands(self) -> frozenset[str]:
        matches = _SETS.finditer(self._text)
        return frozenset(
            name for match in matches for name in re.findall(r"(?<![\w$])[A-Za-z_]\w*", match[1])
        )

    @cached_property
    def _sources(self) -> tuple[list[int], list[int]]:
        """Where the text reads files of unknown content, and where any."""
        sources = list(_SOURCES.finditer(self._text))
        foreign = [match.start(1) for match in sources if not _OS_RELEASE.match(match[1])]
        return foreign, [match.start(1) for match in sources]

    def _binding(self, name: str, made_by: list[Definition]) -> Binding:
        key = name, made_by[-1].end
        if key in self._known:
            return self._known[key]
        self._depth += 1
        kind = made_by[0].kind
        assert kind != "opaque"
        variable = Variable(self._scope, name)
        found: list[Element] = []
        text: list[Piece] = []
        for each in made_by:
            for word in each.words:
                own = self._pieces(word, variable)
                if kind == "text":
                    text += own
                else:
                    found += self._elements(word, own)
        self._depth -= 1
        if kind == "text":
            found = [Element(bounded(text, self.script.shell.span(made_by[-1].start, made_by[-1].end)))]
        binding = Binding(variable, kind, tuple(found))
        self._known[key] = binding
        return binding

    def _elements(self, word: Word, own: tuple[Piece, ...]) -> tuple[Element, ...]:
        """The elements that a word of a list adds."""
        listed = elements(self.context, word) if word.value is None and self._depth <= _DEEPEST else None
        return (Element(own, word),) if listed is None else listed

    def _pieces(self, word: Word, into: Variable) -> tuple[Piece, ...]:
        if self._depth > _DEEPEST:
            place = word.span
            return (Piece(Unknown("variable-unknown", "its value is nested too deeply"), (place,)),)
        for number, part in enumerate(word.parts):
            if part.kind == "variable" and is_plain(self.context, part):
                before, after = word.parts[:number][-1:], word.parts[number + 1 :][:1]
                if all(each.text[-1:].isspace() for each in before if each.text) and all(
                    each.text[:1].isspace() for each in after if each.text
                ):
                    self._uses.flows[self.script.shell.origin(part.start)] = into
        return bounded(pieces(self.context, word), word.span)

    @cached_property
    def _conditional(self) -> Ranges:
        flow = self.script.flow
        return Ranges([*flow.get("branch", ()), *flow.get("loop", ()), *flow.get("function", ())])

    @cached_property
    def _repeated(self) -> Ranges:
        flow = self.script.flow
        return Ranges([*flow.get("loop", ()), *flow.get("function", ())])

    @cached_property
    def _histories(self) -> Mapping[str, History]:
        return {name: History(own, self._conditional) for name, own in self._definitions().items()}

    def _definitions(self) -> Mapping[str, list[Definition]]:
        found: dict[str, list[Definition]] = {}
        for node in self.script.assignment_nodes():
            parent = node.parent
            if parent is not None and parent.type == "command":
                continue  # it holds for that command alone, and not yet for its words
            self._assigned(node, found)
        for node in self.script.flow.get("for", ()):
            name = node.child_by_field_name("variable")
            body = node.child_by_field_name("body")
            values = node.children_by_field_name("value")
            if name is not None and body is not None:
                words = tuple(self.script.builder.word([value], []) for value in values)
                own = Definition(node.start_byte, body.start_byte, "each", words, until=body.end_byte)
                found.setdefault(self._of(name), []).append(own)
        return found

    def _of(self, node: Node) -> str:
        return self._text[node.start_byte : node.end_byte]

    def _assigned(self, node: Node, found: dict[str, list[Definition]]) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        start, end = node.start_byte, node.end_byte
        appends = self._text.startswith("+=", name.end_byte)
        if name.type != "variable_name":
            found.setdefault(self._of(name).partition("[")[0], []).append(Definition(start, end, "opaque"))
            return
        builder = self.script.builder
        if value is None:
            own = Definition(start, end, "text", (), appends)
        elif value.type == "array":
            words = tuple(
                builder.word([child], []) for child in value.named_children if child.type != "comment"
            )
            own = Definition(start, end, "list", words, appends)
        else:
            own = Definition(start, end, "text", (builder.word([value], []),), appends)
        found.setdefault(self._of(name), []).append(own)
