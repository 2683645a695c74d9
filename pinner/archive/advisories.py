"""Fetches what `distributions.advisories` reads: at most once a day, bounded, and only the releases asked for are kept.

    cve/debian, cve/ubuntu    JSON: when the service was asked, its validators, and what it knows by release and source

Neither is signed: what vouches for it is TLS. A copy of more than a day is used while the service does not answer, and
said to be old; after a week it is not used any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import IO

from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.archive.tar import Tar
from pinner.archive.unpack import Torn, UnpackedStream, plain
from pinner.distributions.advisories import KnownVulnerabilities, Vulnerability, members, of_debian, of_ubuntu
from pinner.errors import FetchError, InputError, TrustError
from pinner.values import NamedTuple

URLS = {
    "debian": "https://security-tracker.debian.org/tracker/data/json",
    "ubuntu": "https://security-metadata.canonical.com/osv/osv-all.tar.xz",
}
#: Bytes: about three times of what they have been in 2026 (78 and 46 MB), as it is sent, and unpacked.
_SENT = 256 << 20
_UNPACKED = {"debian": 512 << 20, "ubuntu": 16 << 30}
_MEMBER = 64 << 20
_FRESH, _USABLE = timedelta(days=1), timedelta(days=7)
_REDIRECTIONS = 5
_CHUNK = 1 << 20
_SCHEMA = 1
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, Torn, InputError)


class Feed(NamedTuple):
    """The vulnerabilities by release and source, when the service was asked, and what is to be said of that."""

    known: KnownVulnerabilities
    asked: datetime
    note: str = ""


class Advisories:
    """The two services behind the cache."""

    def __init__(self, network: Network) -> None:
        self._cache = network.cache
        self._now = network.now
        self._fetcher = Fetcher(network)

    def of(self, distribution: str, releases: Mapping[str, str]) -> Feed:
        """What is known of releases (codename to number) of `debian` or `ubuntu`.

        Raises `FetchError` if it cannot be had, `TrustError` if it is larger than it may be.
        """
        held, asked, validators = self._held(distribution)
        missing = releases.keys() - held.keys()
        if not missing and timedelta(0) <= self._now - asked < _FRESH:
            return Feed(held, asked)
        wanted = {**dict.fromkeys(held, ""), **releases}
        try:
            fetched = self._fetched(distribution, wanted, {} if missing else validators)
        except FetchError as error:
            if missing or self._now - asked > _USABLE:
                raise
            note = f"warning: {error.message}; vulnerabilities are as of {asked:%Y-%m-%d %H:%M} UTC"
            return Feed(held, asked, note)
        finally:
            self._fetcher.close()
        known, validators = fetched if fetched is not None else (held, validators)
        self._keep(distribution, known, validators)
        return Feed(known, self._now)

    def _held(self, distribution: str) -> tuple[KnownVulnerabilities, datetime, dict[str, str]]:
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            entry = json.loads(self._cache.kept(self._cache.cve / distribution))
            if entry["schema"] == _SCHEMA:
                known = {
                    release: {
                        name: [Vulnerability(*map(str, one)) for one in found] for name, found in own.items()
                    }
                    for release, own in entry["releases"].items()
                }
                return known, datetime.fromisoformat(entry["asked"]), dict(entry["validators"])
        return {}, datetime.min.replace(tzinfo=self._now.tzinfo), {}

    def _keep(self, distribution: str, known: KnownVulnerabilities, validators: Mapping[str, str]) -> None:
        entry = {
            "schema": _SCHEMA,
            "asked": self._now.isoformat(),
            "validators": validators,
            "releases": known,
        }
        self._cache.keep(self._cache.cve / distribution, json.dumps(entry, separators=(",", ":")).encode())

    def _fetched(
        self, distribution: str, releases: Mapping[str, str], validators: Mapping[str, str]
    ) -> tuple[KnownVulnerabilities, dict[str, str]] | None:
        """What the service sends, and what to ask with tomorrow; None if it is as it was."""
        import tempfile

        url = URLS[distribution]
        with tempfile.TemporaryFile() as body:
            headers = self._download(url, dict(validators), body)
            if headers is None:
                return None
            body.seek(0)
            try:
                if distribution == "debian":
                    found = of_debian(members(_texts(body), _MEMBER), releases)
                else:
                    numbers = {number: name for name, number in releases.items()}
                    found = of_ubuntu(_records(body), numbers)
            except _UNREADABLE as error:
                raise FetchError(f"{url}: not in the format that is documented: {error}", url=url) from None
        kept = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return found, {ask: headers[name] for name, ask in kept.items() if headers.get(name)}

    def _download(self, url: str, headers: dict[str, str], body: IO[bytes]) -> Mapping[str, str] | None:
        """Saves the answer; its headers, None if nothing has changed."""
        address = self._fetcher.address(url)
        if address.startswith("file:"):
            body.write(self._fetcher.get(url, limit=_SENT))
            return {}
        for _ in range(_REDIRECTIONS):
            with self._fetcher.ask(address, headers={**headers, "Accept-Encoding": "gzip"}) as answer:
                if answer.status == 304 and headers:
                    return None
                if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("Location"):
                    from urllib.parse import urljoin

                    address = urljoin(address, answer.headers["Location"])
                    continue
                if answer.status != 200:
                    raise FetchError(f"{url}: HTTP status {answer.status}", url=url, status=answer.status)
                for piece in answer.pieces(_SENT):
                    body.write(piece)
                    if body.tell() > _SENT:
                        raise TrustError(f"{url}: longer than the {_SENT} bytes it may have")
                said = answer.headers.get("Content-Length", "")
                if said.isdecimal() and int(said) != body.tell():
                    raise FetchError(f"{url}: the answer breaks off", url=url)
                return answer.headers
        raise FetchError(f"{url}: too many redirections", url=url)


def _texts(body: IO[bytes]) -> Iterator[str]:
    """The text of a file, which may be packed by gzip, piece by piece. Raises ValueError for one that is too long."""
    import codecs

    packed = body.read(2) == b"\x1f\x8b"
    body.seek(0)
    decoder, size = codecs.getincrementaldecoder("utf-8")(), 0
    for piece in plain(_pieces(body), ".gz" if packed else ""):
        size += len(piece)
        if size > _UNPACKED["debian"]:
            raise ValueError("it is too long")
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _records(body: IO[bytes]) -> Iterator[bytes]:
    """The records of CVEs in a tar archive. Raises ValueError or InputError for one that cannot be read."""
    tar = Tar(UnpackedStream(_pieces(body), _UNPACKED["ubuntu"], "it"), "it")
    count = 0
    while member := tar.next():
        if member.kind == "file" and "cve" in member.name.split("/") and member.name.endswith(".json"):
            if member.size > _MEMBER:
                raise ValueError("it is too long")
            count += 1
            yield tar.content(member)
    if not count:
        raise ValueError("it has no records of CVEs")


def _pieces(body: IO[bytes]) -> Iterator[bytes]:
    while piece := body.read(_CHUNK):
        yield piece
