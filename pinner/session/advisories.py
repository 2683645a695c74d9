"""What the distributions' security teams know, for the commands that ask: each service once a run."""

from __future__ import annotations

from collections.abc import Iterable

from pinner.distributions.advisories import KnownVulnerabilities
from pinner.errors import FetchError, PinnerError, TrustError
from pinner.project.config import Config
from pinner.session.access import Access
from pinner.workflow.vulnerable import releases


class Vulnerabilities:
    """What is known of the releases of all projects. `errors` are what was met on the way, and `notes` gets remarks."""

    def __init__(self, access: Access, notes: dict[str, None]) -> None:
        self._access = access
        self._notes = notes
        self._known: dict[tuple[object, ...], KnownVulnerabilities] = {}
        self.errors: dict[PinnerError, None] = {}

    def of(self, config: Config, suites: Iterable[str]) -> KnownVulnerabilities:
        """By release and source package; what could not be had is not in it."""
        found: KnownVulnerabilities = {}
        mirrors = self._access.mirrors(config)
        for distribution, wanted in releases(sorted(set(suites))).items():
            key = (distribution, *wanted, *mirrors.items())
            if key not in self._known:
                self._known[key] = {}
                try:
                    feed = self._access.advisories(config).of(distribution, wanted)
                except (FetchError, TrustError) as error:
                    self.errors[error] = None
                else:
                    self._known[key] = feed.known
                    self._notes |= dict.fromkeys(filter(None, [feed.note]))
            found |= self._known[key]
        return found
