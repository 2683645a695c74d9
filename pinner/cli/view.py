"""How commands see the stages of files: the options that say so, the same for all, and what stands behind them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from pinner.archive import reach
from pinner.cli import common, doors
from pinner.cli.common import Project
from pinner.distributions.catalogue import DEFAULT_PLATFORMS, PLATFORMS
from pinner.errors import InputError, OptionError, PinnerError
from pinner.lock.schema import Lock
from pinner.project.config import Config, canonical_platform
from pinner.report.terminal import Style
from pinner.stages.archives import Archives
from pinner.stages.bases import Bases, Inspect, Look, Mode
from pinner.stages.image_names import Unnamed, named
from pinner.stages.starting_set import Root
from pinner.stages.suites import Along, Options
from pinner.values import NamedTuple
from pinner.workflow.remembered import along_of, overridden

if TYPE_CHECKING:
    from pinner.cli.images import Images
    from pinner.cli.keys import Vouching
    from pinner.images.image import Image

_F = TypeVar("_F", bound=Callable[..., Any])


class Told(NamedTuple):
    """What the command line says of stages. `insecure` are hosts that are spoken to in http."""

    platforms: tuple[str, ...] = ()
    suite: str = ""
    installed: tuple[str, ...] = ()
    images: Mode = "auto"
    image_archives: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()


def _told(function: _F) -> _F:
    """Gathers the options into one value, the argument `told`."""

    @wraps(function)
    def gathered(**given: Any) -> Any:
        return function(told=Told(*map(given.pop, Told._fields)), **given)

    return cast(_F, gathered)


STAGES: list[Callable[[_F], _F]] = [
    _told,
    *doors.RECORDED,
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="OS/ARCH",
        shell_complete=lambda ctx, param, begun: [name for name in PLATFORMS if name.startswith(begun)],
        help="Pin for this platform (amd64/v3 is dpkg's amd64); repeatable. [default: linux/amd64 and linux/arm64]",
    ),
    click.option("--suite", default="", help="The suite of stages that do not say one by comment."),
    click.option(
        "--installed",
        multiple=True,
        metavar="FILE",
        help="What base images hold: dpkg's status file, or the output of dpkg-query -W; repeatable, one for each "
        "architecture.",
    ),
    click.option(
        "--images",
        type=click.Choice(["never", "auto", "always"]),
        default="auto",
        show_default=True,
        envvar="PINNER_IMAGES",
        help="Read base images from their registries; auto goes on without those that do not answer.",
    ),
    click.option(
        "--image-archive",
        "image_archives",
        multiple=True,
        metavar="[IMAGE=]PATH",
        help="Read base images from what docker save wrote, or an OCI layout; repeatable.",
    ),
    click.option(
        "--insecure-registry",
        "insecure",
        multiple=True,
        metavar="HOST",
        help="Speak http to this registry; repeatable.",
    ),
]


class View:
    """The stages of all projects of a run, seen by archives and base images that are asked once.

    With `offline` nobody is asked; `max_age` is that of an answer that is not asked for again.
    """

    def __init__(
        self, told: Told, style: Style, *, offline: bool = False, max_age: timedelta = timedelta(0)
    ) -> None:
        self._told = told
        reach.allow(hosts=told.insecure)
        self._style = style
        self._offline = offline
        self._max_age = max_age
        self._doors: dict[tuple[object, ...], tuple[Archives, Bases]] = {}

    def options(
        self, project: Project, lock: Lock, *, along: Along | None = None, anew: bool = False
    ) -> Options:
        """The command line first, then the configuration; images are those that `lock` knows, or with `anew` those of
        today. That something is other than the lock remembers it is noted. Raises `InputError`."""
        config, told = project.config, self._told
        with common.value_of("--platform"):
            asked = tuple(dict.fromkeys(canonical_platform(name) for name in told.platforms))
        if told.suite and isinstance(where := named(told.suite), Unnamed):
            hint = "name a suite of Debian or Ubuntu, like bookworm or jammy, or an alias, like stable"
            raise OptionError(f"--suite: {where.why}", hint=where.hint or hint)
        platforms = asked or config.platforms or DEFAULT_PLATFORMS
        roots: Mapping[str, tuple[Root, ...]] = {}
        if told.installed or config.installed:
            from pinner.cli.installed import roots as listed

            roots = listed(config, told.installed, platforms)
        as_locked = self.look(config, lock)
        if along is None and config.pin:
            along = along_of(config.pin)
        options = Options(
            platforms=platforms,
            asked=bool(asked or config.platforms),
            suite=told.suite,
            fallback={"*": config.suite} if config.suite else {},
            files=config.files,
            lists=project.lists & project.texts.keys(),
            around=project.around,
            images=config.images,
            wrappers=config.wrappers,
            ignore=config.ignore,
            along=along,
            form=config.policy.pin,
            roots=roots,
            known=config.source,
            mirrors=config.mirrors,
            look=self.look(config, Lock()) if anew else as_locked,
            context=project.context,
            beside=project.beside,
            vouch=self.vouching(project, lock),
        )
        self.archives(config).notes |= dict.fromkeys(overridden(options, lock, project.texts))
        return options

    def vouching(self, project: Project, lock: Lock, *, new: bool = False) -> Vouching:
        """Who may sign the repositories that a project's files add; with `new` by keys that nobody has seen yet."""
        from pinner.cli.keys import Vouching

        return Vouching(project, lock, self.archives(project.config).notes, new=new, offline=self._offline)

    def archives(self, config: Config) -> Archives:
        """The archives as the configuration names them."""
        return self._open(config)[0]

    def not_before(self, project: Project, lock: Lock) -> None:
        """What `lock` was made from is the oldest that may be read; a recorded archive is as old as it is.

        Raises `InputError` for a lock with a date that is none.
        """
        if doors.recorded() is not None:
            return
        try:
            dates = {(each.uri, each.suite): datetime.fromisoformat(each.date) for each in lock.releases}
            self.archives(project.config).not_before(dates)
        except (ValueError, TypeError) as error:  # TypeError: one without a time zone
            raise InputError(
                f"a Release has a date that is none: {error}",
                path=str(project.lock_path),
                hint="restore the lock from version control, or delete it and run `pinner lock`",
            ) from None

    def look(self, config: Config, lock: Lock) -> Look:
        """What tells what images hold; those that `lock` does not know as they are now."""
        if self._told.image_archives:  # what the command line names counts, not what was in such a file once
            lock = lock._replace(images=())
        return self._open(config)[1].look(lock)

    def _open(self, config: Config) -> tuple[Archives, Bases]:
        key = (tuple(config.mirrors.items()), config.snapshot)
        if key not in self._doors:
            archives = doors.archives(config, offline=self._offline, max_age=self._max_age, style=self._style)
            inspect = self._inspect(config)
            self._doors[key] = archives, Bases(inspect, archives.notes, strict=self._told.images == "always")
        return self._doors[key]

    def _inspect(self, config: Config) -> Inspect:
        told = self._told
        mode: Mode = "never" if doors.recorded() else told.images
        progress = doors.Progress("layers") if sys.stderr.isatty() and not self._style.quiet else None

        @cache
        def door() -> Images:
            from pinner.cli.images import Images, Settings

            settings = Settings(
                mode, told.image_archives, told.insecure, self._offline, self._max_age, config.mirrors
            )
            return Images(doors.cache_dir(), settings, now=datetime.now(UTC), progress=progress)

        def inspect(
            wanted: Sequence[tuple[str, str]], known: Collection[str]
        ) -> Sequence[Image | PinnerError | None]:
            if mode == "never" and not told.image_archives:
                return [None for _ in wanted]
            try:
                return door().inspect(wanted, known)
            finally:
                if progress:
                    progress.wipe()

        return inspect
