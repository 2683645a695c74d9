"""TOML as far as people write it: the library takes a time that grows with the square of a key's parts."""

from __future__ import annotations

from typing import Any

from pinner.regex import later

LARGEST = 1 << 20  # characters of a configuration
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_MOST_PARTS = 100
_LONG_KEY = later(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS}}}")


def loads(text: str) -> dict[str, Any]:
    """The tables of a text. Raises ValueError, with the reason and the place, for what is no TOML or nests too deep."""
    import tomllib

    if _LONG_KEY.search(text):
        raise ValueError(f"a key has more than {_MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it nests too deep") from None
