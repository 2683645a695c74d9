"""The stanzas of a Packages file: the usual ones are read here, others by python-debian; both say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.apt import packages
from pinner.apt.packages import (
    FIELDS,
    Package,
    beginnings,
    fault,
    fields,
    mentions,
    mentions_in_reading_order,
    package,
    pages,
    stanza,
)
from pinner.errors import InputError

USUAL = b"""\
Package: 0ad
Version: 0.0.26-3
Installed-Size: 28591
Maintainer: Debian Games Team <pkg-games-devel@lists.alioth.debian.org>
Architecture: amd64
Depends: 0ad-data (>= 0.0.26), libc6 (>= 2.34) | libc0.1
Pre-Depends: dpkg (>= 1.15.6~)
Description: Real-time strategy game of ancient warfare
Homepage: https://play0ad.com/
Description-md5: d943033bedada21853d2ae54a2578a7b
Tag: game::strategy, interface::graphical, interface::x11, role::program,
 uitoolkit::sdl, uitoolkit::wxwidgets
Section: games
Priority: optional
Filename: pool/main/0/0ad/0ad_0.0.26-3_amd64.deb
Size: 7891488
MD5sum: 4d471183a39a3a11d00cd35bf9f6803d
SHA256: 3A2118DF47BF3F04285649F0455C2FC6FE2DC7F0B237073038AA00AF41F0D5F2
"""


def scanned(text: bytes, size: int = 1000) -> list[dict[str, str]]:
    framed = b"\n\n" + text.rstrip(b"\r\n")
    read = []
    for page in pages(framed, 0, len(framed), size):
        content = framed[page.begin : page.end]
        values = [fields(each) for each in packages.stanzas(content)]
        assert {each[0].strip().encode() for each in values if each} <= set(page.names)
        read += values
    return [
        {field: value.strip() for field, value in zip(FIELDS, values, strict=True) if value}
        for values in read
        if values is not None
    ]


def by_hand(text: bytes) -> list[dict[str, str]]:
    """The same by python-debian alone."""
    read = [
        packages._read(one.decode("utf-8", "replace") + "\n") for one in text.split(b"\n\n") if one.strip()
    ]
    return [
        {field: value for field, value in zip(FIELDS, values, strict=True) if value}
        for values in read
        if values is not None
    ]


def made(text: bytes) -> Package:
    values = fields(text)
    assert values is not None
    return package(values)


def test_the_value_of_a_stanza() -> None:
    assert made(USUAL) == Package(
        name="0ad",
        version="0.0.26-3",
        architecture="amd64",
        source="0ad",
        source_version="0.0.26-3",
        pre_depends="dpkg (>= 1.15.6~)",
        depends="0ad-data (>= 0.0.26), libc6 (>= 2.34) | libc0.1",
        installed_size="28591",
        filename="pool/main/0/0ad/0ad_0.0.26-3_amd64.deb",
        size=7891488,
        digest="3a2118df47bf3f04285649f0455c2fc6fe2dc7f0b237073038aa00af41f0d5f2",
    )


@pytest.mark.parametrize(
    ("text", "source", "source_version"),
    [
        (b"Package: x\nVersion: 1+b1\n", "x", "1+b1"),
        (b"Package: x\nSource: y\nVersion: 1+b1\n", "y", "1+b1"),
        (b"Package: x\nSource: y (1)\nVersion: 1+b1\n", "y", "1"),
    ],
)
def test_the_source_of_a_package(text: bytes, source: str, source_version: str) -> None:
    assert (made(text).source, made(text).source_version) == (source, source_version)


@pytest.mark.parametrize("field", ["Essential", "Important", "Protected"])
@pytest.mark.parametrize(("value", "expected"), [("yes", True), ("no", False)])
def test_flags(field: str, value: str, expected: bool) -> None:
    found = made(f"Package: x\nVersion: 1\n{field}: {value}\n".encode())
    assert (found.essential or found.important) is expected


def not_needed(text: bytes) -> None:
    raise AssertionError(text)


@pytest.mark.parametrize(
    "text",
    [
        USUAL,
        USUAL + b"\n" + USUAL,
        USUAL + b"\n\n\n",
        USUAL.rstrip(b"\n") + b"\n\n",
        b"Package: x\nVersion: 1\n",
        # security's order
        b"Package: x\nVersion: 1\nArchitecture: all\nDepends: a\nDescription: d\nDescription-md5: e\nEssential: no\n"
        b"Multi-Arch: foreign\nPre-Depends: b\nRecommends: c\nSection: s\nPriority: optional\nFilename: f\nSize: 1\n",
    ],
)
def test_the_usual_takes_the_fast_path(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = by_hand(text)
    monkeypatch.setattr(packages, "_read", not_needed)
    monkeypatch.setattr(packages, "_pages_of_one", not_needed)
    assert scanned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            b"Package: x\nVersion: 1\nDepends: a,\n b,\n\tc\nSize: 1\n",
            {"Depends": "a, b, c", "Size": "1"},
            id="folded",
        ),
        pytest.param(b"Package: x\nVersion: 1\nDepends:\n a\n", {"Depends": "a"}, id="folded from the start"),
        pytest.param(b"Version: 1\nDepends: a\nPackage: x\n", {"Depends": "a"}, id="name last"),
        pytest.param(
            b"Package: x\nVersion: 1\nSHA256: s\nDepends: a\n", {"SHA256": "s", "Depends": "a"}, id="order"
        ),
        pytest.param(b"package: x\nVERSION: 1\ndepends: a\n", {"Depends": "a"}, id="lower case"),
        pytest.param(b"Package: x\nVersion: 1\nDePends: a\n", {"Depends": "a"}, id="mixed case"),
        pytest.param(
            b"Package: x\nVersion: 1\nPre-depends: a\n", {"Pre-Depends": "a"}, id="lower second word"
        ),
        pytest.param(b"Package: x\nVersion: 1\nDepends:a\n", {"Depends": "a"}, id="no space"),
        pytest.param(b"Package:  x \nVersion:  1 \nDepends:  a \n", {"Depends": "a"}, id="many spaces"),
        pytest.param(b"Package: x\r\nVersion: 1\r\nDepends: a\r\n", {"Depends": "a"}, id="CRLF"),
        pytest.param(b"Package: x\nVersion: 1\nDepends: a", {"Depends": "a"}, id="no last newline"),
        pytest.param(b"# note\nPackage: x\nVersion: 1\nDepends: a\n", {"Depends": "a"}, id="comment"),
        pytest.param(
            b"Package: x\nVersion: 1\nMaintainer: \xe9\xff\nDepends: a\n", {"Depends": "a"}, id="not UTF-8"
        ),
        pytest.param(
            b"Package: x\nVersion: 1\nTag: a\n \n b\nDepends: a\n", {"Depends": "a"}, id="blank continuation"
        ),
    ],
)
def test_the_unusual_is_read_all_the_same(text: bytes, expected: dict[str, str]) -> None:
    assert scanned(text) == [{"Package": "x", "Version": "1", **expected}]
    assert scanned(USUAL + b"\n" + text + b"\n\n" + USUAL) == [
        *scanned(USUAL),
        {"Package": "x", "Version": "1", **expected},
        *scanned(USUAL),
    ]


def test_crlf_throughout() -> None:
    assert scanned((USUAL + b"\n" + USUAL).replace(b"\n", b"\r\n")) == scanned(USUAL + b"\n" + USUAL)


def test_a_stanza_without_a_version_is_passed_over() -> None:
    assert [found["Package"] for found in scanned(b"Package: a\n\nPackage: b\nVersion: 1\n")] == ["b"]


@pytest.mark.parametrize("text", [b"Version: 1\n", b"Package: \nVersion: 1\n", b"Package: a b\nVersion: 1\n"])
def test_a_stanza_without_a_package_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match="no Package field"):
        scanned(text)


@pytest.mark.parametrize("text", [b"garbage", b"Package: x\nVersion: 1\ngarbage\n", b"<html>\n"])
def test_a_line_that_is_no_field_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match="a line is no field"):
        scanned(text)


def test_nothing() -> None:
    assert scanned(b"") == scanned(b"\n\n") == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"self\na, b (>= 1) | c\n\nd (= 2)", ["self", "a", "b", "c", "d"]),
        (b"python3:any, b:amd64 (>= 1), c:i386, d:amd64x, python3 (<< 3.12)", ["b", "python3"]),
        (b"a|b , c(>= 1)", ["a", "b", "c"]),
        (b"", []),
    ],
)
def test_mentions(fields: bytes, expected: list[str]) -> None:
    assert [name.decode() for name in mentions(fields, "amd64")] == expected


NAMES = st.sampled_from(
    [
        *FIELDS[3:],
        "Maintainer",
        "Description",
        "Tag",
        "MD5sum",
        "Description-md5",
        "X-Own-Field",
        "depends",
        "SIZE",
        "Pre-depends",
    ]
)
LINES = st.text(st.sampled_from("ab1 (>=).,|:-\t"), min_size=0, max_size=12)
VALUES = st.lists(LINES, min_size=1, max_size=3).map(
    lambda lines: "\n ".join([lines[0], *(line if line.strip() else "x" for line in lines[1:])])
)


@st.composite
def stanzas(draw: st.DrawFn) -> bytes:
    fields = draw(st.dictionaries(NAMES, VALUES, max_size=8))
    usual = draw(st.booleans())
    order = (
        sorted(fields, key=lambda name: FIELDS.index(name) if name in FIELDS else 99)
        if usual
        else list(fields)
    )
    lower: set[str] = set()
    body = ""
    for name in order:
        if name.lower() not in lower:  # python-debian and apt differ on which of two fields counts
            lower.add(name.lower())
            body += f"{name}: {fields[name]}\n"
    return f"Package: p\nVersion: 1\n{body}".encode()


@given(st.lists(stanzas(), min_size=1, max_size=3))
def test_both_paths_say_the_same(texts: list[bytes]) -> None:
    slow = [packages._read(text.decode()) for text in texts]
    fast = [tuple(" ".join(value.split()) for value in fields(text) or ()) for text in texts]
    assert fast == slow


def in_reading_order_one_by_one(text: bytes) -> list[bytes]:
    """The same by the words of `mentions_in_reading_order`, each stanza read in full."""
    read = [
        dict(zip(FIELDS, values, strict=True)) for values in map(fields, packages.stanzas(text)) if values
    ]
    lines = "\n".join(values[field] for values in read for field in packages._READING_ORDER)
    return mentions(lines.encode(), "amd64")


@given(st.lists(stanzas() | st.just(b"Package: versionless\nDepends: a\n"), min_size=1, max_size=3))
def test_both_ways_to_the_reading_order(texts: list[bytes]) -> None:
    text = b"\n".join(texts).rstrip(b"\n")
    assert mentions_in_reading_order(text, "amd64") == in_reading_order_one_by_one(text)


PROVIDES = st.sampled_from(
    [b"Provides: a, b (= 1)", b"provides:a", b"Provides: a,\n b", b"Provides:", b"Tag: x\n y"]
)


BETWEEN = st.sampled_from([b"\n\n", b"\n\n\n", b"\r\n\r\n"])


@given(st.lists(st.tuples(BETWEEN, PROVIDES), min_size=1), st.integers(1, 200))
def test_pages_of_many_say_what_pages_of_one_say(parts: list[tuple[bytes, bytes]], size: int) -> None:
    text = b"\n\n" + b"".join(
        b"%bPackage: p%d\nVersion: 1\n%b" % (between if number else b"", number, provides)
        for number, (between, provides) in enumerate(parts)
    )
    many, one = list(pages(b"before" + text + b"after", 6, 6 + len(text), size)), packages._pages_of_one
    assert all(page.end - page.begin <= size or len(page.names) == 1 for page in many)
    assert [name for page in many for name in page.names] == [b"p%d" % n for n in range(len(parts))]
    assert {(n, v) for page in many for n in page.names for v in page.provided} >= {
        (n, v) for page in one(text, 0, len(text)) for n in page.names for v in page.provided
    }


def test_where_stanzas_of_a_name_begin() -> None:
    page = b"Package: a\nVersion: 1\n\nPackage: ab\nVersion: 1\n\nPackage: a\nVersion: 2\nDepends: x\n Package: a"
    assert [stanza(page, start)[:21] for start in beginnings(page, b"a", 9)] == [
        b"Package: a\nVersion: 1",
        b"Package: a\nVersion: 2",
    ]
    assert beginnings(page, b"ab", 1) == [23]
    assert beginnings(b"Version: 1\nPackage: a", b"a", 1) == [0]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (
            "Version",
            ["1", "1:2.3-4~bpo12+1", "0.0.26-3+b1", "v1.2", "7.88.1-10+deb12u14"],
            [
                "1 2",
                "1;reboot",
                "$(id)",
                "a:1",
                "1:",
                "1:2:3",
                "~1",
                "1_2",
                "1\u202e2",
                "1'",
                "9" * 300,
                "1\x9b",
                "-1",
            ],
        ),
        (
            "Filename",
            ["", "pool/main/c/c++/c++_1%3a2_all.deb", "./a.deb", "a~b/x..y.deb"],
            [
                "/etc/passwd",
                "../a.deb",
                "a/../../b.deb",
                "a b.deb",
                "a'.deb",
                "a\\b.deb",
                "a#b",
                "a?b",
                "\u202ea.deb",
            ],
        ),
        ("Size", ["", "0", "123456789"], ["-1", "1e9", "1.5", "9" * 19, "٣"]),
        ("SHA256", ["", "0" * 64, "F" * 64], ["0" * 63, "g" * 64, "0" * 65]),
        (
            "Source",
            ["", "curl", "curl (1.2-3)", "linux-signed-amd64 (6.1+1)"],
            ["../x", "a b", "a (1 2)", "/a"],
        ),
        ("Architecture", ["", "amd64", "all", "musl-linux-any"], ["AMD64", "a b", "../x"]),
    ],
)
def test_fields_have_a_grammar(field: str, good: list[str], bad: list[str]) -> None:
    def wrong(value: str) -> str:
        values = {"Package": "curl", "Version": "1", field: value}
        return fault(tuple(values.get(name, "") for name in FIELDS))

    assert [wrong(value) for value in good] == [""] * len(good)
    assert [wrong(value) for value in bad] == [f"{field} {value[:60]!r}" for value in bad]
