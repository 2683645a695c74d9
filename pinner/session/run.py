"""A run over projects: what is asked of it, what it may ask the world, and what is said once of all of them.

All commands see a stage by the same options. A file's install commands are found before any image is asked, so that all
of a run's images are read together, and what they share is fetched once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property

from pinner.archive import reach, seen
from pinner.distributions.catalogue import DEFAULT_PLATFORMS
from pinner.errors import CacheError, OptionError, PinnerError, value_of
from pinner.lock.schema import Lock, LockedSettings
from pinner.project import git, tree
from pinner.project.config import Config, canonical_platform
from pinner.project.survey import FoundFile
from pinner.session import projects
from pinner.session.access import Access
from pinner.session.keys import Vouching
from pinner.session.projects import Project
from pinner.stages.archives import Archives
from pinner.stages.bases import Bases, ImageLookup, InspectMode
from pinner.stages.image_names import Alias, Unnamed, named, suite_of
from pinner.stages.starting_set import Root
from pinner.stages.suites import Options, PinScope, Seen, World
from pinner.values import NamedTuple
from pinner.workflow.remembered import overridden, scope_of
from pinner.workflow.solved import Solved


class Asked(NamedTuple):
    """What the user says of files and their stages; "" and () where the configuration and the lock count.

    `installed` and `image_archives` are the values of --installed and --image-archive, `insecure` hosts that are spoken
    to in http, `kinds` the kinds of files that a search takes.
    """

    platforms: tuple[str, ...] = ()
    suite: str = ""
    installed: tuple[str, ...] = ()
    images: InspectMode = "auto"
    image_archives: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Run:
    """Archives and base images are asked once for all projects of a run.

    `notes` are what is to be said, each once; `passed` are the files that a search met and passed over.
    """

    def __init__(self, asked: Asked = Asked(), access: Access | None = None) -> None:  # noqa: B008
        reach.allow(hosts=asked.insecure)
        self.asked = asked
        self.access = access or Access()
        self.notes: dict[str, None] = {}
        self.passed: list[FoundFile] = []
        self._seen = Seen()
        self._open: dict[tuple[object, ...], tuple[Archives, Bases]] = {}

    def collect(
        self, paths: Sequence[str], *, writes: bool = False
    ) -> tuple[list[Project], list[PinnerError]]:
        """The projects of the named files, and the errors of the others; see `projects.collect`."""
        found = projects.collect(paths, kinds=self.asked.kinds, writes=writes)
        self.passed = found.passed
        self.notes |= dict.fromkeys(found.notes)
        return found.projects, found.errors

    def options(
        self,
        project: Project,
        lock: Lock,
        *,
        scope: PinScope | None = None,
        anew: bool = False,
        vouching: Vouching | None = None,
    ) -> Options:
        """The command line first, then the configuration; images are those that `lock` knows, or with `anew` those of
        today. That something is other than the lock remembers it is noted. Raises `InputError`."""
        config, asked = project.config, self.asked
        with value_of("--platform"):
            named_ones = tuple(dict.fromkeys(canonical_platform(name) for name in asked.platforms))
        if asked.suite and isinstance(where := named(asked.suite), Unnamed):
            hint = "name a suite of Debian or Ubuntu, like bookworm or jammy, or an alias, like stable"
            raise OptionError(f"--suite: {where.why}", hint=where.hint or hint)
        platforms = named_ones or config.platforms or DEFAULT_PLATFORMS
        roots: Mapping[str, tuple[Root, ...]] = {}
        if asked.installed or config.installed:
            from pinner.session.installed import roots as listed

            roots = listed(config, asked.installed, platforms)
        as_locked = self.look(config, lock)
        if scope is None and config.pin:
            scope = scope_of(config.pin)
        options = Options(
            platforms=platforms,
            asked=bool(named_ones or config.platforms),
            suite=asked.suite,
            fallback={"*": config.suite} if config.suite else {},
            files=config.files,
            images=config.images,
            wrappers=config.wrappers,
            ignore=config.ignore,
            scope=scope,
            form=config.policy.pin,
            roots=roots,
            known=config.source,
            mirrors=config.mirrors,
            world=World(
                lists=project.lists & project.texts.keys(),
                around=project.around,
                beside=project.beside,
                wrappers=project.wrappers,
                context=project.context,
                look=self.look(config, Lock()) if anew else as_locked,
                named=lambda alias: self.archives(config).named(alias),
                vouch=vouching or self.vouching(project, lock),
                seen=Seen(self._seen) if len(project.texts) > 1 else None,
            ),
        )
        self.notes |= dict.fromkeys(overridden(options, lock, project.texts))
        return options

    def settings(self, pin: str = "") -> LockedSettings:
        """What the command line says that a lock remembers; `pin` as in the lock."""
        platforms = dict.fromkeys(canonical_platform(name) for name in self.asked.platforms)
        return LockedSettings("", " ".join(platforms), pin, " ".join(self.asked.kinds))

    def vouching(self, project: Project, lock: Lock, *, new: bool = False) -> Vouching:
        """Who may sign the repositories that a project's files add; with `new` by keys that were not seen yet, too."""
        return Vouching(project, lock, self.access, self.notes, new=new)

    @cached_property
    def solved(self) -> Solved:
        """What earlier runs on this machine have solved, and this one has."""
        return Solved(self._answers.get)

    @cached_property
    def _answers(self) -> seen.Answers:
        return seen.Answers(self.access.cache)

    def keep_solved(self) -> None:
        """Remember what was solved in this run, and what its archives were asked for."""
        self.access.keep_lookups()
        if self.solved.new:
            self.remember(self._answers.keep, self.solved.new)
            self.solved.new.clear()

    def remember(self, keep: Callable[..., None], *given: object) -> None:
        """Keep in the cache what later runs can do without: it is noted if that cannot be written."""
        try:
            keep(*given)
        except CacheError as error:
            self.notes[f"nothing is remembered for later runs: {error}"] = None

    def archives(self, config: Config) -> Archives:
        """The archives as the configuration names them."""
        return self._opened(config)[0]

    def as_locked(self, project: Project, lock: Lock, *, proven: bool = False) -> Archives | None:
        """The archives of a project, in which what its lock says of a Release counts as long as that is the same; None
        for a lock that is neither `proven` nor what was reviewed: it differs from the last commit, or from a pull
        request's base."""
        if not lock.targets or not (proven or git.is_reviewed(tree.resolve(project.lock_path))):
            return None
        found = self.access.archives(project.config, self.notes, lock, proven=proven)
        if self.access.recorded is None:
            found.not_before(self._dates(project, lock))
        return found

    def believes(self, project: Project, *, believed: bool, reviewed: bool = True) -> None:
        """Note whether a lock was believed, and if it was not for not being `reviewed`."""
        said = "believed of archives that have not moved since it was made (--trust-lock)"
        why = "it is not as in the last commit, or not as in the branch that it is to be merged into"
        if believed or not reviewed:
            note = said if believed else f"not believed: {why}"
            self.notes[f"{project.lock_path.name}: {note}"] = None

    def not_before(self, project: Project, lock: Lock) -> None:
        """What `lock` was made from is the oldest that may be read; a recorded archive is as old as it is."""
        if self.access.recorded is None:
            self.archives(project.config).not_before(self._dates(project, lock))

    def _dates(self, project: Project, lock: Lock) -> Mapping[tuple[str, str], datetime]:
        """When the Releases of a lock were made, by address and suite; a name that moves, like `stable`, had the
        Release of the suite that it meant."""
        dates = {(each.uri, each.suite): datetime.fromisoformat(each.date) for each in lock.releases}
        config = project.config
        for image, suite in {(each.closure.image, each.closure.suite) for each in lock.targets}:
            names = (name for pattern, name in config.images.items() if fnmatchcase(image, pattern))
            suite_of_user = self.asked.suite or next(names, "")
            where = named(suite_of_user) if suite_of_user else suite_of(image)
            if isinstance(where, Unnamed) and config.suite:
                where = named(config.suite)
            if isinstance(where, Alias) and (date := dates.get((where.distribution.alias_uri, suite))):
                place = (where.distribution.alias_uri, where.name)
                dates[place] = max(date, dates.get(place, date))
        return dates

    def look(self, config: Config, lock: Lock) -> ImageLookup:
        """What tells what images hold; those that `lock` does not know as they are now."""
        if self.asked.image_archives:  # what the user names counts, not what was in such a file once
            lock = lock._replace(images=())
        return self._opened(config)[1].look(lock)

    def _opened(self, config: Config) -> tuple[Archives, Bases]:
        key = (tuple(config.mirrors.items()), config.snapshot)
        if key not in self._open:
            asked = self.asked
            archives = self.access.archives(config, self.notes)
            inspect = self.access.inspect(config, asked.images, asked.image_archives, asked.insecure)
            self._open[key] = archives, Bases(inspect, self.notes, strict=asked.images == "always")
        return self._open[key]
