"""The sections of the lock file: one table of fields drives writing, both ways of reading, and JSON."""

from __future__ import annotations

from typing import Any

from pinner.lock.schema import (
    Closure,
    ClosureMember,
    Gone,
    ImageFile,
    Incomplete,
    InstalledPackage,
    LocalPackage,
    LockedImage,
    LockedPackage,
    LockedRelease,
    LockedSettings,
)
from pinner.values import NamedTuple


class TargetRow(NamedTuple):
    """A line of `targets`, with the id of its closure."""

    file: str
    stage: str
    platform: str
    closure: str
    parent: str = ""


class CommandRow(NamedTuple):
    """A line of `commands`: the beginning of an install command, or an argument of the command above it."""

    command: str = ""
    argument: str = ""


class KeyRow(NamedTuple):
    """A line of `keys`."""

    uri: str
    origin: str
    fingerprint: str


class LockField(NamedTuple):
    """A field of a line: a text, a number, or `true`. One that has the default is left out."""

    name: str
    kind: type
    default: object = None


class Section(NamedTuple):
    """An array of the file: one line for each value of `type`, those about something else with its id under `owner`.

    Fields of `type` that are tuples have a section of their own. One that is `rare` is left out where it is empty.
    """

    type: Any
    owner: str = ""
    rare: bool = False

    @property
    def fields(self) -> tuple[LockField, ...]:
        """The fields of its lines, in order."""
        own = (LockField(self.owner, str),) if self.owner else ()
        defaults = self.type._field_defaults
        return own + tuple(
            LockField(name, kind, defaults.get(name))
            for name, annotation in self.type.__annotations__.items()
            if (kind := _KINDS.get(getattr(annotation, "__forward_arg__", annotation)))
        )


_KINDS = {"str": str, "int": int, "bool": bool}


#: The file's sections, in order: this is what writer and readers go by.
SECTIONS = {
    "settings": Section(LockedSettings),
    "releases": Section(LockedRelease),
    "keys": Section(KeyRow),
    "targets": Section(TargetRow),
    "closures": Section(Closure),
    "commands": Section(CommandRow, "closure"),
    "members": Section(ClosureMember, "closure"),
    "incomplete": Section(Incomplete, "closure"),
    "gone": Section(Gone, "closure", rare=True),
    "files": Section(LocalPackage, "closure", rare=True),
    "packages": Section(LockedPackage),
    "images": Section(LockedImage),
    "image_files": Section(ImageFile, "image"),
    "image_packages": Section(InstalledPackage, "image"),
}


#: The lines of each section, as tuples of the values of its fields.
Rows = dict[str, list[tuple[Any, ...]]]
