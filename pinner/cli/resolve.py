"""`pinner resolve`."""

from __future__ import annotations

from datetime import timedelta

import click

from pinner.cli import common, document
from pinner.cli.common import Project
from pinner.cli.view import STAGES, Told, View
from pinner.errors import printable
from pinner.images import reference
from pinner.lock.schema import NAME as LOCK_NAME
from pinner.lock.schema import Lock
from pinner.project import tree
from pinner.project.config import load
from pinner.report import resolution
from pinner.workflow.remembered import remembered
from pinner.workflow.resolve import resolve


@click.command("resolve")
@click.argument("packages", nargs=-1, required=True, metavar="PACKAGE...")
@common.options(STAGES)
@click.option(
    "--from", "image", default="", metavar="IMAGE", help="In a stage that begins with this base image."
)
@click.option("--no-install-recommends", is_flag=True, help="As apt-get's option.")
@click.option("--install-suggests", is_flag=True, help="As apt-get's option.")
@click.option("-t", "--target-release", default="", metavar="RELEASE", help="As apt-get's option.")
@common.options(common.ARCHIVE, common.OUTPUT)
def command(
    packages: tuple[str, ...],
    told: Told,
    image: str,
    no_install_recommends: bool,
    install_suggests: bool,
    target_release: str,
    offline: bool,
    max_age: timedelta,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Show what `apt-get install PACKAGE...` would install, in apt's order, with versions and causes.

    Where, --suite says, or the base image (--from).

    PACKAGE is written as for apt-get: `name`, `name=version`, `name/suite`, `name-`.
    """
    style = common.to_style(quiet=quiet, verbose=verbose)
    here = tree.current()
    root = tree.root_of(here / LOCK_NAME)
    config, source = load(here, root)
    if image:
        with common.value_of("--from"):
            reference.parse(image)
    elif not told.suite and not config.suite:
        raise click.UsageError("which suite? say it by --suite, or the base image by --from")
    view = View(told, style, offline=offline, max_age=max_age)
    archives = view.archives(config)
    lock_path = (source.parent if source else root) / LOCK_NAME
    options = view.options(Project(config, lock_path, root), Lock())
    options = remembered(options, common.read_lock(lock_path)[1], "")
    flags = ["--no-install-recommends"] * no_install_recommends + ["--install-suggests"] * install_suggests
    flags += ["-t", target_release] if target_release else []
    answers = resolve(packages, flags, image or "scratch", options, archives)
    if as_json:
        document.show(0, resolution.answers_data(answers))
        return 0
    for note in () if quiet else archives.notes:
        click.echo(f"pinner: {printable(note)}", err=True)
    for answer in answers:
        for line in resolution.answer_lines(answer, style):
            click.echo(line)
    return 0
