"""The Release of a suite: asked for, verified, and kept in the cache. See apt-secure(8) and the repository format.

An InRelease that was verified is not verified again while its bytes and the keyring are the same and the key has not
expired. Of several signatures the first good one is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pinner.apt.release import Release, expiry, parse
from pinner.apt.sources import Keys
from pinner.archive.cache import Cache
from pinner.distributions.moments import instant
from pinner.errors import FetchError, TrustError
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.archive.trust import Signed

LARGEST = 10_000_000  # bytes, apt's Acquire::MaxReleaseFileSize
_FUTURE = timedelta(seconds=10)  # apt's Acquire::Max-FutureTime


class Getter(Protocol):
    """Whoever fetches, as `fetch.Fetcher.get` says: an archive as it is now, or a mirror of a snapshot service."""

    def get(
        self, url: str, *, limit: int, revalidate: bool = False, progress: Callable[[int], None] | None = None
    ) -> bytearray:
        """The body at `url`."""


class SuiteRelease(NamedTuple):
    """One Release file, which serves all architectures and components of its suite."""

    uri: str
    name: str
    signed_by: Keys
    check_valid_until: bool | None
    snapshot: str = ""
    stand_ins: tuple[str, ...] = ()
    valid_for: tuple[int, int] = (0, 0)
    check_date: bool = True

    def url(self, path: str) -> str:
        """The official URL of a file in the suite's directory."""
        if self.name.endswith("/"):  # a flat one, sources.list(5)
            return f"{self.uri}/{self.name.strip('./')}/{path}".replace(f"{self.uri}//", f"{self.uri}/")
        return f"{self.uri}/dists/{self.name}/{path}"


class VerifiedRelease(NamedTuple):
    """A verified Release, with its text, the SHA-256 of the InRelease file, and when the archive was last asked.

    `keyring` is the SHA-256 of the keyring with the key that signed it, which expires at `expires`, if ever; `lapsed`
    tells that it had expired already when that was verified.
    """

    release: Release
    text: bytes
    sha256: str
    checked: datetime
    keyring: str
    expires: datetime | None
    lapsed: bool = False


def read(cache: Cache, suite: SuiteRelease) -> VerifiedRelease | None:
    """The Release in the cache; None if there is none or it is damaged."""
    return _read(cache, cache.releases / _key(suite))


def _read(cache: Cache, path: Path) -> VerifiedRelease | None:
    rest = cache.kept(path)
    if not rest:
        return None
    head, _, text = rest.partition(b"\n")
    digest, checked, keyring, expires, *lapsed = head.decode().split(" ")
    return VerifiedRelease(
        parse(text.decode("utf-8", "replace")),
        text,
        digest,
        datetime.fromisoformat(checked),
        keyring,
        None if expires == _NEVER else datetime.fromisoformat(expires),
        bool(lapsed),
    )


_NEVER = "never"


def forget(cache: Cache, before: datetime) -> frozenset[str]:
    """Removes the Releases in the cache that were last asked for before that moment, or are damaged.

    Gives the digests of all files that the others name.
    """
    digests: set[str] = set()
    for path in cache.releases.iterdir() if cache.releases.is_dir() else ():
        held = _read(cache, path)
        if held is None or held.checked < before:
            path.unlink(missing_ok=True)
        else:
            digests.update(entry.digest for entry in held.release.files.values())
    return frozenset(digests)


def keep(cache: Cache, suite: SuiteRelease, held: VerifiedRelease) -> None:
    """Puts the Release into the cache."""
    expires = held.expires.isoformat() if held.expires else _NEVER
    head = f"{held.sha256} {held.checked.isoformat()} {held.keyring} {expires}{' lapsed' if held.lapsed else ''}\n"
    cache.keep(cache.releases / _key(suite), head.encode() + held.text)


def _key(suite: SuiteRelease) -> str:
    keys = suite.signed_by
    parts = (suite.uri, suite.name, keys.keyring, *keys.fingerprints, str(keys.accept_expired))
    return sha256("\n".join(parts).encode()).hexdigest()


def ask(
    fetcher: Getter, suite: SuiteRelease, before: VerifiedRelease | None, now: datetime
) -> tuple[VerifiedRelease, str]:
    """The Release that the archive has now, and a note, if any.

    A Release that is older than the verified one of `before` is not used, which apt does not either: it is a mirror
    that lags behind, or a replay. Raises FetchError, and TrustError for one that is not signed by the suite's keys, is
    of another suite, from the future, or expired.
    """
    held, note = _fetched(fetcher, suite, before, now), ""
    release = held.release
    _check_suite(suite, release)
    if suite.check_date and release.date > now + _FUTURE:
        raise TrustError(
            f"{suite.url('InRelease')}: made in the future, on {release.date:%Y-%m-%d %H:%M} UTC",
            hint="is this machine's clock right?",
        )
    if before is not None and release.date < before.release.date:
        held = before._replace(checked=now)
        note = (
            f"{suite.name}: the archive answers with a Release of {release.date:%Y-%m-%d %H:%M} UTC, older than the "
            f"verified one of {before.release.date:%Y-%m-%d %H:%M} UTC in the cache, which stays in use"
        )
    check_valid(suite, held.release, now)
    return held, note


def check_valid(suite: SuiteRelease, release: Release, now: datetime) -> str:
    """A note about a Release that is out of date, which its source says does not matter; "" for one that is not.

    A snapshot whose source says so is judged by its own time: it had to be valid when it was imported. Raises
    TrustError where the date does matter.
    """
    told = suite.check_valid_until is False
    at = instant(suite.snapshot) if suite.snapshot and not suite.check_valid_until else now
    until = expiry(release, suite.valid_for)
    if until is None or until >= at or (suite.check_valid_until is None and not suite.snapshot):
        return ""
    if told and not suite.snapshot:
        return (
            f"{suite.name}: its Release expired on {until:%Y-%m-%d %H:%M} UTC, and is used anyway, since "
            "the configuration there turns the check off"
        )
    raise TrustError(
        f"{suite.url('InRelease')}: expired on {until:%Y-%m-%d %H:%M} UTC",
        hint="a snapshot is read with [check-valid-until=no]"
        if suite.snapshot
        else "the mirror has stopped being updated, or an old answer is replayed; try another mirror",
    )


def _fetched(
    fetcher: Getter, suite: SuiteRelease, before: VerifiedRelease | None, now: datetime
) -> VerifiedRelease:
    """The Release as it is now, verified; its digest is that of the file that was asked for first."""
    from pinner.archive import packets, trust

    url = suite.url("InRelease")
    try:
        inrelease = bytes(fetcher.get(url, limit=LARGEST, revalidate=True))
    except FetchError as error:
        if error.status != 404:
            raise
        absent = error
    else:
        digest = sha256(inrelease).hexdigest()
        if before is not None and before.sha256 == digest and _still_vouched_for(suite, before, now):
            return before._replace(checked=now)
        return _trusted(suite, digest, now, lambda keys: trust.signed(inrelease, keys, now=now, url=url))
    url = suite.url("Release")
    try:
        release = bytes(fetcher.get(url, limit=LARGEST, revalidate=True))
    except FetchError as error:
        raise absent if error.status == 404 else error from None
    try:
        signatures = bytes(
            fetcher.get(suite.url("Release.gpg"), limit=packets.LARGEST_SIGNATURES, revalidate=True)
        )
    except FetchError as error:
        if error.status != 404:
            raise
        raise TrustError(f"{url}: not signed", hint="pinner takes nothing from an unsigned archive") from None
    return _trusted(
        suite,
        sha256(release).hexdigest(),
        now,
        lambda keys: trust.signed_detached(release, signatures, keys, now=now, url=url),
    )


def _still_vouched_for(suite: SuiteRelease, before: VerifiedRelease, now: datetime) -> bool:
    """Whether the same bytes would be found good again: the keyring is the same, and the key has not expired."""
    from pinner.archive import trust

    in_time = not before.lapsed and (before.expires is None or before.expires > now)
    return in_time and before.keyring == trust.keyring(suite.signed_by)


def _trusted(
    suite: SuiteRelease, digest: str, now: datetime, verify: Callable[[Keys], Signed]
) -> VerifiedRelease:
    """The verified Release; a key that has expired since is accepted only where the source says so."""
    from pinner.archive import trust

    keys, lapsed = suite.signed_by, False
    try:
        text, expires = verify(keys._replace(accept_expired=False))
    except TrustError:
        if not keys.accept_expired:
            raise
        (text, expires), lapsed = verify(keys), True
    try:
        release = parse(text.decode("utf-8", "replace"))
    except TrustError as error:
        raise TrustError(f"{suite.url('InRelease')}: {error.message}", hint=error.hint) from None
    return VerifiedRelease(release, text, digest, now, trust.keyring(keys), expires, lapsed)


def _check_suite(suite: SuiteRelease, release: Release) -> None:
    """A good Release of another suite may be answered in this one's place. The names are compared as apt does
    (debReleaseIndex, CheckDist): before bullseye, security's suite `buster/updates` has the codename `buster`."""
    if suite.name.endswith("/"):
        return
    wanted = suite.name.rpartition("/")[0] or suite.name
    offered = tuple(filter(None, (release.suite, release.codename)))
    if offered and not {wanted, suite.name} & set(offered):
        raise TrustError(
            f"{suite.url('InRelease')}: this is the Release of {' or '.join(offered)}, not of {suite.name}",
            hint=f"write the suite as the archive calls it: {offered[-1]}",
        )
