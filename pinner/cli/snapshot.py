"""`pinner snapshot`."""

from __future__ import annotations

import click

from pinner.archive.network import MAX_AGE
from pinner.cli import document, flags
from pinner.cli.searching import search
from pinner.errors import InputError, PinnerError, worst
from pinner.report.terminal import Style
from pinner.search.find import SearchResult, Wanted, locked, pins
from pinner.session.projects import Project, read_lock
from pinner.session.run import Run
from pinner.stages.install_commands import File, read_all


@click.group("snapshot")
def command() -> None:
    """Find the moments of snapshot.debian.org at which versions were there."""


@command.command("find")
@flags.options(flags.PATHS, flags.STAGES)
@click.option("--closure", is_flag=True, help="Find everything that the lock lists, not only the pins.")
@click.option("--metasnap", is_flag=True, help="Ask metasnap.debian.net first, which may know where to look.")
@click.option("--offline", is_flag=True, help="Do not use the network: use what earlier searches found.")
@flags.options(flags.OUTPUT)
def find(paths: tuple[str, ...], run: Run, closure: bool, metasnap: bool, as_json: bool, style: Style) -> int:
    """Find the newest moment at which all pins of files coexist, or all of what is locked (--closure).

    Proven by the archives' own indices. Shows several moments, and exits 1, if none has all. What was learned is kept,
    so that a search that is interrupted goes on where it was.
    """
    if metasnap and run.access.recorded:
        raise click.UsageError(
            "--metasnap and --archive exclude each other: a recorded archive does not use the network"
        )
    run.access.max_age = MAX_AGE
    projects, errors = run.collect(paths)
    results: list[SearchResult] = []
    for project in projects:
        archives = run.archives(project.config)
        try:
            wanted = _wanted(project, run, closure=closure, errors=errors)
            with search(
                run.access, project.config, archives, wanted, quiet=style.quiet, metasnap=metasnap
            ) as finder:
                results += [finder.find(each) for each in wanted]
        except PinnerError as error:
            errors.append(error)
    from pinner.report import snapshot_find as report

    apart = any(len(each.answer.found) != 1 or each.answer.never for each in results)
    status = worst([error.exit_status for error in errors] or [int(apart)])
    if as_json:
        document.show(status, report.data(results), errors)
    else:
        for line in report.lines(results):
            click.echo(line)
        if not results and not errors and not style.quiet:
            click.echo("no version is pinned in these files: there is nothing to find")
    flags.tell(run.notes, errors, quiet=style.quiet)
    return status


def _wanted(project: Project, run: Run, *, closure: bool, errors: list[PinnerError]) -> tuple[Wanted, ...]:
    """What a project's files want; a file that cannot be used goes to `errors`."""
    _, lock = read_lock(project.lock_path)
    if closure:
        return locked(lock, project.texts)
    options = run.options(project, lock)
    files = []
    for name, each in read_all(project.texts, dict.fromkeys(project.texts, options)).items():
        if isinstance(each, File):
            files.append(each)
            continue
        if isinstance(each, InputError):
            each.path = project.shown(name)
        errors.append(each)
    return pins(files, run.archives(project.config))
