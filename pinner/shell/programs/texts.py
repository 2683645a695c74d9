"""Programs that print or filter text: echo, printf, cat, tee, grep, cut, tr, awk, sed and the like."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Sequence

from pinner.regex import is_slow, later
from pinner.shell.content import UNKNOWN, Content, Value
from pinner.shell.expand import Piece, Unknown, Ways, written
from pinner.shell.outcomes import Invocation, ProgramResult, joined, lists_of
from pinner.shell.process import APT_FILES
from pinner.shell.programs import sed
from pinner.shell.programs.options import ParsedOptions, read_options
from pinner.shell.trace import combined

_ESCAPE = later(r"\\(?:([abefnrtv\\\"'])|(c)|0?([0-7]{1,3})|x([0-9a-fA-F]{1,2}))")
_MEANS = dict(zip("abefnrtv", "\a\b\x1b\f\n\r\t\v", strict=True))
_FORMAT = later(r"%(%|-?\d*\.?\d*[sbdiq])")
_NOT = Content(UNKNOWN)


def escaped(text: str) -> str:
    """The text with the escapes of echo and printf replaced."""
    text = text.partition("\\c")[0]
    return _ESCAPE.sub(
        lambda match: (
            _MEANS.get(match[1], match[1])
            if match[1]
            else chr(int(match[3], 8) if match[3] else int(match[4], 16))
            if match[3] or match[4]
            else ""
        ),
        text,
    )


def _lists(call: Invocation) -> tuple[str, ...]:
    return tuple(name for each in call.args for name in each.lists)


def _echo(call: Invocation) -> ProgramResult:
    words = call.words
    newline, escapes = "\n", call.shell.name != "bash"
    while words and re.fullmatch(r"-[neE]+", words[0]):
        newline = "" if "n" in words[0] else newline
        escapes = "E" not in words[0] and (escapes or "e" in words[0])
        words = words[1:]
    text = " ".join(words)
    made = escaped(text) if escapes else text
    own = call.args[len(call.words) - len(words) :]
    ways = _parted(call, own, " ", newline) if made == text else ()
    return ProgramResult("yes", Content(made + newline, lists=_lists(call), ways=ways))


def _parted(call: Invocation, args: Sequence[Value], between: str, end: str) -> Ways:
    """The ways of arguments, with a blank between them and at the end, if they are traced."""
    tracer = call.shell.tracer()
    if tracer is None or not all(each.ways for each in args):
        return ()
    place = tracer.shell.span(0, len(tracer.shell.text))
    blank, last = (
        (((Piece(written(text, place), (place,)),),) if text else ((),)) for text in (between, end)
    )
    parts = [ways for each in args for ways in (each.ways, blank)]
    return combined((*parts[:-1], last))


def _printf(call: Invocation) -> ProgramResult:
    words = call.words
    if words[:1] == ["-v"] and len(words) > 1:
        output = _printf(call._replace(args=call.args[2:])).output
        call.shell.state.variables[words[1]] = (
            Value(output.text, output.lists) if output and output.text and not output.ways else Value(UNKNOWN)
        )
        return ProgramResult()
    args = call.args[words[:1] == ["--"] :]
    form, *values = [each.text for each in args] or [""]
    raw, form = form, escaped(form)
    rest = list(values)

    def filled(match: re.Match[str]) -> str:
        if match[1] == "%":
            return "%"
        value = rest.pop(0) if rest else ""
        return escaped(value) if match[1][-1] == "b" else value

    text = _FORMAT.sub(filled, form)
    while rest and _FORMAT.search(form.replace("%%", "")):
        text += _FORMAT.sub(filled, form)
    ways: Ways = ()
    if values and form.split() == ["%s"] and form[-1].isspace():
        ways = _parted(call, args[1:], form[-1], form[-1])
    elif args and "%" not in form and args[0].ways:
        ways = tuple(tuple(each and _escaped_piece(each) for each in way) for way in args[0].ways)
        ways = ways if raw.partition("\\c")[0] == raw else ()
    return ProgramResult("yes", Content(text, lists=_lists(call), ways=ways))


def _escaped_piece(piece: Piece) -> Piece:
    if isinstance(piece.text, Unknown):
        return piece
    ranges = [(*match.span(), escaped(match[0])) for match in _ESCAPE.finditer(piece.text.text)]
    return piece._replace(text=piece.text.replaced(ranges)) if ranges else piece


def inputs(call: Invocation, names: tuple[str, ...] | list[str]) -> Content | None:
    """What the files of these names hold, or what the program reads without any; None if one is not seen."""
    state = call.shell.state
    parts: list[Content] = []
    for name in names or ["-"]:
        for path in state.glob(state.path(name)) if name != "-" else [""]:
            found = state.read(path) if path and path != "/dev/stdin" else call.input
            if found is None:
                return None
            parts.append(found)
    return joined(parts) if len(parts) != 1 else parts[0]


def _cat(call: Invocation) -> ProgramResult:
    found = inputs(call, read_options(call.words).operands)
    return ProgramResult("done", found if found is not None else _NOT)


def _tee(call: Invocation) -> ProgramResult:
    options = read_options(call.words)
    content = call.input if call.input is not None else _NOT
    for name in options.operands:
        for path in (
            call.shell.state.glob(call.shell.state.path(name)) if not name.startswith("/dev/") else ()
        ):
            call.shell.write(path, content, append=options.has("a", "append"))
    return ProgramResult("done", content._replace(ways=()))


def _filter(
    change: Callable[[Invocation, str], str | None], valued: str = ""
) -> Callable[[Invocation], ProgramResult]:
    """A program that reads a text, from files or its input, and prints what `change` makes of it."""

    def program(call: Invocation) -> ProgramResult:
        options = read_options(call.words, valued)
        content = inputs(call, options.operands)
        if content is None or content.text is None or content.others:
            return ProgramResult("done", Content(UNKNOWN, lists=lists_of(content)))
        text = change(call, content.text)
        lists = lists_of(content)
        return ProgramResult("done", Content(UNKNOWN if text is None else text, lists=lists))

    return program


def _pattern(patterns: list[str], letters: set[str]) -> str | None:
    """What grep looks for, as Python's regular expression; None if it is not followed."""
    if "F" in letters:
        return "|".join(map(re.escape, patterns))
    if "P" in letters:
        begin, keeps, end = patterns[0].partition(r"\K")
        own = f"{begin}(?P<kept>{end})" if keeps else begin
        try:
            re.compile(own)
        except re.error:
            return None
        return own if len(patterns) == 1 and "[:" not in own else None
    made = [sed.pattern(each, extended="E" in letters) for each in patterns]
    return "|".join(f"(?:{each})" for each in made) if None not in made else None


def _measured(text: str) -> tuple[int, int]:
    """How long the lines of a text are at most, and how many there are."""
    lines = text.splitlines()
    return max(map(len, lines), default=0), len(lines)


def _letters(options: ParsedOptions) -> set[str]:
    """The options of grep, by their letters."""
    long = {
        "extended-regexp": "E",
        "perl-regexp": "P",
        "fixed-strings": "F",
        "invert-match": "v",
        "only-matching": "o",
    }
    return {long.get(name, name) for name, _ in options.options}


def _files_with(call: Invocation, patterns: list[str], names: list[str], letters: set[str]) -> Content:
    """The files below some folders in which something is found, as far as they are seen; of others nothing is known."""
    state = call.shell.state
    pattern = _pattern(patterns, letters)
    found = [path for name in names for start in state.glob(state.path(name)) for path in state.below(start)]
    if pattern is None or UNKNOWN in pattern:
        return _NOT
    texts = [(path, state.read(path)) for path in found]
    if is_slow(pattern, *_measured("".join(f"{each.text}\n" for _, each in texts if each and each.text))):
        return _NOT
    return Content(
        "".join(
            f"{path}\n" for path, each in texts if each and each.text and re.search(pattern, each.text, re.M)
        )
    )


def _grep(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "eABCmf", ("regexp", "max-count"))
    patterns = options.values("e", "regexp")
    names = list(options.operands)
    if not patterns and names:
        patterns = [names.pop(0)]
    if _letters(options) & {"l", "files-with-matches"}:
        return ProgramResult("maybe", _files_with(call, patterns, names, _letters(options)))
    content = inputs(call, names)
    extended = "E" if call.name == "egrep" else "F" if call.name == "fgrep" else ""
    letters = _letters(options) | set(extended)
    if (
        content is None
        or content.text is None
        or content.others
        or letters & set("ABCfrRlLz")
        or not patterns
    ):
        return ProgramResult("maybe", Content(UNKNOWN, lists=lists_of(content)))
    lists = lists_of(content)
    pattern = _pattern([line for each in patterns for line in each.split("\n")], letters)
    if pattern is None or UNKNOWN in pattern or is_slow(pattern, *_measured(content.text)):
        return ProgramResult("maybe", Content(UNKNOWN, lists=lists))
    pattern = rf"\b(?:{pattern})\b" if "w" in letters else rf"(?:{pattern})\Z" if "x" in letters else pattern
    matcher = re.compile(pattern, re.IGNORECASE if letters & {"i", "ignore-case"} else 0)
    find = matcher.match if "x" in letters else matcher.search
    lines = content.text.splitlines()
    inverse = "v" in letters
    kept = [line for line in lines if (find(line) is not None) != inverse]
    if "o" in letters:
        last = matcher.groupindex.get("kept", 0)
        kept = [match[last] for line in kept for match in matcher.finditer(line) if match[last]]
    sure = not any(UNKNOWN in line for line in (kept or lines))
    text = "".join(f"{line}\n" for line in kept)
    if letters & {"c", "count"}:
        text = f"{len(kept) if sure else UNKNOWN}\n"
    quiet = bool(letters & {"q", "quiet", "silent"})
    status = ("yes" if kept else "no") if sure else "maybe"
    return ProgramResult(status, Content("" if quiet else text, lists=lists))  # type: ignore[arg-type]


def _cut(call: Invocation, text: str) -> str | None:
    options = read_options(call.words, "dfcb", ("delimiter", "fields", "characters"))
    fields, chars = options.value("f", "fields"), options.value("c", "characters")
    mark, wanted = options.value("d", "delimiter") or "\t", fields or chars
    if not re.fullmatch(r"(?:\d+-?\d*|-\d+)(?:,(?:\d+-?\d*|-\d+))*", wanted) or options.has("complement"):
        return None
    ranges = [each.partition("-") for each in wanted.split(",")]
    spans = [(int(begin or 1), int(end or 9999) if dash else int(begin)) for begin, dash, end in ranges]
    lines = []
    for line in text.splitlines():
        parts = line.split(mark) if fields else list(line)
        kept = [part for at, part in enumerate(parts, 1) if any(begin <= at <= end for begin, end in spans)]
        if fields and len(parts) == 1:
            kept = [] if options.has("s") else parts
            if not kept:
                continue
        lines.append((mark if fields else "").join(kept))
    return "".join(f"{line}\n" for line in lines)


_CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:space:]": " \t\n\r\v\f",
    "[:blank:]": " \t",
    "[:digit:]": "0123456789",
}


def _set(text: str) -> str:
    for name, chars in _CLASSES.items():
        text = text.replace(name, chars)
    text = escaped(text)
    return re.sub(
        r"(\w)-(\w)", lambda match: "".join(map(chr, range(ord(match[1]), ord(match[2]) + 1))), text
    )


def _tr(call: Invocation) -> ProgramResult:
    options = read_options(call.words)
    content = call.input
    if content is None or content.text is None or content.others:
        return ProgramResult("done", Content(UNKNOWN, lists=lists_of(content)))
    text, sets = content.text, [_set(each) for each in options.operands]
    letters = {name for name, _ in options.options}
    inverse = bool(letters & {"c", "C", "complement"})
    if (
        not sets
        or (inverse and len(sets) > 1)
        or any("[" in each for each in sets)
        or UNKNOWN in "".join(sets)
    ):
        text = UNKNOWN
    elif letters & {"d", "delete"}:
        text = "".join(char for char in text if (char in sets[0]) == inverse or char == UNKNOWN)
    elif len(sets) > 1 and sets[1]:
        first, second = sets[0], sets[1].ljust(len(sets[0]), sets[1][-1])
        text = text.translate(str.maketrans(first, second[: len(first)]))
    if letters & {"s", "squeeze-repeats"} and text != UNKNOWN:
        text = re.sub(rf"([{re.escape(sets[-1])}])\1+", r"\1", text)
    lists = lists_of(content)
    return ProgramResult("done", Content(text, lists=lists))


def _awk(call: Invocation) -> ProgramResult:
    from pinner.shell.programs import awk

    options = read_options(call.words, "Fvfi", ("field-separator", "assign", "file", "include"))
    script = "".join(options.operands[:1])
    if re.search("[>|]|system", script) and (
        APT_FILES.search(script) or APT_FILES.search(call.shell.state.cwd)
    ):
        call.shell.unknown(call.name)
    if options.has("f", "file") or not options.operands:
        return ProgramResult("done", _NOT)
    variables: dict[str, str | float] = {}
    if mark := options.value("F", "field-separator"):
        variables["FS"] = "\t" if mark == "t" else escaped(mark)
    for each in options.values("v", "assign"):
        name, _, value = each.partition("=")
        variables[name] = escaped(value)
    if "inplace" in options.values("i", "include"):
        state = call.shell.state
        for path in (each for name in options.operands[1:] for each in state.glob(state.path(name))):
            own = state.read(path)
            made = awk.run(options.operands[0], own.text or "", variables) if own is not None else None
            if own is not None:
                call.shell.write(path, Content(None if own.others or own.text is None else made))
        return ProgramResult()
    content = inputs(call, options.operands[1:])
    lists = lists_of(content)
    if (
        content is None
        or content.text is None
        or content.others
        or any(UNKNOWN in each for each in call.words)
    ):
        return ProgramResult("done", Content(UNKNOWN, lists=lists))
    text = awk.run(options.operands[0], content.text, variables)
    return ProgramResult("done", Content(UNKNOWN if text is None else text, lists=lists))


def _count(call: Invocation) -> int:
    options = read_options(call.words, "nc", ("lines",))
    value = options.value("n", "lines") or next(
        (name for name, _ in options.options if name.isdecimal()), "10"
    )
    return int(value) if value.isdecimal() else -1


def _head(call: Invocation, text: str) -> str | None:
    count = _count(call)
    return "".join(text.splitlines(keepends=True)[:count]) if count >= 0 else None


def _tail(call: Invocation, text: str) -> str | None:
    count = _count(call)
    return "".join(text.splitlines(keepends=True)[-count or len(text) :]) if count >= 0 else None


def _sort(call: Invocation, text: str) -> str | None:
    lines = sorted(text.splitlines())
    lines = list(dict.fromkeys(lines)) if read_options(call.words, "kt").has("u", "unique") else lines
    return "".join(f"{line}\n" for line in lines)


def _uniq(call: Invocation, text: str) -> str | None:
    lines = text.splitlines()
    return "".join(f"{line}\n" for at, line in enumerate(lines) if not at or line != lines[at - 1])


def _paste(call: Invocation, text: str) -> str | None:
    options = read_options(call.words, "d", ("delimiters",))
    mark = escaped(options.value("d", "delimiters") or "\t")
    if not options.has("s", "serial") or len(options.operands) > 1 or len(mark) > 1:
        return None
    return mark.join(text.splitlines()) + "\n"


def _base64(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "w", ("wrap",))
    content = inputs(call, options.operands)
    text = content.text if content is not None and not content.others else None
    if text is None or UNKNOWN in text or not options.has("d", "D", "decode"):
        return ProgramResult("done", _NOT)
    try:
        return ProgramResult("done", Content(b64decode("".join(text.split()), validate=True).decode()))
    except (binascii.Error, UnicodeDecodeError):
        return ProgramResult("done", _NOT)


def _basename(call: Invocation) -> ProgramResult:
    words = [word for word in call.words if not word.startswith("-")]
    text = words[0].rstrip("/").rpartition("/")[2] if words else UNKNOWN
    return ProgramResult("yes", Content(text.removesuffix(words[1]) if len(words) > 1 else text))


def _dirname(call: Invocation) -> ProgramResult:
    text = call.words[0] if call.words else UNKNOWN
    if UNKNOWN in text.rpartition("/")[2]:
        return ProgramResult("yes", Content(UNKNOWN))
    return ProgramResult("yes", Content(text.rpartition("/")[0] or ("/" if text.startswith("/") else ".")))


def _sed(call: Invocation) -> ProgramResult:
    return sed.run(call, lambda names: inputs(call, names))


ROWS = {
    "echo": _echo,
    "printf": _printf,
    "cat": _cat,
    "tee": _tee,
    "sponge": _tee,
    "grep": _grep,
    "egrep": _grep,
    "fgrep": _grep,
    "cut": _filter(_cut, "dfcb"),
    "tr": _tr,
    "awk": _awk,
    "gawk": _awk,
    "mawk": _awk,
    "head": _filter(_head, "nc"),
    "tail": _filter(_tail, "nc"),
    "sort": _filter(_sort, "kt"),
    "uniq": _filter(_uniq),
    "paste": _filter(_paste, "d"),
    "tac": _filter(lambda call, text: "".join(reversed(text.splitlines(keepends=True)))),
    "column": _filter(lambda call, text: None),
    "base64": _base64,
    "basename": _basename,
    "dirname": _dirname,
    "sed": _sed,
}
