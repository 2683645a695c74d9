"""From the lock to what apt reads: a preferences file, or an index of the locked packages alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from pinner.apt.digest import algorithm, label
from pinner.apt.packages import Package
from pinner.apt.sources import Source
from pinner.apt.sources_list import SourceEntry
from pinner.distributions.catalogue import PLATFORMS, suite_named
from pinner.distributions.moments import Moment, archive_of, split
from pinner.distributions.suite import Pocket, Suite
from pinner.errors import FetchError, InputError, OptionError, TrustError
from pinner.lock.schema import LocalPackage, Lock, LockedPackage, Target
from pinner.regex import later
from pinner.resolve.universe import Index
from pinner.stages.image_names import Named
from pinner.stages.repositories import Repository, VouchedRepository, addresses, default
from pinner.stages.sources import at_moment
from pinner.stages.starting_set import key
from pinner.values import NamedTuple

#: From 1000 on apt takes a version even if that means a downgrade (apt_preferences(5)).
PRIORITY = 1000
# A package argument with its version.
_PINNED = later(r"(?<!\S)([a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?)=([\w.+:~-]+)(?!\S)")
_CHOOSE = "choose among the targets with --file, --stage and --platform"


def named(target: Target) -> str:
    """A target as people know it."""
    return f"{target.file}, stage {target.stage}, {target.platform}"


def select(
    lock: Lock, files: Iterable[str] = (), stages: Iterable[str] = (), platforms: Iterable[str] = ()
) -> tuple[Target, ...]:
    """The targets of these files, stages and platforms; no names mean all.

    Raises `InputError` for a name that no target has, for a choice that leaves nothing, and as `whole` does.
    """
    found = lock.targets
    if not found:
        raise InputError("the lock holds no target", hint="run `pinner lock`")
    for what, names in (("file", files), ("stage", stages), ("platform", platforms)):
        there, wanted = {getattr(target, what) for target in found}, frozenset(names)
        for name in sorted(wanted - there):
            hint = f"it has {', '.join(sorted(there))}"
            raise OptionError(f"the lock has no target for the {what} {name}", hint=hint)
        found = tuple(target for target in found if not wanted or getattr(target, what) in wanted)
    for target in found:
        whole(lock, target)
    return found


def whole(lock: Lock, target: Target) -> None:
    """Raises `InputError` where the lines about a target, or a stage that it is built on, do not fit together."""
    for each in lock.chain(target):
        if each.conflict:
            raise InputError(
                f"{named(each)}: {each.conflict}", hint="run `pinner lock`, which locks it again"
            )


class Left(NamedTuple):
    """What is in a stage at its end. By name: the `packages` that were installed, its own and those of the stages
    below, and what is `gone` of the starting set. Of `maybe` it is not known whether they are there. `files` are the
    versions of packages of the build context."""

    packages: Mapping[str, LockedPackage]
    gone: frozenset[str]
    maybe: frozenset[str]
    files: Mapping[str, str] = {}


def left(lock: Lock, target: Target) -> Left:
    """What is in a stage at its end. Raises `InputError` where the lock does not know that."""
    closure(lock, target)
    packages, arch = lock.by_id, PLATFORMS[target.platform]
    found: dict[str, LockedPackage] = {}
    gone: dict[str, bool] = {}
    files: dict[str, str] = {}
    for each in reversed(lock.chain(target)):
        for one in each.closure.gone:
            gone[one.name] = one.maybe
            if not one.maybe:
                found.pop(one.name, None)
                files.pop(one.name, None)
        files |= {one.name: one.version for one in each.closure.files if one.role != "removed"}
        for local in each.closure.files:
            gone.pop(local.name, None)
            if local.role == "maybe":
                gone[local.name] = True
        for member in each.closure.members:
            package = packages[member.id]
            name = key(package.name, package.arch, arch)
            if member.role != "removed":
                found[name] = package
                if name not in {one.name for one in each.closure.gone}:
                    gone.pop(name, None)
                if member.role == "maybe":
                    gone[name] = True
    maybe = frozenset(name for name, unsure in gone.items() if unsure)
    return Left(found, frozenset(gone) - maybe - found.keys(), maybe, files)


def files(lock: Lock, targets: Iterable[Target]) -> tuple[LocalPackage, ...]:
    """The packages of the build context that targets, and the stages that they are built on, install."""
    chains = (each for target in targets for each in lock.chain(target))
    return tuple({each.path: each for one in chains for each in one.closure.files}.values())


def gaps(lock: Lock, targets: Iterable[Target]) -> tuple[str, ...]:
    """What of targets, and the stages that they are built on, is not in the lock: one line for each place."""
    chains = (each for target in targets for each in lock.chain(target))
    return lines((each, f"{gap.place}: {gap.reason}") for each in chains for gap in each.closure.incomplete)


def lines(said: Iterable[tuple[Target, str]]) -> tuple[str, ...]:
    """What is said of targets; what is the same on several platforms is one line."""
    groups: dict[tuple[str, str, str], dict[str, None]] = {}
    for target, text in said:
        groups.setdefault((target.file, target.stage, text), {})[target.platform] = None
    return tuple(
        f"{file}, stage {stage}, {', '.join(platforms)}: {text}"
        for (file, stage, text), platforms in groups.items()
    )


def closure(lock: Lock, target: Target) -> dict[str, LockedPackage]:
    """All that the commands of a stage, and of those below it, install, by name: also what is removed again.

    Raises `InputError` where the lock does not know that.
    """
    packages, arch = lock.by_id, PLATFORMS[target.platform]
    found: dict[str, LockedPackage] = {}
    for each in reversed(lock.chain(target)):
        if each.problem:
            raise InputError(
                f"{named(each)}: the lock does not know all that is installed: {each.problem}",
                hint=f"solve that and run `pinner lock`, or {_CHOOSE}",
            )
        own = (packages[member.id] for member in each.closure.members)
        found |= {key(package.name, package.arch, arch): package for package in own}
    return found


def packages(lock: Lock, targets: Sequence[Target]) -> tuple[LockedPackage, ...]:
    """The packages of several targets, each once, sorted by name, version and architecture."""
    found = {package.id: package for target in targets for package in closure(lock, target).values()}
    return tuple(sorted(found.values(), key=lambda package: (package.name, package.version, package.arch)))


def preferences(lock: Lock, targets: Sequence[Target]) -> str:
    """A file for /etc/apt/preferences.d that makes apt take the locked versions (apt_preferences(5)).

    What is asked for counts also where the base image holds it: else a newer one would be installed. A name without
    architecture means the native one; with it where the platforms' versions differ. Raises `InputError` where two
    targets of one platform want two versions of a name, since apt reads the file for every stage alike.
    """
    wanted: dict[str, dict[str, tuple[str, Target]]] = {}
    for target in targets:
        arch = PLATFORMS[target.platform]
        commands = " ".join(line for each in reversed(lock.chain(target)) for line in each.closure.commands)
        own = dict(_PINNED.findall(commands))
        own |= {name: package.version for name, package in closure(lock, target).items()}
        for name, version in own.items():
            first, other = wanted.setdefault(name, {}).setdefault(arch, (version, target))
            if first != version:
                raise InputError(
                    f"{name} is {first} in {named(other)}, and {version} in {named(target)}", hint=_CHOOSE
                )
    out = ["# Made by `pinner export preferences` from pinner.lock.\n"]
    for name, by_arch in sorted(wanted.items()):
        versions = {arch: version for arch, (version, _) in sorted(by_arch.items())}
        if len(set(versions.values())) == 1 or ":" in name:
            out.append(_stanza(name, next(iter(versions.values()))))
        else:
            out += (_stanza(f"{name}:{arch}", version) for arch, version in versions.items())
    return "\n".join(out)


def _stanza(package: str, version: str) -> str:
    return f"Package: {package}\nPin: version {version}\nPin-Priority: {PRIORITY}\n"


def sources(
    lock: Lock, targets: Sequence[Target], known: Sequence[VouchedRepository] = ()
) -> dict[Source, tuple[LockedPackage, ...]]:
    """The indices that the targets' packages were locked from, and what is wanted of each; `known` are repositories
    beyond the distribution's.

    Raises `InputError` for an address that no distribution has.
    """
    found: dict[Source, dict[str, LockedPackage]] = {}
    for target in targets:
        for package in closure(lock, target).values():
            found.setdefault(source_of(package, target, lock, known), {})[package.id] = package
    return {source: tuple(wanted.values()) for source, wanted in found.items()}


def source_of(
    package: LockedPackage, target: Target, lock: Lock, known: Sequence[VouchedRepository]
) -> Source:
    """The source that the lock names, with the keys that its distribution, or who vouches for it, signs by."""
    arch = PLATFORMS[target.platform] if package.arch == "all" else package.arch
    own = [each for each in lock.releases if (each.uri, each.suite) == (package.uri, package.suite)]
    components = tuple(dict.fromkeys(each.component for each in own if each.component))
    kept = split(package.uri)
    moment = Moment((kept,)) if kept else None
    for suite, pocket in _pockets(target.closure.suite):
        usual = pocket.address(arch)
        served = archive_of(usual) == kept[0] if kept else _is_address(package.uri, target.closure.suite)
        if pocket.suite != package.suite or not suite.signed_by.keyring or not served:
            continue
        live = Source(
            usual if kept else package.uri,
            pocket.suite,
            components,
            arch,
            suite.signed_by,
            check_valid_until=not suite.laid_up,
            stand_ins=pocket.others(arch) if package.uri == usual else (),
        )
        source = at_moment(live, moment)
        if source is not None and source.uri == package.uri:
            return source
    entry = SourceEntry(package.uri, package.suite, components)
    for each in known:
        if each.covers(entry):
            return Source(package.uri, package.suite, components, arch, each.keys)
    raise InputError(
        f"{named(target)}: {package.id} was locked from {package.uri} {package.suite}, which is no part of "
        f"{target.closure.suite} as pinner knows it, and its key is not known",
        hint="name its key under [[source]] in pinner.toml, run `pinner lock` again, or use a newer pinner",
    )


def is_own(package: LockedPackage, codename: str) -> bool:
    """Whether a package was locked from the archive, or a snapshot, of the distribution that has this suite."""
    return split(package.uri) is not None or _is_address(package.uri, codename)


def _is_address(uri: str, codename: str) -> bool:
    found = suite_named(codename)
    return found is not None and uri in addresses(found[0])


def as_locked(lock: Lock, targets: Sequence[Target], at: Moment | None = None) -> Named:
    """The suite of targets as a lock's sources say that it was read, at a moment.

    Raises `InputError` where that are several suites, or one that is not known.
    """
    (codename, *others) = dict.fromkeys(target.closure.suite for target in targets)
    found = suite_named(codename)
    if others or found is None:
        raise InputError("the lock has several suites", hint="choose a --file or --stage")
    packages = lock.by_id
    used = {packages[each.id].suite for target in targets for each in target.closure.members}
    listed: list[Repository] = []
    usual: list[Repository] = []
    for arch in dict.fromkeys(PLATFORMS[target.platform] for target in targets):
        usual += default(found[1], found[0], arch)
        for suite, pocket in _pockets(codename):
            read = (each.component for each in lock.releases if each.suite == pocket.suite)
            components = tuple(dict.fromkeys(filter(None, read)))
            if components and (pocket in found[1].pockets or pocket.suite in used):
                uri, check = pocket.address(arch), not suite.laid_up
                entry = SourceEntry(uri, pocket.suite, components, (arch,), check_valid_until=check)
                listed.append(Repository(entry, suite.signed_by))
    same = {each.entry for each in listed} == {each.entry for each in usual}
    return Named(*found, listed=None if same else tuple(listed), at=at)


def _pockets(codename: str) -> Iterator[tuple[Suite, Pocket]]:
    """The pockets of a suite's distribution, the suite's own first: an image may list others beside them."""
    found = suite_named(codename)
    if found:
        distribution, own = found
        for suite in (own, *distribution.suites):
            for pocket in suite.every_pocket:
                yield suite, pocket


def index(wanted: Mapping[Source, Sequence[LockedPackage]], indexes: Sequence[Index]) -> str:
    """A Packages file of what is wanted, each package once, sorted; the stanzas are those of the indices.

    Raises `FetchError` for a package that its index does not have any more, `TrustError` for one that it has with
    another content.
    """
    stanzas: dict[tuple[str, str, str], str] = {}
    for source, packages in wanted.items():
        own = [index for index in indexes if index.source == source]
        for package in packages:
            key = (package.name, package.version, package.arch)
            if key not in stanzas:
                stanzas[key] = stanza(described(package, own))
    return "\n".join(stanzas[key] for key in sorted(stanzas))


def described(wanted: LockedPackage, indexes: Sequence[Index]) -> Package:
    """The package as its index describes it. Raises as `index` does."""
    same = [
        package
        for index in indexes
        for package in index.packages(wanted.name)
        if (package.version, package.architecture) == (wanted.version, wanted.arch)
    ]
    for package in same:
        if (package.digest, package.size) == (wanted.digest, wanted.size):
            return package._replace(filename=wanted.filename)
    where = f"{wanted.uri} {wanted.suite}"
    if same:
        raise TrustError(
            f"{wanted.id}: the lock has {label(wanted.digest)} {wanted.digest} of {wanted.size} bytes, {where} has "
            f"{same[0].digest} of {same[0].size}",
            hint="one version must not have two different files: find out why before you lock again",
        )
    raise FetchError(
        f"{wanted.id} is not in {where} any more",
        url=f"{wanted.uri}/dists/{wanted.suite}",
        hint="move the lock on with `pinner refresh`, or lock a snapshot",
    )


def stanza(package: Package) -> str:
    """What apt needs to know of a package to resolve, fetch and verify it (Debian Policy 5.3)."""
    source = package.source
    if package.source_version != package.version:
        source += f" ({package.source_version})"
    important = "yes" if package.important else ""
    source = source if source != package.name else ""
    fields = (
        ("Package", package.name),
        ("Source", source),
        ("Version", package.version),
        ("Essential", "yes" if package.essential else ""),
        ("Important", important),
        ("Protected", important),
        ("Installed-Size", package.installed_size),
        ("Architecture", package.architecture),
        ("Replaces", package.replaces),
        ("Provides", package.provides),
        ("Pre-Depends", package.pre_depends),
        ("Depends", package.depends),
        ("Recommends", package.recommends),
        ("Suggests", package.suggests),
        ("Conflicts", package.conflicts),
        ("Breaks", package.breaks),
        ("Multi-Arch", package.multi_arch if package.multi_arch != "no" else ""),
        ("Priority", package.priority),
        ("Filename", package.filename),
        ("Size", str(package.size)),
        (algorithm(package.digest).upper(), package.digest),
    )
    return "".join(f"{name}: {value}\n" for name, value in fields if value)


def release(lock: Lock, targets: Sequence[Target], packages: str) -> str:
    """The Release of a flat repository (its sources line ends in `./`) with this Packages file; it is not signed.

    Its date is the youngest of the locked sources: the same lock gives the same text.
    """
    date = max((each.date for each in lock.releases), default="1970-01-01T00:00:00Z")
    native = {PLATFORMS[target.platform] for target in targets}
    archs = sorted(native | set(re.findall(r"^Architecture: (\S+)$", packages, re.MULTILINE)) - {"all"})
    content = packages.encode()
    return (
        "Origin: pinner\nLabel: pinner\nSuite: locked\nCodename: locked\n"
        f"Date: {date_of(datetime.fromisoformat(date))}\nArchitectures: {' '.join(archs)}\n"
        f"Description: what a pinner.lock holds\nSHA256:\n {sha256(content).hexdigest()} {len(content)} Packages\n"
    )


def date_of(date: datetime) -> str:
    """A Date as a Release has it."""
    from email.utils import format_datetime

    return format_datetime(date, usegmt=False).replace("+0000", "UTC")
