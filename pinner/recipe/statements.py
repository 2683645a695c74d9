"""What an instruction runs, statement by statement, with all in it replaced that the file or the suite decides.

Variables mean what they mean to words (`environment`, `variables`); what asks for the release or the architecture
(os-release(5), lsb_release(1), dpkg(1)) is answered. Nothing is run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from pinner.edit.span import Joined
from pinner.recipe import nested
from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.recipe.uses import Uses
from pinner.recipe.values import pieces
from pinner.recipe.variables import Variables
from pinner.regex import later
from pinner.shell import syntax
from pinner.shell.expand import Binding, Unknown, joined
from pinner.shell.lexer import Range, UnclearError, outline

#: How sources.list(5) writes the architecture.
ARCHITECTURE = "$(ARCH)"
# Marks that no file holds: the architecture, a here-document, the place up to which is read.
_ARCH, _DOCUMENT, _END = "\0", "\1", "\2"
_ARCHITECTURE = later(
    r"\$\(\s*(?:dpkg\s+--print-architecture|dpkg-architecture\s+-q\s*DEB_(?:HOST|BUILD)_ARCH)\s*\)"
    r"|`\s*dpkg\s+--print-architecture\s*`"
)
_LSB = later(r"\$\(\s*lsb_release\s+(?P<one>[^)|;&<>$`]*?)\s*\)|`\s*lsb_release\s+(?P<two>[^`|;&<>$]*?)\s*`")
_LSB_ID = later(r"\$\(\s*lsb_release\s+(?:-is|-si|-i\s+-s)\s*\|\s*tr\s+[^)]*\)")
_LONG = {"--codename": "c", "--release": "r", "--short": "s", "--id": "i"}
_OS_RELEASE = r"/(?:etc|usr/lib)/os-release"
_PRINTED = later(
    rf"\$\(\s*(?:\.|source)\s+{_OS_RELEASE}\s*(?:&&|;)\s*(?:echo|printf)\s+(?:-n\s+|'?%s'?\s+)?"
    r"(?P<said>\"[^\"`()]*\"|[^\s\"`()]+)\s*;?\s*\)"
)
_SOURCED = later(rf"(?:^|[;&|\n{{(]|\bthen\b)\s*(?:\.|source)\s+{_OS_RELEASE}(?=\s*(?:[;&|\n)]|$))")
_EXPANSION = later(r"\$(?:(\w+)|\{(\w+)(?::?-\$\{?(\w+)\}?)?\})")
# What is text and nothing else, wherever in a shell's words it is put.
_SAFE = later(r"[\w.:/+~@%=,\[\] \0-]*\Z")
_OPENS = frozenset({"if", "for", "while", "until", "case", "{", "(", "!"})
_CLOSES = frozenset({"fi", "done", "esac", "}", ")"})
_TESTS = frozenset({"[", "[[", "test"})
_PRINTS = frozenset({"echo", "printf", "cat"})
_MOST = 20_000  # pieces of values in all; more than any person writes is not known
_ENDS = frozenset({"&&", ";", "||", "&", ";;"})


class Asked(NamedTuple):
    """What files ask the stage for.

    `release` are the variables of os-release(5) in its image. `context` gives the text of a file in the build context,
    None if it cannot be read. `variable` tells what ARG and ENV say of a name at an offset of the file.
    """

    release: Mapping[str, str]
    context: Callable[[str], str | None] = lambda path: None
    variable: Callable[[str, int], Binding | Unknown] = lambda name, at: Unknown("", "")


class Statement(NamedTuple):
    """A pipeline: its words without quotes; redirections and `|` are words of their own.

    `certain` tells that every run gets to it. A word `<<` is followed by the text of a here-document.
    """

    words: tuple[str, ...]
    certain: bool

    @property
    def line(self) -> str:
        """The words but for the here-documents."""
        return " ".join(word for at, word in enumerate(self.words) if at == 0 or self.words[at - 1] != "<<")


def read(dockerfile: Dockerfile, instruction: Instruction, asked: Asked, until: int) -> Iterator[Statement]:
    """The statements of a RUN that come before the one at the offset `until` of the file.

    Raises `ValueError` for text that is not understood.
    """
    if instruction.form != "shell":
        raise ValueError("no shell text")
    text, heredocs = instruction.text, instruction.heredocs
    if len(heredocs) == 1 and heredocs[0].word == instruction.body:
        inner = Joined.without(dockerfile.text, heredocs[0].content, ())
        text = nested.unfolded(nested.heredoc(inner, expands=False, tabs="<<-" in text.text))
        heredocs = ()
    found: list[tuple[Range, str, bool, bool]] = []
    marks: list[tuple[int, int, str]] = []
    for each in heredocs:
        raw, start = each.word.of(dockerfile.text), text.index(each.word.start)
        content = each.content.of(dockerfile.text)
        found.append(((start, start + len(raw)), content, not set(raw) & set("'\"\\"), "<<-" in raw))
    if not heredocs and "<<" in text.text:
        try:
            own = outline(text.text).heredocs
        except UnclearError:
            raise ValueError("unclear here-documents") from None
        found += ((each.operator, text.text[slice(*each.body)], each.expands, each.tabs) for each in own)
        marks += ((*each.whole, "") for each in own)
    marks += ((*operator, f" {_DOCUMENT}{number} ") for number, (operator, *_) in enumerate(found))
    if text.origin(0) < until < text.origin(len(text.text)):
        marks.append((text.index(until), text.index(until), _END))
    script = _Script(_replaced(text.text, marks), instruction, asked)
    documents = [
        script.document(
            re.sub(r"^\t+", "", content, flags=re.MULTILINE) if tabs else content, expands=expands
        )
        for _, content, expands, tabs in found
    ]
    yield from split(script.text, documents)


def split(script: str, documents: Sequence[str] = ()) -> Iterator[Statement]:
    """The statements of a shell text in which nothing is to be replaced any more. Raises `ValueError`."""
    depth, last = 0, ""
    for before, words in _grouped(_pipelines(script)):
        depth += (words[0] in _OPENS and "}" not in words) - (words[0] in _CLOSES)
        certain = not (depth or before == "||" or (before == "&&" and last in _TESTS))
        last = words[0]
        handed: list[str] = []
        for word in words:
            mark, _, number = word.partition(_DOCUMENT)
            handed += ["<<", documents[int(number)]] if number.isdecimal() and not mark else [word]
        shells = words[0].rpartition("/")[2] in nested.POSIX_SHELLS
        if _END in "".join(words) and not shells:
            return
        yield Statement(tuple(handed), certain)


def _grouped(pipelines: Iterable[tuple[str, list[str]]]) -> Iterator[tuple[str, list[str]]]:
    """The pipelines; `{ …; …; } > FILE` of commands that only print is one, with `;` between them."""
    held: list[tuple[str, list[str]]] = []
    for before, words in pipelines:
        if held:
            held.append((before, words))
            if words[0] == "}" and len(words) > 1:
                yield held[0][0], [word for _, each in held for word in (*each, ";")][:-1]
                held = []
            elif words[0] not in _PRINTS:
                yield from held
                held = []
        elif words[0] == "{" and words[1:2] and words[1] in _PRINTS:
            held = [(before, words)]
        else:
            yield before, words
    yield from held


def _pipelines(script: str) -> Iterator[tuple[str, list[str]]]:
    """The operator before each pipeline, and its words."""
    tokens = shlex.shlex(script, posix=True, punctuation_chars="();<>|&\n")
    tokens.whitespace = " \t\r"
    tokens.whitespace_split = True
    tokens.commenters = ""
    before, words = "", list[str]()
    for token in tokens:
        operator = token.strip("\n")
        if operator in _ENDS or (not operator and words[-1:] != ["|"]):
            if words:
                yield before, words
            before = operator or (";" if words else before)
            words = []
        elif operator:
            words.append(operator if set(operator) <= set("();<>|&") else _for_apt(token))
    if words:
        yield before, words


def _for_apt(text: str) -> str:
    """A text with the architecture as sources.list(5) writes it, but where it says only what apt does anyway."""
    if _ARCH not in text:
        return text
    text = re.sub(
        rf"\barch=\"?{_ARCH}\"?,?|^Architectures:[ \t]*{_ARCH}[ \t]*\n", "", text, flags=re.MULTILINE
    )
    return text.replace(_ARCH, ARCHITECTURE)


def _replaced(text: str, found: Iterable[tuple[int, int, str]]) -> str:
    parts, begin = list[str](), 0
    for start, end, told in sorted(found):
        if start >= begin:
            parts += (text[begin:start], told)
            begin = end
    return "".join((*parts, text[begin:]))


class _Script:
    """A shell text with all replaced in it that is known."""

    def __init__(self, text: str, instruction: Instruction, asked: Asked) -> None:
        self._release = asked.release
        self._variables: Variables | None = None
        self._left = _MOST
        self.text = self._answered(text)
        own = Joined(self.text, (0,), (0,), (len(self.text),))
        try:
            script = syntax.read(self.text, own)
            expansions = script.expansions()
        except syntax.UnparsableError:
            return
        self._variables = Variables(
            script, lambda name, at: asked.variable(name, instruction.span.start), Uses()
        )
        found = [(start, end, "") for start, end in script.comment_places()]
        found += [
            (start, end, told)
            for start, end, word, quoted in expansions
            if (told := self._value(word, self.text[start:end], start, quoted)) is not None
        ]
        self.text = _replaced(self.text, found)

    def _answered(self, text: str) -> str:
        """The text with what commands print put in their place."""
        for pattern, answer in (
            (_ARCHITECTURE, self._of_dpkg),
            (_PRINTED, self._printed),
            (_LSB_ID, self._id),
            (_LSB, self._lsb),
        ):
            told = ((match, answer(match)) for match in pattern.finditer(text))
            text = _replaced(text, [(*match.span(), said) for match, said in told if said is not None])
        return text

    def _of_dpkg(self, match: re.Match[str]) -> str:
        return _ARCH

    def _id(self, match: re.Match[str]) -> str | None:
        return self._release.get("ID")

    def _printed(self, match: re.Match[str]) -> str | None:
        said = _EXPANSION.sub(lambda one: self._of_release(one) or one[0], match["said"].strip('"'))
        return None if "$" in said else said

    def _lsb(self, match: re.Match[str]) -> str | None:
        options = (match["one"] or match["two"] or "").split()
        letters = {letter for option in options for letter in _LONG.get(option, option.lstrip("-"))}
        name = {frozenset("cs"): "VERSION_CODENAME", frozenset("rs"): "VERSION_ID"}.get(
            frozenset(letters), ""
        )
        return self._release.get(name)

    def _of_release(self, match: re.Match[str]) -> str | None:
        """What a variable of os-release(5) holds; its default is another one's value."""
        name, default = match[1] or match[2], match[3]
        return self._release.get(name) or (self._release.get(default) if default else None)

    def _value(self, word: syntax.Word, raw: str, at: int, quoted: bool) -> str | None:
        """What an expansion becomes, None if that is not known or the shell may read it as more than text."""
        assert self._variables is not None
        if self._left <= 0:
            return None
        own = tuple(islice(pieces(self._variables.context, word), self._left))
        self._left -= len(own)
        text = joined(own) if self._left > 0 else None
        if text is not None and quoted:
            return re.sub(r'["\\]', r"\\\g<0>", text.text)
        if text is not None:
            return text.text if _SAFE.match(text.text) else None
        match = _EXPANSION.fullmatch(raw)
        return self._of_release(match) if match and _SOURCED.search(self.text, 0, at) else None

    def document(self, text: str, *, expands: bool) -> str:
        """A here-document as the shell hands it over. Raises `ValueError` if something in it is not known."""
        if not expands:
            return text

        def known(match: re.Match[str]) -> str:
            found = self._variables.lookup(match[1] or match[2], len(self.text)) if self._variables else None
            told = joined(found.elements[0].pieces) if isinstance(found, Binding) and not match[3] else None
            if told is not None:
                return told.text
            return (self._of_release(match) if _SOURCED.search(self.text) else None) or match[0]

        return _for_apt(plain(_EXPANSION.sub(known, self._answered(text))))


def plain(text: str) -> str:
    """The text. Raises `ValueError` if something in it is still to be expanded."""
    if re.search(r"\$(?!\(ARCH\))|`", text):
        raise ValueError("something in it is not known")
    return text
