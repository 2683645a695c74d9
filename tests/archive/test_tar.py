"""Tar archives, read as the standard library's independent writer makes them, whole and damaged."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.archive.tar import Tar, TarMember
from pinner.errors import InputError
from tests.registry import Content, tar


class Source:
    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self._end = len(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def skip(self, size: int) -> bool:
        return self._file.seek(size, 1) <= self._end


def read(content: bytes, *, contents: bool = True) -> list[tuple[str, str, str]]:
    archive = Tar(Source(content), "layer")
    found: list[tuple[str, str, str]] = []
    while member := archive.next():
        text = (
            archive.content(member).decode("utf-8", "replace") if contents and member.kind == "file" else ""
        )
        found.append((member.name, member.kind, text or member.target))
    return found


LONG = "d" * 90 + "/" + "é" * 120 + "/x"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("contents", [True, False])
def test_formats(form: int, contents: bool) -> None:
    members: dict[str, Content] = {
        "./": None,
        "etc/hosts": "127.0.0.1",
        "etc/empty": "",
        "etc/link": ("->", "../x"),
        "etc/hard": ("=", "etc/hosts"),
        "d" * 90 + "/" + "e" * 60: "long",
        "odd": b"x" * 513,
    }
    if form != tarfile.USTAR_FORMAT:
        members |= {LONG: "longer", "etc/far": ("->", LONG)}
    kinds = {"->": "symlink", "=": "hardlink"}
    expected = []
    for name, content in members.items():
        if content is None:
            expected.append((name, "directory", ""))
        elif isinstance(content, tuple):
            expected.append((name, kinds[content[0]], content[1]))
        else:
            text = content.decode() if isinstance(content, bytes) else content
            expected.append((name, "file", text if contents else ""))
    found = read(tar(members, form), contents=contents)
    assert [(name.rstrip("/"), *rest) for name, *rest in found] == [
        (name.rstrip("/"), *rest) for name, *rest in expected
    ]


def header(**changes: bytes) -> bytearray:
    block = bytearray(tar({"a": ""})[:512])
    places = {"size": 124, "kind": 156, "magic": 257, "extended": 482}
    for name, value in changes.items():
        block[places[name] : places[name] + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return block


def test_a_sparse_file_of_gnu_with_more_of_its_map() -> None:
    content = (
        header(kind=b"S", extended=b"\1", size=b"00000000005\0") + bytes(504) + b"\1" + bytes(7) + bytes(512)
    )
    content += b"holes".ljust(512, b"\0") + header() + bytes(1024)
    assert [kind for _, kind, _ in read(bytes(content))] == ["sparse", "file"]


def test_a_sparse_file_of_pax() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("GNUSparseFile.0/status")
        member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "var/lib/dpkg/status"}
        archive.addfile(member)
    assert read(buffer.getvalue()) == [("var/lib/dpkg/status", "sparse", "")]


def test_a_global_header_changes_nothing() -> None:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "elsewhere", "comment": "x"}
    ) as archive:
        archive.addfile(tarfile.TarInfo("here"))
    assert read(buffer.getvalue()) == [("here", "file", "")]


def test_sizes_of_base_256() -> None:
    archive = Tar(Source(bytes(header(size=b"\x80" + (1 << 40).to_bytes(11, "big")))), "layer")
    assert archive.next() == TarMember("a", "file", 1 << 40, "")
    with pytest.raises(InputError, match="not a whole tar"):
        archive.next()


@pytest.mark.parametrize(
    "content",
    [
        header(size=b"\xff" * 12),
        header(size=b"-0000000001\0"),
        header(size=b"0000000009\0\0"),
        header()[:-1],
        header()[:100] + b"changed" + header()[107:],
        b"x" * 512,
        header(kind=b"x", size=b"00000000012\0") + b"99 path=a\n".ljust(512, b"\0"),
        header(kind=b"x", size=b"00000000012\0") + b"10 path:a\n".ljust(512, b"\0"),
        header(kind=b"x", size=b"00000000012\0") + b"-1 path=a\n".ljust(512, b"\0"),
        header(kind=b"x", size=b"00000000012\0") + b"10 size=a\n".ljust(512, b"\0") + header(),
        header(kind=b"x", size=b"77777777777\0"),
        header(kind=b"L", size=b"77777777777\0"),
        header(kind=b"L", size=b"00000000777\0") + b"name",
        header(kind=b"S", extended=b"\1") + bytes(100),
        header(kind=b"x", size=b"00000000012\0") + b"10 path=a\n".ljust(512, b"\0"),
    ],
)
def test_what_is_no_archive(content: bytearray) -> None:
    with pytest.raises(InputError, match="layer"):
        read(bytes(content))


WHOLE = tar({"etc/hosts": "127.0.0.1", LONG: "longer", "link": ("->", LONG)})


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_changed_byte_never_crashes(position: int, value: int) -> None:
    content = WHOLE[:position] + bytes([value]) + WHOLE[position + 1 :]
    try:
        read(content)
    except InputError as error:
        assert "layer" in str(error)


@given(st.integers(0, len(WHOLE)))
def test_a_cut_archive_gives_a_beginning_or_an_error(length: int) -> None:
    try:
        found = read(WHOLE[:length])
    except InputError:
        return
    assert found == read(WHOLE)[: len(found)]
