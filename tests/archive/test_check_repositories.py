"""The script that says which rows of the catalogue are out of date, against addresses of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pinner.archive.cache import Cache
from pinner.archive.keys import Keyring
from pinner.archive.network import Network
from pinner.distributions.repositories import KnownRepository
from scripts.check_repositories import check
from tests.simulator import Key, SimulatedArchive

OWNER = "https://owner.example/key.asc"


def test_what_is_said_of_a_row(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    archive = SimulatedArchive(now=now)
    key, other, short = Key(), Key("other"), Key("short", expires_after=timedelta(days=30))
    with archive.serve() as url:

        def said(
            *held: Key, fingerprints: tuple[str, ...], retired: tuple[str, ...] = ()
        ) -> list[tuple[str, str]]:
            archive.pool["/key.asc"] = b"".join(bytes(each.certificate) for each in held)
            ring = Keyring(
                Network(Cache(tmp_path), now, mirrors={"https://owner.example": url}, wait=archive.wait), ()
            )
            row = KnownRepository("row", "https://apt.example", (OWNER,), fingerprints, retired)
            return list(check(row, ring, now=now))

        mine = (key.fingerprint,)
        assert said(key, fingerprints=mine) == [("ok", key.fingerprint)]
        assert said(key, other, fingerprints=mine) == [("ok", key.fingerprint), ("new", other.fingerprint)]
        assert said(key, other, fingerprints=mine, retired=(other.fingerprint,)) == [("ok", key.fingerprint)]
        ((word, text),) = said(other, fingerprints=mine)
        assert word == "changed" and key.fingerprint in text and other.fingerprint in text
        (ok, ends) = said(short, fingerprints=(short.fingerprint,))
        assert ok[0] == "ok" and ends[0] == "ends" and short.fingerprint in ends[1]
        archive.status("*", 503)
        ((word, text),) = said(key, fingerprints=mine)
        assert word == "silent" and "503" in text
