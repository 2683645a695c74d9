"""`scan` over projects: read what their files ask for, without the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pinner.errors import PinnerError, status_of
from pinner.report import scan as report
from pinner.report.diagnostic import Report, of_error
from pinner.session.projects import Project, from_here, read_lock
from pinner.session.run import Run
from pinner.stages.install_commands import File, read_each
from pinner.values import NamedTuple


class Scanned(NamedTuple):
    """The files that could be read, and the errors of the others; see `read_files` for those too many to keep."""

    files: Sequence[File]
    errors: Sequence[PinnerError]

    def status(self, *, strict: bool = False) -> int:
        """The exit status; with `strict` 1 for arguments that stay without a pin."""
        failed = strict and any(each.leaves_words for each in self.files)
        return status_of(self.errors, failed=failed)

    def report(self, run: Run, *, strict: bool = False) -> Report:
        """The run in whichever format."""
        found = [*report.diagnostics(self.files, strict=strict)]
        found += (of_error(each, from_here) for each in self.errors)
        total = sum(map(report.counted, self.files), report.NOTHING)
        return report.report(self.files, total, found, run.access.now)


def scan(
    run: Run, projects: Iterable[Project], errors: Iterable[PinnerError], *, shown: bool = False
) -> Scanned:
    """Read projects, as `read_files` does. `errors` are those of files that could not be read."""
    found = list(read_files(run, projects, shown=shown))
    failed = [each for each in found if isinstance(each, PinnerError)]
    return Scanned([each for each in found if isinstance(each, File)], [*errors, *failed])


def read_files(run: Run, projects: Iterable[Project], *, shown: bool = False) -> Iterator[File | PinnerError]:
    """The files of projects, or why they cannot be used, one after the other; they are named as they are `shown` to
    people, or else relative to the current directory. Raises `PinnerError` for a lock that cannot be used.
    """
    for project in projects:
        _, lock = read_lock(project.lock_path)
        options = run.options(project, lock)
        for path, each in read_each(project.texts, dict.fromkeys(project.texts, options)):
            if isinstance(each, File):
                yield each._replace(path=(project.shown if shown else project.relative)(path))
            else:
                yield project.placed(each)
