"""What `$X` and `${X…}` stand for: the one reader of Docker's and the shell's expansion of variables.

POSIX shell, 2.6.2 "Parameter Expansion"; Dockerfile reference, "Environment replacement", whose operators are the
shell's. A value remembers where each part of it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pinner.edit.span import Joined, Span
from pinner.regex import later
from pinner.values import NamedTuple

_PARAMETER = later(
    r"""\$(?:(?P<bare>[A-Za-z_]\w*|[0-9@*])
    |\{(?P<name>\w+|[@*])(?P<all>\[[@*]\])?(?:\[0\])?(?:(?P<operator>:?[-=?+]|%%?|\#\#?|//?[\#%]?|\^\^?|,,?)|(?=\})))""",
    re.VERBOSE,
)
_SHIFT = later(r"[^\\'\"{}$]+|\\.|'[^']*'|\$\{|.", re.DOTALL)
_PLAIN = later(r"[^\\`'\"$]+")
_WORD = later(r"""(?:[^\s'"\\]|\\.?|'[^']*'|"(?:[^"\\]|\\.)*"|['"])+""", re.DOTALL)
_WORD_BACKTICK = later(r"""(?:[^\s'"`]|`.?|'[^']*'|"(?:[^"`]|`.)*"|['"])+""", re.DOTALL)
BLANK = later(r"[ \t\n]+")
# More parts than any list has that a person keeps, and deeper than any person nests them.
_MOST = 1_000
_DEEPEST = 20


#: A variable that nothing sets: what a file's own format puts in its place is not known.
REPLACED = "replaced_before_the_shell"


def names_of(variables: Iterable[str]) -> str:
    """What messages call variables."""
    called = {REPLACED: "a value that is filled in", "@": "$@", "*": "$*"}
    return ", ".join(dict.fromkeys(called.get(each, each) for each in variables))


def not_known(*variables: str) -> str:
    """A clause about variables without a known value."""
    if {*variables} == {REPLACED}:
        return "a value is filled in here that is not known"
    return f"the value of {names_of(variables)} is not known here"


class Variable(NamedTuple):
    """A variable that is set at the offset `at`; from `start` to `end` of the file its name may mean this one."""

    name: str
    at: int
    start: int
    end: int


class Unknown(NamedTuple):
    """Why a value is not known: a stable code, and a clause for people; `unset` if the file gives it none."""

    reason: str
    detail: str
    unset: bool = False


_TOO_MANY = Unknown("variable-unknown", "its value is put together from too many parts")


class Piece(NamedTuple):
    """A part of a value: its text with its origins, or why it is not known.

    `places` are where it is written, the outermost first: the `$X` in the text that is expanded, what stands for it in
    the value of X, and so on, a `${X:-…}` before what is written in it; `through` are those variables. `splits` tells
    that blanks in it separate fields, `bare` that it is written without quotes where a shell looks for globs.
    """

    text: Joined | Unknown
    places: tuple[Span, ...]
    through: tuple[Variable, ...] = ()
    splits: bool = False
    bare: bool = False

    def at(self, place: Span, *, splits: bool = False) -> Piece:
        """This piece of a variable's value, as it comes in by an expansion at `place`."""
        return self._replace(places=(place, *self.places), splits=splits)


#: What a text may be, each way as its pieces; None parts the words of a list.
Ways = tuple[tuple["Piece | None", ...], ...]
#: What the name of a variable means at an index of a text: the pieces of its value.
Lookup = Callable[[str, int], "Sequence[Piece] | Unknown"]


class Parameter(NamedTuple):
    """One `$X` or `${X…}`: the name, `all` of a list's words, the operator, and where the operand and all of it end."""

    name: str
    all: bool
    operator: str
    operand: tuple[int, int]
    end: int


def parameter(text: str, at: int) -> Parameter | None:
    """The expansion of a variable that begins at `at`; None if it is of another form, or nested too deeply."""
    match = _PARAMETER.match(text, at)
    if match is None:
        return None
    if match["bare"]:
        return Parameter(match["bare"], False, "", (match.end(),) * 2, match.end())
    end, depth, quoted = match.end(), 0, False
    while end < len(text):
        token = _SHIFT.match(text, end)
        assert token is not None  # the pattern matches every character
        if token[0] == "}":
            if not depth:
                return Parameter(
                    match["name"], bool(match["all"]), match["operator"] or "", (match.end(), end), end + 1
                )
            depth -= 1
        depth += token[0] == "${"
        if depth > _DEEPEST:
            return None
        quoted ^= token[0] == '"'
        end = end + 1 if token[0][0] == "'" and quoted else token.end()
    return None


def chosen(operator: str, *, unset: bool, empty: bool) -> Literal["value", "operand", "nothing", "cut"]:
    """What an operator makes of a variable that is unset, or set and empty: its value, the operand, nothing, or what is
    left of the value."""
    kind = operator[-1:] if operator[:1] in {"", ":", "-", "=", "?", "+"} else "cut"
    lacks = unset or (empty and operator[0] == ":") if kind else False
    if kind in {"-", "="}:
        return "operand" if lacks else "value"
    if kind == "+":
        return "nothing" if lacks else "operand"
    return "cut" if kind == "cut" else "value"


def operate(value: str, operator: str, operand: str) -> str:
    """A value after `${X#…}`, `${X%…}`, `${X/…/…}`, `${X^}` or `${X,}` (bash(1), "Parameter Expansion")."""
    kind = operator[0]
    if kind in "#%":
        at = _cut(value, operand, at_end=kind == "%", longest=len(operator) == 2)
        return value[:at] if kind == "%" else value[at:]
    if kind in "^,":
        change = str.upper if kind == "^" else str.lower
        return change(value) if len(operator) == 2 else change(value[:1]) + value[1:]
    from fnmatch import translate

    old, _, new = operand.partition("/")
    pattern = translate(old).removesuffix(r"\z").removesuffix(r"\Z")
    anchored = operator[-1] if operator[-1] in "#%" else ""
    pattern = rf"\A{pattern}" if anchored == "#" else rf"{pattern}\Z" if anchored == "%" else pattern
    return re.sub(pattern, lambda _: new, value, count=0 if operator[:2] == "//" else 1) if old else value


def _cut(text: str, pattern: str, *, at_end: bool, longest: bool) -> int:
    """Where `text` is cut by the suffix (or prefix) that `pattern` matches."""
    from fnmatch import fnmatchcase

    places = range(len(text), -1, -1) if at_end != longest else range(len(text) + 1)
    for at in places:
        if fnmatchcase(text[at:] if at_end else text[:at], pattern):
            return at
    return len(text) if at_end else 0


def expanded(
    found: Sequence[Piece] | Unknown, own: Parameter, operand: Iterable[Piece], place: Span
) -> Iterator[Piece]:
    """What an expansion at `place` of a variable, found as this, becomes; `operand` are the pieces of its operand."""
    if isinstance(found, Unknown):
        choice: str = "value" if not found.unset else chosen(own.operator, unset=True, empty=False)
        if choice == "operand":
            yield from (piece._replace(places=(place, *piece.places)) for piece in operand)
        elif choice != "nothing":
            why = Unknown("variable-unknown", f"{own.name} must be set")
            yield Piece(why if own.operator[-1:] == "?" else found, (place,))
        return
    text = joined(found)
    choice = chosen(own.operator, unset=False, empty=text is not None and not text.text)
    if (
        choice == "operand"
    ):  # a pin belongs to the word that stands in the operand, not to whatever else it becomes
        yield from (piece._replace(places=(place, *piece.places)) for piece in operand)
    elif choice == "cut" and text is not None:
        other = joined(operand)
        yield cut(found, None if other is None else operate(text.text, own.operator, other.text), own, place)
    elif choice != "nothing":
        yield from (piece.at(place) for piece in found)


def cut(found: Sequence[Piece], text: str | None, own: Parameter, place: Span) -> Piece:
    """What is left of a value by an operator, `text`, at its own place if it is written in one; None: not known."""
    if text is None:
        return Piece(Unknown("expansion", f"what is done with ${own.name} is not followed"), (place,))
    whole = found[0].text if len(found) == 1 else None
    at = whole.text.find(text) if isinstance(whole, Joined) and text else -1
    if isinstance(whole, Joined) and at >= 0:
        return found[0]._replace(text=whole.part(at, at + len(text))).at(place)
    return Piece(written(text, place), (place,))


def written(text: str, place: Span) -> Joined:
    """A text that stands for what is written at `place`."""
    return Joined.chain(Joined(char, (0,), (place.start,), (place.end,)) for char in text)


def pieces(
    text: Joined, lookup: Lookup, escape: str = "\\", reach: tuple[int, int] | None = None
) -> Iterator[Piece]:
    """What a text is after quote removal, its variables replaced, from and up to the indices `reach` of it.

    This is Docker's reading of ARG, ENV and FROM: no fields are split, no commands run.
    """
    index, size = reach or (0, len(text.text))
    begin, quoted = index, False
    skips: list[tuple[int, int, str]] = []

    def run(end: int) -> Iterator[Piece]:
        if end > begin:
            part = text.part(begin, end)
            shifted = [(start - begin, stop - begin, char) for start, stop, char in skips]
            yield Piece(part.replaced(shifted) if shifted else part, (text.span(begin, end),))
        skips.clear()

    while index < size:
        plain = _PLAIN.match(text.text, index, size)
        if plain:
            index = plain.end()
            continue
        char = text.text[index]
        end = index + 1
        if char == escape and end < size:
            if not quoted or text.text[end] in f'"${escape}':
                skips.append((index, index + 2, text.text[end]))
            end = index + 2
        elif char == '"':
            quoted = not quoted
            skips.append((index, end, ""))
        elif char == "'" and not quoted and (stop := text.text.find("'", end, size)) >= 0:
            skips += ((index, end, ""), (stop, stop + 1, ""))
            end = stop + 1
        elif char == "$" and text.text[end : end + 1] not in {"", "(", " ", '"', "'"}:
            own = parameter(text.text, index)
            if own is None and text.text[end] == "{":
                yield from run(index)
                unread = Unknown("expansion", "what is done with a variable is not followed")
                yield Piece(unread, (text.span(index, size),))
                return
            if own is not None and own.end <= size:
                yield from run(index)
                operand = pieces(text, lookup, escape, own.operand)
                place = text.span(index, own.end)
                yield from expanded(lookup(own.name, index), own, operand, place)
                begin = end = own.end
        index = end
    yield from run(size)


def substitute(
    word: str, values: Mapping[str, str | None], escape: str, unknown: str | None = None
) -> str | None:
    """`word` with quotes removed and variables replaced; `unknown` stands for what is not known in it, if that is None
    for all of it.

    `values` maps a variable to its value, or to None when it has one that is not known here. A variable that is
    absent is empty, as in Docker.
    """
    if word.isalnum():
        return word

    def lookup(name: str, at: int) -> Sequence[Piece] | Unknown:
        value = values.get(name, "")
        if value is None or name not in values:
            return Unknown("variable-unknown" if value is None else "", "", unset=True)
        return (Piece(Joined(value, (0,), (0,), (len(value),)), (Span(0, 0),)),)

    whole = Joined(word, (0,), (0,), (len(word),))
    found = bounded(pieces(whole, lookup, escape))
    if unknown is None and any(isinstance(each.text, Unknown) and each.text.reason for each in found):
        return None
    parts = (
        each.text.text if not isinstance(each.text, Unknown) else unknown if each.text.reason else ""
        for each in found
    )
    return "".join(part or "" for part in parts)


def bounded(found: Iterable[Piece]) -> tuple[Piece, ...]:
    """The pieces of a value, unless they are too many or come from too deep: then as one that is not known."""
    made: list[Piece] = []
    for piece in found:
        if len(made) == _MOST or len(piece.places) > _DEEPEST or piece.text == _TOO_MANY:
            return (Piece(_TOO_MANY, ()),)
        made.append(piece)
    return tuple(made)


def joined(own: Iterable[Piece]) -> Joined | None:
    """The text of pieces, None if one is not known."""
    texts = []
    for piece in own:
        if isinstance(piece.text, Unknown):
            return None
        texts.append(piece.text)
    return Joined.chain(texts)


def split(own: Iterable[Piece | None], between: re.Pattern[str] = BLANK) -> list[tuple[Piece, ...]]:
    """The fields that pieces make; None parts two of them, and what stands `between` words in a piece that splits."""
    groups: list[list[Piece]] = [[]]
    for piece in own:
        if piece is None:
            groups.append([])
            continue
        text = piece.text
        if isinstance(text, Unknown) or not piece.splits:
            groups[-1].append(piece)
            continue
        begin = 0
        for blank in between.finditer(text.text):
            if blank.start() > begin:
                groups[-1].append(_part(piece, text, begin, blank.start()))
            groups.append([])
            begin = blank.end()
        if begin < len(text.text):
            groups[-1].append(_part(piece, text, begin, len(text.text)))
    return [tuple(group) for group in groups if group]


def _part(piece: Piece, text: Joined, begin: int, end: int) -> Piece:
    """What stands from `begin` to `end` of the text of a piece, at its own place."""
    part = text.part(begin, end)
    return piece._replace(text=part, places=(*piece.places[:-1], part.span(0, end - begin)))


def words(text: str, escape: str) -> list[str]:
    """The blank-separated words of `text`, quotes kept; a quoted blank does not separate."""
    return [text[start:end] for start, end in spans(text, escape)]


def spans(text: str, escape: str) -> list[tuple[int, int]]:
    """Where the `words` of `text` stand."""
    return [match.span() for match in (_WORD if escape == "\\" else _WORD_BACKTICK).finditer(text)]
