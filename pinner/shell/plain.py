"""Shell texts that are simple commands of literal words, one behind the other; most are, and need no grammar.

`X=1 apt-get update && apt-get install -y curl 'g++'; rm -rf /tmp/*` is one. Whatever else a text has (an expansion, a
redirection, a pipe, a brace, a comment, a reserved word, a letter of another script) leaves it to the grammar's tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pinner.regex import later
from pinner.shell.content import Value
from pinner.shell.words import WordPart
from pinner.values import NamedTuple

# Printable ASCII but for what ends the quotes or means something in them.
_SINGLE = r"'[\t -&(-~]*+'"
_DOUBLE = r'"[\t !#%-\[\]-_a-z|-~]*+"'
_BARE = r"[\w./:+,@%^~*?=-]"
# No group is possessive: before 3.11.5 Python's engine goes on behind what an abandoned turn of it has matched. Pieces
# and words begin and end with what no other one does, so that there is one way to take a text apart.
_WORD = rf"(?!=)(?:{_BARE}++|{_SINGLE}|{_DOUBLE})+"
_TEXT = later(rf"[ \t\n]*+(?:{_WORD}(?:[ \t]*+(?:&&|;|\n)[ \t\n]*+|[ \t]++|\Z))+", re.ASCII)
_PIECE = later(rf"(&&|;|\n)|{_WORD}", re.ASCII)
_QUOTED = later(r"'([^']*)'|\"([^\"]*)\"|[^'\"]+")
_ASSIGNMENT = later(r"([A-Za-z]\w*|_\w+)=(.+)", re.ASCII)
# Other names, and some assignments without a command, the grammar reads otherwise than a shell does.
_NAME = later(r"[\w./][\w./+-]*", re.ASCII)
# What is no command at the begin of one: reserved words, and what the grammar has statements of their own for.
_RESERVED = frozenset(
    (
        *(
            "if",
            "then",
            "elif",
            "else",
            "fi",
            "for",
            "in",
            "select",
            "while",
            "until",
            "do",
            "done",
            "case",
            "esac",
        ),
        *(
            "function",
            "time",
            "coproc",
            "declare",
            "typeset",
            "export",
            "readonly",
            "local",
            "unset",
            "unsetenv",
        ),
    )
)


class Simple(NamedTuple):
    """A simple command: the parts of its `words`, these as the values of its arguments, and what it assigns.

    `first` is where its name begins; one that has none only assigns.
    """

    words: tuple[tuple[WordPart, ...], ...]
    args: tuple[Value, ...]
    assigned: tuple[tuple[str, Value], ...]
    start_byte: int
    first: int
    end_byte: int

    @property
    def type(self) -> str:
        """Its kind, beside those of the grammar."""
        return "simple"


class AndList(NamedTuple):
    """Commands joined by `&&`."""

    commands: tuple[Simple, ...]

    @property
    def type(self) -> str:
        """Its kind, beside those of the grammar."""
        return "and"

    @property
    def start_byte(self) -> int:
        """Where it begins."""
        return self.commands[0].start_byte

    @property
    def end_byte(self) -> int:
        """Where it ends."""
        return self.commands[-1].end_byte


@lru_cache(maxsize=512)
def read(text: str) -> tuple[Simple | AndList, ...] | None:
    """The statements of a text, None for one that has others. Takes time linear in its size."""
    if not _TEXT.fullmatch(text):
        return None
    lists: list[list[Simple]] = []
    words: list[re.Match[str]] = []
    joins = False
    for match in (*_PIECE.finditer(text), None):
        if match is not None and match[1] is None:
            words.append(match)
        elif words:
            command = _simple(words)
            if command is None:
                return None
            if joins:
                lists[-1].append(command)
            else:
                lists.append([command])
            joins, words = match is not None and match[1] == "&&", []
    if joins:
        return None  # nothing stands behind it
    return tuple(own[0] if len(own) == 1 else AndList(tuple(own)) for own in lists)


def commands(text: str) -> Iterator[Simple]:
    """The commands of a text, none of one that is not plain."""
    for each in read(text) or ():
        yield from each.commands if isinstance(each, AndList) else (each,)


def _simple(words: list[re.Match[str]]) -> Simple | None:
    """The command of some words; None if it may be something else."""
    assigned: list[tuple[str, Value]] = []
    while len(assigned) < len(words) and (match := _ASSIGNMENT.fullmatch(words[len(assigned)][0])):
        assigned.append((match[1], Value("".join(each.text for each in _parts(match[2], 0)))))
    begin, end = words[0].start(), words[-1].end()
    own = [_parts(each[0], each.start()) for each in words[len(assigned) :]]
    args = tuple(
        Value(parts[0].text if len(parts) == 1 else "".join(each.text for each in parts)) for parts in own
    )
    name = words[len(assigned)][0] if args else ""
    if name in _RESERVED or not (_NAME.fullmatch(name) if name else len(assigned) == 1):
        return None
    first = words[len(assigned)].start() if args else end
    return Simple(tuple(own), args, tuple(assigned), begin, first, end)


def _parts(word: str, at: int) -> tuple[WordPart, ...]:
    if "'" not in word and '"' not in word:
        return (WordPart("bare", word, at, at + len(word)),)
    return tuple(
        WordPart("bare", match[0], at + match.start(), at + match.end())
        if match.lastindex is None
        else WordPart("quoted", match[match.lastindex], at + match.start() + 1, at + match.end() - 1)
        for match in _QUOTED.finditer(word)
    )
