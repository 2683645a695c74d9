"""The library: what the commands do, as functions that return values. `import pinner` gives them.

Nothing is printed, and nothing ends the process. What stops a run as a whole is raised as `PinnerError`; what concerns
one file, or one archive, is among the diagnostics.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pinner.archive.network import MAX_AGE
from pinner.errors import PinnerError
from pinner.report.diagnostic import Diagnostic, Report
from pinner.session.access import Access
from pinner.session.projects import from_here
from pinner.session.run import Asked, Run
from pinner.stages.suites import PinScope
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.session.refresh import Only

Paths = Iterable[str | os.PathLike[str]]


class Result(NamedTuple):
    """What a run came to. `status` is the command's exit status: 0 is good.

    `document` is what `--json` prints, see its schema. `wrote` are the files that were written, or would be without
    `write`, relative to the current directory; `texts` what they hold then, but for the lock's.
    """

    status: int
    diagnostics: tuple[Diagnostic, ...]
    document: Mapping[str, Any]
    errors: tuple[PinnerError, ...]
    notes: tuple[str, ...]
    wrote: tuple[str, ...] = ()
    texts: Mapping[str, str] = {}


def lock(
    paths: Paths = (),
    *,
    write: bool = True,
    strict: bool = False,
    scope: PinScope | None = None,
    snapshot: str | None = None,
    trust_new_keys: bool = False,
    allow_older: bool = False,
    asked: Asked = Asked(),  # noqa: B008
    offline: bool = False,
    max_age: timedelta = MAX_AGE,
) -> Result:
    """Pin what files install to the versions that apt would install, and keep the lock; `pinner lock`.

    `paths` are files and directories (none: the current directory). With `scope` = "siblings" or "closure" more is
    pinned on the line, `snapshot` is a moment such as `2026-11-01`. Raises `PinnerError`.
    """
    from pinner.session import lock as session

    run = Run(asked, Access(offline=offline, max_age=max_age))
    projects, errors = run.collect([os.fspath(path) for path in paths], writes=write)
    options = session.LockOptions(scope, snapshot, trust_new_keys=trust_new_keys, allow_older=allow_older)
    found = session.lock(run, projects, errors, options, write=write)
    notes = run.notes | dict.fromkeys(note for each in found.outcomes for note in each.plan.notes)
    return _result(
        found.report(run, strict=strict), found.status(strict=strict), found.data(), found.failures, notes
    )._replace(
        wrote=tuple(name for each in found.outcomes for name in each.wrote),
        texts={
            each.project.relative(planned.path): planned.new
            for each in found.outcomes
            for planned in each.plan.files
            if planned.new != planned.old
        },
    )


def verify(
    paths: Paths = (),
    *,
    fail_on: Iterable[str] = (),
    cve: bool = False,
    max_lag: timedelta | None = None,
    strict: bool = False,
    allow_older: bool = False,
    asked: Asked = Asked(),  # noqa: B008
) -> Result:
    """Check that pins and what is locked are still there, and that apt could install each line; `pinner verify`.

    `fail_on` are values of --fail-on; a pin that was superseded longer than `max_lag` ago is an error. Raises
    `PinnerError`.
    """
    from pinner.report.verify_json import data
    from pinner.session.verify import Verification, VerifyOptions

    run = Run(asked, Access())
    options = VerifyOptions(tuple(fail_on), cve, max_lag, strict, allow_older)
    found = Verification(run, options).check(*run.collect([os.fspath(path) for path in paths]))
    notes = run.notes | dict.fromkeys(note for each in found.checked for note in each.verified.notes)
    return _result(found.report(run), found.status, data(found.checked), found.errors, notes)


def refresh(
    paths: Paths = (),
    *,
    write: bool = True,
    only: Only | None = None,
    packages: Iterable[str] = (),
    exclude: Iterable[str] = (),
    add: bool = False,
    min_age: timedelta | None = None,
    snapshot: str | None = None,
    atomic: bool = False,
    cve: bool = False,
    changelogs: bool = False,
    allow_older: bool = False,
    asked: Asked = Asked(),  # noqa: B008
) -> Result:
    """Move pins to what apt would take today, in the files and in the lock; `pinner refresh`.

    `packages` and `exclude` are globs of names; `only` and `min_age` override the policy. Raises `PinnerError`.
    """
    from pinner.report import refresh as report
    from pinner.session import refresh as session

    run = Run(asked, Access())
    how = session.RefreshOptions(
        tuple(os.fspath(path) for path in paths),
        only,
        tuple(packages),
        tuple(exclude),
        add,
        min_age,
        when=snapshot,
        atomic=atomic,
        cve=cve,
        changelogs=changelogs,
        allow_older=allow_older,
    )
    done = session.refresh(run, how, write=write)
    outcome, errors = done.outcome, done.errors
    files = [(each.project, file) for each in done.results for file in each.refreshed.files]
    return Result(
        done.status,
        tuple(report.diagnostics(outcome, errors, from_here)),
        report.data(outcome),
        errors,
        outcome.notes,
        outcome.wrote,
        {project.relative(file.path): file.new for project, file in files if file.new != file.old},
    )


def scan(paths: Paths = (), *, strict: bool = False, asked: Asked = Asked()) -> Result:  # noqa: B008
    """Read what files ask for, and what `lock` would do about it, without the network; `pinner scan`.

    Raises `PinnerError`.
    """
    from pinner.report.scan import data
    from pinner.session.scan import scan as scanned

    run = Run(asked, Access(offline=True))
    found = scanned(run, *run.collect([os.fspath(path) for path in paths]))
    report = found.report(run, strict=strict)
    return _result(report, found.status(strict=strict), data(found.files), found.errors, run.notes)


def _result(
    report: Report,
    status: int,
    document: Mapping[str, Any],
    errors: Iterable[PinnerError],
    notes: Iterable[str],
) -> Result:
    return Result(status, report.diagnostics, document, tuple(errors), tuple(notes))
