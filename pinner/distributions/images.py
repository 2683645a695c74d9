"""What base images hold beside a distribution's own files, as far as their names are known: `images.toml`.

It stands in for an image that is not read. A distribution's own image, and one that a row calls plain, reads what the
distribution reads. Of others certain names may come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from pinner.distributions import repositories
from pinner.distributions.repositories import ANYTHING
from pinner.distributions.tables import Addresses, rows
from pinner.values import NamedTuple

_OFFICIAL = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
#: Where Docker's official images are built for one architecture each, and other places that serve them.
_SAME = (
    "library/", "amd64/", "arm64v8/", "arm32v5/", "arm32v6/", "arm32v7/", "i386/", "ppc64le/", "s390x/", "riscv64/",
    "mips64le/", "public.ecr.aws/docker/library/", "mirror.gcr.io/library/", "mirror.gcr.io/",
)  # fmt: skip


class BaseImage(NamedTuple):
    """An image that is known. `serves` are globs of the names that may come from elsewhere than its distribution, none
    for a plain image; `suites` says which suite a tag, or the part of one before or behind a dash, means."""

    serves: tuple[str, ...]
    suites: Mapping[str, str]

    @property
    def plain(self) -> bool:
        """Whether it holds the distribution's files only."""
        return not self.serves

    def suite(self, tag: str) -> str:
        """The suite that a tag names otherwise than by its own name, "" if it does not."""
        return next((self.suites[part] for part in _parts(tag) if part in self.suites), "")


def row(repository: str) -> BaseImage | None:
    """The image of a repository (a reference without its tag), None if nothing is known of it."""
    name = _name(repository)
    if name in ("debian", "ubuntu"):  # what nearly every run asks for needs no table
        return BaseImage((), {})
    for found in _index().matching(name):
        added = [glob for name in found.get("adds", ()) for glob in repositories.named(name).serves]
        serves = tuple(dict.fromkeys((*found.get("serves", ()), *added)))
        plain = found.get("plain", False)
        return BaseImage(() if plain else serves or ANYTHING, found.get("suites", {}))
    return None


def _name(repository: str) -> str:
    """The repository as images.toml has it: an official image by its last part alone."""
    host, slash, rest = repository.partition("/")
    name = rest if slash and host in _OFFICIAL else repository
    for place in _SAME:
        if name.startswith(place):
            return name.removeprefix(place)
    return name.rpartition("/library/")[2]


def _parts(tag: str) -> Iterator[str]:
    """A tag, what begins it and its parts, the longest first: 8.0-sdk-foo, 8.0-sdk, 8.0 …"""
    words = tag.split("-")
    yield from ("-".join(words[:end]) for end in range(len(words), 0, -1))
    yield from words[1:]
    yield ".".join(words[0].split(".")[:2])


@cache
def _index() -> Addresses:
    return Addresses(rows("image"), "names")
