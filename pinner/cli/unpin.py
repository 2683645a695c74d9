"""`pinner unpin`."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import click

from pinner.cli import flags
from pinner.cli.say import say
from pinner.errors import InputError, printable, status_of
from pinner.lock.schema import Lock
from pinner.recipe.blocks import BEGIN
from pinner.report.diagnostic import at
from pinner.report.terminal import count
from pinner.session.projects import STDIN, Project, read_lock
from pinner.session.run import Run
from pinner.session.writes import Writes, write
from pinner.stages.install_commands import File, read_all
from pinner.workflow.remembered import as_locked
from pinner.workflow.unpin import Unpinned, unpin, without_pins

_NAME = r"[a-z0-9*?\[][a-z0-9+.*?\[\]-]*"


@click.command("unpin")
@click.argument("words", nargs=-1, metavar="[NAME|FILE|DIR]...")
@flags.options(flags.PATHS[1:], flags.STAGES)
@click.option(
    "--sources", is_flag=True, help="Also remove the sources blocks that lock --write-sources wrote."
)
@flags.options(flags.DRY, flags.QUIET)
def command(words: tuple[str, ...], run: Run, sources: bool, dry_run: bool, check: bool, quiet: bool) -> int:
    """Take pins out of files, and out of the lock, again: those of the packages named (globs), or all.

    A bare word that is no file names packages; write ./NAME for a directory. Without FILE, takes every file below the
    current directory that may install packages. Needs no network. Exits 1 if a pin cannot be taken out, or if no pin
    has one of the names.
    """
    if STDIN in words:
        raise click.UsageError("standard input cannot be unpinned: name the file")
    globs = [word for word in words if re.fullmatch(_NAME, word) and not Path(word).is_file()]
    paths = [word for word in words if word not in globs]
    writes = not (dry_run or check)
    run.access.offline = True
    run.asked = run.asked._replace(images="never")
    projects, errors = run.collect(paths, writes=writes)
    results = []
    names: set[str] = set()
    for project in projects:
        text, lock = read_lock(project.lock_path)
        options = run.options(project, lock)
        own = {path: as_locked(options, lock, path) for path in project.texts}
        result = _Result(project, text, lock)
        for path, each in read_all(project.texts, own).items():
            try:
                if not isinstance(each, File):
                    raise each
                names |= {request.name for call in each.calls() for request in call.requests if request.pin}
                result.add(path, unpin(each, globs, own[path], sources=sources))
            except InputError as error:
                errors.append(project.placed(error, path))
        result.finish(globs)
        results.append(result)
    if writes:
        run.notes |= dict.fromkeys(write(results))
    unmatched = [glob for glob in globs if not any(fnmatchcase(name, glob) for name in names)]
    left = 0
    for result in results:
        if dry_run:
            click.echo(result.diff(), nl=False)
        left += result.tell(quiet=quiet, err=dry_run)
    for name in unmatched:
        say("error", f"{printable(name)}: no install command here pins such a package")
    flags.tell(run.notes, errors, quiet=quiet)
    changed = any(result.texts for result in results)
    if not quiet:
        taken = count(sum(len(result.words) for result in results), "pin")
        verb = "would take" if not writes else "took"
        click.echo(f"{verb} out {taken}" if changed else "nothing to take out", err=dry_run)
    failed = bool(left or unmatched) or (check and changed)
    return status_of(errors, failed=failed)


class _Result(Writes):
    def __init__(self, project: Project, lock_text: str | None, lock: Lock) -> None:
        super().__init__(project)
        self.words: list[str] = []
        self._left: list[str] = []
        self._lock_text, self._lock = lock_text, lock
        self._fewer: set[str] = set()
        self._none: set[str] = set()

    def add(self, path: str, found: Unpinned) -> None:
        """One file."""
        shown = self.project.shown(path)
        self.words += (f"{at(where._replace(path=shown))}  {word}" for where, word in found.words)
        self._left += (f"{at(where._replace(path=shown))}  {word}" for where, word in found.left)
        self.change(path, self.project.texts[path], found.text)
        if found.words:
            (self._fewer if found.pins else self._none).add(path)

    def finish(self, globs: list[str]) -> None:
        """The lock, once all files are done."""
        if (self._fewer or self._none) and self._lock_text is not None:
            lock = without_pins(self._lock, self._fewer, globs).replace(Lock(), self._none)
            self.change_lock(self._lock_text, lock)

    def tell(self, *, quiet: bool, err: bool) -> int:
        """Say what was done, and how many pins could not be taken out."""
        for line in () if quiet else self.words:
            click.echo(printable(line, line=True), err=err)
        for path, (old, new) in self.changed.items() if not quiet else ():
            if BEGIN in old and BEGIN not in new:
                click.echo(f"{self.project.shown(path)}: its build reads the live archive again", err=err)
        for line in self._left:
            say("error", f"{printable(line, line=True)}: its version cannot be taken out here")
        return len(self._left)
