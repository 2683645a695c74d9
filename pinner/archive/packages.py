"""One stanza of a Packages file as a value, and the scan that finds the stanzas.

Fields as in Debian Policy 5.3 and the repository format (https://wiki.debian.org/DebianRepository/Format).

A Packages file of Debian has 63,000 stanzas in 50 MB. It is read once, into *records*: the fields of
`FIELDS`, in that order, one to a line. `scan` makes them, `package` turns the few that are looked at into values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from pinner.errors import InputError


class Package(NamedTuple):
    """A version of a binary package as an index (or a dpkg status file) describes it.

    Relation fields hold the text of the index, unparsed: most are never looked at.
    `priority` is the stanza's Priority field (required … extra), not a pin priority.
    `important` is true for `Important: yes` and `Protected: yes` alike, which apt treats the same.
    `size` is that of the .deb in bytes, `filename` is relative to the archive's root; both are empty for a
    package that is only installed, and only such a one may be `held` (apt-mark(8)).
    """

    name: str
    version: str
    architecture: str
    source: str = ""
    source_version: str = ""
    multi_arch: str = "no"
    essential: bool = False
    important: bool = False
    priority: str = "optional"
    pre_depends: str = ""
    depends: str = ""
    recommends: str = ""
    suggests: str = ""
    conflicts: str = ""
    breaks: str = ""
    replaces: str = ""
    provides: str = ""
    installed_size: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""
    held: bool = False


# The order in which dak writes them for the archives of released suites.
FIELDS = (
    "Package", "Source", "Version", "Essential", "Installed-Size", "Architecture", "Replaces", "Provides", "Depends",
    "Pre-Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Multi-Arch", "Important", "Protected",
    "Priority", "Filename", "Size", "SHA256",
)  # fmt: skip

# The order in which it writes them for security: some late ones by the alphabet.
_SECURITY_ORDER = (
    "Package", "Source", "Version", "Installed-Size", "Architecture", "Replaces", "Provides", "Depends", "Suggests",
    "Conflicts", "Breaks", "Enhances", "Essential", "Important", "Multi-Arch", "Pre-Depends", "Protected", "Recommends",
    "Priority", "Filename", "Size", "SHA256",
)  # fmt: skip

# The order in which apt 2.x meets the names of a stanza (debListParser::NewVersion), see `mentions`.
_READING_ORDER = (
    "Package", "Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances",
    "Provides",
)  # fmt: skip

Fields = tuple[bytes, ...]
in_reading_order = itemgetter(*map(FIELDS.index, _READING_ORDER))
provides = itemgetter(FIELDS.index("Provides"))

_NAME = rb"[a-z0-9][a-z0-9+.\-]*+"


@cache
def _stanza(order: tuple[str, ...]) -> re.Pattern[bytes]:
    """Matches a stanza whose fields stand in this order, unfolded and in the usual spelling.

    A gap takes the fields nobody asks for, with their continuation lines. It takes none of `FIELDS`, no
    continuation of one of them, and no field in another capitalisation (names are case-insensitive, Policy 5.1):
    whatever is unusual makes the match fail, never a field disappear.

    `(?>(?:…)*)` rather than `(?:…)*+`: before Python 3.11.5 a possessive group that holds another may fail to match
    (https://github.com/python/cpython/issues/106052), and Debian 12 has 3.11.2.
    """
    gap = (
        rf"(?>(?:(?!(?:{'|'.join(FIELDS)}):)(?:MD5sum|SHA1|SHA512|[A-Z][a-z0-9]*+(?>(?:-(?:md5|[A-Z][a-z0-9]*+))*)):"
        r"[^\n]*+\n(?>(?:[ \t][^\n]*+\n)*))*)"
    )
    pattern = rf"Package: ({_NAME.decode()})\n"
    for before, field in pairwise(order):
        if (before, field) not in _ADJOINING:
            pattern += gap
        pattern += r"Version: ([^\s]++)\n" if field == "Version" else rf"(?>(?:{field}: ([^\n]++)\n)?)"
    return re.compile((pattern + gap + r"(?:\n++|\Z)").encode())


# Fields between which nothing else is written: saves the look for a gap.
_ADJOINING = {
    *pairwise(FIELDS[:5]),
    *pairwise(FIELDS[5:15]),
    *pairwise(_SECURITY_ORDER[4:11]),
    ("Filename", "Size"),
}

_from_security_order = itemgetter(*map(_SECURITY_ORDER.index, FIELDS))


def scan(text: bytes) -> Iterator[Fields]:
    """The fields of each stanza of `text`, values as bytes, absent ones empty.

    `text` begins and ends at stanza borders. Each match must begin where the last one ended; a stanza the fast
    path does not take is read by python-debian. Raises InputError for a stanza without a Package field, as apt
    refuses the whole index. A stanza without a Version is passed over, as apt does.
    """
    usual, security = _stanza(FIELDS).match, _stanza(_SECURITY_ORDER).match
    end_of_stanza = re.compile(rb"\n(?>(?:\r?\n)+)|\Z").search
    position, end = len(text) - len(text.lstrip(b"\r\n")), len(text)
    while position < end:
        if match := usual(text, position):
            position = match.end()
            yield match.groups(b"")
        elif match := security(text, position):
            position = match.end()
            yield _from_security_order(match.groups(b""))
        else:
            border = end_of_stanza(text, position)
            assert border is not None  # \Z matches
            fields = _read(text[position : border.end()])
            if fields is not None:
                yield fields
            position = max(border.end(), position + 1)


def _read(stanza: bytes) -> Fields | None:
    """The slow, general way: folded fields, any order, any capitalisation, CRLF, comments."""
    from debian.deb822 import Deb822

    decoded = stanza.replace(b"\r\n", b"\n").decode("utf-8", "replace")
    lines = [line for line in decoded.split("\n") if line.strip() and not line.startswith("#")]
    if not lines:
        return None
    odd = next((line for line in lines if not re.match(r"[!-9;-~]+:|[ \t]", line)), None)
    if odd is not None:  # python-debian passes over such a line
        raise InputError(f"a line is no field: {odd[:60]!r}")
    paragraph = Deb822(lines, strict={"whitespace-separates-paragraphs": False})
    values = tuple(" ".join(paragraph.get(field, "").split()).encode() for field in FIELDS)
    if not re.fullmatch(rb"[A-Za-z0-9][A-Za-z0-9+._~\-]*", values[0]):
        raise InputError(f"a stanza has no Package field that names a package: {decoded[:60]!r}")
    return values if values[2] else None


def mentions(fields: bytes, arch: str = "") -> list[bytes]:
    """The package names in lines of relation fields (and of plain names), in order, with repetitions.

    To apt, `python3:any` and `python3:i386` are other packages than `python3` (pkgCacheGenerator::NewDepends);
    `python3:amd64` is the same one where `arch` is amd64.
    """
    qualified = rb"(?>(?::" + re.escape(arch.encode()) + rb"(?![a-z0-9-]))?)" if arch else b""
    return re.findall(rb"(?:^|[\n,|])[ \t]*+([A-Za-z0-9][A-Za-z0-9+._~\-]*+)" + qualified + rb"(?!:)", fields)


def package(record: bytes) -> Package:
    """The value of one record (`scan`'s fields, joined by newlines)."""
    (
        name, source, version, essential, installed_size, architecture, replaces, provided, depends,
        pre_depends, recommends, suggests, _enhances, conflicts, breaks, multi_arch, important, protected,
        priority, filename, size, sha256,
    ) = (value.strip() for value in record.decode("utf-8", "replace").split("\n"))  # fmt: skip
    source_name, _, source_version = source.partition(" ")
    return Package(
        name=name,
        version=version,
        architecture=architecture,
        source=source_name or name,
        source_version=source_version.strip("() ") or version,
        multi_arch=multi_arch or "no",
        essential=essential == "yes",
        important="yes" in (important, protected),
        priority=priority or "optional",
        pre_depends=pre_depends,
        depends=depends,
        recommends=recommends,
        suggests=suggests,
        conflicts=conflicts,
        breaks=breaks,
        replaces=replaces,
        provides=provided,
        installed_size=installed_size,
        filename=filename,
        size=int(size) if size.isascii() and size.isdecimal() else 0,
        sha256=sha256.lower(),
    )
