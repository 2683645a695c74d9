"""Threads that hand over results and errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from pinner.archive import parallel


def test_results_come_in_the_order_of_the_tasks() -> None:
    first, second = threading.Event(), threading.Event()

    def one() -> int:
        second.wait(5)
        return 1

    def two() -> int:
        second.set()
        first.set()
        return 2

    assert parallel.run([one, two], 2) == [1, 2]
    assert parallel.run([partial(int, n) for n in range(100)], 3) == list(range(100))
    assert parallel.run([], 3) == []


def test_the_first_error_counts() -> None:
    def fail(with_what: str) -> int:
        raise KeyError(with_what)

    for _ in range(20):
        with pytest.raises(KeyError, match="a"):
            parallel.run([lambda: 1, lambda: fail("a"), lambda: fail("b"), lambda: fail("c")], 4)


def chunks(count: int, end: Exception | None = None) -> Iterator[bytes]:
    yield from (b"%d" % number for number in range(count))
    if end is not None:
        raise end


def test_chunks_come_in_order_and_errors_at_their_place() -> None:
    expected = list(chunks(50))
    assert list(parallel.ahead(chunks(50), 2)) == expected
    taken = []
    with pytest.raises(KeyError):
        for chunk in parallel.ahead(chunks(3, KeyError()), 2):
            taken.append(chunk)
    assert taken == expected[:3]


def test_a_reader_that_stops_early_stops_the_thread() -> None:
    before = threading.active_count()
    reader = parallel.ahead(chunks(1000), 2)
    assert next(reader) == b"0"
    reader.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate()[before:]:
        thread.join(5)
    assert threading.active_count() == before
