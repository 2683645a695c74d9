"""Shell functions that run what they are given (POSIX shell, 2.9.5)."""

from __future__ import annotations

from pinner.regex import later
from pinner.shell import prefixes
from pinner.shell.syntax import Script, UnparsableError

_ALL = later(r'"?\$\{?@(?::[^}]*)?\}?"?')
_GIVEN = later(r"\$\{?[@*1-9]")
_SAYS = later(r"\b(?:echo|printf)\b[^;&|\n]*")


def runs(script: Script, name: str) -> str:
    """Whether a function of this name runs what it is given: its `words`, or a `text`; "" if it does not."""
    try:
        commands = script.commands()
    except UnparsableError:
        commands = ()
    text = script.shell.text
    found = ""
    for node in script.functions.get(name, ()):
        for each in commands:
            if node.start_byte < each.place[0] < node.end_byte:
                texts = [word.raw if word.value is None else word.value for word in each.words]
                at = prefixes.begin(texts, "\0")
                if at < len(texts) and _ALL.fullmatch(texts[at]):
                    return "words"
        if _GIVEN.search(_SAYS.sub("", text[node.start_byte : node.end_byte])):
            found = "text"
    return found
