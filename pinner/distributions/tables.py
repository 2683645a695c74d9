"""The data files beside this module, read when they are first asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from pinner.values import NamedTuple


class Row:
    """A row of a data file, parsed when it is first looked into: a run needs few of several hundred."""

    def __init__(self, kind: str, text: str) -> None:
        self._kind, self._text = kind, text

    def named(self, field: str) -> Sequence[str]:
        """The strings that a field lists, or is, found without parsing the row."""
        found = re.search(rf'^{field} = (\[.*?\]|"[^"]*")$', self._text, re.MULTILINE | re.DOTALL)
        return re.findall(r'"([^"]*)"', found[1]) if found else ()

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The values by name."""
        import tomllib

        found: Mapping[str, Any] = tomllib.loads(f"[[{self._kind}]]\n{self._text}")[self._kind][0]
        return found


class Glob(NamedTuple):
    """A glob over addresses, which `*` crosses, and what it is a key of."""

    pattern: str
    row: Row


class Addresses:
    """Rows of a table by the globs of addresses that they name, looked up by host. A part in braces is a `*`."""

    def __init__(self, rows: Sequence[Row], field: str) -> None:
        self._by_host: dict[str, list[Glob]] = {}
        for row in rows:
            for pattern in row.named(field):
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
                    yield glob.row.fields


@cache
def rows(kind: str) -> Sequence[Row]:
    """The rows of the data file of a kind: `image`, `program` or `repository`."""
    file_name = f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s"
    name = f"{__file__.removesuffix('tables.py')}{file_name}.toml"
    with open(name, encoding="utf-8") as file:  # noqa: PTH123 - no folder is walked
        return tuple(Row(kind, text) for text in f"\n{file.read()}".split(f"\n[[{kind}]]\n")[1:])


def is_one(name: str, globs: Sequence[str]) -> bool:
    """Whether a package name is one of those that the globs mean."""
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, glob) for glob in globs)
