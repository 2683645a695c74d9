"""Debian versions: identity is the text, order is dpkg's.

The order is that of Debian Policy 5.6.12 and deb-version(7): epoch, upstream version and revision are
compared one after the other, each as alternating runs of non-digits and digits. A run of digits counts by
its value; of the other characters `~` sorts before everything, even before the end, then letters, then the
rest. Versions that compare as equal (`1.0` and `0:1.0-0`) may still differ as text; apt's `name=version`
and a lock tell them apart, dependencies do not.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pinner.regex import later

_RUN = later(r"(\D*)(\d*)", re.ASCII)
_BINNMU = later(r"\+b[0-9]+\Z")

_TILDE, _END, _BEFORE_LETTERS = "\x01", "\x02", 0x100


@lru_cache(maxsize=1 << 17)
def key(text: str) -> str:
    """A string whose ordinary order is dpkg's order of the versions; equal keys mean equal versions.

    Each non-digit character becomes one code point in dpkg's order, closed by an end mark that lies between
    `~` and the letters; a number becomes its length and its digits, so that a longer one is a bigger one.
    """
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "", text
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return _part(epoch) + _part(upstream) + _part(revision)


@lru_cache(maxsize=1 << 14)
def _part(text: str) -> str:
    out = []
    for other, digits in _RUN.findall(text):
        if not other and not digits:
            break
        number = digits.lstrip("0")
        out.append(other.translate(_WEIGHTS) + _END + chr(len(number)) + number)
    # An empty part equals "0"; a last run without digits already stands for "… 0".
    return "".join(out) + _END if out else _END + "\0" + _END


class _Weights(dict[int, str]):
    """What stands for a character in a key, by its code point."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        weight = char if char.isascii() and char.isalpha() else chr(code + _BEFORE_LETTERS)
        self[code] = weight
        return weight


_WEIGHTS = _Weights({ord("~"): _TILDE})


def compare(a: str, b: str) -> int:
    """Negative, zero or positive as `a` is older than, equal to or newer than `b`."""
    if a == b:
        return 0
    left, right = key(a), key(b)
    return (left > right) - (left < right)


def source_version(text: str) -> str:
    """The version without the `+bN` of a binary-only rebuild (Debian Developer's Reference 5.10.2.1)."""
    return _BINNMU.sub("", text)
