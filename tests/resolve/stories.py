"""Small archives told in a few lines, as an in-memory `Index` for the resolver and as files for real apt.

A line is `name[=version]` and fields separated by `;`:

    app=2.0   Depends: lib (>= 1) | other; Recommends: doc

Absent fields get apt-like defaults (version 1.0, Architecture: all, Priority: optional).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from pinner.apt.packages import Package, SourceVersion
from pinner.apt.release import Release
from pinner.apt.sources import Keys, Source

READING_ORDER = (
    "Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances",
    "Provides",
)  # fmt: skip


def stanzas(story: str) -> list[dict[str, str]]:
    found = []
    for line in filter(None, map(str.strip, story.splitlines())):
        head, _, rest = line.partition(" ")
        name, _, version = head.partition("=")
        stanza = {"Package": name, "Version": version or "1.0", "Architecture": "all", "Priority": "optional"}
        for part in filter(None, map(str.strip, rest.split(";"))):
            key, _, value = part.partition(":")
            stanza[key] = value.strip()
        found.append(stanza)
    return found


def package(stanza: dict[str, str]) -> Package:
    name, version = stanza["Package"], stanza["Version"]
    source, _, source_version = stanza.get("Source", name).partition(" ")
    return Package(
        name=name,
        version=version,
        architecture=stanza["Architecture"],
        source=source,
        source_version=source_version.strip("()") or version,
        multi_arch=stanza.get("Multi-Arch", "no"),
        essential=stanza.get("Essential") == "yes",
        important="yes" in (stanza.get("Important"), stanza.get("Protected")),
        priority=stanza.get("Priority", "optional"),
        pre_depends=stanza.get("Pre-Depends", ""),
        depends=stanza.get("Depends", ""),
        recommends=stanza.get("Recommends", ""),
        suggests=stanza.get("Suggests", ""),
        conflicts=stanza.get("Conflicts", ""),
        breaks=stanza.get("Breaks", ""),
        replaces=stanza.get("Replaces", ""),
        provides=stanza.get("Provides", ""),
        installed_size=stanza.get("Installed-Size", ""),
        filename=f"./{name}_{version}.deb",
        size=int(stanza.get("Size", "1")),
        digest="0" * 64,
    )


@dataclass(frozen=True)
class Memory:
    """An `Index` of stanzas at hand."""

    stanzas: Sequence[dict[str, str]]
    release: Release
    source: Source
    component: str = "main"
    release_sha256: str = "0" * 64

    @cached_property
    def all(self) -> tuple[Package, ...]:
        return tuple(map(package, self.stanzas))

    @cached_property
    def _by_name(self) -> dict[str, list[Package]]:
        found: dict[str, list[Package]] = {}
        for one in self.all:
            found.setdefault(one.name, []).append(one)
        return found

    @cached_property
    def _by_provided(self) -> dict[str, list[Package]]:
        found: dict[str, list[Package]] = {}
        for one in self.all:
            for name in dict.fromkeys(_names(one.provides, qualified=True)):
                found.setdefault(name, []).append(one)
        return found

    @cached_property
    def _order(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for stanza in self.stanzas:
            found.setdefault(stanza["Package"], len(found))
            for key in READING_ORDER:
                for name in _names(stanza.get(key, "")):
                    found.setdefault(name, len(found))
        return found

    def packages(self, name: str) -> tuple[Package, ...]:
        return tuple(self._by_name.get(name, ()))

    def providers(self, name: str) -> tuple[Package, ...]:
        return tuple(self._by_provided.get(name, ()))

    def names(self) -> Iterable[str]:
        return self._by_name

    def source_versions(self, source: str) -> Iterable[SourceVersion]:
        return {
            SourceVersion(one.source_version, one.architecture == "all")
            for one in self.all
            if one.source == source
        }

    def having(self, field: str) -> Iterable[tuple[str, str, str]]:
        return [(one["Package"], one["Version"], one[field]) for one in self.stanzas if field in one]

    def order(self, name: str) -> int | None:
        return self._order.get(name)


def _names(relations: str, *, qualified: bool = False) -> list[str]:
    """The names in a relation field. `x:any` is another name to apt, but a provide of x to pinner."""
    words: list[str] = re.findall(r"(?:^|[,|])\s*([^\s,|(]+)", relations)
    return [word.partition(":")[0] for word in words if qualified or ":" not in word]


def index(story: str, suite: str = "a", *, arch: str = "amd64", **release: str | bool) -> Memory:
    """What a Packages file for one architecture would have of the archive."""
    facts: dict[str, str | bool] = {
        "origin": "Syn", "label": "Syn", "suite": suite, "codename": suite, "version": "",
        "not_automatic": False, "but_automatic_upgrades": False, **release,
    }  # fmt: skip
    value = Release(
        **facts,  # type: ignore[arg-type]
        date=datetime(2026, 11, 2, tzinfo=UTC),
        valid_until=None,
        acquire_by_hash=False,
        architectures=("amd64",),
        components=("main",),
        files={},
    )
    source = Source("http://example.org/debian", suite, ("main",), arch, Keys("debian"))
    own = [stanza for stanza in stanzas(story) if stanza["Architecture"] in ("all", arch)]
    return Memory(own, value, source)
