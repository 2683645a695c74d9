"""`pinner download`."""

from __future__ import annotations

from pathlib import Path

import click

from pinner.archive.load import MAX_AGE
from pinner.cli import flags, locked
from pinner.project import files, tree
from pinner.session.keys import known
from pinner.workflow import export


@click.command("download")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False))
@flags.options(locked.CHOICE, flags.NETWORK)
@click.option("-q", "--quiet", is_flag=True, help="Print only what fails.")
def command(
    directory: str, named: tuple[str, ...], stages: tuple[str, ...], platforms: tuple[str, ...], quiet: bool
) -> int:
    """Fetch the locked packages into DIR, a repository from which apt-get can install without a network.

    Each .deb is verified by the lock's size and digest before it gets its name. What is there already is not fetched
    again, and what broke off is gone on with.
    """
    root = Path(directory)
    tree.inside(root, tree.root_of(root))
    found = locked.find(named, stages, platforms)
    access = flags.access(quiet=quiet, max_age=MAX_AGE)
    archives = access.archives(found.config)
    vouched = known(access, found.config, found.lock, found.path.parent)
    wanted = export.sources(found.lock, found.targets, vouched)
    index = export.index(wanted, archives.load(tuple(wanted)))
    packages = export.packages(found.lock, found.targets)
    progress = access.progress("packages")
    try:
        fetched = access.pool(root, found.config, progress).fetch(packages)
    finally:
        if progress:
            progress.wipe()
    files.write(
        {root / "Packages": index, root / "Release": export.release(found.lock, found.targets, index)}, {}
    )
    flags.tell(archives.notes | access.snapshots(found.config).notes, quiet=quiet)
    if not quiet:
        size = sum(package.size for package in fetched) / 1e6
        there = len(packages) - len(fetched)
        click.echo(
            f"{directory} holds {len(packages)} packages: fetched {len(fetched)} ({size:.1f} MB), {there} were there"
        )
    return 0
