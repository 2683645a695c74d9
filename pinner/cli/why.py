"""`pinner why`."""

from __future__ import annotations

from datetime import timedelta

import click

from pinner.cli import common, document
from pinner.cli.view import STAGES, Told, View
from pinner.errors import printable, worst
from pinner.report import resolution
from pinner.workflow.resolve import why


@click.command("why")
@click.argument("package")
@common.options(common.PATHS, STAGES, common.ARCHIVE, common.OUTPUT)
def command(
    package: str,
    paths: tuple[str, ...],
    told: Told,
    offline: bool,
    max_age: timedelta,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Explain why the install lines of files bring in PACKAGE, and which versions apt has to choose from.

    Exit status 1 if no stage installs it.
    """
    style = common.to_style(quiet=quiet, verbose=verbose)
    projects, errors = common.collect(paths)
    view = View(told, style, offline=offline, max_age=max_age)
    found = False
    answers = []
    for project in projects:
        _, lock = common.read_lock(project.lock_path)
        archives = view.archives(project.config)
        explained = why(package, project.texts, view.options(project, lock), archives, lock)
        for note in () if quiet else archives.notes:
            click.echo(f"pinner: {printable(note)}", err=True)
        found = found or bool(explained.reasons)
        if as_json:
            lock_name = project.relative(project.lock_path.name)
            answers.append({"lock": lock_name, **resolution.why_data(explained, project.relative)})
        elif not quiet:
            for line in resolution.why_lines(explained, style, project.shown):
                click.echo(line)
    status = worst([error.exit_status for error in errors] or [int(not found)])
    if as_json:
        document.show(status, {"name": package, "projects": answers}, errors)
    for error in errors:
        click.echo(f"pinner: {error}", err=True)
    return status
