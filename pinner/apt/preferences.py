"""The texts that tell apt which version to prefer (apt_preferences(5)), as values. Pure."""

from __future__ import annotations

import re
from typing import Literal

from pinner.apt.sources_list import stanzas
from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

#: The number that `Pin-Priority: never` stands for.
NEVER = -32768
_NUMBER = r"[+-]?[0-9]{1,5}"
# What POSIX and Python read alike: no classes by name, no escaped letters, no repeated groups. A few repetitions are
# more than anybody writes, and many would take for ever.
_EXPRESSION = later(r"(?:(?:\\[^\w\s]|\[\^?[\w.+~-]+\]|[\w.~ -])[*+?]?|[\^$|()])*")
_MOST_REPETITIONS = 3
_KINDS: dict[str, Literal["version", "release", "origin"]] = {
    "version": "version",
    "release": "release",
    "origin": "origin",
}


class Preference(NamedTuple):
    """What `data` selects by its `kind` has this priority, for the packages of these names (none: all).

    A name, which `src:` makes that of a source package, may be a glob or, between slashes, a regular expression.
    """

    names: tuple[str, ...]
    kind: Literal["version", "release", "origin"]
    data: str
    priority: int


def expression(text: str) -> str | None:
    """The pattern between two slashes, which is a POSIX extended regular expression, as one of Python's.

    None for one that might mean something else there.
    """
    match = re.fullmatch(r"/(.{1,200})/", text)
    if (
        not match
        or not _EXPRESSION.fullmatch(match[1])
        or len(re.findall(r"[*+?]", match[1])) > _MOST_REPETITIONS
    ):
        return None
    try:
        re.compile(match[1])
    except re.error:
        return None
    return match[1]


def read(path: str, text: str) -> tuple[Preference, ...]:
    """The preferences in a file, in order; a stanza that apt passes over is not among them.

    Raises `InputError`, with the path, where apt would refuse the file, and for regular expressions that are not
    followed.
    """
    found = []
    for line, fields in stanzas(text):
        names = tuple(fields.get("package", "").split())
        if not names:
            raise InputError("apt wants a Package in each stanza", path=path, line=line)
        word, _, data = re.sub(r"\s+", " ", fields.get("pin", "")).partition(" ")
        kind = _KINDS.get(word.lower())
        if names == ("*",):
            names = ()
        if kind is None or (kind == "version" and not names):
            continue
        value = fields.get("pin-priority", "")
        if value != "never" and (
            not re.fullmatch(_NUMBER, value) or not NEVER <= int(value) < -NEVER or not int(value)
        ):
            raise InputError(f"apt wants a priority that is not zero: {value!r}", path=path, line=line)
        if value == "never" and names:
            raise InputError("apt knows the priority `never` for `Package: *` alone", path=path, line=line)
        parts = [part.strip().partition("=")[2] if "=" in part else part for part in data.split(",")]
        for each in (*(name.removeprefix("src:").partition(":")[0] for name in names), *parts):
            if each.startswith("/") and expression(each) is None:
                raise InputError(f"the regular expression {each} is not followed", path=path, line=line)
        if kind == "origin":
            data = data[1:-1] if len(data) > 1 and data[0] == data[-1] == '"' else data
        found.append(Preference(names, kind, data, NEVER if value == "never" else int(value)))
    return tuple(found)
