"""What apt reads packages from beyond a distribution's own pockets: what an image's or a file's sources say.

The distribution's own archive is recognised by its suites and its official addresses; a mirror goes by the address
that it mirrors, which the lock states. Any other repository is read only if its keys are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pinner.apt import preferences, sources_list
from pinner.apt.preferences import Preference
from pinner.apt.sources import Keys, Source, without_login
from pinner.apt.sources_list import Entry
from pinner.distributions import repositories
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.mirrors import is_own_host, official
from pinner.distributions.repositories import ANYTHING
from pinner.distributions.suite import Distribution, Pocket, Suite
from pinner.errors import InputError

if TYPE_CHECKING:
    from pinner.recipe.sourcefiles import Change
    from pinner.workflow.images import Named

# The names that apt reads: without an extension, or with .pref.
_NAMED_PREFERENCES = r"/etc/apt/preferences(?:\.d/[\w-]+(?:[\w.-]*\.pref)?)?"
_RECOMMENDS = r"(?im)^\s*APT::Install-Recommends\s*\"?(\w+)"
_FALSE = frozenset({"0", "no", "false", "without", "off", "disable"})
_OWN_KEYS = r"(?:/\S+/(?:debian|ubuntu)-archive-keyring\.(?:gpg|pgp))?"


class Repository(NamedTuple):
    """A source for some architectures (none named: all), and who may sign it; `path` is the file that names it.
    `stand_ins` are as those of `Source`."""

    entry: Entry
    keys: Keys
    path: str = ""
    stand_ins: tuple[str, ...] = ()

    def source(self, arch: str) -> Source | None:
        """The source for an architecture; None if it is not read for that."""
        if not self.entry.serves(arch):
            return None
        uri, suite = (text.replace("$(ARCH)", arch) for text in (self.entry.uri, self.entry.suite))
        check = self.entry.check_valid_until is not False
        return Source(uri, suite, self.entry.components, arch, self.keys, check, stand_ins=self.stand_ins)


class UnreadRepository(InputError):
    """A repository that is not read; only names that the globs `serves` mean may come from it."""

    def __init__(self, message: str, serves: tuple[str, ...]) -> None:
        super().__init__(message)
        self.serves = serves


class Known(NamedTuple):
    """A repository that the caller vouches for: `suite` is "" for every suite below `uri`."""

    uri: str
    suite: str
    keys: Keys

    def covers(self, entry: Entry) -> bool:
        """Whether the entry is of this repository; http and https are the same place."""
        return _place(self.uri) == _place(entry.uri) and self.suite in ("", entry.suite)


#: The keys that may sign an entry, or a clause about what to do so that they may, "" if nothing is known of them.
Vouch = Callable[[Entry], "Keys | str"]


def _place(uri: str) -> str:
    return uri.rstrip("/").partition("://")[2]


def pocket_of(entry: Entry, suite: Suite, distribution: Distribution) -> Pocket | None:
    """The distribution's own pocket that an entry of an official address names: of this suite or, by `-t` or a
    variant, beside it. Others use a distribution's path and suites for packages of their own."""
    if (
        entry.uri not in addresses(distribution)
        or not re.fullmatch(_OWN_KEYS, entry.signed_by)
        or entry.trusted
        or not set(entry.components) <= distribution.every_component
    ):
        return None
    others = [each for each in distribution.suites if each is not suite]
    pockets = [
        *suite.pockets,
        *suite.variants.values(),
        *(pocket for each in others for pocket in each.pockets),
    ]
    return next((pocket for pocket in pockets if pocket.suite == entry.suite), None)


@lru_cache(maxsize=8)
def addresses(distribution: Distribution) -> frozenset[str]:
    """Where a distribution's own archives are served."""
    pockets = [each for suite in distribution.suites for each in (*suite.pockets, *suite.variants.values())]
    return frozenset(address for each in pockets for address in (each.uri, each.ports, *each.stand_ins))


def recognised(
    entry: Entry,
    suite: Suite,
    distribution: Distribution,
    known: Sequence[Known],
    archs: Sequence[str],
    vouch: Vouch = lambda entry: "",
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Repository, ...]:
    """The entry as a repository that can be read, one for each of `archs` that it is for.

    The host that it names is the one that is asked, whatever the architecture, by its official name if it is a mirror;
    a suite that was laid up is asked for where it lies now. Raises `InputError` for one that nobody vouches for, or
    that is not signed.
    """
    entry = entry._replace(uri=official(entry.uri, mirrors))
    archs = [arch for arch in archs if entry.serves(arch)]
    pocket = pocket_of(entry, suite, distribution)
    if pocket is not None and distribution.signed_by.keyring:
        owner = next(
            each for each in distribution.suites if pocket in (*each.pockets, *each.variants.values())
        )
        return tuple(
            Repository(
                Entry(
                    pocket.address(arch) if owner.laid_up else entry.uri,
                    pocket.suite,
                    entry.components,
                    (arch,),
                    check_valid_until=not owner.laid_up,
                ),
                owner.signed_by,
                stand_ins=pocket.others(arch) if owner.laid_up else (),
            )
            for arch in archs
        )
    for each in known:
        if each.covers(entry):
            own = entry._replace(uri=each.uri, signed_by="")
            return tuple(Repository(own._replace(archs=(arch,)), each.keys) for arch in archs)
    keys = vouch(entry)
    row = repositories.find(entry.uri, entry.suite)
    if isinstance(keys, Keys):
        own = entry._replace(signed_by="", uri=row.uri if row else entry.uri)
        return tuple(Repository(own._replace(archs=(arch,)), keys) for arch in archs)
    told = "say who signs it under [[source]] in pinner.toml"
    error = UnreadRepository(
        f"{without_login(entry.uri)} {entry.suite}".rstrip(), row.serves if row else ANYTHING
    )
    error.hint = f"{told}, or {keys}" if keys else told
    raise error


def listed(
    texts: Mapping[str, Sequence[tuple[str, str]]],
    suite: Suite,
    distribution: Distribution,
    known: Sequence[Known],
    vouch: Vouch = lambda entry: "",
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[tuple[Repository, ...] | None, str]:
    """What images' sources files (path and text, by platform) name, and a clause about what cannot be read.

    None if they name just what an image of the suite reads by default, or if there are none.
    """
    found: list[Repository] = []
    usual = bool(suite.signed_by.keyring)
    for platform, files in texts.items():
        arch = PLATFORMS[platform]
        own: list[Repository] = []
        try:
            entries = [(path, entry) for path, text in files for entry in sources_list.read(path, text)]
        except InputError as error:
            return None, f"the image's {error.path} is not read: {error.message}"
        for path, entry in entries:
            try:
                read = recognised(entry, suite, distribution, known, [arch], vouch, mirrors)
            except InputError as error:
                return None, f"the image reads packages from {error.message} too, which pinner does not know"
            own += (each._replace(path=path) for each in read)
        usual = usual and (not entries or _merged(own) == _merged(default(suite, distribution, arch)))
        found += own
    return (None if usual else tuple(_joined(found))), ""


def vouched(
    where: Named,
    archs: Sequence[str],
    known: Sequence[Known],
    vouch: Vouch,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> Named:
    """The suite of a distribution whose keys are not shipped, with those that somebody vouches for.

    Raises `InputError` where nobody does.
    """
    suite, distribution = where.suite, where.distribution
    return where._replace(
        listed=tuple(
            found._replace(path=each.path)
            for arch in archs
            for each in default(suite, distribution, arch, where.variant)
            for found in recognised(each.entry, suite, distribution, known, [arch], vouch, mirrors)
        )
    )


def follow(
    where: Named,
    change: Change,
    known: Sequence[Known],
    archs: Sequence[str],
    vouch: Vouch = lambda entry: "",
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> Named:
    """The suite as apt sees it after a change of its files. Raises `InputError` for what cannot be read."""
    if change.components:
        if not set(change.components) <= where.distribution.every_component:
            raise InputError(f"components that {where.distribution.name} does not have")
        return where._replace(
            listed=tuple(
                each._replace(
                    entry=each.entry._replace(components=_more(each.entry.components, change.components)),
                )
                if pocket_of(each.entry, where.suite, where.distribution)
                else each
                for each in _listed(where, archs)
            ),
        )
    kind = change.path.removeprefix("/etc/apt/")
    if kind.startswith("preferences"):
        return _prefers(where, change)
    if kind.startswith("apt.conf"):
        return _configured(where, change)
    if change.text is None:
        return _without(where, change.path, archs)
    if (
        change.append
        and change.path.endswith(".sources")
        and any(each.path == change.path for each in _listed(where, archs))
    ):
        raise InputError(f"{change.path}, to which something is added")
    entries = sources_list.read(change.path, change.text)
    found = tuple(
        each._replace(path=change.path)
        for entry in entries
        for each in recognised(entry, where.suite, where.distribution, known, archs, vouch, mirrors)
    )
    if not change.append:
        where = _without(where, change.path, archs)
    return where._replace(listed=tuple(_joined((*_listed(where, archs), *found))))


def _listed(where: Named, archs: Sequence[str]) -> tuple[Repository, ...]:
    """The sources of the suite, those of the image's own file if nothing else was told."""
    if where.listed is not None:
        return where.listed
    return tuple(
        each for arch in archs for each in default(where.suite, where.distribution, arch, where.variant)
    )


def _without(where: Named, pattern: str, archs: Sequence[str]) -> Named:
    """The suite without the sources in files that a glob, or the folder that it names, holds."""
    kept = tuple(each for each in _listed(where, archs) if not _is_below(each.path, pattern))
    return where if where.listed is None and kept == _listed(where, archs) else where._replace(listed=kept)


def _prefers(where: Named, change: Change) -> Named:
    """The suite with the preferences that a file holds now. apt reads `preferences` first (apt_preferences(5))."""
    path = change.path
    kept = {old: text for old, text in where.preferences if not _is_below(old, path)}
    if change.text is not None:
        before = dict(where.preferences).get(path, "") if change.append else ""
        kept[path] = before + change.text
    if change.text is None or re.fullmatch(_NAMED_PREFERENCES, path):
        texts = sorted(kept.items(), key=lambda item: (item[0] != "/etc/apt/preferences", item[0]))
        where = where._replace(preferences=tuple(texts))
    for each in preferences_of(where):
        if each.kind == "origin" and (is_own_host(each.data) or re.search(r"[*?\[]", each.data)):
            raise InputError(
                f"a preference for {each.data}, which may be a mirror of the distribution's own archive"
            )
    if where.preferences and where.suite.codename == "jessie":
        raise InputError("preferences, which apt weighs otherwise in jessie")
    return where


def _configured(where: Named, change: Change) -> Named:
    if change.text is None:
        raise InputError(f"{change.path} is removed")
    try:
        release = preferences.default_release(change.text)
    except InputError as error:
        raise InputError(f"{change.path}: {error.message}") from None
    said = re.findall(_RECOMMENDS, change.text)
    recommends = said[-1].lower() not in _FALSE if said else where.recommends
    return where._replace(release=release or where.release, recommends=recommends)


@lru_cache(maxsize=64)
def _read(files: tuple[tuple[str, str], ...]) -> tuple[Preference, ...]:
    return tuple(each for path, text in files for each in preferences.read(path, text))


def preferences_of(where: Named) -> tuple[Preference, ...]:
    """What apt prefers in the suite. Raises `InputError` for what is not followed."""
    return _read(where.preferences) if where.preferences else ()


def _is_below(path: str, pattern: str) -> bool:
    """Whether a path is one of those that a glob names, or lies in the folder that it names."""
    return fnmatchcase(path, pattern) or path.startswith(f"{pattern}/")


def in_order(repositories: Sequence[Repository]) -> list[Repository]:
    """The sources as apt reads them: sources.list, then the files in sources.list.d by their names' bytes."""
    return sorted(repositories, key=lambda each: (each.path != "/etc/apt/sources.list", each.path))


def _more(components: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*components, *others)))


def _file(suite: Suite, distribution: Distribution) -> str:
    """Where an image of the suite has its sources: in a list, or from some release on in deb822(5)."""
    version = suite.version.partition(".")[0]
    if version and int(version) < {"debian": 12, "ubuntu": 24}.get(distribution.name, 0):
        return "/etc/apt/sources.list"
    return f"/etc/apt/sources.list.d/{distribution.name}.sources"


def default(suite: Suite, distribution: Distribution, arch: str, variant: str = "") -> Iterator[Repository]:
    """What an image of the suite reads if nobody has changed it; a variant's pocket is listed first."""
    extra = suite.variants.get(variant)
    for pocket in (*([extra] if extra else []), *suite.pockets):
        entry = Entry(
            pocket.address(arch),
            pocket.suite,
            distribution.components,
            (arch,),
            check_valid_until=not suite.laid_up,
        )
        yield Repository(entry, suite.signed_by, _file(suite, distribution), pocket.others(arch))


def _merged(
    repositories: Sequence[Repository] | Iterator[Repository],
) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for each in repositories:
        place = each.entry.uri, each.entry.suite
        found[place] = found.get(place, frozenset()) | set(each.entry.components)
    return found


def _joined(repositories: Sequence[Repository]) -> Iterator[Repository]:
    """The repositories, those of one suite that several lines name in parts (Ubuntu's images do) as one."""
    components: dict[Repository, dict[str, None]] = {}
    for each in repositories:
        whole = each._replace(entry=each.entry._replace(components=()))
        components.setdefault(whole, {}).update(dict.fromkeys(each.entry.components))
    for whole, names in components.items():
        yield whole._replace(entry=whole.entry._replace(components=tuple(names)))
