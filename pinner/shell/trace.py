"""Where the words of commands come from: what each expansion in a file has become, and what was made of it.

A walk that traces takes every way: no test is decided, and each turn of a loop stands for all. So the values that an
expansion has are all that it may have, in whatever order and on whatever platform a file is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

from pinner.edit.span import Joined
from pinner.shell.content import UNKNOWN, Value
from pinner.shell.expand import BLANK, Piece, Unknown, Variable, Ways, bounded, split
from pinner.values import NamedTuple

_MOST_WAYS = 64
MOST_VALUES = 5_000
#: What may be too much to follow, and what a command has set.
TOO_MANY = (Piece(Unknown("variable-unknown", "it may have too many values"), ()),)
_BY_COMMAND = (Piece(Unknown("variable-unknown", "a command sets it"), ()),)


class Trace:
    """What a walk has found, by the offset of each `$` in the file.

    `ways` are what an expansion may be, `variables` those that it may have expanded, `flows` those into whose values it
    goes. `fillable` are build arguments without a value. `called` are functions, by the place of their bodies,
    `unread` the words of what is not understood. `shown` are expansions that are only printed for people, or asked
    whether they are empty, `latest` those of the present command. `inputs` are the words that commands get by xargs, by
    where these end.
    """

    def __init__(self) -> None:
        self.ways: dict[int, dict[tuple[Piece | None, ...], None]] = {}
        self.variables: dict[int, set[Variable]] = {}
        self.flows: dict[int, set[Variable]] = {}
        self.fillable: set[str] = set()
        self.called: set[tuple[int, str]] = set()
        self.unread: set[str] = set()
        self.shown: set[int] = set()
        self.latest: list[int] = []
        self.inputs: dict[int, dict[Value, None]] = {}

    def note(self, at: int, ways: Ways) -> None:
        """Take note of what the expansion at an offset has become."""
        self.latest.append(at)
        known = self.ways.setdefault(at, {})
        known.update(dict.fromkeys(ways))
        if len(known) > MOST_VALUES:
            known.clear()
            known[TOO_MANY] = None
        through = {piece.through[0] for way in ways for piece in way if piece and piece.through}
        self.variables.setdefault(at, set()).update(through)


class Tracer(NamedTuple):
    """The text that is read, with its places in the file, and the variable that what is read becomes the value of."""

    trace: Trace
    shell: Joined
    into: Variable | None = None


def literal(tracer: Tracer, start: int, end: int) -> Value:
    """The words of the text between two indices, which stand for themselves."""
    own = tracer.shell.part(start, end)
    return Value(own.text, (), whole(own, bare=True))


def whole(text: Joined, *, bare: bool = False) -> Ways:
    """A text that stands for itself, in a command or (not `bare`) where no shell reads quotes."""
    return ((Piece(text, (text.span(0, len(text.text)),), bare=bare),),)


def combined(parts: Iterable[Ways]) -> Ways:
    """The ways of several parts one behind the other."""
    found: Ways = ((),)
    for ways in parts:
        if ways == ((),):
            continue
        if min(len(found), len(ways)) > 1 and len(found) * len(ways) > _MOST_WAYS:
            return (TOO_MANY,)
        found = tuple((*one, *other) for one, other in product(found, ways))
        if len(found[0]) > MOST_VALUES:
            return (TOO_MANY,)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else found


def value(ways: Ways, lists: tuple[str, ...] = ()) -> Value:
    """A value that may be each of several; its text, if it is one that is known."""
    if len(ways) != 1:
        return Value(UNKNOWN, lists, ways)
    texts = (UNKNOWN if isinstance(each.text, Unknown) else each.text.text for each in ways[0] if each)
    return Value("".join(texts), lists, ways)


def assigned(found: Value, variable: Variable, *, words: bool = False) -> Value:
    """A value as one of a variable; `words` if it is written as the words of a command are."""
    ways = (
        bounded(
            each._replace(through=(variable, *each.through), splits=False, bare=each.bare and words)
            for each in way
            if each
        )
        for way in found.ways
    )
    return found._replace(ways=tuple(ways))


def printed(trace: Trace, ways: Ways, variable: Variable) -> Ways:
    """An output as what a variable gets, without the line ends behind it; the expansions that are words of it as they
    are go into that."""
    found = []
    for way in ways:
        pieces = [each._replace(splits=True) for each in way if each]
        while pieces and isinstance(text := pieces[-1].text, Joined) and not text.text.strip("\n"):
            pieces.pop()
        if pieces and isinstance(text := pieces[-1].text, Joined):
            pieces[-1] = pieces[-1]._replace(text=text.part(0, len(text.text.rstrip("\n"))))
        for word in split(pieces):
            if len(word) == 1 and word[0].through:
                trace.flows.setdefault(word[0].places[0].start, set()).add(variable)
        found.append(bounded(each._replace(through=(variable, *each.through)) for each in pieces))
    return tuple(dict.fromkeys(found))


def parted(ways: Ways, between: re.Pattern[str] = BLANK) -> list[Value]:
    """The words of an output, or its lines."""
    return [value((word,)) for way in ways for word in split(way, between)]


def united(
    values: Sequence[Value | tuple[Value, ...] | None], most: int = _MOST_WAYS
) -> Value | tuple[Value, ...]:
    """One value for a variable that may have each of these; one that is not set adds nothing."""
    listed = [each for each in values if isinstance(each, tuple) and not isinstance(each, Value)]
    single = [each for each in values if isinstance(each, Value)]
    if listed:
        return tuple(dict.fromkeys((*single, *(one for each in listed for one in each))))
    ways = dict.fromkeys(way for each in single for way in each.ways or (_BY_COMMAND,))
    return Value(UNKNOWN, ways=tuple(ways) if len(ways) <= most else (TOO_MANY,))


def unset(found: Value) -> Unknown | None:
    """Why a value is not known, if that is because nothing sets it."""
    only = found.ways[0][0] if len(found.ways) == 1 and len(found.ways[0]) == 1 else None
    return only.text if only is not None and isinstance(only.text, Unknown) and only.text.unset else None


def is_traced(*values: Value | tuple[Value, ...] | None) -> bool:
    """Whether it is known where one of these is written."""
    return any(
        bool(each.ways) if isinstance(each, Value) else each is not None and is_traced(*each)
        for each in values
    )
