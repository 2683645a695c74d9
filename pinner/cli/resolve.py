"""`pinner resolve`."""

from __future__ import annotations

import click

from pinner.cli import document, flags
from pinner.errors import value_of
from pinner.images import reference
from pinner.lock.schema import NAME as LOCK_NAME
from pinner.lock.schema import Lock
from pinner.project import tree
from pinner.project.config import load
from pinner.report import resolution
from pinner.report.terminal import Style
from pinner.session.projects import Project, read_lock
from pinner.session.run import Run
from pinner.workflow.remembered import remembered
from pinner.workflow.resolve import resolve


@click.command("resolve")
@click.argument("packages", nargs=-1, required=True, metavar="PACKAGE...")
@flags.options(flags.STAGES)
@click.option(
    "--from", "image", default="", metavar="IMAGE", help="In a stage that begins with this base image."
)
@click.option("--no-install-recommends", is_flag=True, help="As apt-get's option.")
@click.option(
    "--satisfy",
    "relations",
    is_flag=True,
    help="Each PACKAGE is a relation of deb-control(5), like 'jq (>= 1.6) | curl': what apt-get satisfy installs.",
)
@click.option(
    "--build-dep",
    "builds",
    is_flag=True,
    help="Each PACKAGE is a source package: what apt-get build-dep installs.",
)
@click.option("--install-suggests", is_flag=True, help="As apt-get's option.")
@click.option("-t", "--target-release", default="", metavar="RELEASE", help="As apt-get's option.")
@flags.options(flags.ARCHIVE, flags.OUTPUT)
def command(
    packages: tuple[str, ...],
    run: Run,
    image: str,
    no_install_recommends: bool,
    relations: bool,
    builds: bool,
    install_suggests: bool,
    target_release: str,
    as_json: bool,
    style: Style,
) -> int:
    """Show what `apt-get install PACKAGE...` would install, in apt's order, with versions and causes.

    Where, --suite says, or the base image (--from).

    PACKAGE is written as for apt-get: `name`, `name=version`, `name/suite`, `name-`.
    """
    here = tree.current()
    root = tree.root_of(here / LOCK_NAME)
    config, source = load(here, root)
    if image:
        with value_of("--from"):
            reference.parse(image)
    elif not run.asked.suite and not config.suite:
        raise click.UsageError("which suite? give --suite, or the base image with --from")
    archives = run.archives(config)
    lock_path = (source.parent if source else root) / LOCK_NAME
    options = run.options(Project(config, lock_path, root), Lock())
    options = remembered(options, read_lock(lock_path)[1], "")
    said = ["--no-install-recommends"] * no_install_recommends + ["--install-suggests"] * install_suggests
    said += ["-t", target_release] if target_release else []
    if relations and builds:
        raise click.UsageError("--satisfy and --build-dep exclude each other")
    what = "satisfy" if relations else "build-dep" if builds else "install"
    answers = resolve(packages, said, image or "scratch", options, archives, what)
    run.keep_solved()
    if as_json:
        document.show(0, resolution.answers_data(answers))
        return 0
    flags.tell(run.notes, quiet=style.quiet)
    for answer in answers:
        for line in resolution.answer_lines(answer, style):
            click.echo(line)
    return 0
