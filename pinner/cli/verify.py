"""`pinner verify`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from pinner.cli import document, flags, fleet
from pinner.cli.flags import Output
from pinner.errors import PinnerError
from pinner.report import verify as report
from pinner.search.windows import WantedVersion
from pinner.session.projects import Project
from pinner.session.run import Run
from pinner.session.verify import Verification, VerifyOptions
from pinner.stages.archives import Archives
from pinner.stages.policy import FAILURES
from pinner.stages.suites import Options
from pinner.workflow.verified import Verified


@click.command("verify")
@flags.options(flags.PATHS, flags.STAGES)
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
    help="Show the known vulnerabilities of what is locked: those that a newer version fixes, and those that are open.",
)
@click.option(
    "--max-lag",
    type=flags.Duration(),
    default=None,
    metavar="AGE",
    help="Exit 1 also for a pin with a newer version that was locked longer ago.",
)
@click.option(
    "--trust-lock",
    is_flag=True,
    help="Believe what a reviewed lock says of an archive whose Release is still the one that it was made from, and do "
    "not fetch the index.",
)
@click.option("--snapshots", is_flag=True, help="Show which snapshots still have the pins that are gone.")
@flags.options(flags.OLDER, fleet.FLEET, flags.REPORT)
@flags.into("how", VerifyOptions, VerifyOptions._fields)
def command(
    paths: tuple[str, ...],
    run: Run,
    how: VerifyOptions,
    snapshots: bool,
    many: fleet.Many | None,
    output: Output,
) -> int:
    """Check that every pin and every locked package is still in the archive, and that apt could install each line.

    Always asks the archive again, which alone knows what is gone: there is no --offline. Exits 1 if something is gone,
    cannot be installed, differs from the lock or is an argument with a version that cannot be read; 5 or 6 if an
    archive could not be asked.
    """
    form, style, _ = output

    def spans(project: Project, options: Options, archives: Archives, verified: Verified) -> Iterable[str]:
        from pinner.cli.rescue import spans

        gone = [
            WantedVersion(pin.name, pin.version, platform)
            for pin in verified.pins
            for platform, each in pin.standings.items()
            if each.state == "gone"
        ]
        return spans(run.access, project, options, archives, gone, quiet=style.quiet) if gone else ()

    verification = Verification(run, how, spans if snapshots else None)
    if many is not None:

        def once() -> tuple[dict[str, Any], Sequence[PinnerError], int]:
            from pinner.report.verify_json import line

            found = verification.check(*run.collect(()))
            return line(found.checked, found.diagnostics), found.errors, found.status

        return fleet.run("verify", once, paths, many)
    found = verification.check(*run.collect(paths), shown=form in ("text", "markdown"))
    if form == "text":
        for text in report.lines(found.checked, found.diagnostics, style):
            click.echo(text)
        if found.checked and not style.quiet:
            click.echo(report.summary(found.checked))
    if form != "text" or output.files:
        from pinner.report.verify_json import data

        document.report(output, found.report(run), lambda: data(found.checked), found.status, found.errors)
    notes = dict.fromkeys(note for each in found.checked for note in each.verified.notes)
    flags.tell(run.notes | notes, found.errors, quiet=style.quiet)
    return found.status
