"""The lock → its text: TOML with one line for each fact, sorted, so that a change touches few lines.

Between two facts there is an empty line: git merges changes of neighbours only where a line that is left lies between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import compress
from operator import ne
from typing import Any

from pinner.errors import InputError
from pinner.lock.schema import LARGEST, SCHEMA, Closure, Lock, Target, short
from pinner.lock.sections import HEAD, SECTIONS, LockField, Rows, is_clean
from pinner.regex import later

_FORMS = {str: '"%s"', int: "%d", bool: "true%.0s"}  # a bool is written where it is true
_PLAIN = later(r'[^"\\\x00-\x1f\x7f]*\Z')


def dumps(lock: Lock) -> str:
    """The lock's text. The same lock always gives the same text, whatever the order of its parts.

    Raises `InputError` for one that is larger than a lock may be.
    """
    out = [f"{HEAD}schema = {SCHEMA}\n"]
    for name, lines in rows(lock).items():
        if SECTIONS[name].rare and not lines:
            continue
        fields = SECTIONS[name].fields
        out.append(f"\n{name} = [\n{_section(fields, lines)}]\n")
    text = "".join(out)
    if len(text) > LARGEST:
        raise InputError(
            f"the lock would have {len(text) // 2**20} MiB, more than the {LARGEST // 2**20} that are read",
            hint="give parts of the project a pinner.toml of their own: each has its own lock",
        )
    return text


def rows(lock: Lock) -> Rows:
    """The lines of each section, in order."""
    found: Rows = {name: [] for name in SECTIONS}
    found["settings"] += lock.settings
    found["releases"] += lock.releases
    found["packages"] += lock.packages
    found["keys"] += ((key.uri, key.origin, each) for key in lock.keys for each in key.fingerprints)
    done: set[str] = set()
    for target, name in _named(lock):
        found["targets"].append((*target.key, name, target.parent))
        if name in done:
            continue
        done.add(name)
        closure = target.closure
        found["closures"].append((name, *closure[1:7]))
        found["members"] += ((name, *member) for member in closure.members)
        found["incomplete"] += ((name, *each) for each in closure.incomplete)
        found["gone"] += ((name, *each) for each in closure.gone)
        found["files"] += ((name, *each) for each in closure.files)
        for command in closure.commands:
            found["commands"] += ((name, *row) for row in _parts(command))
    for image in lock.images:
        found["images"].append(image[:-2])
        found["image_files"] += ((short(image.digest), *file) for file in image.files)
        found["image_packages"] += ((short(image.digest), *package) for package in image.packages)
    for name, lines in found.items():
        lines.sort(key=(lambda row: row[:1]) if name == "commands" else None)  # commands have an order
    return found


def _named(lock: Lock) -> Iterator[tuple[Target, str]]:
    """The targets with the ids of their closures, those of equal closures the same.

    An id is made of the key of the target that first had it, and stays with its content while any target has that.
    """
    below = {target.key: target for target in lock.targets}
    ids: dict[object, str] = {}
    taken: dict[str, object] = {}
    memo: dict[tuple[str, str, str], tuple[object, ...]] = {}

    def content(target: Target) -> tuple[object, ...]:
        if target.key not in memo:
            memo[target.key] = ()  # ends a stage that is built on itself
            parent = below.get((target.file, target.parent, target.platform)) if target.parent else None
            under = content(parent) if parent else (target.parent,)
            memo[target.key] = (target.platform, _Same(target.closure), *under)
        return memo[target.key]

    targets = sorted(lock.targets, key=lambda target: target.key)
    for target in targets:
        name = target.closure.id
        if name and name not in taken and content(target) not in ids:
            taken[name], ids[content(target)] = content(target), name
    for target in targets:
        number = 0
        while content(target) not in ids:
            key = "\0".join((*target.key, *([str(number)] if number else ())))
            name = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:10]
            if name not in taken:
                taken[name], ids[content(target)] = content(target), name
            number += 1
        yield target, ids[content(target)]


class _Same:
    """A closure as a key: equal to those of equal content and date; the hash of so large a value is made once."""

    _hashes: dict[int, int]

    def __init__(self, closure: Closure) -> None:
        self._closure = closure
        self._hash = hash((closure.image, closure.digest, closure.commands, len(closure.members)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return NotImplemented
        return self._closure is other._closure or self._closure[1:] == other._closure[1:]


def _parts(command: str) -> Iterable[tuple[str, str]]:
    """A command's beginning with its options, and each of its package arguments: put together by blanks, itself."""
    words = command.split(" ")
    end = 2
    while end < len(words) and words[end].startswith("-"):
        end += 2 if words[end] == "-t" else 1
    yield " ".join(words[:end]), ""
    yield from (("", word) for word in words[end:])


def _section(fields: Sequence[LockField], rows: Sequence[Sequence[Any]]) -> str:
    """The lines of a section."""
    defaults = [field.default for field in fields]
    forms = dict[tuple[bool, ...], str]()  # of lines that hold these fields, for values that need no escapes
    out, quotes = list[str](), 0
    for values in rows:
        said = tuple(map(ne, values, defaults))
        if said not in forms:
            parts = (f"{each.name} = {_FORMS[each.kind]}" for each in compress(fields, said))
            forms[said] = f"  {{ {', '.join(parts)} }},\n\n"
        out.append(forms[said] % tuple(compress(values, said)))
        quotes += forms[said].count('"')
    text = "".join(out)
    plain = text.count('"') == quotes and text.count("\n") == 2 * len(out) and "\\" not in text
    return text if plain and is_clean(text) else "".join([_line(fields, values) for values in rows])


def _line(fields: Sequence[LockField], values: Sequence[Any]) -> str:
    parts = [
        f"{field.name} = {_value(value)}"
        for field, value in zip(fields, values, strict=True)
        if value != field.default
    ]
    return f"  {{ {', '.join(parts)} }},\n\n"


def _value(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.match(value):
        return f'"{value}"'
    import json

    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
