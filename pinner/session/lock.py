"""`lock` over projects: plan each, and write what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pinner.archive import seen
from pinner.distributions import moments
from pinner.edit.span import Place
from pinner.errors import PinnerError, status_of, value_of
from pinner.lock import reader
from pinner.lock.schema import Lock, LockedSettings
from pinner.recipe.blocks import BEGIN
from pinner.report import lock as report
from pinner.report.diagnostic import Diagnostic, Report, diagnostic, of_error
from pinner.session.projects import Project, from_here, read_lock
from pinner.session.run import Run
from pinner.session.writes import Writes
from pinner.session.writes import write as write_all
from pinner.stages.archives import Archives
from pinner.stages.locked_index import NotLocked
from pinner.stages.suites import Options, PinScope
from pinner.values import NamedTuple
from pinner.workflow.lock import Plan, plan
from pinner.workflow.remembered import ARGUMENTS, remembered


class LockOptions(NamedTuple):
    """How to lock; see the options of `pinner lock`. `when` is the moment of --snapshot, None for now."""

    scope: PinScope | None = None
    when: str | None = None
    write_sources: bool = False
    expand_braces: bool = False
    pin_images: bool = False
    trust_new_keys: bool = False
    allow_older: bool = False
    trust_lock: bool = False
    rename_virtual: bool = False


class LockResult(NamedTuple):
    """What came of it. `unserved` are errors of archives, with the files that were not locked for each; files were
    `written`, or would be."""

    outcomes: Sequence[LockedProject]
    errors: Sequence[PinnerError]
    unserved: Mapping[PinnerError, Sequence[str]]
    written: bool

    @property
    def failures(self) -> tuple[PinnerError, ...]:
        """All errors."""
        return (*self.errors, *self.unserved)

    def status(self, *, strict: bool = False, check: bool = False) -> int:
        """The exit status; with `check` 1 for anything that would change, with `strict` for words without a pin."""
        changed = check and any(each.wrote for each in self.outcomes)
        fails = any(each.plan.fails or (strict and each.plan.leaves_words) for each in self.outcomes)
        return status_of(self.failures, failed=fails or changed)

    def data(self) -> dict[str, Any]:
        """What JSON says of the run."""
        plans = ((each.plan, each.project.relative, each.wrote) for each in self.outcomes)
        return report.data(plans, written=self.written)

    def report(self, run: Run, *, strict: bool = False, check: bool = False) -> Report:
        """The run in whichever format."""
        results = self.outcomes
        found = [*_diagnostics(results, strict=strict, write=self.written, check=check)]
        found += (of_error(each, from_here) for each in self.failures)
        good = {"kept", "pinned"} if self.written else {"kept"}
        passed = tuple(
            (report.place_of(each, result.project.relative(each.path)), f"{each.name}={each.choice.version}")
            for result in results
            for each in result.plan.findings
            if each.choice.status in good
        )
        names = (result.project.relative(each.path) for result in results for each in result.plan.files)
        said = "; ".join(report.summary(each.plan, each.wrote, would=not self.written) for each in results)
        return Report("lock", said, tuple(found), tuple(names), passed, run.access.now)


def lock(
    run: Run, projects: Sequence[Project], errors: Sequence[PinnerError], how: LockOptions, *, write: bool
) -> LockResult:
    """Pin what is unpinned in the projects' files; `errors` are those of files that could not be read.

    Raises `PinnerError` for what no project can do without.
    """
    errors = list(errors)
    outcomes = [_planned(run, project, how) for project in projects]
    unserved: dict[PinnerError, list[str]] = {}
    for each in outcomes:
        errors += map(each.project.placed, each.plan.errors)
        for path, failure in each.plan.unserved.items():
            unserved.setdefault(failure, []).append(each.project.shown(path))
        unserved |= {failure: [] for failure in each.plan.unreachable}
    if write:
        run.notes |= dict.fromkeys(write_all(outcomes))
    for each in outcomes:
        lock_stands = write or each.project.lock_path not in each.texts
        if each.proven and each.lock_text and lock_stands and each.project.paths:
            run.remember(seen.followed, run.access.cache, each.lock_text)
    run.keep_solved()
    return LockResult(outcomes, errors, unserved, write)


def _planned(run: Run, project: Project, how: LockOptions) -> LockedProject:
    """What is to become of a project. A lock that is believed is asked first; else the archives are."""
    text, lock = read_lock(project.lock_path, merge=True)
    if not how.allow_older:
        run.not_before(project, lock)
    archives = run.archives(project.config)
    vouching = run.vouching(project, lock, new=how.trust_new_keys)
    options = run.options(project, lock, scope=how.scope, vouching=vouching)
    options = options._replace(write_sources=how.write_sources)
    if how.when is not None:
        options = at_snapshot(run, project, options, how.when)
    written = _edited(run, project, lock, options, archives, how)
    proven = text is not None and seen.has_followed(run.access.cache, text)
    asks = (how.trust_lock or proven) and not how.allow_older
    trusted = run.as_locked(project, lock, proven=proven) if asks else None
    believed = trusted is not None
    try:
        result = plan(written, options, trusted or archives, lock, run.solved, proven=proven or believed)
        settled = all(each.settled for each in result.findings)
        if believed and not how.trust_lock and not settled:
            raise NotLocked
    except NotLocked:  # then all of it is read
        believed = False
        result = plan(written, options, archives, lock, run.solved, proven=proven)
    if how.trust_lock and lock.targets:
        run.believes(project, believed=believed, reviewed=trusted is not None)
    if written is not project.texts:
        files_now = (each._replace(old=project.texts[each.path]) for each in result.files)
        result = result._replace(files=tuple(files_now))
    result = result._replace(
        lock=result.lock._replace(keys=vouching.used),
        unreachable=(*vouching.unreachable.values(), *result.unreachable),
    )
    said = run.settings("" if how.scope is None else how.scope or ARGUMENTS)
    return LockedProject(project, result, text, lock, proven=proven, believed=believed, said=said)


def _edited(
    run: Run, project: Project, lock: Lock, options: Options, archives: Archives, how: LockOptions
) -> Mapping[str, str]:
    """The texts with what else was asked for: braces expanded, virtual packages renamed, base images pinned."""
    texts: Mapping[str, str] = project.texts
    if how.expand_braces:
        from pinner.stages import braces

        texts = braces.expanded(texts, options)
    if how.rename_virtual:
        from pinner.stages import renames

        done = renames.renamed(texts, {path: remembered(options, lock, path) for path in texts}, archives)
        run.notes |= dict.fromkeys(done.notes)
        texts = done.texts
    if how.pin_images:
        from pinner.stages import froms

        pinned = froms.pinned(texts, options, run.look(project.config, Lock()))
        run.notes |= dict.fromkeys(f"{name} is pinned to {new}" for name, (_, new) in pinned.moved.items())
        texts = pinned.texts
    return texts


def at_snapshot(run: Run, project: Project, options: Options, when: str) -> Options:
    """The options with the moment that `when` means for the archives of a project's files. What it means is noted."""
    from pinner.workflow.snapshots import moment, notes

    with value_of("--snapshot"):
        wanted = moments.when(when, run.access.now)
    service = run.access.snapshots(project.config)
    try:
        found = moment(project.texts, options, wanted, service.timestamps)
    finally:
        service.close()
    run.notes |= dict.fromkeys(notes(found, wanted) if found.imports else ())
    if not options.write_sources and not all(BEGIN in text for text in project.texts.values()):
        run.notes["the build reads the archive as it is then: --write-sources makes it read the snapshot"] = (
            None
        )
    return options._replace(snapshot=found)


class LockedProject(Writes):
    """A project's plan and the files it would change, the lock among them."""

    def __init__(
        self,
        project: Project,
        result: Plan,
        lock_text: str | None,
        lock: Lock,
        *,
        proven: bool = False,
        believed: bool = False,
        said: LockedSettings = LockedSettings(""),  # noqa: B008
    ) -> None:
        super().__init__(project)
        self.plan = result
        for planned in result.files:
            self.change(planned.path, planned.old, planned.new)
        locked = [planned.path for planned in result.files if planned.locked]
        handled = [*locked, *project.gone(lock)]
        merged = lock.replace(result.lock, handled)
        settled = merged.remember(locked, said) if merged.targets else merged
        if settled.settings != merged.settings:
            merged = settled
        self.lock_text = lock_text
        conflicted = lock_text is not None and reader.is_conflicted(lock_text)
        if project.paths and (conflicted or merged is not lock):
            self.lock_text = self.change_lock(lock_text, merged)
        #: Whether all of it has followed from the archives, in this run or in one before.
        self.proven = proven or (not believed and lock.files() <= set(handled))
        now = {target.key: target for target in merged.targets}
        #: The targets of the lock that are, or would be, locked anew.
        self.anew = tuple(
            target for target in lock.targets if target.key in now and not target.is_like(now[target.key])
        )

    @property
    def wrote(self) -> Sequence[str]:
        """The changed files as people know them, the lock last; standard output if the text came from there."""
        return ["standard output"] if self.changed and not self.project.paths else super().wrote


def _diagnostics(
    results: Sequence[LockedProject], *, strict: bool, write: bool, check: bool
) -> Iterator[Diagnostic]:
    for each in results:
        project = each.project
        yield from report.diagnostics(each.plan, project.relative, strict=strict, written=write, check=check)
        if not write and project.lock_path in each.texts:
            place = Place(project.relative(project.lock_path.name))
            text = "it is not what pinner lock would write"
            yield diagnostic("drift", "error" if check else "note", place, place.path, text)
