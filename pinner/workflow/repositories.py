"""What apt reads packages from beyond a distribution's own pockets: what an image's or a file's sources say.

The distribution's own archive is recognised by its suites, whatever host or mirror is named; the lock states the
official address. Any other repository is read only if its keys are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pinner.archive import sourceslist
from pinner.archive.distributions import PLATFORMS, Distribution, Pocket, Suite
from pinner.archive.sources import Keys, Source
from pinner.archive.sourceslist import Entry
from pinner.errors import InputError

if TYPE_CHECKING:
    from pinner.text.sourcefiles import Change
    from pinner.workflow.images import Named

_COMPONENTS = {
    "debian": frozenset({"main", "contrib", "non-free", "non-free-firmware"}),
    "ubuntu": frozenset({"main", "restricted", "universe", "multiverse"}),
}
# Others use a distribution's path and suites for packages of their own, so the host has to be one of the
# distribution's, or a mirror by its name.
_MIRROR = re.compile(
    r"https?://(?:(?:[a-z0-9-]+\.)*(?:debian\.org|ubuntu\.com)|(?:mirrors?|ftp)[a-z0-9-]*(?:\.[a-z0-9-]+)+)(?::\d+)?"
    r"/(?:debian|debian-security|ubuntu|ubuntu-ports)"
)
_OWN_KEYS = re.compile(r"(?:/\S+/(?:debian|ubuntu)-archive-keyring\.(?:gpg|pgp))?")


class Repository(NamedTuple):
    """A source for some architectures (none named: all), and who may sign it."""

    entry: Entry
    keys: Keys

    def source(self, arch: str) -> Source | None:
        """The source for an architecture; None if it is not read for that."""
        if not self.entry.serves(arch):
            return None
        uri, suite = (text.replace("$(ARCH)", arch) for text in (self.entry.uri, self.entry.suite))
        return Source(uri, suite, self.entry.components, arch, self.keys, self.entry.check_valid_until)


class Known(NamedTuple):
    """A repository that the caller vouches for: `suite` is "" for every suite below `uri`."""

    uri: str
    suite: str
    keys: Keys

    def covers(self, entry: Entry) -> bool:
        """Whether the entry is of this repository; http and https are the same place."""
        return _place(self.uri) == _place(entry.uri) and self.suite in ("", entry.suite)


def _place(uri: str) -> str:
    return uri.rstrip("/").partition("://")[2]


def pocket_of(entry: Entry, suite: Suite, distribution: Distribution) -> Pocket | None:
    """The distribution's own pocket that an entry names: of this suite or, by `-t` or a variant, beside it."""
    if (
        not _MIRROR.fullmatch(entry.uri)
        or not _OWN_KEYS.fullmatch(entry.signed_by)
        or entry.trusted
        or not set(entry.components) <= _COMPONENTS[distribution.name]
    ):
        return None
    others = [each for each in distribution.suites if each is not suite]
    pockets = [
        *suite.pockets,
        *suite.variants.values(),
        *(pocket for each in others for pocket in each.pockets),
    ]
    return next((pocket for pocket in pockets if pocket.suite == entry.suite), None)


def recognised(
    entry: Entry, suite: Suite, distribution: Distribution, known: Sequence[Known], archs: Sequence[str]
) -> tuple[Repository, ...]:
    """The entry as a repository that can be read, one for each of `archs` that it is for.

    Raises `InputError` for one that nobody vouches for, or that is not signed.
    """
    archs = [arch for arch in archs if entry.serves(arch)]
    pocket = pocket_of(entry, suite, distribution)
    if pocket is not None:
        owner = next(
            each for each in distribution.suites if pocket in (*each.pockets, *each.variants.values())
        )
        return tuple(
            Repository(
                Entry(
                    pocket.address(arch),
                    pocket.suite,
                    entry.components,
                    (arch,),
                    check_valid_until=not owner.laid_up,
                ),
                owner.signed_by,
            )
            for arch in archs
        )
    for each in known:
        if each.covers(entry):
            own = entry._replace(uri=each.uri, signed_by="")
            return tuple(Repository(own._replace(archs=(arch,)), each.keys) for arch in archs)
    raise InputError(
        f"{entry.uri} {entry.suite}".rstrip(),
        hint="say who signs it under [[source]] in pinner.toml",
    )


def listed(
    texts: Mapping[str, Sequence[tuple[str, str]]],
    suite: Suite,
    distribution: Distribution,
    known: Sequence[Known],
) -> tuple[tuple[Repository, ...], str]:
    """What images' sources files (path and text, by platform) name, and a clause about what cannot be read.

    Nothing if they name just what an image of the suite reads by default, or if there are none.
    """
    found: list[Repository] = []
    usual = True
    for platform, files in texts.items():
        arch = PLATFORMS[platform]
        try:
            entries = [entry for path, text in files for entry in sourceslist.read(path, text)]
        except InputError as error:
            return (), f"the image's {error.path} is not read: {error.message}"
        own: list[Repository] = []
        for entry in entries:
            try:
                own += recognised(entry, suite, distribution, known, [arch])
            except InputError as error:
                return (), f"the image reads packages from {error.message} too, which pinner does not know"
        usual = usual and (not entries or _merged(own) == _merged(default(suite, distribution, arch)))
        found += own
    return (() if usual else tuple(_joined(found))), ""


def follow(where: Named, change: Change, known: Sequence[Known], archs: Sequence[str]) -> Named:
    """The suite as apt sees it after a change of its sources. Raises `InputError` for what cannot be read."""
    if change.components:
        usual = (
            each for arch in archs for each in default(where.suite, where.distribution, arch, where.variant)
        )
        return where._replace(
            listed=tuple(
                each._replace(
                    entry=each.entry._replace(components=_more(each.entry.components, change.components)),
                )
                if pocket_of(each.entry, where.suite, where.distribution)
                else each
                for each in where.listed or usual
            ),
        )
    entries = sourceslist.read(change.path, change.text)
    found = [
        each for entry in entries for each in recognised(entry, where.suite, where.distribution, known, archs)
    ]
    if change.append or not _is_the_images(change.path, where):
        return where._replace(added=tuple(dict.fromkeys((*where.added, *found))))
    if not found:
        raise InputError(f"{change.path} without a source")
    return where._replace(listed=tuple(_joined(found)))


def _more(components: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*components, *others)))


def _is_the_images(path: str, where: Named) -> bool:
    """Whether an image of the suite has its sources in this file: a list, or from some release on deb822(5)."""
    name = where.distribution.name
    version = where.suite.version.partition(".")[0]
    if version and int(version) < {"debian": 12, "ubuntu": 24}[name]:
        return path == "/etc/apt/sources.list"
    return path == f"/etc/apt/sources.list.d/{name}.sources"


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
        yield Repository(entry, suite.signed_by)


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
