"""`verify` over projects: check each against the archives of today."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import copy
from datetime import timedelta
from functools import cache

from pinner.archive import seen
from pinner.distributions.advisories import KnownVulnerabilities
from pinner.errors import FetchError, InputError, PinnerError, TrustError, status_of
from pinner.lock.schema import Lock
from pinner.project.config import Config
from pinner.report import verify as report
from pinner.report.diagnostic import Diagnostic, Report, of_error
from pinner.report.verify import Checked
from pinner.session.access import Access
from pinner.session.projects import Project, from_here, read_lock
from pinner.session.run import Run
from pinner.stages.archives import Archives
from pinner.stages.locked_index import NotLocked
from pinner.stages.suites import Options
from pinner.values import NamedTuple
from pinner.workflow.standing import Ages
from pinner.workflow.verified import Verified
from pinner.workflow.verify import Verifier
from pinner.workflow.vulnerable import Exposed, exposed, releases

#: Notes about a project that was verified.
Remarks = Callable[[Project, Options, Archives, Verified], Iterable[str]]


class VerifyOptions(NamedTuple):
    """How to verify; see the options of `pinner verify`. `max_lag` None: as the configuration says."""

    fail_on: tuple[str, ...] = ()
    cve: bool = False
    max_lag: timedelta | None = None
    strict: bool = False
    allow_older: bool = False
    trust_lock: bool = False


class Checks(NamedTuple):
    """What was found. `status` is the exit status."""

    checked: Sequence[Checked]
    diagnostics: Sequence[Diagnostic]
    errors: Sequence[PinnerError]
    status: int

    def report(self, run: Run) -> Report:
        """The run in whichever format."""
        known = {str(each) for one in self.checked for each in one.verified.errors}
        others = (of_error(error, from_here) for error in self.errors if str(error) not in known)
        return report.report(self.checked, [*self.diagnostics, *others], run.access.now)


class Verification:
    """Checks projects; equal questions are answered once for all of them."""

    def __init__(self, run: Run, how: VerifyOptions, remarks: Remarks | None = None) -> None:
        self._run = run
        self._how = how
        self._remarks = remarks
        self._verifiers: dict[Archives, Verifier] = {}
        self._vulnerabilities = Vulnerabilities(run.access, run.notes)

    def check(
        self, projects: Iterable[Project], errors: Iterable[PinnerError], *, shown: bool = False
    ) -> Checks:
        """Check projects, whose files are named as they are `shown` to people, or else relative to the current
        directory. `errors` are those of files that could not be read."""
        errors = list(errors)
        checked = [self._one(project, shown=shown) for project in projects]
        self._run.keep_solved()
        errors += (error for each in checked for error in each.verified.errors)
        errors += self._vulnerabilities.errors
        found = [each for one in checked for each in report.diagnostics(one, self._how.fail_on)]
        failed = any(each.severity == "error" for each in found)
        failed = failed or (self._how.strict and not any(each.verified.pins for each in checked))
        status = status_of(errors, failed=failed)
        return Checks(checked, found, errors, status)

    def _one(self, project: Project, *, shown: bool) -> Checked:
        run, how, now = self._run, self._how, self._run.access.now
        _, lock = read_lock(project.lock_path)
        archives = run.archives(project.config)
        verifier = self._verifiers.setdefault(archives, Verifier(archives, now, run.solved))
        trusted = run.as_locked(project, lock) if how.trust_lock and not how.allow_older else None
        if trusted is not None:
            verifier_of_lock = Verifier(trusted, now, trusts=True)
            with suppress(NotLocked):  # then all of it is read
                checked = self._checked(project, lock, verifier_of_lock, trusted, shown=shown)
                run.believes(project, believed=True)
                return checked
        elif how.trust_lock and lock.targets:
            run.believes(project, believed=False, reviewed=False)
        return self._checked(project, lock, verifier, archives, shown=shown)

    def _checked(
        self, project: Project, lock: Lock, verifier: Verifier, archives: Archives, *, shown: bool
    ) -> Checked:
        run, how, now = self._run, self._how, self._run.access.now
        policy = project.config.policy
        run.notes |= dict.fromkeys(policy.ended(now.date()))
        if not how.allow_older:
            run.not_before(project, lock)
        options = run.options(project, lock)
        today = run.look(project.config, Lock())
        record = seen.read(run.access.cache) if policy.min_age else {}
        ages = Ages(now, policy.min_age, record) if policy.min_age else None
        verified = verifier.verify(project.texts, options, lock, project.gone(lock), today, ages)
        if ages is not None:
            run.remember(seen.keep, run.access.cache, record, ages.young, now)
        if self._remarks is not None:
            remarks = self._remarks(project, options, archives, verified)
            verified = verified._replace(notes=(*verified.notes, *remarks))
        exposures: tuple[Exposed, ...] = ()
        if how.cve or any(each.startswith("cve:") for each in how.fail_on or policy.fail_on):
            suites = (each.where.suite.codename for each in verified.packages)
            known = self._vulnerabilities.of(project.config, suites)
            exposures = tuple(exposed(verified.packages, lock, archives, known))
        if how.max_lag is not None:
            policy = policy._replace(max_lag=how.max_lag)
        name = cache(project.shown if shown else project.relative)

        def placed(error: PinnerError) -> PinnerError:
            if not isinstance(error, InputError):
                return error
            found = copy(error)  # others may have it, too
            found.path = name(error.path) if error.path in verified.files else from_here(error.path)
            return found

        errors = tuple(map(placed, verified.errors))
        verified = verified.named(name)._replace(errors=errors)
        exposures = tuple(each._replace(files=tuple(map(name, each.files))) for each in exposures)
        return Checked(verified, name("pinner.lock"), policy, now.date(), exposures)


class Vulnerabilities:
    """What is known of the releases of all projects. `errors` are what was met on the way, and `notes` gets remarks."""

    def __init__(self, access: Access, notes: dict[str, None]) -> None:
        self._access = access
        self._notes = notes
        self._known: dict[tuple[object, ...], KnownVulnerabilities] = {}
        self.errors: dict[PinnerError, None] = {}

    def of(self, config: Config, suites: Iterable[str]) -> KnownVulnerabilities:
        """By release and source package; what could not be had is not in it."""
        found: KnownVulnerabilities = {}
        mirrors = self._access.mirrors(config)
        for distribution, wanted in releases(sorted(set(suites))).items():
            key = (distribution, *wanted, *mirrors.items())
            if key not in self._known:
                self._known[key] = {}
                try:
                    feed = self._access.advisories(config).of(distribution, wanted)
                except (FetchError, TrustError) as error:
                    self.errors[error] = None
                else:
                    self._known[key] = feed.known
                    self._notes |= dict.fromkeys(filter(None, [feed.note]))
            found |= self._known[key]
        return found
