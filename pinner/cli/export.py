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
def preferences(found: LoadedLock) -> int:
    """Print a file for /etc/apt/preferences.d: apt-get install then takes the locked versions of all packages."""
    click.echo(export.preferences(found.lock, found.targets), nl=False)
    return int(found.incomplete)


@command.command("packages")
@flags.options(locked.CHOICE, flags.RECORDED, flags.ARCHIVE)
def packages(found: LoadedLock, recorded: Path | None, offline: bool, max_age: timedelta) -> int:
    """Print a Packages index of the locked packages alone, from which apt-get can install."""
    access = flags.access(recorded, quiet=False, offline=offline, max_age=max_age)
    archives = access.archives(found.config)
    vouched = known(access, found.config, found.lock, found.path.parent)
    wanted = export.sources(found.lock, found.targets, vouched)
    text = export.index(wanted, archives.load(tuple(wanted)))
    flags.tell(archives.notes, quiet=False)
    click.echo(text, nl=False)
    return int(found.incomplete)


@command.command("sources")
@flags.options(locked.CHOICE)
@click.option(
    "--snapshot", "when", metavar="WHEN", help="Of that moment, not of the one that the lock was made at."
)
def sources(found: LoadedLock, when: str | None) -> int:
    """Print a sources file for /etc/apt/sources.list.d that makes apt read the locked snapshot, and nothing else.

    For those who place it themselves; `pinner lock --write-sources` puts it into Dockerfiles.
    """
    from pinner.workflow import sources_block

    where = export.as_locked(found.lock, found.targets)
    at = moment_of(found.lock, found.targets)
    if when is not None:
        with value_of("--snapshot"):
            wanted = moments.when(when, datetime.now(UTC))
        archives = [name for pocket in where.suite.pockets if (name := moments.archive_of(pocket.uri))]
        service = flags.access(quiet=False).snapshots(found.config)
        at = moments.moment(archives, wanted, service.timestamps)
        service.close()
    if at is None:
        hint = "write --snapshot WHEN, or lock one by `pinner lock --snapshot`"
        raise InputError("the lock was made from the live archive", path=str(found.path), hint=hint)
    chosen = dict.fromkeys(target.platform for target in found.targets)
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
def sbom(found: LoadedLock, form: str) -> int:
    """Print a software bill of materials: the packages locked, and those of the base images that were read.

    In a form that scanners like grype and trivy find vulnerabilities in: each package with its digest, its source
    package and what it needs, and the operating system, of which there can be one. --platform gives that of one
    platform alone.
    """
    from pinner.report import sbom as report

    made = bill(found.lock, found.targets)
    text = report.spdx(made) if form == "spdx" else report.cyclonedx(made)
    unread = "the lock does not know the base image's packages; they are left out"
    for line in export.lines((target, unread) for target in made.unread):
        say("warning", printable(line))
    click.echo(text)
    return 0


@command.command("json")
@flags.options(locked.CHOICE)
def as_json(found: LoadedLock) -> int:
    """Print the locked packages as JSON."""
    from pinner.report import sbom as report

    document.show(0, report.data(bill(found.lock, found.targets)))
    return 0


@command.command("debs-lock")
@flags.options(locked.CHOICE)
def debs_lock(found: LoadedLock) -> int:
    """Print a debs.lock.yaml as proposed to hermeto, which prefetches packages for builds without a network."""
    from pinner.report import sbom as report

    click.echo(report.debs_lock(bill(found.lock, found.targets)))
    return 0
