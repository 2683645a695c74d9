"""`pinner download`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from pinner.archive.load import MAX_AGE
from pinner.cli import common, doors, locked
from pinner.cli.keys import known
from pinner.errors import printable
from pinner.project import files, tree
from pinner.workflow import export


@click.command("download")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False))
@common.options(locked.CHOICE, doors.NETWORK)
@click.option("-q", "--quiet", is_flag=True, help="Print only what fails.")
def command(
    directory: str, named: tuple[str, ...], stages: tuple[str, ...], platforms: tuple[str, ...], quiet: bool
) -> int:
    """Fetch the locked packages into DIR, a repository from which apt-get can install without a network.

    Each .deb is verified by the lock's size and digest before it gets its name. What is there already is not fetched
    again, and what broke off is gone on with.
    """
    style = common.to_style(quiet=quiet, verbose=False)
    root = Path(directory)
    tree.inside(root, tree.root_of(root))
    found = locked.find(named, stages, platforms)
    archives = doors.archives(found.config, offline=False, max_age=MAX_AGE, style=style)
    vouched = known(found.config, found.lock, found.path.parent, offline=False)
    wanted = export.sources(found.lock, found.targets, vouched)
    index = export.index(wanted, archives.load(tuple(wanted)))
    packages = export.packages(found.lock, found.targets)
    from pinner.archive.pool import Pool

    service = doors.snapshots(found.config, offline=False)
    progress = doors.Progress("packages") if sys.stderr.isatty() and not quiet else None
    pool = Pool(
        root,
        doors.cache_dir(),
        now=datetime.now(UTC),
        mirrors=found.config.mirrors,
        snapshots=service,
        progress=progress,
    )
    try:
        fetched = pool.fetch(packages)
    finally:
        if progress:
            progress.wipe()
    files.write(
        {root / "Packages": index, root / "Release": export.release(found.lock, found.targets, index)}, {}
    )
    for note in () if quiet else archives.notes | service.notes:
        click.echo(f"pinner: {printable(note)}", err=True)
    if not quiet:
        size = sum(package.size for package in fetched) / 1e6
        there = len(packages) - len(fetched)
        click.echo(
            f"{directory} holds {len(packages)} packages: fetched {len(fetched)} ({size:.1f} MB), {there} were there"
        )
    return 0
