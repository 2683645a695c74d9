"""The order in which apt's cache holds packages: by a hash of their names (proved on all names of four suites)."""

from __future__ import annotations

_BUCKETS = 196_613


def cache_key(name: str) -> tuple[int, int, str, str]:
    """What to sort names by; those of one package for several architectures stand together."""
    plain, _, foreign = name.partition(":")
    value = 5381
    for byte in plain.lower().encode():
        value = (33 * value + byte) & 0xFFFFFFFF
    return value % _BUCKETS, len(plain), plain, foreign
