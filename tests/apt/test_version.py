from __future__ import annotations

import subprocess
from functools import cmp_to_key
from itertools import pairwise

import pytest
from debian.debian_support import NativeVersion
from hypothesis import example, given
from hypothesis import strategies as st

from pinner.apt import version

# Each row in rising order (checked with dpkg --compare-versions).
RISING = [
    "1.0~~ 1.0~ 1.0~rc1 1.0",
    "1.0-1 1.0-1+b1 1.0-1+b9 1.0-1+b10 1.0-1+deb12u1 1.0-1+deb12u1+b1 1.0-1.1",
    "1.0-1+deb11u9 1.0-1+deb12u1 1.0-1+deb12u9 1.0-1+deb12u10",
    "1.0-2~bpo12+1 1.0-2~deb12u1 1.0-2",
    "2.0 1:0.5 2:1 10:0.1",
    "1.0 1.0a 1.0+",
    "1.0Z 1.0a",
    "1.0-1build1 1.0-1ubuntu0.22.04.1 1.0-1ubuntu1",
    "1.0-2 1.0+really0.9-1",
    "0.9 0.10 0.11",
]
EQUAL = ["1.0-1 1.0-01", "0:1.0 1.0", "1.0-0 1.0", "00:1.00 1.0", "1.a 1.a0", "1.2.3 01.02.03"]

PART = st.text("0123456789abZ.+~", max_size=8)
VERSION = st.builds(
    lambda epoch, upstream, revision: f"{epoch}{upstream}{revision}",
    st.one_of(st.just(""), st.integers(0, 12).map("{}:".format)),
    PART.map("0{}".format),
    st.one_of(st.just(""), PART.map("-0{}".format)),
)


@pytest.mark.parametrize("row", RISING)
def test_rising(row: str) -> None:
    texts = row.split()
    keys = [version.key(text) for text in texts]
    assert keys == sorted(keys)
    assert all(version.compare(a, b) < 0 for a, b in pairwise(texts))


@pytest.mark.parametrize("row", EQUAL)
def test_equal(row: str) -> None:
    a, b = row.split()
    assert version.compare(a, b) == 0
    assert version.key(a) == version.key(b)


@given(VERSION, VERSION)
@example("1.0", "1.0~")
@example("0.", "0")
@example("0", "0-~")
def test_agrees_with_python_debian(a: str, b: str) -> None:
    left, right = NativeVersion(a), NativeVersion(b)
    assert version.compare(a, b) == (left > right) - (left < right)


@given(st.lists(VERSION, min_size=3, max_size=6))
def test_total_order(texts: list[str]) -> None:
    by_key = sorted(texts, key=version.key)
    by_compare = sorted(texts, key=cmp_to_key(version.compare))
    assert list(map(version.key, by_key)) == list(map(version.key, by_compare))


@given(st.text(max_size=12), st.text(max_size=12))
def test_takes_any_text(a: str, b: str) -> None:
    assert version.compare(a, b) == -version.compare(b, a)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0-1+b1", "1.0-1"),
        ("1:5.2.1-2+b12", "1:5.2.1-2"),
        ("1.0+b1", "1.0"),
        ("1.0-1", "1.0-1"),
        ("1.0-1+b1+b2", "1.0-1+b1"),
        ("1.0-1+deb12u1", "1.0-1+deb12u1"),
        ("1.0-1+b", "1.0-1+b"),
        ("1.0-1+b1.1", "1.0-1+b1.1"),
    ],
)
def test_source_version(text: str, expected: str) -> None:
    assert version.source_version(text) == expected


@pytest.mark.live
@pytest.mark.parametrize("row", RISING + EQUAL)
def test_agrees_with_dpkg(row: str) -> None:
    texts = row.split()
    for a, b in pairwise(texts):
        order = version.compare(a, b)
        operator = {-1: "lt", 0: "eq", 1: "gt"}[order]
        assert subprocess.run(["dpkg", "--compare-versions", a, operator, b], check=False).returncode == 0
