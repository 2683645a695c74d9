"""`pinner verify`: does every pin still exist, is it what apt would take, and could apt install the line as it stands?

The story: read each file, load the indices of all suites and platforms, look up every pin and every locked package, let
the solver follow each call, compare files and lock, and look at the archive's own state. What could not be looked up is
unknown and never counts as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from pinner.distributions.catalogue import PLATFORMS
from pinner.edit.span import Place, Span
from pinner.errors import FetchError, Refused
from pinner.lock.schema import Lock, LockedPackage, Target
from pinner.recipe.installs import Request, Skipped
from pinner.regex import later
from pinner.resolve.universe import Universe
from pinner.stages.archives import Archives
from pinner.stages.bases import ImageLookup
from pinner.stages.choice import Choice
from pinner.stages.image_names import Named
from pinner.stages.install_commands import File, InstallCommand, place
from pinner.stages.starting_set import key
from pinner.stages.suites import Options
from pinner.stages.unfetched import NO_LISTS, unfetched
from pinner.stages.unreachable import prepare
from pinner.workflow import drift, health, standing
from pinner.workflow.health import moved_images
from pinner.workflow.lock import in_scripts
from pinner.workflow.remembered import as_locked
from pinner.workflow.solved import Solved
from pinner.workflow.standing import Ages, Argument, LockHistory, Standing, VersionState
from pinner.workflow.targets import Targets
from pinner.workflow.verified import Broken, LockedVersion, Pin, Verified, worst

if TYPE_CHECKING:  # the resolver is loaded only where something must be resolved
    from pinner.workflow.closure import Closures
    from pinner.workflow.quick_proof import QuickProof

_PIN = later(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?=[0-9]")
_WITHOUT_PIN = frozenset({"ignored", "removal", "file", "pattern"})


class Verifier:
    """Verifies projects against the same archives; equal questions are answered once. `now` is aware."""

    def __init__(
        self, archives: Archives, now: datetime, solved: Solved | None = None, *, trusts: bool = False
    ) -> None:
        """With `trusts` the lock counts for what it has solved, where apt would take the same versions still."""
        self._trusts = trusts
        self._archives = archives
        self._solved = solved or Solved()
        self._now = now
        self._silent: Sequence[FetchError] = ()
        self._standings: dict[tuple[object, ...], Standing] = {}
        self._package_standings: dict[
            Named, dict[tuple[object, ...], tuple[Mapping[str, Standing], VersionState]]
        ]
        self._package_standings = {}
        self._spelled: dict[tuple[str, str], tuple[str, str]] = {}

    def verify(
        self,
        texts: Mapping[str, str],
        options: Options,
        lock: Lock,
        absent: Iterable[str] = (),
        today: ImageLookup | None = None,
        ages: Ages | None = None,
    ) -> Verified:
        """Verify files, by path, with their lock. `absent` are the files of the lock that do not exist; `today` tells
        what an image is now, whatever it was when it was locked; `ages` which newer versions are too young.
        """
        own_options = {path: as_locked(options, lock, path) for path in texts}
        prepared = prepare(texts, own_options, self._archives)
        self._silent = prepared.unreachable
        read = {**prepared.read, **{file.path: file for file in prepared.files}}
        files = list(read.values())
        failed = (self._archives.failure(call) for path in prepared.unserved for call in read[path].every())
        errors = (*prepared.unread.values(), *dict.fromkeys(filter(None, failed)), *self._silent)
        dates, known = cache(partial(_dates, lock)), LockHistory(lock)
        targets = Targets(self._archives, lock)
        pins: list[Pin] = []
        broken: list[Broken] = []
        drifts = [(each, Place(each.path)) for each in drift.of_absent(lock, absent)]
        for file in files:
            choices: dict[Request, Choice] = {}
            for item in file.found:
                if isinstance(item, Skipped):
                    pins += _unread(file, item)
                    continue
                for pin in self._call(file, item, choices, known):
                    young = _young(pin, item, self._archives, ages, known) if ages else ""
                    pins.append(pin._replace(lag=self._lag(pin, dates), young=young))
            if file.path not in prepared.unserved:
                choices |= in_scripts(file, self._archives)
                broken += (*_missing(file, choices), *_mistyped(file), *_unfetched(file))
                broken += self._broken(file, choices, targets)
                if lock.targets:
                    drifts += (
                        (each, place(file, each.span) if each.span else Place(file.path))
                        for each in drift.of_file(file, lock, self._archives)
                    )
        wheres = self._wheres(files)
        return Verified(
            tuple(pins),
            tuple(self._packages(lock, files, wheres)),
            tuple(broken),
            tuple(drifts),
            (
                *health.notices(wheres, self._archives, self._now),
                *(moved_images(lock, today) if today else ()),
                *health.incomplete(lock, read.keys()),
            ),
            tuple(dict.fromkeys(errors)),
            tuple(texts),
            sum(each.action == "pin" for file in files for call in file.calls() for each in call.requests),
            tuple(self._archives.notes),
            max((each.date for each in lock.releases), default=""),
        )

    def _lag(
        self, pin: Pin, dates: Callable[[], Mapping[tuple[str, str, str], datetime]]
    ) -> timedelta | None:
        """How long ago the lock was made from an archive that had a version which is superseded now."""
        old = [
            (pin.name, each.version, platform)
            for platform, each in pin.standings.items()
            if each.state == "superseded"
        ]
        return max((self._now - dates()[each] for each in old if each in dates()), default=None)

    def _call(
        self,
        file: File,
        call: InstallCommand,
        choices: dict[Request, Choice],
        known: LockHistory,
    ) -> Iterator[Pin]:
        failed = self._archives.failure(call)
        for request in call.requests:
            if failed is not None and request.action != "skip":
                if request.pin:
                    lost = standing.unknown(failed.message)
                    yield _pin(file, call, request, dict.fromkeys(call.base.platforms, lost))
                continue
            doubts = call.doubts
            argument = Argument(file, call, request)
            if doubts and request.pin and known.had(argument, self._archives.addresses(call)):
                doubts = ()  # it is nowhere else
            choice = choices[request] = self._archives.choose(call, request, doubts=doubts)
            if request.action == "skip":
                if _hides_pin(request):
                    yield _pin(file, call, request, {"": standing.unknown(request.detail)})
            elif request.pin and doubts and choice.reason == "other-repository":
                unknown = standing.unknown(call.unread)
                yield _pin(file, call, request, dict.fromkeys(call.base.platforms, unknown))
            elif request.pin and choice.reason != "target-release":
                universes = self._archives.universes(call, request.arch)
                found = {name: self._of_pin(name, each, request) for name, each in universes.items()}
                yield _pin(file, call, request, standing.that_count(found, asked=call.base.asked))

    def _of_pin(self, platform: str, universe: Universe, request: Request) -> Standing:
        if not universe.indexes:
            return standing.unknown(f"no source serves {platform}")
        key = (universe, request.name, request.pin)
        if key not in self._standings:
            self._standings[key] = standing.of_pin(*key)
        return self._standings[key]

    @cached_property
    def _closures(self) -> Closures:
        from pinner.workflow.closure import Closures

        return Closures(self._archives)

    @cached_property
    def _quick_proof(self) -> QuickProof:
        from pinner.workflow.quick_proof import QuickProof

        return QuickProof(self._closures)

    def _broken(self, file: File, choices: Mapping[Request, Choice], targets: Targets) -> Iterator[Broken]:
        found: dict[tuple[Span, str], Broken] = {}
        for platform, question in targets.questions(file, choices).items():
            if self._solved.answer(question) is not None:
                continue
            if self._trusts and targets.states(file, choices, platform):
                continue
            if self._quick_proof.covers(file, choices, platform):
                self._solved.keep(question)
                continue
            smooth = True
            for calls in self._closures.of(file, choices, platform).values():
                for done in calls:
                    problem, install = done.problem, done.call.install
                    smooth = smooth and problem is None
                    excuses = (_excuses(word, choices[word], platform) for word in done.call.requests)
                    if problem is None or any(excuses):
                        continue
                    key = install.span, problem.message
                    platforms = (*(found[key].platforms if key in found else ()), platform)
                    certain = not isinstance(problem, Refused)
                    found[key] = Broken(
                        place(file, install.span), install.command, platforms, *key[1:], problem.hint, certain
                    )
            if smooth:
                self._solved.keep(question)
        yield from found.values()

    def _wheres(self, files: Iterable[File]) -> dict[tuple[str, str, str], Named]:
        return {
            (file.path, file.stage_name(call.install.stage), platform): where
            for file in files
            for call in file.every()
            if call.changes and self._archives.failure(call) is None
            if (where := self._archives.named(call.base.where)) is not None
            for platform in call.base.platforms
        }

    def _packages(
        self, lock: Lock, files: Iterable[File], wheres: Mapping[tuple[str, str, str], Named]
    ) -> Iterator[LockedVersion]:
        packages, spelled = lock.by_id, self._spelled
        paths = {file.path for file in files}
        targets: dict[Named, list[Target]] = {}
        for target in lock.targets:
            where = wheres.get(target.key)
            if where is not None and target.file in paths:
                targets.setdefault(where, []).append(target)
        for where, own in targets.items():
            uses: dict[tuple[str, str], tuple[dict[str, LockedPackage], dict[str, None], list[str]]] = {}
            for file, _, platform, closure, *_ in own:
                native = PLATFORMS[platform]
                for name, argument, *_ in closure.members:
                    package = packages.get(name)
                    if package is None:
                        continue
                    spelling = spelled.get((name, native))
                    if spelling is None:
                        spelling = key(package.name, package.arch, native), package.version
                        spelled[name, native] = spelling
                    use = uses.get(spelling)
                    if use is None:
                        use = uses[spelling] = {}, {}, []
                    use[0][platform] = package
                    use[1][file] = None
                    if argument:
                        use[2].append(argument)
            known = self._package_standings.setdefault(where, {})
            for spelling, (found, files_of, arguments) in uses.items():
                same = (*found.items(),)
                if same not in known:  # one value for all the projects that hold the same
                    standings = {each: self._of_file(where, each, deb) for each, deb in same}
                    known[same] = standings, worst(standings.values())
                yield LockedVersion(*spelling, bool(arguments), (*files_of,), *known[same], where, found)

    def _of_file(self, where: Named, platform: str, package: LockedPackage) -> Standing:
        for error in self._silent:
            if error.url.startswith(package.uri.rstrip("/") + "/"):
                return standing.unknown(error.message)
        key = (where, platform, package)
        if key not in self._standings:
            arch = PLATFORMS[platform] if package.arch == "all" else package.arch
            if self._archives.has(where, arch):
                universe = self._archives.universe(where, arch, "")
                found = standing.of_file(
                    universe, package.name, package.version, package.digest, package.size
                )
            else:
                found = standing.unknown(f"no file asks for anything of {arch} any more")
            self._standings[key] = found
        return self._standings[key]


def _missing(file: File, choices: Mapping[Request, Choice]) -> Iterator[Broken]:
    for call in file.calls():
        for request in call.requests:
            choice = choices.get(request)
            if choice is not None and choice.fails and not request.pin and not call.unread:
                where = place(file, request.word.span)
                platforms = tuple(each for each in call.base.platforms if each not in (choice.offers or {}))
                yield Broken(where, request.name, platforms, choice.detail, choice.hint, True, choice.reason)


def _young(pin: Pin, call: InstallCommand, archives: Archives, ages: Ages, known: LockHistory) -> str:
    if pin.state != "superseded":
        return ""
    offers = {}
    for platform, universe in archives.universes(call).items():
        candidate = universe.candidate(pin.name) if platform in pin.standings else None
        if candidate is not None and pin.standings[platform].state == "superseded":
            offers[platform] = candidate
    return ages.too_young(offers, known)


def _dates(lock: Lock) -> dict[tuple[str, str, str], datetime]:
    packages = lock.by_id
    return {
        (package.name, package.version, target.platform): datetime.fromisoformat(target.closure.date)
        for target in lock.targets
        for member in target.closure.members
        if target.closure.date and (package := packages.get(member.id))
    }


def _pin(file: File, call: InstallCommand, request: Request, standings: Mapping[str, Standing]) -> Pin:
    span = request.word.span
    name = request.name or request.word.raw
    return Pin(place(file, span), name, request.pin, request.word.raw, standings)


def _hides_pin(request: Request) -> bool:
    """Whether a word that is not read asks for a version, as far as one can see."""
    return request.reason not in _WITHOUT_PIN and bool(request.pin or "=" in request.word.raw)


def _mistyped(file: File) -> Iterator[Broken]:
    for item in file.found:
        if isinstance(item, Skipped) and item.reason == "unknown-command" and not item.allowed:
            where = place(file, item.span)
            yield Broken(where, item.span.of(file.dockerfile.text), (), item.detail, "", True, item.reason)


def _unfetched(file: File) -> Iterator[Broken]:
    for call in unfetched(file):
        where, said = place(file, call.install.span), NO_LISTS
        yield Broken(where, call.install.command, (), said.detail, said.hint, False, said.reason)


def _unread(file: File, skipped: Skipped) -> Iterator[Pin]:
    """A call that is not read, if a pin seems to be in it."""
    text = skipped.span.of(file.dockerfile.text)
    if _PIN.search(text):
        unknown = {"": standing.unknown(skipped.detail)}
        yield Pin(place(file, skipped.span), "a call that is not read", "", text, unknown)


def _excuses(word: Request, choice: Choice, platform: str) -> bool:
    """Whether a word of the call is a finding of its own, is to be ignored, or is not there on a platform that nobody
    asked for."""
    return choice.fails or bool(word.pin and platform not in (choice.offers or {}))
