"""`pinner verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from pinner.cli import common, document, fleet
from pinner.cli.advisories import Vulnerabilities
from pinner.cli.common import Output, Project
from pinner.cli.view import STAGES, Told, View
from pinner.errors import InputError, PinnerError, printable, worst
from pinner.lock.schema import Lock
from pinner.report import verify as report
from pinner.report.diagnostic import Diagnostic, of_error
from pinner.report.terminal import Style
from pinner.report.verify import Checked
from pinner.stages.archives import Archives
from pinner.stages.policy import FAILURES
from pinner.stages.suites import Options
from pinner.workflow.verify import Verified, Verifier
from pinner.workflow.vulnerable import Exposed, exposed

_FOR_PEOPLE = ("text", "markdown")


@click.command("verify")
@common.options(common.PATHS, STAGES)
@click.option("--strict", is_flag=True, help="Exit 1 if there are no pins at all.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice([*FAILURES, "none"]),
    metavar="superseded|security|cve:SEVERITY|none",
    help="Exit 1 also for pins that have a newer version, or a security update, or for vulnerabilities of that "
    "severity or worse; repeatable.",
)
@click.option(
    "--cve",
    is_flag=True,
    help="Show the known vulnerabilities of what is locked: those that a newer version mends, and those that are open.",
)
@click.option(
    "--max-lag",
    type=common.Duration(),
    default=None,
    metavar="AGE",
    help="Exit 1 also for a pin with a newer version that was locked longer ago.",
)
@click.option(
    "--snapshots", is_flag=True, help="Tell from which snapshots pins that are gone can still be had."
)
@common.options(common.OLDER, fleet.FLEET, common.REPORT)
def command(
    paths: tuple[str, ...],
    told: Told,
    strict: bool,
    fail_on: tuple[str, ...],
    cve: bool,
    max_lag: timedelta | None,
    snapshots: bool,
    allow_older: bool,
    repositories: str | None,
    shard: fleet.Shard | None,
    results: Path | None,
    output: Output,
) -> int:
    """Check that every pin and every locked package is still in the archive, and that apt could install each line.

    Always asks the archive anew. Exits 1 if something is gone, cannot be installed, differs from the lock or is a word
    with a version that cannot be read; 5 or 6 if an archive could not be asked.
    """
    if repositories is None and (shard is not None or results is not None):
        raise click.UsageError("--shard and --results need --repositories")
    form, style = output
    now = datetime.now(UTC)
    view = View(told, style)
    verifiers: dict[Archives, Verifier] = {}
    vulnerabilities = Vulnerabilities(now)

    def check(paths: Sequence[str], *, shown: bool) -> tuple[list[Checked], list[PinnerError]]:
        projects, errors = common.collect(paths)
        all_checked = []
        for project in projects:
            archives = view.archives(project.config)
            verifier = verifiers.setdefault(archives, Verifier(archives, now))
            policy = project.config.policy
            archives.notes |= dict.fromkeys(policy.ended(now.date()))
            _, lock = common.read_lock(project.lock_path)
            if not allow_older:
                view.not_before(project, lock)
            options = view.options(project, lock)
            today = view.look(project.config, Lock())
            verified = verifier.verify(project.texts, options, lock, project.gone(lock), today)
            if snapshots:
                verified = verified._replace(
                    notes=(*verified.notes, *_spans(project, options, archives, verified, style))
                )
            policy = policy._replace(max_lag=policy.max_lag if max_lag is None else max_lag)
            failing = fail_on or policy.fail_on
            exposures: tuple[Exposed, ...] = ()
            if cve or any(each.startswith("cve:") for each in failing):
                known = vulnerabilities.of(
                    project.config, (each.where.suite.codename for each in verified.held)
                )
                exposures = tuple(exposed(verified.held, archives, known))
            name = project.shown if shown else project.relative
            all_checked.append(Checked(verified, name, policy, now.date(), exposures))
            errors += (_placed(error, all_checked[-1]) for error in verified.errors)
        return all_checked, [*errors, *vulnerabilities.errors]

    def judged(all_checked: Sequence[Checked], errors: Sequence[PinnerError]) -> tuple[list[Diagnostic], int]:
        found = [each for checked in all_checked for each in report.diagnostics(checked, fail_on)]
        pins = sum(len(checked.verified.pins) for checked in all_checked)
        failed = any(each.severity == "error" for each in found) or (strict and not pins)
        return found, worst([error.exit_status for error in errors] or [int(failed)])

    if repositories is not None:

        def once() -> tuple[dict[str, Any], list[PinnerError], int]:
            from pinner.report.verify_json import line

            all_checked, errors = check((), shown=False)
            found, status = judged(all_checked, errors)
            return line(all_checked, found), errors, status

        return fleet.run("verify", once, paths, repositories, shard, results)
    all_checked, errors = check(paths, shown=form in _FOR_PEOPLE)
    found, status = judged(all_checked, errors)
    if form == "text":
        for text in report.lines(all_checked, found, style):
            click.echo(text)
        if all_checked and not style.quiet:
            click.echo(report.summary(all_checked))
    else:
        from pinner.report.verify_json import data

        whole = report.report(all_checked, [*found, *_others(errors, all_checked)], now)
        document.report(form, whole, lambda: data(all_checked), status, errors)
    _tell(all_checked, vulnerabilities.notes, errors, style)
    return status


def _placed(error: PinnerError, checked: Checked) -> PinnerError:
    """The error with its file as it is shown."""
    if not isinstance(error, InputError) or error.path not in checked.verified.files:
        return error
    found = copy(error)
    found.path = checked.shown(error.path)
    return found


def _spans(
    project: Project, options: Options, archives: Archives, verified: Verified, style: Style
) -> Iterator[str]:
    from pinner.cli.rescue import spans
    from pinner.workflow.windows import Item

    gone = [
        Item(pin.name, pin.version, platform)
        for pin in verified.pins
        for platform, each in pin.standings.items()
        if each.state == "gone"
    ]
    return spans(project, options, archives, gone, style) if gone else iter(())


def _others(errors: Sequence[PinnerError], all_checked: Sequence[Checked]) -> Iterator[Diagnostic]:
    """The errors of files that belong to no project that was checked."""
    known = {str(_placed(each, checked)) for checked in all_checked for each in checked.verified.errors}
    return (of_error(error) for error in errors if str(error) not in known)


def _tell(
    all_checked: Sequence[Checked], notes: Iterable[str], errors: Sequence[PinnerError], style: Style
) -> None:
    notes = dict.fromkeys([note for checked in all_checked for note in checked.verified.notes] + [*notes])
    for note in () if style.quiet else notes:
        click.echo(f"pinner: {printable(note)}", err=True)
    for text in dict.fromkeys(map(str, errors)):
        click.echo(f"pinner: {text}", err=True)
