"""Words with variables in them → the fields that they expand to, and where each is written.

POSIX shell, 2.6.2 "Parameter Expansion" and 2.6.5 "Field Splitting". A package that is named in a variable's value is
edited there, at its own place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from pinner.edit.span import Joined, Span
from pinner.regex import later
from pinner.shell.syntax import Part, Word

_BLANK = later(r"[ \t\n]+")
_ESCAPE = later(r'\\(?:([$`"\\])|\n)')
_EXPANSION = later(
    r"""\$(?:(?P<bare>\w+|[@*])
    |\{(?P<name>\w+|[@*])(?P<all>\[[@*]\])?(?:(?P<operator>:?[-=?+]|%%?|\#\#?)(?P<operand>[^{}$`"'\\]*))?\})""",
    re.VERBOSE,
)


class Variable(NamedTuple):
    """A variable: its name, and the offset where the text begins in which the name means this one."""

    scope: int
    name: str


class Unknown(NamedTuple):
    """Why a value is not known: a stable code, and a clause for people."""

    reason: str
    detail: str


class Piece(NamedTuple):
    """A part of a value: its text with its origins, or why it is not known.

    `places` are where it is written, the outermost first: the `$X` in the text that is expanded, what stands for it in
    the value of X, and so on; `through` are those variables. `splits` tells that blanks in it separate fields.
    """

    text: Joined | Unknown
    places: tuple[Span, ...]
    through: tuple[Variable, ...] = ()
    splits: bool = False

    def within(self, variable: Variable, place: Span, *, splits: bool = False) -> Piece:
        """This piece of the value of `variable`, as it comes in by an expansion at `place`."""
        return Piece(self.text, (place, *self.places), (variable, *self.through), splits)


class Element(NamedTuple):
    """What a variable holds as text, or one word of its list: that `word`, as a command would have it."""

    pieces: tuple[Piece, ...]
    word: Word | None = None


class Binding(NamedTuple):
    """What a variable holds: one `text`, a `list` of words, or `each` of several words in turn."""

    variable: Variable
    kind: Literal["text", "list", "each"]
    elements: tuple[Element, ...]


# More parts than any list has that a person keeps, and deeper than any person nests them.
_MOST = 5_000
_DEEPEST = 20


def bounded(found: Iterable[Piece], place: Span) -> tuple[Piece, ...]:
    """The pieces of a value, unless they are too many or come from too deep: then as one that is not known."""
    made = tuple(islice(found, _MOST + 1))
    if len(made) > _MOST or any(len(piece.places) > _DEEPEST for piece in made):
        return (
            Piece(Unknown("variable-unknown", "its value is put together from too many parts"), (place,)),
        )
    return made


#: What the name of a variable means at an index of the shell's text.
Lookup = Callable[[str, int], Binding | Unknown]


class Context(NamedTuple):
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


def fields(context: Context, word: Word) -> list[Field]:
    """The fields that `word` expands to."""
    if word.value is not None or any(part.kind in ("command", "arithmetic", "other") for part in word.parts):
        return [Field(word)]
    listed = elements(context, word)
    if listed is not None:
        return [found for each in listed for found in _of_element(context.source, each)]
    return _split(context.source, tuple(pieces(context, word)), word)


def elements(context: Context, word: Word) -> tuple[Element, ...] | None:
    """What `word` stands for one after the other, or in turn, if it is a list's expansion: `${X[@]}`, `$@`."""
    part = only_variable(word)
    if part is None:
        return None
    binding, match = _binding(context, part)
    if match is None or isinstance(binding, Unknown) or binding.kind == "text":
        return None
    if binding.kind == "list" and not match["all"]:
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


def only_variable(word: Word) -> Part | None:
    """The variable that `word` is an expansion of and nothing else."""
    used = [part for part in word.parts if part.kind == "variable"]
    if len(used) != 1 or any(part.text for part in word.parts if part.kind != "variable"):
        return None
    return used[0]


def is_plain(context: Context, part: Part) -> bool:
    """Whether a variable that holds something expands to that and no more: `$X`, `${X[@]}`, `${X:-…}`."""
    match = _EXPANSION.fullmatch(context.shell.text, part.start, part.end)
    return match is not None and (match["operator"] or "-")[-1] in "-?"


def _of_element(source: str, element: Element) -> list[Field]:
    through = frozenset(variable for piece in element.pieces for variable in piece.through)
    if element.word is not None and element.word.value is not None:
        return [Field(element.word, through)]
    return [
        each._replace(through=each.through | through) for each in _split(source, element.pieces, element.word)
    ]


def pieces(context: Context, word: Word) -> Iterator[Piece]:
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


def _literal(shell: Joined, part: Part) -> Joined:
    """A part's text after quote removal, with its origins."""
    raw = shell.part(part.start, part.end)
    if raw.text == part.text:
        return raw
    ranges = [(match.start(), match.end(), match[1] or "") for match in _ESCAPE.finditer(raw.text)]
    return raw.replaced(ranges or [(0, len(raw.text), part.text[:1])])


def _binding(context: Context, part: Part) -> tuple[Binding | Unknown, re.Match[str] | None]:
    match = _EXPANSION.fullmatch(context.shell.text, part.start, part.end)
    if match is None:
        return Unknown("expansion", f"what is done with {part.text} is not followed"), None
    return context.lookup(match["bare"] or match["name"], part.start), match


def _expanded(context: Context, part: Part, place: Span) -> Iterator[Piece]:
    splits = not part.quoted
    binding, match = _binding(context, part)
    if isinstance(binding, Unknown) or match is None:
        assert isinstance(binding, Unknown)
        yield Piece(binding, (place,), splits=splits)
    elif len(binding.elements) != 1:
        yield Piece(Unknown("variable-unknown", f"{part.text} has several values"), (place,), splits=splits)
    else:
        own = binding.elements[0].pieces
        if match["operator"]:
            own = _operated(own, match["operator"], match["operand"], place)
        for piece in own:
            yield piece.within(binding.variable, place, splits=splits)


def _operated(own: tuple[Piece, ...], operator: str, operand: str, place: Span) -> tuple[Piece, ...]:
    """`${X:-…}` and the like of a value that is known; `${X%…}` and the like cut it."""
    text = joined(own)
    if text is None:
        return own
    kind = operator[-1]
    if kind in "-=?" and text.text:
        return own
    if kind in "%#" and len(own) == 1:
        at = _cut(text.text, operand, at_end=kind == "%", longest=len(operator) == 2)
        return (own[0]._replace(text=text.part(0, at) if kind == "%" else text.part(at, len(text.text))),)
    return (Piece(Unknown("variable-unknown", "its default decides"), (place,)),)


def _cut(text: str, pattern: str, *, at_end: bool, longest: bool) -> int:
    """Where `text` is cut by the suffix (or prefix) that `pattern` matches."""
    from fnmatch import fnmatchcase

    places = range(len(text), -1, -1) if at_end != longest else range(len(text) + 1)
    for at in places:
        if fnmatchcase(text[at:] if at_end else text[:at], pattern):
            return at
    return len(text) if at_end else 0


def joined(own: Iterable[Piece]) -> Joined | None:
    """The text of pieces, None if one is not known."""
    texts = []
    for piece in own:
        if isinstance(piece.text, Unknown):
            return None
        texts.append(piece.text)
    return Joined.chain(texts)


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
        return [Field(word, why=Unknown("variable-unknown", "a variable in it holds several words"))]
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
    part = Part("quoted", raw, 0, 0)
    return Word(raw, text.text, span, (part,), span.end, guarded=True, levels=text.levels)


def _unknown(source: str, span: Span, own: Iterable[Piece]) -> Word:
    """A word that is written at `span` in a value, not all of whose pieces are known."""
    parts = tuple(
        Part("variable", piece.places[-1].of(source), 0, 0)
        if isinstance(piece.text, Unknown)
        else Part("quoted", piece.text.text, 0, 0)
        for piece in own
    )
    return Word(span.of(source), None, span, parts, span.end)
