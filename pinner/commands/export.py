"""`pinner export`."""

from __future__ import annotations

from datetime import timedelta

import click

from pinner.commands import common, locked
from pinner.errors import printable
from pinner.report.terminal import Style
from pinner.workflow import export


@click.group("export")
def command() -> None:
    """Write what is locked in a form that apt reads."""


@command.command("preferences")
@common.options(locked.CHOICE)
def preferences(named: tuple[str, ...], stages: tuple[str, ...], platforms: tuple[str, ...]) -> int:
    """Print a file for /etc/apt/preferences.d: apt-get install then takes the locked versions of all packages."""
    found = locked.find(named, stages, platforms)
    click.echo(export.preferences(found.lock, found.targets), nl=False)
    return 0


@command.command("packages")
@common.options(locked.CHOICE, common.ARCHIVE)
def packages(
    named: tuple[str, ...],
    stages: tuple[str, ...],
    platforms: tuple[str, ...],
    offline: bool,
    max_age: timedelta,
) -> int:
    """Print a Packages index of the locked packages alone, from which apt-get can install."""
    found = locked.find(named, stages, platforms)
    archives = common.archives(found.config, offline=offline, max_age=max_age, style=Style())
    wanted = export.sources(found.lock, found.targets)
    text = export.index(wanted, archives.load(tuple(wanted)))
    for note in archives.notes:
        click.echo(f"pinner: {printable(note)}", err=True)
    click.echo(text, nl=False)
    return 0
