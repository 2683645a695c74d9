"""`pinner refresh`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from pinner.cli import document, flags, fleet
from pinner.cli.flags import Output
from pinner.cli.say import say
from pinner.errors import OptionError, PinnerError, printable, without_login, worst
from pinner.project import files
from pinner.report import refresh as report
from pinner.report.diagnostic import Report
from pinner.report.refresh import Outcome
from pinner.report.terminal import Style
from pinner.session.projects import from_here
from pinner.session.refresh import Done, RefreshOptions, refresh
from pinner.session.run import Run
from pinner.values import NamedTuple


class Where(NamedTuple):
    """The branch that commits go to, "" for none, and what it starts from; where it is pushed, if at all; and the files
    of the texts that are wanted. `base` and `remote` are "" where they were not said."""

    branch: str
    base: str
    push: bool
    remote: str
    group_by: Literal["file", "source", "security"] | None
    summary: Path | None
    commit_message: Path | None


@click.command("refresh")
@flags.options(flags.PATHS, flags.STAGES)
@click.option(
    "--only",
    type=click.Choice(["gone", "security", "all"]),
    default=None,
    help="Move only pins that are gone, or also those with a security update.",
)
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Move only these packages; globs.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave these packages as they are; globs.")
@click.option("--add", is_flag=True, help="Also pin what has no pin.")
@click.option(
    "--min-age",
    type=flags.Duration(),
    default=None,
    metavar="AGE",
    help="Take a candidate only if it has been in the archive that long, or the pin is gone.",
)
@click.option(
    "--if-older-than",
    type=flags.Duration(),
    default=None,
    metavar="AGE",
    help="Do nothing where pinner.lock was made from an archive younger than this.",
)
@click.option(
    "--rescue",
    is_flag=True,
    help="Move no pin: make the build of a file with pins that are gone read the newest snapshot that has them all.",
)
@click.option(
    "--snapshot",
    "when",
    metavar="WHEN",
    help="Read the archives as they were then, and make builds that read a snapshot read that one, too.",
)
@click.option("--atomic", is_flag=True, help="Write nothing at all if something cannot be refreshed.")
@flags.options(flags.DRY)
@click.option("--summary", type=flags.FILE, metavar="FILE", help="Write Markdown for a pull request to FILE.")
@click.option("--commit-message", type=flags.FILE, metavar="FILE", help="Write a commit's message to FILE.")
@click.option(
    "--branch",
    default="",
    metavar="NAME",
    help="Commit the change on this branch, in a work tree of its own; yours and its index stay as they are.",
)
@click.option(
    "--base", default="", metavar="REF", help="The commit that the branch starts from. [default: HEAD]"
)
@click.option("--push", is_flag=True, help="Push the branch, in place of what an earlier run has pushed.")
@click.option("--remote", default="", metavar="NAME", help="Where --push goes. [default: origin]")
@click.option(
    "--group-by",
    type=click.Choice(["file", "source", "security"]),
    help="A branch for each file or source package, or one for security updates; their names begin with NAME.",
)
@click.option("--cve", is_flag=True, help="List the known vulnerabilities that the moves fix.")
@click.option("--changelogs", is_flag=True, help="Fetch the new packages and quote their changelogs.")
@flags.options(flags.OLDER, fleet.FLEET, flags.REPORT)
@flags.into("how", RefreshOptions, RefreshOptions._fields)
@flags.into("where", Where, Where._fields)
def command(
    run: Run,
    how: RefreshOptions,
    where: Where,
    rescue: bool,
    dry_run: bool,
    check: bool,
    many: fleet.Many | None,
    output: Output,
) -> int:
    """Move pins to what apt would take today, in the files and in the lock.

    What is in one install command moves together or not at all; a pin that cannot move, a file or an archive that
    cannot be read is reported and stops no other. Always asks the archive again. Exits 1 if a pin that is gone was left
    out, 4 if one cannot be moved, 3, 5 or 6 if a file or an archive cannot be read; --atomic then writes nothing.
    """
    form, style, _ = output
    write = not (dry_run or check)
    if not where.branch and (where.push or where.group_by or where.base or where.remote):
        raise OptionError("--push, --base, --remote and --group-by need --branch")
    if many and (rescue or where.group_by or where.summary or where.commit_message):
        raise OptionError("--repositories excludes --rescue, --group-by, --summary and --commit-message")
    if rescue:
        if where.branch:
            raise OptionError("--branch and --rescue exclude each other")
        from pinner.cli.rescue import rescue as by_snapshots

        projects, errors = run.collect(how.paths, writes=write)
        if errors:
            raise errors[0]
        return by_snapshots(projects, run, style, write=write)
    if where.branch:
        from pinner.cli.branches import on_branches, on_one
    if many is not None:

        def once() -> tuple[dict[str, Any], Sequence[PinnerError], int]:
            if where.branch:
                done, made = on_one(run, how, where, write=write)
            else:
                done, made = refresh(run, how, write=write), []
            own = report.diagnostics(done.outcome, done.errors, from_here, check=check)
            return (
                {**report.line(done.outcome, tuple(own)), "branches": made},
                done.errors,
                _status(done, check),
            )

        return fleet.run("refresh", once, how.paths, many)
    if where.branch:
        return on_branches(run, how, where, output, dry_run=dry_run, check=check)
    done = refresh(run, how, write=write)
    put_texts(done.outcome, where.summary, where.commit_message)
    status = _status(done, check)
    if form == "text":
        show(done, style, diff=dry_run)
    if form != "text" or output.files:
        print_report(run, done, output, status, check=check)
    tell(run, done, output)
    return status


def _status(done: Done, check: bool) -> int:
    return worst((done.status, int(check and bool(done.outcome.wrote))))


def put_texts(outcome: Outcome, summary: Path | None, message: Path | None) -> None:
    """Write a pull request's text and a commit's message to the files that are wanted. Raises `InputError`."""
    if summary is not None:
        from pinner.report.pull_request import summary as pull_request

        files.put(summary, without_login(pull_request(outcome)))
    if message is not None:
        files.put(message, without_login(report.commit_message(outcome)))


def print_report(
    run: Run, done: Done, output: Output, status: int, *, check: bool, more: Mapping[str, Any] | None = None
) -> None:
    """Print a refresh for other programs; `more` is what its JSON says beside it."""
    own = report.diagnostics(done.outcome, done.errors, from_here, check=check)
    names = tuple(each.project.relative(path) for each in done.results for path in each.project.texts)
    found = Report("refresh", report.summary(done.outcome), tuple(own), names, (), run.access.now)
    document.report(output, found, lambda: {**report.data(done.outcome), **(more or {})}, status, done.errors)


def tell(run: Run, done: Done, output: Output) -> None:
    """Say what is to be noted of a refresh, its slips and errors."""
    for name in done.slips:
        say("error", f"--package {printable(name)}: no install command here names such a package")
    notes = run.notes | dict.fromkeys(done.outcome.notes)
    flags.tell(notes if output.form == "text" else (), done.errors, quiet=output.style.quiet)


def show(done: Done, style: Style, *, diff: bool) -> None:
    """Print what came of a refresh for people."""
    for result in done.results if diff else ():
        click.echo(result.diff(), nl=False)
    for line in report.lines(done.outcome, style):
        click.echo(line, err=diff)
    if done.results and not style.quiet:
        click.echo(report.summary(done.outcome), err=diff)
