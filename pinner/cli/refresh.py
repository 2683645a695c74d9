"""`pinner refresh`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pinner.archive import seen
from pinner.cli import document, flags
from pinner.cli.flags import Output
from pinner.edit.span import Place
from pinner.errors import FetchError, PinnerError, TrustError, Unsatisfiable, printable, without_login
from pinner.lock import reader, writer
from pinner.lock.schema import Lock, Settings
from pinner.project import files
from pinner.report import refresh as report
from pinner.report.diagnostic import Report
from pinner.report.refresh import Outcome
from pinner.report.terminal import Style
from pinner.session.access import Access
from pinner.session.advisories import Vulnerabilities
from pinner.session.lock import at_snapshot
from pinner.session.projects import Project, read_lock
from pinner.session.projects import write as write_all
from pinner.session.run import Asked, Run
from pinner.stages import froms
from pinner.stages.archives import Archives
from pinner.stages.froms import Digests
from pinner.workflow import changes
from pinner.workflow.changes import Along, Based, Change
from pinner.workflow.moves import Stay, Wishes
from pinner.workflow.moves import older as _older
from pinner.workflow.refresh import Refreshed, Refresher
from pinner.workflow.vulnerable import Mended, mended

if TYPE_CHECKING:
    from pinner.archive.changelog import Entry


@click.command("refresh")
@flags.options(flags.PATHS, flags.STAGES)
@click.option(
    "--only",
    type=click.Choice(["gone", "security", "all"]),
    default=None,
    help="Move only pins that are gone; or these and those with a security update.",
)
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Move only these packages; globs.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave these packages as they are; globs.")
@click.option("--add", is_flag=True, help="Pin also what has no pin.")
@click.option(
    "--min-age",
    type=flags.Duration(),
    default=None,
    metavar="AGE",
    help="Take a candidate only if it has been in the archive that long, or the pin is gone.",
)
@click.option(
    "--if-older-than",
    type=flags.Duration(),
    default=None,
    metavar="AGE",
    help="Do nothing where pinner.lock was made from an archive younger than this.",
)
@click.option(
    "--rescue",
    is_flag=True,
    help="Move no pin: make the build of a file with pins that are gone read the newest snapshot that has them all.",
)
@click.option(
    "--snapshot",
    "when",
    metavar="WHEN",
    help="Read the archives as they were then, and make builds that read a snapshot read that one, too.",
)
@click.option("--atomic", is_flag=True, help="Write nothing at all if something cannot be refreshed.")
@click.option("--dry-run", is_flag=True, help="Show what would change as a diff; write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything would change.")
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write Markdown for a pull request to FILE.",
)
@click.option(
    "--commit-message",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a commit's message to FILE.",
)
@click.option("--cve", is_flag=True, help="Tell which known vulnerabilities the moves mend.")
@click.option("--changelogs", is_flag=True, help="Fetch the new packages and tell what their changelogs say.")
@flags.options(flags.OLDER, flags.REPORT)
def command(
    paths: tuple[str, ...],
    asked: Asked,
    recorded: Path | None,
    only: Literal["gone", "security", "all"] | None,
    packages: tuple[str, ...],
    exclude: tuple[str, ...],
    add: bool,
    min_age: timedelta | None,
    if_older_than: timedelta | None,
    rescue: bool,
    when: str | None,
    atomic: bool,
    dry_run: bool,
    check: bool,
    summary: Path | None,
    commit_message: Path | None,
    cve: bool,
    changelogs: bool,
    allow_older: bool,
    output: Output,
) -> int:
    """Move pins to what apt would take today, in the files and in the lock.

    What is in one install command moves together or not at all; a pin that cannot move, a file or an archive that
    cannot be read is reported and stops no other. Always asks the archive anew. Exits 1 if a pin that is gone was left
    out, 4 if one cannot be moved, 3, 5 or 6 if a file or an archive cannot be read; --atomic then writes nothing.
    """
    form, style = output
    now = datetime.now(UTC)
    run = Run(asked, flags.access(recorded, quiet=style.quiet))
    projects, errors = run.collect(paths, writes=not (dry_run or check))
    if errors and (rescue or not projects):
        raise errors[0]
    if rescue:
        from pinner.cli.rescue import rescue as by_snapshots

        return by_snapshots(projects, run, style, write=not (dry_run or check))
    allow_older = allow_older or when is not None  # whoever names a moment wants its versions
    cache = run.access.cache
    refreshers: dict[tuple[Archives, Wishes], Refresher] = {}
    results: list[_Result] = []
    for project in projects:
        text, lock = read_lock(project.lock_path, merge=True)
        if if_older_than is not None and _age(lock, now) < if_older_than:
            if not style.quiet:
                click.echo(f"pinner: {project.lock_path.name} is not older than that: nothing done", err=True)
            continue
        if not allow_older:
            run.not_before(project, lock)
        archives = run.archives(project.config)
        policy = project.config.policy
        kind: Literal["", "gone", "security"] = "security" if policy.security_only else ""
        if only is not None:
            kind = "" if only == "all" else only
        age = policy.min_age if min_age is None else min_age
        wishes = Wishes(kind, packages, exclude, add, age, allow_older, policy)
        record = seen.read(cache) if age else {}
        refresher = refreshers.setdefault(
            (archives, wishes), Refresher(archives, now, wishes, record, run.solved)
        )
        run.notes |= dict.fromkeys(policy.ended(now.date()))
        # Where all is to move, so are the images: what the lock knows of them does not count.
        vouching = run.vouching(project, lock)
        options = run.options(project, lock, anew=not kind)._replace(vouch=vouching)
        if when is not None:
            options, notes = at_snapshot(run.access, project, options, when)
            run.notes |= dict.fromkeys(notes)
        today = run.look(project.config, Lock())
        moved = Digests(project.texts, {}) if kind else froms.moved(project.texts, options, today)
        result = refresher.refresh(moved.texts, options, lock)
        rewritten = (each._replace(old=project.texts[each.path]) for each in result.files)
        result = result._replace(files=tuple(rewritten), lock=result.lock._replace(keys=vouching.used))
        seen.keep(cache, record, result.young, now)
        run.keep_solved()
        platforms = " ".join(options.platforms) if asked.platforms else ""
        settings = Settings("", platforms, kinds=" ".join(asked.kinds))
        results.append(_Result(project, result, text, lock, moved, said=settings, allow_older=allow_older))
    failures: dict[PinnerError, None] = {}
    for each in results:
        failures |= dict.fromkeys((*each.refreshed.errors.values(), *each.refreshed.unreachable))
    hindered = bool(errors or failures) or any(result.refreshed.refusals for result in results)
    refused = atomic and hindered
    write = not (dry_run or check or refused)
    if write:
        run.notes |= dict.fromkeys(write_all(results))
    outcome = _outcome(results, refused=refused, written=write)
    if changelogs and not refused:
        uploads = _uploads(outcome.changes, results, run.access)
        outcome = outcome._replace(uploads=uploads)
    if cve and not refused:
        known = Vulnerabilities(run.access, run.notes)
        outcome = outcome._replace(mended=_mended(results, known))
        failures |= known.errors
        hindered = hindered or bool(known.errors)
    if summary is not None:
        from pinner.report.pull_request import summary as pull_request

        files.put(summary, without_login(pull_request(outcome)))
    if commit_message is not None:
        files.put(commit_message, without_login(report.commit_message(outcome)))
    changed = bool(outcome.wrote)
    status = int((check and changed) or any(stay.gone for stay in outcome.stays))
    unmatched = _in_no_file(refreshers.values())
    status = 1 if unmatched else status
    if hindered:
        faults = [error.exit_status for error in (*errors, *failures)]
        status = max(faults, default=Unsatisfiable.exit_status)
    for name in unmatched:
        click.echo(
            f"pinner: --package {printable(name)}: no install command here names such a package", err=True
        )
    if form == "text":
        _print(outcome, results, style, diff=dry_run)
    else:
        own = report.diagnostics(outcome, (*errors, *failures), check=check)
        names = tuple(each.project.relative(path) for each in results for path in each.project.texts)
        found = Report("refresh", report.summary(outcome), tuple(own), names, (), now)
        document.report(form, found, lambda: report.data(outcome), status, (*errors, *failures))
    said = run.notes | dict.fromkeys(outcome.notes)
    flags.tell(said if form == "text" else (), (*errors, *failures), quiet=style.quiet)
    return status


def _in_no_file(refreshers: Iterable[Refresher]) -> list[str]:
    """What --package names and no file does, which is a slip."""
    unmatched = [refresher.unmatched for refresher in refreshers]
    return [name for name in dict.fromkeys(chain(*unmatched)) if all(name in each for each in unmatched)]


def _mended(results: Iterable[_Result], asked: Vulnerabilities) -> tuple[Mended, ...]:
    """The vulnerabilities that the moves of all projects end."""
    found: dict[Mended, None] = {}
    for each in results:
        suites = (target.closure.suite for target in each.merged.targets)
        known = asked.of(each.project.config, suites)
        found |= dict.fromkeys(mended(each.lock, each.merged, known))
    return tuple(found)


class _Result:
    """A project's refresh and the files it would change, the lock among them."""

    def __init__(
        self,
        project: Project,
        refreshed: Refreshed,
        lock_text: str | None,
        lock: Lock,
        moved: Digests,
        *,
        said: Settings,
        allow_older: bool,
    ) -> None:
        self.project = project
        self.refreshed = refreshed
        self.before: dict[Path, str | None] = {}
        self.texts: dict[Path, str] = {}
        self.along: tuple[Along, ...] = ()
        self.images: tuple[Based, ...] = ()
        for path in [each.path for each in refreshed.files if each.locked] if not allow_older else ():
            back = changes.older(lock, refreshed.lock, path)
            refreshed = (
                refreshed.without(
                    path,
                    tuple(
                        Stay(Place(path), each.name, each.old, _older(each.new), "downgrade", refuses=True)
                        for each in back
                    ),
                )
                if back
                else refreshed
            )
        self.refreshed = refreshed
        for each in refreshed.files:
            if each.old != each.new:
                place = project.paths[each.path]
                self.before[place], self.texts[place] = each.old, each.new
        paths = [each.path for each in refreshed.files if each.locked]
        merged = lock.replace(refreshed.lock, [*paths, *project.gone(lock)])
        if merged.targets:
            merged = merged.remember(paths, said)
        if lock.targets:
            self.along = changes.along(lock, merged, paths)
        self.lock, self.merged = lock, merged
        text = writer.dumps(merged)
        if text != lock_text and (merged.targets or lock_text is not None):
            reader.loads(text, str(project.lock_path))
            self.before[project.lock_path], self.texts[project.lock_path] = lock_text, text
        written = {each.path for each in refreshed.files if each.old != each.new}
        self.images = changes.based(lock, merged, moved.moved if written else {})


def _age(lock: Lock, now: datetime) -> timedelta:
    """How old the newest Release is that the lock was made from; without any, as old as can be."""
    dates = [datetime.fromisoformat(each.date) for each in lock.releases]
    return now - max(dates) if dates else timedelta.max


def _outcome(results: Sequence[_Result], *, refused: bool, written: bool) -> Outcome:
    moves = [
        move._replace(place=_shown(move.place, result.project))
        for result in results
        for move in result.refreshed.moves
    ]
    stays: list[Stay] = [
        stay._replace(place=_shown(stay.place, result.project))
        for result in results
        for stay in result.refreshed.stays
    ]
    wrote = [path for result in results for path in result.texts] if not refused else []
    here = Path.cwd()
    changed = {(move.name, move.new) for move in moves}
    return Outcome(
        changes.changes_of(moves) if not refused else (),
        tuple(dict.fromkeys(each for result in results for each in result.images)),
        tuple(
            dict.fromkeys(
                each for result in results for each in result.along if (each.name, each.new) not in changed
            )
        ),
        tuple(stays),
        {},
        tuple(printable(files.relative(path, here), line=True) for path in wrote),
        sum(result.refreshed.pins for result in results),
        refused,
        written,
        tuple(dict.fromkeys(note for result in results for note in result.refreshed.notes)),
    )


def _shown(place: Place, project: Project) -> Place:
    return place._replace(path=project.relative(place.path))


def _uploads(
    found: Sequence[Change], results: Sequence[_Result], access: Access
) -> Mapping[str, Sequence[Entry]]:
    """The changelog entries by package; what cannot be had is told on stderr and left out."""
    reader = access.changelogs(
        {key: value for each in results for key, value in access.mirrors(each.project.config).items()}
    )
    uploads: dict[str, Sequence[Entry]] = {}
    of_source: dict[tuple[str, str, str], Sequence[Entry]] = {}
    for change in found:
        index, package = change.offer.index, change.offer.package
        if index is None or not change.old:
            continue
        old = change.old.rstrip("*")
        key = (package.source, package.source_version, old)
        try:
            if key not in of_source:
                of_source[key] = reader.since(package, index.source.uri, old)
            uploads[change.name] = of_source[key]
        except (FetchError, TrustError) as error:
            click.echo(f"pinner: no changelog of {printable(change.name)}: {error}", err=True)
    return uploads


def _print(outcome: Outcome, results: Sequence[_Result], style: Style, *, diff: bool) -> None:
    if diff:
        from pinner.report.diff import unified

        for result in results:
            for each in result.refreshed.files:
                shown = result.project.shown(each.path)
                click.echo(unified(shown, each.old, each.new), nl=False)
    for line in report.lines(outcome, style):
        click.echo(line, err=diff)
    if results and not style.quiet:
        click.echo(report.summary(outcome), err=diff)
