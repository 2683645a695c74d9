"""What is to become of each argument of an install command in a refresh: moved, or left where it is, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from pinner.apt.version import compare
from pinner.edit.span import Edit, Place
from pinner.recipe.installs import pin
from pinner.recipe.repin import repin
from pinner.resolve.universe import Offer
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice
from pinner.stages.install_commands import doubt_of, place
from pinner.stages.policy import PinForm, Policy
from pinner.stages.suites import Doubt
from pinner.values import NamedTuple
from pinner.workflow import standing
from pinner.workflow.standing import Ages, Argument, LockHistory, SeenDates, Standing

#: Why an argument is left alone: it is not expected to have a pin.
NO_PIN = frozenset({"ignored", "removal"})


class Wishes(NamedTuple):
    """What is to be moved. `packages` (none: all) and `exclude` are globs of names; `add` pins what has no pin.

    `only`: pins that are gone, or these and those with a security update. What `policy` holds does not move unless its
    name is said; new versions have its form. A candidate younger than `min_age` is not taken unless the pin is gone, or
    apt cannot install the command with it any more; one that is older than the pin only with `allow_older`, or where
    the stage has another suite than the lock says, or reads a snapshot.
    """

    only: Literal["", "gone", "security"] = ""
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    add: bool = False
    min_age: timedelta = timedelta(0)
    allow_older: bool = False
    policy: Policy = Policy()

    @property
    def anew(self) -> bool:
        """Whether all moves that can: base images, too, and what the install commands bring in."""
        return not self.only and not self.packages

    def cover(self, name: str) -> bool:
        """Whether the caller's names allow to move this package."""
        wanted = not self.packages or any(fnmatchcase(name, glob) for glob in self.packages)
        return wanted and not any(fnmatchcase(name, glob) for glob in self.exclude)


class VersionMove(NamedTuple):
    """A word that gets another version; `old` is "" for one that had none. `offers` are the new ones by platform,
    `image` is the base image of its stage."""

    place: Place
    name: str
    old: str
    new: str
    standings: Mapping[str, Standing]
    offers: Mapping[str, Offer]
    image: str = ""


class Stay(NamedTuple):
    """A pin that is not moved although it is not what apt would take, or that cannot be moved; `gone` breaks builds.

    With `refuses` it was to move and could not: nothing of its install command moves, nor what has to move with that.
    `code` is the diagnostic's.
    """

    place: Place
    name: str
    pin: str
    why: str
    code: str
    gone: bool = False
    refuses: bool = False


class Decision(NamedTuple):
    """What becomes of an argument: `choice` if it stays as it is, else `moved` with the `edit` that does it. One that
    stays and has both waits: it moves if apt can no longer install its command."""

    choice: Choice
    stay: Stay | None = None
    moved: Choice | None = None
    edit: Edit | None = None
    move: VersionMove | None = None


class Decider:
    """Decides about arguments against the same archives. `now` is aware; `seen` is what earlier runs remember.

    `names` are those of all arguments so far.
    """

    def __init__(self, archives: Archives, now: datetime, wishes: Wishes, seen: SeenDates) -> None:
        self._archives = archives
        self._now = now
        self._wishes = wishes
        self._ages = Ages(now, wishes.min_age, seen)
        self.names: set[str] = set()

    @property
    def young(self) -> SeenDates:
        """The candidates that were not taken because of their age, and since when they are known to be there."""
        return self._ages.young

    def decide(self, argument: Argument, known: LockHistory, before: Sequence[Doubt]) -> Decision:
        """What becomes of an argument. `before` are the doubts of its call while every repository answers: a package
        that the lock has from one that is read is looked for there, though another one is silent."""
        file, call, request = argument
        self.names.add(request.name)
        stay = Stay(place(file, request.word.span), request.name, request.pin, "", "")

        def passed(reason: str, why: str) -> Decision:
            said = stay._replace(why=why, code=reason) if request.pin and reason not in NO_PIN else None
            return Decision(Choice("skipped", reason=reason, detail=why), said)

        if request.action == "skip":
            return passed(request.reason, request.detail)
        doubts = call.doubts
        addresses = self._archives.addresses(call) if doubts else set[str]()
        if addresses and known.comes_from(argument) & addresses:
            doubts = tuple(before)
        if doubt := doubt_of(request.name, doubts):
            return passed("other-repository", doubt.why)
        if addresses and known.had(argument, addresses):
            doubts = ()  # it is nowhere else
        form: PinForm = self._wishes.policy.pin if request.action == "pin" else "exact"
        choice = self._archives.choose(call, request, form, doubts)
        if choice.reason == "target-release":
            lost = stay._replace(why=choice.detail, code=choice.reason, gone=True)
            return Decision(choice, lost if request.pin else None)
        if request.action == "pin":
            return self._unpinned(argument, choice, stay)
        if doubts and choice.reason == "other-repository":
            return Decision(choice)
        universes = self._archives.universes(call, request.arch)
        old = standing.that_count(
            {name: standing.of_pin(each, request.name, request.pin) for name, each in universes.items()},
            asked=call.base.asked,
        )
        gone = any(each.state == "gone" for each in old.values())
        if not self._is_wanted(old, gone=gone):
            return Decision(choice)
        stay = stay._replace(gone=gone)
        if not self._wishes.cover(request.name):
            return Decision(choice, stay._replace(why="it is left out by name", code="excluded"))
        hold = self._wishes.policy.held(request.name, self._now.date()) if not self._wishes.packages else None
        if hold is not None:
            return Decision(choice, stay._replace(why=str(hold), code="held"))
        return self._moved(argument, known, choice, old, stay)

    def _moved(
        self, argument: Argument, known: LockHistory, kept: Choice, old: Mapping[str, Standing], stay: Stay
    ) -> Decision:
        request = argument.request
        bare = request._replace(action="pin", pin="")
        choice = self._archives.choose(argument.call, bare, self._wishes.policy.pin, doubts=())
        edit = repin(request, choice.version)
        why, code, gone = "", "min-age", stay.gone
        if choice.status != "pinned":
            why, code = choice.detail or choice.reason, choice.reason
        elif edit is None:
            why, code = "its version is not written in one place", "scattered"
        elif self._goes_back(argument, choice.version, known):
            why, code, gone = older(choice.version), "downgrade", True  # or not: it must not move
        elif not gone:
            why = self._ages.too_young(choice.offers or {}, known)
        stay = stay._replace(why=why, code=code, gone=gone, refuses=gone)
        if edit is None or (why and code != "min-age"):
            return Decision(kept, stay)
        if choice.version == request.pin:
            return Decision(kept)
        return Decision(kept, stay if why else None, choice, edit, _move(argument, choice, old, stay.place))

    def _unpinned(self, argument: Argument, choice: Choice, stay: Stay) -> Decision:
        file, call, request = argument
        if choice.fails and not call.unread:
            return Decision(choice, stay._replace(pin="", why=choice.detail, code=choice.reason, gone=True))
        kept = Choice("skipped", reason="unpinned")
        if not self._wishes.add or choice.status != "pinned" or not self._wishes.cover(request.name):
            return Decision(kept)
        (edit,) = pin(file.dockerfile.text, {request: choice.version})
        return Decision(kept, None, choice, edit, _move(argument, choice, {}, stay.place))

    def _is_wanted(self, standings: Mapping[str, Standing], *, gone: bool) -> bool:
        if gone or self._wishes.only == "gone":
            return gone
        if self._wishes.only == "security":
            return any(each.security for each in standings.values())
        return any(each.state == "superseded" for each in standings.values())

    def _goes_back(self, argument: Argument, new: str, known: LockHistory) -> bool:
        """Whether a version is older than the pinned one for no reason that the files or the user give."""
        file, call, request = argument
        where = self._archives.named(call.base.where)
        if self._wishes.allow_older or where is None or where.at:
            return False
        suites = {known.suites.get((file.path, argument.stage, each)) for each in call.base.platforms}
        return suites <= {None, where.suite.codename} and compare(new, request.pin.rstrip("*")) < 0


def _move(argument: Argument, choice: Choice, old: Mapping[str, Standing], where: Place) -> VersionMove:
    request, image = argument.request, argument.call.base.image.partition("@")[0]
    return VersionMove(where, request.name, request.pin, choice.version, old, choice.offers or {}, image)


def older(version: str) -> str:
    """Why a pin is not moved to a version that is older."""
    return f"apt would take {version}, which is older: --allow-older goes back"
