"""What the words and here-documents of a shell become before a program gets them (POSIX shell, 2.6 "Word Expansions").

What is not known is marked in the text (`state.UNKNOWN`). Globs are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pinner.edit.span import Span
from pinner.regex import later
from pinner.shell import expand, trace
from pinner.shell.content import UNKNOWN, Value
from pinner.shell.expand import Piece, Unknown, Variable, Ways
from pinner.shell.trace import Tracer
from pinner.values import NamedTuple

_PLAIN = later(r"[^\\'\"$`]+")
_IN_DOUBLE = later(r"[^\\\"$`]+")
_IN_HEREDOC = later(r"[^\\$`]+")
_SKIPPED = later(r"[^\\'\"`()#$]+|\\.|'[^']*'|\$'(?:[^'\\]|\\.)*'|(?<![^\s;&|(])#[^\n]*|.", re.DOTALL)
_ANSI = later(r"\\(?:([abefnrtv\\'\"?])|x([0-9a-fA-F]{1,2})|([0-7]{1,3}))")
_MEANS = dict(zip("abefnrtv", "\a\b\x1b\f\n\r\t\v", strict=True))
_BLANK = later(r"([ \t\n]+)")
_DEEPEST = 20
_LONGEST = 200_000
_COMMAND = Unknown("command-substitution", "a command's output decides it")
_DECIDES = Unknown("expansion", "an expansion decides it")


class Meaning(NamedTuple):
    """What names and commands in a text stand for: `variable` gives a value, several (`$@`), or None for one that is
    not set; `command` the output of the shell text from one index to another. `tracer` tells where words come from,
    `assign` sets a variable by an expansion at an index."""

    variable: Callable[[str], Value | tuple[Value, ...] | None]
    command: Callable[[int, int], Value]
    tracer: Tracer | None = None
    assign: Callable[[str, int, Value], None] | None = None


def fields(text: str, start: int, end: int, meaning: Meaning) -> list[Value]:
    """The fields that the word from `start` to `end` of a shell text becomes."""
    raw = text[start:end]
    if _PLAIN.fullmatch(raw):
        return [Value(raw) if meaning.tracer is None else trace.literal(meaning.tracer, start, end)]
    reader = _FieldReader(text, meaning, (start, end))
    reader.read(start, end, "")
    return reader.fields()


def document(text: str, meaning: Meaning) -> tuple[Value, list[tuple[int, int, str]]]:
    """What the lines of a here-document are, and the ranges of the text that became another text."""
    reader = _FieldReader(text, meaning, (0, len(text)))
    ranges: list[tuple[int, int, str]] = []
    at = 0
    while at < len(text):
        begin, known = at, len(reader.parts)
        at = reader.step(begin, len(text), "heredoc")
        made = "".join(" " if part is None else part.value.text for part in reader.parts[known:])
        if made != text[begin:at]:
            ranges.append((begin, at, made))
    return reader.whole(), ranges


def word(text: str, start: int, end: int, meaning: Meaning) -> Value:
    """The word from `start` to `end` where no fields are split: in assignments and redirections."""
    raw = text[start:end]
    if _PLAIN.fullmatch(raw):
        return Value(raw) if meaning.tracer is None else trace.literal(meaning.tracer, start, end)
    reader = _FieldReader(text, meaning, (start, end))
    reader.read(start, end, "")
    return reader.whole()


def closing(text: str, at: int, end: int) -> int:
    """Where the parenthesis that was opened right before `at` is closed, -1 if it is not."""
    depth, quoted = 1, False
    while at < end:
        match = _SKIPPED.match(text, at, end)
        assert match is not None  # the pattern matches every character
        token = match[0]
        if quoted and token[0] in "'#" and len(token) > 1:
            at += 1
            continue
        at = match.end()
        if token == '"':
            quoted = not quoted
        elif token == "(" and (not quoted or text[at - 2 : at - 1] == "$" or depth > 1):
            depth += 1
        elif token == ")" and (not quoted or depth > 1):
            depth -= 1
            if not depth:
                return at - 1
    return -1


class _Part(NamedTuple):
    """A part of a word: what it is, whether blanks in it separate fields, and where the expansion is that made it."""

    value: Value
    splits: bool = False
    at: int = -1


class _FieldReader:
    """Goes through a text once and gathers parts; None parts the words of a list."""

    def __init__(self, text: str, meaning: Meaning, reach: tuple[int, int]) -> None:
        self._text = text
        self._meaning = meaning
        self._tracer = meaning.tracer
        self.parts: list[_Part | None] = []
        self._depth = 0
        self._operand = False
        self._reach = reach

    def whole(self) -> Value:
        """All parts as one text; several words of `$@` are parted by a blank."""
        lists = tuple(name for part in self.parts if part for name in part.value.lists)
        if self._tracer is None:
            text = "".join(" " if part is None else part.value.text for part in self.parts)
            return Value(text if len(text) <= _LONGEST else UNKNOWN, lists)
        self._flow()
        shell = self._tracer.shell
        place = shell.span(0, len(shell.text))
        return trace.value(self._ways(0, ((Piece(expand.written(" ", place), (place,)),),)), lists)

    def fields(self) -> list[Value]:
        """The parts, split into fields."""
        if self._tracer is not None:
            return self._traced()
        found: list[Value] = []
        texts: list[str] = []
        lists: tuple[str, ...] = ()

        def done() -> None:
            nonlocal lists
            if texts:
                found.append(Value("".join(texts), lists))
            texts.clear()
            lists = ()

        for part in self.parts:
            if part is None:
                done()
                continue
            (text, own, _), splits, _ = part
            if not splits:
                texts.append(text)
                lists += own
                continue
            for piece in _BLANK.split(text):
                if piece.isspace():
                    done()
                elif piece:
                    texts.append(piece)
                    lists += own
        done()
        return found

    def _traced(self) -> list[Value]:
        """The fields of each way; those of all ways one by one, if each has as many."""
        self._flow()
        kept: list[tuple[Piece, ...]] = [()] if any(part and not part.splits for part in self.parts) else []
        split = [expand.split(way) or kept for way in self._ways(0)]
        if len({len(each) for each in split}) == 1:
            found = [trace.value(tuple(dict.fromkeys(own))) for own in zip(*split, strict=True)]
        else:
            found = [trace.value((own,)) for own in dict.fromkeys(own for each in split for own in each)]
        lists = tuple(name for part in self.parts if part for name in part.value.lists)
        return [each._replace(lists=lists) for each in found] if lists else found

    def _ways(self, begin: int, between: Ways = ((None,),)) -> Ways:
        """What the parts from a number on may be; `between` parts the words of a list."""
        return trace.combined(part.value.ways if part else between for part in self.parts[begin:])

    def _flow(self) -> None:
        """Take note of the expansions that give a variable words as they are."""
        tracer = self._tracer
        if tracer is None or tracer.into is None:
            return
        shown = [part for part in self.parts if part is None or part.at >= 0 or part.value.text]
        for at, part in enumerate(shown):
            if part is None or part.at < 0:
                continue
            before, after = shown[at - 1] if at else None, shown[at + 1] if at + 1 < len(shown) else None
            if (before is None or before.at == part.at or before.value.text[-1:].isspace()) and (
                after is None or after.at == part.at or after.value.text[:1].isspace()
            ):
                tracer.trace.flows.setdefault(tracer.shell.origin(part.at), set()).add(tracer.into)

    def _add(self, text: str, start: int = -1, stop: int = -1, *, quoted: bool = False) -> None:
        """A part that is written from one index to another."""
        ways: Ways = ()
        if self._tracer is not None:
            ways = ((),)
            if text:
                own = self._tracer.shell.part(start, stop)
                place = own.span(0, stop - start)
                if own.text != text:
                    own = own.replaced([(0, stop - start, text)])
                ways = ((Piece(own, (place,), splits=self._operand and not quoted, bare=not quoted),),)
        self.parts.append(_Part(Value(text, (), ways), self._operand and not quoted))

    def _unknown(self, start: int, stop: int, why: Unknown, text: str = UNKNOWN) -> None:
        """A part of which nothing is known."""
        self._made(Value(text), start, stop, why)

    def _made(
        self, value: Value, start: int, stop: int, why: Unknown, *, splits: bool = False, at: int = -1
    ) -> None:
        """A part that an expansion has made; `why` it is not known where it is written, if it is not."""
        if self._tracer is not None:
            place = self._tracer.shell.span(start, stop)
            ways = value.ways or ((Piece(why, ()),),)
            value = value._replace(
                ways=tuple(tuple(each and each.at(place, splits=splits) for each in way) for way in ways)
            )
        self.parts.append(_Part(value, splits, at))

    def read(self, at: int, end: int, inside: str) -> None:
        """Read on, within no quotes, double ones (`"`) or a here-document."""
        while at < end:
            at = self.step(at, end, inside)

    def step(self, at: int, end: int, inside: str) -> int:
        """Read one part; where it ends."""
        text = self._text
        quoted = bool(inside)
        plain = _IN_DOUBLE if inside == '"' else _IN_HEREDOC if inside else _PLAIN
        match = plain.match(text, at, end)
        if match:
            self._add(match[0], at, match.end(), quoted=quoted)
            return match.end()
        char = text[at]
        if char == "\\":
            following = text[at + 1 : at + 2]
            if inside and following not in ("$`\\\n" if inside == "heredoc" else '$`"\\\n'):
                self._add("\\" + following, at, at + 2, quoted=True)
            elif following != "\n":
                self._add(following, at, at + 2, quoted=True)
            return at + 2
        if char == "'":
            stop = text.find("'", at + 1, end)
            stop = stop if stop >= 0 else end
            self._add(text[at + 1 : stop], at + 1, stop, quoted=True)
        elif char == '"':
            stop = self._quote(at + 1, end)
            self._add("")
            self.read(at + 1, stop, '"')
        elif char == "`":
            stop = text.find("`", at + 1, end)
            stop = stop if stop >= 0 else end
            self._command(at, at + 1, stop, splits=not inside)
        else:
            return self._dollar(at, end, splits=not inside)
        return stop + 1

    def _quote(self, at: int, end: int) -> int:
        """Where a double quote closes."""
        text = self._text
        while at < end:
            char = text[at]
            if char == '"':
                return at
            if char == "\\":
                at += 2
            elif char == "$" and text[at + 1 : at + 2] == "(":
                stop = closing(text, at + 2, end)
                at = stop + 1 if stop >= 0 else end
            elif char == "$" and text[at + 1 : at + 2] == "{" and (own := expand.parameter(text, at)):
                at = own.end
            else:
                at += 1
        return end

    def _dollar(self, at: int, end: int, *, splits: bool) -> int:
        text = self._text
        following = text[at + 1 : at + 2]
        if following == "(":
            stop = closing(text, at + 2, end)
            if stop < 0:
                self._unknown(at, end, _DECIDES)
                return end
            if text.startswith("((", at + 1):
                self._unknown(at, stop + 1, _DECIDES)
            else:
                self._command(at, at + 2, stop, splits=splits)
            return stop + 1
        if following == "'" and splits:
            stop = at + 2
            while stop < end and text[stop] != "'":
                stop += 2 if text[stop] == "\\" else 1
            self._unknown(at, min(stop + 1, end), _DECIDES, _ANSI.sub(_unescaped, text[at + 2 : stop]))
            return stop + 1
        own = expand.parameter(text, at)
        if own is None or own.end > end:
            if following == "{":
                self._unknown(at, end, _DECIDES)
                return end
            if following and following in "#?!$-":
                self._unknown(at, at + 2, _DECIDES)
                return at + 2
            self._add("$", at, at + 1, quoted=not splits)
            return at + 1
        begin = len(self.parts)
        self._variable(at, own, splits=splits)
        if self._tracer is not None:
            self._tracer.trace.note(self._tracer.shell.origin(at), self._ways(begin))
        return own.end

    def _command(self, at: int, start: int, stop: int, *, splits: bool) -> None:
        value = self._meaning.command(start, stop)
        ways, place = value.ways, -1
        if self._tracer is not None and ways and self._is_alone(at, stop + 1):
            place = self._tracer.shell.origin(at)
            ways = trace.printed(self._tracer.trace, ways, Variable("$(", place, 0, 0))
            self._tracer.trace.note(place, ways)
        else:
            ways = ()
        own = Value(value.text.rstrip("\n"), value.lists, ways)
        self._made(own, at, stop + 1, _COMMAND, splits=splits, at=at if ways else -1)

    def _is_alone(self, begin: int, end: int) -> bool:
        """Whether what stands between two indices is no part of a larger word."""
        start, stop = self._reach
        around = (self._text[start:begin].rstrip('"')[-1:], self._text[end:stop].lstrip('"')[:1])
        return not any(each.strip() for each in around)

    def _variable(self, at: int, own: expand.Parameter, *, splits: bool) -> None:
        found = self._meaning.variable(own.name)
        kind = own.operator[-1:]
        unknown = Unknown("variable-unknown", expand.not_known(own.name))
        fillable = False
        if isinstance(found, Value) and (why := trace.unset(found)):
            found, unknown, fillable = None, why, True

        def made(value: Value, why: Unknown = unknown) -> None:
            plain = at if (own.operator or "-")[-1] in "-?" else -1
            self._made(value, at, own.end, why, splits=splits, at=plain)

        if isinstance(found, tuple) and not isinstance(found, Value):
            if not own.operator and (own.all or own.name in "@*" or self._tracer is None):
                for number, value in enumerate(found):
                    if number:
                        self.parts.append(None)
                    made(value)
                return
            found = found[0] if len(found) == 1 and self._tracer is None else Value(UNKNOWN)
            unknown = Unknown("variable-unknown", f"${own.name} has several values")
        choice = expand.chosen(own.operator, unset=found is None, empty=found is not None and not found.text)
        # A build argument may be there, and what is not known may be empty.
        maybe = self._tracer is not None and (
            fillable or own.name in self._tracer.trace.fillable
            if kind == "+"
            else kind in "-=" and found is not None and UNKNOWN in found.text
        )
        if kind and (choice == "operand" or (maybe and choice != "cut")):
            begin = self._read_operand(own, splits=splits)
            if kind == "=" and self._meaning.assign is not None:
                given = "".join(part.value.text for part in self.parts[begin:] if part)
                self._meaning.assign(
                    own.name, at, Value(given, (), self._ways(begin) if self._tracer else ())
                )
            if self._tracer is not None:
                known = found if maybe and kind != "+" else None
                self._alternative(begin, self._tracer.shell.span(at, own.end), known)
        elif choice == "nothing":
            return
        elif found is None:
            made(Value(UNKNOWN))
        elif choice == "cut" and UNKNOWN not in found.text:
            operand = word(self._text, *own.operand, self._meaning)
            text = None if UNKNOWN in operand.text else expand.operate(found.text, own.operator, operand.text)
            if self._tracer is not None and len(found.ways) == 1:
                place = self._tracer.shell.span(at, own.end)
                own_pieces = tuple(each for each in found.ways[0] if each)
                cut = expand.cut(own_pieces, text, own, place)._replace(splits=splits)
                self.parts.append(_Part(Value(UNKNOWN if text is None else text, (), ((cut,),)), splits))
            else:
                made(Value(UNKNOWN if text is None else text))
        else:
            made(found if choice == "value" else Value(UNKNOWN))

    def _read_operand(self, own: expand.Parameter, *, splits: bool) -> int:
        """Read an operand; the number of its first part."""
        before, begin = self._operand, len(self.parts)
        self._depth += 1
        self._operand = splits
        if self._depth <= _DEEPEST:
            self.read(*own.operand, "" if splits else '"')
        self._operand = before
        self._depth -= 1
        return begin

    def _alternative(self, begin: int, place: Span, found: Value | None) -> None:
        """The parts of an operand as one that may be there instead of a value."""
        made = self._ways(begin)
        ways = tuple(
            tuple(each and each._replace(places=(place, *each.places)) for each in way) for way in made
        )
        if found is not None:
            ways = tuple(tuple(each and each.at(place) for each in way) for way in found.ways) + ways
        text = "" if begin == len(self.parts) else trace.value(ways).text
        self.parts[begin:] = [_Part(Value(text, (), ways))]


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return _MEANS.get(match[1], match[1])
    return chr(int(match[2], 16) if match[2] else int(match[3], 8))


def tokens(text: str) -> Iterator[tuple[int, int]]:
    """Where the blank-separated words of a test stand."""
    return iter(expand.spans(text, "\\"))
