"""Which patterns of files are tried."""

from __future__ import annotations

import pytest

from pinner.regex import is_slow


@pytest.mark.parametrize(
    "pattern",
    [
        "^deb .*main.*$",
        "(main|contrib)+$",
        r"^(deb|deb-src) (\[.*\] )?http://[^ ]+",
        r"\((a)\)+x",
        "(?:ab)*c",
        "^linux-image-[0-9.]+-amd64$",
    ],
)
def test_usual_ones(pattern: str) -> None:
    assert not is_slow(pattern, 120)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|.)*b",
        "((a))*b",
        "a*a*a*a*a*b",
        "a?" * 20 + "b",
        "(a?){9}",
        "(|a)+b",
        "[" * 400,
    ],
)
def test_what_takes_a_time_out_of_proportion(pattern: str) -> None:
    assert is_slow(pattern, 120)
