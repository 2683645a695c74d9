"""`pinner why`."""

from __future__ import annotations

from datetime import timedelta

import click

from pinner import lockfile
from pinner.commands import common
from pinner.errors import printable
from pinner.lockfile import Lock
from pinner.report import resolution
from pinner.workflow.bases import Mode
from pinner.workflow.resolve import why


@click.command("why")
@click.argument("package")
@common.options(common.PATHS, common.WHERE, common.INSTALLED, common.IMAGES, common.ARCHIVE, common.OUTPUT)
def command(
    package: str,
    paths: tuple[str, ...],
    platforms: tuple[str, ...],
    suite: str,
    installed: tuple[str, ...],
    images: Mode,
    image_archives: tuple[str, ...],
    insecure: tuple[str, ...],
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
        bases = common.bases(
            project.config,
            archives.notes,
            images=images,
            image_archives=image_archives,
            insecure=insecure,
            offline=offline,
            max_age=max_age,
            style=style,
        )
        text = common.read_lock(project.lock_path)
        lock = lockfile.loads(text, str(project.lock_path)) if text is not None else Lock()
        options = common.to_options(project, platforms, suite, installed, look=bases.look(lock))
        explained = why(package, project.texts, options, archives)
        for note in () if quiet else archives.notes:
            click.echo(f"pinner: {printable(note)}", err=True)
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
