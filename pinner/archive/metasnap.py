"""metasnap.debian.net: from which import to which a suite had a version. Its answers are hints, never proof.

Its interface is known from its clients (debootsnap in devscripts): a form with an archive, an architecture and
`name:arch=version,…` gives lines `name arch version suite component first last`; 404 and lines `name arch version` if
some are unknown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256

from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network, not_cached
from pinner.archive.pace import INTERVAL, Pace
from pinner.distributions.moments import is_stamp
from pinner.errors import FetchError
from pinner.values import NamedTuple

ADDRESS = "https://metasnap.debian.net"
_AGE = timedelta(hours=1)
_LARGEST = 8 << 20  # bytes: some hundred a version


class MetasnapRow(NamedTuple):
    """That a suite had a version at all imports from one timestamp to another."""

    name: str
    version: str
    suite: str
    begin: str
    end: str


class Metasnap:
    """The service at an address; it is asked once, at the pace of the snapshot service, and not waited for."""

    def __init__(self, network: Network, *, address: str = ADDRESS, interval: float = INTERVAL) -> None:
        self._network = network._replace(mirrors={}, max_age=_AGE)
        self._cache = network.cache
        self._url = f"{address.rstrip('/')}/cgi-bin/api"
        self._fetcher = Fetcher(self._network, pace=Pace(interval, wait=network.wait), hasty=True)

    def close(self) -> None:
        """Ends the connection."""
        self._fetcher.close()

    def rows(self, archive: str, arch: str, versions: Sequence[tuple[str, str]]) -> tuple[MetasnapRow, ...]:
        """What it knows of versions, by name, in an archive. Raises FetchError, also for an answer that is none."""
        wanted = sorted(set(versions))
        status, text = self._answer(archive, arch, wanted)
        if status == 404:
            unknown = {(name, version) for name, version in _unknown(text, arch)}
            if not unknown <= set(wanted) or not unknown:
                raise self._strange(status)
            wanted = [pair for pair in wanted if pair not in unknown]
            if not wanted:
                return ()
            status, text = self._answer(archive, arch, wanted)
        if status != 200:
            raise self._strange(status)
        return tuple(self._row(line, arch, frozenset(wanted)) for line in text.splitlines())

    def _answer(self, archive: str, arch: str, wanted: Sequence[tuple[str, str]]) -> tuple[int, str]:
        """Status and text, kept for a while."""
        pkgs = ",".join(f"{name}:{arch}={version}" for name, version in wanted)
        key = f"{self._url} {archive} {arch} {pkgs}"
        place = self._cache.snapshots / sha256(key.encode()).hexdigest()
        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(self._cache.kept(place))
            if self._network.is_recent(datetime.fromisoformat(entry["asked"])):
                return int(entry["status"]), str(entry["text"])
        if self._network.offline:
            raise not_cached(self._url)
        from urllib3.filepost import encode_multipart_formdata

        # Its known client sends each field as a file.
        fields = {
            name: (name, value) for name, value in (("archive", archive), ("arch", arch), ("pkgs", pkgs))
        }
        body, kind = encode_multipart_formdata(fields)
        with self._fetcher.ask(self._url, headers={"Content-Type": kind}, method="POST", form=body) as answer:
            status, text = answer.status, answer.body(_LARGEST).decode("utf-8", "replace")
        if status in (200, 404):
            entry = {"asked": self._network.now.isoformat(), "status": status, "text": text}
            self._cache.keep(place, json.dumps(entry).encode())
        return status, text

    def _row(self, line: str, arch: str, wanted: frozenset[tuple[str, str]]) -> MetasnapRow:
        fields = line.split(" ")
        if len(fields) == 7:
            name, own, version, suite, _, begin, end = fields
            right = own == arch and (name, version) in wanted and is_stamp(begin) and is_stamp(end)
            if right and begin <= end:
                return MetasnapRow(name, version, suite, begin, end)
        raise self._strange(200)

    def _strange(self, status: int) -> FetchError:
        return FetchError(
            f"{self._url}: HTTP status {status}, and not its answer", url=self._url, status=status
        )


def _unknown(text: str, arch: str) -> list[tuple[str, str]]:
    fields = [line.split(" ") for line in text.splitlines()]
    return [(each[0], each[2]) for each in fields if len(each) == 3 and each[1] == arch]
