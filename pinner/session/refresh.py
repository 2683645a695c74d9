"""`refresh` over projects: what it comes to, and what it writes. For branches it is run once for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Literal, TypeVar

from pinner.archive import seen
from pinner.edit.span import Place
from pinner.errors import FetchError, PinnerError, TrustError, Unsatisfiable, worst
from pinner.lock.schema import Lock, LockedSettings
from pinner.report.refresh import Outcome
from pinner.session.lock import at_snapshot
from pinner.session.projects import Project, read_lock
from pinner.session.run import Run
from pinner.session.verify import Vulnerabilities
from pinner.session.writes import Writes
from pinner.session.writes import write as write_all
from pinner.stages import froms
from pinner.stages.archives import Archives
from pinner.stages.froms import Digests
from pinner.stages.policy import Policy
from pinner.values import NamedTuple
from pinner.workflow import changes
from pinner.workflow.changes import Change
from pinner.workflow.moves import Stay, VersionMove, Wishes
from pinner.workflow.moves import older as _older
from pinner.workflow.refresh import Refreshed, Refresher
from pinner.workflow.vulnerable import VulnerabilityFix, fixes

if TYPE_CHECKING:
    from pinner.apt.changelog import ChangelogEntry

Only = Literal["gone", "security", "all"]
_Placed = TypeVar("_Placed", VersionMove, Stay)


class RefreshOptions(NamedTuple):
    """What is to be refreshed, as the command line says it. `min_age` and `only` override the policy if they are said.

    With `packages` neither base images move, nor what can still be had of what the install commands bring in.
    """

    paths: tuple[str, ...] = ()
    only: Only | None = None
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    add: bool = False
    min_age: timedelta | None = None
    if_older_than: timedelta | None = None
    when: str | None = None
    atomic: bool = False
    cve: bool = False
    changelogs: bool = False
    allow_older: bool = False


class Done(NamedTuple):
    """What a refresh came to. `errors` say what could not be refreshed, `slips` which names no file has."""

    outcome: Outcome
    results: Sequence[RefreshedProject]
    errors: tuple[PinnerError, ...]
    slips: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status, if nothing else counts."""
        stays = self.outcome.stays
        found = [each.exit_status for each in self.errors]
        found += [Unsatisfiable.exit_status] if any(stay.refuses for stay in stays) else []
        return worst((*found, int(bool(self.slips) or any(stay.gone for stay in stays))))


def refresh(run: Run, how: RefreshOptions, *, write: bool) -> Done:
    """Refresh the projects of the files that are named. Raises `PinnerError`."""
    now = run.access.now
    projects, errors = run.collect(how.paths, writes=write)
    if errors and not projects:
        raise errors[0]
    # Whoever names a moment wants its versions.
    how = how._replace(allow_older=how.allow_older or how.when is not None)
    refreshers: dict[tuple[Archives, Wishes], Refresher] = {}
    found = (_refreshed(run, project, how, refreshers) for project in projects)
    results = [each for each in found if each is not None]
    failures: dict[PinnerError, None] = dict.fromkeys(errors)
    for each in results:
        for path, error in each.refreshed.errors.items():
            failures[each.project.placed(error, path)] = None
        failures |= dict.fromkeys(each.refreshed.unreachable)
    hindered = bool(failures) or any(result.refreshed.refusals for result in results)
    refused = how.atomic and hindered
    if write and not refused:
        run.notes |= dict.fromkeys(write_all(results))
    outcome = _outcome(results, now, refused=refused, written=write and not refused)
    if how.changelogs and not refused:
        outcome = outcome._replace(uploads=_uploads(outcome.changes, results, run))
    if how.cve and not refused:
        known = Vulnerabilities(run.access, run.notes)
        outcome = outcome._replace(fixes=_fixes(results, known))
        failures |= known.errors
    outcome = outcome._replace(notes=tuple(run.notes | dict.fromkeys(outcome.notes)))
    return Done(outcome, results, tuple(failures), tuple(_in_no_file(refreshers.values())))


def _refreshed(
    run: Run, project: Project, how: RefreshOptions, refreshers: dict[tuple[Archives, Wishes], Refresher]
) -> RefreshedProject | None:
    """What is to become of a project; None for one whose lock is young enough. Equal questions share a refresher."""
    now, cache = run.access.now, run.access.cache
    text, lock = read_lock(project.lock_path, merge=True)
    if how.if_older_than is not None and _age(lock, now) < how.if_older_than:
        run.notes[f"{project.lock_path.name} is not older than that: nothing done"] = None
        return None
    if not how.allow_older:
        run.not_before(project, lock)
    archives, policy = run.archives(project.config), project.config.policy
    wishes = _wishes(how, policy)
    record = seen.read(cache) if wishes.min_age else {}
    refresher = refreshers.setdefault(
        (archives, wishes), Refresher(archives, now, wishes, record, run.solved)
    )
    run.notes |= dict.fromkeys(policy.ended(now.date()))
    vouching = run.vouching(project, lock)
    # Where all is to move, so are the images: what the lock knows of them does not count.
    options = run.options(project, lock, anew=wishes.anew, vouching=vouching)
    if how.when is not None:
        options = at_snapshot(run, project, options, how.when)
    moved = Digests(project.texts, {})
    if wishes.anew:
        moved = froms.moved(project.texts, options, run.look(project.config, Lock()))
    result = refresher.refresh(moved.texts, options, lock)
    result = result._replace(
        files=tuple(each._replace(old=project.texts[each.path]) for each in result.files),
        lock=result.lock._replace(keys=vouching.used),
        unreachable=(*vouching.unreachable.values(), *result.unreachable),
    )
    run.remember(seen.keep, cache, record, result.young, now)
    run.keep_solved()
    return RefreshedProject(project, result, text, lock, moved, run.settings(), allow_older=how.allow_older)


def _wishes(how: RefreshOptions, policy: Policy) -> Wishes:
    """Which pins are to move: the command line counts more than the project's policy."""
    kind: Literal["", "gone", "security"] = "security" if policy.security_only else ""
    if how.only is not None:
        kind = "" if how.only == "all" else how.only
    age = policy.min_age if how.min_age is None else how.min_age
    return Wishes(kind, how.packages, how.exclude, how.add, age, how.allow_older, policy)


def _in_no_file(refreshers: Iterable[Refresher]) -> list[str]:
    """What --package names and no file does, which is a slip."""
    unmatched = [refresher.unmatched for refresher in refreshers]
    return [name for name in dict.fromkeys(chain(*unmatched)) if all(name in each for each in unmatched)]


def _fixes(results: Iterable[RefreshedProject], asked: Vulnerabilities) -> tuple[VulnerabilityFix, ...]:
    found: dict[VulnerabilityFix, None] = {}
    for each in results:
        suites = (target.closure.suite for target in each.merged.targets)
        known = asked.of(each.project.config, suites)
        found |= dict.fromkeys(fixes(each.lock, each.merged, known))
    return tuple(found)


class RefreshedProject(Writes):
    """A project's refresh and the files it would change, the lock among them."""

    def __init__(
        self,
        project: Project,
        refreshed: Refreshed,
        lock_text: str | None,
        lock: Lock,
        moved: Digests,
        said: LockedSettings,
        *,
        allow_older: bool,
    ) -> None:
        super().__init__(project)
        back = changes.older(lock, refreshed.lock) if not allow_older else {}
        if back:
            stay = partial(Stay, code="downgrade", refuses=True)
            stays = {
                path: [stay(Place(path), name, was, _older(now)) for name, was, now in rows]
                for path, rows in back.items()
            }
            refreshed = refreshed.without(stays)
        self.refreshed = refreshed
        for each in refreshed.files:
            self.change(each.path, each.old, each.new)
        paths = [each.path for each in refreshed.files if each.locked]
        merged = lock.replace(refreshed.lock, [*paths, *project.gone(lock)])
        if merged.targets:
            merged = merged.remember(paths, said)
        self.dependencies = changes.dependencies(lock, merged, paths) if lock.targets else ()
        self.images = changes.based(lock, merged, moved.moved if self.texts else {})
        self.lock, self.merged = lock, merged
        self.change_lock(lock_text, merged)


def _age(lock: Lock, now: datetime) -> timedelta:
    """How old the newest Release is that the lock was made from; without any, as old as can be."""
    dates = [datetime.fromisoformat(each.date) for each in lock.releases]
    return now - max(dates) if dates else timedelta.max


def _outcome(results: Sequence[RefreshedProject], now: datetime, *, refused: bool, written: bool) -> Outcome:
    moves = [_shown(each, result.project) for result in results for each in result.refreshed.moves]
    changed = {(move.name, move.new) for move in moves}
    brought = (each for result in results for each in result.dependencies)
    return Outcome(
        changes.changes_of(moves) if not refused else (),
        tuple(dict.fromkeys(each for result in results for each in result.images)),
        tuple(dict.fromkeys(each for each in brought if (each.name, each.new) not in changed)),
        tuple(_shown(each, result.project) for result in results for each in result.refreshed.stays),
        {},
        tuple(name for result in results for name in result.wrote) if not refused else (),
        sum(result.refreshed.pins for result in results),
        refused,
        written,
        tuple(dict.fromkeys(note for result in results for note in result.refreshed.notes)),
        unpinned=tuple(
            _shown(each, result.project) for result in results for each in result.refreshed.unpinned
        ),
        today=now.date(),
    )


def _shown(each: _Placed, project: Project) -> _Placed:
    return each._replace(place=each.place._replace(path=project.relative(each.place.path)))


def _uploads(
    found: Sequence[Change], results: Sequence[RefreshedProject], run: Run
) -> Mapping[tuple[str, str, str], Sequence[ChangelogEntry]]:
    """The changelog entries by change; what cannot be had is noted and left out."""
    access = run.access
    reader = access.changelogs(
        {key: value for each in results for key, value in access.mirrors(each.project.config).items()}
    )
    uploads: dict[tuple[str, str, str], Sequence[ChangelogEntry]] = {}
    of_source: dict[tuple[str, str, str], Sequence[ChangelogEntry]] = {}
    for change in found:
        index, package = change.offer.index, change.offer.package
        if index is None or not change.old:
            continue
        old = change.old.rstrip("*")
        key = (package.source, package.source_version, old)
        try:
            if key not in of_source:
                of_source[key] = reader.since(package, index.source.uri, old, index.packages)
            uploads[change.key] = of_source[key]
        except (FetchError, TrustError) as error:
            run.notes[f"no changelog of {change.name}: {error}"] = None
    return uploads
