"""apt's configuration (apt.conf(5)): its files, `-o`, and what they mean together, as a value. Pure.

The grammar is that of apt's own reader, which works line by line: comments end before braces and semicolons are looked
for, a quote does not reach over the end of a line, and `#clear` and `#include` are statements like any other. Several
texts (APT_CONFIG's, apt.conf.d, apt.conf, then `-c` and `-o` in their order) are each read on top of those before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

TRUE = frozenset({"1", "yes", "true", "with", "on", "enable"})
FALSE = frozenset({"0", "no", "false", "without", "off", "disable"})

_DIRECTIVES = ("clear", "include", "x-apt-configure-index")
_DEEPEST = 10
_NUMBER = later(r"\s*(?:[+-]?(?:0x)?0+|\+?(?:0x)?0*1)", re.IGNORECASE)
_SPACE = " \t\r\f\v"
_TAG = later(rf'(?:"[^"]*"|\[[^\]]*\]|[^{_SPACE}"\[])+')
_MOST = 2_000
_DEEPEST_KEY = 100
_STRING = later(rf'(?:"[^"]*"|[{_SPACE}]+)*\Z')
#: The files at a path, each with its text: one for a file, any number for a directory, whose path ends in `/`.
Include = Callable[[str], Iterable[tuple[str, str]]]


class Item(NamedTuple):
    """A node of the tree: its tag ("" in a list), its value (None for one that is not known), its children."""

    tag: str
    value: str | None = ""
    children: tuple[Item, ...] = ()


#: What apt begins with, as far as it decides where apt looks.
_BEGIN = (
    Item(
        *("Dir", "/"),
        (
            Item(
                *("State", "var/lib/apt"),
                (Item("lists", "lists/"), Item("extended_states", "extended_states")),
            ),
            Item(
                *("Etc", "etc/apt"),
                (
                    Item("sourcelist", "sources.list"),
                    Item("sourceparts", "sources.list.d"),
                    Item("main", "apt.conf"),
                    Item("parts", "apt.conf.d"),
                    Item("preferences", "preferences"),
                    Item("preferencesparts", "preferences.d"),
                    Item("trusted", "trusted.gpg"),
                    Item("trustedparts", "trusted.gpg.d"),
                ),
            ),
        ),
    ),
)


class Settings(NamedTuple):
    """What apt is configured to do. Keys are those of apt.conf(5), in any case."""

    items: tuple[Item, ...] = _BEGIN

    def item(self, key: str) -> Item | None:
        """The node of a key."""
        found: Item | None = None
        children = self.items
        for tag in _tags(key):
            found = next((each for each in children if tag and each.tag.lower() == tag.lower()), None)
            if found is None:
                return None
            children = found.children
        return found

    def find(self, key: str, default: str = "") -> str | None:
        """The value of a key, `default` if it is not set or empty, None if it is set to what is not known."""
        item = self.item(key)
        return default if item is None or item.value == "" else item.value

    def boolean(self, key: str, default: bool | None = None) -> bool | None:
        """The value of a key as yes or no, `default` if it is not set or is neither.

        A value that is not known is None, which only a caller that gives a default can tell from "not set".
        """
        value = self.find(key)
        return None if value is None else truth(value, default)

    def values(self, key: str) -> tuple[str | None, ...]:
        """The elements of a list. A value of its own counts more, and is parted at commas."""
        item = self.item(key)
        if item is None:
            return ()
        if item.value:
            return tuple(item.value.split(","))
        return (None,) if item.value is None else tuple(each.value for each in item.children)

    def path(self, key: str) -> str | None:
        """The absolute path of a file or directory: `Dir::Etc::sourcelist` and the like. "" if apt reads none there.

        None if it is not known, or is relative to where apt is run.
        """
        tags = _tags(key)
        path = self.find(key)
        for number in range(len(tags) - 1, 0, -1):
            if not path or path.startswith("/"):
                break
            above = self.find("::".join(tags[:number]))
            if above is None or re.match(r"[~.]/|\.\./", path):
                return None
            path = f"{above.rstrip('/')}/{path}" if above else path
        root = self.find("RootDir")
        if path is None or root is None or (path and not f"{root}{path}".startswith("/")):
            return None
        return (
            re.sub(r"/+(?:\./+)*", "/", f"{root}/{path}") if path and not path.startswith("/dev/null") else ""
        )

    def set(self, key: str, value: str | None) -> Settings:
        """The settings with a key set; one that ends in `::` appends to the list. Raises `InputError` for a key that
        is nested deeper than any, or too many of them."""
        if key.count("::") > _DEEPEST_KEY:
            raise InputError(f"a key has more than {_DEEPEST_KEY} parts")
        return Settings(_set(self.items, _tags(key), value))

    def clear(self, key: str) -> Settings:
        """The settings without the value of a key and all below it (`#clear`)."""
        return self if self.item(key) is None else Settings(_set(self.items, _tags(key), "", clear=True))

    def of(self, program: str) -> Settings:
        """The settings as a program sees them, for which those below `Binary::PROGRAM` count more."""
        own = self.item(f"Binary::{program}")
        found = self
        for key, value in _flat(own.children, ()) if own else ():
            found = found.set(key, value)
        return found

    def flat(self) -> Iterator[tuple[str, str | None]]:
        """Each key with its value, as `apt-config dump` prints them."""
        return _flat(self.items, ())


#: apt's own defaults.
BEGIN = Settings()


def truth(text: str, default: bool | None = None) -> bool | None:
    """A value as yes or no, `default` if it is neither."""
    word = text.lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    return text.endswith("1") if _NUMBER.fullmatch(text) else default


def option(settings: Settings, text: str) -> Settings:
    """The settings with what `-o KEY=VALUE` sets. Raises `InputError` for a text without `=`."""
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"apt wants -o KEY=VALUE, not {text!r}")
    return settings.set(key, value)


def no_include(path: str) -> Iterable[tuple[str, str]]:
    """Refuses to include a file. Raises `InputError`."""
    raise InputError(f"it includes {path}, which is not read")


def read(
    text: str, path: str = "", base: Settings = BEGIN, include: Include = no_include, depth: int = 0
) -> Settings:
    """`base` with what a text of apt.conf(5) says on top of it.

    Raises `InputError`, with the path and line, where apt would refuse the text, where `include` does, and for more
    statements than anybody writes, those of included files among them.
    """
    return _read(text, path, base, include, depth, iter(range(_MOST)))


def _read(
    text: str, path: str, settings: Settings, include: Include, depth: int, left: Iterator[int]
) -> Settings:
    try:
        for line, directive, key, value in _statements(text):
            if next(left, None) is None:
                raise InputError(f"there are more than {_MOST} settings", line=line)
            if directive == "clear":
                settings = settings.clear(value)
            elif directive == "include":
                if depth > _DEEPEST:
                    raise InputError("apt reads no more than ten files that include one another", line=line)
                try:
                    for name, content in include(value):
                        settings = _read(content, name, settings, include, depth + 1, left)
                except InputError as error:
                    error.line = error.line if error.path else line
                    raise
            elif directive:
                raise InputError(f"apt knows no directive #{directive}", line=line)
            else:
                settings = settings.set(key, value)
    except InputError as error:
        error.path = error.path or path
        raise
    return settings


def _statements(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Each statement's line, directive ("" for none), key and value."""
    parents: list[str] = []
    parent = pending = ""
    number = 0
    for number, content in _uncommented(text):
        start, quoted = 0, False
        for at, character in enumerate(content):
            if character == '"':
                quoted = not quoted
            if quoted or character not in "{;}":
                continue
            piece, start = content[start:at].strip(_SPACE), at + 1
            pending = f"{pending} {piece}" if pending and piece else pending or piece
            if not pending and character == "{":
                raise InputError("apt cannot read this: a block without a name", line=number)
            if pending:
                tag, word = _words(pending, number, block=character == "{")
                pending = ""
                if character == "{":
                    parents.append(parent)
                    if len(parents) > _DEEPEST_KEY:
                        raise InputError(f"blocks nest more than {_DEEPEST_KEY} deep", line=number)
                    parent = f"{parent}::{tag}" if parent else tag
                    key, tag = parent, ""
                else:
                    key = f"{parent}::{tag}" if parent else tag
                if tag.startswith("#"):
                    if parent or character == "{":
                        raise InputError(f"apt knows {tag} at the top level alone", line=number)
                    yield number, tag[1:], "", word or ""
                elif word == "#clear" and not tag:
                    raise InputError("#clear wants the name of what it clears", line=number)
                elif word is not None:
                    yield number, "", key, word
            if character == "}":
                parent = parents.pop() if parents else ""
        rest = content[start:].strip(_SPACE)
        pending = f"{pending} {rest}" if pending and rest else pending or rest
    if pending:
        raise InputError(f"apt misses a semicolon after: {pending[:200]}", line=number)


def _uncommented(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold anything but comments, with their numbers."""
    inside = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.replace("\t", "        ").strip(_SPACE)
        if inside:
            _, closed, line = line.partition("*/")
            if not closed:
                continue
            inside = False
        line = line[: _comment(line, "//")]
        line = line[: _comment(line, "#", _DIRECTIVES)]
        kept, at = "", _comment(line, "/*")
        while at < len(line):
            kept += line[:at]
            _, closed, line = line[at + 2 :].partition("*/")
            inside = not closed
            at = _comment(line, "/*")
        if kept or line:
            yield number, kept + line


def _comment(line: str, mark: str, but: tuple[str, ...] = ()) -> int:
    """Where a mark stands outside quotes for the first time, not followed by one of `but`; at the end if nowhere."""
    at = line.find(mark)
    while at >= 0 and (line.count('"', 0, at) % 2 or (but and line.startswith(but, at + len(mark)))):
        at = line.find(mark, at + 1 if mark != "/*" else at + 2)
    return len(line) if at < 0 else at


def _words(text: str, line: int, *, block: bool) -> tuple[str, str | None]:
    """The tag and the value of a statement; a value that stands alone is an element of a list, and has no tag."""
    match = _TAG.match(text)
    if match is None or (match.end() < len(text) and text[match.end()] not in _SPACE):
        raise InputError(f"apt cannot read this: {text[:200]}", line=line)
    tag, rest = _unquoted(match[0]), text[match.end() :].lstrip(_SPACE)
    if not rest:
        return (tag, None) if block else ("", tag)
    if _STRING.match(rest):
        return tag, re.sub(rf'"([^"]*)"|[{_SPACE}]+', lambda part: " " if part[1] is None else part[1], rest)
    match = _TAG.match(rest)
    if match is None or rest[match.end() :].strip(_SPACE):
        raise InputError(f"apt cannot read this: more than a value in {text[:200]}", line=line)
    return tag, _unquoted(match[0])


def quoted(text: str) -> Iterator[str]:
    """The words of a text as apt parts it: quotes and brackets hold together. Raises `InputError` for an open one."""
    text = text.strip(_SPACE)
    while text:
        match = _TAG.match(text)
        if match is None or (match.end() < len(text) and text[match.end()] not in _SPACE):
            raise InputError(f"apt misses the end of a quote: {text[:200]}")
        yield _unquoted(match[0])
        text = text[match.end() :].lstrip(_SPACE)


def _unquoted(word: str) -> str:
    """A word without quotes and with `%41` and the like replaced."""
    return re.sub(r'"|%([0-9a-fA-F]{2})', lambda match: chr(int(match[1], 16)) if match[1] else "", word)


@lru_cache(maxsize=1024)
def _tags(key: str) -> tuple[str, ...]:
    """The tags of a key, as apt parts it: the last is "" for one that ends in `::`."""
    tags, start, at = list[str](), 0, 0
    while len(key) - at >= 2:
        if key.startswith("::", at):
            tags.append(key[start:at])
            start = at = at + 2
        at += 1
    return (*tags, key[start:])


def _set(
    items: tuple[Item, ...], tags: Sequence[str], value: str | None, *, clear: bool = False
) -> tuple[Item, ...]:
    tag, *rest = tags
    if len(items) > _MOST:
        raise InputError(f"there are more than {_MOST} settings")
    at = next((at for at, each in enumerate(items) if tag and each.tag.lower() == tag.lower()), len(items))
    item = items[at] if at < len(items) else Item(tag)
    if rest:
        item = item._replace(children=_set(item.children, rest, value, clear=clear))
    else:
        item = item._replace(value=value, children=() if clear else item.children)
    return (*items[:at], item, *items[at + 1 :])


def _flat(items: tuple[Item, ...], above: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    for item in items:
        tags = (*above, item.tag)
        yield "::".join(tags), item.value
        yield from _flat(item.children, tags)
