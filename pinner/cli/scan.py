"""`pinner scan`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import click

from pinner.cli import common, document
from pinner.cli.common import Output
from pinner.cli.view import STAGES, Told, View
from pinner.errors import InputError, PinnerError, worst
from pinner.recipe import kinds
from pinner.report import scan as report
from pinner.report.diagnostic import of_error
from pinner.stages.install_commands import File, read_all


@click.command("scan")
@common.options(common.PATHS, STAGES)
@click.option(
    "--files",
    "only_files",
    is_flag=True,
    help="Show the files that a run would read, of which kind they are, and what it passes over and why.",
)
@click.option(
    "--sources",
    is_flag=True,
    help="Show what apt reads at each call, and who signs it, instead of the words.",
)
@common.options(common.STRICT, common.REPORT)
def command(
    paths: tuple[str, ...],
    told: Told,
    only_files: bool,
    strict: bool,
    sources: bool,
    output: Output,
) -> int:
    """Show the install calls of files, each package word with its kind, and what `lock` would do about it.

    Asks nobody: of base images it knows what earlier runs have read, or what --image-archive holds.
    Without FILE, takes every file below the current directory that may install packages:
    Dockerfiles, shell scripts, GitHub workflows and actions, GitLab CI files.
    """
    form, style = output
    errors: list[PinnerError] = []
    projects = [common.from_stdin()] if paths == (common.STDIN,) else []
    if not projects:
        projects, errors = common.collect(paths)
    passed = common.passed_over()
    if only_files:
        taken = {
            each.shown(path): kinds.of(path, text) for each in projects for path, text in each.texts.items()
        }
        others = {str(each.path): (each.other or each.kind, each.passed) for each in passed}
        status = worst([error.exit_status for error in errors])
        if form == "json":
            document.show(status, report.files_data(taken, others), errors)
        else:
            click.echo("\n".join(report.files(taken, others)))
        for error in errors:
            click.echo(f"pinner: {error}", err=True)
        return status
    view = View(told, style, offline=True)
    found = []
    for project in projects:
        _, lock = common.read_lock(project.lock_path)
        options = view.options(project, lock)
        for path, each in read_all(project.texts, dict.fromkeys(project.texts, options)).items():
            if isinstance(each, File):
                found.append(
                    each._replace(path=(project.shown if form == "text" else project.relative)(path))
                )
                continue
            if isinstance(each, InputError):
                each.path = project.shown(each.path)
            errors.append(each)
    failed = strict and any(each.leaves_words for each in found)
    status = worst([error.exit_status for error in errors] or [int(failed)])
    if form != "text":
        said = [*report.diagnostics(found, strict=strict), *map(of_error, errors)]
        whole = report.report(found, said, datetime.now(UTC))
        document.report(form, whole, lambda: report.data(found, sources=sources), status, errors)
    elif sources:
        from pinner.report.sources import lines

        for line in () if style.quiet else lines(found, style):
            click.echo(line)
    elif found and not style.quiet:
        for line in report.lines(found, style):
            click.echo(line)
        for line in report.table(found):
            click.echo(line)
        click.echo(report.summary(found))
    unread = Counter(each.other for each in passed if each.other)
    if unread and form == "text" and not style.quiet:
        click.echo(report.unread(unread))
    for error in errors:
        click.echo(f"pinner: {error}", err=True)
    return status
