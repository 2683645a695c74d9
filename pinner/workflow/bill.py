"""What targets of a lock install as one list of materials: packages, and which of them brought which along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pinner.distributions.catalogue import suite_named
from pinner.distributions.debian import DEBIAN
from pinner.lock.schema import Lock, LockedPackage, Target
from pinner.workflow.export import closure, is_own


class Material(NamedTuple):
    """A package and where it is from: `vendor` and `codename` are those of its distribution's suite, `repository` is
    the address of another one than the distribution's own, else "".
    """

    package: LockedPackage
    vendor: str
    codename: str
    repository: str

    @property
    def url(self) -> str:
        """Where the .deb lies."""
        return f"{self.package.uri}/{self.package.filename}"


class Bill(NamedTuple):
    """`name` is that of the files; `date` that of the newest Release that was read, so that equal locks give equal
    bills. `asked` and `needs` name materials by the package's id: those asked for, and who brought whom along."""

    name: str
    date: datetime
    materials: tuple[Material, ...]
    asked: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]

    def needed_by(self, parent: str) -> tuple[str, ...]:
        """What a package brought along."""
        return tuple(child for each, child in self.needs if each == parent)


def bill(lock: Lock, targets: Sequence[Target]) -> Bill:
    """The bill of these targets. Raises `InputError` where the lock does not know all that one installs."""
    materials: dict[str, Material] = {}
    asked: dict[str, None] = {}
    needs: dict[tuple[str, str], None] = {}
    for target in targets:
        found = suite_named(target.closure.suite)
        vendor = found[0].name if found else DEBIAN.name
        there = closure(lock, target)
        for package in there.values():
            repository = "" if is_own(package, target.closure.suite) else package.uri
            materials.setdefault(package.id, Material(package, vendor, target.closure.suite, repository))
        for each in lock.chain(target):
            for locked in each.closure.members:
                if locked.argument:
                    asked[locked.id] = None
                elif locked.by in there:
                    needs[there[locked.by].id, locked.id] = None
    dates = [datetime.fromisoformat(each.date).astimezone(UTC) for each in lock.releases]
    return Bill(
        ", ".join(dict.fromkeys(target.file for target in targets)),
        max(dates),
        tuple(materials[key] for key in sorted(materials)),
        tuple(sorted(asked)),
        tuple(sorted(needs)),
    )
