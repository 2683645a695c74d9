"""A file that is unpacked while it arrives: nobody sees what comes of it before its digest is right.

Unpacking waits for the network no more than it must; what a mirror sends in the file's place goes into a draft that is
dropped (`Archive._build`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import queue


class StartedAnew(Exception):
    """The file began anew after some of it had been handed on."""


class Arriving:
    """Satisfies `fetch.Body`: what a thread fetches, and hands on."""

    def __init__(self) -> None:
        import queue

        self.content = bytearray()
        self._ready: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()

    def __len__(self) -> int:
        return len(self.content)

    def extend(self, piece: bytes | bytearray) -> None:
        """More of it is there."""
        self.content.extend(piece)
        self._ready.put(bytes(piece))

    def clear(self) -> None:
        """It begins anew."""
        if self.content:
            self._ready.put(StartedAnew())
        self.content.clear()

    def fetched(self, fetch: Callable[[], None]) -> None:
        """Fetches it; what this raises reaches whoever takes the pieces."""
        try:
            fetch()
        except BaseException as error:  # handed on
            self._ready.put(error)
        else:
            self._ready.put(None)

    def pieces(self) -> Iterator[bytes]:
        """What has arrived, until it is whole and `fetched` has returned."""
        while (piece := self._ready.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
