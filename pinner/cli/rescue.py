"""What `pinner refresh --rescue` and `pinner verify --snapshots` do about pins that are gone: ask the snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from pinner.cli.say import say
from pinner.cli.snapshot import search
from pinner.distributions.moments import instant
from pinner.errors import InputError, PinnerError, Unsatisfiable, printable, worst
from pinner.report import lock as report
from pinner.report.terminal import Style, count
from pinner.search.find import pins
from pinner.search.windows import WantedVersion
from pinner.session import writes
from pinner.session.access import Access
from pinner.session.lock import LockedProject
from pinner.session.projects import Project, read_lock
from pinner.session.run import Run
from pinner.stages.archives import Archives
from pinner.stages.image_names import Unnamed
from pinner.stages.install_commands import read_file
from pinner.stages.sources import without_snapshot
from pinner.stages.suites import Options
from pinner.workflow.lock import Plan, plan
from pinner.workflow.snapshots import moment, notes

_MOST = 10  # versions that are looked up at a time


def spans(
    access: Access,
    project: Project,
    options: Options,
    archives: Archives,
    gone: Sequence[WantedVersion],
    *,
    quiet: bool,
) -> Iterator[str]:
    """For each version that is gone, from which snapshots it can still be had. Raises `PinnerError`."""
    readable = []
    for name, text in project.texts.items():
        with suppress(InputError):  # it is reported where the pins are verified
            readable.append(read_file(name, text, options))
    left = _MOST
    wanted = []
    for each in pins(readable, archives):
        items = tuple(item for item in each.items if item in gone)
        if items and left > 0:
            wanted.append(each._replace(items=items[:left]))
        left -= len(items)
    longest = max((len(each.items) for each in wanted), default=0)
    with search(
        access, project.config, archives, wanted, quiet=quiet, offline=False, times=longest
    ) as finder:
        for each in wanted:
            for item, found in finder.spans(each).items():
                if found is None:
                    yield f"{item}: in no snapshot"
                else:
                    yield f"{item}: in snapshots from {found[0].moment} to {found[1].moment}"
        yield from finder.notes
    if left < 0:
        yield f"{-left} more versions that are gone were not looked up"


def rescue(projects: Sequence[Project], run: Run, style: Style, *, write: bool) -> int:
    """Make each file with pins that are gone read the newest snapshot that has them all; 1 if that cannot be."""
    status = touched = 0
    for project in projects:
        for name in tuple(project.texts):
            one = Project(project.config, project.lock_path, project.root, project.listing)
            one.paths, one.texts = project.paths, {name: project.texts[name]}
            try:
                changed = _rescue(one, run, style, write=write)
                touched += changed is not None
                status = worst((status, int(bool(changed) and not write)))
            except PinnerError as error:
                if isinstance(error, InputError) and error.path == name:
                    error.path = project.shown(name)
                say("error", error)
                touched += 1
                status = worst((status, error.exit_status))
    if not touched and not style.quiet:
        looked = sum(len(project.texts) for project in projects)
        click.echo(f"nothing to rescue: no pin is gone in {count(looked, 'file')}")
    return status


def _rescue(project: Project, run: Run, style: Style, *, write: bool) -> bool | None:
    """Whether the one file of the project changes; None if no pin of it is gone."""
    text, lock = read_lock(project.lock_path)
    options, archives = run.options(project, lock), run.archives(project.config)
    gone = _gone(plan(project.texts, options, archives, lock))
    if not gone:
        return None
    (name,) = project.texts
    all_pins = pins([read_file(name, project.texts[name], options)], archives)
    with search(run.access, project.config, archives, all_pins, quiet=style.quiet, offline=False) as finder:
        found = [finder.find(each).newest for each in all_pins]
    latest = [each.moment for each in found if each is not None]
    if len(latest) < len(found):
        hint = "`pinner snapshot find` shows which were never in one snapshot; `pinner refresh` moves them"
        raise Unsatisfiable(f"{project.shown(name)}: no snapshot has all of its pins", hint=hint)
    wanted = instant(min(latest))
    service = run.access.snapshots(project.config, offline=False)
    at = moment(project.texts, options, wanted, service.timestamps)
    service.close()
    result = plan(project.texts, options._replace(snapshot=at, write_sources=True), archives, lock)
    if _gone(result):
        raise Unsatisfiable(
            f"{project.shown(name)}: its stages have no snapshot in common that has all of its pins",
            hint="`pinner snapshot find` shows the moments of each suite",
        )
    for call in read_file(name, result.files[0].new, options).calls():
        lost = [request.name for request in call.requests if request.name in gone and request.pin]
        if lost and (isinstance(call.base.where, Unnamed) or call.base.where.at is None):
            raise Unsatisfiable(
                f"{project.shown(name)}: {lost[0]} is gone, and its stage cannot be made to read a snapshot alone: "
                f"{call.unread or without_snapshot(call.base)}",
                hint="`pinner refresh` moves the pin",
            )
    outcome = LockedProject(project, result, text, lock)
    if write:
        run.notes |= dict.fromkeys(writes.write([outcome]))
    if not style.quiet:
        for note in (*notes(at, wanted), *result.notes):
            say("note", printable(note))
        click.echo(report.summary(result, outcome.wrote, would=not write))
    return bool(outcome.texts)


def _gone(result: Plan) -> frozenset[str]:
    """The names of pins that are gone. Raises what kept the file from being read."""
    for error in (*result.errors, *result.unserved.values()):
        raise error
    return frozenset(finding.name for finding in result.findings if finding.choice.status == "gone")
