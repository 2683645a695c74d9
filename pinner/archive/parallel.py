"""Threads for work that waits for the network or runs without Python's lock (hashing, unpacking, SQLite).

All threads are daemons: an interrupt ends the program at once, whatever they wait for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import queue

T = TypeVar("T")


def run(tasks: Sequence[Callable[[], T]], width: int) -> list[T]:
    """The results of `tasks` in their order, at most `width` at a time.

    All are done before the error of the first one that failed is raised, so that the same fault always gives the
    same message.
    """
    if len(tasks) <= 1:
        return [task() for task in tasks]
    import queue

    waiting = iter(enumerate(tasks))
    lock = threading.Lock()
    done: queue.SimpleQueue[tuple[int, T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        while True:
            with lock:
                number, task = next(waiting, (-1, None))
            if task is None:
                return
            try:
                done.put((number, task(), None))
            except BaseException as error:  # handed to the caller
                done.put((number, None, error))

    for _ in range(min(width, len(tasks))):
        threading.Thread(target=work, daemon=True).start()
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}
    for _ in tasks:
        number, result, error = _next(done)
        if error is None:
            results[number] = result  # type: ignore[assignment]
        else:
            errors[number] = error
    if errors:
        raise errors[min(errors)]
    return [results[number] for number in range(len(tasks))]


def _next(ready: queue.SimpleQueue[T] | queue.Queue[T]) -> T:
    """The next item. An interrupt that comes just before the wait for it begins would be noticed only after it."""
    import queue

    while True:
        with suppress(queue.Empty):
            return ready.get(timeout=0.5)


def ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items, made in a thread that begins now and is up to `depth` of them ahead. None of them is None."""
    import queue

    ready: queue.Queue[T | BaseException | None] = queue.Queue(depth)
    abandoned = threading.Event()

    def work() -> None:
        last: BaseException | None = None
        try:
            for item in items:
                ready.put(item)
                if abandoned.is_set():
                    return
        except BaseException as error:  # handed to the caller
            last = error
        ready.put(last)

    def taken() -> Iterator[T]:
        try:
            while (item := _next(ready)) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            abandoned.set()
            while not ready.empty():  # lets a waiting `put` go on, to see that nobody listens
                ready.get()

    threading.Thread(target=work, daemon=True).start()
    return taken()
