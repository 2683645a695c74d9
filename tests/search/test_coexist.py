"""The search for moments against brute force, over histories made up at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import ceil, log2
from random import Random

import pytest

from pinner.search.coexist import Coexistence, MomentSearch
from pinner.search.windows import ArchiveSuite, Versions, WantedVersion, Windows

SUITES = [("debian", "stable"), ("debian", "updates"), ("security", "stable-security")]
AMD, ARM = "linux/amd64", "linux/arm64"


@dataclass
class History:
    """What each suite held at each import: platform → suite → stamp → name → versions."""

    runs: dict[str, list[str]] = field(default_factory=dict)
    places: list[ArchiveSuite] = field(default_factory=list)
    held: dict[tuple[ArchiveSuite, str], dict[str, tuple[str, ...]]] = field(default_factory=dict)
    gone: set[tuple[ArchiveSuite, str]] = field(default_factory=set)
    early: int = 0

    def look(self, place: ArchiveSuite, stamp: str) -> Versions | None:
        if (place, stamp) in self.gone:
            return None
        held = self.held[place, stamp]
        return lambda name: held.get(name, ())

    def first_seen(self, item: WantedVersion) -> Mapping[str, str]:
        seen: dict[str, str] = {}
        for (place, stamp), held in self.held.items():
            if place.platform == item.platform and any(map(item.fits, held.get(item.name, ()))):
                seen[place.archive] = min(stamp, seen.get(place.archive, stamp))
        return seen

    def search(
        self, items: Sequence[WantedVersion], hints: Sequence[str] = ()
    ) -> tuple[Coexistence, MomentSearch]:
        search = MomentSearch(Windows(self.runs, self.places, items, self.first_seen, self.look), hints)
        return search.run(items), search

    def there(self, imports: Mapping[str, str], item: WantedVersion) -> bool:
        return any(
            any(map(item.fits, versions(item.name)))
            for place in self.places
            if place.platform == item.platform
            and (versions := self.look(place, imports[place.archive])) is not None
        )

    def moments(self) -> list[dict[str, str]]:
        """The imports of each moment, in order."""
        first = max(stamps[0] for stamps in self.runs.values())
        times = sorted({stamp for stamps in self.runs.values() for stamp in stamps if stamp >= first})
        return [
            {name: max(s for s in stamps if s <= time) for name, stamps in self.runs.items()}
            for time in times
        ]

    def newest(self, items: Sequence[WantedVersion]) -> dict[str, str] | None:
        """The last moment that has all of the items."""
        having = [now for now in self.moments() if all(self.there(now, item) for item in items)]
        return having[-1] if having else None

    def brute(self, items: Sequence[WantedVersion]) -> tuple[int, set[WantedVersion]]:
        """How many moments it takes, and the items that none has."""
        sets = [frozenset(item for item in items if self.there(imports, item)) for imports in self.moments()]
        all_of_them = frozenset[WantedVersion]().union(*sets)
        distinct = list(set(sets))
        for number in range(len(items) + 1):
            if any(all_of_them <= frozenset().union(*some) for some in combinations(distinct, number)):
                return number, set(items) - all_of_them
        raise AssertionError


def stamp(number: int) -> str:
    return f"2026{1 + number // 28:02}{1 + number % 28:02}T000000Z"


def history(random: Random, kind: str, length: int) -> History:
    """Packages whose versions grow, each in a suite of its own; with interruptions (`gaps`); or first in the security
    suite and later, with a point release, in the other one, which may leave some out (`pockets`)."""
    made = History()
    for archive in ("debian", "security"):
        chosen = sorted(random.sample(range(length), random.randrange(length // 2, length)))
        made.runs[archive] = [stamp(number) for number in chosen]
    names = [f"p{number}" for number in range(6)]
    home = {name: random.choice(SUITES) for name in names}
    for platform in (AMD, ARM):
        secure = dict.fromkeys(names, 0)
        released = dict.fromkeys(names, 0)
        for time in sorted({*made.runs["debian"], *made.runs["security"]}):
            for name in names:
                secure[name] += random.random() < 0.35
            if random.random() < 0.2:
                released = dict(secure)
            for archive, suite in SUITES:
                if time not in made.runs[archive]:
                    continue
                now = released if kind == "pockets" and archive == "debian" else secure
                held: dict[str, tuple[str, ...]] = {}
                for name in names:
                    here = home[name] == (archive, suite)
                    if kind == "pockets":
                        here = suite != "updates" and (archive == "debian" or secure[name] % 3 > 0)
                    if here and now[name] and not (kind == "gaps" and random.random() < 0.15):
                        held[name] = (f"{now[name]}",)
                made.held[ArchiveSuite(archive, suite, platform), time] = held
        made.places += [ArchiveSuite(archive, suite, platform) for archive, suite in SUITES]
    return made


def items(random: Random, made: History) -> list[WantedVersion]:
    known = sorted(
        {
            WantedVersion(name, version, place.platform)
            for (place, _), held in made.held.items()
            for name, versions in held.items()
            for version in versions
        }
    )
    chosen = random.sample(known, min(len(known), random.randrange(1, 7)))
    return chosen + ([WantedVersion("p0", "99", AMD)] if random.random() < 0.1 else [])


@pytest.mark.parametrize("seed", range(500))
def test_the_newest_moment(seed: int) -> None:
    random = Random(seed)
    made = history(random, "grow", 24)
    wanted = items(random, made)
    answer, search = made.search(wanted)
    fewest, never = made.brute(wanted)
    assert set(answer.never) == never
    assert len(answer.found) == fewest
    for found in answer.found:
        assert all(made.there(dict(found.imports), item) for item in found.items)
    if fewest == 1:
        assert dict(answer.found[0].imports) == made.newest([item for item in wanted if item not in never])
    if fewest == 1 and not never:
        assert max(search.looked.values()) <= 2 * (2 + ceil(log2(search.moments)))


@pytest.mark.parametrize("kind", ["gaps", "pockets"])
@pytest.mark.parametrize("seed", range(60))
def test_packages_that_come_and_go_or_move(seed: int, kind: str) -> None:
    random = Random(seed)
    made = history(random, kind, 14)
    wanted = items(random, made)
    answer, _ = made.search(wanted)
    fewest, never = made.brute(wanted)
    assert set(answer.never) == never
    assert (len(answer.found) == 1) == (fewest == 1)
    assert {item for found in answer.found for item in found.items} == set(wanted) - never
    for found in answer.found:
        assert all(made.there(dict(found.imports), item) for item in found.items)


@pytest.mark.parametrize("seed", range(60))
def test_hints_change_no_answer(seed: int) -> None:
    random = Random(seed)
    made = history(random, "grow", 24)
    wanted = items(random, made)
    hints = random.sample([*made.runs["debian"], *made.runs["security"], "20200101T000000Z"], 4)
    answer, _ = made.search(wanted, hints)
    fewest, never = made.brute(wanted)
    assert (len(answer.found), set(answer.never)) == (fewest, never)


@pytest.mark.parametrize("seed", range(30))
def test_the_first_and_the_last_moment(seed: int) -> None:
    random = Random(seed)
    made = history(random, "grow", 24)
    for item in items(random, made):
        span = MomentSearch(Windows(made.runs, made.places, [item], made.first_seen, made.look)).span([item])
        there = [imports for imports in made.moments() if made.there(imports, item)]
        assert (span is None) == (not there)
        if span is not None:
            assert (dict(span[0].imports), dict(span[1].imports)) == (there[0], there[-1])


@pytest.mark.parametrize("seed", range(40))
def test_imports_that_cannot_be_had(seed: int) -> None:
    random = Random(seed)
    made = history(random, "grow", 24)
    wanted = items(random, made)
    made.gone = {key for key in made.held if random.random() < 0.1}
    answer, _ = made.search(wanted)
    fewest, never = made.brute(wanted)
    assert set(answer.never) == never
    assert len(answer.found) == fewest


def test_a_suite_that_never_was() -> None:
    made = history(Random(1), "grow", 24)
    wanted = [each for each in items(Random(2), made) if each.version != "99"]
    expected = made.brute(wanted)
    absent = ArchiveSuite("debian", "never", AMD)
    made.places.insert(0, absent)
    for time in made.runs["debian"]:
        made.held[absent, time] = {}
        made.gone.add((absent, time))
    answer, search = made.search(wanted)
    assert (len(answer.found), set(answer.never)) == expected
    assert search.looked.get(absent, 0) <= 4


def test_what_nobody_knows_costs_a_few_moments() -> None:
    made = history(Random(3), "grow", 200)
    early = sorted({*made.runs["debian"], *made.runs["security"]})[:100]  # before the suite was begun
    for place, time in list(made.held):
        if time in early:
            made.held[place, time] = {}
            made.gone.add((place, time))
    wanted = [*items(Random(4), made)[:3], WantedVersion("nobody", "1", AMD)]
    answer, search = made.search(wanted)
    fewest, never = made.brute(wanted)
    assert (len(answer.found), set(answer.never)) == (fewest, never)
    assert WantedVersion("nobody", "1", AMD) in never
    assert max(search.looked.values()) <= 8 + fewest * (3 + ceil(log2(search.moments)))
