"""The texts from which apt reads its sources (sources.list(5)), as values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pinner.errors import InputError

_FALSE = frozenset({"0", "no", "false", "without", "off", "disable"})
_TRUE = frozenset({"1", "yes", "true", "with", "on", "enable"})


class Entry(NamedTuple):
    """One suite of one repository, as a sources file names it.

    `uri` has no trailing slash. A `suite` that ends in `/` is a path, and there are no components (a flat repository).
    `archs` are the architectures it is read for, none: all. `signed_by` is a key file's path, fingerprints or an
    embedded key, "" for the keys that apt trusts anyway. `trusted` tells that signatures do not matter.
    """

    uri: str
    suite: str
    components: tuple[str, ...] = ()
    archs: tuple[str, ...] = ()
    signed_by: str = ""
    trusted: bool = False
    check_valid_until: bool = True

    @property
    def flat(self) -> bool:
        """Whether Release and Packages lie at `uri/suite` itself."""
        return self.suite.endswith("/")

    def serves(self, arch: str) -> bool:
        """Whether apt reads it for an architecture."""
        return not self.archs or arch in self.archs


def read(path: str, text: str) -> tuple[Entry, ...]:
    """The binary sources in a file, in order. What its name ends in tells its form.

    Raises `InputError`, with the path, where apt would refuse the file.
    """
    try:
        return tuple(_deb822(text) if path.endswith(".sources") else _one_line(text))
    except InputError as error:
        error.path = path
        raise


def _one_line(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:^|\s)#.*", "", line).strip()
        kind, _, rest = re.sub(r"\s+", " ", line).partition(" ")
        if kind in ("", "deb-src"):
            continue
        match = re.fullmatch(r"(?:\[ ?([^\]]*?) ?\] ?)?(\S+) (\S+)((?: \S+)*)", rest)
        if kind != "deb" or not match:
            raise InputError(f"apt cannot read this line: {line[:200]}", line=number)
        options = {}
        for option in (match[1] or "").split(" "):
            name, equals, value = option.partition("=")
            if equals:
                options[name.lower()] = value.strip('"')
        yield from _entries(
            (match[2].strip('"'),), (match[3].strip('"'),), tuple(match[4].split()), options, number
        )


#: deb822's field for each option of the one-line form that matters here.
_FIELDS = {
    "architectures": "arch",
    "signed-by": "signed-by",
    "trusted": "trusted",
    "check-valid-until": "check-valid-until",
}


def _deb822(text: str) -> Iterator[Entry]:
    for number, fields in stanzas(text):
        if fields.get("enabled", "yes").lower() in _FALSE or "deb" not in fields.get("types", "").split():
            continue
        options = {_FIELDS[name]: value for name, value in fields.items() if name in _FIELDS}
        options["arch"] = ",".join(options.get("arch", "").split())
        suites = tuple(fields.get("suites", "").split())
        uris = tuple(fields.get("uris", "").split())
        if not suites or not uris:
            raise InputError("apt cannot read this stanza: it has no URIs or no Suites", line=number)
        yield from _entries(uris, suites, tuple(fields.get("components", "").split()), options, number)


def stanzas(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each paragraph's first line and fields, names in lower case; the last of two fields of a name counts."""
    fields: dict[str, str] = {}
    name, first = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield first, fields
            fields, name = {}, ""
        elif line[0] in " \t":
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
) -> Iterator[Entry]:
    for uri in uris:
        for suite in suites:
            if suite.endswith("/") == bool(components):
                raise InputError(f"apt wants components for a suite, and none for a path: {suite}", line=line)
            yield Entry(
                uri.rstrip("/"),
                suite,
                components,
                tuple(filter(None, options.get("arch", "").split(","))),
                options.get("signed-by", ""),
                options.get("trusted", "").lower() in _TRUE,
                options.get("check-valid-until", "").lower() not in _FALSE,
            )
