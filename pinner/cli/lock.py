"""`pinner lock`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pinner.archive import seen
from pinner.archive.cache import Cache
from pinner.cli import common, document, doors
from pinner.cli.common import Output, Project
from pinner.cli.view import STAGES, Told, View
from pinner.distributions import moments
from pinner.errors import PinnerError, printable, worst
from pinner.lock import reader, writer
from pinner.lock.schema import Lock, Settings
from pinner.project import files
from pinner.recipe.blocks import BEGIN
from pinner.report import terminal
from pinner.report.diagnostic import Diagnostic, Report, diagnostic, of_error
from pinner.report.terminal import Style
from pinner.stages.suites import Along, Options
from pinner.workflow.export import named
from pinner.workflow.lock import Plan, plan
from pinner.workflow.remembered import ARGUMENTS
from pinner.workflow.verify import Place


@click.command("lock")
@common.options(common.PATHS, STAGES)
@click.option(
    "--trust-new-keys",
    is_flag=True,
    help="Trust on first use the keys that files fetch for the repositories they add; the lock keeps which they are.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change as a diff; write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything would change.")
@click.option(
    "--pin-siblings/--no-pin-siblings",
    default=None,
    help="Pin on the line too what a pinned package needs in exactly one version.",
)
@click.option(
    "--expand-braces", is_flag=True, help="Write out what bash makes of a{b,c}, to pin each; for bash alone."
)
@click.option("--pin-images", is_flag=True, help="Put the digests of base images behind their names.")
@click.option("--closure/--no-closure", default=None, help="Pin on the line all that it brings in.")
@click.option(
    "--snapshot",
    "when",
    metavar="WHEN",
    help="Read the archives as they were then: 20261101T000000Z, 2026-11-01, yesterday, or latest.",
)
@click.option("--write-sources", is_flag=True, help="Make the build read that snapshot, too.")
@common.options(common.STRICT, common.OLDER, common.ARCHIVE, common.REPORT)
def command(
    paths: tuple[str, ...],
    told: Told,
    dry_run: bool,
    check: bool,
    pin_siblings: bool | None,
    expand_braces: bool,
    pin_images: bool,
    closure: bool | None,
    when: str | None,
    write_sources: bool,
    trust_new_keys: bool,
    strict: bool,
    allow_older: bool,
    offline: bool,
    max_age: timedelta,
    output: Output,
) -> int:
    """Pin the packages of install lines to the versions that apt would install.

    Without FILE, takes every file below the current directory that may install
    packages: Dockerfiles, shell scripts, GitHub workflows and actions, GitLab CI files. `-` reads standard input and
    writes the pinned text to standard output. Pins that are there are kept.
    """
    form, style = output
    along: Along | None = "closure" if closure else "siblings" if pin_siblings else None
    if along is None and (closure, pin_siblings) != (None, None):
        along = ""
    if common.STDIN in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands alone")
        projects = [common.from_stdin()]
        errors: list[PinnerError] = []
    else:
        projects, errors = common.collect(paths, writes=not (dry_run or check))
    if (
        write_sources
        and when is None
        and not any(BEGIN in text for each in projects for text in each.texts.values())
    ):
        raise click.UsageError("--write-sources needs --snapshot")
    cache = Cache(doors.cache_dir())
    results = []
    unserved: dict[PinnerError, list[str]] = {}
    view = View(told, style, offline=offline, max_age=max_age)
    for project in projects:
        text, lock = common.read_lock(project.lock_path, merge=True)
        if not allow_older:
            view.not_before(project, lock)
        archives = view.archives(project.config)
        vouching = view.vouching(project, lock, new=trust_new_keys)
        options = view.options(project, lock, along=along)._replace(
            write_sources=write_sources, vouch=vouching
        )
        said = Settings(
            "",
            " ".join(options.platforms) if told.platforms else "",
            "" if along is None else along or ARGUMENTS,
            " ".join(common.kinds_said()),
        )
        if when is not None:
            options, notes = at_snapshot(project, options, when, offline=offline)
            archives.notes |= dict.fromkeys(notes)
        written: Mapping[str, str] = project.texts
        if expand_braces:
            from pinner.stages import braces

            written = braces.expanded(written, options)
        if pin_images:
            from pinner.stages import froms

            pinned = froms.pinned(written, options, view.look(project.config, Lock()))
            digests = (f"{name} is pinned to {new}" for name, (_, new) in pinned.moved.items())
            archives.notes |= dict.fromkeys(digests)
            written = pinned.texts
        proven = text is not None and seen.has_followed(cache, text)
        result = plan(written, options, archives, lock, proven=proven)
        if written is not project.texts:
            files_now = (each._replace(old=project.texts[each.path]) for each in result.files)
            result = result._replace(files=tuple(files_now))
        result = result._replace(lock=result.lock._replace(keys=vouching.used))
        results.append(Outcome(project, result, text, lock, proven=proven, said=said))
        for problem in result.errors:
            problem.path = project.shown(problem.path)
            errors.append(problem)
        for path, failure in result.unserved.items():
            unserved.setdefault(failure, []).append(project.shown(path))
        unserved |= {each: [] for each in (*vouching.unreachable.values(), *result.unreachable)}
    stdin = common.STDIN in paths
    write = not (dry_run or check)
    if write and not stdin:
        common.write(results)
    for outcome in results:
        lock_stands = write or outcome.project.lock_path not in outcome.texts
        if outcome.proven and outcome.lock_text and lock_stands and not stdin:
            seen.followed(cache, outcome.lock_text)
    changed = any(outcome.wrote for outcome in results)
    fails = any(outcome.plan.fails or (strict and outcome.plan.leaves_words) for outcome in results)
    faults = [error.exit_status for error in (*errors, *unserved)]
    status = worst(faults or [int(fails or (check and changed))])
    if form == "text":
        _print(results, style, write=write, diff=dry_run, stdin=stdin)
    else:
        from pinner.report import as_json

        own = _diagnostics(results, strict=strict, write=write, check=check)
        found = _report(results, [*own, *map(of_error, (*errors, *unserved))], write=write)
        document.report(
            form, found, lambda: as_json.lock(results, written=write), status, (*errors, *unserved)
        )
    for error in errors:
        click.echo(f"pinner: {error}", err=True)
    for failure, names in unserved.items():
        some = names and any(outcome.plan.files for outcome in results)
        named = f"\nnot locked for that: {printable(_some(names))}" if some else ""
        click.echo(f"pinner: {failure}{named}", err=True)
    return status


def at_snapshot(
    project: Project, options: Options, when: str, *, offline: bool
) -> tuple[Options, tuple[str, ...]]:
    """The options with the moment that `when` means for the archives of a project's files, and what it means."""
    from pinner.workflow.snapshots import moment, notes

    with common.value_of("--snapshot"):
        wanted = moments.when(when, datetime.now(UTC))
    service = doors.snapshots(project.config, offline=offline)
    try:
        found = moment(project.texts, options, wanted, service.timestamps)
    finally:
        service.close()
    said = list(notes(found, wanted)) if found.imports else []
    if not options.write_sources and not all(BEGIN in text for text in project.texts.values()):
        said.append("the build reads the archive as it is then: --write-sources makes it read the snapshot")
    return options._replace(snapshot=found), tuple(said)


class Outcome:
    """A project's plan and the files it would change, the lock among them."""

    def __init__(
        self,
        project: Project,
        result: Plan,
        lock_text: str | None,
        lock: Lock,
        *,
        proven: bool = False,
        said: Settings = Settings(""),  # noqa: B008
    ) -> None:
        self.project = project
        self.plan = result
        self.before: dict[Path, str | None] = {}
        self.texts: dict[Path, str] = {}
        for planned in result.files:
            if planned.old != planned.new and planned.path in project.paths:
                path = project.paths[planned.path]
                self.before[path], self.texts[path] = planned.old, planned.new
        locked = [planned.path for planned in result.files if planned.locked]
        handled = [*locked, *project.gone(lock)]
        merged = lock.replace(result.lock, handled)
        settled = merged.remember(locked, said) if merged.targets else merged
        if settled.settings != merged.settings:
            merged = settled
        self.lock_text = lock_text
        conflicted = lock_text is not None and reader.is_conflicted(lock_text)
        changed = conflicted or merged is not lock
        if project.paths and changed and (merged.targets or lock_text is not None):
            text = writer.dumps(merged)
            reader.loads(text, str(project.lock_path))
            self.before[project.lock_path], self.texts[project.lock_path] = lock_text, text
            self.lock_text = text
        self.proven = proven or lock.files() <= set(handled)
        now = {target.key: target for target in merged.targets}
        #: The targets of the lock that are, or would be, locked anew.
        self.anew = tuple(
            target for target in lock.targets if target.key in now and not target.is_like(now[target.key])
        )

    @property
    def wrote(self) -> Sequence[str]:
        """The changed files as people know them, the lock last; standard output if the text came from there."""
        if not self.project.paths:
            return ["standard output"] if any(each.old != each.new for each in self.plan.files) else []
        here = Path.cwd()
        return [printable(files.relative(path, here), line=True) for path in self.texts]


def _diagnostics(
    results: Sequence[Outcome], *, strict: bool, write: bool, check: bool
) -> Iterator[Diagnostic]:
    for each in results:
        project = each.project
        yield from terminal.diagnostics(
            each.plan, project.relative, strict=strict, written=write, check=check
        )
        if not write and project.lock_path in each.texts:
            place = Place(project.relative(project.lock_path.name))
            text = "it is not what pinner lock would write"
            yield diagnostic("drift", "error" if check else "note", place, place.path, text)


def _report(results: Sequence[Outcome], found: Sequence[Diagnostic], *, write: bool) -> Report:
    """The run in whichever format."""
    passed = (
        (terminal.place_of(each, result.project.relative(each.path)), f"{each.name}={each.choice.version}")
        for result in results
        for each in result.plan.findings
        if each.choice.status == "kept" or (write and each.choice.status == "pinned")
    )
    files = (result.project.relative(each.path) for result in results for each in result.plan.files)
    said = "; ".join(terminal.summary(each.plan, each.wrote, would=not write) for each in results)
    return Report("lock", said, tuple(found), tuple(files), tuple(passed), datetime.now(UTC))


def _some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _print(outcomes: Sequence[Outcome], style: Style, *, write: bool, diff: bool, stdin: bool) -> None:
    aside = diff or (stdin and write)
    for outcome in outcomes:
        for note in () if style.quiet else outcome.plan.notes:
            click.echo(f"pinner: {printable(note)}", err=True)
        for planned in outcome.plan.files if stdin and write else ():
            click.echo(planned.new.encode(), nl=False)  # text would lose what looks like a colour
        if diff:
            from pinner.report.diff import unified

            for planned in outcome.plan.files:
                place = outcome.project.paths.get(planned.path)
                name = files.relative(place, Path.cwd()) if place else planned.path
                click.echo(unified(name, planned.old, planned.new), nl=False)
        for line in terminal.lines(outcome.plan, style, outcome.project.shown):
            click.echo(line, err=aside)
        for target in outcome.anew if not style.quiet else ():
            if not write or target.conflict:
                why = f": {target.conflict}" if target.conflict else ""
                said = f"{outcome.project.lock_path.name}: {'' if write else 'to be '}locked anew: {named(target)}{why}"
                click.echo(printable(said), err=aside)
        if outcome.plan.files and not style.quiet:
            click.echo(terminal.summary(outcome.plan, outcome.wrote, would=not write), err=aside)
