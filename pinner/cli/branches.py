"""`pinner refresh --branch`: a refresh as commits on branches of their own, one for all or one for each group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import click

from pinner.cli.flags import Output
from pinner.cli.refresh import Where, print_report, put_texts, show, tell
from pinner.errors import FetchError, InputError, PinnerError, without_login, worst
from pinner.project import branch, files, tree
from pinner.project.branch import Beside, Made
from pinner.report import refresh as report
from pinner.report.refresh import Outcome
from pinner.session.refresh import Done, RefreshOptions, refresh
from pinner.session.run import Run
from pinner.values import NamedTuple


class Group(NamedTuple):
    """A part of a refresh that is a branch: `names` of packages, or all of `paths`; neither: whatever is no pin."""

    label: str
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def of(self, how: RefreshOptions) -> RefreshOptions:
        """What this group asks for."""
        if self.paths:
            return how._replace(paths=self.paths)
        if self.names:
            return how._replace(packages=self.names)
        return how._replace(exclude=("*",))

    def covers(self, move: tuple[str, str]) -> bool:
        """Whether a move, by name and file, belongs to it."""
        return move[0] in self.names or move[1] in self.paths


def on_branches(
    run: Run, how: RefreshOptions, where: Where, output: Output, *, dry_run: bool, check: bool
) -> int:
    """Refresh in a work tree beside the user's, commit and push; the exit status. Raises `PinnerError`."""
    form, style, written = output
    here = tree.resolve(tree.current())
    output = output._replace(files=tuple((each, here / path) for each, path in written))
    root = branch.root_of(here)
    paths = tuple(_inside(path, here, root) for path in how.paths)
    summary, message = (path and here / path for path in (where.summary, where.commit_message))
    where = where._replace(summary=summary, commit_message=message)
    with _beside(where, here) as beside:
        write = not (dry_run or check)
        grouped = write and where.group_by is not None
        how = how._replace(paths=paths)
        done = refresh(run, how, write=write and not grouped)
        parts = _parts(run, done, how, where, beside) if grouped else [(Group(""), done)]
        made = []
        statuses = [done.status, int(check and bool(done.outcome.wrote))]
        errors: dict[PinnerError, None] = dict.fromkeys(done.errors)
        for group, part in parts:
            name = f"{where.branch}-{group.label}" if group.label else where.branch
            put_texts(part.outcome, _named(where.summary, group), _named(where.commit_message, group))
            one = None
            try:
                one = _committed(part.outcome, name, where, beside) if write else None
            except (FetchError, InputError) as error:  # stops no other branch
                part = part._replace(errors=(*part.errors, error))
                errors[error] = None
            if form == "text":
                show(part, style, diff=dry_run)
            statuses.append(part.status)
            if one is not None:
                made.append(_data(one, part.outcome, _named(where.summary, group)))
                if form == "text" and not style.quiet:
                    pushed = f"; {one.pushed} has it{' already' if not one.new else ''}" if one.pushed else ""
                    click.echo(f"committed on {one.name} ({one.commit[:10]}){pushed}")
        status = worst(statuses)
        whole = done._replace(outcome=done.outcome._replace(written=write), errors=tuple(errors))
        if form != "text" or output.files:
            print_report(run, whole, output, status, check=check, more={"branches": made})
        if form == "text" and grouped:  # what is in no group
            show(_rest(done, made), style, diff=False)
        tell(run, whole, output)
    return status


def on_one(
    run: Run, how: RefreshOptions, where: Where, *, write: bool
) -> tuple[Done, Sequence[dict[str, Any]]]:
    """Refresh in a work tree beside the one of the current directory, commit all on one branch and push it: what came
    of it, and the branch. Raises `PinnerError`."""
    with _beside(where, tree.resolve(tree.current())) as beside:
        done = refresh(run, how, write=write)
        one = _committed(done.outcome, where.branch, where, beside) if write else None
        return done, [_data(one, done.outcome, None)] if one is not None else []


@contextmanager
def _beside(where: Where, here: Path) -> Iterator[Beside]:
    """Another work tree, in which the current directory is the same folder. Raises `InputError`."""
    root, base = branch.root_of(here), where.base or "HEAD"
    with branch.beside(root, base, where.branch) as beside:
        folder = beside.place / here.relative_to(root)
        tree.inside(folder, tree.resolve(beside.place))
        if not folder.is_dir():
            raise InputError(f"is not there in {base}", path=str(here))
        with chdir(folder):
            yield beside


def _inside(path: str, here: Path, root: Path) -> str:
    """A file or folder that was named, relative to the current directory. Raises `InputError`."""
    place = tree.resolve(here / path)
    if path == "-" or not place.is_relative_to(root):
        raise InputError("is not in this work tree, of which --branch makes another one", path=path)
    return files.relative(place, here)


def _named(path: Path | None, group: Group) -> Path | None:
    return path and (path.with_name(f"{path.stem}-{group.label}{path.suffix}") if group.label else path)


def _committed(outcome: Outcome, name: str, where: Where, beside: Beside) -> Made | None:
    commit = beside.commit(without_login(report.commit_message(outcome))) if outcome.wrote else ""
    remote = (where.remote or "origin") if where.push else ""
    return beside.publish(name, commit, remote) if commit else None


def _rest(done: Done, made: Sequence[object]) -> Done:
    """A refresh without what is on the branches that were made."""
    if not made:
        return done
    outcome = done.outcome._replace(changes=(), images=(), dependencies=(), wrote=(), notes=())
    return done._replace(outcome=outcome, results=())


def _data(made: Made, outcome: Outcome, summary: Path | None) -> dict[str, Any]:
    return {
        **made._asdict(),
        "title": report.commit_message(outcome).partition("\n")[0],
        "packages": sorted({change.name for change in outcome.changes}),
        "summary": str(summary or ""),
    }


def _moves(outcome: Outcome) -> set[tuple[str, str]]:
    return {(change.name, place.path) for change in outcome.changes for place in change.places}


def _parts(
    run: Run, done: Done, how: RefreshOptions, where: Where, beside: Beside
) -> Iterator[tuple[Group, Done]]:
    """The groups one after the other, each done in the work tree as the base has it. Those of which one cannot move
    without another, as what is in one install command, are one."""
    wanted = _moves(done.outcome)
    groups = list(_groups(done, where))
    for group in _settled(run, groups, wanted, how):
        beside.reset()
        part = refresh(run, group.of(how), write=True)
        stays = tuple(each for each in part.outcome.stays if group.covers((each.name, each.place.path)))
        yield group, part._replace(outcome=part.outcome._replace(stays=stays))


def _settled(
    run: Run, groups: Sequence[Group], wanted: set[tuple[str, str]], how: RefreshOptions
) -> list[Group]:
    """The groups, joined where one alone does not move all that it would move with the others, or would leave a file
    that does not build, since another pin in it is gone."""
    settled: list[Group] = []
    waiting = list(groups)
    while waiting:
        group = waiting.pop(0)
        done = refresh(run, group.of(how._replace(changelogs=False, cve=False)), write=False)
        own = {move for move in wanted if group.covers(move)}
        stuck = {path for _, path in own - _moves(done.outcome)}
        gone = {(stay.name, stay.place.path) for stay in done.outcome.stays if stay.gone}
        files_of = {path for _, path in own}
        needed = {each for each in wanted if each[1] in stuck or (each in gone and each[1] in files_of)}
        others = [each for each in (*settled, *waiting) if any(map(each.covers, needed))]
        if not others:
            settled.append(group)
            continue
        for each in others:
            (settled if each in settled else waiting).remove(each)
            group = Group(group.label, (*group.names, *each.names), (*group.paths, *each.paths))
        waiting.insert(0, group)
    return settled


def _groups(done: Done, where: Where) -> Iterator[Group]:
    outcome = done.outcome
    if where.group_by == "file":
        changed = dict.fromkeys(place.path for change in outcome.changes for place in change.places)
        yield from (Group(_label(path), paths=(path,)) for path in changed)
        paths = [path for result in done.results for path in result.project.paths.values()]
        here = Path.cwd()
        rest = tuple(str(path) for path in paths if files.relative(tree.resolve(path), here) not in changed)
        if rest and (outcome.images or outcome.dependencies):
            yield Group("dependencies", paths=rest)
        return
    groups: dict[str, dict[str, None]] = {}
    urgent = {change.name for change in outcome.changes if change.security}
    # The first of those that are joined gives them their name.
    for change in sorted(outcome.changes, key=lambda change: not change.security):
        label = _label(change.offer.package.source)
        if where.group_by == "security":
            label = "security" if change.name in urgent else "others"
        groups.setdefault(label, {})[change.name] = None
    yield from (Group(label, tuple(names)) for label, names in groups.items())
    if outcome.images or outcome.dependencies:
        yield Group("dependencies")


def _label(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9+]+", "-", name).strip("-")
