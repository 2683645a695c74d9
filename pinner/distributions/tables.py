"""The data files beside this module, read when they are first asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pinner.values import NamedTuple


class Glob(NamedTuple):
    """A glob over addresses, which `*` crosses, and what it is a key of."""

    pattern: str
    row: Mapping[str, Any]


class Addresses:
    """Rows of a table by the globs of addresses that they name, looked up by host. A part in braces is a `*`."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], field: str) -> None:
        self._by_host: dict[str, list[Glob]] = {}
        for row in rows:
            for pattern in row[field]:
                pattern = re.sub(r"\{\w+\}", "*", pattern)
                host = pattern.partition("/")[0]
                self._by_host.setdefault("" if "*" in host else host, []).append(Glob(pattern, row))

    def matching(self, address: str) -> Iterator[Mapping[str, Any]]:
        """The rows with a glob that matches an address without its scheme, those of its own host first."""
        from fnmatch import fnmatchcase

        host, slash, path = address.partition("/")
        address = f"{host.lower()}{slash}{path}"
        for key in (host.lower(), ""):
            for glob in self._by_host.get(key, ()):
                if fnmatchcase(address, glob.pattern):
                    yield glob.row


@cache
def table(name: str) -> Mapping[str, Any]:
    """The data file `name`.toml."""
    import tomllib

    with open(f"{__file__.removesuffix('tables.py')}{name}.toml", "rb") as file:  # noqa: PTH123 - no folder is walked
        return tomllib.load(file)


def is_one(name: str, globs: Sequence[str]) -> bool:
    """Whether a package name is one of those that the globs mean."""
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, glob) for glob in globs)
