"""What the distributions' security teams know, for the commands that ask: each service once a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pinner.archive.advisories import Advisories
from pinner.cli import doors
from pinner.distributions.advisories import Known
from pinner.errors import FetchError, PinnerError, TrustError
from pinner.project.config import Config
from pinner.workflow.vulnerable import releases


class Vulnerabilities:
    """What is known of the releases of all projects. `errors` and `notes` are what was met on the way."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[tuple[object, ...], Known] = {}
        self.errors: dict[PinnerError, None] = {}
        self.notes: dict[str, None] = {}

    def of(self, config: Config, suites: Iterable[str]) -> Known:
        """By release and source package; what could not be had is not in it."""
        found: Known = {}
        mirrors = doors.mirrors(config)
        for distribution, wanted in releases(sorted(set(suites))).items():
            key = (distribution, *wanted, *mirrors.items())
            if key not in self._known:
                self._known[key] = {}
                try:
                    feed = Advisories(doors.cache_dir(), now=self._now, mirrors=mirrors).of(
                        distribution, wanted
                    )
                except (FetchError, TrustError) as error:
                    self.errors[error] = None
                else:
                    self._known[key] = feed.known
                    self.notes |= dict.fromkeys(filter(None, [feed.note]))
            found |= self._known[key]
        return found
