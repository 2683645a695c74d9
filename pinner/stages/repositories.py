"""What apt reads packages from beyond a distribution's own pockets: what an image's or a file's sources say.

The distribution's own archive is recognised by its suites and its official addresses; a mirror goes by the address
that it mirrors, which the lock states. Any other repository is read only if its keys are known.

A word behind a repository that pinner cannot read is not pinned, since that repository may win.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from pinner.apt import preferences, sources_list
from pinner.apt.decisions import UNTOLD, Decisions
from pinner.apt.preferences import Preference
from pinner.apt.sources import Keys, Source
from pinner.apt.sources_list import SourceEntry
from pinner.apt.version import key
from pinner.distributions import repositories
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.mirrors import is_own_host, official
from pinner.distributions.moments import Moment, archive_of, split, written
from pinner.distributions.repositories import ANYTHING
from pinner.distributions.suite import Distribution, Pocket, Suite
from pinner.errors import InputError, without_login
from pinner.shell.content import UNKNOWN
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.stages.image_names import Named

_UNKNOWN_HOST = rf"(?:https?://)?{UNKNOWN}(?:/(?:debian|debian-security|ubuntu|ubuntu-ports))?"
#: The sources file that is read first.
SOURCE_LIST = "/etc/apt/sources.list"
_OWN_KEYS = r"(?:/\S+/(?:debian|ubuntu)-archive-keyring\.(?:gpg|pgp))?"


class Repository(NamedTuple):
    """A source for some architectures (none named: all), and who may sign it; `path` is the file that names it, in the
    words of `written`. `stand_ins` are as those of `Source`; one `laid_up` has no Release that is up to date."""

    entry: SourceEntry
    keys: Keys
    path: str = ""
    stand_ins: tuple[str, ...] = ()
    written: SourceEntry | None = None
    laid_up: bool = False

    def source(self, arch: str, decided: Decisions = UNTOLD) -> Source | None:
        """The source for an architecture; None if it is not read for that."""
        entry = self.entry
        if not entry.serves(arch):
            return None
        uri, suite = (text.replace("$(ARCH)", arch) for text in (entry.uri, entry.suite))
        said, date = entry.check_valid_until, entry.check_date
        check = None if self.laid_up else decided.check_valid_until if said is None else said
        pair = split(uri)
        return Source(
            *(uri, suite, entry.components, arch, self.keys, check, pair[1] if pair else "", self.stand_ins),
            (entry.valid_for[0] or decided.valid_for[0], entry.valid_for[1] or decided.valid_for[1]),
            decided.check_date if date is None else date,
        )


class UnreadRepository(InputError):
    """A repository that is not read; only names that the globs `serves` mean may come from it."""

    def __init__(self, message: str, serves: tuple[str, ...]) -> None:
        super().__init__(message)
        self.serves = serves


class VouchedRepository(NamedTuple):
    """A repository that the caller vouches for: `suite` is "" for every suite below `uri`."""

    uri: str
    suite: str
    keys: Keys

    def covers(self, entry: SourceEntry) -> bool:
        """Whether the entry is of this repository; http and https are the same place."""
        return _place(self.uri) == _place(entry.uri) and self.suite in ("", entry.suite)


#: The keys that may sign an entry, or a clause about what to do so that they may, "" if nothing is known of them.
Vouch = Callable[[SourceEntry], "Keys | str"]


def _place(uri: str) -> str:
    return uri.rstrip("/").partition("://")[2]


def pocket_of(entry: SourceEntry, suite: Suite, distribution: Distribution) -> Pocket | None:
    """The distribution's own pocket that an entry of an official address names: of this suite or, by `-t` or a
    variant, beside it. Others use a distribution's path and suites for packages of their own."""
    if not _is_own(entry, distribution):
        return None
    others = [each for each in distribution.suites if each is not suite]
    pockets = [*suite.every_pocket, *(pocket for each in others for pocket in each.pockets)]
    return next((pocket for pocket in pockets if pocket.suite == entry.suite), None)


def _is_own(entry: SourceEntry, distribution: Distribution) -> bool:
    """Whether an entry is of the distribution's own archive, signed by its own keys."""
    return (
        entry.uri in addresses(distribution)
        and (bool(entry.fingerprints) or re.fullmatch(_OWN_KEYS, entry.signed_by) is not None)
        and not entry.trusted
        and set(entry.components) <= distribution.every_component
    )


def _moves(entry: SourceEntry, distribution: Distribution) -> bool:
    """Whether an entry names a suite of the distribution's own archive that is no pocket of one release for good."""
    name = re.sub(r"-(?:updates|security|backports|proposed-updates)$", "", entry.suite)
    sloppy = any(entry.suite == f"{suite.codename}-backports-sloppy" for suite in distribution.suites)
    return (name in distribution.aliases or sloppy) and _is_own(entry, distribution)


@lru_cache(maxsize=8)
def addresses(distribution: Distribution) -> frozenset[str]:
    """Where a distribution's own archives are served."""
    pockets = [each for suite in distribution.suites for each in suite.every_pocket]
    return frozenset(address for each in pockets for address in (each.uri, each.ports, *each.stand_ins))


def recognised(
    entry: SourceEntry,
    suite: Suite,
    distribution: Distribution,
    known: Sequence[VouchedRepository],
    archs: Sequence[str],
    vouch: Vouch = lambda entry: "",
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Repository, ...]:
    """The entry as a repository that can be read, one for each of `archs` that it is for.

    The host that it names is the one that is asked, whatever the architecture, by its official name if it is a mirror;
    a suite that was laid up is asked for where it lies now. Raises `InputError` for one that is not trusted, or
    that is not signed.
    """
    said = entry._replace(components=(), archs=())
    entry = entry._replace(uri=official(entry.uri, mirrors))
    archs = [arch for arch in archs if entry.serves(arch)]
    if not archs:
        return ()
    if entry.trusted is False:
        raise InputError(f"{entry.uri} {entry.suite}, whose signatures apt is configured not to check")
    own = entry._replace(signed_by="", without=())

    def read(keys: Keys, uri: str = entry.uri) -> tuple[Repository, ...]:
        return tuple(Repository(own._replace(uri=uri, archs=(arch,)), keys, written=said) for arch in archs)

    ships_keys = bool(distribution.signed_by.keyring)
    pocket, moment = pocket_of(entry, suite, distribution), written(entry.uri)
    if pocket is None and moment is not None:
        pocket = _pocket_then(entry, moment, suite, distribution)
    if pocket is not None and ships_keys:
        owner = next(each for each in distribution.suites if pocket in each.every_pocket)
        own, signers = own._replace(suite=pocket.suite), owner.signed_by
        if entry.fingerprints:
            signers = signers._replace(fingerprints=entry.fingerprints)
        if moment is not None:
            uri = Moment((moment,)).uri(pocket.uri)
            assert uri is not None
            return read(signers._replace(accept_expired=True), uri)
        return tuple(
            each._replace(
                entry=each.entry._replace(uri=pocket.address(arch)),
                stand_ins=pocket.others(arch),
                laid_up=True,
            )
            if owner.laid_up
            else each
            for arch, each in zip(archs, read(signers), strict=True)
        )
    if moment is not None:
        raise InputError(
            f"{entry.uri} {entry.suite}, which is no snapshot of {distribution.name}'s own suites"
        )
    if ships_keys and _moves(entry, distribution):
        return read(distribution.signed_by._replace(fingerprints=entry.fingerprints))
    for each in known:
        if each.covers(entry):
            return read(each.keys, each.uri)
    keys = vouch(entry)
    row = repositories.find(entry.uri, entry.suite)
    if isinstance(keys, Keys):
        return read(keys, row.uri if row else entry.uri)
    told = "name its key under [[source]] in pinner.toml, or under [mirrors] what it mirrors"
    error = UnreadRepository(
        f"{without_login(entry.uri)} {entry.suite}".rstrip(), row.serves if row else ANYTHING
    )
    error.hint = f"{told}, or {keys}" if keys else told
    raise error


def _pocket_then(
    entry: SourceEntry, moment: tuple[str, str], suite: Suite, distribution: Distribution
) -> Pocket | None:
    """The distribution's own pocket that an entry of a snapshot service names."""
    pockets = (pocket for each in (suite, *distribution.suites) for pocket in each.every_pocket)
    return next(
        (
            each
            for each in pockets
            if archive_of(each.uri) == moment[0]
            and pocket_of(entry._replace(uri=each.uri), suite, distribution) is each
        ),
        None,
    )


def listed(
    texts: Mapping[str, Sequence[tuple[str, str]]],
    suite: Suite,
    distribution: Distribution,
    known: Sequence[VouchedRepository],
    vouch: Vouch = lambda entry: "",
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[tuple[Repository, ...] | None, str]:
    """What images' sources files (path and text, by platform) name, and a clause about what cannot be read.

    None if they name just what an image of the suite reads by default.
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
        usual = usual and (_merged(own) == _merged(default(suite, distribution, arch)))
        found += own
    return (None if usual else tuple(joined(found))), ""


def vouched(
    where: Named,
    archs: Sequence[str],
    known: Sequence[VouchedRepository],
    vouch: Vouch,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> Named:
    """The suite of a distribution whose keys are not shipped, with those that the configuration trusts.

    Raises `InputError` where there are none.
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


def conflict(where: Named) -> str:
    """What apt says of sources that contradict each other; "" if they do not.

    From 2.9.8 on it takes an entry that does not say who signs it to mean what the others of its place say.
    """
    entries = [each.written for each in in_order(where.listed or ()) if each.written is not None]
    if key(where.suite.apt) >= key("2.9.8"):
        entries = [each for each in entries if each.signed_by] + [
            each for each in entries if not each.signed_by
        ]
        signed = {(each.uri, each.suite): each.signed_by for each in reversed(entries) if each.signed_by}
        entries = [
            each._replace(signed_by=each.signed_by or signed.get((each.uri, each.suite), ""))
            for each in entries
        ]
    return sources_list.conflict(entries)


def listed_of(where: Named, archs: Sequence[str]) -> tuple[Repository, ...]:
    """The sources of the suite, those of the image's own file if nothing else is known."""
    if where.listed is not None:
        return where.listed
    return tuple(
        each for arch in archs for each in default(where.suite, where.distribution, arch, where.variant)
    )


def mirrored(entry: SourceEntry, where: Named, path: str, arch: str) -> SourceEntry | None:
    """An entry of the distribution's own file whose host is not known, as the mirror of the distribution that it is.

    None for one that may be anything.
    """
    if path not in texts_of(where, "") or not re.fullmatch(_UNKNOWN_HOST, entry.uri):
        return None
    pocket = next((each for each in where.suite.every_pocket if each.suite == entry.suite), None)
    return entry._replace(uri=pocket.address(arch)) if pocket is not None else None


def texts_of(where: Named, arch: str) -> dict[str, str]:
    """The sources file of an unchanged image of the suite, by its path."""
    path = _file(where.suite, where.distribution)
    # As the official images write it, so that what edits the file finds what it looks for.
    slash = "/" if where.distribution.name == "ubuntu" else ""
    components = " ".join(where.distribution.components)
    stanzas: list[str] = []
    for uri, group in groupby(
        _pockets(where.suite, where.variant), lambda each: each.address(arch or "amd64") + slash
    ):
        suites = [each.suite for each in group]
        if path.endswith(".sources"):
            keyring = _keyring(where.suite, where.distribution)
            fields = f"Suites: {' '.join(suites)}\nComponents: {components}\nSigned-By: {keyring}"
            stanzas.append(f"{chr(10) if stanzas else ''}Types: deb\nURIs: {uri}\n{fields}\n")
        else:
            stanzas += (f"deb {uri} {suite} {components}\n" for suite in suites)
    return {path: "".join(stanzas)}


def prefers(where: Named, files: tuple[tuple[str, str], ...]) -> Named:
    """The suite with these files of preferences, in apt's order (apt_preferences(5)).

    Raises `InputError` for what is not followed.
    """
    where = where._replace(preferences=files)
    for each in preferences_of(where):
        if each.kind == "origin" and (is_own_host(each.data) or re.search(r"[*?\[]", each.data)):
            raise InputError(
                f"a preference for {each.data}, which may be a mirror of the distribution's own archive"
            )
    if where.preferences and where.suite.codename == "jessie":
        raise InputError("preferences, which apt weighs otherwise in jessie")
    return where


@lru_cache(maxsize=64)
def _read(files: tuple[tuple[str, str], ...]) -> tuple[Preference, ...]:
    return tuple(each for path, text in files for each in preferences.read(path, text))


def preferences_of(where: Named) -> tuple[Preference, ...]:
    """What apt prefers in the suite. Raises `InputError` for what is not followed."""
    return _read(where.preferences) if where.preferences else ()


def in_order(repositories: Sequence[Repository]) -> list[Repository]:
    """The sources as apt reads them: sources.list, then the files in sources.list.d by their names' bytes."""
    return sorted(repositories, key=lambda each: (each.path != SOURCE_LIST, each.path))


def _file(suite: Suite, distribution: Distribution) -> str:
    """Where an image of the suite has its sources: in a list, or from some release on in deb822(5)."""
    version = suite.version.partition(".")[0]
    if version and int(version) < {"debian": 12, "ubuntu": 24}.get(distribution.name, 0):
        return SOURCE_LIST
    return f"/etc/apt/sources.list.d/{distribution.name}.sources"


def _pockets(suite: Suite, variant: str) -> tuple[Pocket, ...]:
    extra = suite.variants.get(variant)
    return (extra, *suite.pockets) if extra else suite.pockets


def _keyring(suite: Suite, distribution: Distribution) -> str:
    form = "pgp" if key(suite.apt) >= key("3") and distribution.name == "debian" else "gpg"
    return f"/usr/share/keyrings/{distribution.name}-archive-keyring.{form}"


@lru_cache(maxsize=256)
def default(suite: Suite, distribution: Distribution, arch: str, variant: str = "") -> tuple[Repository, ...]:
    """What an unchanged image of the suite reads; a variant's pocket is listed first."""
    found = []
    extra = suite.variants.get(variant)
    for pocket in _pockets(suite, variant):
        entry = SourceEntry(pocket.address(arch), pocket.suite, distribution.components, (arch,))
        path = _file(suite, distribution)
        # The images' deb822 files name the keyring, the older lists do not.
        keyring = "" if path == SOURCE_LIST or pocket is extra else _keyring(suite, distribution)
        written = entry._replace(components=(), archs=(), signed_by=keyring)
        found.append(Repository(entry, suite.signed_by, path, pocket.others(arch), written, suite.laid_up))
    return tuple(found)


def _merged(
    repositories: Sequence[Repository] | Iterator[Repository],
) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for each in repositories:
        place = each.entry.uri, each.entry.suite
        found[place] = found.get(place, frozenset()) | set(each.entry.components)
    return found


def joined(repositories: Sequence[Repository]) -> Iterator[Repository]:
    """The repositories, those of one suite that several lines name in parts (Ubuntu's images do) as one."""
    components: dict[Repository, dict[str, None]] = {}
    for each in repositories:
        whole = each._replace(entry=each.entry._replace(components=()))
        components.setdefault(whole, {}).update(dict.fromkeys(each.entry.components))
    for whole, names in components.items():
        yield whole._replace(entry=whole.entry._replace(components=tuple(names)))
