"""`pinner snapshot`."""

from __future__ import annotations

import click

from pinner.archive.load import MAX_AGE
from pinner.cli import common, document, doors
from pinner.cli.common import Project
from pinner.cli.searching import search
from pinner.cli.view import STAGES, Told, View
from pinner.errors import InputError, PinnerError, printable, worst
from pinner.stages.install_commands import File, read_all
from pinner.workflow.find import Result, Wanted, locked, pins


@click.group("snapshot")
def command() -> None:
    """Find the moments of snapshot.debian.org at which versions were there."""


@command.command("find")
@common.options(common.PATHS, STAGES)
@click.option("--closure", is_flag=True, help="Find all that the lock says is installed, not the pins alone.")
@click.option("--metasnap", is_flag=True, help="Ask metasnap.debian.net first, which may know where to look.")
@click.option("--offline", is_flag=True, help="Ask nobody: use what earlier searches have learned.")
@common.options(common.OUTPUT)
def find(
    paths: tuple[str, ...],
    told: Told,
    closure: bool,
    metasnap: bool,
    offline: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Find the fewest moments at which all pins of files coexist, or all of what is locked (--closure).

    Proven by the archives' own indices at those moments. Exits 1 if one moment is not enough. What was learned is kept,
    so that a search that is interrupted goes on where it was.
    """
    style = common.to_style(quiet=quiet, verbose=verbose)
    if metasnap and doors.recorded():
        raise click.UsageError("--metasnap and --archive exclude each other: a recorded archive asks nobody")
    projects, errors = common.collect(paths)
    results: list[Result] = []
    notes: dict[str, None] = {}
    view = View(told, style, offline=offline, max_age=MAX_AGE)
    for project in projects:
        archives = view.archives(project.config)
        try:
            wanted = _wanted(project, view, closure=closure, errors=errors)
            with search(
                project.config, archives, wanted, style, offline=offline, metasnap=metasnap
            ) as finder:
                results += [finder.find(each) for each in wanted]
        except PinnerError as error:
            errors.append(error)
        notes |= archives.notes
    from pinner.report import found as report

    for note in () if style.quiet else notes:
        click.echo(f"pinner: {printable(note)}", err=True)
    apart = any(len(each.answer.found) != 1 or each.answer.never for each in results)
    status = worst([error.exit_status for error in errors] or [int(apart)])
    if as_json:
        document.show(status, report.data(results), errors)
    else:
        for line in report.lines(results):
            click.echo(line)
        if not results and not errors and not style.quiet:
            click.echo("no version is pinned in these files: there is nothing to find")
    for problem in errors:
        click.echo(f"pinner: {problem}", err=True)
    return status


def _wanted(project: Project, view: View, *, closure: bool, errors: list[PinnerError]) -> tuple[Wanted, ...]:
    """What a project's files want; a file that cannot be used goes to `errors`."""
    _, lock = common.read_lock(project.lock_path)
    if closure:
        return locked(lock, project.texts)
    options = view.options(project, lock)
    files = []
    for name, each in read_all(project.texts, dict.fromkeys(project.texts, options)).items():
        if isinstance(each, File):
            files.append(each)
            continue
        if isinstance(each, InputError):
            each.path = project.shown(name)
        errors.append(each)
    return pins(files, view.archives(project.config))
