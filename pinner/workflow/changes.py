"""What a refresh changed, by package: which version became which, why, and which dependencies did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pinner.apt.version import compare, source_version
from pinner.edit.span import Place
from pinner.lock.schema import Lock
from pinner.regex import later
from pinner.resolve.universe import Offer
from pinner.values import NamedTuple
from pinner.workflow.moves import VersionMove
from pinner.workflow.standing import is_security

#: How Debian's stable updates (Developer's Reference 5.11.2) and Ubuntu's uploads mark a version without a revision.
_UPDATE = later(r"(?:[+~]deb[0-9]+u[0-9]+|(?:ubuntu|build)[0-9.]+)(?:\+b[0-9]+)?$")

ChangeKind = Literal["added", "rebuild", "revision", "upstream", "downgrade"]


class Change(NamedTuple):
    """A package that moved from one version to another, wherever it stands.

    `kind`: `added`, it had no pin; `rebuild`, the same source compiled anew (a binNMU); `revision`, the same upstream
    version with other patches, as in an update of a stable release; `upstream`, another upstream version; `downgrade`.
    `gone` tells that the old version could not be had any more. `offer` is the new one, of the first platform; `images`
    are the base images of its stages.
    """

    name: str
    old: str
    new: str
    pocket: str
    security: bool
    gone: bool
    kind: ChangeKind
    places: tuple[Place, ...]
    offer: Offer
    images: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two changes of a run have in common."""
        return self.name, self.old, self.new


class DependencyChange(NamedTuple):
    """A package that came with others: `old` is "" if it is new in the lock, `new` if it is not there any more.

    `security` tells that the new one comes from a security pocket.
    """

    name: str
    old: str
    new: str
    platforms: tuple[str, ...]
    security: bool = False


class Based(NamedTuple):
    """A base image that is another one than before, by its name. `old` and `new` are its digests in FROM, "" if it has
    none; the suites are those before and after."""

    image: str
    old: str
    new: str
    old_suite: str
    new_suite: str


def based(old: Lock, new: Lock, moved: Mapping[str, tuple[str, str]]) -> tuple[Based, ...]:
    """The images of targets that are other ones in another lock, and those whose digests have `moved` in FROM."""
    before = {target.key: target for target in old.targets}
    suites: dict[str, tuple[str, str]] = {}
    for target in new.targets:
        known = before.get(target.key)
        if known is None or not target.closure.digest:
            continue
        was, now = known.closure, target.closure
        name = now.image.partition("@")[0]
        if was.digest not in ("", now.digest) and was.image.partition("@")[0] == name:
            suites[name] = was.suite, now.suite
    return tuple(
        Based(name, *moved.get(name, ("", "")), *suites.get(name, ("", "")))
        for name in dict.fromkeys((*moved, *suites))
    )


def kind_of(old: str, new: str) -> ChangeKind:
    """What kind of change leads from `old` to `new` (Debian Policy 5.6.12)."""
    old = old.rstrip("*")
    if not old:
        return "added"
    if compare(new.rstrip("*"), old) < 0:
        return "downgrade"
    before, after = source_version(old), source_version(new.rstrip("*"))
    if before == after:
        return "rebuild"
    return "revision" if _upstream(before) == _upstream(after) else "upstream"


def _upstream(version: str) -> str:
    """What its authors released. A native version has no revision; its stable updates show by a suffix."""
    return version.rpartition("-")[0] or _UPDATE.sub("", version)


def changes_of(moves: Iterable[VersionMove]) -> tuple[Change, ...]:
    """The moves by package, sorted by name; what matters most of several places holds for all."""
    groups: dict[tuple[str, str, str], list[VersionMove]] = {}
    for move in moves:
        groups.setdefault((move.name, move.old, move.new), []).append(move)
    found = []
    for (name, old, new), group in sorted(groups.items()):
        standings = [each for move in group for each in move.standings.values()]
        offer = next(iter(group[0].offers.values()))
        found.append(
            Change(
                name,
                old,
                new,
                offer.index.source.suite if offer.index is not None else "",
                any(each.security for each in standings),
                any(each.state == "gone" for each in standings),
                kind_of(old, new),
                tuple(move.place for move in group),
                offer,
                tuple(dict.fromkeys(move.image for move in group if move.image)),
            )
        )
    return tuple(found)


def dependencies(old: Lock, new: Lock, files: Iterable[str]) -> tuple[DependencyChange, ...]:
    """The dependencies in these files' targets that changed, sorted by name."""
    if old.targets is new.targets:
        return ()
    wanted = frozenset(files)
    before, after = _brought(old, wanted), _brought(new, wanted)
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for key in sorted({*before, *after}):
        name, platform = key[0], key[3]
        was, now = before.get(key, ""), after.get(key, "")
        if was != now:
            found.setdefault((name, was, now), {})[platform] = None
    urgent = {(each.name, each.version) for each in new.packages if is_security(each.suite)}
    return tuple(
        DependencyChange(name, was, now, tuple(platforms), (name, now) in urgent)
        for (name, was, now), platforms in found.items()
    )


def older(old: Lock, new: Lock) -> Mapping[str, list[tuple[str, str, str]]]:
    """What files bring in, older than before, by file: name, version before and now. A stage that has another suite
    than it had is passed over, and that stage alone."""
    pairs = [(old.target(each.key), each) for each in new.targets]
    same = tuple(
        now for was, now in pairs if was and was is not now and was.closure.suite == now.closure.suite
    )
    if not same:
        return {}
    before = _brought(old, frozenset(each.file for each in same))
    found: dict[str, dict[tuple[str, str, str], None]] = {}
    for key, now in _brought(new._replace(targets=same), new.files()).items():
        was = before.get(key)
        if was and was != now and kind_of(was, now) == "downgrade":
            found.setdefault(key[1], {})[key[0], was, now] = None
    return {path: sorted(rows) for path, rows in found.items()}


def _brought(lock: Lock, files: frozenset[str]) -> Mapping[tuple[str, str, str, str], str]:
    """The version by name, file, stage and platform."""
    packages = lock.by_id
    return {
        (package.name, *target.key): package.version
        for target in lock.targets
        if target.file in files
        for locked in target.closure.members
        if not locked.argument and (package := packages.get(locked.id))
    }
