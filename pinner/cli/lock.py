"""`pinner lock`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pinner.cli import flags
from pinner.cli.flags import Output
from pinner.cli.say import say
from pinner.errors import PinnerError, printable
from pinner.lock.schema import NAME as LOCK_NAME
from pinner.recipe.blocks import BEGIN
from pinner.report import lock as report
from pinner.report.terminal import Style, some
from pinner.session.lock import LockedProject, LockOptions, lock
from pinner.session.projects import STDIN, from_stdin
from pinner.session.run import Run
from pinner.stages.suites import PinScope


@flags.tells_kinds
@click.command("lock")
@flags.options(flags.PATHS, flags.STAGES)
@click.option(
    "--trust-new-keys",
    is_flag=True,
    help="Trust on first use the keys that files fetch for the repositories they add; the lock keeps which they are.",
)
@flags.options(flags.DRY)
@click.option(
    "--pin-siblings/--no-pin-siblings",
    default=None,
    help="Also pin on the line what a pinned package needs in exactly one version.",
)
@click.option(
    "--expand-braces", is_flag=True, help="Write out what bash makes of a{b,c}, to pin each; for bash alone."
)
@click.option(
    "--rename-virtual",
    is_flag=True,
    help="Write the package in the place of a virtual name that it alone provides (libssl3t64 for libssl3).",
)
@click.option("--pin-images", is_flag=True, help="Put the digests of base images behind their names.")
@click.option("--closure/--no-closure", default=None, help="Also pin all dependencies on the line.")
@click.option(
    "--snapshot",
    "when",
    metavar="WHEN",
    help="Read the archives as they were then: 20261101T000000Z, 2026-11-01, yesterday, or latest.",
)
@click.option("--write-sources", is_flag=True, help="Make the build read that snapshot too.")
@click.option(
    "--trust-lock",
    is_flag=True,
    help="With --check: as for `pinner verify`, believe a reviewed lock of archives that have not moved since.",
)
@flags.options(flags.STRICT, flags.OLDER, flags.ARCHIVE, flags.REPORT)
@flags.into("how", LockOptions, LockOptions._fields)
def command(
    paths: tuple[str, ...],
    run: Run,
    how: LockOptions,
    dry_run: bool,
    check: bool,
    pin_siblings: bool | None,
    closure: bool | None,
    strict: bool,
    output: Output,
) -> int:
    """Pin the packages of install lines to the versions that apt would install.

    Without FILE, takes every file below the current directory that may install
    packages: {kinds}. `-` reads standard input and
    writes the pinned text to standard output. Pins that are there are kept.
    """
    form, style, _ = output
    scope: PinScope | None = "closure" if closure else "siblings" if pin_siblings else None
    if scope is None and (closure, pin_siblings) != (None, None):
        scope = ""
    write = not (dry_run or check)
    if STDIN in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands alone")
        projects, errors = [from_stdin()], list[PinnerError]()
    else:
        projects, errors = run.collect(paths, writes=write)
    blocks = any(BEGIN in text for each in projects for text in each.texts.values())
    if how.write_sources and how.when is None and not blocks:
        raise click.UsageError("--write-sources needs --snapshot")
    if how.trust_lock and not check:
        raise click.UsageError("--trust-lock needs --check")
    found = lock(run, projects, errors, how._replace(scope=scope), write=write)
    status = found.status(strict=strict, check=check)
    if form == "text":
        _print(found.outcomes, style, write=write, diff=dry_run, stdin=STDIN in paths)
        planned = dict.fromkeys(note for outcome in found.outcomes for note in outcome.plan.notes)
        flags.tell(run.notes | planned, quiet=style.quiet)
    if form != "text" or output.files:
        from pinner.cli import document

        whole = found.report(run, strict=strict, check=check)
        document.report(output, whole, found.data, status, found.failures)
    flags.tell((), found.errors, quiet=style.quiet)
    for failure, names in found.unserved.items():
        locked = names and any(outcome.plan.files for outcome in found.outcomes)
        named = f"\nnot locked for that: {printable(some(names, 3))}" if locked else ""
        say("error", f"{failure}{named}")
    first = write and any(each.before.get(each.project.lock_path, "") is None for each in found.outcomes)
    if first and form == "text" and not style.quiet:
        click.echo(_NEXT)
    return status


_NEXT = (
    f"next: commit the files together with {LOCK_NAME}; "
    "`pinner verify` in CI checks the pins, `pinner refresh` moves them"
)


def _print(outcomes: Sequence[LockedProject], style: Style, *, write: bool, diff: bool, stdin: bool) -> None:
    aside = diff or (stdin and write)
    for outcome in outcomes:
        for planned in outcome.plan.files if stdin and write else ():
            click.echo(planned.new.encode(), nl=False)  # text would lose what looks like a colour
        if diff:
            click.echo(outcome.diff(), nl=False)
        for line in report.lines(outcome.plan, style, outcome.project.shown):
            click.echo(line, err=aside)
        for target in outcome.anew if not style.quiet else ():
            if not write or target.conflict:
                from pinner.workflow.export import named

                why = f": {target.conflict}" if target.conflict else ""
                said = f"{outcome.project.lock_path.name}: {'' if write else 'to be '}locked anew: {named(target)}{why}"
                click.echo(printable(said), err=aside)
        if outcome.plan.files and not style.quiet:
            click.echo(report.summary(outcome.plan, outcome.wrote, would=not write), err=aside)
