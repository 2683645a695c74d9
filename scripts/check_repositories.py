"""Says which rows of `distributions/repositories.toml` are out of date: fetches the owners' keys and compares.

    scripts/check_repositories                  scripts/check_repositories nodesource docker

For each row one line: `ok`; `changed`, where its addresses have other keys than the row names, with both; `new`, where
the file has a key besides these, which may sign next (many files hold keys that sign something else); `ends`, where a
key expires within ninety days; `silent`, where no address answers. Exit status 1 for a `changed`, 5 for a `silent`.

To add a row: the address and suite as sources.list has them, where the owner publishes the key, and the fingerprint of
the primary key by two sources that do not depend on each other; then run this for it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pinner.archive.cache import Cache
from pinner.archive.keys import Keyring
from pinner.archive.network import Network
from pinner.archive.trust import certificates
from pinner.distributions import repositories
from pinner.distributions.repositories import KnownRepository
from pinner.errors import FetchError, PinnerError, TrustError

SOON = timedelta(days=90)
STATUS = {"ok": 0, "new": 0, "ends": 0, "changed": 1, "silent": 5}


def check(known: KnownRepository, ring: Keyring, *, now: datetime) -> Iterator[tuple[str, str]]:
    """What is to be said of a row: a word of `STATUS`, and a text."""
    if not known.keys:
        yield "ok", "its key comes with a package of the distribution"
        return
    try:
        keys = ring.from_owner(known, known.keys)
    except TrustError as error:
        yield "changed", error.message
        return
    except FetchError as error:
        yield "silent", error.message
        return
    yield "ok", ", ".join(keys.fingerprints)
    for each in certificates(Path(keys.keyring).read_bytes(), keys.keyring):
        fingerprint = each.fingerprint.upper()
        if fingerprint not in (*known.fingerprints, *known.retired):
            yield "new", fingerprint
        try:
            expires = each.expiration
        except Exception:  # bound by SHA-1: pysequoia says nothing of it
            continue
        if fingerprint in known.fingerprints and expires and expires < now + SOON:
            yield "ends", f"{fingerprint} on {expires:%Y-%m-%d}"


def run(names: Sequence[str], mirrors: Mapping[str, str], *, now: datetime) -> int:
    """Check the rows of these names, of all without any. Raises `PinnerError` for a name that there is not."""
    rows = {each.name: each for each in repositories.every()}
    if unknown := set(names) - set(rows):
        raise PinnerError(f"no such rows: {', '.join(sorted(unknown))}")
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        ring = Keyring(Network(Cache(Path(folder)), now, mirrors=mirrors), ())
        for name in names or rows:
            for word, text in check(rows[name], ring, now=now):
                print(f"{name:24}  {word:8}  {text}")
                status = max(status, STATUS[word])
    return status


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mirror", action="append", default=[], metavar="OFFICIAL=HERE")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    mirrors = dict(each.rsplit("=", 1) for each in options.mirror)
    try:
        return run(options.names, mirrors, now=datetime.now(UTC))
    except PinnerError as error:
        print(error, file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
