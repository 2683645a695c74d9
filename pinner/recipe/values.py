"""Words with variables in them → the fields that they expand to, and where each is written.

POSIX shell, 2.6.2 "Parameter Expansion" and 2.6.5 "Field Splitting". A package that is named in a variable's value is
edited there, at its own place in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pinner.edit.span import Joined, Span
from pinner.regex import later
from pinner.shell import expand
from pinner.shell.expand import (
    Binding,
    Element,
    Lookup,
    Parameter,
    Piece,
    Unknown,
    Variable,
    joined,
    parameter,
)
from pinner.shell.syntax import Word, WordPart
from pinner.values import NamedTuple

_BLANK = later(r"[ \t\n]+")
_ESCAPE = later(r'\\(?:([$`"\\])|\n)')


class ShellText(NamedTuple):
    """A file's text, the shell text in it that words are read from, and the meaning of variables there."""

    source: str
    shell: Joined
    lookup: Lookup


class Field(NamedTuple):
    """One argument as the program gets it: `word`, whose value is None where it is not known, `why`.

    To write into it is to change the variables `through`. `pieces` make up its text where variables do.
    """

    word: Word
    through: frozenset[Variable] = frozenset()
    pieces: tuple[Piece, ...] = ()
    why: Unknown | None = None


def fields(context: ShellText, word: Word) -> list[Field]:
    """The fields that `word` expands to."""
    if word.value is not None or any(part.kind in ("command", "arithmetic", "other") for part in word.parts):
        return [Field(word)]
    listed = elements(context, word)
    if listed is not None:
        return [found for each in listed for found in _of_element(context.source, each)]
    found = _split(context.source, tuple(pieces(context, word)), word)
    if not found and (part := only_variable(word)) and is_plain(context, part):
        binding, _ = _binding(context, part)
        if isinstance(binding, Binding) and binding.fillable:
            return [Field(word, why=Unknown("variable-unknown", f"a build argument may fill {part.text}"))]
    return found


def elements(context: ShellText, word: Word) -> tuple[Element, ...] | None:
    """What `word` stands for one after the other, or in turn, if it is a list's expansion: `${X[@]}`, `$@`."""
    part = only_variable(word)
    if part is None:
        return None
    binding, own = _binding(context, part)
    if own is None or isinstance(binding, Unknown) or binding.kind == "text":
        return None
    if binding.kind == "list" and not own.all:
        return None
    place = context.shell.span(part.start, part.end)
    return tuple(
        Element(
            tuple(
                piece.within(binding.variable, place, splits=piece.splits or not part.quoted)
                for piece in each.pieces
            ),
            each.word,
        )
        for each in binding.elements
    )


def only_variable(word: Word) -> WordPart | None:
    """The variable that `word` is an expansion of and nothing else."""
    used = [part for part in word.parts if part.kind == "variable"]
    if len(used) != 1 or any(part.text for part in word.parts if part.kind != "variable"):
        return None
    return used[0]


def is_plain(context: ShellText, part: WordPart) -> bool:
    """Whether a variable that holds something expands to that and no more: `$X`, `${X[@]}`, `${X:-…}`."""
    own = parameter(context.shell.text, part.start)
    return own is not None and own.end == part.end and (own.operator or "-")[-1] in "-?"


def _of_element(source: str, element: Element) -> list[Field]:
    through = frozenset(variable for piece in element.pieces for variable in piece.through)
    if element.word is not None and element.word.value is not None:
        return [Field(element.word, through)]
    return [
        each._replace(through=each.through | through) for each in _split(source, element.pieces, element.word)
    ]


def pieces(context: ShellText, word: Word) -> Iterator[Piece]:
    """What `word` is made of, its variables replaced."""
    shell = context.shell
    for part in word.parts:
        place = shell.span(part.start, part.end)
        if part.kind in ("bare", "quoted"):
            yield Piece(_literal(shell, part), (place,))
        elif part.kind == "variable":
            yield from _expanded(context, part, place)
        elif part.kind == "command":
            yield Piece(Unknown("command-substitution", "a command's output decides it"), (place,))
        else:
            yield Piece(Unknown("expansion", "an expansion decides it"), (place,))


def _literal(shell: Joined, part: WordPart) -> Joined:
    """A part's text after quote removal, with its origins."""
    raw = shell.part(part.start, part.end)
    if raw.text == part.text:
        return raw
    ranges = [(match.start(), match.end(), match[1] or "") for match in _ESCAPE.finditer(raw.text)]
    return raw.replaced(ranges or [(0, len(raw.text), part.text[:1])])


def _binding(context: ShellText, part: WordPart) -> tuple[Binding | Unknown, Parameter | None]:
    own = parameter(context.shell.text, part.start)
    if own is None or own.end != part.end:
        return Unknown("expansion", f"what is done with {part.text} is not followed"), None
    return context.lookup(own.name, part.start), own


def _expanded(context: ShellText, part: WordPart, place: Span) -> Iterator[Piece]:
    binding, own = _binding(context, part)
    if own is None:
        assert isinstance(binding, Unknown)
        found: Iterable[Piece] = (Piece(binding, (place,)),)
    else:
        start, end = own.operand
        operand = expand.pieces(context.shell, context.lookup, reach=(start, end))
        if "$(" in context.shell.text[start:end] or "`" in context.shell.text[start:end]:
            unread = Unknown("command-substitution", "a command's output decides it")
            operand = iter((Piece(unread, (place,)),))
        found = expand.expanded(binding, own, operand, place)
    for piece in found:
        yield piece._replace(splits=not part.quoted)


def _split(source: str, own: Sequence[Piece], word: Word | None) -> list[Field]:
    """The fields that pieces make; `word` if they make up a word of a command, a loop or a list."""
    groups: list[list[Piece]] = [[]]
    for piece in own:
        text = piece.text
        if isinstance(text, Unknown) or not (piece.splits or word is None):
            groups[-1].append(piece)
            continue
        begin = 0
        for blank in _BLANK.finditer(text.text):
            if blank.start() > begin:
                groups[-1].append(_part(piece, text, begin, blank.start()))
            groups.append([])
            begin = blank.end()
        if begin < len(text.text):
            groups[-1].append(_part(piece, text, begin, len(text.text)))
    found = [_field(source, group, word) for group in groups if group]
    if word is not None and len(found) > 1 and any(each.word.span == word.span for each in found):
        return [Field(word, why=Unknown("variable-unknown", "a variable in it holds several arguments"))]
    return found


def _part(piece: Piece, text: Joined, begin: int, end: int) -> Piece:
    """What stands from `begin` to `end` of the text of a piece, at its own place."""
    part = text.part(begin, end)
    return piece._replace(text=part, places=(*piece.places[:-1], part.span(0, end - begin)))


def _field(source: str, own: Sequence[Piece], word: Word | None) -> Field:
    text = joined(own)
    if text is None:
        unknown = next(piece for piece in own if isinstance(piece.text, Unknown))
        assert isinstance(unknown.text, Unknown)
        if word is not None and any(len(piece.places) == 1 for piece in own):
            return Field(word, why=unknown.text)
        depth = _shared(own)
        place = Span(own[0].places[depth].start, own[-1].places[depth].end)
        return Field(_unknown(source, place, own), why=unknown.text)
    carried = [piece for piece in own if not isinstance(piece.text, Unknown) and piece.text.text]
    size = len(text.text)
    if carried and all(piece.through for piece in carried) and text.is_whole(0, size):
        through = frozenset(variable for piece in carried for variable in piece.through)
        if word is not None and not text.span(0, size).of(source):
            name = carried[-1].through[-1].name
            return Field(word, why=Unknown("variable-elsewhere", f"another file gives {name} its value"))
        return Field(_word(source, text.span(0, size), text), through, tuple(own))
    depth = _shared(carried)
    through = frozenset(carried[0].through[:depth]) if carried else frozenset()
    if word is not None and not depth:
        return Field(word._replace(value=text.text), through, tuple(own))
    place = (
        Span(carried[0].places[depth].start, carried[-1].places[depth].end) if carried else own[0].places[0]
    )
    if any(not isinstance(piece.text, Unknown) and piece.text.levels != text.levels for piece in own):
        return Field(
            _unknown(source, place, own), why=Unknown("variable-unknown", "it is put together from afar")
        )
    return Field(_word(source, place, text), through, tuple(own))


def _shared(own: Sequence[Piece]) -> int:
    """Through how many variables, from the outside, all pieces come by the same way."""
    depth = 0
    while own and all(
        len(piece.places) > depth + 1 and piece.places[depth] == own[0].places[depth] for piece in own
    ):
        depth += 1
    return depth


def _word(source: str, span: Span, text: Joined) -> Word:
    """A word that is written at `span` in a value, where no shell looks for globs."""
    raw = span.of(source)
    part = WordPart("quoted", raw, 0, 0)
    return Word(raw, text.text, span, (part,), span.end, guarded=True, levels=text.levels)


def _unknown(source: str, span: Span, own: Iterable[Piece]) -> Word:
    """A word that is written at `span` in a value, not all of whose pieces are known."""
    parts = tuple(
        WordPart("variable", piece.places[-1].of(source), 0, 0)
        if isinstance(piece.text, Unknown)
        else WordPart("quoted", piece.text.text, 0, 0)
        for piece in own
    )
    return Word(span.of(source), None, span, parts, span.end)
