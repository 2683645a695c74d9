"""A binary heap whose order among equals is that of C++'s standard library, on which apt's choices depend.

The algorithms are those that the GNU implementation of `std::push_heap`, `std::pop_heap` and `std::make_heap` is known
to use: sift a hole down to a leaf along the greater children, then sift the value up. `less(a, b)` says that `a` is
less urgent than `b`; the most urgent item is the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Less = Callable[[T, T], bool]


def push(heap: list[T], item: T, less: Less[T]) -> None:
    """Add an item to a heap."""
    heap.append(item)
    _sift_up(heap, len(heap) - 1, 0, item, less)


def pop(heap: list[T], less: Less[T]) -> T:
    """Take the first item from a heap that is not empty."""
    first, last = heap[0], heap.pop()
    if heap:
        _sift_down(heap, 0, last, less)
    return first


def make(heap: list[T], less: Less[T]) -> None:
    """Make a heap of a list."""
    for hole in range(len(heap) // 2 - 1, -1, -1):
        _sift_down(heap, hole, heap[hole], less)


def _sift_up(heap: list[T], hole: int, top: int, item: T, less: Less[T]) -> None:
    while hole > top:
        parent = (hole - 1) // 2
        if not less(heap[parent], item):
            break
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = item


def _sift_down(heap: list[T], hole: int, item: T, less: Less[T]) -> None:
    top, size = hole, len(heap)
    child = 2 * hole + 2
    while child < size:
        if less(heap[child], heap[child - 1]):
            child -= 1
        heap[hole] = heap[child]
        hole = child
        child = 2 * hole + 2
    if child == size:
        heap[hole] = heap[child - 1]
        hole = child - 1
    _sift_up(heap, hole, top, item, less)
