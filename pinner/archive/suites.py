"""The Release of a suite: asked for, verified, and kept in the cache. See apt-secure(8) and the repository format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from pinner.archive import trust
from pinner.archive.cache import Cache
from pinner.archive.fetch import Fetcher
from pinner.archive.release import Release, parse
from pinner.archive.sources import Keys
from pinner.errors import FetchError, TrustError

LARGEST = 10_000_000  # bytes, apt's Acquire::MaxReleaseFileSize
_FUTURE = timedelta(seconds=10)  # apt's Acquire::Max-FutureTime
_MAGIC = b"pinner-release 1 "


@dataclass(frozen=True, slots=True)
class Suite:
    """One Release file, which serves all architectures and components of its suite."""

    uri: str
    name: str
    signed_by: Keys
    check_valid_until: bool

    def url(self, path: str) -> str:
        """The official URL of a file in the suite's directory."""
        return f"{self.uri}/dists/{self.name}/{path}"


@dataclass(frozen=True, slots=True)
class Held:
    """A verified Release, with its text, the SHA-256 of the InRelease file, and when the archive was last asked."""

    release: Release
    text: bytes
    sha256: str
    checked: datetime


def read(cache: Cache, suite: Suite) -> Held | None:
    """The Release in the cache; None if there is none or it is damaged."""
    return _read(cache.releases / _key(suite))


def _read(path: Path) -> Held | None:
    try:
        first, _, rest = path.read_bytes().partition(b"\n")
        if first != _MAGIC + sha256(rest).hexdigest().encode():
            return None
    except OSError:
        return None
    head, _, text = rest.partition(b"\n")
    digest, checked = head.decode().split(" ")
    return Held(parse(text.decode("utf-8", "replace")), text, digest, datetime.fromisoformat(checked))


def forget(cache: Cache, before: datetime) -> frozenset[str]:
    """Removes the Releases in the cache that were last asked for before that moment, or are damaged.

    Gives the digests of all files that the others name.
    """
    digests: set[str] = set()
    for path in cache.releases.iterdir() if cache.releases.is_dir() else ():
        held = _read(path)
        if held is None or held.checked < before:
            path.unlink(missing_ok=True)
        else:
            digests.update(entry.sha256 for entry in held.release.files.values())
    return frozenset(digests)


def keep(cache: Cache, suite: Suite, held: Held) -> None:
    """Puts the Release into the cache."""
    rest = f"{held.sha256} {held.checked.isoformat()}\n".encode() + held.text
    cache.write(cache.releases / _key(suite), _MAGIC + sha256(rest).hexdigest().encode() + b"\n" + rest)


def _key(suite: Suite) -> str:
    keys = suite.signed_by
    parts = (suite.uri, suite.name, keys.keyring, *keys.fingerprints, str(keys.accept_expired))
    return sha256("\n".join(parts).encode()).hexdigest()


def ask(fetcher: Fetcher, suite: Suite, before: Held | None, now: datetime) -> tuple[Held, str]:
    """The Release that the archive has now, and a note, if any.

    A Release that is older than the verified one of `before` is not used, which apt does not either: it is a mirror
    that lags behind, or a replay. Raises FetchError, and TrustError for one that is not signed by the suite's keys, is
    of another suite, from the future, or expired.
    """
    text, digest = _fetched(fetcher, suite, now)
    try:
        release = parse(text.decode("utf-8", "replace"))
    except TrustError as error:
        raise TrustError(f"{suite.url('InRelease')}: {error.message}", hint=error.hint) from None
    held, note = Held(release, text, digest, now), ""
    _check_suite(suite, release)
    if release.date > now + _FUTURE:
        raise TrustError(
            f"{suite.url('InRelease')}: made in the future, on {release.date:%Y-%m-%d %H:%M} UTC",
            hint="is this machine's clock right?",
        )
    if before is not None and release.date < before.release.date:
        held = replace(before, checked=now)
        note = (
            f"{suite.name}: the archive answers with a Release of {release.date:%Y-%m-%d %H:%M} UTC, older than the "
            f"verified one of {before.release.date:%Y-%m-%d %H:%M} UTC in the cache, which stays in use"
        )
    check_valid(suite, held.release, now)
    return held, note


def check_valid(suite: Suite, release: Release, now: datetime) -> None:
    """Raises TrustError if the Release is past its Valid-Until, unless the source says that this does not matter."""
    if suite.check_valid_until and release.valid_until is not None and release.valid_until < now:
        raise TrustError(
            f"{suite.url('InRelease')}: expired on {release.valid_until:%Y-%m-%d %H:%M} UTC",
            hint="the mirror has stopped being updated, or an old answer is replayed; try another mirror",
        )


def _fetched(fetcher: Fetcher, suite: Suite, now: datetime) -> tuple[bytes, str]:
    """The verified text, and the digest of the file that was asked for first: InRelease, or else Release."""
    url = suite.url("InRelease")
    try:
        inrelease = bytes(fetcher.get(url, limit=LARGEST, revalidate=True))
    except FetchError as error:
        if error.status != 404:
            raise
        absent = error
    else:
        return trust.signed(inrelease, suite.signed_by, now=now, url=url), sha256(inrelease).hexdigest()
    url = suite.url("Release")
    try:
        release = bytes(fetcher.get(url, limit=LARGEST, revalidate=True))
    except FetchError as error:
        raise absent if error.status == 404 else error from None
    try:
        signatures = bytes(fetcher.get(suite.url("Release.gpg"), limit=LARGEST, revalidate=True))
    except FetchError as error:
        if error.status != 404:
            raise
        raise TrustError(f"{url}: not signed", hint="pinner takes nothing from an unsigned archive") from None
    text = trust.signed_detached(release, signatures, suite.signed_by, now=now, url=url)
    return text, sha256(release).hexdigest()


def _check_suite(suite: Suite, release: Release) -> None:
    """A good Release of another suite may be answered in this one's place. The names are compared as apt does
    (debReleaseIndex, CheckDist): before bullseye, security's suite `buster/updates` has the codename `buster`."""
    wanted = suite.name.rpartition("/")[0] or suite.name
    offered = tuple(filter(None, (release.suite, release.codename)))
    if offered and not {wanted, suite.name} & set(offered):
        raise TrustError(
            f"{suite.url('InRelease')}: this is the Release of {' or '.join(offered)}, not of {suite.name}",
            hint=f"write the suite as the archive calls it: {offered[-1]}",
        )
