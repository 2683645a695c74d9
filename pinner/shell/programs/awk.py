"""awk(1), as far as people filter texts with it (POSIX awk): patterns, print, if, variables, sub, gsub and the like.

A program is made into functions of the line that is read. Loops, output to files and other commands are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pinner.regex import later
from pinner.shell.programs.sed import pattern

AwkValue = str | float
Evaluator = Callable[["_Line"], AwkValue]

_TOKEN = later(
    r"[ \t\r]*(?:\\\n[ \t]*)?(?:#[^\n]*)?"
    r"(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||[=!<>]=|!~|\+\+|[-+/(){},;!~<>=$\[\]\n])|(?P<end>$))",
    re.DOTALL,
)
_REGEX = later(r"/((?:[^/\\\n]|\\.|\[[^]\n]*\])*)/")
_NUMBER = later(r"\s*[-+]?\d+(?:\.\d+)?")
_WORDS = frozenset(["BEGIN", "END", "print", "printf", "if", "else", "next", "exit"])
_UNREAD = frozenset(
    ["for", "while", "do", "getline", "function", "delete", "in", "system", "close", "return"]
)
# The loosest first; the empty one is that of what stands beside each other.
_OPERATORS = (("||",), ("&&",), ("~", "!~"), ("==", "!=", "<", "<=", ">", ">="), (), ("+", "-"))
_CALLS: Mapping[str, Callable[[str], AwkValue]] = {
    "length": lambda text: float(len(text)),
    "tolower": str.lower,
    "toupper": str.upper,
}


class _AwkUnreadError(Exception):
    """The program does what is not followed."""


class _NextError(Exception):
    """No more is done with this line."""


class _ExitError(Exception):
    """No more lines are read."""


class _Line:
    """The line that is read, its fields, the variables, and what the program has said so far."""

    def __init__(self, variables: Mapping[str, AwkValue]) -> None:
        self.names: dict[str, AwkValue] = {"FS": " ", "OFS": " ", "ORS": "\n", "NR": 0.0, **variables}
        self.out: list[str] = []
        self.fields: list[str] = [""]

    def read(self, text: str) -> None:
        """Split a line into its fields."""
        mark = _text(self.names["FS"])
        if mark == " " or not text:
            found = text.split()
        else:
            found = text.split(mark) if len(mark) == 1 and mark != "\\" else _compiled(mark).split(text)
        self.fields = [text, *found]

    def get(self, name: str) -> AwkValue:
        """What a variable holds, or a field (`$2`)."""
        if name.startswith("$"):
            number = int(name[1:])
            return self.fields[number] if number < len(self.fields) else ""
        return float(len(self.fields) - 1) if name == "NF" else self.names.get(name, "")

    def put(self, name: str, value: AwkValue) -> AwkValue:
        """Change a variable, or a field and with it the line."""
        if name in ("NF", "RS"):
            raise _AwkUnreadError
        if name == "$0":
            self.read(_text(value))
        elif name.startswith("$"):
            number = int(name[1:])
            self.fields += [""] * (number + 1 - len(self.fields))
            self.fields[number] = _text(value)
            self.fields[0] = _text(self.names["OFS"]).join(self.fields[1:])
        else:
            self.names[name] = value
        return value


def _compiled(text: str) -> re.Pattern[str]:
    made = pattern(text, extended=True)
    if made is None:
        raise _AwkUnreadError
    return re.compile(made)


def _text(value: AwkValue) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _number(value: AwkValue) -> float:
    match = _NUMBER.match(value) if isinstance(value, str) else None
    return float(match[0]) if match else value if isinstance(value, float) else 0.0


def _true(value: AwkValue) -> bool:
    return value not in ("", 0.0, "0")


def _compare(left: AwkValue, sign: str, right: AwkValue) -> float:
    text = next((each for each in (left, right) if isinstance(each, str)), "0")
    both = isinstance(left, str) and isinstance(right, str)
    if both or (text and not _NUMBER.fullmatch(text.strip())):
        order = (_text(left) > _text(right)) - (_text(left) < _text(right))
    else:
        order = (_number(left) > _number(right)) - (_number(left) < _number(right))
    return float(
        order in {"==": (0,), "!=": (1, -1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}[sign]
    )


def _found(expression: AwkValue, text: AwkValue) -> bool:
    return _compiled(_text(expression)).search(_text(text)) is not None


def _both(left: Evaluator, sign: str, right: Evaluator) -> Evaluator:
    """An operator of two operands; without a sign they are joined."""
    if sign in ("||", "&&"):
        fold = any if sign == "||" else all
        return lambda line: float(fold(_true(each(line)) for each in (left, right)))
    if sign in ("~", "!~"):
        return lambda line: float(_found(right(line), left(line)) == (sign == "~"))
    if sign in ("+", "-"):
        return lambda line: _number(left(line)) + (1 if sign == "+" else -1) * _number(right(line))
    if sign:
        return lambda line: _compare(left(line), sign, right(line))
    return lambda line: _text(left(line)) + _text(right(line))


def _raising(error: type[Exception]) -> Evaluator:
    def run(line: _Line) -> AwkValue:
        raise error

    return run


def _substituted(args: list[Evaluator], target: Callable[[_Line], str], count: int) -> Evaluator:
    def run(line: _Line) -> AwkValue:
        new = _text(args[1](line))
        made = re.sub(r"\\(.)|&", lambda each: each[1] or "\\g<0>", new)
        if "\\" in made.replace("\\g<0>", ""):
            raise _AwkUnreadError
        text, number = _compiled(_text(args[0](line))).subn(made, _text(line.get(target(line))), count)
        if number:
            line.put(target(line), text)
        return float(number)

    return run


def _print(parts: list[Evaluator], *, formats: bool = False) -> Evaluator:
    def run(line: _Line) -> AwkValue:
        texts = [_text(each(line)) for each in parts] or [_text(line.get("$0"))]
        if not formats:
            line.out.append(_text(line.names["OFS"]).join(texts) + _text(line.names["ORS"]))
            return ""
        if re.search(r"%(?![%s])", texts[0]):
            raise _AwkUnreadError
        rest = iter(texts[1:])
        line.out.append(re.sub("%(.)", lambda each: "%" if each[1] == "%" else next(rest, ""), texts[0]))
        return ""

    return run


class _AwkParser:
    """Makes functions of a program's text."""

    def __init__(self, text: str) -> None:
        self._source = text
        self._at = 0
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._source, self._at)
        if match is None or match.lastgroup is None:
            raise _AwkUnreadError
        self._begin, self._at = match.start(match.lastgroup), match.end()
        self._kind, self._text = match.lastgroup, match[match.lastgroup]

    def _is(self, *texts: str) -> bool:
        return self._kind in ("sign", "name") and self._text in texts

    def _take(self, *texts: str) -> bool:
        """Whether one of these stands here; then it is passed."""
        found = self._is(*texts)
        if found:
            self._next()
        return found

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise _AwkUnreadError

    def rules(self) -> Iterator[tuple[str, Evaluator | None, Evaluator]]:
        """When something is done (BEGIN, END, or each line), under which condition, and what."""
        while self._kind != "end":
            if self._take(";", "\n"):
                continue
            when = self._text if self._is("BEGIN", "END") else ""
            condition = None
            if when:
                self._next()
            elif not self._is("{"):
                condition = self._expression()
            if self._is(","):
                raise _AwkUnreadError  # a range
            yield when, condition, self._block() if self._is("{") else _print([])

    def _block(self) -> Evaluator:
        self._need("{")
        steps: list[Evaluator] = []
        while not self._take("}"):
            if not self._take(";", "\n"):
                steps.append(self._statement())

        def run(line: _Line) -> AwkValue:
            for step in steps:
                step(line)
            return ""

        return run

    def _statement(self) -> Evaluator:
        if self._is("{"):
            return self._block()
        if self._take("if"):
            return self._if()
        if self._take("next"):
            return _raising(_NextError)
        if self._take("exit"):
            return _raising(_ExitError)
        if self._is("print", "printf"):
            formats = self._text == "printf"
            self._next()
            parts: list[Evaluator] = []
            while not self._is(";", "}", "\n"):
                parts.append(self._expression(output=True))
                if not self._take(","):
                    break
            if not self._is(";", "}", "\n"):
                raise _AwkUnreadError
            return _print(parts, formats=formats)
        return self._expression()

    def _if(self) -> Evaluator:
        self._need("(")
        condition = self._expression()
        self._need(")")
        while self._take("\n"):
            pass
        body = self._statement()
        before = self._at, self._begin, self._kind, self._text
        while self._take(";", "\n"):
            pass
        if self._take("else"):
            other = self._statement()
            return lambda line: body(line) if _true(condition(line)) else other(line)
        self._at, self._begin, self._kind, self._text = before
        return lambda line: body(line) if _true(condition(line)) else ""

    def _expression(self, level: int = 0, *, output: bool = False) -> Evaluator:
        """An expression of operators that bind at least as tightly as those of a level."""
        if level == len(_OPERATORS):
            if self._take("!"):
                inner = self._expression(level)
                return lambda line: float(not _true(inner(line)))
            return self._primary()
        left = self._expression(level + 1, output=output)
        while True:
            sign = self._text if self._is(*_OPERATORS[level]) else ""
            if sign == ">" and output:
                return left  # output to a file
            if sign:
                self._next()
            elif _OPERATORS[level] or not (
                self._kind in ("number", "string") or self._is("$", "(", "!") or self._named()
            ):
                return left
            own = self._regex() if sign[-1:] == "~" else None
            left = _both(left, sign, own or self._expression(level + 1, output=output))

    def _named(self) -> bool:
        return self._kind == "name" and self._text not in _WORDS

    def _regex(self) -> Evaluator | None:
        """A regular expression in slashes, as a text."""
        if not self._is("/"):
            return None
        match = _REGEX.match(self._source, self._begin)
        if match is None:
            raise _AwkUnreadError
        text = match[1].replace(r"\/", "/")
        _compiled(text)
        self._at = match.end()
        self._next()
        return lambda line: text

    def _primary(self) -> Evaluator:
        text = self._text
        if (own := self._regex()) is not None:
            return lambda line: float(_found(own(line), line.get("$0")))
        if self._kind == "number":
            self._next()
            return lambda line: float(text)
        if self._kind == "string":
            self._next()
            value = re.sub(r"\\(.)", lambda each: {"n": "\n", "t": "\t"}.get(each[1], each[1]), text[1:-1])
            return lambda line: value
        if self._take("("):
            inner = self._expression()
            self._need(")")
            return inner
        if self._named() and self._source.startswith("(", self._at):
            return self._call()
        name = self._place()
        if self._take("="):
            changed = self._expression()
            return lambda line: line.put(name(line), changed(line))
        if not self._take("++"):
            return lambda line: line.get(name(line))

        def count(line: _Line) -> AwkValue:
            before = _number(line.get(name(line)))
            line.put(name(line), before + 1)
            return before

        return count

    def _place(self) -> Callable[[_Line], str]:
        """A variable, an element of an array, or a field."""
        text = self._text
        if self._take("$"):
            number = self._primary()
            return lambda line: f"${int(_number(number(line)))}"
        if not self._named() or text in _UNREAD:
            raise _AwkUnreadError
        self._next()
        if not self._take("["):
            return lambda line: text
        index = self._expression()
        self._need("]")
        return lambda line: f"{text}[{_text(index(line))}]"

    def _call(self) -> Evaluator:
        name = self._text
        self._next()
        self._need("(")
        args: list[Evaluator] = []
        target: Callable[[_Line], str] = lambda line: "$0"  # noqa: E731
        while not self._is(")"):
            if len(args) == 2 and name in ("sub", "gsub"):
                target = self._place()
            else:
                args.append(self._regex() or self._expression())
            if not self._take(","):
                break
        self._need(")")
        if name in ("sub", "gsub") and len(args) == 2:
            return _substituted(args, target, 0 if name == "gsub" else 1)
        if name in _CALLS and len(args) <= 1:
            return lambda line: _CALLS[name](_text(args[0](line) if args else line.get("$0")))
        raise _AwkUnreadError


def run(program: str, text: str, variables: Mapping[str, AwkValue]) -> str | None:
    """What a program prints of a text, with these variables set before; None if it is not followed."""
    line = _Line(variables)
    try:
        rules = list(_AwkParser(program).rules())
        for part in (each for when, _, each in rules if when == "BEGIN"):
            part(line)
        try:
            for number, each in enumerate(text.splitlines(), 1):
                line.names["NR"] = line.names["FNR"] = float(number)
                line.read(each)
                _each_line(rules, line)
        except _ExitError:
            pass
        for part in (each for when, _, each in rules if when == "END"):
            part(line)
    except (_AwkUnreadError, _ExitError, _NextError, RecursionError, re.error):
        return None
    return "".join(line.out)


def _each_line(rules: list[tuple[str, Evaluator | None, Evaluator]], line: _Line) -> None:
    try:
        for when, condition, body in rules:
            if not when and (condition is None or _true(condition(line))):
                body(line)
    except _NextError:
        pass
