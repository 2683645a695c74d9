"""Shell text → simple commands → words, each with its span.

The words are those of the grammar's tree (`text/tree.py`). Their borders are checked against the shell's own token
rules (POSIX shell, 2.3). Where the tree is in doubt, or the two disagree, the text is not understood; nothing is
guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Span
from pinner.regex import later
from pinner.shell import plain
from pinner.shell.words import Builder, UnparsableError, Word, WordPart
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

    from pinner.shell.lexer import Heredoc, Range
    from pinner.shell.tree import SyntaxTree

__all__ = ["Command", "Script", "UnparsableError", "Word", "WordPart", "read"]

#: Any command.
EVERY = later("")
_WORD = r"""(?:[^\s'"\\;&|()<>]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+"""
_TOKEN = later(rf"[ \t]*(?:\d*(?:&>>?|<<<|<>|>>|>\||[<>]&?)[ \t]*{_WORD}|(?P<word>{_WORD}))", re.DOTALL)
_ASSIGNMENT = later(r"\w+(?:\[[^]]*\])?\+?=")
_ENDS_COMMAND = later(r"[ \t]*(?:[;&|)\n`#]|\Z)")
_NESTED = ("command_substitution", "process_substitution")
_COLLECTED = {
    *(
        "command",
        "file_redirect",
        "variable_assignment",
        "comment",
        "function_definition",
        "heredoc_redirect",
    ),
    *_NESTED,
}


class Command(NamedTuple):
    """A simple command without its assignments and redirections; `nested` if in a command substitution.

    `certain` is False where the tree leaves text of it unaccounted for: there may be words that are not listed.
    `place` is where it stands in the shell's text.
    """

    words: tuple[Word, ...]
    span: Span
    nested: bool
    certain: bool
    place: Range


class Script:
    """A text that was understood: what it does is looked up by a string that must occur there.

    `heredocs` are its here-documents, in text order; what they hold is no part of its commands. `unread` is what is not
    understood of it.
    """

    def __init__(self, source: str, shell: Joined) -> None:
        """Raises `UnparsableError`."""
        self.source = source
        self.shell = shell
        self.builder = Builder(source, shell)
        self.heredocs: tuple[Heredoc, ...] = ()
        self.unread: Range | None = None
        #: The statements, if all are plain.
        self.plain = plain.read(shell.text)
        if self.plain is None:
            self.heredocs, self.unread = self._tree.heredocs, self._tree.unread
        if "<<" in shell.text:
            inputs = {node.start_byte for node in self._nodes("file_redirect")}
            if "heredoc_redirect" in self._found or not all(
                each.operator[0] - len(each.descriptor) in inputs for each in self.heredocs
            ):
                raise UnparsableError  # the grammar sees other here-documents than the shell's rules

    @cached_property
    def _tree(self) -> SyntaxTree:
        from pinner.shell import tree

        return tree.read(self.shell.text)

    @property
    def root(self) -> Node:
        """The root of the grammar's tree."""
        return self._tree.root

    @cached_property
    def _found(self) -> Mapping[str, list[Node]]:
        return _nodes(self.shell.text) if self.plain is None else {}

    @cached_property
    def _nested(self) -> list[Range]:
        return list(_outermost(self._nodes(*_NESTED)))

    def commands(
        self, mention: re.Pattern[str] = EVERY, but: Container[str] = frozenset()
    ) -> tuple[Command, ...]:
        """The simple commands that match `mention`, but for those of some programs, in text order. Raises
        `UnparsableError`."""
        if self.plain is not None:
            return tuple(
                Command(
                    tuple(map(self.builder.plain, each.words)),
                    self.shell.span(each.first, each.end_byte),
                    False,
                    True,
                    (each.start_byte, each.end_byte),
                )
                for each in plain.commands(self.shell.text)
                if each.words and each.args[0].text.rpartition("/")[2] not in but
                if mention.search(self.shell.text, each.start_byte, each.end_byte)
            )
        commands = []
        for draft in _drafts(self.shell.text, self._tree.mask, self.builder, self._found, mention):
            name = draft.words[0].value if draft.words else None
            if name and name.rpartition("/")[2] in but and name not in self.functions:
                continue
            at = bisect_right(self._nested, (draft.start, len(self.shell.text))) - 1
            inside = at >= 0 and self._nested[at][1] > draft.start
            span = self.shell.span(draft.first, draft.end)
            certain = draft.certain(self._tree.mask)
            commands.append(Command(tuple(draft.words), span, inside, certain, (draft.start, draft.end)))
        return tuple(commands)

    def assignments(self, mention: re.Pattern[str]) -> tuple[Word, ...]:
        """The assignments that match `mention`, each as one word `name=value`."""
        nodes = self._nodes("variable_assignment")
        if any(
            each.assigned and mention.search(self.shell.text, each.start_byte, each.first)
            for each in plain.commands(self.shell.text)
        ):
            nodes = _collected(self.root, {"variable_assignment"}).get("variable_assignment", [])
        return tuple(
            self.builder.word([node], [])
            for node in nodes
            if mention.search(self.shell.text, node.start_byte, node.end_byte)
        )

    @cached_property
    def functions(self) -> Mapping[str, list[Node]]:
        """The functions that the text defines, by name."""
        found: dict[str, list[Node]] = {}
        for node in self._nodes("function_definition"):
            name = node.child_by_field_name("name")
            if name is not None:
                found.setdefault(self.shell.text[name.start_byte : name.end_byte], []).append(node)
        return found

    def _nodes(self, *kinds: str) -> list[Node]:
        return _in_order(node for kind in kinds for node in self._found.get(kind, ()))

    def comments(self) -> tuple[Span, ...]:
        """The comments."""
        return tuple(self.shell.span(node.start_byte, node.end_byte) for node in self._nodes("comment"))


def read(source: str, shell: Joined) -> Script:
    """Read `shell`, pieces of `source`, as bash does.

    Raises `UnparsableError`. Takes time linear in the text's size.
    """
    return Script(source, shell)


def _collected(root: Node, kinds: Container[str]) -> dict[str, list[Node]]:
    """The nodes of these kinds, in text order. A query would take longer to compile than most files to read."""
    found: dict[str, list[Node]] = {}
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and node.type in kinds and node.is_named:
            found.setdefault(node.type, []).append(node)
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found


@lru_cache(maxsize=128)
def _nodes(text: str) -> Mapping[str, list[Node]]:
    """The nodes of a text, by kind: many files have the same lines. Raises `UnparsableError`."""
    from pinner.shell import tree

    return _collected(tree.read(text).root, _COLLECTED)


def _in_order(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte))


def _outermost(nodes: Iterable[Node]) -> Iterator[Range]:
    """The ranges of `nodes` (in text order) that lie in no other of them."""
    end = -1
    for node in nodes:
        if node.start_byte >= end:
            end = node.end_byte
            yield node.start_byte, end


class _Draft:
    """A command while its words are gathered: the tree puts words behind a redirection into the redirection."""

    def __init__(self, node: Node, builder: Builder) -> None:
        self.start = node.start_byte
        self.end = node.end_byte
        self.words: list[Word] = []
        self._builder = builder
        self._ranges: list[Range] = []
        self._opaque: list[Range] = []
        group: list[Node] = []
        for child in node.children:
            kind = child.type
            redirects = kind in ("file_redirect", "herestring_redirect")
            if group and (redirects or child.start_byte > group[-1].end_byte):
                self._word(group)
                group = []
            if redirects:
                self.take(child)
            elif kind != "variable_assignment" or self.words:
                group.append(child)
        self._word(group)

    @property
    def first(self) -> int:
        """Where the command's name begins, behind assignments and redirections."""
        return self._ranges[0][0] if self._ranges else self.start

    def _word(self, nodes: list[Node]) -> None:
        if nodes:
            self._ranges.append((nodes[0].start_byte, nodes[-1].end_byte))
            self.words.append(self._builder.word(nodes, self._opaque))

    def take(self, redirect: Node) -> None:
        """Add the words that stand behind a redirection's own word."""
        for own in redirect.children_by_field_name("destination")[:1]:
            self._opaque += self._builder.opaque(own)
        for extra in _extras(redirect):
            self._word([extra])
        self.end = max(self.end, redirect.end_byte)

    def certain(self, text: str) -> bool:
        """Whether the shell's token rules find the same words in `text`, and the command ends where they do."""
        masked = bytearray(text[self.start : self.end], "ascii")
        for start, end in self._opaque:
            masked[start - self.start : end - self.start] = b"x" * (end - start)
        own = masked.decode("ascii")
        found: list[Range] = []
        at = 0
        while match := _TOKEN.match(own, at):
            at = match.end()
            if match["word"] and (found or not _ASSIGNMENT.match(match["word"])):
                found.append((match.start("word") + self.start, at + self.start))
        return at == len(own) and found == self._ranges and _ENDS_COMMAND.match(text, self.end) is not None


def _drafts(
    shown: str, text: str, builder: Builder, found: Mapping[str, list[Node]], mention: re.Pattern[str]
) -> list[_Draft]:
    """The commands that match `mention`, in text order, with all their words."""
    redirects = [(redirect, _end_before(text, redirect)) for redirect in found.get("file_redirect", ())]
    # Words behind a redirection are the command's, but not in its node.
    continued = {
        end
        for redirect, end in redirects
        if any(mention.search(shown, extra.start_byte, extra.end_byte) for extra in _extras(redirect))
    }
    drafts = [
        _Draft(node, builder)
        for node in found.get("command", ())
        if mention.search(shown, node.start_byte, node.end_byte) or node.end_byte in continued
    ]
    ends = {draft.end: draft for draft in drafts}
    for redirect, end in redirects:
        if (draft := ends.get(end)) is not None:
            draft.take(redirect)
            ends[draft.end] = draft
    if not continued <= ends.keys():
        raise UnparsableError
    return drafts


def _end_before(text: str, node: Node) -> int:
    """Where the text before `node` ends, blanks left aside."""
    end = node.start_byte
    while end and text[end - 1] in " \t":
        end -= 1
    return end


def _extras(redirect: Node) -> list[Node]:
    """The words that the tree puts into a redirection behind its own word."""
    return redirect.children_by_field_name("destination")[1:]
