"""`pinner scan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from pinner.cli import document, flags
from pinner.cli.flags import Output
from pinner.errors import PinnerError, status_of
from pinner.recipe import kinds
from pinner.report import scan as report
from pinner.report.terminal import Style
from pinner.session.projects import STDIN, Project, from_stdin
from pinner.session.run import Run
from pinner.session.scan import read_files, scan


@flags.tells_kinds
@click.command("scan")
@flags.options(flags.PATHS, flags.STAGES)
@click.option(
    "--files",
    "only_files",
    is_flag=True,
    help="Show the files that a run would read, of which kind they are, and what it passes over and why.",
)
@click.option(
    "--sources",
    is_flag=True,
    help="Show the sources that apt reads at each install command, and who signs them.",
)
@flags.options(flags.STRICT, flags.REPORT)
def command(
    paths: tuple[str, ...], run: Run, only_files: bool, strict: bool, sources: bool, output: Output
) -> int:
    """Show the install commands of files, each package argument with its kind, and what `lock` would do about it.

    Does not use the network: of base images it knows what earlier runs have read, or what --image-archive holds.
    Without FILE, takes every file below the current directory that may install packages:
    {kinds}.
    """
    form, style, _ = output
    run.access.offline = True
    projects, errors = run.collect(paths) if paths != (STDIN,) else ([from_stdin()], [])
    notes = dict(run.notes)
    if only_files:
        status = _show_files(run, projects, errors, as_json=form == "json")
    elif form != "text" or output.files:
        found = scan(run, projects, errors)
        status, whole = found.status(strict=strict), found.report(run, strict=strict)
        document.report(
            output, whole, lambda: report.data(found.files, sources=sources), status, found.errors
        )
        errors = errors if form == "text" else [*found.errors]
    if form == "text" and not only_files:  # the files are read once more, one by one
        status = _show(run, projects, errors, style, strict=strict, sources=sources)
    flags.tell(notes, errors, quiet=style.quiet)
    return status


def _show_files(
    run: Run, projects: Sequence[Project], errors: Sequence[PinnerError], *, as_json: bool
) -> int:
    taken = {each.shown(path): kinds.of(path, text) for each in projects for path, text in each.texts.items()}
    others = {str(each.path): (each.other or each.kind, each.passed) for each in run.passed}
    status = status_of(errors)
    if as_json:
        document.show(status, report.files_data(taken, others), errors)
    else:
        click.echo("\n".join(report.files(taken, others)))
    return status


def _show(
    run: Run,
    projects: Sequence[Project],
    errors: list[PinnerError],
    style: Style,
    *,
    strict: bool,
    sources: bool,
) -> int:
    """Print what is in the files as they are read; what fails is added to `errors`. The exit status."""
    lines = report.lines
    if sources:
        from pinner.report.sources import lines
    counts: dict[str, report.Counted] = {}
    total, failed = report.NOTHING, False
    for each in read_files(run, projects, shown=True):
        if isinstance(each, PinnerError):
            errors.append(each)
            continue
        failed = failed or (strict and each.leaves_words)
        counts[each.path] = own = report.counted(each)
        total += own
        if not style.quiet and (said := list(lines([each], style))):
            click.echo("\n".join(said))
    if counts and not (style.quiet or sources):
        click.echo("\n".join(report.table(counts, total)))
        click.echo(report.summary(total))
    unread = Counter(each.other for each in run.passed if each.other)
    if unread and not style.quiet:
        click.echo(report.unread(unread))
    return status_of(errors, failed=failed)
