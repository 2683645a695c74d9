"""The snapshot service: which imports there are, when a .deb was first seen, and the files of an import.

Its interface is described at https://salsa.debian.org/snapshot-team/snapshot/-/blob/master/API. It is asked slowly
(see `pace`), and never twice for what cannot change: what was learned is on the disk before the next question.
Nothing that it says is proof of anything but a lower bound; indices are verified as those of any archive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network, not_cached
from pinner.archive.pace import INTERVAL, Pace
from pinner.archive.quick import Sink
from pinner.distributions import moments
from pinner.distributions.moments import OFFICIAL
from pinner.errors import FetchError, InputError, TrustError

LISTING_AGE = timedelta(hours=1)
_LARGEST = 32 << 20  # bytes: all timestamps since 2005 are 1 MB

T = TypeVar("T")


class Snapshots:
    """The service behind its mirrors, which are tried in order.

    `mirrors` are addresses that serve what `http://snapshot.debian.org` does; where there are none, those of the
    network count. One that does not have the import that is asked for yet is passed over, since it would answer with an
    older one. `notes` are for people: whose answers were not good. `pace` counts the requests; `clock` is its own.
    """

    def __init__(
        self,
        network: Network,
        mirrors: Sequence[str] = (),
        *,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._network = network._replace(max_age=LISTING_AGE)
        self._cache = network.cache
        self.pace = pace = Pace(interval, wait=network.wait, clock=clock)
        fallback = {OFFICIAL: OFFICIAL.replace("http:", "https:"), **network.mirrors}
        self._fetchers = [
            Fetcher(network._replace(mirrors=places), pace=pace)
            for places in [fallback | {OFFICIAL: mirror} for mirror in mirrors] or [fallback]
        ]
        self._order = list(range(len(self._fetchers)))
        self.notes: dict[str, None] = {}
        self._listed: dict[tuple[int, str], tuple[str, ...]] = {}

    def close(self) -> None:
        """Ends the connection."""
        for fetcher in self._fetchers:
            fetcher.close()

    def first(self, attempt: Callable[[Mirror], T]) -> T:
        """What an attempt gives that fetches from a mirror, and verifies what it got: that of the first good mirror.

        Raises TrustError if what some mirror has cannot be trusted and no other has better, else FetchError.
        """
        return self._first(lambda number: attempt(Mirror(self, number)))

    def timestamps(self, archive: str) -> tuple[str, ...]:
        """The timestamps of all imports of an archive, in order; some of Ubuntu's, which has one for each second.

        Raises FetchError, InputError for an unknown one.
        """
        if archive == moments.UBUNTU:
            return moments.of_ubuntu(self._network.now)
        return self._first(lambda number: self._runs(number, archive))

    def first_seen(self, name: str, version: str, arch: str) -> Mapping[str, str]:
        """When the service first saw a .deb of this version for the architecture, by archive.

        That is when it appeared under /pool, maybe before any index had it, maybe for another suite: a lower bound.
        Empty if the service does not know it. Raises FetchError.
        """
        from urllib.parse import quote

        path = f"/mr/binary/{quote(name, safe='')}/{quote(version, safe='')}/binfiles?fileinfo=1"
        known = self._kept(path)
        found = _first_seen(known[1], arch) if known else {}
        if not found and not self._network.offline:
            try:
                answer = self._first(lambda number: self._json(number, path, path))
            except FetchError as error:
                if error.status != 404:
                    raise
            else:
                found = _first_seen(answer, arch)
        return found

    def _first(self, ask: Callable[[int], T]) -> T:
        failure: FetchError | TrustError | None = None
        for number in self._order:
            try:
                answer = ask(number)
            except (FetchError, TrustError) as error:
                if failure is None or (isinstance(error, TrustError) and isinstance(failure, FetchError)):
                    failure = error
                if not (isinstance(error, FetchError) and error.status == 404):
                    # It is asked last from now on: each time costs many tries.
                    self._order = sorted(self._order, key=lambda other: other == number)
            else:
                if isinstance(failure, TrustError):
                    self.notes[f"a mirror of snapshots was passed over: {failure.message}"] = None
                return answer
        assert failure is not None
        raise failure

    def _ask(
        self, number: int, url: str, limit: int, progress: Callable[[int], None] | None = None
    ) -> bytearray:
        if self._network.offline:
            raise not_cached(url)
        return self._fetchers[number].get(url, limit=limit, progress=progress)

    def _check_follows(self, number: int, url: str) -> None:
        """Raises FetchError if that mirror is behind the import that `url` lies in; a sole mirror is not asked."""
        imports = moments.found_in(url).imports
        if not imports or imports[0][0] == moments.UBUNTU or len(self._fetchers) == 1:
            return
        archive, stamp = imports[0]
        if self._runs(number, archive)[-1] < stamp:
            raise FetchError(
                f"{url}: the mirror does not have this import yet",
                url=url,
                status=404,
                hint="name another mirror",
            )

    def _runs(self, number: int, archive: str) -> tuple[str, ...]:
        if (number, archive) not in self._listed:
            path = f"/mr/timestamp/?archive={archive}"
            key = f"{number}{path}"
            kept = self._kept(key)
            recent = kept is not None and self._network.is_recent(kept[0])
            answer = kept[1] if kept and recent else self._json(number, path, key)
            self._listed[number, archive] = _timestamps(answer, archive)
        return self._listed[number, archive]

    def _json(self, number: int, path: str, key: str) -> Any:
        """The JSON that one mirror has at a path; it goes into the cache."""
        import json

        body = self._ask(number, OFFICIAL + path, _LARGEST)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise _strange(path) from None
        entry = json.dumps({"asked": self._network.now.isoformat(), "answer": answer})
        self._cache.keep(self._place(key), entry.encode())
        return answer

    def _place(self, key: str) -> Path:
        return self._cache.snapshots / sha256(key.encode()).hexdigest()

    def _kept(self, key: str) -> tuple[datetime, Any] | None:
        """When a question was asked, and the answer; None if it was not, or the file is damaged."""
        import json

        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(self._cache.kept(self._place(key)))
            return datetime.fromisoformat(entry["asked"]), entry["answer"]
        return None


class Mirror:
    """One mirror of the service, for `Snapshots.first`: its files by their official URLs."""

    def __init__(self, service: Snapshots, number: int) -> None:
        self._service = service
        self._number = number

    def get(
        self, url: str, *, limit: int, revalidate: bool = False, progress: Callable[[int], None] | None = None
    ) -> bytearray:
        """The body. Raises FetchError, as `Fetcher.get`.

        `revalidate` has no meaning here: what lies under a timestamp never changes.
        """
        self._service._check_follows(self._number, url)
        try:
            return self._service._ask(self._number, url, limit, progress)
        except FetchError as error:
            if error.status == 404:
                error.hint = (
                    "the archive did not have it at that time, or the import is incomplete: name another one"
                )
            raise

    def save(
        self, url: str, body: Sink, *, limit: int, progress: Callable[[int], None] | None = None
    ) -> None:
        """As `get`, but `body` may hold the beginning already, as for `Fetcher.save`. Not for several threads."""
        self._service._check_follows(self._number, url)
        self._service._fetchers[self._number].save(url, body, limit=limit, progress=progress)


def _strange(path: str) -> FetchError:
    return FetchError(
        f"{OFFICIAL}{path}: this is not the service's answer",
        url=OFFICIAL + path,
        status=200,
        hint="a login page or another service answers in its place; check the network and [snapshot] mirrors",
    )


def _timestamps(answer: Any, archive: str) -> tuple[str, ...]:
    try:
        stamps = answer["result"][archive]
        found = sorted(stamp for stamp in stamps if moments.is_stamp(stamp))
    except (KeyError, TypeError, AttributeError):
        raise _strange(f"/mr/timestamp/?archive={archive}") from None
    if not found:
        hint = "does another service answer in its place? check [snapshot] mirrors in pinner.toml"
        raise InputError(f"snapshot.debian.org lists no import of {archive}", hint=hint)
    return tuple(dict.fromkeys(found))


def _first_seen(answer: Any, arch: str) -> dict[str, str]:
    """The earliest first_seen of the files for an architecture, by archive. Older servers say `run` for `fileinfo`."""
    found: dict[str, str] = {}
    try:
        infos = answer.get("fileinfo", answer.get("run", {}))
        for row in answer["result"]:
            for info in infos[row["hash"]] if row["architecture"] in (arch, "all") else ():
                archive, seen = info["archive_name"], info["first_seen"]
                if moments.is_stamp(seen):
                    found[archive] = min(seen, found.get(archive, seen))
    except (KeyError, TypeError, AttributeError):
        raise _strange("/mr/binary/…/binfiles") from None
    return found
