"""One package argument of `apt-get install` → what it asks for (apt-get(8), "install"; apt's order of interpretation).

What only the archive can decide is left to it, because apt tries the whole word as a name first: a full stop may
make it a glob (`python3.11`, `lib.`), a trailing `+` may ask to install what would otherwise be removed (`g++` and
`ncbi-blast+` are names, `curl+` is curl).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pinner.edit.span import Level, Span
from pinner.recipe.values import Field
from pinner.regex import later
from pinner.shell.expand import Piece, Unknown, joined, names_of, not_known
from pinner.shell.syntax import Word
from pinner.values import NamedTuple

ArgumentKind = Literal[
    "plain",
    "arch",
    "pinned",
    "suite",
    "variable",
    "glob",
    "brace",
    "file",
    "suffix",
    "task",
    "pattern",
    "other",
]
Action = Literal["pin", "keep", "skip"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9+._-]*"
_PACKAGE = later(rf"(?P<name>{_NAME})(?::(?P<arch>[A-Za-z0-9*-]+))?")
# What is a name and nothing else, as most are.
_PLAIN = later(r"[a-z0-9][a-z0-9+.-]*(?<!-)")
_BRACES = later(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
# Words that stand for one package where they are written; inside of other quotes they must not have their own.
_WRITABLE_INSIDE = later(r"(?:[\w.+:=~-]|\$\w+|\$\{\w+\})+")
_WRITABLE = later(
    r"""(?:[\w.+:=~-]|\$\w+|\$\{\w+\}|\\[\w.+:=~-]|'[\w.+:=~-]*'|"(?:[\w.+:=~-]|\$\w+|\$\{\w+\})*")+"""
)
_MOST_SHOWN = 20
_TEMPLATE = later(r"\$\[\[|\{\{|\}\}|\{%|%\}|<%|%>|%%\w+%%|@[A-Za-z_][\w.:-]*@")
_GLOB = frozenset("?*[]!")
_REGEX = frozenset("+|^$()\\")


class VersionText(NamedTuple):
    """Where a word's version is written if a variable holds it.

    The version is what stands at `span`, in the variable's value, with `before` and `after` around it (of several
    values the longest is meant). `levels` are the quotings that a text there passes through; no shell looks for globs.
    """

    span: Span
    before: str = ""
    after: str = ""
    levels: tuple[Level, ...] = ()


class Request(NamedTuple):
    """One package argument of an install call.

    `action` says what the text alone allows: `pin`, a version may be inserted at offset `at`; `keep`, it has one;
    `skip`, for the `reason` (a stable code) and `detail` (a clause for people). `name` comes without architecture,
    pin, release and modifier; "" where the text does not tell. `word` is where the name is said, which may be in the
    value of a variable; `version` is where the pin is if it is in the value of a variable and in one place.
    `allowed` tells that a comment allows it to stay without a pin. `expansion` are the words, as they would be written,
    that bash makes of its braces, where bash reads it.
    """

    word: Word
    kind: ArgumentKind
    action: Action
    reason: str = ""
    detail: str = ""
    name: str = ""
    arch: str = ""
    pin: str = ""
    release: str = ""
    at: int = 0
    version: VersionText | None = None
    allowed: bool = False
    expansion: tuple[str, ...] = ()


def read(fields: Sequence[Field], *, bash: bool) -> Iterator[Request]:
    """The requests that the argument words make, one for each; `bash` if it is bash that reads the words."""
    template = False
    for field in fields:
        word = field.word
        opens = "{{" in word.raw and word.raw.rfind("{{") > word.raw.rfind("}}")
        if template or opens:
            yield _skip(word, "other", "template", "a template fills it in")
            template = opens or "}}" not in word.raw
        else:
            request = _request(field, bash=bash)
            yield request._replace(version=_version(field, request.pin)) if request.pin else request


def _version(field: Field, pin: str) -> VersionText | None:
    """Where the version `pin` that ends the word is written, if variables make it up."""
    if not field.pieces:
        return None
    rest = len(pin)
    inside: list[Piece] = []
    for piece in reversed(field.pieces):
        if isinstance(piece.text, Unknown) or rest <= 0:
            break
        size = len(piece.text.text)
        cut = piece.text.part(max(size - rest, 0), size)
        inside.insert(0, piece._replace(text=cut))
        rest -= size
    sizes = [
        0 if isinstance(each.text, Unknown) or not each.through else len(each.text.text) for each in inside
    ]
    if not any(sizes):
        return None
    first = sizes.index(max(sizes))
    last = first + 1
    before, own, after = (joined(part) for part in (inside[:first], inside[first:last], inside[last:]))
    if before is None or own is None or after is None or not own.is_whole(0, len(own.text)):
        return None
    return VersionText(own.span(0, len(own.text)), before.text, after.text, own.levels)


def _skip(word: Word, kind: ArgumentKind, reason: str, detail: str, name: str = "") -> Request:
    return Request(word, kind, "skip", reason, detail, name)


def _request(field: Field, *, bash: bool) -> Request:
    word = field.word
    value = word.value
    if value and value == word.raw and not word.split and _PLAIN.fullmatch(value):
        return Request(word, "plain", "pin", "", "", value, at=word.tail)
    if word.split and all(part.kind != "command" for part in word.parts):
        detail = (
            f"it is continued over the end of a line, so the shell reads {value!r}"
            if value
            else "it is continued"
        )
        return _skip(word, "other", "split-word", detail)
    if _TEMPLATE.search(word.raw):
        return _skip(word, "other", "template", "a template fills it in")
    if "{" in word.bare and _BRACES.search(word.bare) and (braced := _braced(word, bash=bash)):
        return braced
    if value is None:
        return _expanded(field)
    if value.startswith(("/", "./", "../")) or value in (".", ".."):
        return _skip(word, "file", "file", "it is a file")
    if value.startswith(("?", "~")):
        return _skip(word, "pattern", "pattern", "it is a search pattern")
    return _modified(word, value)


def _braced(word: Word, *, bash: bool) -> Request | None:
    """A word with braces; None if bash leaves them as they are."""
    from pinner.shell import braces

    found = braces.expanded(word.raw)
    if found == (word.raw,):
        return None
    shown = " ".join(found) if 0 < len(found) <= _MOST_SHOWN else "several arguments"
    if not bash:
        return _skip(word, "brace", "brace", f"bash makes {shown} of it, sh does not")
    pattern = _WRITABLE_INSIDE if word.levels else _WRITABLE
    if not found or not all(pattern.fullmatch(each) for each in found):
        return _skip(word, "brace", "brace", f"bash makes {shown} of it")
    detail = f"bash makes {shown} of it, and --expand-braces writes that"
    return _skip(word, "brace", "brace", detail)._replace(expansion=found)


def _expanded(field: Field) -> Request:
    """A word that an expansion decides."""
    word = field.word
    kinds = {part.kind for part in word.parts}
    if "command" in kinds:
        return _skip(word, "other", "command-substitution", "a command's output decides it")
    if kinds & {"arithmetic", "other"}:
        return _skip(word, "other", "expansion", "an expansion decides it")
    head = ""
    for part in word.parts:
        if part.kind == "variable":
            break
        head += part.text
    variables = names_of(word.variables)
    if head.startswith(("/", "./", "../")):
        return _skip(word, "file", "file", "it is a file")
    before, equals, _ = head.partition("=")
    if equals:
        match = _PACKAGE.fullmatch(before)
        name, arch = (match["name"], match["arch"] or "") if match else ("", "")
        detail = field.why.detail if field.why else f"its version is in {variables}"
        return Request(word, "variable", "skip", "variable-pin", detail, name, arch)
    if any(part.kind != "variable" and "=" in part.text for part in word.parts):
        return _skip(word, "variable", "variable-pin", f"its name and version are in {variables}")
    if field.why is not None:
        return _skip(word, "variable", field.why.reason, field.why.detail)
    return _skip(word, "variable", "variable-unknown", not_known(*word.variables))


def _modified(word: Word, value: str) -> Request:
    """A trailing `-` removes (no package's name ends in one), a trailing `^` is a task."""
    if value.endswith("-") and len(value) > 1:
        return _skip(word, "suffix", "removal", "the trailing - removes it", value[:-1])
    if value.endswith("^"):
        return _skip(word, "task", "task", "it is a task", value[:-1])
    at = max(value.rfind("="), value.rfind("/"))
    if at < 0:
        return _named(word, value)
    name, chosen = value[:at], value[at + 1 :]
    match = _PACKAGE.fullmatch(name)
    if match is None:
        return _unnamed(word, name)
    arch = match["arch"] or ""
    if not chosen and word.variables:
        detail = f"{', '.join(word.variables)} is empty"
        return Request(word, "variable", "skip", "variable-pin", detail, match["name"], arch)
    if not chosen:
        return Request(
            word, "other", "skip", "refused", "apt finds no version that is empty", match["name"], arch
        )
    if value[at] == "=":
        return Request(word, "pinned", "keep", "", "", match["name"], arch, pin=chosen)
    detail = f"it is taken from the release {chosen}"
    return Request(word, "suite", "skip", "release", detail, match["name"], arch, release=chosen)


def _named(word: Word, value: str) -> Request:
    match = _PACKAGE.fullmatch(value)
    if match is None:
        return _unnamed(word, value)
    arch = match["arch"] or ""
    return Request(word, "arch" if arch else "plain", "pin", "", "", match["name"], arch, at=word.tail)


def _unnamed(word: Word, value: str) -> Request:
    """What is no package name."""
    if not _GLOB.isdisjoint(value):
        return _skip(word, "glob", "glob", "it may stand for several packages")
    if not _REGEX.isdisjoint(value):
        return _skip(word, "other", "regex", "it is a regular expression")
    return _skip(word, "other", "not-a-name", "no package can have this name")
