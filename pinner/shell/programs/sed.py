"""sed(1), as far as people write it against apt's files: `s`, `d`, `p`, `a`, `i`, `c`, `y`, `q` with addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

from pinner.regex import is_slow, later
from pinner.shell.content import LONGEST, UNKNOWN, Content
from pinner.shell.outcomes import Invocation, ProgramResult, lists_of
from pinner.shell.programs.options import read_options
from pinner.values import NamedTuple

_CLASS = {
    "[:space:]": r"\s",
    "[:blank:]": r" \t",
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:lower:]": "a-z",
    "[:upper:]": "A-Z",
    "[:punct:]": r"!-/:-@\[-`{-~",
}
# What a script is about that edits a sources file.
_SOURCES = later(r"\bdeb\b|debian|ubuntu|sources|/apt/")
_WRITES = later(r"\bw[ \t]+/etc/apt/")  # or the flag of `s`
_TOKEN = later(r"\\(.)|\[(\^?\]?(?:\[:\w+:\]|[^]])*)\]|(.)", re.DOTALL)
_TEXT = later(r"[ \t]*(?:\\\n?)?[ \t]*([^\n]*(?:\\\n[^\n]*)*)")


def pattern(text: str, *, extended: bool) -> str | None:
    """A basic or extended regular expression (regex(7)) as Python's; None if it is none that is followed."""
    out: list[str] = []
    for match in _TOKEN.finditer(text):
        escaped, bracket, char = match[1], match[2], match[3]
        if bracket is not None:
            for name, meaning in _CLASS.items():
                bracket = bracket.replace(name, meaning)
            caret = "^" if bracket.startswith("^") else ""
            inner = bracket.removeprefix("^")
            inner = inner.replace("[", r"\[") if "[" in inner else inner
            out.append(f"[{caret}{inner}]" if not inner.startswith("]") else rf"[{caret}\]{inner[1:]}]")
        elif escaped:
            if escaped in "(){}|+?":
                out.append(re.escape(escaped) if extended else escaped)
            elif escaped in "wWsSbB" or escaped.isdecimal():
                out.append(f"\\{escaped}")
            elif escaped in "<>":
                out.append(r"\b")
            elif escaped == "n":
                out.append("\n")
            else:
                out.append(re.escape(escaped))
        elif char in "(){}|+?" and not extended:
            out.append(re.escape(char))
        elif char == "*" and (not out or out[-1] in ("(", "|", "^")):
            out.append(r"\*")
        elif char == "^" and not extended and out and out[-1] not in ("(", "|"):
            out.append(r"\^")
        elif (
            char == "$"
            and not extended
            and match.end() < len(text)
            and not text.startswith("\\)", match.end())
        ):
            out.append(r"\$")
        else:
            out.append(char if char in ".*^$(){}|+?" else re.escape(char))
    made = "".join(out)
    try:
        re.compile(made)
    except re.error:
        return None
    return made


class _Address(NamedTuple):
    """A line by its number (-1: the last), or those that a pattern finds."""

    number: int = 0
    found: re.Pattern[str] | None = None

    def hits(self, number: int, line: str, last: int) -> bool:
        """Whether a line is meant."""
        if self.found is not None:
            return self.found.search(line) is not None
        return number == (last if self.number < 0 else self.number)


class _Step(NamedTuple):
    """One command: where it acts, what it does, and by which texts; a block in braces ends before `block`."""

    first: _Address | None
    second: _Address | None
    inverse: bool
    name: str
    old: re.Pattern[str] | None = None
    new: str = ""
    flags: str = ""
    block: int = 0


class _SedUnreadError(Exception):
    """The script does what is not followed."""


class _SedParser:
    """Reads a script."""

    def __init__(self, script: str, *, extended: bool, longest: int, times: int) -> None:
        """The script is for `times` lines of up to `longest` characters."""
        self._script = script
        self._longest, self._times = longest, times
        self._extended = extended
        self._at = 0

    def steps(self) -> list[_Step]:
        """The commands, in order. Raises `_SedUnreadError`."""
        found: list[_Step] = []
        opened: list[int] = []
        while True:
            self._skip(" \t\n;")
            if self._at >= len(self._script):
                break
            first = self._address()
            second = None
            if first is not None and self._peek() == ",":
                self._at += 1
                self._skip(" \t")
                second = self._address()
                if second is None:
                    raise _SedUnreadError
            self._skip(" \t")
            inverse = self._peek() == "!"
            self._at += inverse
            self._skip(" \t")
            name = self._peek()
            self._at += 1
            if name == "{":
                opened.append(len(found))
                found.append(_Step(first, second, inverse, name))
            elif name == "}":
                if not opened:
                    raise _SedUnreadError
                begin = opened.pop()
                found[begin] = found[begin]._replace(block=len(found))
            else:
                found.append(self._command(first, second, inverse, name))
        if opened:
            raise _SedUnreadError
        return found

    def _command(self, first: _Address | None, second: _Address | None, inverse: bool, name: str) -> _Step:
        if name in ("d", "p", "q", "D", "P", "="):
            if name not in "dpq":
                raise _SedUnreadError
            return _Step(first, second, inverse, name)
        if name in ("a", "i", "c"):
            match = _TEXT.match(self._script, self._at)
            assert match is not None  # the pattern matches the empty text too
            self._at = match.end()
            return _Step(first, second, inverse, name, new=re.sub(r"\\(\n|.)", r"\1", match[1]))
        if name in ("s", "y"):
            mark = self._peek()
            self._at += 1
            old, new = self._until(mark), self._until(mark, keep=True)
            flags = ""
            while self._peek() and self._peek() in "gpiIeMm0123456789":
                flags += self._peek()
                self._at += 1
            if set(flags) & set("eMmw"):
                raise _SedUnreadError
            if name == "y":
                return _Step(first, second, inverse, name, new=f"{old}\0{new}")
            return _Step(first, second, inverse, name, self._compiled(old, flags), new, flags)
        raise _SedUnreadError

    def _compiled(self, text: str, flags: str = "") -> re.Pattern[str]:
        made = pattern(text, extended=self._extended)
        if made is None or not text or UNKNOWN in made or is_slow(made, self._longest, self._times):
            raise _SedUnreadError
        return re.compile(made, re.IGNORECASE if set(flags) & set("iI") else 0)

    def _peek(self) -> str:
        return self._script[self._at : self._at + 1]

    def _skip(self, chars: str) -> None:
        while self._peek() and self._peek() in chars:
            self._at += 1

    def _address(self) -> _Address | None:
        char = self._peek()
        if char.isdecimal():
            match = re.match(r"\d+", self._script[self._at :])
            assert match is not None  # the first is a digit
            self._at += match.end()
            return _Address(int(match[0]))
        if char == "$":
            self._at += 1
            return _Address(-1)
        if char in ("/", "\\") and char:
            self._at += 1
            mark = char
            if char == "\\":
                mark = self._peek()
                self._at += 1
            text = self._until(mark)
            flag = self._peek() == "I"
            self._at += flag
            return _Address(0, self._compiled(text, "I" if flag else ""))
        return None

    def _until(self, mark: str, *, keep: bool = False) -> str:
        """The text up to the next `mark`; an escaped one stands for itself."""
        out, script = [], self._script
        inside = False
        while self._at < len(script):
            char = script[self._at]
            if char == "\\" and self._at + 1 < len(script):
                following = script[self._at + 1]
                out.append(following if following == mark and mark not in "|(){}+?.*^$" else f"\\{following}")
                self._at += 2
                continue
            if char == mark and not inside:
                self._at += 1
                return "".join(out)
            if char == "[" and not keep:
                inside = True
            elif char == "]" and inside and out[-1:] not in (["["], ["^"]):
                inside = False
            out.append(char)
            self._at += 1
        raise _SedUnreadError


def _replacement(text: str) -> Callable[[re.Match[str]], str]:
    def made(match: re.Match[str]) -> str:
        def one(each: re.Match[str]) -> str:
            if each[0] == "&":
                return match[0]
            char = each[1]
            if char.isdecimal():
                return (match[int(char)] or "") if int(char) <= (match.re.groups or 0) else match[0]
            return {"n": "\n", "t": "\t"}.get(char, char)

        return re.sub(r"\\(\n|.)|&", one, text)

    return made


def edit(script: str, text: str, *, extended: bool, quiet: bool) -> str | None:
    """What a script makes of a text; None if it is not followed."""
    lines = text.splitlines()
    longest = max(map(len, lines), default=0)
    try:
        steps = _SedParser(script, extended=extended, longest=longest, times=len(lines)).steps()
    except (_SedUnreadError, re.error):
        return None
    room = LONGEST
    out: list[str] = []
    inside = [False] * len(steps)
    for number, original in enumerate(lines, 1):
        line, kept, before, behind, ends = original, True, list[str](), list[str](), False
        skipped = 0
        for at, step in enumerate(steps):
            if at < skipped:
                continue
            if not _acts(step, inside, at, number, line, len(lines)):
                skipped = step.block
                continue
            if step.name == "d":
                kept = False
                break
            if step.name == "p":
                before.append(line)
            elif step.name == "q":
                ends = True
                break
            elif step.name == "i":
                before.append(step.new)
            elif step.name == "a":
                behind.append(step.new)
            elif step.name == "c":
                behind.append(step.new)
                kept = False
                break
            elif step.name == "y":
                old, _, new = step.new.partition("\0")
                line = line.translate(str.maketrans(old, new)) if len(old) == len(new) else UNKNOWN
            elif step.old is not None:
                if (len(line) + 1) * (len(step.new) + 1) > LONGEST:
                    return None
                line, count = _substituted(step, line)
                if "p" in step.flags and count:
                    before.append(line)
        out += before
        if kept and not quiet:
            out.append(line)
        out += behind
        room -= sum(map(len, (*before, line, *behind)))
        if room < 0:
            return None
        if ends:
            break
    return "".join(f"{line}\n" for line in out)


def _acts(step: _Step, inside: list[bool], at: int, number: int, line: str, last: int) -> bool:
    if step.first is None:
        return True
    if step.second is None:
        return step.first.hits(number, line, last) != step.inverse
    hit = inside[at]
    if hit:
        inside[at] = not step.second.hits(number, line, last)
    elif step.first.hits(number, line, last):
        hit = True
        inside[at] = step.second.found is not None or step.second.number < 0 or step.second.number > number
    return hit != step.inverse


def _substituted(step: _Step, line: str) -> tuple[str, int]:
    """The line with what a step replaces in it, and how often it does."""
    assert step.old is not None
    digits = re.search(r"\d+", step.flags)
    make = _replacement(step.new)
    if digits is None:
        return step.old.subn(make, line, count=0 if "g" in step.flags else 1)
    count = int(digits[0])
    for number, match in enumerate(step.old.finditer(line), 1):
        if number == count:
            return line[: match.start()] + make(match) + line[match.end() :], 1
    return line, 0


def run(call: Invocation, inputs: Callable[[list[str]], Content | None]) -> ProgramResult:
    """sed as a program: in place, or from a text to its output."""
    words = [
        re.sub(r"^(-[nEr]*)i\S*$", r"\1i", word) if word.startswith("-") else word for word in call.words
    ]
    options = read_options(words, "efl", ("expression", "file"))
    scripts = options.values("e", "expression")
    names = list(options.operands)
    if not scripts and not options.has("f", "file") and names:
        scripts = [names.pop(0)]
    script = "\n".join(scripts)
    extended, quiet = options.has("E", "r", "regexp-extended"), options.has("n", "quiet", "silent")

    def made(content: Content) -> Content:
        if options.has("f", "file", "z", "null-data", "l"):
            return Content()
        every = [content._replace(others=()), *content.others]
        texts = [
            edit(script, each.text, extended=extended, quiet=quiet) if each.text is not None else None
            for each in every
        ]
        if any(text is None for text in texts):
            return Content()
        first, *others = (
            each._replace(text=text, file="", lists=lists_of(each))
            for each, text in zip(every, texts, strict=True)
        )
        return first._replace(others=tuple(others))

    state = call.shell.state
    if _WRITES.search(script):
        call.shell.unknown(call.name)
    in_place = options.has("i") or any(name.startswith("in-place") for name, _ in options.options)
    if not in_place:
        content = inputs(names)
        if content is None or content.text is None:
            return ProgramResult("done", Content(UNKNOWN))
        found = made(content)
        return ProgramResult(
            "done", found if found.text is not None else Content(UNKNOWN, lists=lists_of(content))
        )
    missing = False
    if any(UNKNOWN in name for name in names) and _SOURCES.search(script):
        call.shell.unknown(f"{call.name} -i")
    for name in names:
        for path in state.glob(state.path(name)):
            content = state.read(path)
            if content is None:
                missing = missing or path.startswith("/etc/apt/")
                continue
            changed = made(content)
            if changed != content._replace(file=""):
                if not options.has("follow-symlinks") and state.real(path) != path:
                    state.remove(path)
                call.shell.write(path, changed)
    return ProgramResult("no" if missing else "done")
