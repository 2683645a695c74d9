"""A file that is unpacked while it arrives: the result is not given out before its digest is right.

Unpacking waits for the network no more than it must; what a mirror sends in the file's place goes into a draft that is
dropped (`Archive._build`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pinner.apt.digest import algorithm
from pinner.apt.release import FileEntry
from pinner.errors import TrustError

if TYPE_CHECKING:
    import queue


_AHEAD = 8  # pieces that wait to be unpacked


class StartedAnew(Exception):
    """The file began anew after some of it had been handed on."""


class Faster(Exception):
    """So many bytes a second arrive that another form of the file would be there sooner."""

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self.rate = rate


class Arriving:
    """Satisfies `fetch.Body`: what a thread fetches, and hands on. None of it is kept."""

    def __init__(self, wanted: FileEntry) -> None:
        """`wanted` is what the Release says of it."""
        import queue

        self._wanted = wanted
        self._begin()
        self._ready: queue.Queue[bytes | BaseException | None] = queue.Queue(_AHEAD)
        self._abandoned = False

    def _begin(self) -> None:
        self._size, self._digest = 0, hashlib.new(algorithm(self._wanted.digest))

    def __len__(self) -> int:
        return self._size

    def extend(self, piece: bytes | bytearray) -> None:
        """More of it is there."""
        self._size += len(piece)
        self._digest.update(piece)
        self._hand_on(bytes(piece))

    def _hand_on(self, item: bytes | BaseException | None) -> None:
        if self._abandoned:
            raise StartedAnew  # nobody takes it
        self._ready.put(item)

    def clear(self) -> None:
        """It begins anew."""
        if self._size:
            self._hand_on(StartedAnew())
        self._begin()

    def fetched(self, fetch: Callable[[], None]) -> None:
        """Fetches it; what this raises, and `TrustError` for another file than was wanted, reaches whoever takes the
        pieces."""
        try:
            fetch()
            if (self._size, self._digest.hexdigest()) != (self._wanted.size, self._wanted.digest):
                raise TrustError("another file than the Release names")
            self._hand_on(None)
        except BaseException as error:  # handed on, before what has no use any more
            self._take_back()
            if not self._abandoned:
                self._ready.put(error)

    def pieces(self) -> Iterator[bytes]:
        """What has arrived, until it is whole and `fetched` has returned."""
        try:
            while (piece := self._ready.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self._abandoned = True
            self._take_back()  # lets a waiting thread go on, to see that nobody listens

    def _take_back(self) -> None:
        import queue

        with suppress(queue.Empty):
            while True:
                self._ready.get_nowait()
