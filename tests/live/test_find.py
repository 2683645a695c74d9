"""`snapshot find` for 500 sets of pins, over a service filled from today's indices, with made-up older revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from math import ceil, log2
from pathlib import Path
from random import Random

import pytest

from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.archive.snapshot import Snapshots
from pinner.distributions.moments import stamp
from pinner.search.find import Finder, wanted_of
from pinner.search.windows import WantedVersion
from pinner.session.access import cache_dir
from pinner.stages.image_names import Named, named
from pinner.stages.sources import sources_of
from tests.snapshots import SnapshotService

pytestmark = pytest.mark.live

AMD = "linux/amd64"
NAMES, DEBIAN, SECURITY = 300, 96, 120  # packages of each suite, imports of each archive
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
History = dict[tuple[str, str], dict[str, dict[str, str]]]  # archive, suite → timestamp → name → version


@dataclass
class World:
    service: SnapshotService
    held: History
    suites: Mapping[str, Named]


def times(random: Random, count: int) -> list[str]:
    seconds = sorted(random.sample(range(300 * 86400), count))
    return [stamp(BEGIN + timedelta(seconds=each)) for each in seconds]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    random = Random(5)
    service = SnapshotService(now=datetime.now(UTC))
    runs = {"debian": times(random, DEBIAN), "debian-security": times(random, SECURITY)}
    archive = Archive(Network(Cache(cache_dir()), datetime.now(UTC), max_age=timedelta(days=1)))
    held: History = {}
    suites = {name: where for name in ("bookworm", "sid", "forky") if isinstance(where := named(name), Named)}
    for where in suites.values():
        indexes, _ = archive.load(
            [source._replace(check_valid_until=False) for source in sources_of(where, "amd64")]
        )
        for index in indexes:
            kept = (index.source.uri.rpartition("/")[2], index.source.suite)
            names = sorted(index.names())
            for name in random.sample(names, min(NAMES, len(names))):
                version = index.packages(name)[0].version
                changes = sorted(random.sample(runs[kept[0]], random.randrange(6)))
                for time in runs[kept[0]]:
                    revision = sum(change <= time for change in changes)
                    older = len(changes) - revision
                    now = version if not older else f"{version}~{chr(ord('z') - older)}"
                    held.setdefault(kept, {}).setdefault(time, {})[name] = now
    for archive_name, stamps in runs.items():
        for time in stamps:
            content = {
                suite: each.get(time, {}) for (name, suite), each in held.items() if name == archive_name
            }
            service.run(archive_name, time, content)
    with service.serve():
        yield World(service, held, suites)


def there(world: World, where: Named, imports: Mapping[str, str], item: WantedVersion) -> bool:
    return any(
        world.held.get((archive, source.suite), {}).get(imports[archive], {}).get(item.name) == item.version
        for source in sources_of(where, "amd64")
        for archive in [source.uri.rpartition("/")[2]]
    )


def fewest(world: World, where: Named, items: Sequence[WantedVersion]) -> tuple[int, set[WantedVersion]]:
    archives = {source.uri.rpartition("/")[2] for source in sources_of(where, "amd64")}
    runs = {name: [run.stamp for run in world.service.runs[name]] for name in archives}
    first = max(stamps[0] for stamps in runs.values())
    sets = set()
    for time in sorted({each for stamps in runs.values() for each in stamps if each >= first}):
        imports = {name: max(s for s in stamps if s <= time) for name, stamps in runs.items()}
        sets.add(frozenset(item for item in items if there(world, where, imports, item)))
    possible = frozenset[WantedVersion]().union(*sets)
    for count in range(len(items) + 1):
        if any(possible <= frozenset[WantedVersion]().union(*some) for some in combinations(sets, count)):
            return count, set(items) - possible
    raise AssertionError


def draw(random: Random, world: World, where: Named) -> tuple[WantedVersion, ...]:
    """Pins of one suite; two times in three of about the same time, as a file's are."""
    pockets = [
        each
        for source in sources_of(where, "amd64")
        if (each := world.held.get((source.uri.rpartition("/")[2], source.suite)))
    ]
    around = random.random()
    found: dict[str, WantedVersion] = {}
    for _ in range(random.randrange(1, 9)):
        pocket = random.choice(pockets)
        stamps = sorted(pocket)
        place = around if random.random() < 0.66 else random.random()
        name, version = random.choice(sorted(pocket[stamps[int(place * len(stamps))]].items()))
        found.setdefault(name, WantedVersion(name, version, AMD))
    return tuple(found.values())


def test_500_sets_of_pins(world: World, tmp_path: Path) -> None:
    random = Random(7)
    now = datetime.now(UTC)
    client = Snapshots(Network(Cache(tmp_path), now), [world.service.url], interval=0)
    keyring = Path(world.service.keys.keyring)
    archive = Archive(Network(Cache(tmp_path), now), snapshots=lambda: client, keyring=keyring)
    finder = Finder(
        client.timestamps, client.first_seen, lambda sources: archive.load(sources)[0], lambda what: None
    )
    at_once = 0
    for number in range(500):
        where = world.suites[("bookworm", "bookworm", "sid", "forky")[number % 4]]
        items = draw(random, world, where)
        result = finder.find(wanted_of(where, items))
        count, never = fewest(world, where, items)
        answer = result.answer
        assert set(answer.never) == never
        assert (len(answer.found) == 1) == (count == 1), (number, items)
        for found in answer.found:
            assert all(there(world, where, dict(found.imports), item) for item in found.items)
        if count == 1 and not never:
            at_once += 1
            assert result.read <= 2 + ceil(log2(result.moments)), (number, result.read)
    assert at_once > 100
