"""The indices of a run, loaded once for all files, and the universes made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, cast

from pinner.apt.release import Release
from pinner.apt.sources import Source
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import FetchError, InputError, PinnerError, Refused, TrustError, Unsatisfiable
from pinner.lock.schema import LockedRelease
from pinner.recipe.installs import Request
from pinner.resolve.universe import Index, Universe
from pinner.stages.choice import Choice, choose
from pinner.stages.image_names import Alias, Named, Unnamed
from pinner.stages.install_commands import OWN_ARCHITECTURE, File, InstallCommand
from pinner.stages.policy import PinForm
from pinner.stages.repositories import preferences_of
from pinner.stages.sources import alias_source, sources_of
from pinner.stages.starting_set import MINBASE, Root, held
from pinner.stages.suites import Doubt

LoadIndices = Callable[[Sequence[Source]], tuple[Sequence[Index], Sequence[str]]]
ReleaseOf = Callable[[Source], Release]

if TYPE_CHECKING:
    from pinner.apt.source_packages import SourcePackage
    from pinner.resolve.offers import SourcesIndex

# A suite, and of which architectures it is needed.
_Need = tuple[Named | Alias, tuple[str, ...]]


class Archives:
    """Answers what a stage could install. The world comes in as two functions.

    `load` gives the indices of sources and notes for people; `release` the Release of an alias.
    """

    def __init__(self, load: LoadIndices, release: ReleaseOf) -> None:
        self._load = load
        self._release = release
        self._named: dict[Alias, Named] = {}
        self._indexes: dict[tuple[Named, str], tuple[Index, ...]] = {}
        self._universes: dict[tuple[Named, str, str, tuple[str, ...]], Universe] = {}
        self._rooted_universes: dict[tuple[Named, str, str, Root, tuple[str, ...]], Universe] = {}
        self._recent: tuple[InstallCommand | None, dict[tuple[str, bool], Mapping[str, Universe]]] = None, {}
        self._choices: dict[tuple[object, ...], Choice] = {}
        self._failed: dict[_Need, PinnerError] = {}
        self._oldest: dict[tuple[str, str], datetime] = {}
        self.notes: dict[str, None] = {}

    def not_before(self, dates: Mapping[tuple[str, str], datetime]) -> None:
        """No Release is believed that is older than these, by address and suite: newer ones have been seen there.

        Snapshots are, since they are old on purpose.
        """
        for place, date in dates.items():
            self._oldest[place] = max(date, self._oldest.get(place, date))

    def named(self, where: Named | Alias | Unnamed) -> Named | None:
        """The suite itself, an alias looked up in its Release; None if the suite is not known."""
        if isinstance(where, Alias):
            if where not in self._named:
                self._named[where] = self._look_up(where)
            return self._named[where]
        return where if isinstance(where, Named) else None

    def _look_up(self, alias: Alias) -> Named:
        source = alias_source(alias)
        release = self._release(source)
        self._check_date(source, release)
        for suite in alias.distribution.suites:
            if suite.codename == release.codename:
                return Named(alias.distribution, suite, at=alias.at)
        raise InputError(
            f"{alias.name} is now {release.codename}, a suite that this pinner does not know",
            hint="use a newer pinner",
        )

    def load(self, sources: Sequence[Source]) -> Sequence[Index]:
        """The indices of sources that no call names. Raises what loading raises."""
        indexes, notes = self._load(sources)
        self.notes.update(dict.fromkeys(notes))
        return indexes

    def prepare(self, calls: Iterable[InstallCommand]) -> None:
        """Load what these calls need and was not loaded yet, all at once. Raises what `load` raises.

        An architecture that was added to the own one is loaded where a call names it or, behind the rest, where it
        names something that the own one does not have.
        """
        wanted = [
            (where, call)
            for own in calls
            for call in (own, *own.others)
            if call.changes and (where := self.named(call.base.where)) is not None
        ]
        self._fetch((where, arch) for where, call in wanted for arch in _architectures(call))
        self._fetch(
            (where, arch)
            for where, call in wanted
            if call.architectures and self._lacks(where, call)
            for arch in call.architectures
        )

    def _lacks(self, where: Named, call: InstallCommand) -> bool:
        """Whether a call asks for a name that its own architecture does not have."""
        universes = [self.universe_of(where, platform) for platform in call.base.platforms]
        names = [each.name for each in call.requests if each.name and each.arch in OWN_ARCHITECTURE]
        return any(not (one.versions(name) or one.providers(name)) for one in universes for name in names)

    def _fetch(self, wanted: Iterable[tuple[Named, str]]) -> None:
        needed: dict[tuple[Named, str], tuple[Source, ...]] = {}
        for where, arch in wanted:
            if (where, arch) not in self._indexes:
                needed[where, arch] = sources_of(where, arch)
            else:
                self._check_age(self._indexes[where, arch])
        if not needed:
            return
        indexes, notes = self._load([source for group in needed.values() for source in group])
        self.notes.update(dict.fromkeys(notes))
        self._check_age(indexes)
        self._recent = None, {}
        for key, group in needed.items():
            self._indexes[key] = tuple(index for index in indexes if index.source in group)

    def _check_age(self, indexes: Iterable[Index]) -> None:
        for index in indexes:
            self._check_date(index.source, index.release)

    def _check_date(self, source: Source, release: Release) -> None:
        oldest = self._oldest.get((source.uri, source.suite))
        if oldest is not None and release.date < oldest and not source.snapshot:
            raise TrustError(
                f"{source.uri} {source.suite}: the Release is of {release.date:%Y-%m-%d %H:%M} UTC, older than that of "
                f"{oldest:%Y-%m-%d %H:%M} UTC, from which pinner.lock was made",
                hint="the mirror lags behind, or an old answer is replayed: try again later, or another mirror; "
                "--allow-older goes back on purpose",
            )

    def prepare_each(self, files: Sequence[File]) -> dict[str, PinnerError]:
        """Load what the files need; where that fails for some of their suites, why, by the paths of the files.

        All is asked for at once first, since that nearly always succeeds. Raises what is no archive's fault.
        """
        by_need: dict[_Need, list[InstallCommand]] = {}
        for file in files:
            for call in file.every():
                if (need := _need(call)) is not None:
                    by_need.setdefault(need, []).append(call)
        self._prepare_apart(by_need)
        return {
            file.path: error
            for file in files
            for call in file.every()
            if (error := self.failure(call)) is not None
        }

    def failure(self, call: InstallCommand) -> PinnerError | None:
        """Why what a call needs could not be loaded; None if it could."""
        need = _need(call)
        return None if need is None else self._failed.get(need)

    def _prepare_apart(self, by_need: Mapping[_Need, list[InstallCommand]]) -> None:
        try:
            self.prepare(call for calls in by_need.values() for call in calls)
        except (FetchError, TrustError, InputError) as error:
            if len(by_need) == 1:
                self._failed[next(iter(by_need))] = error
                return
            for need, calls in by_need.items():
                self._prepare_apart({need: calls})

    def universes(
        self, call: InstallCommand, arch: str = "", *, rooted: bool = False
    ) -> Mapping[str, Universe]:
        """What the stage of a call could install, by platform; for `name:arch` where that architecture is there.

        With `rooted` as apt in the base image sees it, where it is known what that holds: nothing goes below what is
        installed. Raises `Unsatisfiable` for a `-t` that no source has.
        """
        if self._recent[0] is not call:  # its arguments are asked for one after the other
            self._recent = call, {}
        if (arch, rooted) not in self._recent[1]:
            self._recent[1][arch, rooted] = self._universes_of(call, arch, rooted=rooted)
        return self._recent[1][arch, rooted]

    def _universes_of(self, call: InstallCommand, arch: str, *, rooted: bool) -> Mapping[str, Universe]:
        where = self.named(call.base.where)
        assert where is not None
        found = {}
        for platform in call.base.platforms:
            own = PLATFORMS[platform]
            if arch in OWN_ARCHITECTURE or arch == own:
                root = call.base.root(platform) if rooted else MINBASE
                foreign = self.foreign(call, own)
                found[platform] = self._rooted(where, own, call.install.target_release, root, foreign)
            elif arch in call.architectures:
                found[platform] = self.universe(where, arch, call.install.target_release)
        return found

    def choose(
        self,
        call: InstallCommand,
        request: Request,
        form: PinForm = "exact",
        doubts: Sequence[Doubt] | None = None,
    ) -> Choice:
        """What becomes of an argument of a call, by what its stage could install, whatever a condition decides.

        What is not found may be elsewhere as long as there are `doubts` about what apt reads; None: those of the call.
        """
        if request.action == "skip":
            where = call.base.where
            hint = where.hint if isinstance(where, Unnamed) and request.reason == where.reason else ""
            return Choice("skipped", reason=request.reason, detail=request.detail, hint=hint)
        doubts = call.doubts if doubts is None else doubts
        try:
            choice = self._chosen(call, request, form)
        except Unsatisfiable as error:
            if doubts:  # it may be the release of what is not read
                return Choice("skipped", reason="other-repository", detail=doubts[0].why)
            return Choice(
                "missing", reason="target-release", detail=error.message, hint=error.hint, fails=True
            )
        if doubts and choice.fails:
            detail = f"it is not where pinner looks, and {doubts[0].why}"
            return Choice("skipped", reason="other-repository", detail=detail)
        return choice

    def _chosen(self, call: InstallCommand, request: Request, form: PinForm) -> Choice:
        def alone(one: InstallCommand) -> Choice:
            universes = self.universes(one, request.arch, rooted=request.action == "pin")
            asked = call.base.asked
            key = (form, asked, request.action, *request[5:9], *universes.items())
            if key not in self._choices:  # the files of a fleet ask for the same again and again
                self._choices[key] = choose(request, universes, asked=asked, form=form)
            return self._choices[key]

        found = [alone(call)]
        for other in call.others:
            with suppress(Unsatisfiable):
                found.append(alone(other))
        # The build ends where apt does not find a package.
        able = [each for each in found if each.status != "missing"] or found[:1]
        if any((each.status, each.version) != (able[0].status, able[0].version) for each in able):
            versions = " or ".join(dict.fromkeys(each.version or each.status for each in able))
            detail = f"{call.condition or 'what apt reads differs from turn to turn'}: {versions}"
            return Choice("skipped", reason="other-repository", detail=detail)
        return able[0]

    def foreign(self, call: InstallCommand, arch: str) -> tuple[str, ...]:
        """The architectures that were added to dpkg beside this one, as far as they were loaded."""
        where = self.named(call.base.where)
        return tuple(
            each for each in call.architectures if each != arch and where and (where, each) in self._indexes
        )

    def universe(
        self, where: Named, arch: str, target_release: str, foreign: tuple[str, ...] = ()
    ) -> Universe:
        """The universe of a suite for one architecture, and the `foreign` ones, under apt's `-t` if given."""
        key = (where, arch, target_release, foreign)
        if key not in self._universes:
            self._universes[key] = Universe(
                _interleaved([self._indexes[where, each] for each in (arch, *foreign)]),
                arch=arch,
                foreign=foreign,
                target_release=target_release,
                preferences=preferences_of(where),
            )
        return self._universes[key]

    def _rooted(
        self, where: Named, arch: str, target_release: str, root: Root, foreign: tuple[str, ...]
    ) -> Universe:
        bare = self.universe(where, arch, target_release, foreign)
        if not root.told:
            return bare
        key = (where, arch, target_release, root, foreign)
        if key not in self._rooted_universes:
            try:
                universe = bare.with_installed(held(root, self.universe(where, arch, "", foreign)))
            except Refused:
                universe = bare
            self._rooted_universes[key] = universe
        return self._rooted_universes[key]

    def source_packages(self, where: Named, name: str) -> Iterator[tuple[SourcePackage, Index]]:
        """The versions of a source package, each with the index that has it. Raises `InputError`."""
        from pinner.apt.source_packages import read

        for index in self._indexes.get((where, "source"), ()):
            for text in cast("SourcesIndex", index).texts(name):
                yield from ((each, index) for each in read(text) if each.name == name)

    def addresses(self, call: InstallCommand) -> set[str]:
        """The repositories that are read for a call."""
        where = self.named(call.base.where)
        loaded = (indexes for (each, _), indexes in self._indexes.items() if each == where)
        return {index.source.uri for indexes in loaded for index in indexes}

    def universe_of(self, where: Named, platform: str) -> Universe:
        """The universe of a suite for one platform, as apt sees it without `-t`."""
        return self.universe(where, PLATFORMS[platform], "")

    def has(self, where: Named, arch: str) -> bool:
        """Whether the indices of an architecture were loaded."""
        return (where, arch) in self._indexes

    def releases(self, platforms: Mapping[str, Iterable[Named]]) -> tuple[LockedRelease, ...]:
        """The releases of these suites, by platform, as the lock states them."""
        return tuple(
            LockedRelease(
                index.source.uri,
                index.source.suite,
                index.component,
                index.release.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
                index.release_sha256,
            )
            for platform, suites in platforms.items()
            for where in suites
            for index in self._indexes[where, PLATFORMS[platform]]
        )


def _interleaved(groups: Sequence[Sequence[Index]]) -> Sequence[Index]:
    """The indices of several architectures in apt's order: source by source, component by component."""
    if len(groups) == 1:
        return groups[0]
    places = dict.fromkeys((each.source.suite, each.component) for group in groups for each in group)
    return [
        each
        for place in places
        for group in groups
        for each in group
        if (each.source.suite, each.component) == place
    ]


def _need(call: InstallCommand) -> _Need | None:
    """What a call needs; None if its suite is not known."""
    where = call.base.where
    return None if isinstance(where, Unnamed) else (where, _architectures(call))


def _architectures(call: InstallCommand) -> tuple[str, ...]:
    """Those of its platforms, and of those that dpkg was told of the ones that it names."""
    foreign = set(call.architectures).intersection(word.arch for word in call.requests)
    where = call.base.where
    built = ("source",) if isinstance(where, Named) and where.source_packages else ()
    return (*(PLATFORMS[platform] for platform in call.base.platforms), *sorted(foreign), *built)
