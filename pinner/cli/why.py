"""`pinner why`."""

from __future__ import annotations

import click

from pinner.cli import document, flags
from pinner.errors import status_of
from pinner.report import resolution
from pinner.report.terminal import Style
from pinner.session.projects import read_lock
from pinner.session.run import Run
from pinner.workflow.resolve import why


@click.command("why")
@click.argument("package")
@flags.options(flags.PATHS, flags.STAGES, flags.ARCHIVE, flags.OUTPUT)
def command(package: str, paths: tuple[str, ...], run: Run, as_json: bool, style: Style) -> int:
    """Explain why the install lines of files bring in PACKAGE, and which versions apt has to choose from.

    Exit status 1 if no stage installs it, or that is not known.
    """
    projects, errors = run.collect(paths)
    found = False
    answers = []
    for project in projects:
        _, lock = read_lock(project.lock_path)
        archives = run.archives(project.config)
        explained = why(package, project.texts, run.options(project, lock), archives, lock)
        found = found or bool(explained.reasons)
        errors += map(project.placed, explained.errors)
        if as_json:
            lock_name = project.relative(project.lock_path.name)
            answers.append({"lock": lock_name, **resolution.why_data(explained, project.relative)})
        elif not style.quiet:
            for line in resolution.why_lines(explained, style, project.shown):
                click.echo(line)
    status = status_of(errors, failed=not found)
    if as_json:
        document.show(status, {"name": package, "projects": answers}, errors)
    flags.tell(run.notes, errors, quiet=style.quiet)
    return status
