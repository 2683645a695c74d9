"""Where apt would look: `Source` values, from a distribution's data or from sources files (sources.list(5))."""

from __future__ import annotations

from pinner.values import NamedTuple


class Keys(NamedTuple):
    """Who may sign a source. `keyring` is a shipped keyring's name (`debian-archive-keyring`) or a key file's path.

    `fingerprints` are of primary keys, upper-case hex; empty means every key of the keyring.
    `accept_expired` is for suites past their end of life and for snapshots: a key that has expired since it
    signed is accepted, one that had expired before is not.
    """

    keyring: str
    fingerprints: tuple[str, ...] = ()
    accept_expired: bool = False


class Source(NamedTuple):
    """One suite of one archive for one Debian architecture, in the order apt would read it.

    `uri` has no trailing slash; the suite's Release lies at `uri/dists/suite/`. `snapshot` is the timestamp of the
    import that `uri` names, "" for an archive as it is now. `stand_ins` are other addresses of the same files, to be
    asked in turn where `uri` does not have one or does not answer.

    `check_valid_until` tells whether a Release past its time is refused; None for a suite that was laid up, whose
    Releases all are. Unchecked ones of a snapshot had to be valid when it was made. `valid_for` are Valid-Until-Min and
    -Max in seconds, 0 for none (sources.list(5)); without `check_date` a Date may lie ahead.
    """

    uri: str
    suite: str
    components: tuple[str, ...]
    arch: str
    signed_by: Keys
    check_valid_until: bool | None = True
    snapshot: str = ""
    stand_ins: tuple[str, ...] = ()
    valid_for: tuple[int, int] = (0, 0)
    check_date: bool = True

    @property
    def flat(self) -> bool:
        """Whether the suite is a path below `uri`: Release and Packages lie there, for all architectures at once."""
        return self.suite.endswith("/")

    def place(self, filename: str) -> str:
        """Where a package's Filename lies below `uri`. That of a flat source is relative to its path."""
        return f"{self.suite}{filename}".replace("/./", "/").lstrip("./") if self.flat else filename
