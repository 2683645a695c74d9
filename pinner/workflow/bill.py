"""What targets of a lock install as one list of materials: packages, what each one needs, and the base images."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pinner.distributions.catalogue import PLATFORMS, suite_named
from pinner.distributions.debian import DEBIAN
from pinner.lock.schema import Closure, InstalledPackage, Lock, LockedPackage, Target
from pinner.stages.starting_set import key
from pinner.values import NamedTuple
from pinner.workflow.export import Left, closure, gaps, is_own, left


class System(NamedTuple):
    """An operating system, as ID and VERSION_ID of os-release(5) name it; a suite without a number goes by its name."""

    vendor: str
    release: str


class Material(NamedTuple):
    """A package and where it is from: `system` and `codename` are those of its target's suite, `repository` is the
    address of another one than the distribution's own, else "". Of one that `is_local`, a file of the build context,
    the package's `filename` is the project's name, and it has no size.
    """

    package: LockedPackage
    system: System
    codename: str
    repository: str

    @property
    def is_local(self) -> bool:
        """Whether no archive has it."""
        return not self.package.uri

    @property
    def url(self) -> str:
        """Where the .deb lies; "" if no archive has it."""
        return "" if self.is_local else f"{self.package.uri}/{self.package.filename}"


class BillImage(NamedTuple):
    """A base image: its reference in FROM, the digest of its manifest for the platform, and those of its packages that
    a target still has in that version."""

    reference: str
    digest: str
    platform: str
    system: System
    packages: tuple[InstalledPackage, ...]


class Bill(NamedTuple):
    """`name` is that of the files; `date` that of the newest Release that was read, so that equal locks give equal
    bills. `asked` and `needs` name materials by the package's id: those asked for, and who needs whom. `unread` names
    the targets whose base image's packages are not in the lock; of `unsure`, by the package's id, it is not known
    whether they are left; `incomplete` says what of the targets is not in the lock; `removed` are
    needed by the build alone."""

    name: str
    date: datetime
    systems: tuple[System, ...]
    materials: tuple[Material, ...]
    asked: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]
    bases: tuple[BillImage, ...]
    unread: tuple[Target, ...]
    unsure: frozenset[str] = frozenset()
    incomplete: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()

    @property
    def left(self) -> Bill:
        """The bill without what is not in the images at the end."""
        return self._replace(
            materials=tuple(each for each in self.materials if each.package.id not in self.removed),
            asked=tuple(each for each in self.asked if each not in self.removed),
            needs=tuple(each for each in self.needs if self.removed.isdisjoint(each)),
        )

    def needed_by(self, parent: str) -> tuple[str, ...]:
        """What a package needs."""
        return tuple(child for each, child in self.needs if each == parent)


def system_of(codename: str) -> System:
    """The system that a suite is of."""
    found = suite_named(codename)
    return System(found[0].name if found else DEBIAN.name, (found and found[1].version) or codename)


def bill(lock: Lock, targets: Sequence[Target]) -> Bill:
    """The bill of these targets. Raises `InputError` where the lock does not know all that one installs."""
    materials: dict[str, Material] = {}
    asked: dict[str, None] = {}
    needs: dict[tuple[str, str], None] = {}
    unsure: set[str] = set()
    left_over: set[str] = set()
    ends = [left(lock, target) for target in targets]
    for target, end in zip(targets, ends, strict=True):
        suite, arch, chain = target.closure.suite, PLATFORMS[target.platform], lock.chain(target)
        system, there = system_of(suite), closure(lock, target)
        left_over |= {package.id for package in end.packages.values()}
        unsure |= {package.id for name, package in end.packages.items() if name in end.maybe}
        for package in there.values():
            repository = "" if is_own(package, suite) else package.uri
            materials.setdefault(package.id, Material(package, system, suite, repository))
        for local in (one for each in chain for one in each.closure.files):
            package = LockedPackage(
                local.name, local.version, local.arch, "", "", local.path, 0, local.digest
            )
            materials.setdefault(package.id, Material(package, system, suite, ""))
            asked[package.id] = None
            there[key(local.name, local.arch, arch)] = package
            if end.files.get(local.name) == local.version:
                left_over.add(package.id)
                unsure |= {package.id} if local.name in end.maybe else set()
        for each in chain:
            for locked in each.closure.members:
                if locked.argument:
                    asked[locked.id] = None
                elif locked.by in there:
                    needs[there[locked.by].id, locked.id] = None
    read = {image.digest for image in lock.images}
    dates = [datetime.fromisoformat(each.date).astimezone(UTC) for each in lock.releases]
    return Bill(
        ", ".join(dict.fromkeys(target.file for target in targets)),
        max(dates),
        tuple(dict.fromkeys(system_of(target.closure.suite) for target in targets)),
        tuple(materials[each] for each in sorted(materials)),
        tuple(each for each in sorted(asked) if each in materials),
        tuple(each for each in sorted(needs) if each[1] in materials),
        _bases(lock, targets, ends),
        tuple(target for target in targets if lock.chain(target)[-1].closure.digest not in read),
        frozenset(unsure),
        gaps(lock, targets),
        frozenset(materials) - left_over,
    )


def _bases(lock: Lock, targets: Sequence[Target], ends: Sequence[Left]) -> tuple[BillImage, ...]:
    """The base images that were read, each with what any of the targets has left of it."""
    images = {image.digest: image for image in lock.images}
    kept: dict[str, tuple[Closure, set[InstalledPackage]]] = {}
    for target, end in zip(targets, ends, strict=True):
        first, arch = lock.chain(target)[-1].closure, PLATFORMS[target.platform]
        if image := images.get(first.digest):
            replaced = end.gone.union(end.packages)
            own = (each for each in image.packages if key(each.name, each.arch, arch) not in replaced)
            kept.setdefault(first.digest, (first, set()))[1].update(own)
    return tuple(
        BillImage(first.image, digest, images[digest].platform, system_of(first.suite), tuple(sorted(held)))
        for digest, (first, held) in sorted(kept.items())
    )
