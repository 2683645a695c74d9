"""Tar archives, one member after the other: ustar, pax (POSIX.1-2001) and GNU's long names, with bounds.

The standard library's tarfile keeps every member it met and reads headers of any length into memory, and takes a
damaged header for the end; a layer has 100,000 members and is not trusted while it is read.
"""

from __future__ import annotations

from typing import Literal, Protocol

from pinner.errors import InputError
from pinner.values import NamedTuple

_BLOCK = 512
_LONGEST = 1 << 20  # bytes of names and other attributes of one member
_MOST_HEADERS, _MOST_RECORDS = 16, 1_000  # of one member, and in one header

_SPARSE = frozenset({"GNU.sparse.size", "GNU.sparse.map", "GNU.sparse.major"})
_ATTRIBUTES = frozenset(
    {b"path", b"linkpath", b"size", b"GNU.sparse.name", *(name.encode() for name in _SPARSE)}
)

MemberKind = Literal["file", "directory", "symlink", "hardlink", "sparse", "other"]


class ByteSource(Protocol):
    """Bytes in order."""

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""

    def skip(self, size: int) -> bool:
        """Passes over `size` bytes; false if the end comes before."""


class TarMember(NamedTuple):
    """A member's header. `name` and `target` (of a link) are as written, undecodable bytes as surrogates."""

    name: str
    kind: MemberKind
    size: int
    target: str


class Tar:
    """The members of `source`; `what` names it in messages. Everything raises InputError where it is no archive."""

    def __init__(self, source: ByteSource, what: str) -> None:
        self._source = source
        self._what = what
        self._unread = 0

    def next(self) -> TarMember | None:
        """The next member's header, None at the end."""
        self._skip(self._unread)
        self._unread = 0
        attributes: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            header = self._source.read(_BLOCK)
            if not header or header == bytes(_BLOCK):
                if attributes:
                    raise self._damaged()
                return None
            self._check(header)
            kind, size = header[156:157], self._number(header[124:136])
            match kind:
                case b"x":
                    attributes |= self._pax(size)
                case b"g":  # nothing in it concerns a layer, and Docker passes over it
                    self._skip(_padded(size))
                case b"L" | b"K":
                    name = "path" if kind == b"L" else "linkpath"
                    attributes[name] = _decoded(self._attributes(size).partition(b"\0")[0])
                case _:
                    return self._member(header, kind, size, attributes)
        raise self._damaged()

    def content(self, member: TarMember) -> bytes:
        """What the member that `next` gave last holds, as far as it is in the archive."""
        content = self._source.read(member.size)
        self._unread -= len(content)
        if len(content) != member.size:
            raise self._damaged()
        return content

    def _skip(self, size: int) -> None:
        if not self._source.skip(size):
            raise self._damaged()

    def _member(self, header: bytes, kind: bytes, size: int, attributes: dict[str, str]) -> TarMember:
        name = _decoded(header[:100].partition(b"\0")[0])
        prefix = header[345:500].partition(b"\0")[0]
        if prefix and header[257:263] == b"ustar\0":
            name = f"{_decoded(prefix)}/{name}"
        target = _decoded(header[157:257].partition(b"\0")[0])
        if "size" in attributes:
            size = self._decimal(attributes["size"].encode("utf-8", "surrogateescape"))
        member = TarMember(
            attributes.get("GNU.sparse.name") or attributes.get("path") or name,
            "other",
            size,
            attributes.get("linkpath") or target,
        )
        match kind:
            case b"0" | b"\0" | b"7":
                if member.name.endswith("/"):
                    member = member._replace(kind="directory")
                elif _SPARSE & attributes.keys():
                    member = member._replace(kind="sparse")
                else:
                    member = member._replace(kind="file")
            case b"1":
                member = member._replace(kind="hardlink", size=0)
            case b"2":
                member = member._replace(kind="symlink", size=0)
            case b"3" | b"4" | b"6":
                member = member._replace(size=0)
            case b"5":
                member = member._replace(kind="directory", size=0)
            case b"S":
                member = member._replace(kind="sparse")
                extended = header[482]
                while extended:
                    more = self._source.read(_BLOCK)
                    if len(more) != _BLOCK:
                        raise self._damaged()
                    extended = more[504]
        self._unread = _padded(member.size)
        return member

    def _attributes(self, size: int) -> bytes:
        if size > _LONGEST:
            raise InputError(f"{self._what} has a member whose name and attributes take {size} bytes")
        content = self._source.read(_padded(size))
        if len(content) < size:
            raise self._damaged()
        return content[:size]

    def _pax(self, size: int) -> dict[str, str]:
        """The records of a pax header: `LENGTH KEY=VALUE\\n`, the length in decimal and of the whole record."""
        content, records = self._attributes(size), dict[str, str]()
        at = count = 0
        while at < len(content):
            count += 1
            length, _, _ = content[at : at + 20].partition(b" ")
            end = at + self._decimal(length)
            if not at + len(length) < end <= len(content) or count > _MOST_RECORDS:
                raise self._damaged()
            key, equals, value = content[at + len(length) + 1 : end].partition(b"=")
            if not equals or not value.endswith(b"\n"):
                raise self._damaged()
            if key in _ATTRIBUTES:
                records[_decoded(key)] = _decoded(value[:-1])
            at = end
        return records

    def _check(self, header: bytes) -> None:
        """The checksum counts its own field as blanks."""
        if (
            len(header) != _BLOCK
            or self._number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 32
        ):
            raise self._damaged()

    def _number(self, field: bytes) -> int:
        """Octal digits, or base 256 where the first bit is set (GNU)."""
        if field[:1] >= b"\x80":
            if field[:1] != b"\x80":
                raise self._damaged()
            return int.from_bytes(field[1:], "big")
        digits = field.partition(b"\0")[0].strip() or b"0"
        if digits.strip(b"01234567"):
            raise self._damaged()
        return int(digits, 8)

    def _decimal(self, digits: bytes) -> int:
        if not digits.isdigit() or len(digits) > 19:
            raise self._damaged()
        return int(digits)

    def _damaged(self) -> InputError:
        return InputError(f"{self._what} is not a whole tar archive")


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
