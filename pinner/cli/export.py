"""`pinner export`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pinner.cli import document, flags, locked
from pinner.cli.locked import LoadedLock
from pinner.cli.say import say
from pinner.distributions import moments
from pinner.errors import InputError, printable, value_of
from pinner.session.keys import known
from pinner.workflow import export
from pinner.workflow.bill import bill
from pinner.workflow.snapshots import moment_of


@click.group("export")
def command() -> None:
    """Write what is locked in a form that apt, or another tool, reads."""


@command.command("preferences")
@flags.options(locked.CHOICE)
def preferences(loaded: LoadedLock) -> int:
    """Print a file for /etc/apt/preferences.d: apt-get install then takes the locked versions of all packages."""
    click.echo(export.preferences(loaded.lock, loaded.targets), nl=False)
    return int(loaded.incomplete)


@command.command("packages")
@flags.options(locked.CHOICE, flags.RECORDED, flags.ARCHIVE)
def packages(loaded: LoadedLock, recorded: Path | None, offline: bool, max_age: timedelta) -> int:
    """Print a Packages index of the locked packages alone, from which apt-get can install."""
    access = flags.access(recorded, quiet=False, offline=offline, max_age=max_age)
    archives = access.archives(loaded.config)
    vouched = known(access, loaded.config, loaded.lock, loaded.path.parent)
    wanted = export.sources(loaded.lock, loaded.targets, vouched)
    text = export.index(wanted, archives.load(tuple(wanted)))
    flags.tell(archives.notes, quiet=False)
    click.echo(text, nl=False)
    return int(loaded.incomplete)


@command.command("sources")
@flags.options(locked.CHOICE)
@click.option(
    "--snapshot", "when", metavar="WHEN", help="Of that moment, not of the one that the lock was made at."
)
def sources(loaded: LoadedLock, when: str | None) -> int:
    """Print a sources file for /etc/apt/sources.list.d that makes apt read the locked snapshot, and nothing else.

    For those who place it themselves; `pinner lock --write-sources` puts it into Dockerfiles.
    """
    from pinner.workflow import sources_block

    where = export.as_locked(loaded.lock, loaded.targets)
    at = moment_of(loaded.lock, loaded.targets)
    if when is not None:
        with value_of("--snapshot"):
            wanted = moments.when(when, datetime.now(UTC))
        archives = [name for pocket in where.suite.pockets if (name := moments.archive_of(pocket.uri))]
        service = flags.access(quiet=False).snapshots(loaded.config)
        at = moments.moment(archives, wanted, service.timestamps)
        service.close()
    if at is None:
        hint = "write --snapshot WHEN, or lock one by `pinner lock --snapshot`"
        raise InputError("the lock was made from the live archive", path=str(loaded.path), hint=hint)
    chosen = dict.fromkeys(target.platform for target in loaded.targets)
    path, lines = sources_block.sources(where._replace(at=at), tuple(chosen))
    say("note", f"this goes to {path}, in the place of all other sources")
    for line in lines:
        click.echo(line)
    return 0


@command.command("sbom")
@flags.options(locked.CHOICE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["cyclonedx", "spdx"]),
    default="cyclonedx",
    show_default=True,
    help="CycloneDX 1.6 or SPDX 2.3, both as JSON.",
)
def sbom(loaded: LoadedLock, form: str) -> int:
    """Print a software bill of materials: the packages locked, and those of the base images that were read.

    In a form that scanners like grype and trivy find vulnerabilities in: each package with its digest, its source
    package and what it needs, and the operating system, of which there can be one. --platform gives that of one
    platform alone.
    """
    from pinner.report import sbom as report

    made = bill(loaded.lock, loaded.targets)
    text = report.spdx(made) if form == "spdx" else report.cyclonedx(made)
    unread = "the lock does not know the base image's packages; they are left out"
    for line in export.lines((target, unread) for target in made.unread):
        say("warning", printable(line))
    click.echo(text)
    return 0


@command.command("json")
@flags.options(locked.CHOICE)
def as_json(loaded: LoadedLock) -> int:
    """Print the locked packages as JSON."""
    from pinner.report import sbom as report

    document.show(0, report.data(bill(loaded.lock, loaded.targets)))
    return 0


@command.command("debs-lock")
@flags.options(locked.CHOICE)
def debs_lock(loaded: LoadedLock) -> int:
    """Print a debs.lock.yaml as proposed to hermeto, which prefetches packages for builds without a network."""
    from pinner.report import sbom as report

    click.echo(report.debs_lock(bill(loaded.lock, loaded.targets)))
    return 0
