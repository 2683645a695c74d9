"""Which known vulnerabilities the locked packages have, and which of them a waiting version would fix.

Both distributions track source packages, so the versions that are compared are those of the sources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cmp_to_key

from pinner.apt.version import compare, source_version
from pinner.distributions.advisories import KnownVulnerabilities, Vulnerability
from pinner.distributions.catalogue import PLATFORMS, suite_named
from pinner.lock.schema import Lock, LockedPackage
from pinner.stages.archives import Archives
from pinner.stages.image_names import Named
from pinner.values import NamedTuple
from pinner.workflow.export import is_own
from pinner.workflow.verified import LockedVersion

_OLDEST_FIRST = cmp_to_key(compare)
#: Distributions whose vulnerabilities are read.
TRACKED = ("debian", "ubuntu")


class Exposed(NamedTuple):
    """A source package of a release, locked in `version` by the binary `packages` of `files`, or there in their base
    `image` (its reference, "" for what is locked).

    `waiting` is the version of the source that apt would take now, "" if it is the locked one; it fixes `fixed`.
    `open` are those that are left even then. One without a source tells that nothing is known of the release.
    """

    release: str
    source: str
    version: str
    packages: tuple[str, ...]
    files: tuple[str, ...]
    waiting: str = ""
    fixed: tuple[Vulnerability, ...] = ()
    open: tuple[Vulnerability, ...] = ()
    image: str = ""


class _Binary(NamedTuple):
    """A binary package of a locked stage, or of its base `image`."""

    image: str
    where: Named
    name: str
    source: str
    version: str
    files: tuple[str, ...]
    architectures: tuple[str, ...]


class VulnerabilityFix(NamedTuple):
    """A source package that moved from one version to another, and the vulnerabilities that this ends."""

    distribution: str
    source: str
    old: str
    new: str
    fixed: tuple[Vulnerability, ...]


def releases(suites: Iterable[str]) -> dict[str, dict[str, str]]:
    """The releases of suites (codenames), each with its number, by the tracked distribution that they are of."""
    found: dict[str, dict[str, str]] = {}
    for name in suites:
        known = suite_named(name)
        if known is not None and known[0].name in TRACKED:
            found.setdefault(known[0].name, {})[name] = known[1].version
    return found


def exposed(
    locked: Sequence[LockedVersion], lock: Lock, archives: Archives, known: KnownVulnerabilities
) -> Iterator[Exposed]:
    """The sources of locked packages, and of what is left of their base images, that have vulnerabilities, and the
    releases of which nothing is known; sorted. `locked` is what the lock has for the files in question."""
    unknown: dict[str, dict[str, None]] = {}
    groups: dict[tuple[str, str, str, str], list[_Binary]] = {}
    for each in (*_locked(locked), *_of_images(locked, lock)):
        release = each.where.suite.codename
        if known.get(release):
            groups.setdefault((each.image, release, each.source, each.version), []).append(each)
        else:
            unknown.setdefault(release, {}).update(dict.fromkeys(each.files))
    for release, files in unknown.items():
        yield Exposed(release, "", "", (), tuple(files))
    for (image, release, source, version), group in sorted(groups.items()):
        own = [each for each in known[release].get(source, ()) if _has(version, each)]
        if not own:
            continue
        names = tuple(dict.fromkeys(each.name for each in group))
        paths = tuple(dict.fromkeys(path for each in group for path in each.files))
        now = [found for each in group for found in _waiting(each, archives)]
        waiting = min(now, key=_OLDEST_FIRST, default="")
        waiting = waiting if waiting and compare(waiting, version) > 0 else ""
        fixed = tuple(each for each in own if waiting and not _has(waiting, each))
        left = tuple(each for each in own if each not in fixed)
        yield Exposed(release, source, version, names, paths, waiting, _sorted(fixed), _sorted(left), image)


def _locked(locked: Iterable[LockedVersion]) -> Iterator[_Binary]:
    for each in locked:
        package = next(iter(each.packages.values()))
        if each.where.distribution.name in TRACKED and is_own(package, each.where.suite.codename):
            pairs = each.packages.items()
            archs = (PLATFORMS[platform] if one.arch == "all" else one.arch for platform, one in pairs)
            yield _Binary("", each.where, each.name, *_source(package), each.files, tuple(archs))


def _of_images(locked: Iterable[LockedVersion], lock: Lock) -> Iterator[_Binary]:
    """What the base images hold, but for what the stages on them replace or remove."""
    wheres = {(path, each.where.suite.codename): each.where for each in locked for path in each.files}
    images = {image.digest: image for image in lock.images}
    for target in lock.targets:
        chain, arch = lock.chain(target), PLATFORMS[target.platform]
        first = chain[-1].closure
        where, image = wheres.get((target.file, first.suite)), images.get(first.digest)
        if image is None or where is None or where.distribution.name not in TRACKED:
            continue
        others = {member.name for each in chain for member in each.closure.members}
        others |= {one.name for each in chain for one in each.closure.gone if not one.maybe}
        for package in image.packages:
            if package.name not in others:
                source = package.source or package.name
                version = package.source_version or source_version(package.version)
                yield _Binary(first.image, where, package.name, source, version, (target.file,), (arch,))


def fixes(old: Lock, new: Lock, known: KnownVulnerabilities) -> tuple[VulnerabilityFix, ...]:
    """What the moves from one lock to another end, by source package, for targets that both have."""
    before = {target.key: target for target in old.targets}
    packages = {each.id: each for each in (*old.packages, *new.packages)}
    found: dict[tuple[str, str, str, str], tuple[Vulnerability, ...]] = {}
    for target in new.targets:
        was = before.get(target.key)
        suite = suite_named(target.closure.suite)
        if was is None or suite is None or was.closure.suite != target.closure.suite:
            continue
        versions = {
            (package.name, package.arch): package
            for member in was.closure.members
            if (package := packages.get(member.id)) is not None
        }
        for member in target.closure.members:
            now = packages.get(member.id)
            then = versions.get((now.name, now.arch)) if now is not None else None
            if now is None or then is None or now.id == then.id or _source(now)[0] != _source(then)[0]:
                continue
            source, version = _source(now)
            key = (suite[0].name, source, _source(then)[1], version)
            if key not in found and is_own(now, target.closure.suite):
                issues = known.get(target.closure.suite, {}).get(source, ())
                found[key] = _sorted(
                    [each for each in issues if _has(key[2], each) and not _has(version, each)]
                )
    return tuple(VulnerabilityFix(*key, fixed) for key, fixed in sorted(found.items()) if fixed)


def counts(one: Vulnerability, levels: Collection[str], *, fixed: bool) -> bool:
    """Whether it is as severe as one of `levels` (of `advisories.LEVELS`).

    Nobody knows how severe one is that is not rated: it counts where it could be fixed (`fixed`).
    """
    from pinner.distributions.advisories import LEVELS

    rank = max((LEVELS.index(level) for level in levels), default=-1)
    return rank >= 0 and (fixed if one.level is None else one.level <= rank)


def _source(package: LockedPackage) -> tuple[str, str]:
    return package.source or package.name, package.source_version or source_version(package.version)


def _has(version: str, one: Vulnerability) -> bool:
    return not one.fixed or compare(version, one.fixed) < 0


def _waiting(one: _Binary, archives: Archives) -> Iterator[str]:
    """The versions of the source that apt would take, on each platform."""
    for arch in one.architectures:
        if archives.has(one.where, arch):
            candidate = archives.universe(one.where, arch, "").candidate(one.name)
            if candidate is not None:
                found = candidate.package
                yield found.source_version or source_version(found.version)


def _sorted(found: Collection[Vulnerability]) -> tuple[Vulnerability, ...]:
    """The most severe first; what is not rated stands between medium and low."""
    return tuple(sorted(found, key=lambda one: (2.5 if one.level is None else one.level, one.id)))
