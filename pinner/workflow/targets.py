"""What the files' stages install, as the lock states it.

A target is resolved anew only if its commands, its starting set or the indices have changed, and keeps what it held as
long as that can be had: the old lock is a preference, of which the resolver knows nothing. Besides the cause of a
choice the lock names only what first needed a package: all causes would change many lines with one package.
`pinner why` shows them all.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeGuard

from pinner.distributions.catalogue import PLATFORMS
from pinner.edit.span import Span
from pinner.errors import Refused, Unsatisfiable
from pinner.lock.schema import (
    Closure,
    ClosureMember,
    Incomplete,
    LocalPackage,
    Lock,
    LockedImage,
    LockedPackage,
    LockedRelease,
    Target,
)
from pinner.recipe.installs import Request
from pinner.resolve.universe import Universe
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice, short
from pinner.stages.image_names import Named
from pinner.stages.install_commands import File, InstallCommand
from pinner.stages.sources import told_to_apt
from pinner.stages.starting_set import key
from pinner.stages.suites import chain
from pinner.values import NamedTuple
from pinner.workflow.refusals import MOVES, Downgrade, Removal
from pinner.workflow.rows import is_listed, is_lockable, left, line, members, passed_over, unread
from pinner.workflow.solved import Solved, answer, question

if TYPE_CHECKING:  # the resolver is loaded only where something must be resolved
    from pinner.workflow.closure import Closures, Installed


class Problem(NamedTuple):
    """An install command that apt could not carry out as it stands, or that pinner does not follow, and where.

    `correction` says which pin to move so that it works, "" if that does not help. `known` tells that what the call
    brings in is known all the same.
    """

    call: InstallCommand
    platforms: tuple[str, ...]
    error: Unsatisfiable
    correction: str
    known: bool

    def choice(self) -> Choice:
        """The problem as a finding. Only what apt itself would refuse counts against the run."""
        where = ", ".join(map(short, self.platforms))
        fails = not isinstance(self.error, Refused)
        unlocked = "" if fails or self.known else "dependencies not locked: "
        hint = "" if self.correction and self.error.hint == MOVES else self.error.hint
        reason = "removes" if isinstance(self.error, Removal) else "uninstallable"
        return Choice(
            "unsolved",
            reason=reason if fails else "unfollowed",
            detail=f"{unlocked}{self.error.message} ({where})",
            hint="; or ".join(filter(None, (hint, self.correction))),
            fails=fails,
        )


class Targets:
    """Gathers the targets of a run, and the packages and releases they refer to.

    `old` is the lock as it is; it is `proven` if its text is one that pinner wrote or followed itself, so that no merge
    nor editor can have made it say what apt would not do. With `anew` all is resolved anew, and the old lock counts
    only for what cannot be.
    """

    def __init__(
        self,
        archives: Archives,
        old: Lock,
        solved: Solved | None = None,
        *,
        proven: bool = False,
        anew: bool = False,
    ) -> None:
        self._solved = solved or Solved()
        self._archives = archives
        self._proven = proven
        self._anew = anew
        self._old = {target.key: target for target in old.targets}
        self._old_packages = old.by_id
        self._old_releases = frozenset(old.releases)
        self._read: dict[tuple[str, Named | None], frozenset[LockedRelease]] = {}
        self._images: dict[str, LockedImage] = {}
        self._targets: dict[str, list[Target]] = {}
        self._packages: dict[str, LockedPackage] = {}
        self._suites: dict[str, dict[Named, None]] = {}

    @cached_property
    def _closures(self) -> Closures:
        from pinner.workflow.closure import Closures

        return Closures(self._archives)

    def add(self, file: File, choices: Mapping[Request, Choice]) -> tuple[Problem, ...]:
        """Add what the stages of a file install, and return the calls that cannot be carried out."""
        problems: dict[tuple[int, str], Problem] = {}
        for platform, stages in self._stages(file).items():
            bare = self._all_bare(file, stages, choices, platform)
            parents = {target.parent for target in bare.values()}
            question = self._question(platform, bare, stages)
            known = self._is_solved(question, bare)
            if known or all(self._answered(bare[stage], calls) for stage, calls in stages.items()):
                for target in bare.values():
                    if target.key in self._old:
                        self._reuse(self._old[target.key])
                continue
            found, rows, smooth = [], dict[str, LockedPackage](), True
            for stage, calls in self._closures.of(file, choices, platform).items():
                target, used = self._fill(bare[stage], calls, choices, needed=bare[stage].stage in parents)
                found.append(target)
                rows |= used
                for done in calls:
                    smooth = smooth and done.problem is None
                    # Where apt reads more than pinner does, it may find a solution there.
                    if done.problem is None or (done.call.unread and not isinstance(done.problem, Refused)):
                        continue
                    if any(_is_found(choices[word], platform) for word in done.call.requests):
                        continue
                    key = (done.call.install.span.start, done.problem.message)
                    if key not in problems:
                        hint = self._correction(file, done, choices, platform)
                        problems[key] = Problem(done.call, (), done.problem, hint, bool(done.chosen))
                    platforms = (*problems[key].platforms, platform)
                    problems[key] = problems[key]._replace(platforms=platforms)
            if smooth:
                self._solved.keep(question, answer(found, {**rows, **self._packages}))
        return tuple(problems.values())

    def questions(self, file: File, choices: Mapping[Request, Choice]) -> dict[str, str]:
        """What the stages of a file ask of a solver, by platform."""
        return {
            platform: self._question(platform, self._all_bare(file, stages, choices, platform), stages)
            for platform, stages in self._stages(file).items()
        }

    def states(self, file: File, choices: Mapping[Request, Choice], platform: str) -> bool:
        """Whether the old lock has resolved what the stages of a file ask for, and apt would take no other version of
        anything that they install."""
        stages = self._stages(file).get(platform, {})
        for stage, bare in self._all_bare(file, stages, choices, platform).items():
            old, universe = self._old.get(bare.key), self._universe(stages[stage][-1], platform)
            if not _is_usable(old, bare) or old.closure.incomplete != bare.closure.incomplete:
                return False
            for package in map(self._old_packages.__getitem__, (each.id for each in old.closure.members)):
                candidate = universe.candidate(key(package.name, package.arch, universe.arch))
                if candidate is None or candidate.package.digest != package.digest:
                    return False
        return True

    def _universe(self, call: InstallCommand, platform: str) -> Universe:
        """What apt sees at a command, but for what is installed."""
        where, arch = self._archives.named(call.base.where), PLATFORMS[platform]
        assert where is not None  # or it were in no stage
        return self._archives.universe(where, arch, "", self._archives.foreign(call, arch))

    def _question(
        self, platform: str, bare: Mapping[int, Target], stages: Mapping[int, list[InstallCommand]]
    ) -> str:
        calls = [call for own in stages.values() for call in own]
        return question(bare.values(), calls, self._releases(platform, calls))

    def _is_solved(self, question: str, bare: Mapping[int, Target]) -> bool:
        known = self._solved.answer(question)
        if not known:
            return False
        old = ((self._old.get(target.key), target) for target in bare.values())
        usable = (each for each, new in old if _is_usable(each, new))
        return known == answer(usable, self._old_packages)

    def _all_bare(
        self,
        file: File,
        stages: Mapping[int, list[InstallCommand]],
        choices: Mapping[Request, Choice],
        platform: str,
    ) -> dict[int, Target]:
        return {stage: self._bare(file, calls, choices, platform, stages) for stage, calls in stages.items()}

    def downgrades(self, file: File, choices: Mapping[Request, Choice]) -> dict[Request, Choice]:
        """The arguments that no pin may be written behind: an earlier command installs a newer version, from a source
        that is not there any more, and apt-get would keep that one."""
        if len([*file.calls()]) < 2 or not any(each.status == "pinned" for each in choices.values()):
            return {}
        detail = "an earlier command installs a newer version than the sources offer here"
        newer = Choice("skipped", reason="image-newer", detail=detail)
        return {
            request: newer
            for _, done in self._followed(file, choices)
            if isinstance(done.problem, Downgrade)
            for request in done.call.requests
            if request.name in done.problem.names and choices[request].status == "pinned"
        }

    def _followed(self, file: File, choices: Mapping[Request, Choice]) -> Iterator[tuple[str, Installed]]:
        for platform in self._stages(file):
            for calls in self._closures.of(file, choices, platform).values():
                yield from ((platform, done) for done in calls)

    def failing(self, file: File, choices: Mapping[Request, Choice]) -> set[Span]:
        """The places of the calls that cannot be carried out, those with a finding about an argument as well."""
        return {done.call.install.span for _, done in self._followed(file, choices) if done.problem}

    def losses(
        self, file: File, choices: Mapping[Request, Choice], before: Mapping[Request, Choice]
    ) -> list[Problem]:
        """The install commands that make apt remove what is there for an argument, though by the choices `before` they
        do not; where an earlier command could not be carried out by these, the old lock says what was there."""
        lost = [each for each, stays in self._manual(file, choices).items() if not stays]
        if not lost:
            return []
        kept = self._manual(file, before)
        found: dict[Span, Problem] = {}
        for call, name, platform in lost:
            old = self._old.get((file.path, file.stage_name(call.install.stage), platform))
            there = old.closure.members if old is not None else ()
            locked = any(each.name == name and not each.role for each in there)
            if kept.get((call, name, platform), locked):
                error = Removal(f"apt would remove {name}, which is asked for by name")
                found.setdefault(call.install.span, Problem(call, (platform,), error, "", True))
        return list(found.values())

    def _manual(
        self, file: File, choices: Mapping[Request, Choice]
    ) -> dict[tuple[InstallCommand, str, str], bool]:
        """Whether each package that is no dependency and there before an install command is there behind it, too; by
        the command, the package's name and the platform."""
        found = {}
        for platform, done in self._followed(file, choices):
            if done.call.step or done.problem or done.universe is None or done.after is None:
                continue
            there = {key(each.name, each.architecture, done.universe.arch) for each in done.after.packages}
            leaving = {each.name for each in done.call.requests if each.reason == "removal"}
            for offer in done.universe.all_installed():
                if not offer.package.automatic and offer.name not in leaving:
                    found[done.call, offer.name, platform] = offer.name in there
        return found

    def _correction(
        self, file: File, done: Installed, choices: Mapping[Request, Choice], platform: str
    ) -> str:
        from pinner.workflow.corrections import correct

        if isinstance(done.problem, Refused) or done.call.script:
            return ""
        return correct(file, done.call, choices, platform, self._archives, self._closures)

    def _stages(self, file: File) -> dict[str, dict[int, list[InstallCommand]]]:
        """The commands whose suite is known, by platform and stage, in order."""
        found: dict[str, dict[int, list[InstallCommand]]] = {}
        for platform in file.platforms:
            for call in file.commands(platform):
                where = self._archives.named(call.base.where)
                if where is not None and call.changes:
                    found.setdefault(platform, {}).setdefault(call.install.stage, []).append(call)
                    self._suites.setdefault(platform, {})[where] = None
        return found

    def _bare(
        self,
        file: File,
        calls: list[InstallCommand],
        choices: Mapping[Request, Choice],
        platform: str,
        stages: Container[int],
    ) -> Target:
        """The target of a stage as far as it is known without a resolver. `stages` are those with a target."""
        base = calls[0].base
        where = self._archives.named(base.where)
        assert where is not None
        own = file.dockerfile.stages[calls[0].install.stage]
        below = [stage.index for stage in chain(file.dockerfile, own)[1:] if stage.index in stages]
        content = base.contents.get(platform)
        if content is not None and content.locked is not None:
            self._images[content.digest] = content.locked
        debs = {each for call in calls for _, each in call.files if each}
        files = {LocalPackage(*each.package[:3], each.path, each.digest) for each in debs}
        closure = Closure(
            "",
            base.images.get(platform, base.image),
            where.suite.codename,
            base.root(platform).label,
            base.digest(platform),
            told_to_apt([call.base.where for call in calls], PLATFORMS[platform]),
            max((release.date for release in self._releases(platform, calls)), default=""),
            tuple(line(call, choices) for call in calls),
            incomplete=tuple(sorted({*unread(calls, choices), *passed_over(file, own, base, platform)})),
            files=tuple(sorted(files)),
        )
        parent = file.stage_name(below[0]) if below else ""
        return Target(file.path, file.stage_name(own.index), platform, closure, parent)

    def _releases(self, platform: str, calls: Iterable[InstallCommand]) -> frozenset[LockedRelease]:
        found: set[LockedRelease] = set()
        for where in dict.fromkeys(self._archives.named(call.base.where) for call in calls):
            key = (platform, where)
            if where is not None and key not in self._read:
                self._read[key] = frozenset(self._archives.releases({platform: [where]}))
            found |= self._read.get(key, frozenset())
        return frozenset(found)

    def _is_as_locked(self, platform: str, calls: Iterable[InstallCommand]) -> bool:
        return self._old_releases.issuperset(self._releases(platform, calls))

    def _answered(self, bare: Target, calls: Iterable[InstallCommand]) -> bool:
        """Whether the old lock has resolved the same calls from the very same indices."""
        old = self._old.get(bare.key)
        if self._anew or not self._proven or not _is_usable(old, bare):
            return False
        # What was found out about commands when they were followed is the same for the same commands.
        gaps = (each for each in old.closure.incomplete if each.place not in old.closure.commands)
        return bare.closure.incomplete == (*gaps,) and self._is_as_locked(bare.platform, calls)

    def _fill(
        self, bare: Target, calls: list[Installed], choices: Mapping[Request, Choice], *, needed: bool
    ) -> tuple[Target, Mapping[str, LockedPackage]]:
        """Add the target with what a resolver found, and return this, with its packages by id; one that asks for
        nothing is only added if others are built on it."""
        packages, used = members(calls, choices, bare.platform, (self._packages, self._old_packages))
        for member in self._unread_now(bare):
            package = self._old_packages[member.id]
            name = key(package.name, package.arch, PLATFORMS[bare.platform])
            if packages.setdefault(name, member) is member:
                used[member.id] = package
        # The lock states a problem where nothing is known of what the call brings in, or the build fails for sure.
        problems = (
            Incomplete("command", line(done.call, choices), done.problem.message)
            for done in calls
            if done.problem and (not done.chosen or not isinstance(done.problem, Refused))
        )
        gaps = (gap for done in calls for gap in done.gaps)
        roles, gone = left(calls)
        closure = bare.closure._replace(
            members=tuple(sorted(member._replace(role=roles(name)) for name, member in packages.items())),
            incomplete=tuple(sorted({*bare.closure.incomplete, *problems, *gaps})),
            gone=tuple(sorted(gone)),
            files=tuple(each._replace(role=roles(each.name)) for each in bare.closure.files),
        )
        target = bare._replace(closure=closure)
        old = self._old.get(target.key)
        if self._still_there(target, [done.call for done in calls], used):
            self._reuse(self._old[target.key])
        elif target.problem and old is not None and not old.conflict and old.closure.members:
            # What was known is kept until the commands can be followed again.
            kept = old.closure
            kept = closure._replace(members=kept.members, date=kept.date)
            self._add(target._replace(closure=kept), self._old_packages)
        else:
            asks = not closure.incomplete and any(is_lockable(done.call) for done in calls)
            if packages or needed or closure.gone or asks:
                self._add(target, used)
        return target, used

    def _unread_now(self, bare: Target) -> tuple[ClosureMember, ...]:
        """What the old lock has of a stage of which an argument cannot be looked up any more, as when its repository is
        down: that is kept, as far as nothing newer is known."""
        old = self._old.get(bare.key)
        unread = {each.place.partition("=")[0] for each in bare.closure.incomplete}
        if old is None or old.conflict or unread.isdisjoint(each.argument for each in old.closure.members):
            return ()
        return old.closure.members

    def _add(self, target: Target, packages: Mapping[str, LockedPackage]) -> None:
        self._targets.setdefault(target.file, []).append(target)
        for each in target.closure.members:  # of two suites that have the same file, the first counts
            self._packages.setdefault(each.id, packages[each.id])

    def _reuse(self, old: Target) -> None:
        self._add(old, self._old_packages)

    def _still_there(
        self, target: Target, calls: Sequence[InstallCommand], used: Mapping[str, LockedPackage]
    ) -> bool:
        """Whether the old target answers the same question and all it holds can still be had, as it says; `used` are
        the packages of the new one.

        One that was resolved from the very same archives to something else is wrong.
        """
        old = self._old.get(target.key)
        if self._anew or not _is_usable(old, target) or target.problem:
            return False
        if old.closure.incomplete != target.closure.incomplete:
            return False
        if old.closure.date == target.closure.date and self._is_as_locked(target.platform, calls):
            same = (old.closure.members, old.closure.gone) == (target.closure.members, target.closure.gone)
            rows = {**used, **self._packages}
            return same and all(self._old_packages[each.id] == rows[each.id] for each in old.closure.members)
        universe = self._universe(calls[-1], target.platform)
        return all(
            any(
                offer.index is not None and is_listed(package, offer)
                for offer in universe.versions(key(package.name, package.arch, universe.arch))
            )
            for package in (self._old_packages[member.id] for member in old.closure.members)
        )

    def drop(self, path: str) -> None:
        """Forget what was added of a file."""
        self._targets.pop(path, None)

    def lock(self) -> Lock:
        """The lock of this run's files alone."""
        targets = tuple(target for own in self._targets.values() for target in own)
        used = {member.id for target in targets for member in target.closure.members}
        return Lock(
            self._archives.releases(self._suites),
            targets,
            tuple(package for name, package in self._packages.items() if name in used),
            images=tuple(self._images.values()),
        )

    @property
    def platforms(self) -> tuple[str, ...]:
        """Those for which something was looked up."""
        return tuple(self._suites)


def _is_usable(old: Target | None, new: Target) -> TypeGuard[Target]:
    return old is not None and not old.conflict and not old.problem and old.inputs == new.inputs


def _is_found(choice: Choice, platform: str) -> bool:
    """Whether a word's own finding says already that its call cannot be carried out on the platform."""
    return choice.fails or choice.reason == "regex" or bool(choice.offers and platform not in choice.offers)
