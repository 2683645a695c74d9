"""The stanzas of a Packages file: pages of them, and the value of one.

Fields as in Debian Policy 5.3 and the repository format (https://wiki.debian.org/DebianRepository/Format).

A Packages file of Debian has 63,000 stanzas in 50 MB, of which a run looks at some hundred. `pages` goes
through the whole text once, for the names of the stanzas and what they provide; `fields` reads the few that are
looked at, `package` makes their values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple


class Package(NamedTuple):
    """A version of a binary package as an index (or a dpkg status file) describes it.

    Relation fields hold the text of the index, unparsed: most are never looked at.
    `priority` is the stanza's Priority field (required … extra), not a pin priority.
    `important` is true for `Important: yes` and `Protected: yes` alike, which apt treats the same.
    `size` is that of the .deb in bytes, `filename` is relative to the archive's root; both are empty for a
    package that is only installed. What is installed may be `held` or `automatic` (apt-mark(8)). `digest` is its
    SHA-256, or its SHA-512 where the archive states this alone.
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
    digest: str = ""
    held: bool = False
    automatic: bool = False


class PackageFile(NamedTuple):
    """A .deb by its `path`, with the SHA-256 of its bytes; one that is `quiet` changes nothing of what apt reads."""

    path: str
    package: Package
    digest: str
    quiet: bool


class SourceVersion(NamedTuple):
    """A version of a source package that an index has binaries of; `for_all` if these are `Architecture: all`."""

    version: str
    for_all: bool


FIELDS = (
    "Package", "Source", "Version", "Essential", "Installed-Size", "Architecture", "Replaces", "Provides", "Depends",
    "Pre-Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Multi-Arch", "Important", "Protected",
    "Priority", "Filename", "Size", "SHA256", "SHA512",
)  # fmt: skip

# The order in which apt 2.x meets the names of a stanza (debListParser::NewVersion), see `mentions`.
_READING_ORDER = (
    "Package", "Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances",
    "Provides",
)  # fmt: skip

Fields = tuple[str, ...]

_RANKS = {field.encode(): rank for rank, field in enumerate(_READING_ORDER)}
_IN_ANY_CASE = frozenset(field.lower() for field in FIELDS)
# fields that many stanzas have, and that are not used
_COMMON = frozenset(
    {*FIELDS, "Description", "Description-md5", "Homepage", "Maintainer", "MD5sum", "Section", "Tag"}
)
_NAME = rb"[A-Za-z0-9][A-Za-z0-9+._~\-]*+"
_NAMED = later(_NAME.decode())

_BLANK_LINES = later(rb"\n\r?\n[\r\n]*+")


class Page(NamedTuple):
    """Stanzas that follow one another: where they begin and end in a text, their names, and what they provide."""

    begin: int
    end: int
    names: list[bytes]
    provided: list[bytes]


def pages(text: bytes, begin: int, end: int, size: int) -> Iterator[Page]:
    """The stanzas of a text from `begin` to `end`, by pages of up to `size` bytes. A blank line is before each of them.

    Where every stanza begins with its name and nothing that matters is folded, one pattern finds all there is.
    Stanzas of a page that is otherwise are read in full and get a page each: fields may stand in any order, spelling
    and folding (Policy 5.1), and lines may end in CRLF. Raises InputError as `fields` does, for what it reads.
    """
    if text.find(b"\0", begin, end) >= 0:
        raise InputError("the Packages file has a NUL character")
    usual = text.find(b"\r", begin, end) < 0
    landmarks = re.compile(_LANDMARK).findall
    while begin < end:
        border = end if end - begin <= size else text.rfind(b"\n\n", begin + 2, begin + size)
        if border < 0:  # one stanza is more than a page
            border = text.find(b"\n\n", begin + 2, end)
            border = end if border < 0 else border
        found = landmarks(text, begin, border) if usual else []
        names = [name for name, _, _ in found if name]
        lines = [line for _, line, folded in found if line and not folded]
        if names and len(names) + len(lines) == len(found):
            yield Page(begin + 2, border, names, list(dict.fromkeys(mentions(b"\n".join(lines)))))
        else:
            yield from _pages_of_one(text, begin, border)
        begin = border


# a blank line and the name behind it (1), or a Provides field (2), folded (3)
_LANDMARK = rb"\n(?:\n(?:Package: (%b)(?=\n|\Z))?|(?i:Provides)[ \t]*+:([^\n]*)(\n[ \t])?)" % _NAME


def _pages_of_one(text: bytes, begin: int, end: int) -> Iterator[Page]:
    borders = [(match.start(), match.end()) for match in _BLANK_LINES.finditer(text, begin, end)]
    for (_, start), (stop, _) in pairwise([*borders, (end, end)]):
        if found := fields(text[start:stop]):
            provided = dict.fromkeys(mentions(found[_PROVIDES].encode()))
            yield Page(start, stop, [found[_PACKAGE].encode()], list(provided))


def beginnings(page: bytes, name: bytes, most: int) -> list[int]:
    """The offsets of the first stanzas in a page that begin with this name; that of the very first if none does."""
    label = b"\n\nPackage: %b\n" % name
    found = [0] if page.startswith(label[2:]) else []
    at = 0
    while len(found) < most and (at := page.find(label, at)) >= 0:
        at += 2
        found.append(at)
    return found or [0]


def providing(page: bytes, name: bytes) -> list[int]:
    """The offsets of the stanzas in a page that may provide this name: they have it, and a Provides field."""
    found = []
    at = page.find(name)
    while at >= 0:
        border, end = page.rfind(b"\n\n", 0, at), page.find(b"\n\n", at)
        start, end = border + 2 if border >= 0 else 0, end if end >= 0 else len(page)
        if b"\nprovides" in b"\n" + page[start:end].lower():
            found.append(start)
        at = page.find(name, end)
    return found


_PACKAGE, _VERSION, _PROVIDES = map(FIELDS.index, ("Package", "Version", "Provides"))


def stanza(text: bytes, start: int) -> bytes:
    """The stanza that begins at the offset `start`."""
    end = text.find(b"\n\n", start)
    found = text[start:end] if end >= 0 else text[start:]
    return found if b"\r" not in found else _BLANK_LINES.split(found, 1)[0]


def stanzas(text: bytes) -> list[bytes]:
    """All stanzas of a text that begins with one."""
    return _BLANK_LINES.split(text)


def fields(text: bytes) -> Fields | None:
    """The values of `FIELDS` in a stanza, unfolded and without white space around them, absent ones empty; None without
    a Version: apt passes it over.

    The usual spelling is read here, the unusual by python-debian. Raises InputError for a stanza whose Package field
    names no package, and for a line that is no field, as apt refuses the whole index.
    """
    decoded = text.decode("utf-8", "replace")
    lines = "\n" + decoded.strip("\n")
    parts = _FIELD.split(lines)
    if len(parts) <= 2 * lines.count("\n"):  # some lines are none
        lines = re.sub(r"\n[ \t]++", " ", lines)
        parts = _FIELD.split(lines)
    names = tuple(parts[1::2])
    places = _places(names)
    if parts[0] or len(names) < lines.count("\n") or places is None or "\r" in decoded:
        return _read(decoded)
    parts.append("")
    return _checked(tuple([parts[place].strip() for place in places]), decoded)


_FIELD = later(r"\n([!\"$-9;-~][!-9;-~]*+): ")


@lru_cache(maxsize=1 << 10)
def _places(names: tuple[str, ...]) -> tuple[int, ...] | None:
    """Where the values of `FIELDS` are among the pieces of a stanza whose fields are these, in this order: few orders
    are in use. Those that are absent are last. None if a field is there twice, or in another capitalisation."""
    if len(set(names)) < len(names) or any(name.lower() in _IN_ANY_CASE for name in {*names} - _COMMON):
        return None
    return tuple([2 * names.index(field) + 2 if field in names else -1 for field in FIELDS])


def _read(text: str) -> Fields | None:
    """The slow, general way: folded fields, any order, any capitalisation, CRLF, comments."""
    from debian.deb822 import Deb822

    decoded = text.replace("\r\n", "\n")
    lines = [line for line in decoded.split("\n") if line.strip() and not line.startswith("#")]
    if not lines:
        return None
    odd = next((line for line in lines if not re.match(r"[!-9;-~]+:|[ \t]", line)), None)
    if odd is not None:  # python-debian passes over such a line
        raise InputError(f"a line is no field: {odd[:60]!r}")
    paragraph = Deb822(lines, strict={"whitespace-separates-paragraphs": False})
    return _checked(tuple(" ".join(paragraph.get(field, "").split()) for field in FIELDS), text)


def _checked(values: Fields, text: str) -> Fields | None:
    if not _NAMED.fullmatch(values[_PACKAGE]):
        raise InputError(f"a stanza has no Package field that names a package: {text[:60]!r}")
    return values if values[_VERSION] else None


def mentions(fields: bytes, arch: str = "") -> list[bytes]:
    """The package names in lines of relation fields (and of plain names), in order, with repetitions.

    To apt, `python3:any` and `python3:i386` are other packages than `python3` (pkgCacheGenerator::NewDepends);
    `python3:amd64` is the same one where `arch` is amd64.
    """
    own = b":" + arch.encode()
    qualified = rb"(?>(?:" + re.escape(own) + rb"(?![a-z0-9-]))?)" if arch and own in fields else b""
    return re.findall(rb"(?:^|[\n,|])[ \t]*+([A-Za-z0-9][A-Za-z0-9+._~\-]*+)" + qualified + rb"(?!:)", fields)


def mentions_in_reading_order(text: bytes, arch: str) -> list[bytes]:
    """What all stanzas of a text mention (see `mentions`), in the order in which apt meets it. It begins with one."""
    lines, stanza_rank = [], 0
    for name, value, folded in re.findall(_RELATION, b"\n" + text):
        rank = _RANKS.get(name)
        if rank is None or folded:
            break
        if rank == 0:
            stanza_rank += len(_RANKS)
        lines.append((stanza_rank + rank, value))
    else:
        count = stanza_rank // len(_RANKS)
        once = len({rank for rank, _ in lines}) == len(lines)
        if once and b"\r" not in text and count == len(stanzas(text)) == text.count(b"\nVersion: "):
            lines.sort()
            return mentions(b"\n".join([value for _, value in lines]), arch)
    places = [FIELDS.index(field) for field in _READING_ORDER]
    read = [found[place] for found in map(fields, stanzas(text)) if found for place in places]
    return mentions("\n".join(read).encode(), arch)


def sources(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The source of each stanza of a text that begins with one: its name, and `all VERSION` or `any VERSION`."""
    for one in stanzas(text):
        lines = re.findall(rb"^(Package|Source|Version|Architecture): (.*)$", one, re.MULTILINE)
        found: dict[bytes, bytes] = dict(lines)
        if len(found) < 3 or b"\r" in one:
            values = fields(one)
            if values is None:
                continue
            made = package(values)
            name, version, every = (
                made.source.encode(),
                made.source_version.encode(),
                made.architecture == "all",
            )
        else:
            name, _, version = (found.get(b"Source") or found[b"Package"]).partition(b" ")
            version, every = version.strip(b"() ") or found[b"Version"], found[b"Architecture"] == b"all"
        yield name, (b"all " if every else b"any ") + version


def having(text: bytes, field: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The stanzas of a text that begins with one which have a field: name, version, and the field's value, unfolded."""
    if field.lower() + b":" not in text.lower():
        return
    for one in stanzas(text):
        found = re.search(rb"(?im)^" + re.escape(field) + rb"[ \t]*+:(.*(?:\n[ \t].*)*)", one)
        values = fields(one) if found else None
        if found and values:
            yield values[_PACKAGE].encode(), values[_VERSION].encode(), b" ".join(found[1].split())


_RELATION = (
    rb"\n(?i:(Package|Pre-Depends|Depends|Conflicts|Breaks|Recommends|Suggests|Replaces|Enhances|Provides))[ \t]*+:"
    rb"([^\n]*)(?=(\n[ \t])?)"
)


_NUMBER = r"(?:[0-9]{1,10}:)?[A-Za-z0-9][A-Za-z0-9.+~-]{0,254}"
_FORMS = {
    "Version": _NUMBER,
    "Source": rf"(?:[A-Za-z0-9][A-Za-z0-9+._~-]*(?: *\({_NUMBER}\))?)?",
    "Architecture": r"(?:[a-z0-9][a-z0-9-]*)?",
    "Filename": r"(?!/|(?:.*/)?\.\./)[A-Za-z0-9._~%+:@=,/()\[\]-]{0,1000}",
    "Size": r"[0-9]{0,18}",
    "SHA256": r"(?:[0-9A-Fa-f]{64})?",
    "SHA512": r"(?:[0-9A-Fa-f]{128})?",
}
_PLACES = [FIELDS.index(field) for field in _FORMS]
_WELL_FORMED = later("\n".join(_FORMS.values()))


def fault(values: Fields) -> str:
    """The first of a stanza's `fields` that is not what its grammar allows, as an index has it; "" if all are.

    Versions as in Debian Policy 5.6.12, though they may begin with a letter, which dpkg lets pass; the name of the file
    is a path within the archive, without what a shell or a URL reads as anything else.
    """
    found = [values[place] for place in _PLACES]
    if _WELL_FORMED.fullmatch("\n".join(found)):
        return ""
    return next(
        f"{field} {value[:60]!r}"
        for (field, form), value in zip(_FORMS.items(), found, strict=True)
        if not re.fullmatch(form, value)
    )


def package(values: Fields) -> Package:
    """The value of a stanza's `fields`, or of others in their order."""
    (
        name, source, version, essential, installed_size, architecture, replaces, provided, depends,
        pre_depends, recommends, suggests, _enhances, conflicts, breaks, multi_arch, important, protected,
        priority, filename, size, sha256, sha512,
    ) = values  # fmt: skip
    source_name, _, source_version = source.partition(" ")
    return Package(
        name,
        version,
        architecture,
        source_name or name,
        source_version.strip("() ") or version,
        multi_arch or "no",
        essential == "yes",
        "yes" in (important, protected),
        priority or "optional",
        pre_depends,
        depends,
        recommends,
        suggests,
        conflicts,
        breaks,
        replaces,
        provided,
        installed_size,
        filename,
        int(size) if size.isascii() and size.isdecimal() else 0,
        (sha256 or sha512).lower(),
    )
