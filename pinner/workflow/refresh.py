"""`pinner refresh`: move pins to what apt would take today, all of them or none.

The story: read each file, load the indices of all suites and platforms at once, decide about each pin, edit, read the
edited text again, follow what the calls bring in now, and state the lock. One pin that cannot be saved, or one line
that apt could not install after the change, is a reason to write nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from pinner.apt.version import compare
from pinner.edit.span import Edit, Span, apply
from pinner.errors import Refused, Unsatisfiable
from pinner.lock.schema import Lock
from pinner.recipe import blocks
from pinner.recipe.installs import Request, pin
from pinner.recipe.repin import repin
from pinner.resolve.universe import Offer, Universe
from pinner.workflow import sources_block, standing
from pinner.workflow.archives import Archives
from pinner.workflow.choose import Choice, choose
from pinner.workflow.read import Call, File, doubt_of, files_of, read
from pinner.workflow.refusals import MOVES
from pinner.workflow.remembered import as_locked
from pinner.workflow.stages import Options
from pinner.workflow.standing import Standing
from pinner.workflow.targets import Problem, Targets
from pinner.workflow.verify import Place, place

#: When a version was first seen: by suite, name and version.
Seen = Mapping[tuple[str, str, str], datetime]


class Wishes(NamedTuple):
    """What is to be moved. `packages` (none: all) and `exclude` are globs of names; `add` pins what has no pin.

    `only`: pins that are gone, or those with a security update. A candidate younger than `min_age` is not taken unless
    the pin is gone; one that is older than the pin only with `allow_older`, or where the stage has another suite than
    the lock says, or reads a snapshot.
    """

    only: Literal["", "gone", "security"] = ""
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    add: bool = False
    min_age: timedelta = timedelta(0)
    allow_older: bool = False

    def cover(self, name: str) -> bool:
        """Whether the caller's names allow to move this package."""
        wanted = not self.packages or any(fnmatchcase(name, glob) for glob in self.packages)
        return wanted and not any(fnmatchcase(name, glob) for glob in self.exclude)


class Move(NamedTuple):
    """A word that gets another version; `old` is "" for one that had none. `offers` are the new ones by platform."""

    place: Place
    name: str
    old: str
    new: str
    standings: Mapping[str, Standing]
    offers: Mapping[str, Offer]


class Stay(NamedTuple):
    """A pin that is not moved although it is not what apt would take, or that nobody could move; `gone` breaks builds.

    With `refuses` nothing at all is written because of it.
    """

    place: Place
    name: str
    pin: str
    why: str
    gone: bool = False
    refuses: bool = False


class Rewritten(NamedTuple):
    """A file's text before and after. Of one that is not `locked` the lock stays as it is."""

    path: str
    old: str
    new: str
    locked: bool = True


class Refreshed(NamedTuple):
    """All that a run would write and say about one project. `lock` holds these files' targets alone.

    `young` are candidates that were not taken because of their age, and since when they are known to be there.
    """

    files: tuple[Rewritten, ...]
    lock: Lock
    moves: tuple[Move, ...]
    stays: tuple[Stay, ...]
    pins: int
    young: Seen
    notes: tuple[str, ...]

    @property
    def refusals(self) -> tuple[Stay, ...]:
        """The reasons to write nothing."""
        return tuple(stay for stay in self.stays if stay.refuses)


class Refresher:
    """Refreshes projects against the same archives. `now` is aware; `seen` is what earlier runs remember."""

    def __init__(self, archives: Archives, now: datetime, wishes: Wishes, seen: Seen) -> None:
        self._archives = archives
        self._now = now
        self._wishes = wishes
        self._seen = seen
        self._young: dict[tuple[str, str, str], datetime] = {}
        self._names: set[str] = set()

    @property
    def unmatched(self) -> tuple[str, ...]:
        """The globs of the packages wished for that have matched no name of any file so far."""
        return tuple(
            glob for glob in self._wishes.packages if not any(fnmatchcase(name, glob) for name in self._names)
        )

    def refresh(self, texts: Mapping[str, str], options: Options, lock: Lock) -> Refreshed:
        """What is to become of these files, by path, and their lock. Raises `PinnerError`; writes nothing.

        Without `only` what the calls bring along is resolved anew; with it, what can still be had stays.
        """
        told = {path: as_locked(options, lock, path) for path in texts}
        files = files_of(texts, told)
        self._archives.prepare(call for file in files for call in file.calls())
        targets = Targets(self._archives, lock if self._wishes.only else Lock())
        known = _Known(lock)
        written: list[Rewritten] = []
        moves: list[Move] = []
        stays: list[Stay] = []
        pins = 0
        for file in files:
            choices: dict[Request, Choice] = {}
            edits: dict[Request, Edit] = {}
            moved: dict[Request, Move] = {}
            own: list[Stay] = []
            for call in file.calls():
                for request in call.requests:
                    self._names.add(request.name)
                    found = self._request(file, call, request, known, choices, edits)
                    if isinstance(found, Move):
                        moved[request] = found
                    elif found is not None:
                        own.append(found)
            own += _conflicts(file, moved, edits)
            stays += own
            old = file.dockerfile.text
            if any(stay.refuses for stay in stays):
                continue
            block: tuple[Edit, ...] = ()
            if options.snapshot and blocks.find(file.dockerfile):
                block = sources_block.edits(file, self._archives)
            new = apply(old, {*edits.values(), *block})
            if new != old:
                _prove(file, read(file.path, new, told[file.path]), choices)
            if not edits and any(stay.gone for stay in own):  # the lock knows more than the archive
                written.append(Rewritten(file.path, old, new, locked=False))
                continue
            for problem in targets.add(file, choices):
                touched = any(request in moved for request in problem.call.requests)
                if not isinstance(problem.error, Refused):
                    stays.append(
                        Stay(
                            place(file, problem.call.install.span),
                            problem.call.install.command,
                            "",
                            _why(problem),
                            gone=True,
                            refuses=touched,
                        )
                    )
            written.append(Rewritten(file.path, old, new))
            moves += moved.values()
            pins += sum(choice.status in {"pinned", "kept"} for choice in choices.values())
        return Refreshed(
            tuple(written), targets.lock(), tuple(moves), tuple(stays), pins, self._young,
            tuple(self._archives.notes),
        )  # fmt: skip

    def _request(
        self,
        file: File,
        call: Call,
        request: Request,
        known: _Known,
        choices: dict[Request, Choice],
        edits: dict[Request, Edit],
    ) -> Move | Stay | None:
        if request.action == "skip":
            choices[request] = Choice("skipped", reason=request.reason, detail=request.detail)
            return None
        unknown = Choice("skipped", reason="other-repository", detail=call.unread)
        if doubt_of(request.name, call.doubts):
            choices[request] = unknown
            return None
        try:
            universes = self._archives.universes(call, request.arch, rooted=request.action == "pin")
        except Unsatisfiable as error:
            choices[request] = Choice("missing", detail=error.message, hint=error.hint, fails=True)
            return None
        if request.action == "pin":
            return self._unpinned(file, call, request, universes, choices, edits)
        asked = call.base.asked
        choices[request] = choose(request, universes, asked=asked)
        if call.unread and choices[request].fails:  # what is not there may be elsewhere
            choices[request] = unknown
            return None
        old = {
            platform: standing.of_pin(universe, request.name, request.pin)
            for platform, universe in universes.items()
        }
        there = {platform: each for platform, each in old.items() if each.state != "gone" or each.newer}
        old = old if asked or not there else there
        gone = any(each.state == "gone" for each in old.values())
        where = place(file, request.word.span)
        if not self._is_wanted(old, gone=gone):
            return None
        if not self._wishes.cover(request.name):
            return Stay(where, request.name, request.pin, "it is left out by name", gone=gone)
        bare = request._replace(action="pin", pin="")
        choice = choose(bare, self._archives.universes(call, request.arch, rooted=True), asked=asked)
        edit = repin(request, choice.version)
        why = ""
        if choice.status != "pinned":
            why = choice.detail or choice.reason
        elif edit is None:
            why = "its version is not written in one place"
        elif self._goes_back(file, call, request.pin, choice.version, known):
            why = older(choice.version)
            gone = True  # whether it is or not: nothing is written
        elif not gone:
            why = self._too_young(choice.offers or {}, known)
        if why or edit is None:
            return Stay(where, request.name, request.pin, why, gone=gone, refuses=gone)
        if choice.version == request.pin:
            return None
        choices[request] = choice
        edits[request] = edit
        return Move(where, request.name, request.pin, choice.version, old, choice.offers or {})

    def _unpinned(
        self,
        file: File,
        call: Call,
        request: Request,
        universes: Mapping[str, Universe],
        choices: dict[Request, Choice],
        edits: dict[Request, Edit],
    ) -> Move | None:
        choice = choose(request, universes, asked=call.base.asked)
        if not self._wishes.add or choice.status != "pinned" or not self._wishes.cover(request.name):
            fails = choice.fails and not call.unread
            choices[request] = choice if fails else Choice("skipped", reason="unpinned")
            return None
        choices[request] = choice
        (edits[request],) = pin(file.dockerfile.text, {request: choice.version})
        where = place(file, request.word.span)
        return Move(where, request.name, "", choice.version, {}, choice.offers or {})

    def _is_wanted(self, standings: Mapping[str, Standing], *, gone: bool) -> bool:
        if self._wishes.only == "gone":
            return gone
        if self._wishes.only == "security":
            return any(each.security for each in standings.values())
        return gone or any(each.state == "superseded" for each in standings.values())

    def _goes_back(self, file: File, call: Call, old: str, new: str, known: _Known) -> bool:
        """Whether a version is older than the pinned one for no reason that the files or the user give."""
        where = self._archives.named(call.base.where)
        if self._wishes.allow_older or where is None or where.at:
            return False
        stage = file.stage_name(call.install.stage)
        suites = {known.suites.get((file.path, stage, platform)) for platform in call.base.platforms}
        return suites <= {None, where.suite.codename} and compare(new, old.rstrip("*")) < 0

    def _too_young(self, offers: Mapping[str, Offer], known: _Known) -> str:
        """Why a candidate is too young. It has been there since the Release that lists it was made, at least."""
        latest = None
        for platform, offer in offers.items():
            since = min(index.release.date for index in offer.pockets)
            keys = [(index.source.suite, offer.name, offer.version) for index in offer.pockets]
            since = min(
                [
                    since,
                    *known.since(offer, platform),
                    *(self._seen[key] for key in keys if key in self._seen),
                ]
            )
            if self._now - since < self._wishes.min_age:
                self._young |= dict.fromkeys(keys, since)
                latest = max(latest or since, since)
        return f"its successor is known since {latest:%Y-%m-%d %H:%M} UTC alone" if latest else ""


class _Known:
    """Since when the lock knows versions: since the date of the Releases that it was made from."""

    def __init__(self, lock: Lock) -> None:
        dates = {
            (release.uri, release.suite): datetime.fromisoformat(release.date) for release in lock.releases
        }
        self.suites = {target.key: target.closure.suite for target in lock.targets}
        packages = lock.by_id()
        self._since: dict[tuple[str, str, str], datetime] = {}
        for target in lock.targets:
            for member in target.closure.members:
                package = packages.get(member.id)
                date = dates.get((package.uri, package.suite)) if package else None
                if package and date is not None:
                    self._since[package.name, package.version, target.platform] = date

    def since(self, offer: Offer, platform: str) -> Iterator[datetime]:
        """The date, if the lock has this version."""
        date = self._since.get((offer.name, offer.version, platform))
        if date is not None:
            yield date


def older(version: str) -> str:
    """Why a pin is not moved to a version that is older."""
    return f"apt would take {version}, which is older: --allow-older goes back"


def _why(problem: Problem) -> str:
    choice = problem.choice()
    hint = f" ({choice.hint})" if choice.hint and choice.hint != MOVES else ""
    return f"apt could not install the line: {choice.detail}{hint}"


def _conflicts(file: File, moved: Mapping[Request, Move], edits: Mapping[Request, Edit]) -> Iterator[Stay]:
    """Words that have their version in the same place, such as the value of a variable, must agree about it."""
    wanted: dict[Span, tuple[Request, Edit]] = {}
    for request, edit in edits.items():
        wanted.setdefault(edit.span, (request, edit))
    for call in file.calls():
        for request in call.requests:
            now = edits.get(request) or (repin(request, request.pin) if request.action == "keep" else None)
            if now is None or now.span not in wanted:
                continue
            other, edit = wanted[now.span]
            if edit != now and other in moved:
                why = f"its version is in the same place as that of {other.name}, which moves to {moved[other].new}"
                yield Stay(place(file, request.word.span), request.name, request.pin, why, refuses=True)


def _prove(file: File, again: File, choices: Mapping[Request, Choice]) -> None:
    """The edited text must ask for the same words with the versions chosen, and have no pin less than before."""
    old = [request for call in file.calls() for request in call.requests]
    now = [request for call in again.calls() for request in call.requests]
    expected = [
        (
            request.name,
            request.arch,
            choices[request].version if choices[request].status == "pinned" else request.pin,
        )
        for request in old
    ]
    if [(request.name, request.arch, request.pin) for request in now] != expected or any(
        before.pin and not after.pin for before, after in zip(old, now, strict=True)
    ):
        raise AssertionError(
            f"{file.path}: the edited file would not ask for what was chosen; nothing was written"
        )
