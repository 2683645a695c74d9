"""The sources that apt reads of a suite, now or at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from pinner.apt.decisions import UNTOLD
from pinner.apt.sources import Source
from pinner.apt.sources_list import SourceEntry
from pinner.apt.version import key
from pinner.distributions.catalogue import DEFAULT_PLATFORMS, PLATFORMS
from pinner.distributions.moments import Moment, archive_of, everywhere, is_stamp, split
from pinner.distributions.suite import Suite
from pinner.stages.image_names import Alias, Named, Unnamed
from pinner.stages.repositories import default, in_order
from pinner.stages.suites import StageBase


def alias_source(alias: Alias) -> Source:
    """The source whose Release tells the codename behind `alias`; any architecture serves."""
    distribution = alias.distribution
    arch = PLATFORMS[DEFAULT_PLATFORMS[0]]
    source = Source(distribution.alias_uri, alias.name, distribution.components, arch, distribution.signed_by)
    then = at_moment(source, alias.at)
    assert then is not None  # a distribution's own archive is kept
    return then


def sources_of(where: Named, arch: str) -> tuple[Source, ...]:
    """The sources that an image of this suite reads for one Debian architecture, in apt's order.

    At a moment those that have a snapshot. For the architecture `source` those of source packages.
    """
    if arch == "source":
        native = PLATFORMS[DEFAULT_PLATFORMS[0]]
        own = where._replace(listed=where.source_packages)
        return tuple(each._replace(arch=arch) for each in sources_of(own, native))
    then = (at_moment(source, moment) for source, moment in _with_moments(where, arch))
    return tuple(dict.fromkeys(source for source in then if source is not None))


def _with_moments(where: Named, arch: str) -> Iterator[tuple[Source, Moment | None]]:
    """The sources that apt reads as it is configured, each with the moment at which it is read."""
    listed = where.listed
    if listed is None:
        listed = tuple(default(where.suite, where.distribution, arch, where.variant))
    for each in in_order(listed):
        if not each.path or where.decided.places.sources(each.path):
            source = each.source(arch, where.decided)
            if source is not None:
                yield source, _asked_of(where, each.entry) or where.at


def _asked_of(where: Named, entry: SourceEntry) -> Moment | None:
    """The moment for which apt itself is asked (apt-get(8), `--snapshot`; sources.list(5), `Snapshot`)."""
    said = entry.snapshot.lower()
    if not _knows_snapshots(where.suite) or said in _LIVE:
        return None
    stamp = where.decided.snapshot if said in _AS_ASKED else entry.snapshot
    return everywhere(stamp) if is_stamp(stamp) else None


# What an entry says of snapshots beside naming one.
_LIVE = frozenset({"no", "disable", "false", "0"})


_AS_ASKED = frozenset({"", "yes", "enable", "true", "1"})


def _knows_snapshots(suite: Suite) -> bool:
    """Whether a suite's apt reads snapshots by itself; one that does not passes over what sources say of them."""
    return key(suite.apt) >= key("2.7")


def snapshot_problem(base: StageBase, *, asked: bool) -> str:
    """A clause about snapshots that apt is to read and pinner does not, "" if there are none.

    `asked` tells that an option of the command names one, which an apt that knows none refuses.
    """
    where = base.where
    assert isinstance(where, Named)
    entries = [each.entry.snapshot for each in where.listed or ()]
    stamps = [stamp for stamp in (*entries, where.decided.snapshot) if stamp.lower() not in _LIVE | _AS_ASKED]
    if not stamps:
        return ""
    apt = f"apt {where.suite.apt} of {where.suite.codename}"
    if not _knows_snapshots(where.suite):
        # Ubuntu's older ones got a part of it (2.0.10, 2.4.11).
        if where.distribution.name == "ubuntu" and key(where.suite.apt) >= key("2.0.10"):
            return f"{apt} is asked for the snapshot {stamps[-1]}, which pinner does not follow there"
        return f"{apt} knows no snapshots" if asked else ""
    odd = next((stamp for stamp in stamps if not is_stamp(stamp)), "")
    if odd:
        return f"{apt} is asked for the snapshot {odd}, which is no moment that pinner reads"
    return without_snapshot(base)


def told_to_apt(stands: Sequence[Named | Alias | Unnamed], arch: str) -> str:
    """A digest of what apt reads beyond a suite's own sources, for the install commands of a stage in turn."""
    told = [
        (sources_of(where, arch), where.preferences, where.decided.release)
        for where in stands
        if isinstance(where, Named)
        and (where.listed is not None or where.preferences or where.decided != UNTOLD)
    ]
    if not told:
        return ""
    lines = [
        *(
            f"{each.uri} {each.suite} {' '.join(each.components)}"
            for sources, _, _ in told
            for each in sources
        ),
        *(f"{path}\n{text}" for _, preferences, _ in told for path, text in preferences),
        *(f"-t {release}" for _, _, release in told),
    ]
    text = "\n".join(lines)
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def without_snapshot(base: StageBase) -> str:
    """A clause about a repository that a stage reads and has no snapshot, at its moment or ever; "" if none is."""
    where = base.where
    for name in base.platforms if isinstance(where, Named) else ():
        assert isinstance(where, Named)
        for source, moment in _with_moments(where, PLATFORMS[name]):
            if not source.snapshot and (moment.uri(source.uri) if moment else archive_of(source.uri)) is None:
                return f"apt reads {source.uri} too, which has no snapshot and may serve another version"
    return ""


def at_moment(source: Source, moment: Moment | None) -> Source | None:
    """The source as it was at a moment, None if there is no snapshot of it.

    A key may have expired since; Valid-Until is judged at that time. A source that names a snapshot stays as it is.
    """
    if moment is None or source.snapshot:
        return source
    uri = moment.uri(source.uri)
    if uri is None:
        return None
    _, stamp = split(uri) or ("", "")
    keys = source.signed_by._replace(accept_expired=True)
    return source._replace(uri=uri, signed_by=keys, check_valid_until=False, snapshot=stamp)
