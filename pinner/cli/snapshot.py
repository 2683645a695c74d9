"""`pinner snapshot`, and what the commands that search snapshots share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil

import click

from pinner.archive.network import MAX_AGE
from pinner.archive.pace import Pace
from pinner.cli import document, flags
from pinner.cli.say import say
from pinner.errors import PinnerError, printable, status_of
from pinner.project.config import Config
from pinner.report.terminal import Style, count
from pinner.search.claims import Claim
from pinner.search.find import Claims, Finder, SearchResult, Wanted, budget, locked, pins
from pinner.search.windows import WantedVersion
from pinner.session.access import Access
from pinner.session.projects import Project, read_lock
from pinner.session.run import Run
from pinner.stages.archives import Archives
from pinner.stages.install_commands import File, read_all


@click.group("snapshot")
def command() -> None:
    """Find the moments of snapshot.debian.org at which versions were there."""


@command.command("find")
@flags.options(flags.PATHS, flags.STAGES)
@click.option("--closure", is_flag=True, help="Find everything that the lock lists, not only the pins.")
@click.option("--metasnap", is_flag=True, help="Ask metasnap.debian.net first, which may know where to look.")
@click.option("--offline", is_flag=True, help="Do not use the network: use what earlier searches found.")
@flags.options(flags.OUTPUT)
def find(paths: tuple[str, ...], run: Run, closure: bool, metasnap: bool, as_json: bool, style: Style) -> int:
    """Find the newest moment at which all pins of files coexist, or all of what is locked (--closure).

    Proven by the archives' own indices. Shows several moments, and exits 1, if none has all. What was learned is kept,
    so that a search that is interrupted goes on where it was.
    """
    if metasnap and run.access.recorded:
        raise click.UsageError(
            "--metasnap and --archive exclude each other: a recorded archive does not use the network"
        )
    run.access.max_age = MAX_AGE
    projects, errors = run.collect(paths)
    results: list[SearchResult] = []
    for project in projects:
        archives = run.archives(project.config)
        try:
            wanted = _wanted(project, run, closure=closure, errors=errors)
            with search(
                run.access, project.config, archives, wanted, quiet=style.quiet, metasnap=metasnap
            ) as finder:
                results += [finder.find(each) for each in wanted]
        except PinnerError as error:
            errors.append(error)
    from pinner.report import snapshot_find as report

    apart = any(len(each.answer.found) != 1 or each.answer.never for each in results)
    status = status_of(errors, failed=apart)
    if as_json:
        document.show(status, report.data(results), errors)
    else:
        for line in report.lines(results):
            click.echo(line)
        if not results and not errors and not style.quiet:
            click.echo("no version is pinned in these files: there is nothing to find")
    flags.tell(run.notes, errors, quiet=style.quiet)
    return status


def _wanted(project: Project, run: Run, *, closure: bool, errors: list[PinnerError]) -> tuple[Wanted, ...]:
    """What a project's files want; a file that cannot be used goes to `errors`."""
    _, lock = read_lock(project.lock_path)
    if closure:
        return locked(lock, project.texts)
    options = run.options(project, lock)
    files = []
    for name, each in read_all(project.texts, dict.fromkeys(project.texts, options)).items():
        if isinstance(each, File):
            files.append(each)
        else:
            errors.append(project.placed(each, name))
    return pins(files, run.archives(project.config))


_LONG = 20  # requests from which a search is announced


@contextmanager
def search(
    access: Access,
    config: Config,
    archives: Archives,
    wanted: Sequence[Wanted],
    *,
    quiet: bool,
    offline: bool | None = None,
    metasnap: bool = False,
    times: int = 1,
) -> Iterator[Finder]:
    """A search for what is wanted, `times` as long as the usual one. A long one is announced; a terminal shows how far
    it is. Raises what asking raises."""
    service = access.snapshots(config, offline=offline)
    claims, close = _claims(access, config) if metasnap else (None, lambda: None)
    try:
        most = times * budget(wanted, service.timestamps, claimed=metasnap)
        if not quiet:
            _announce(most, config.snapshot.interval)
        progress = _progress(service.pace, most, quiet=quiet)
        finder = Finder(service.timestamps, service.first_seen, archives.load, progress, claims)
        try:
            yield finder
        finally:
            progress("")
            archives.notes |= finder.notes
    finally:
        service.close()
        close()


def _claims(access: Access, config: Config) -> tuple[Claims, Callable[[], None]]:
    from pinner.distributions.catalogue import PLATFORMS

    service = access.metasnap(config)

    def claims(archive: str, platform: str, versions: Sequence[tuple[str, str]]) -> Sequence[Claim]:
        rows = service.rows(archive, PLATFORMS[platform], versions)
        return [
            Claim(WantedVersion(row.name, row.version, platform), archive, row.suite, row.begin, row.end)
            for row in rows
        ]

    return claims, service.close


def _announce(requests: int, interval: float) -> None:
    if requests >= _LONG:
        time = count(ceil(requests * interval / 60), "minute")
        say(
            "note",
            f"this may take up to {requests} requests, {time} at {interval:g} seconds between them; what was "
            "learned is kept, and an interrupted search goes on where it was",
        )


def _progress(pace: Pace, most: int, *, quiet: bool) -> Callable[[str], None]:
    """One line on a terminal: how many requests there were, of how many, and what comes next; nothing wipes it."""
    begun = pace.requests

    def show(what: str) -> None:
        line = f"{pace.requests - begun} of up to {most} requests: {what}" if what else ""
        sys.stderr.write(f"\r\x1b[K{printable(line)}")
        sys.stderr.flush()

    return show if sys.stderr.isatty() and not quiet else lambda what: None
