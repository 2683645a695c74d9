"""A shell text as a tree of tree-sitter's grammar for bash.

The grammar reads a mask of the text, of the same length: one ASCII character for each code point, so that its offsets
are ours. In the mask is hidden what the grammar does not reach though the shell does.

Else one run of lines is set aside if all before it and all behind it is complete by itself, so that it must close what
it opens; no variable or function that it mentions is followed. Two such runs could hide an `if` from what stands
between them: then, and where a quote or here-document has no end, the whole text is left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from pinner.regex import later
from pinner.shell.lexer import Range
from pinner.shell.words import UnparsableError
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

    from pinner.shell.lexer import Heredoc, Outline

_INK = later(r"[^\n]")
# A full stop is part of words, but of no name and no operator, as is a letter of another script to the shell.
_UNSEEN = later(r"[^\t\n -~]")
_TEMPLATE = later(
    r"""(?<!\$)\{\{[^{}'"&;|\n]*\}\}|\$\{\{(?:[^{}']|'[^'\n]*')*\}\}|\$\[\[[^][]*\]\]|<%[^%'"&;|\n]*%>"""
)
# The grammar does not reach all that may stand between [[ and ]]; no command does.
_TEST = later(
    r"""(?<=\[\[)(?=\s)(?:[^]['"\\\n]++|\[|\\.|'[^'\n]*'|"(?:[^"\\\n]|\\.)*"|\](?!\])){0,100}+(?<=\s)(?=\]\])"""
)
# Nor all that may stand between [ and ], which are words like others.
_BRACKETS = later(
    r"""(?<=\[)(?<![^\s;&|(!]\[)(?=\s)
    (?:[^]['"\\\n;&|<>$`]++|\[|\\.|'[^'\n]*'|"(?:[^"\\\n]|\\.)*"|\$(?:\([^()\n]*\))?|(?<!\s)\]){0,100}+
    (?<=\s)(?=\](?![^\s;&|)]))""",
    re.VERBOSE,
)
# To bash it is arithmetic, to other shells a subshell in a subshell.
_DOUBLE_PARENTHESES = later(r"(?<![$(\w])(?<!\bfor )\(\([^()]*\)\)")
# A comment within a line: a command substitution that runs nothing.
_INLINE_COMMENT = later(r"(?<!\\)`[ \t]*#[^`\n]*`")
# The grammar wants a separator between the end of a compound command and a reserved word.
_COMPOUND_END = later(
    r"([;\n][ \t]*(?:fi|done|esac))[ \t](?=[ \t]*(?:fi|done|esac|then|do|else|elif|\})(?![^\s;&|)]))"
)
# A dollar sign that expands nothing.
_DOLLAR = later(r"\$(?=[\s)])")
# The grammar takes an escaped blank that stands alone for no word at all, and does not know \< in a test.
_ESCAPED = later(r"\\.", re.DOTALL)
# The grammar knows no here-string behind another redirection.
_HERESTRING = later(r"([<>]&?[ \t]*[^\s<>;&|()]+[ \t]+\d*)<<<(?!<)")
# A line that does not go on with what stands above, as far as its beginning tells.
_BEGINS = later(r"(?![\s})&|;{]|(?:fi|done|esac|else|elif|then|do|in)\b|\Z)")
_RESERVED = later(
    r"(?<![\w$./-])(?:if|fi|do|done|case|esac)(?![\w./=-])|(?<![^\s;&|()])\{(?=\s)|(?<![^\s;])\}(?![^\s;&|)])"
)
_GOES_ON = later(r"(?:\(\)|&&|\||\\|\b(?:then|else|do|in))\s*\Z")
# The grammar's time and memory grow with the square of these: pipes, and what is opened and never closed.
_PIPE = later(r"(?<!\|)\|(?!\|)")
_MOST_PIPES = 3_000
_PAIRS = (("${", "}"), ("[[", "]]"), ("(", ")"))
_MOST_OPEN = 200
_PART = 64
_MOST_READ = 40  # times that the grammar may read the whole text, which it does two or three times
_SOON = 4_096  # characters that take no time worth watching
# How many places are tried for an end of what the grammar does not reach, and up to which size of a text.
_TRIES = 40
_LARGEST = 300_000


class SyntaxTree(NamedTuple):
    """The `mask` of a text, its tree, and the here-documents in it.

    What stands at `unread` is blank in the mask: the grammar does not reach it, and what is around it is complete.
    """

    mask: str
    root: Node
    heredocs: tuple[Heredoc, ...]
    unread: Range | None


@lru_cache(maxsize=128)
def read(text: str) -> SyntaxTree:
    """The tree of a text. Raises `UnparsableError`."""
    outlined = _outline(text) if "<<" in text else None
    heredocs = tuple(outlined.heredocs) if outlined else ()
    mask = _mask(_blanked(text, _hidden(text, heredocs)))
    root = _parsed(mask)
    unread = None
    if root.has_error:
        unread = _unread(mask, root, (outlined or _outline(text)).lines)
        blank = _INK.sub(" ", mask[slice(*unread)])
        mask = _blanked(mask, [(unread, blank)])
        root = _parsed(mask)
        heredocs = tuple(each for each in heredocs if not unread[0] <= each.operator[0] < unread[1])
        if root.has_error:
            raise UnparsableError
    return SyntaxTree(mask, root, heredocs, unread)


def _outline(text: str) -> Outline:
    from pinner.shell.lexer import UnclearError, outline

    try:
        return outline(text)
    except UnclearError:
        raise UnparsableError from None


def _unread(mask: str, root: Node, lines: list[int]) -> Range:
    """The lines that the grammar does not reach, if what stands before them and behind them is complete by itself.

    So what they open they close, if bash takes the script at all. Raises `UnparsableError`.
    """
    if len(mask) > _LARGEST:
        raise UnparsableError
    starts = [0, *(at for at in lines if _BEGINS.match(mask, at)), len(mask)]
    broken = [child.start_byte for child in root.children if child.has_error and root.type != "ERROR"]
    at = bisect_right(starts, broken[0] if broken else _first_error(root)) - 1
    for begin in reversed(starts[max(at - _TRIES, 0) : at + 1]):
        if not _parsed(mask[:begin]).has_error:
            break
    else:
        raise UnparsableError
    for end in starts[at + 1 : at + _TRIES]:
        if not _parsed(mask[end:]).has_error:
            if not (mask[:begin] + mask[end:]).strip():
                break
            if _is_closed(mask[begin:end]):
                return begin, end
    raise UnparsableError


def _is_closed(mask: str) -> bool:
    """Whether lines seem to close what they open, and do not go on."""
    words = Counter(_RESERVED.findall(mask))
    pairs = (("if", "fi"), ("do", "done"), ("case", "esac"), ("{", "}"))
    return all(words[opens] == words[closes] for opens, closes in pairs) and not _GOES_ON.search(mask)


def _first_error(root: Node) -> int:
    """Where the first error below a node begins."""
    todo = [root]
    found = root.end_byte
    while todo:
        for child in todo.pop().children:
            if child.is_error or child.is_missing:
                found = min(found, child.start_byte)
            elif child.has_error:
                todo.append(child)
    return found


def _parsed(mask: str) -> Node:
    """The tree of a mask. Raises `UnparsableError` for one that the grammar takes too long for."""
    text = mask.encode("ascii")
    parser = _parser()
    if len(text) < _SOON:
        return parser.parse(text).root_node
    if len(_PIPE.findall(mask)) > _MOST_PIPES or any(
        mask.count(opens) - mask.count(closes) > _MOST_OPEN for opens, closes in _PAIRS
    ):
        raise UnparsableError

    # py-tree-sitter never gives back what it is given: so these are small, and the same each time.
    parts: dict[int, bytes] = {}
    reads, most = 0, _MOST_READ * (len(text) // _PART + 1)

    def part(at: int, _: object) -> bytes:
        nonlocal reads
        reads += 1
        if at not in parts:
            parts[at] = text[at : (at // _PART + 1) * _PART]
        return parts[at]

    try:
        return parser.parse(part, progress_callback=lambda *_: reads > most).root_node
    except ValueError:  # it was cancelled
        parser.reset()
        raise UnparsableError from None


def _hidden(text: str, heredocs: Iterable[Heredoc]) -> Iterator[tuple[Range, str]]:
    """What stands in the place of here-documents: an input from a file, and blank lines."""
    parts: list[tuple[Range, str]] = []
    for each in heredocs:
        start, end = each.operator
        parts.append(((start, end), "<" + "x" * (end - start - 1)))
        parts.append((each.whole, _INK.sub(" ", text[slice(*each.whole)])))
    return iter(sorted(parts))


def _blanked(text: str, ranges: Iterable[tuple[Range, str]]) -> str:
    """`text` with other texts of the same length at ranges of it (sorted, apart)."""
    parts: list[str] = []
    begin = 0
    for (start, end), other in ranges:
        parts += (text[begin:start], other)
        begin = end
    return "".join((*parts, text[begin:]))


@cache
def _parser() -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(_grammar()))


def _grammar() -> object:
    """The grammar by its binary module alone: the package around it imports for 9 ms what finds its query files."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    name = "tree_sitter_bash"
    package = PathFinder.find_spec(name)
    places = package.submodule_search_locations if package else None
    if (binary := PathFinder.find_spec(f"{name}._binding", places)) and binary.loader:
        module = module_from_spec(binary)
        binary.loader.exec_module(module)
        return module.language()
    from tree_sitter_bash import language

    return language()


def _mask(text: str) -> str:
    """`text` with one ASCII character for each code point, its structure unchanged."""
    if "{{" in text or "<%" in text or "$[[" in text:
        text = _TEMPLATE.sub(lambda match: "x" * len(match[0]), text)
    if "[[" in text:
        text = _TEST.sub(_as_word, text)
    if "[ " in text:
        text = _BRACKETS.sub(_as_word, text)
    if "((" in text:
        text = _DOUBLE_PARENTHESES.sub(_as_word, text)
    if "`" in text:
        text = _INLINE_COMMENT.sub(lambda match: " " * len(match[0]), text)
    if "<<<" in text:
        text = _HERESTRING.sub(r"\1<  ", text)
    text = _COMPOUND_END.sub(r"\1;", text)
    if "$)" in text:
        text = _DOLLAR.sub(".", text)
    if "\\ " in text or "\\\t" in text or "\\<" in text or "\\>" in text:
        text = _ESCAPED.sub(lambda match: "xx" if match[0][1] in " \t<>" else match[0], text)
    return _UNSEEN.sub(".", text)


def _as_word(match: re.Match[str]) -> str:
    """A test as one word between blanks, of the same length, unless it runs apt itself."""
    if "apt-get" in match[0] or not match[0].strip():
        return match[0]
    end = match[0][-1] if match[0][-1].isspace() else "x"
    return " " + "x" * (len(match[0]) - 2) + end
