"""A bit that fell over in a file of the cache is noticed, what was kept is fetched anew, and results are the same."""

from __future__ import annotations

import random
from pathlib import Path

from tests.cli.workbench import Workbench

_FLIPS = 40


def test_bits_that_fell_over(bench: Workbench) -> None:
    draw = random.Random(12)
    bench.archive.validators = True
    assert bench.run("lock").status == 0
    first = bench.run("verify", "--json")
    files = sorted(path for path in bench.cache.rglob("*") if path.is_file())
    assert {path.relative_to(bench.cache).parts[0] for path in files} >= {"http", "indices", "releases"}
    wanted = {path: path.read_bytes() for path in files}
    for number in range(_FLIPS):
        path: Path = files[number % len(files)]
        damaged = bytearray(wanted[path])
        at = draw.randrange(len(damaged)) if number % 3 else draw.randrange(min(len(damaged), 200))
        damaged[at] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        done = bench.run("verify", "--json")
        assert done == first, (path.relative_to(bench.cache), at)
        for each, content in wanted.items():
            each.write_bytes(content)
