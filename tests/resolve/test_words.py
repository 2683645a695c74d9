"""What a word of the command line stands for."""

from __future__ import annotations

import pytest

from pinner.errors import UnknownPackage
from pinner.resolve.universe import Universe
from pinner.resolve.words import names
from tests.resolve.stories import index

ARCHIVE = (
    "a1 Task: web-server, mail\na2 Task: mail web-server\nb Task: web-server-extra\n"
    "c=1.0 Task: web-server\nc=2.0\nd Depends: gone"
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a1", "a1"),
        ("a?", "a1 a2"),
        ("a[2-9]", "a2"),
        ("^.$", "b c d"),
        ("gone", "gone"),
        ("web-server^", "a1 a2"),  # it is the candidate's field that counts
        ("mail^", "a1 a2"),
        ("web-server^+", "a1 a2"),
        ("web-s.*^", "a1 a2 b"),
        ("server^", ""),
        ("nothing", ""),
    ],
)
def test_words(word: str, expected: str) -> None:
    universe = Universe([index(ARCHIVE)], arch="amd64")
    if expected:
        assert names(universe, word) == tuple(expected.split())
    else:
        with pytest.raises(UnknownPackage):
            names(universe, word)
