"""The lock's text → its values, or an error that names the place, as in `packages[3].digest`.

Text as the writer lays it out, which a lock nearly always is, is read section by section; any other spelling is left to
TOML. The order of lines does not matter, nor does a line that is there twice or that nothing refers to: that is what a
merge of two branches leaves. Where it leaves what does not fit together, the target says so (`Target.conflict`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from typing import Any

from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import InputError
from pinner.lock.schema import (
    INSTALLING,
    NAME,
    SCHEMA,
    Closure,
    ClosureMember,
    Gone,
    ImageFile,
    Incomplete,
    InstalledPackage,
    LocalPackage,
    Lock,
    LockedImage,
    LockedKey,
    LockedPackage,
    LockedRelease,
    LockedSettings,
    Target,
    short,
)
from pinner.lock.sections import HEAD, SECTIONS, LockField, Rows, is_clean
from pinner.regex import later

_MARKER = later(r"^(?:<{7}|\|{7}|={7}|>{7})(?: .*)?$\n?", re.MULTILINE)
_BASE = later(r"\|{7}(?: .*)?")
_ARGUMENT = later(r"([a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?)(?:([=/])(.*))?")
_HINT = "restore the lock from version control, or delete it and run `pinner lock`"
_DIGEST = later(r"(?:[0-9a-f]{64}|[0-9a-f]{128})")
_PRINT = later(r"[0-9A-F]{40,}")
_DATE = later(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_KNOWN: dict[str, LockedPackage] = {}  # by line: the locks of a fleet have many in common
_MOST = 20_000
_BOTH = "two branches have changed it"


def is_conflicted(text: str) -> bool:
    """Whether a version control system has left the lines of two branches between conflict markers."""
    return _marker(text) is not None


def _marker(text: str) -> re.Match[str] | None:
    return _MARKER.search(text) if any(char * 7 in text for char in "<|=>") else None


def loads(text: str, path: str = NAME, *, merge: bool = False) -> Lock:
    """The lock that `text` describes. With `merge` the lines of two branches between conflict markers both count.

    Raises `InputError` for text that is not TOML, another schema, a missing or mistyped value, an unknown key, and for
    conflict markers.
    """
    rows = _as_laid_out(text)
    marker = _marker(text) if rows is None else None
    if marker and merge:
        text = _MARKER.sub("", _without_base(text))
        rows = _as_laid_out(text)
    elif marker:
        raise InputError(
            "the lock holds unresolved merge conflicts",
            path=path,
            line=text.count("\n", 0, marker.start()) + 1,
            hint="`pinner lock` takes the lines of both sides",
        )
    return _Assembly(rows if rows is not None else _as_toml(text, path), path).lock()


def _without_base(text: str) -> str:
    """The text without what stands in conflicts for the common ancestor (git's `merge.conflictStyle = diff3`)."""
    kept, passing = list[str](), False
    for line in text.split("\n"):
        passing = line != "=======" and (passing or _BASE.fullmatch(line) is not None)
        if not passing:
            kept.append(line)
    return text if passing else "\n".join(kept)


def _as_laid_out(text: str) -> Rows | None:
    """The lines, if every character of the text is where the writer puts it, but for their order; else None."""
    begin = f"{HEAD}schema = {SCHEMA}\n"
    if not text.startswith(begin):
        return None
    at, found = len(begin), Rows()
    clean = is_clean(text)
    for name, section in SECTIONS.items():
        opening = f"\n{name} = [\n"
        if not text.startswith(opening, at):
            if not section.rare:
                return None
            found[name] = []
            continue
        start = at + len(opening)
        end = start if text.startswith("]\n", start) else text.find("\n]\n", start) + 1
        if not end:
            return None
        block, at = text[start:end], end + 2
        lines = _separate(block, name, clean=clean) if block else []
        if lines is None:  # no empty line behind each, as after a merge
            while "\n\n" in block:
                block = block.replace("\n\n", "\n")
            lines = _lines(block, name, "\n", clean=clean)
            if len(lines) != block.count("\n"):
                return None
        found[name] = lines
    return found if at == len(text) else None


def _separate(block: str, name: str, *, clean: bool) -> list[tuple[Any, ...]] | None:
    """The lines, if there is an empty one behind each."""
    if name != "packages":
        lines = _lines(block, name, "\n\n", clean=clean)
        return lines if 2 * len(lines) == block.count("\n") else None
    texts = block.split("\n\n")
    if texts.pop() or 2 * len(texts) != block.count("\n"):
        return None
    new = [each for each in texts if each not in _KNOWN]
    if new:
        lines = _lines("\n\n".join((*new, "")), name, "\n\n", clean=clean)
        if len(lines) != len(new):
            return None
        if len(_KNOWN) > _MOST:
            _KNOWN.clear()
            new, lines = texts, _lines(block, name, "\n\n", clean=clean)
        _KNOWN.update(zip(new, map(LockedPackage._make, lines), strict=True))
    return [_KNOWN[each] for each in texts]


@cache
def _pattern(name: str, end: str, *, escaped: bool, clean: bool) -> re.Pattern[str]:
    """A line of a section."""
    fields = SECTIONS[name].fields
    pattern = r"^  \{ "
    plain = r'[^"\\\x00-\x1f\x7f]*'
    # What is simple is compiled sooner; that nothing goes over the end of a line their number shows.
    string = rf'"({plain}(?:\\.{plain})*)"' if escaped else '"([^"]*)"' if clean else f'"({plain})"'
    for number, field in enumerate(fields):
        value = {str: string, int: r"(\d{1,18})"}.get(field.kind, "(true)")
        part = f"{field.name} = {value}"
        if field.default is None:
            pattern += f"{', ' if number else ''}{part}"
        elif number or len(fields) == 1:
            pattern += f"(?:, {part})?"
    return re.compile(rf"{pattern} \}},{end}", re.MULTILINE)


def _lines(block: str, name: str, end: str, *, clean: bool) -> list[tuple[Any, ...]]:
    """The lines of a section that are laid out as the writer does it and have this `end`; no others. `clean`: without
    characters that no text of TOML holds."""
    fields, escaped = SECTIONS[name].fields, "\\" in block
    rows: list[tuple[Any, ...]] = _pattern(name, end, escaped=escaped, clean=clean).findall(block)
    if escaped:
        try:
            rows = [tuple(map(_unescaped, row)) for row in rows]
        except ValueError:  # an escape that the writer does not write
            return []
    if rows and any(field.kind is not str for field in fields):
        columns = list(zip(*rows, strict=True))
        for place, field in enumerate(fields):
            if field.kind is not str:
                columns[place] = tuple([field.kind(text or 0) for text in columns[place]])
        rows = list(zip(*columns, strict=True))
    return rows


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    import json

    value: str = json.loads(f'"{text}"')
    value.encode()  # half a surrogate pair is no text, and TOML says so
    return value


def _as_toml(text: str, path: str) -> Rows:
    from pinner import toml

    try:
        data = toml.loads(text)
    except ValueError as problem:
        raise _error(path, "not a lock", str(problem)) from None
    schema = data.pop("schema", None)
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise _error(path, "schema", "must be a number")
    if schema != SCHEMA:
        hint = "use a newer pinner" if schema > SCHEMA else "delete it and run `pinner lock`"
        raise InputError(f"the lock has schema {schema}, this pinner reads {SCHEMA}", path=path, hint=hint)
    unknown = sorted(data.keys() - SECTIONS.keys())
    if unknown:
        raise _error(path, unknown[0], "is not a section of a lock")
    found: Rows = {}
    for name, section in SECTIONS.items():
        tables = data.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise _error(path, name, "must be a list of tables")
        found[name] = []
        for number, table in enumerate(tables):
            where = f"{name}[{number}]"
            fields = section.fields
            others = sorted(table.keys() - {field.name for field in fields})
            if others:
                raise _error(path, f"{where}.{others[0]}", "is not a key of a lock")
            row = tuple(table.get(field.name, field.default) for field in fields)
            for field, value in zip(fields, row, strict=True):
                fault = _fault(field, value)
                if fault:
                    raise _error(path, f"{where}.{field.name}", fault)
            found[name].append(row)
    return found


def _fault(field: LockField, value: object) -> str:
    """What is wrong with a value, "" if nothing is."""
    if value is None:
        return "is missing"
    if field.kind is str and not isinstance(value, str):
        return "must be a string"
    if field.kind is bool and not isinstance(value, bool):
        return "must be true or false"
    if field.kind is int and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        return "must be a number, 0 or more"
    return ""


def _error(path: str, where: str, problem: str) -> InputError:
    return InputError(f"{where}: {problem}", path=path, hint=_HINT)


class _Assembly:
    def __init__(self, rows: Rows, path: str) -> None:
        self._rows = rows
        self._path = path
        self._dates = set[str]()  # those that are good

    def lock(self) -> Lock:
        """The lock."""
        rows = self._rows
        packages = self._packages()
        releases: dict[tuple[str, str, str], LockedRelease] = {}
        for number, row in enumerate(rows["releases"]):
            release = LockedRelease._make(row)
            self._check(_DIGEST, release.digest, f"releases[{number}].digest", "a digest in hexadecimal")
            self._check_date(release.date, f"releases[{number}].date")
            known = releases.setdefault(release.key, release)
            if release.date > known.date:
                releases[release.key] = release
        prints: dict[tuple[str, str], set[str]] = {}
        for number, (uri, origin, fingerprint) in enumerate(rows["keys"]):
            self._check(_PRINT, fingerprint, f"keys[{number}].fingerprint", "the fingerprint of a key")
            prints.setdefault((uri, origin), set()).add(fingerprint)
        keys = (LockedKey(uri, origin, tuple(sorted(each))) for (uri, origin), each in prints.items())
        settings = {each.file: each for each in map(LockedSettings._make, rows["settings"])}
        return Lock(
            tuple(releases.values()),
            tuple(self._targets(packages)),
            tuple(packages.values()),
            tuple(keys),
            tuple(self._images()),
            tuple(settings.values()),
        )

    def _check_date(self, text: str, where: str) -> None:
        if text not in self._dates:
            with suppress(ValueError):
                if _DATE.fullmatch(text) and datetime.fromisoformat(text):
                    self._dates.add(text)
                    return
            raise _error(self._path, where, "must be a date like 2026-11-28T06:00:00Z")

    def _check(self, pattern: re.Pattern[str], text: str, where: str, what: str) -> None:
        if not pattern.fullmatch(text):
            raise _error(self._path, where, f"must be {what}")

    def _packages(self) -> dict[str, LockedPackage]:
        found: dict[str, LockedPackage] = {}
        clashing, is_digest = set[str](), _DIGEST.fullmatch
        for number, row in enumerate(self._rows["packages"]):
            package = row if isinstance(row, LockedPackage) else LockedPackage._make(row)
            if not is_digest(package.digest):
                self._check(_DIGEST, package.digest, f"packages[{number}].digest", "a digest in hexadecimal")
            known = found.setdefault(package.id, package)
            if known.digest != package.digest:
                if known.uri == package.uri:
                    raise _error(
                        self._path, f"packages[{number}]", f"{package.id} is there twice, with two digests"
                    )
                clashing.add(package.id)
        # Branches that each locked one of two twins: who needs them is locked anew.
        return {name: each for name, each in found.items() if name not in clashing}

    def _targets(self, packages: Mapping[str, LockedPackage]) -> Iterator[Target]:
        closures, faults = self._closures(packages)
        found: dict[tuple[str, str, str], Target] = {}
        for number, (file, stage, platform, name, parent) in enumerate(self._rows["targets"]):
            if platform not in PLATFORMS:
                raise _error(self._path, f"targets[{number}].platform", "must be a platform like linux/amd64")
            closure = closures.get(name, _NONE)
            fault = faults.get(name, "") if name in closures else "what it installs is not there"
            target = Target(file, stage, platform, closure, parent, fault)
            known = found.setdefault(target.key, target)
            if known is not target and (known.closure.id, known.parent) != (closure.id, parent):
                found[target.key] = known._replace(conflict=_BOTH)
        yield from found.values()

    def _closures(self, packages: Mapping[str, LockedPackage]) -> tuple[dict[str, Closure], dict[str, str]]:
        """The closures by id, and why those do not fit together that do not."""
        rows, faults = self._rows, dict[str, str]()
        members = _grouped(rows["members"])
        commands = _grouped(rows["commands"])
        incomplete = _grouped(rows["incomplete"])
        gone, files = _grouped(rows["gone"]), _grouped(rows["files"])
        found: dict[str, Closure] = {}
        for number, row in enumerate(rows["closures"]):
            name = row[0]
            if row[6]:
                self._check_date(row[6], f"closures[{number}].date")
            if name in found:
                if found[name][: len(row)] != row:
                    faults[name] = _BOTH
                continue
            parts = (
                _joined(commands.get(name, ())),
                tuple(map(_MEMBER, _sorted(members.get(name, ())))),
                tuple(sorted({Incomplete._make(each) for each in incomplete.get(name, ())})),
                tuple(sorted({Gone._make(each) for each in gone.get(name, ())})),
                tuple(sorted({LocalPackage._make(each) for each in files.get(name, ())})),
            )
            closure = found[name] = Closure._make((*row, *parts))
            fault = _unfit(closure, packages)
            if fault:
                faults[name] = fault
        return found, faults

    def _images(self) -> Iterator[LockedImage]:
        files, packages = _grouped(self._rows["image_files"]), _grouped(self._rows["image_packages"])
        for row in dict.fromkeys(self._rows["images"]):
            name = short(row[0])
            parts = (
                tuple(sorted({ImageFile._make(each) for each in files.get(name, ())})),
                tuple(sorted({InstalledPackage._make(each) for each in packages.get(name, ())})),
            )
            yield LockedImage._make((*row, *parts))


_NONE = Closure("", "", "", "")
_MEMBER = partial(tuple.__new__, ClosureMember)  # half of a lock's lines are members


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    """Lines without their owner, by it."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row[1:])
    return found


def _sorted(rows: Collection[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Lines in order, each once."""
    once = {*rows}
    return sorted(once if len(once) < len(rows) else rows)  # what is in order already is sorted sooner


def _joined(rows: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    """The commands of lines: see `CommandRow`."""
    found: list[list[str]] = []
    for command, argument in rows:
        if command or not found:
            found.append([command])
        if argument:
            found[-1].append(argument)
    return tuple(map(" ".join, found))


def _unfit(closure: Closure, packages: Mapping[str, LockedPackage]) -> str:
    """Why the lines of a closure do not fit together, as after a merge of two branches; "" if they do."""
    members = closure.members
    ids, _, needs, _ = zip(*members, strict=True) if members else ((), (), (), ())
    slots = {each.partition("=")[0] for each in ids}
    if len(slots) < len(members):
        return f"two versions of one package are there: {_BOTH}"
    if not packages.keys() >= {*ids}:
        return f"a package is not there: {_BOTH}"
    needed = {*needs} - slots - {""}  # with the architecture if it is foreign
    if not needed <= {slot.partition(":")[0] for slot in slots} | {each.name for each in closure.files}:
        return f"a package is there that nothing needs: {_BOTH}"
    if closure.incomplete:
        return ""  # they may be those of commands that could be followed
    wanted: dict[str, str] = {}
    for command in closure.commands:
        if not command.startswith(INSTALLING):
            continue
        for word in command.split(" ")[2:]:
            match = _ARGUMENT.fullmatch(word)
            if match:
                wanted[match[1]] = match[3] or "" if match[2] == "=" else ""
            elif not word.startswith("-"):
                return ""  # what it stands for is not to be seen here
    for each in members:
        if not each.argument:
            continue
        pin = wanted.get(each.argument)
        if pin is None or (pin and pin != each.version and not re.search(r"[*?\[]", pin)):
            return f"the packages are not those of the install commands: {_BOTH}"
    return ""
