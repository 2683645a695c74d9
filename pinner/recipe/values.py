"""Words with variables in them → the fields that they expand to, and where each is written.

POSIX shell, 2.6.2 "Parameter Expansion" and 2.6.5 "Field Splitting". A package that is named in a variable's value is
edited there, at its own place in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, product

from pinner.edit.span import Joined, Span
from pinner.regex import later
from pinner.shell.expand import (
    Piece,
    Unknown,
    Variable,
    joined,
    names_of,
    not_known,
    parameter,
    split,
)
from pinner.shell.syntax import Word, WordPart
from pinner.shell.trace import Trace
from pinner.values import NamedTuple

_ESCAPE = later(r'\\(?:([$`"\\])|\n)')
# What no shell reads anything into.
_PLAIN = later(r"[\w\s.+:=~*@/,^%-]*")
_MOST = 64


class ShellText(NamedTuple):
    """A file's text, the shell text in it that words are read from, and what the expansions there may be."""

    source: str
    shell: Joined
    trace: Trace


class Field(NamedTuple):
    """One argument as the program gets it: `word`, whose value is None where it is not known, `why`.

    To write into it is to change the variables `through`. `pieces` make up its text where variables do.
    """

    word: Word
    through: frozenset[Variable] = frozenset()
    pieces: tuple[Piece, ...] = ()
    why: Unknown | None = None


def fields(context: ShellText, word: Word) -> list[Field]:
    """The fields that `word` may expand to."""
    if word.value is not None or not _is_followed(context, word):
        return [Field(word)]
    ways = _ways(context, word)
    found = dict.fromkeys(each for way in ways for each in _of_way(context.source, way, word))
    if not found and (part := only_variable(word)) and part.text in context.trace.fillable:
        return [Field(word, why=Unknown("variable-unknown", f"a build argument may fill {part.text}"))]
    own = {(each.word.value, each.why): each for each in found if each.word.span == word.span}
    rest = [each for each in found if each.word.span != word.span]
    if len(own) > 1 or (rest and any(value is not None for value, _ in own)):
        detail = f"{names_of(word.variables)} may have several values"
        return [Field(word, why=Unknown("variable-unknown", detail)), *rest]
    return [*own.values(), *rest]


def _is_followed(context: ShellText, word: Word) -> bool:
    """Whether it may be known what a word becomes: of commands in it, only what one alone prints."""
    if any(part.kind in ("arithmetic", "other") for part in word.parts):
        return False
    if all(part.kind != "command" for part in word.parts):
        return True
    part = only_variable(word)
    return part is not None and context.shell.origin(part.start) in context.trace.ways


def only_variable(word: Word) -> WordPart | None:
    """The variable or command that `word` is an expansion of and nothing else."""
    used = [part for part in word.parts if part.kind in ("variable", "command")]
    if len(used) != 1 or any(part.text for part in word.parts if part is not used[0]):
        return None
    return used[0]


def input_fields(context: ShellText, word: Word) -> list[Field]:
    """The words that a command whose last word is this gets by xargs; none if they are not known."""
    found = context.trace.inputs.get(word.span.end, {})
    if not all(each.ways for each in found):
        return []
    return [field for each in found for way in each.ways for field in _of_way(context.source, way, word)]


def is_plain(context: ShellText, part: WordPart) -> bool:
    """Whether a variable that holds something expands to that and no more: `$X`, `${X[@]}`, `${X:-…}`."""
    if part.kind == "command":
        return True
    own = parameter(context.shell.text, part.start)
    return own is not None and own.end == part.end and (own.operator or "-")[-1] in "-?"


def _ways(context: ShellText, word: Word) -> list[list[Piece | None]]:
    """What `word` may be made of, its variables replaced. Those that change together are the same in number."""
    parts: list[list[list[Piece | None]]] = []
    for part in word.parts:
        place = context.shell.span(part.start, part.end)
        if part.kind in ("variable", "command"):
            known = context.trace.ways.get(place.start)
            ways = known or [(Piece(_unseen(context, part), (place,)),)]
            if _is_outer(context, place) and not all(map(_is_plain_text, ways)):
                why = Unknown("variable-unknown", f"the value of {part.text} becomes part of a script")
                ways = [(Piece(why, (place,)),)]
            parts.append([[each and each._replace(splits=not part.quoted) for each in way] for way in ways])
        else:
            parts.append([[Piece(literal(context.shell, part), (place,))]])
    most = max(map(len, parts), default=1)
    if all(len(each) in (1, most) for each in parts):
        return [[piece for each in parts for piece in each[at % len(each)]] for at in range(most)]
    return [[piece for each in way for piece in each] for way in islice(product(*parts), _MOST)]


def _unseen(context: ShellText, part: WordPart) -> Unknown:
    """Why an expansion is not known that no walk has met."""
    if parameter(context.shell.text, part.start) is None:
        return Unknown("expansion", f"what is done with {part.text} is not followed")
    return Unknown("variable-unknown", not_known(part.text))


def _is_outer(context: ShellText, place: Span) -> bool:
    """Whether an expansion is made by another shell before this one reads the text."""
    return context.shell.levels[:1] in (("double",), ("heredoc",)) and context.source[place.start] != "\\"


def _is_plain_text(way: Iterable[Piece | None]) -> bool:
    """Whether a shell reads words in this, and nothing else."""
    return all(
        each is not None and (isinstance(each.text, Unknown) or _PLAIN.fullmatch(each.text.text) is not None)
        for each in way
    )


def literal(shell: Joined, part: WordPart) -> Joined:
    """A part's text after quote removal, with its origins."""
    raw = shell.part(part.start, part.end)
    if raw.text == part.text:
        return raw
    ranges = [(match.start(), match.end(), match[1] or "") for match in _ESCAPE.finditer(raw.text)]
    return raw.replaced(ranges or [(0, len(raw.text), part.text[:1])])


def _of_way(source: str, way: Iterable[Piece | None], word: Word) -> list[Field]:
    found = [_field(source, group, word) for group in split(way)]
    if len(found) > 1 and any(each.word.span == word.span for each in found):
        return [Field(word, why=Unknown("variable-unknown", "a variable in it holds several arguments"))]
    return found


def _field(source: str, own: Sequence[Piece], word: Word) -> Field:
    text = joined(own)
    if text is None:
        unknown = next(piece for piece in own if isinstance(piece.text, Unknown))
        assert isinstance(unknown.text, Unknown)
        if any(len(piece.places) <= 1 for piece in own):
            return Field(word, why=unknown.text)
        depth = _shared(own)
        place = Span(own[0].places[depth].start, own[-1].places[depth].end)
        return Field(_unknown(source, place, own), why=unknown.text)
    carried = [piece for piece in own if not isinstance(piece.text, Unknown) and piece.text.text]
    size = len(text.text)
    if carried and all(piece.through for piece in carried) and text.is_whole(0, size):
        through = frozenset(variable for piece in carried for variable in piece.through)
        if not text.span(0, size).of(source):
            name = carried[-1].through[-1].name
            return Field(word, why=Unknown("variable-elsewhere", f"another file gives {name} its value"))
        bare = all(piece.bare for piece in own)
        return Field(_word(source, text.span(0, size), text, bare=bare), through, tuple(own))
    depth = _shared(carried)
    through = frozenset(carried[0].through[:depth]) if carried else frozenset()
    if not depth:
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


def _word(source: str, span: Span, text: Joined, *, bare: bool = False) -> Word:
    """A word that is written at `span` in a value; `bare` if a shell looks for globs there."""
    raw = span.of(source)
    part = WordPart("bare" if bare else "quoted", raw, 0, 0)
    return Word(raw, text.text, span, (part,), span.end, guarded=not bare, levels=text.levels)


def _unknown(source: str, span: Span, own: Iterable[Piece]) -> Word:
    """A word that is written at `span` in a value, not all of whose pieces are known."""
    parts = tuple(
        WordPart("variable", piece.places[-1].of(source), 0, 0)
        if isinstance(piece.text, Unknown)
        else WordPart("quoted", piece.text.text, 0, 0)
        for piece in own
    )
    return Word(span.of(source), None, span, parts, span.end)
