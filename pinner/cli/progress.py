"""What a terminal is shown while a run waits."""

from __future__ import annotations

import sys
import threading
import time

_WIPE = "\r\x1b[K"
_LONG = 3  # seconds of a wait that is shown


def wait(seconds: float) -> None:
    """Sleeps, and tells a terminal of a longer wait."""
    shown = seconds >= _LONG and sys.stderr.isatty()
    if shown:
        sys.stderr.write(f"{_WIPE}waiting for {seconds:.0f} seconds: the service is busy, or did not answer")
        sys.stderr.flush()
    try:
        time.sleep(seconds)
    finally:
        if shown:
            sys.stderr.write(_WIPE)


class ProgressLine:
    """One line on the terminal for all that is fetched, from several threads; overwritten, and wiped at the end."""

    def __init__(self, noun: str) -> None:
        """`noun` is what several of them are called."""
        self._noun = noun
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, int]] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of the `total` bytes of `what` are here."""
        with self._lock:
            self._parts[what] = done, total
            so_far, size = (sum(numbers) / 1e6 for numbers in zip(*self._parts.values(), strict=True))
            label = what if len(self._parts) == 1 else f"{len(self._parts)} {self._noun}"
            sys.stderr.write(f"{_WIPE}fetching {label}: {so_far:.1f} of {size:.1f} MB")
            sys.stderr.flush()

    def wipe(self) -> None:
        """The line is gone; what is fetched later counts anew."""
        with self._lock:
            if self._parts:
                self._parts.clear()
                sys.stderr.write(_WIPE)
                sys.stderr.flush()
