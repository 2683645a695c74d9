"""The lines of a Dockerfile as BuildKit joins them.

Dockerfile reference, "Format", "Parser directives", "Here-documents".

Rules that surprise, all of them BuildKit's: a continuation mark may have blanks and tabs behind it; one that follows
another escape character is none; comment lines and empty lines between continued lines are dropped, also when the
line before them ended the sentence as people read it; a here-document is only seen as a blank-separated word of a
RUN, COPY or ADD, and its body begins after the *joined* line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinner.edit.span import Joined, Lines, Span
from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

# What Go's unicode.IsSpace accepts; Python's str.strip() would also take the separators U+001C to U+001F.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

_PARSER_DIRECTIVE = later(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*\Z")
_MAY_HOLD_HEREDOC = later(r"\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s+(?!\[.*\]\s*\Z)", re.IGNORECASE | re.DOTALL)
_WORD = later(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""", re.DOTALL)
_HEREDOC_WORD = later(r"""(\d*)<<(-?)(['"]?)([^<'"\\]+)\3\Z""")


class DockerHeredoc(NamedTuple):
    """A here-document: the `<<NAME` word, and the lines of its body without the terminator."""

    name: str
    word: Span
    content: Span
    terminated: bool


class Logical(NamedTuple):
    """One instruction's line after joining, without its here-documents' bodies; `span` covers those too."""

    joined: Joined
    span: Span
    heredocs: tuple[DockerHeredoc, ...] = ()


class Lined:
    """A file's instructions and comment lines, each in file order. A comment's span begins at its `#`."""

    def __init__(self) -> None:
        self.escape = "\\"
        self.logical: list[Logical] = []
        self.comments: list[Span] = []


def refuse(text: str, span: Span, message: str, hint: str = "") -> InputError:
    """An error at `span` of `text`, path left to whoever knows it."""
    lines = Lines(text)
    line, column = lines.position(span.start)
    return InputError(message, line=line, column=column, excerpt=lines.excerpt(span), hint=hint)


def read(text: str) -> Lined:
    """Join the lines of `text`; raises `InputError` for a parser directive that BuildKit refuses."""
    result = Lined()
    lines = _physical(text)
    directives: set[str] | None = set()
    for begin, line in lines:
        body = line.lstrip(SPACE)
        if directives is not None and not _parser_directive(result, directives, text, begin, body):
            directives = None
        if not body:
            continue
        at = begin + len(line) - len(body)
        if body[0] == "#":
            result.comments.append(Span(at, begin + len(line)))
            continue
        result.logical.append(_join(result, text, lines, at, body))
    return result


def _physical(text: str) -> Iterator[tuple[int, str]]:
    """Each line's offset and its text without line end; only LF ends a line, CRs before it go too."""
    begin = 1 if text.startswith("\ufeff") else 0
    size = len(text)
    while begin < size:
        end = text.find("\n", begin)
        if end < 0:
            end = size
        yield begin, text[begin:end].rstrip("\r")
        begin = end + 1


def _parser_directive(result: Lined, seen: set[str], text: str, begin: int, body: str) -> bool:
    """Whether directives may still follow this line (they stop at the first line that is none)."""
    match = _PARSER_DIRECTIVE.match(body)
    if match is None or (key := match[1].lower()) not in ("syntax", "escape", "check"):
        return False
    where = Span(begin, begin + len(body))
    if key in seen:
        raise refuse(text, where, f"only one {key} parser directive can be used")
    seen.add(key)
    if key == "escape":
        if match[2] not in ("\\", "`"):
            raise refuse(text, where, "the escape character can only be \\ or `")
        result.escape = match[2]
    return True


def _join(result: Lined, text: str, lines: Iterator[tuple[int, str]], at: int, line: str) -> Logical:
    """The instruction whose first line, left-trimmed, is `line`; takes the lines that belong to it."""
    escape = result.escape
    gaps: list[Span] = []
    begin = at
    end = at + len(line)
    mark = _continuation(line, escape)
    while mark >= 0:
        gap = begin + mark
        for begin, line in lines:
            end = begin + len(line)
            body = line.lstrip(SPACE)
            if body and body[0] != "#":
                break
            if body:
                result.comments.append(Span(end - len(body), end))
        else:
            gaps.append(Span(gap, max(end, gap)))
            break
        gaps.append(Span(gap, begin))
        mark = _continuation(line, escape)
    joined = Joined.without(text, Span(at, max(end, at)), gaps)
    heredocs: tuple[DockerHeredoc, ...] = ()
    if "<<" in joined.text and _MAY_HOLD_HEREDOC.match(joined.text):
        heredocs = tuple(_heredocs(joined, text, lines))
        if heredocs:
            end = heredocs[-1].content.end
    return Logical(joined, Span(at, end), heredocs)


def _continuation(line: str, escape: str) -> int:
    """Where the continuation mark of `line` stands, -1 if there is none."""
    if escape not in line:
        return -1
    bare = line.rstrip(" \t")
    if not bare.endswith(escape) or (len(bare) > 1 and bare[-2] == escape):
        return -1
    return len(bare) - 1


def _heredocs(joined: Joined, text: str, lines: Iterator[tuple[int, str]]) -> Iterator[DockerHeredoc]:
    """The here-documents that the joined line opens; takes their bodies from `lines`."""
    if _has_open_quote(joined.text):
        return
    begin = joined.origin(len(joined.text))
    for word in _WORD.finditer(joined.text):
        match = _HEREDOC_WORD.match(word[0])
        if match is None:
            continue
        start: int | None = None
        end = begin
        terminated = False
        for at, line in lines:
            start = at if start is None else start
            if (line.lstrip("\t") if match[2] else line) == match[4]:
                end = at
                terminated = True
                break
            end = at + len(line)
        yield DockerHeredoc(
            match[4], joined.span(*word.span()), Span(min(start or end, end), end), terminated
        )


def _has_open_quote(text: str) -> bool:
    """Whether a quote of `text` is never closed: BuildKit then looks for no here-document."""
    rest = _WORD.sub("", text)
    return "'" in rest or '"' in rest
