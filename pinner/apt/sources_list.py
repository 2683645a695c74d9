"""The texts from which apt reads its sources (sources.list(5)), as values. Pure.

What an option or field says that decides about versions is followed or refused by its name; apt passes over those that
it does not know, and over what concerns other files than Packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from pinner.apt import conf
from pinner.errors import InputError, without_login
from pinner.regex import later
from pinner.values import NamedTuple

_URI = later(r"[a-z0-9+.-]+:.")
_FINGERPRINTS = later(r"(?:[0-9A-Fa-f]{40}!?,?)+")
_CONTENT = later(r"(?:\[[^\]]*\]|[^#])*")  # up to the comment
_LINE = later(r"(\S+)(?:\s+\[([^\]]*)\])?\s+([^\[\s].*)")
_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#: What is not followed, since it decides which Release is read, or which packages of it.
_REFUSED = ("inrelease-path", "include", "exclude")
#: Options that have to be the same wherever a place is named, beside those that `SourceEntry` has.
_AGREED = ("allow-insecure", "allow-weak", "allow-downgrade-to-insecure", "date-max-future")


class SourceEntry(NamedTuple):
    """One suite of one repository, as a sources file names it.

    `uri` has no trailing slash, and no login. A `suite` that ends in `/` is a path, and there are no components (a flat
    repository). `archs` are the architectures it is read for, none: all, but for those in `without`. `signed_by` is a
    key file's path, fingerprints with commas between them, or an embedded key, "" for the keys that apt trusts anyway.
    `trusted` tells that signatures do not matter, or (False) that they do not help.

    `check_valid_until`, `check_date` and `valid_for` (Valid-Until-Min and -Max, in seconds) are for Releases past their
    time; None and 0 where the entry does not say. `snapshot` is a moment of the archive, `yes` for the one that apt is
    asked for, `no` for none at all, "" where the entry does not say. `others` are further options that all entries of a
    place have to agree about.
    """

    uri: str
    suite: str
    components: tuple[str, ...] = ()
    archs: tuple[str, ...] = ()
    signed_by: str = ""
    trusted: bool | None = None
    check_valid_until: bool | None = None
    check_date: bool | None = None
    valid_for: tuple[int, int] = (0, 0)
    snapshot: str = ""
    without: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def flat(self) -> bool:
        """Whether Release and Packages lie at `uri/suite` itself."""
        return self.suite.endswith("/")

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints that Signed-By names, upper-case; none where it names a file or holds a key."""
        if not _FINGERPRINTS.fullmatch(self.signed_by):
            return ()
        return tuple(each.rstrip("!").upper() for each in self.signed_by.split(",") if each)

    def serves(self, arch: str) -> bool:
        """Whether apt reads it for an architecture."""
        return (not self.archs or arch in self.archs) and arch not in self.without


@lru_cache(maxsize=256)
def read(path: str, text: str, kind: str = "deb") -> tuple[SourceEntry, ...]:
    """The sources of a kind in a file, `deb` or `deb-src`, in order. What its name ends in tells its form.

    Raises `InputError`, with the path, where apt would refuse the file, and for options that are not followed.
    """
    try:
        return tuple(_deb822(text, kind) if path.endswith(".sources") else _one_line(text, kind))
    except InputError as error:
        error.path = path
        raise


def conflict(entries: Iterable[SourceEntry]) -> str:
    """What apt says of entries of one place that contradict each other, in the order of its files; "" if none do.

    An entry may say which keys sign it where those before it say nothing, but not the other way round.
    """
    found: dict[tuple[str, str], SourceEntry] = {}
    for entry in entries:
        place = entry.uri, entry.suite
        before = found.setdefault(place, entry)
        if before.signed_by and before.signed_by != entry.signed_by:
            said, name = f": {before.signed_by} != {entry.signed_by}", "Signed-By"
        else:
            said = ""
            name = next((name for name, same in _compared(before, entry) if not same), "")
        if name:
            said = said if _KEY not in said else ""
            return (
                f"Conflicting values set for option {name} regarding source {entry.uri}/ {entry.suite}{said}"
            )
        if entry.signed_by:
            found[place] = before._replace(signed_by=entry.signed_by)
    return ""


def _compared(one: SourceEntry, other: SourceEntry) -> Iterator[tuple[str, bool]]:
    yield "Trusted", one.trusted == other.trusted
    yield "Check-Valid-Until", one.check_valid_until == other.check_valid_until
    yield "Check-Date", one.check_date == other.check_date
    yield "Min-ValidTime", one.valid_for[0] == other.valid_for[0]
    yield "Max-ValidTime", one.valid_for[1] == other.valid_for[1]
    yield "Allow-Insecure or the like", one.others == other.others


def _one_line(text: str, kind: str) -> Iterator[SourceEntry]:
    for number, raw in enumerate(text.split("\n"), 1):
        content = _CONTENT.match(raw)
        line = content[0].strip() if content else ""
        if not line:
            continue
        match = _LINE.fullmatch(line)
        try:
            uri, suite, *components = conf.quoted(match[3] if match else "")
            options = dict(_assigned(conf.quoted((match and match[2]) or "")))
        except (InputError, ValueError):
            raise InputError(f"apt cannot read this line: {line[:200]}", line=number) from None
        if not match or match[1] not in ("deb", "deb-src"):
            raise InputError(f"apt knows no source of this type: {line[:200]}", line=number)
        found = tuple(_entries((uri,), (suite,), tuple(components), options, number, kind))
        if match[1] == kind:
            yield from found


def _assigned(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals or not value:
            raise ValueError(word)
        yield name, value


#: The option of the one-line form for each of deb822's fields that is spelled otherwise.
_FIELDS = {"architectures": "arch", "targets": "target", "languages": "lang"}


def _deb822(text: str, kind: str) -> Iterator[SourceEntry]:
    for number, fields in stanzas(text):
        types = fields.get("types", "").split()
        if conf.truth(fields.get("enabled", "yes"), True) is False:
            continue
        if not types or set(types) - {"deb", "deb-src"}:
            raise InputError(f"apt knows no source of the type {' '.join(types)!r}", line=number)
        options: dict[str, str] = {}
        for name, value in fields.items():
            plain, dash, change = name.rpartition("-")
            if dash and change in ("add", "remove"):
                name = f"{_FIELDS.get(plain, plain)}{'+' if change == 'add' else '-'}"
            options[_FIELDS.get(name, name)] = value if _KEY in value else ",".join(value.split())
        uris, suites, components = (
            tuple(fields.get(name, "").split()) for name in ("uris", "suites", "components")
        )
        if not suites or not uris:
            raise InputError("apt cannot read this stanza: it has no URIs or no Suites", line=number)
        found = tuple(_entries(uris, suites, components, options, number, kind))
        if kind in types:
            yield from found


def stanzas(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each paragraph's first line and fields, names in lower case; the last of two fields of a name counts."""
    fields: dict[str, str] = {}
    name, first = "", 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        line = line.rstrip()
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield first, fields
            fields, name = {}, ""
        elif line[0] in " \t":
            first = first if fields else number
            fields[name] = f"{fields.get(name, '')}\n{line.strip()}".strip()
        else:
            name, colon, value = line.partition(":")
            name = name.strip().lower()
            if not colon:
                raise InputError(f"apt cannot read this line: {line[:200]}", line=number)
            first = first if fields else number
            fields[name] = value.strip()


def _entries(
    uris: tuple[str, ...],
    suites: tuple[str, ...],
    components: tuple[str, ...],
    options: Mapping[str, str],
    line: int,
    kind: str,
) -> Iterator[SourceEntry]:
    refused = next((name for name in _REFUSED if name in options), "")
    if refused:
        raise InputError(f"the option {refused} is not followed", line=line)
    signed_by = options.get("signed-by", "")
    if (
        signed_by
        and not signed_by.startswith("/")
        and _KEY not in signed_by
        and not _FINGERPRINTS.fullmatch(signed_by)
    ):
        raise InputError(f"apt wants a file or a fingerprint, not {signed_by[:200]}", line=line)
    entry = SourceEntry(
        "",
        "",
        components,
        _listed(options, "arch")
        and tuple(dict.fromkeys((*_listed(options, "arch"), *_listed(options, "arch+")))),
        signed_by,
        _said(options, "trusted"),
        _said(options, "check-valid-until"),
        _said(options, "check-date"),
        (_seconds(options, "valid-until-min"), _seconds(options, "valid-until-max")),
        options.get("snapshot", ""),
        _listed(options, "arch-"),
        tuple(f"{name}={options[name]}" for name in _AGREED if name in options),
    )
    targets = _listed(options, "target") or ("Packages",)
    served = kind == "deb-src" or (
        "Packages" in (*targets, *_listed(options, "target+"))
        and "Packages" not in _listed(options, "target-")
    )
    for uri in uris:
        for suite in suites:
            if suite.endswith("/") == bool(components):
                raise InputError(f"apt wants components for a suite, and none for a path: {suite}", line=line)
            if not _URI.match(uri):
                raise InputError(f"apt wants an address, not {uri}", line=line)
            if served:
                yield entry._replace(uri=without_login(uri).rstrip("/"), suite=suite)


def _listed(options: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, options.get(name, "").split(",")))


def _said(options: Mapping[str, str], name: str) -> bool | None:
    """What a boolean option says; a word that is neither yes nor no is a no to apt."""
    return conf.truth(options[name], False) if name in options else None


def _seconds(options: Mapping[str, str], name: str) -> int:
    match = re.match(r"\d{1,12}", options.get(name, ""))
    return int(match[0]) if match else 0
