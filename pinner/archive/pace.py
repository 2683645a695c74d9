"""How fast a service may be asked: one connection, and a rest between the answer to one request and the next request.

snapshot.debian.org bans addresses that ask in parallel or without pause.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinner.archive.steady import Adapter

INTERVAL = 1.5  # seconds


class Pace:
    """At least `interval` seconds between requests, whatever threads, redirections and further tries there are.

    `clock` gives seconds that never go back, `wait` sleeps that many. The rest begins with the answer, so that the
    server, too, sees at least `interval` between two requests. `requests` counts them.
    """

    def __init__(
        self, interval: float, *, wait: Callable[[float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._last: float | None = None
        self.requests = 0

    def rest(self) -> None:
        """Waits until the next request may be sent."""
        if self._last is not None:
            missing = self._last + self._interval - self._clock()
            if missing > 0:
                self._wait(missing)

    def adapter(self) -> Adapter:
        """What a session sends its requests through."""
        from pinner.archive.steady import Adapter

        pace = self

        class Paced(Adapter):
            def send(self, *arguments: Any, **options: Any) -> Any:
                with pace._lock:
                    pace.rest()
                    pace.requests += 1
                    try:
                        return super().send(*arguments, **options)
                    finally:
                        pace._last = pace._clock()

        return Paced(pool_maxsize=1, pool_block=True)
