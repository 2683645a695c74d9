"""What a team has decided about its pins once for all runs: `[policy]` of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from pinner.distributions.advisories import LEVELS
from pinner.values import NamedTuple

PinForm = Literal["exact", "upstream*"]
FORMS: tuple[PinForm, ...] = ("exact", "upstream*")
#: What `verify` can fail on: pins that are not the newest, and vulnerabilities from a severity on.
FAILURES = ("superseded", "security", *(f"cve:{level}" for level in LEVELS))


class Hold(NamedTuple):
    """Packages (a glob of names) that are not to move before the day `until`, None for as long as it stands here."""

    package: str
    until: date | None
    reason: str

    def holds(self, name: str, today: date) -> bool:
        """Whether a package is held."""
        return fnmatchcase(name, self.package) and not self.has_ended(today)

    def has_ended(self, today: date) -> bool:
        """Whether its day has come."""
        return self.until is not None and today >= self.until

    def __str__(self) -> str:
        """Until when and why, as a clause."""
        until = f" until {self.until}" if self.until else ""
        return f"held{until}" + (f": {self.reason}" if self.reason else "")


class Accepted(NamedTuple):
    """A vulnerability that was accepted: `id` and `package` (of the source or the binary) are globs. It does
    not count before the day `until`, None for as long as it stands here."""

    id: str
    package: str
    until: date | None
    reason: str

    def accepts(self, number: str, names: Iterable[str], today: date) -> bool:
        """Whether a vulnerability of packages of these names does not count."""
        if self.until is not None and today >= self.until:
            return False
        return fnmatchcase(number, self.id) and any(fnmatchcase(name, self.package) for name in names)

    def __str__(self) -> str:
        """Until when and why, as a clause."""
        return f"accepted{f' until {self.until}' if self.until else ''}: {self.reason}"


class Policy(NamedTuple):
    """`min_age`: of a candidate before a pin moves to it. `security_only`: a pin moves only for a security update, or
    if it is gone. `pin`: the form of new versions, `upstream*` for a glob that outlives the distribution's revisions.
    `max_lag`: how long a newer version may have been known, None for ever. `fail_on`: see `verify --fail-on`.
    `accept`: vulnerabilities that do not count.
    """

    min_age: timedelta = timedelta(0)
    security_only: bool = False
    hold: tuple[Hold, ...] = ()
    pin: PinForm = "exact"
    max_lag: timedelta | None = None
    fail_on: tuple[str, ...] = ()
    accept: tuple[Accepted, ...] = ()

    def held(self, name: str, today: date) -> Hold | None:
        """What holds a package."""
        return next((each for each in self.hold if each.holds(name, today)), None)

    def ended(self, today: date) -> Iterator[str]:
        """A note for each hold and each accepted vulnerability whose day has come."""
        for each in self.hold:
            if each.has_ended(today):
                why = f" ({each.reason})" if each.reason else ""
                yield f"the hold of {each.package}{why} has ended on {each.until}: take it out of [policy]"
        for one in self.accept:
            if one.until is not None and today >= one.until:
                yield f"{one.id} was accepted until {one.until} ({one.reason}): it counts again"

    def accepted(self, number: str, names: Iterable[str], today: date) -> Accepted | None:
        """What says that a vulnerability does not count."""
        return next((each for each in self.accept if each.accepts(number, names, today)), None)
