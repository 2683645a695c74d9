"""What a program or package that a file fetches does to apt, as far as its address is known: `programs.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from pinner.distributions import repositories
from pinner.distributions.repositories import ANYTHING
from pinner.distributions.tables import Addresses, rows
from pinner.regex import later
from pinner.values import NamedTuple


class Effect(NamedTuple):
    """What a program does to apt.

    `kind` is `none`: apt reads the same afterwards; `adds`: it writes just `files`; `unknown`: apt may read more. What
    it adds may serve the names that the globs `serves` mean. `files` are paths with their texts, `keys` key files with
    the addresses of their content, both with parts in braces that the system decides (`written`). `updates` tells that
    it runs `apt-get update` itself. `named` are parts of its own address.
    """

    kind: Literal["none", "adds", "unknown"]
    serves: tuple[str, ...] = ()
    files: Mapping[str, str] = {}
    keys: Mapping[str, str] = {}
    updates: bool = False
    named: Mapping[str, str] = {}

    def written(self, system: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]] | None:
        """The files and keys as they are on a system with this `codename`, `id`, `version` and `arch`.

        None if that is not certain: the system is not known so far, or is another than the address names.
        """
        if any(system.get(name, value) != value for name, value in self.named.items()):
            return None
        values = {**system, **self.named}
        try:
            return (
                {
                    path.format_map(values): text.lstrip("\n").format_map(values)
                    for path, text in self.files.items()
                },
                {path.format_map(values): url.format_map(values) for path, url in self.keys.items()},
            )
        except KeyError:
            return None


# A program that is built for a machine, or published as a release's file, is no script: it does what it is for.
_BINARY = later(
    r"(?i).*[-_./](?:linux|amd64|x86_64|x64|aarch64|arm64|armv7l?|armhf|musl)(?:[^a-z0-9/][^/]*|\d*)"
    r"|github\.com/[^/]+/[^/]+/releases/(?:latest/)?download/(?:[^/]+/)*[^/]+"
)
_SCRIPT = later(
    r"(?i)\.(?:sh|bash|zsh|ksh|py|pl|rb|deb|list|sources)$|[^/]*(?:install|setup|bootstrap|repo)[^/]*$"
)
#: That of a program of which nothing is known.
UNKNOWN = Effect("unknown", ANYTHING)


def effect(url: str) -> Effect:
    """What the program or package at an address does to apt."""
    scheme, _, address = url.partition("://")
    if scheme not in ("http", "https"):
        return UNKNOWN
    address = address.partition("?")[0].partition("#")[0]
    for row in _index().matching(address):
        named = _named(row["urls"], address)
        allowed = row.get("only", {})
        if any(named.get(name) not in values for name, values in allowed.items()):
            continue
        files = row.get("files", {})
        kind = row.get("effect", "adds" if files else "unknown")
        added = [glob for name in row.get("adds", ()) for glob in repositories.named(name).serves]
        serves = () if kind == "none" else tuple(row.get("serves", added)) or ANYTHING
        return Effect(kind, serves, files, row.get("keys", {}), row.get("updates", False), named)
    return Effect("none") if _BINARY.fullmatch(address) and not _SCRIPT.search(address) else UNKNOWN


def _named(patterns: list[str], address: str) -> dict[str, str]:
    """The parts of an address that the pattern which fits it names in braces."""
    for pattern in patterns:
        if "{" in pattern:
            text = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+?)", re.escape(pattern)).replace(r"\*", ".*")
            if match := re.fullmatch(text, address):
                return match.groupdict()
    return {}


@cache
def _index() -> Addresses:
    return Addresses(rows("program"), "urls")
