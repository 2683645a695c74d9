"""What is read of TOML, and what no more."""

from __future__ import annotations

import pytest

from pinner import toml


@pytest.mark.parametrize(
    "text", ["a.b.'c'.\"d\" = 1\n", f"a{'.b' * 99} = 1\n", f"a = '{'x.' * 90}'\n", "a = [[[[]]]]\n"]
)
def test_what_people_write(text: str) -> None:
    assert toml.loads(text)["a"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"a{'.b' * 100} = 1\n", "a key has more than 100 parts"),
        (f"[a{' . b' * 100}]\n", "a key has more than 100 parts"),
        (
            f"a = {{ a{'.' + repr('x')} = 1 }}\n".replace(".", "." + ".".join("b" * 100) + "."),
            "more than 100 parts",
        ),
        ("a = " + "[" * 5_000, "it nests too deep"),
        ("a = " + "{b = " * 5_000, "it nests too deep"),
        (f"a = {'1' * 5_000}\n", "limit"),
    ],
)
def test_what_nobody_writes(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        toml.loads(text)
