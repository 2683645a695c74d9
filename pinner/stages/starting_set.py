"""What a base image holds before the first install call: assumed, or read from a list of what dpkg has installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pinner.apt.installed import Listed
from pinner.apt.packages import Package
from pinner.apt.version import source_version
from pinner.resolve.universe import Universe
from pinner.values import NamedTuple

#: The label of a root without packages.
EMPTY = "nothing"


class Root(NamedTuple):
    """The packages that a base image holds on one Debian architecture. `label` is how the lock names the set.

    They are known in full (`packages`, of a dpkg status file; `read` gives those of an image when they are needed) or
    by name and version alone (`listed`, of `dpkg-query -W`). Without all of these it is the minimal set of the suite,
    at the versions of the indices.

    `suggests_important` keeps what installed packages suggest (`APT::AutoRemove::SuggestsImportant`): apt's default,
    which the official images change.
    """

    label: str
    arch: str = ""
    packages: tuple[Package, ...] = ()
    listed: tuple[Listed, ...] = ()
    read: Callable[[], tuple[Package, ...]] | None = None
    suggests_important: bool = False

    @property
    def told(self) -> bool:
        """Whether the packages were read from a file or an image, not assumed."""
        return bool(self.packages or self.listed or self.read) or self.label == EMPTY

    @property
    def full(self) -> tuple[Package, ...]:
        """The packages that are known in full."""
        return self.read() if self.read else self.packages

    def versions(self) -> dict[str, str]:
        """The known versions, by name: `name:arch` for packages of a foreign architecture."""
        found = {key(each.name, each.architecture, self.arch): each.version for each in self.full}
        return found | {key(each.name, each.arch, self.arch): each.version for each in self.listed}


MINBASE = Root("minbase")


def key(name: str, arch: str, native: str) -> str:
    """The name by which people know a package: without its architecture, if that is the native one, or `all`."""
    return name if arch in ("", "all", native) else f"{name}:{arch}"


def held(root: Root, universe: Universe) -> Iterator[Package]:
    """The packages of a root that is known, those of the universe's architectures.

    Of a package that is listed by name and version alone, the relations are those in the archive. Where the archive has
    only another version of it, as is usual for an image older than the archive, they are that version's, with its own
    number replaced: dependencies on a sibling of the same source package have it (`${binary:Version}`, Policy 4.14,
    deb-substvars(5)). Of a name that the archive does not have nothing more is known.
    """
    archs = (universe.arch, "all", *universe.foreign)
    yield from (each for each in root.full if each.architecture in archs)
    for each in root.listed:
        if not each.arch or each.arch in archs:
            yield _like(each, universe)


def _like(listed: Listed, universe: Universe) -> Package:
    bare = Package(listed.name, listed.version, listed.arch or universe.arch)
    name = key(listed.name, listed.arch, universe.arch)
    versions = universe.versions(name)
    candidate = universe.candidate(name)
    if candidate is None or any(offer.version == listed.version for offer in versions):
        return bare
    known = candidate.package
    exchange = (
        (known.version, listed.version),
        (source_version(known.version), source_version(listed.version)),
    )

    def renumbered(relations: str) -> str:
        for theirs, own in exchange:
            relations = relations.replace(f" {theirs})", f" {own})")
        return relations

    return known._replace(
        version=listed.version,
        source_version=listed.version,
        pre_depends=renumbered(known.pre_depends),
        depends=renumbered(known.depends),
        recommends=renumbered(known.recommends),
        suggests=renumbered(known.suggests),
        conflicts=renumbered(known.conflicts),
        breaks=renumbered(known.breaks),
        replaces=renumbered(known.replaces),
        provides=renumbered(known.provides),
        filename="",
        size=0,
        digest="",
    )
