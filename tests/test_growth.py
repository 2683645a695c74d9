"""No construct, however often it is repeated, takes a time out of all proportion.

Each row may take a bound that a machine ten times slower than the slowest of today meets, and that one reader which
compares everything with everything exceeds many times over. `scripts/bench --growth` prints the times and exponents.
"""

from __future__ import annotations

import pytest

from tests.growth import GROWTH, seconds

_MOST = 20.0  # CPU seconds; what is bounded or linear takes 2 at most
_USUAL = 250
#: Where a reader was once found to take a time out of proportion: as many as it took longer for than the bound.
_REPETITIONS = {
    "docker/env chain": 50,
    "gitlab/merged by all": 1_000,
    "gitlab/nesting": 8_000,
    "glob/?*": 4_000,
    "script/comments": 16_000,
    "tar/pax": 170_000,
    "toml/dotted keys": 50_000,
}


@pytest.mark.parametrize("name", GROWTH)
def test_growth(name: str) -> None:
    assert seconds(GROWTH[name], _REPETITIONS.get(name, _USUAL)) < _MOST
