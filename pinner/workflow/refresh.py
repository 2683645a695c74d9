"""`pinner refresh`: move pins to what apt would take today.

The story: read each file, load the indices of all suites and platforms at once, decide about each pin, edit, read the
edited text again, follow what the calls bring in now, and state the lock. What is in one install command moves together
or not at all, and so does what shares a version's place; nothing else has to wait for a pin that cannot move, or for an
archive that cannot be read.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import cast

from pinner.edit.span import Edit, Place, Span, apply
from pinner.errors import InputError, PinnerError, Refused
from pinner.lock.schema import Lock
from pinner.recipe import blocks
from pinner.recipe.installs import Request
from pinner.recipe.repin import repin
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice
from pinner.stages.install_commands import File, InstallCommand, place
from pinner.stages.scripts import scripts_first, with_scripts
from pinner.stages.suites import Options, chain
from pinner.stages.unreachable import prepare
from pinner.values import NamedTuple
from pinner.workflow import sources_block
from pinner.workflow.lock import in_scripts, prove
from pinner.workflow.moves import NO_PIN, Decider, Decision, Stay, VersionMove, Wishes
from pinner.workflow.refusals import MOVES, Removal
from pinner.workflow.remembered import as_locked
from pinner.workflow.solved import Solved
from pinner.workflow.standing import Argument, LockHistory, SeenDates
from pinner.workflow.targets import Problem, Targets


class Rewritten(NamedTuple):
    """A file's text before and after. Of one that is not `locked` the lock stays as it is."""

    path: str
    old: str
    new: str
    locked: bool = True


class Refreshed(NamedTuple):
    """All that a run would write and say about one project. `lock` holds these files' targets alone.

    `unpinned` are the arguments that have no pin; `errors` are those of files that take no part, by path, `unreachable`
    those of repositories that were done without.
    `young` are candidates that were not taken because of their age, and since when they are known to be there.
    """

    files: tuple[Rewritten, ...]
    lock: Lock
    moves: tuple[VersionMove, ...]
    stays: tuple[Stay, ...]
    unpinned: tuple[Stay, ...]
    pins: int
    young: SeenDates
    notes: tuple[str, ...]
    errors: Mapping[str, PinnerError]
    unreachable: tuple[PinnerError, ...]

    @property
    def refusals(self) -> tuple[Stay, ...]:
        """What was to move and could not."""
        return tuple(stay for stay in self.stays if stay.refuses)

    def without(self, left: Mapping[str, Sequence[Stay]]) -> Refreshed:
        """The same with files left as they are, by path, for these reasons."""
        lock = self.lock
        targets = tuple(each for each in lock.targets if each.file not in left)
        used = {member.id for target in targets for member in target.closure.members}
        packages = tuple(each for each in lock.packages if each.id in used)
        return self._replace(
            files=tuple(each for each in self.files if each.path not in left),
            lock=lock._replace(targets=targets, packages=packages),
            moves=tuple(each for each in self.moves if each.place.path not in left),
            stays=(*self.stays, *(stay for stays in left.values() for stay in stays)),
        )


class Refresher:
    """Refreshes projects against the same archives. `now` is aware; `seen` is what earlier runs remember."""

    def __init__(
        self, archives: Archives, now: datetime, wishes: Wishes, seen: SeenDates, solved: Solved | None = None
    ) -> None:
        self._archives = archives
        self._solved = solved
        self._wishes = wishes
        self._decider = Decider(archives, now, wishes, seen)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """The globs of the packages wished for that have matched no name of any file so far."""
        names = self._decider.names
        return tuple(
            glob for glob in self._wishes.packages if not any(fnmatchcase(name, glob) for name in names)
        )

    def refresh(self, texts: Mapping[str, str], options: Options, lock: Lock) -> Refreshed:
        """What is to become of these files, by path, and their lock. Raises `PinnerError`; writes nothing.

        Where all is to move, what the calls bring in is resolved anew; else what can still be had stays.
        """
        own_options = {path: as_locked(options, lock, path) for path in texts}
        prepared = prepare(texts, own_options, self._archives)
        if prepared.fatal:
            raise prepared.fatal
        errors = {**prepared.unread, **prepared.unserved}
        targets = Targets(self._archives, lock, self._solved, anew=self._wishes.anew)
        known = LockHistory(lock)
        written: list[Rewritten] = []
        moves: list[VersionMove] = []
        stays: list[Stay] = []
        unpinned: list[Stay] = []
        pins = 0
        for path, error in errors.items():
            stays += _unserved(path, prepared.read.get(path), error)
        for each in scripts_first(prepared.files):
            file, own = with_scripts(
                each, prepared.options[each.path], {done.path: done.new for done in written}
            )
            scripted = in_scripts(file, self._archives)
            one = _One(file, self._decider, known, prepared.read[file.path], scripted)
            try:
                written.append(self._rewritten(one, own, targets))
                moves += one.moves
                pins += one.pins
            except InputError as problem:
                problem.path = problem.path or file.path
                errors[file.path] = problem
                targets.drop(file.path)
            stays += one.stays
            unpinned += one.unpinned()
        order = [file.path for file in prepared.files]
        written.sort(key=lambda each: order.index(each.path))
        return Refreshed(
            tuple(written), targets.lock(), tuple(moves), tuple(stays), tuple(unpinned), pins, self._decider.young,
            tuple(self._archives.notes), errors, tuple(prepared.unreachable),
        )  # fmt: skip

    def _rewritten(self, one: _One, options: Options, targets: Targets) -> Rewritten:
        """A file with what moves. Raises `InputError` where it can get no sources block, or no pins."""
        file, old = one.file, one.file.dockerfile.text
        with_block = bool(options.snapshot and blocks.find(file.dockerfile))
        block = sources_block.edits(file, self._archives) if with_block else ()
        edits = one.settle(targets, whole=with_block)
        locked = not (with_block and one.dropped)
        if not edits and any(stay.gone for stay in one.stays):
            locked = False  # nothing is new here, and the lock knows more than the archive
        new = apply(old, {*edits.values(), *(block if locked else ())})
        if new != old:
            prove(file, new, one.choices, options)
        if not locked:
            targets.drop(file.path)
        return Rewritten(file.path, old, new, locked)


class _One:
    """One file: what may move, in groups of install commands that move together or not at all.

    `before` is the file as it is read while every repository answers, `scripted` what apt takes for the words in
    scripts that it runs; `stays`, `moves` and `choices` are what came of it.
    """

    def __init__(
        self,
        file: File,
        decider: Decider,
        known: LockHistory,
        before: File,
        scripted: Mapping[Request, Choice],
    ) -> None:
        self.file = file
        self._scripted = scripted
        doubts = {call.install.span: call.doubts for call in before.calls()}
        self._decisions: dict[Request, Decision] = {}
        self._waiting: dict[Request, Decision] = {}
        self._groups: dict[Span, int] = {}
        self.stays: list[Stay] = []
        self.choices: Mapping[Request, Choice] = {}
        self.dropped: set[int] = set()
        places: dict[Span, int] = {}
        for number, call in enumerate(file.calls()):
            self._groups[call.install.span] = number
            for request in call.requests:
                earlier = doubts.get(call.install.span, call.doubts)
                found = decider.decide(Argument(file, call, request), known, earlier)
                if found.stay and found.move:
                    self._waiting[request], found = found, Decision(found.choice, found.stay)
                self._decisions[request] = found
                own = found.edit or (repin(request, request.pin) if request.action == "keep" else None)
                if own is not None and (other := places.setdefault(own.span, number)) != number:
                    self._join(other, number)
        for call in file.calls():
            for request in call.requests:
                stay = self._decisions[request].stay
                self._note(call, stay, drop=stay is not None and stay.refuses)
        for call, stay in self._conflicts():
            self._note(call, stay, drop=True)

    def _join(self, one: int, other: int) -> None:
        keep, old = self._groups_of(one), self._groups_of(other)
        self._groups |= {span: keep for span, group in self._groups.items() if group == old}

    def _groups_of(self, number: int) -> int:
        return list(self._groups.values())[number]

    def _note(self, call: InstallCommand, stay: Stay | None, *, drop: bool) -> None:
        if stay is not None:
            self.stays.append(stay)
        if drop:
            self.dropped.add(self._groups[call.install.span])

    def _moving(self) -> dict[Request, Decision]:
        return {
            request: self._decisions[request]
            for call in self.file.calls()
            if self._groups[call.install.span] not in self.dropped
            for request in call.requests
            if self._decisions[request].move is not None
        }

    @property
    def moves(self) -> Iterator[VersionMove]:
        """The moves that take place."""
        return (each.move for each in self._moving().values() if each.move is not None)

    @property
    def pins(self) -> int:
        """How many arguments have a pin."""
        own = (choice for word, choice in self.choices.items() if word not in self._scripted)
        return sum(choice.status in {"pinned", "kept"} for choice in own)

    def unpinned(self) -> Iterator[Stay]:
        """The arguments that have no pin, of which nothing else is said."""
        for call in self.file.calls():
            for request in call.requests:
                choice = self.choices.get(request)
                if choice and choice.status == "skipped" and not request.pin and choice.reason not in NO_PIN:
                    where = place(self.file, request.word.span)
                    why, code = choice.detail or "has no pin", choice.reason or "unpinned"
                    yield Stay(where, request.name or request.word.raw, "", why, code)

    def _conflicts(self) -> Iterator[tuple[InstallCommand, Stay]]:
        """Words that have their version in the same place, such as the value of a variable, must agree about it."""
        moving = self._moving()
        wanted: dict[Span, tuple[Edit, VersionMove]] = {}
        for each in moving.values():
            if each.edit is not None and each.move is not None:
                wanted.setdefault(each.edit.span, (each.edit, each.move))
        for call in self.file.calls():
            for request in call.requests:
                found = self._decisions[request]
                own = found.edit or (repin(request, request.pin) if request.action == "keep" else None)
                if own is None or own.span not in wanted or wanted[own.span][0] == own:
                    continue
                move = wanted[own.span][1]
                why = f"its version is in the same place as that of {move.name}, which moves to {move.new}"
                where = place(self.file, request.word.span)
                yield call, Stay(where, request.name, request.pin, why, "together", refuses=True)

    def settle(self, targets: Targets, *, whole: bool) -> dict[Request, Edit]:
        """The edits in the end, by the `choices`: nothing moves that apt could not install then. Adds the targets.

        With `whole` all of the file moves, or none.
        """
        while True:
            if whole and self.dropped:
                self.dropped |= {*self._groups.values()}
            moving = self._moving()
            self.choices = self._choices(moving)
            problems = targets.add(self.file, self.choices)
            if self._wait_no_longer(problems):
                targets.drop(self.file.path)
                continue
            found = self._broken_by_moves(problems, moving, targets) if moving else None
            if found is None:
                break
            problem, groups = found
            for call in self.file.calls():
                if self._groups[call.install.span] in groups and any(
                    word in moving for word in call.requests
                ):
                    self.stays.append(self._stay(problem, refuses=True, at=call))
            self.dropped |= groups
            targets.drop(self.file.path)
        noted = {stay.place for stay in self.stays}
        certain = [each for each in problems if not isinstance(each.error, Refused)]
        remaining = [self._stay(problem, refuses=False) for problem in certain]
        self.stays += [stay for stay in remaining if stay.place not in noted]
        return {request: found.edit for request, found in moving.items() if found.edit is not None}

    def _wait_no_longer(self, problems: Sequence[Problem]) -> bool:
        """Let what waits for its version's age move if apt can no longer install its command; whether anything does."""
        broken = [each.call for each in problems if not isinstance(each.error, Refused)]
        late = [request for call in broken for request in call.requests if request in self._waiting]
        for request in late:
            found = self._waiting.pop(request)
            self.stays.remove(cast(Stay, found.stay))
            self._decisions[request] = found._replace(stay=None)
        for call, stay in self._conflicts() if late else ():
            self._note(call, stay, drop=True)
        return bool(late)

    def _choices(self, moving: Container[Request]) -> dict[Request, Choice]:
        return {**self._scripted} | {
            request: found.moved if request in moving and found.moved else found.choice
            for request, found in self._decisions.items()
        }

    def _broken_by_moves(
        self, problems: Sequence[Problem], moving: Mapping[Request, Decision], targets: Targets
    ) -> tuple[Problem, set[int]] | None:
        """The first problem that moves make, and the groups that must not move therefore: the command's own, that of an
        earlier command of its stage, or all of these. A command that moves itself is stopped by what apt is certain to
        refuse alone, or moved pins would never get out of what pinner does not follow."""
        unmoved = self._choices(())

        def losses(moving: Container[Request]) -> list[Problem]:
            return targets.losses(self.file, self._choices(moving), unmoved)

        problems = [
            each
            for each in (*problems, *losses(moving))
            if not isinstance(each.error, Refused) or not any(word in moving for word in each.call.requests)
        ]
        if not problems:
            return None
        before = targets.failing(self.file, unmoved)
        for problem in problems:
            span = problem.call.install.span
            parsed = self.file.dockerfile
            below = {each.index for each in chain(parsed, parsed.stages[problem.call.install.stage])}
            calls = (call for call in self.file.calls() if call.install.stage in below)
            until = [call.install.span for call in calls if call.install.span.start <= span.start]
            groups = list(dict.fromkeys(self._groups[each] for each in reversed(until)))
            groups = [each for each in groups if each not in self.dropped]
            own = any(word in moving for word in problem.call.requests)
            if not groups or (span in before and not own):
                continue
            if own and isinstance(problem.error, Removal):
                return problem, {self._groups[span]}
            for group in groups if len(groups) > 1 else ():
                rest = {word for word in moving if word not in self._words(group)}
                losing = {each.call.install.span for each in losses(rest)}
                if span not in losing | targets.failing(self.file, self._choices(rest)):
                    return problem, {group}
            return problem, {self._groups[span]} if own and span in before else {*groups}
        return None

    def _words(self, group: int) -> set[Request]:
        calls = (call for call in self.file.calls() if self._groups[call.install.span] == group)
        return {request for call in calls for request in call.requests}

    def _stay(self, problem: Problem, *, refuses: bool, at: InstallCommand | None = None) -> Stay:
        """A command that stays, for a problem of its own or of another one."""
        install = (at or problem.call).install
        line = "the line"
        if install.span != problem.call.install.span:
            line = f"line {self.file.lines.position(problem.call.install.span.start)[0]} any more"
        where = place(self.file, install.span)
        code = problem.choice().reason
        return Stay(where, install.command, "", _why(problem, line), code, gone=True, refuses=refuses)


def _unserved(path: str, file: File | None, error: PinnerError) -> Iterator[Stay]:
    """The install commands with pins of a file that could not be looked at, or the file as a whole."""
    if file is None:
        line, column = (error.line, error.column) if isinstance(error, InputError) else (0, 0)
        yield Stay(
            Place(path, line, column, line, column), "the file", "", error.message, error.code, refuses=True
        )
        return
    for call in file.calls():
        if any(request.pin for request in call.requests):
            where = place(file, call.install.span)
            yield Stay(where, call.install.command, "", error.message, error.code, refuses=True)


def _why(problem: Problem, line: str) -> str:
    choice = problem.choice()
    if isinstance(problem.error, Removal):
        return (
            choice.detail if line == "the line" else f"{choice.detail}, at {line.removesuffix(' any more')}"
        )
    hint = f" ({choice.hint})" if choice.hint and choice.hint != MOVES else ""
    return f"apt could not install {line}: {choice.detail}{hint}"
