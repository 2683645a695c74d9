"""What a lock holds, as values: a line of the file has the fields of its value.

Every fact is one line of its own that says what it belongs to, and the lines of a section are sorted. So two branches
that lock different packages merge as text; what a merge can leave behind (a fact twice, two versions of one package, a
line that nothing refers to) is understood when the lock is read, see `reader`. The lock holds nothing of the run or the
machine: no time of day, no host name, no absolute path, no line number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from pinner.values import NamedTuple

SCHEMA = 1
NAME = "pinner.lock"
#: How the commands begin whose arguments name versions.
INSTALLING = ("apt-get install", "apt-get reinstall", "apt-get download")
LARGEST = 512 * 2**20  # bytes, for those who write it and those who read it


class LockedRelease(NamedTuple):
    """One component of a suite that was read; a flat repository has no component.

    `date` is the Release's own, ISO 8601 in UTC; `digest` the SHA-256 of the InRelease bytes, in hexadecimal.
    """

    uri: str
    suite: str
    component: str
    date: str
    digest: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it: of several the newest counts."""
        return self.uri, self.suite, self.component


class LockedPackage(NamedTuple):
    """One .deb. `suite` is the one that apt would take it from (a pocket, say; the first one where the stages of
    several suites have the same file), `filename` relative to `uri`, `size` in bytes; `source` and `source_version` are
    "" where they are as those of the binary package. `digest` is its SHA-256 in hexadecimal, or its SHA-512 where the
    archive has this alone. `twin` is the beginning of that where another archive has another file under the same name
    and version, as Ubuntu for a source that it takes from Debian and builds itself; "" for the first of the two.
    """

    name: str
    version: str
    arch: str
    suite: str
    uri: str
    filename: str
    size: int
    digest: str
    source: str = ""
    source_version: str = ""
    twin: str = ""

    @property
    def id(self) -> str:
        """`name:arch=version`, the spelling that apt understands and closures refer by; a twin has `#` and its own
        behind it, which no version holds."""
        return f"{self.name}:{self.arch}={self.version}{'#' if self.twin else ''}{self.twin}"

    def beside(self, *others: Mapping[str, LockedPackage]) -> LockedPackage:
        """The package as it is named beside others, by their ids: a twin if one of them was."""
        twin = self._replace(twin=self.digest[:8])
        plain = [known for known in (each.get(self.id) for each in others) if known is not None]
        if any(known.uri != self.uri and known.digest != self.digest for known in plain):
            return twin
        return twin if not plain and any(twin.id in each for each in others) else self


class ClosureMember(NamedTuple):
    """A package of a closure, by its id: installed for the package argument `argument` (as the file names it, without
    the version), or needed `by` the package of that name. `role` is "removed" for one that is not there any more at the
    end of the stage, and "maybe" where that is not known; what is left has none.
    """

    id: str
    argument: str = ""
    by: str = ""
    role: str = ""

    @property
    def name(self) -> str:
        """The package's name."""
        return self.id.partition(":")[0]

    @property
    def version(self) -> str:
        """The package's version."""
        return self.id.partition("=")[2].partition("#")[0]


class Gone(NamedTuple):
    """A package of the base image, or of the stage below, that a command of the stage removed, by its name (with the
    architecture if it is foreign); `maybe` if it is not known whether it did."""

    name: str
    maybe: bool = False


class LocalPackage(NamedTuple):
    """A .deb of the build context that a command installs: `path` is the project's name of it, `digest` its SHA-256.
    `role` is that of a `ClosureMember`."""

    name: str
    version: str
    arch: str
    path: str
    digest: str
    role: str = ""


class Incomplete(NamedTuple):
    """Something of a stage that is not in its closure: `place` is the argument or the command as the file has it.

    With the kind `command`, apt would not carry out the command, or pinner cannot tell what it does: then the closure
    is what it was when that was known last, if ever. With `argument`, only what that argument stands for is missing.
    """

    kind: str
    place: str
    reason: str


class Closure(NamedTuple):
    """What the install commands of a stage come to on one platform, and all that decides it.

    `id` is how the lock's lines name it, "" for one that is new. `image` is the base image's reference, `digest` that
    of its manifest for the platform, "" if it was not read. `installed` says which starting set was read or assumed;
    `apt` is a digest of the sources and preferences that image and stage give to apt beyond the suite's own, "" if
    there are none. `date` is that of the newest Release among those that it was resolved from. `commands` are the
    commands that change what is installed as the file has them, in order, `members` the packages, sorted, and `gone`
    those from below that were removed.
    """

    id: str
    image: str
    suite: str
    installed: str
    digest: str = ""
    apt: str = ""
    date: str = ""
    commands: tuple[str, ...] = ()
    members: tuple[ClosureMember, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    gone: tuple[Gone, ...] = ()
    files: tuple[LocalPackage, ...] = ()

    @property
    def inputs(self) -> tuple[object, ...]:
        """What decides about the members, beside the archives."""
        return (*self[1:6], self.commands, tuple(each[:5] for each in self.files))

    @property
    def content(self) -> tuple[object, ...]:
        """All but the name and the date."""
        return (*self[1:6], *self[7:])


class Target(NamedTuple):
    """One stage of one file on one platform, and its closure, which targets may share.

    `parent` is the nearest stage below it that has a target, "" if it begins with its image. `conflict` says why the
    lines of the lock do not fit together, as after a merge of two branches that both changed the target; such a target
    has to be locked anew.
    """

    file: str
    stage: str
    platform: str
    closure: Closure
    parent: str = ""
    conflict: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies a target in a lock."""
        return self.file, self.stage, self.platform

    @property
    def inputs(self) -> tuple[object, ...]:
        """All but the outcome: with the same archives, equal inputs install the same."""
        return (*self.key, self.parent, *self.closure.inputs)

    @property
    def problem(self) -> str:
        """Why not all commands of the stage are in the closure, "" if they are."""
        return next((each.reason for each in self.closure.incomplete if each.kind == "command"), "")

    def is_like(self, other: Target | None) -> bool:
        """Whether another target says the same."""
        if other is None or (*self[:3], *self[4:]) != (*other[:3], *other[4:]):
            return False
        return self.closure is other.closure or self.closure.content == other.closure.content


class LockedKey(NamedTuple):
    """Who signs the repository at `uri`, as files say it themselves: by keys from an address or a file, `origin`.

    `fingerprints` are of primary keys, upper-case hex, sorted.
    """

    uri: str
    origin: str
    fingerprints: tuple[str, ...]


class InstalledPackage(NamedTuple):
    """A package that a base image holds; the fields are those of its stanza in dpkg's status file, "" where they are as
    they are if the stanza says nothing."""

    name: str
    version: str
    arch: str
    source: str = ""
    source_version: str = ""
    multi_arch: str = ""
    essential: bool = False
    important: bool = False
    held: bool = False
    automatic: bool = False
    priority: str = ""
    installed_size: str = ""
    pre_depends: str = ""
    depends: str = ""
    recommends: str = ""
    suggests: str = ""
    conflicts: str = ""
    breaks: str = ""
    replaces: str = ""
    provides: str = ""


class ImageFile(NamedTuple):
    """A file of a base image that apt reads: `kind` is `sources`, `conf`, `preferences`, `architectures`, or `key`
    (then `text` is base64); `rank` gives apt's order of reading."""

    kind: str
    rank: int
    path: str
    text: str


class LockedImage(NamedTuple):
    """What the base image whose manifest has this `digest` holds; `index_digest` that of the index that names it.

    `suite_from` says where the image tells `distribution` and `suite`; `size` is that of its layers, packed, in bytes.
    """

    digest: str
    platform: str
    index_digest: str = ""
    distribution: str = ""
    suite: str = ""
    suite_from: str = ""
    size: int = 0
    files: tuple[ImageFile, ...] = ()
    packages: tuple[InstalledPackage, ...] = ()


class LockedSettings(NamedTuple):
    """What the command line said when a file was locked: `platforms`, `pin` (`siblings`, `closure`); "" where it said
    nothing. Lists are separated by blanks. The settings of the file "" hold for all that have none of their own, and
    have the `kinds` of files that were searched for.
    """

    file: str
    platforms: str = ""
    pin: str = ""
    kinds: str = ""


class _Lock(NamedTuple):
    releases: tuple[LockedRelease, ...] = ()
    targets: tuple[Target, ...] = ()
    packages: tuple[LockedPackage, ...] = ()
    keys: tuple[LockedKey, ...] = ()
    images: tuple[LockedImage, ...] = ()
    settings: tuple[LockedSettings, ...] = ()


class Lock(_Lock):
    """The whole file as values. What is looked up in it is indexed once: a lock may have ten thousand targets."""

    @cached_property
    def _by_key(self) -> dict[tuple[str, str, str], Target]:
        return {target.key: target for target in reversed(self.targets)}

    @cached_property
    def _by_file(self) -> dict[str, tuple[Target, ...]]:
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.file, []).append(target)
        return {file: tuple(targets) for file, targets in found.items()}

    @cached_property
    def by_id(self) -> Mapping[str, LockedPackage]:
        """The packages by their ids."""
        return {package.id: package for package in self.packages}

    @cached_property
    def _settings(self) -> dict[str, LockedSettings]:
        return {each.file: each for each in self.settings}

    def files(self) -> frozenset[str]:
        """The files that have a target here."""
        return frozenset(self._by_file)

    def of(self, file: str) -> tuple[Target, ...]:
        """The targets of a file."""
        return self._by_file.get(file, ())

    def target(self, key: tuple[str, str, str]) -> Target | None:
        """The target of a file, stage and platform."""
        return self._by_key.get(key)

    def chain(self, target: Target) -> tuple[Target, ...]:
        """The target and those of the stages it is built on, the nearest first."""
        found = {target.key: target}
        at: Target | None = target
        while at is not None and at.parent:
            at = self.target((target.file, at.parent, target.platform))
            if at is None or at.key in found:
                break
            found[at.key] = at
        return tuple(found.values())

    def settings_of(self, file: str) -> LockedSettings:
        """What is remembered for a file."""
        return self._settings.get(file) or self._settings.get("") or LockedSettings("")

    def remember(self, files: Iterable[str], said: LockedSettings) -> Lock:
        """This lock with what the command line said when `files` were locked; what it did not say stays.

        It stands once where it is the same for all files.
        """
        common = self.settings_of("")
        kinds = said.kinds or common.kinds
        own = {file: self.settings_of(file)[1:3] for file in self.files()}
        for file in files:
            platforms, pin = self.settings_of(file)[1:3]
            own[file] = said.platforms or platforms, said.pin or pin
        shared = {*own.values()}
        general = shared.pop() if len(shared) == 1 else common[1:3]
        rows = [LockedSettings("", *general, kinds)]
        rows += (LockedSettings(file, *values) for file, values in own.items() if values != general)
        return self._replace(settings=tuple(row for row in sorted(rows) if row.file or any(row)))

    def replace(self, new: Lock, files: Iterable[str]) -> Lock:
        """This lock with everything about `files` taken from `new`; what nothing refers to any more is dropped.

        If that changes no target, this lock stays as it is: its releases say what it was made from.
        """
        gone = frozenset(files)
        kept = tuple(target for target in self.targets if target.file not in gone)
        own = {target.key: target for target in self.targets}
        if (
            len(kept) + len(new.targets) == len(own)
            and all(target.is_like(own.get(target.key)) for target in new.targets)
            and set(new.packages) <= set(self.packages)
            and set(new.keys) <= set(self.keys)
            and {image.digest for image in new.images} <= {image.digest for image in self.images}
        ):
            return self
        targets = kept + new.targets
        used = {member.id for target in targets for member in target.closure.members}
        members = {member.id for target in kept for member in target.closure.members}
        packages = {**self.by_id, **new.by_id}
        for each in members & self.by_id.keys() & new.by_id.keys():
            old = self.by_id[each]
            if old._replace(suite="") == packages[each]._replace(suite=""):
                packages[each] = old  # of two suites that have the same file, the first stays
        uris = {packages[each].uri for each in members if each in packages}
        releases = {each.key: each for each in self.releases if each.uri in uris}
        releases |= {each.key: each for each in new.releases}
        addresses = {each.uri for each in releases.values()}
        keys = {(key.uri, key.origin): key for key in (*self.keys, *new.keys) if key.uri in addresses}
        digests = {target.closure.digest for target in targets}
        images = {image.digest: image for image in (*self.images, *new.images) if image.digest in digests}
        return Lock(
            tuple(releases.values()),
            targets,
            tuple(package for each, package in packages.items() if each in used),
            tuple(keys.values()),
            tuple(images.values()),
            self.settings,
        )


def short(digest: str) -> str:
    """How the lines about an image name it."""
    return digest.rpartition(":")[2][:16]
