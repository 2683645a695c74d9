"""`pinner why`."""

from __future__ import annotations

from datetime import timedelta

import click

from pinner.commands import common
from pinner.report import resolution
from pinner.workflow.resolve import why


@click.command("why")
@click.argument("package")
@common.options(common.PATHS, common.WHERE, common.INSTALLED, common.ARCHIVE, common.OUTPUT)
def command(
    package: str,
    paths: tuple[str, ...],
    platforms: tuple[str, ...],
    suite: str,
    installed: tuple[str, ...],
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
    found = False
    for project in projects:
        archives = common.archives(project.config, offline=offline, max_age=max_age, style=style)
        explained = why(
            package,
            project.texts,
            common.to_options(project.config, platforms, suite, installed, texts=project.texts),
            archives,
        )
        found = found or bool(explained.reasons)
        if as_json:
            click.echo(resolution.why_json(explained))
        elif not quiet:
            for line in resolution.why_lines(explained, style, project.shown):
                click.echo(line)
    for error in errors:
        click.echo(f"pinner: {error}", err=True)
    if errors:
        return max(error.exit_status for error in errors)
    return 0 if found else 1
