"""What several commands share: their options, the projects that files belong to, and the door to the archives."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pinner import files, journal
from pinner.archive.distributions import DEFAULT_PLATFORMS, PLATFORMS
from pinner.archive.sources import Source
from pinner.config import Config, canonical_platform, load
from pinner.errors import InputError, PinnerError
from pinner.lockfile import NAME as LOCK_NAME
from pinner.lockfile import Lock
from pinner.report.terminal import Style
from pinner.resolve.universe import Index
from pinner.text.kinds import KINDS, FileKind
from pinner.workflow import lists, scripts
from pinner.workflow.archives import Archives
from pinner.workflow.bases import Bases, Look, Mode
from pinner.workflow.roots import Root
from pinner.workflow.stages import Options

if TYPE_CHECKING:
    from pinner.archive.image import Image
    from pinner.archive.snapshot import Snapshots
    from pinner.commands.images import Images

_F = TypeVar("_F", bound=Callable[..., Any])
STDIN = "-"
_WIPE = "\r\x1b[K"


class Duration(click.ParamType[timedelta]):
    """`90s`, `10m`, `2h`, `3d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration; click reports what is not one."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", str(value))
        if not match:
            self.fail(f"{value!r} is not a duration like 90s, 10m, 2h or 3d", param, ctx)
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return timedelta(**{unit: int(match[1])})


def options(*groups: Sequence[Callable[[_F], _F]]) -> Callable[[_F], _F]:
    """The options of `groups`, in the order in which help lists them."""

    def decorate(function: _F) -> _F:
        for group in reversed(groups):
            for option in reversed(group):
                function = option(function)
        return function

    return decorate


_KINDS = "pinner.kinds"


def _keep_kinds(ctx: click.Context, param: click.Parameter, value: tuple[FileKind, ...]) -> None:
    ctx.meta[_KINDS] = value


PATHS: list[Callable[[_F], _F]] = [
    click.argument("paths", nargs=-1, metavar="[FILE|DIR|-]...", type=click.Path(allow_dash=True)),
    click.option(
        "--kind",
        multiple=True,
        type=click.Choice(KINDS),
        expose_value=False,
        callback=_keep_kinds,
        help="Take files of this kind alone; repeatable.",
    ),
]
STRICT: list[Callable[[_F], _F]] = [
    click.option(
        "--strict", is_flag=True, help="Exit 1 if any word stays without a pin; see `# pinner: allow`."
    )
]
_RECORDED = "pinner.recorded"
_SERVICES = "pinner.snapshots"


def _keep_recorded(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    ctx.meta[_RECORDED] = value


def recorded() -> Path | None:
    """The directory of the recorded archive that is read in the place of all others."""
    context = click.get_current_context(silent=True)
    found: Path | None = context.meta.get(_RECORDED) if context else None
    return found.resolve() if found else None


RECORDED: list[Callable[[_F], _F]] = [
    click.option(
        "--archive",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        callback=_keep_recorded,
        metavar="DIR",
        help="Read the recorded archive in this directory, and ask nobody.",
    )
]
WHERE: list[Callable[[_F], _F]] = [
    *RECORDED,
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="OS/ARCH",
        shell_complete=lambda ctx, param, begun: [name for name in PLATFORMS if name.startswith(begun)],
        help="Pin for this platform; repeatable. [default: linux/amd64 and linux/arm64]",
    ),
    click.option("--suite", default="", help="The suite of stages that do not say one by comment."),
]
ARCHIVE: list[Callable[[_F], _F]] = [
    click.option("--offline", is_flag=True, help="Use only cached indices; say how old they are."),
    click.option(
        "--max-age",
        type=Duration(),
        default="10m",
        show_default=True,
        metavar="AGE",
        help="Ask the archive again when the last answer is older.",
    ),
]
INSTALLED: list[Callable[[_F], _F]] = [
    click.option(
        "--installed",
        multiple=True,
        metavar="FILE",
        help="What base images hold: dpkg's status file, or the output of dpkg-query -W; repeatable, one for each "
        "architecture.",
    )
]
IMAGES: list[Callable[[_F], _F]] = [
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
JSON: list[Callable[[_F], _F]] = [click.option("--json", "as_json", is_flag=True, help="Print JSON.")]
OUTPUT: list[Callable[[_F], _F]] = [
    *JSON,
    click.option("-q", "--quiet", is_flag=True, help="Print only what fails."),
    click.option("-v", "--verbose", is_flag=True, help="Print each word, kept ones too."),
]


@dataclass
class Project:
    """Files that share a configuration and a lock. `texts` are what they hold, by the name the lock gives them."""

    config: Config
    lock_path: Path
    paths: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def shown(self, name: str) -> str:
        """How a file of this project is named to people: as they did."""
        return str(self.paths.get(name, name))

    def context(self, name: str, source: str) -> str | None:
        """The text of a file that a Dockerfile copies: beside it, or from the project's root; None if in doubt.

        The build context is named where the image is built, and is nearly always one of the two.
        """
        if ".." in Path(source).parts or name not in self.paths:
            return None
        texts = set()
        for folder in (self.paths[name].parent, self.lock_path.parent):
            with suppress(InputError):
                texts.add(files.read(folder / source.lstrip("/")))
        return texts.pop() if len(texts) == 1 else None

    def gone(self, lock: Lock) -> list[str]:
        """The files that the lock knows and that are not there any more."""
        return [name for name in lock.files() if not (self.lock_path.parent / name).exists()]


def collect(paths: Sequence[str]) -> tuple[list[Project], list[PinnerError]]:
    """The projects of the named files and directories (none: the current directory), and the files that cannot be read.

    A lock lies beside the configuration, or else at the root of the git work tree, or else beside the file.
    """
    errors: list[PinnerError] = []
    named: list[Path] = []
    only = click.get_current_context().meta.get(_KINDS) or KINDS
    for name in paths or (".",):
        path = Path(name)
        if not os.path.isdir(path):  # noqa: PTH112, it takes any name
            named.append(path)
            continue
        config, _ = load(path.resolve())
        found = files.find(path, config.exclude, only)
        if not found:
            errors.append(
                InputError(
                    "no Dockerfile, and no other file that installs packages, in this directory or below",
                    path=str(path),
                    hint="name the file, or another directory",
                )
            )
        named += found
    projects: dict[Path, Project] = {}
    settings: dict[Path, tuple[Config, Path]] = {}
    for path in files.distinct(named):
        folder = files.resolve(path).parent
        if folder not in settings:
            config, source = load(folder)
            root = source.parent if source else files.work_tree(folder) or folder
            settings[folder] = config, root / LOCK_NAME
        config, lock_path = settings[folder]
        if lock_path not in projects:
            journal.recover(lock_path.parent)
            projects[lock_path] = Project(config, lock_path)
        project = projects[lock_path]
        name = files.relative(files.resolve(path), lock_path.parent)
        try:
            project.texts[name] = files.read(path)
            project.paths[name] = path
        except PinnerError as error:
            errors.append(error)
    for project in projects.values():
        held = set()
        for name, use in lists.of(project.texts).items():
            path = project.lock_path.parent / name
            if use not in held and name not in project.texts and path.is_file():
                held.add(use)
                project.texts[name] = files.read(path)
                project.paths[name] = Path(files.relative(path, Path.cwd()))
    return [project for project in projects.values() if project.texts], errors


def from_stdin() -> Project:
    """A project of the text on standard input alone."""
    config, _ = load(Path.cwd())
    text = files.decode(files.bounded(sys.stdin.buffer, "<stdin>"), "<stdin>")
    return Project(config, Path(LOCK_NAME), {}, {"<stdin>": text})


def to_options(
    project: Project,
    platforms: Sequence[str],
    suite: str,
    installed: Sequence[str] = (),
    *,
    look: Look | None = None,
) -> Options:
    """How a command sees the stages of a project's files, which may tell of each other; all commands see them so.

    The command line counts first, then the configuration; `look` tells what base images hold. Raises `InputError`.
    """
    config, texts = project.config, project.texts
    asked = (
        tuple(dict.fromkeys(canonical_platform(name, "--platform") for name in platforms)) or config.platforms
    )
    roots: Mapping[str, tuple[Root, ...]] = {}
    if installed or config.installed:
        from pinner.commands.installed import roots as told

        roots = told(config, installed, asked or DEFAULT_PLATFORMS)
    return Options(
        platforms=asked or DEFAULT_PLATFORMS,
        asked=bool(asked),
        suite=suite,
        fallback=config.suite,
        files=config.files,
        scripts=scripts.images(texts),
        lists={place: each for place, each in lists.of(texts).items() if place in texts},
        images=config.images,
        ignore=config.ignore,
        roots=roots,
        known=config.source,
        look=look,
        context=project.context,
    )


def cache_dir() -> Path:
    """Where verified indices are kept: PINNER_CACHE_DIR, or else the platform's place for caches."""
    own = os.environ.get("PINNER_CACHE_DIR")
    if own:
        return Path(own)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("pinner"))


def archives(config: Config, *, offline: bool, max_age: timedelta, style: Style) -> Archives:
    """The archives as seen through the cache, with a progress line on a terminal."""
    from pinner.archive.load import Archive

    progress = Progress("indices") if sys.stderr.isatty() and not style.quiet else None
    folder = recorded()
    archive = Archive(
        cache_dir(),
        now=datetime.now(UTC),
        max_age=max_age,
        offline=offline,
        mirrors=mirrors(config),
        progress=progress,
        snapshots=lambda: snapshots(config, offline=offline),
        keyring=folder / "key.pgp" if folder else None,
    )

    def load(sources: Sequence[Source]) -> tuple[Sequence[Index], Sequence[str]]:
        try:
            return archive.load(sources)
        finally:
            if progress:
                progress.wipe()

    return Archives(load, archive.codename)


def mirrors(config: Config) -> Mapping[str, str]:
    """Where addresses are really asked for: a recorded archive holds all hosts as directories."""
    folder = recorded()
    if folder is None:
        return config.mirrors
    return {f"{scheme}://": folder.as_uri() for scheme in ("http", "https")}


def snapshots(config: Config, *, offline: bool) -> Snapshots:
    """The snapshot service as the configuration names it: the same for all of a run, so that it keeps one pace."""
    from pinner.archive.snapshot import Snapshots

    folder = recorded()
    services = click.get_current_context().meta.setdefault(_SERVICES, {})
    key = (config.snapshot, tuple(config.mirrors.items()), offline)
    if key not in services:
        services[key] = Snapshots(
            cache_dir(),
            now=datetime.now(UTC),
            mirrors=config.snapshot.mirrors
            if folder is None
            else (f"{folder.as_uri()}/snapshot.debian.org",),
            rewrites=mirrors(config),
            interval=config.snapshot.interval,
            offline=offline,
        )
    found: Snapshots = services[key]
    return found


def bases(
    config: Config,
    notes: dict[str, None],
    *,
    images: Mode,
    image_archives: Sequence[str],
    insecure: Sequence[str],
    offline: bool,
    max_age: timedelta,
    style: Style,
) -> Bases:
    """The base images as seen through the cache; `notes` gets what people should know of them."""
    images = "never" if recorded() else images
    progress = Progress("layers") if sys.stderr.isatty() and not style.quiet else None

    @cache
    def door() -> Images:
        from pinner.commands.images import Images, Settings

        settings = Settings(images, image_archives, insecure, offline, max_age, config.mirrors)
        return Images(cache_dir(), settings, now=datetime.now(UTC), progress=progress)

    def inspect(name: str, platform: str) -> Image:
        try:
            return door().inspect(name, platform)
        finally:
            if progress:
                progress.wipe()

    return Bases(inspect, images, notes)


class Progress:
    """One line on the terminal for all that is fetched, from several threads; overwritten, and wiped at the end."""

    def __init__(self, noun: str) -> None:
        """`noun` is what several of them are called."""
        self._noun = noun
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, int]] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of the `total` bytes of `what` are here."""
        with self._lock:
            self._parts[what] = done, total
            so_far, size = (sum(numbers) / 1e6 for numbers in zip(*self._parts.values(), strict=True))
            label = what if len(self._parts) == 1 else f"{len(self._parts)} {self._noun}"
            sys.stderr.write(f"{_WIPE}fetching {label}: {so_far:.1f} of {size:.1f} MB")
            sys.stderr.flush()

    def wipe(self) -> None:
        """The line is gone; what is fetched later counts anew."""
        with self._lock:
            if self._parts:
                self._parts.clear()
                sys.stderr.write(_WIPE)
                sys.stderr.flush()


def to_style(*, quiet: bool, verbose: bool) -> Style:
    """How to print: colours only on a terminal that wants them (https://no-color.org)."""
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other")
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(colour=colour, verbose=verbose, quiet=quiet)


def read_lock(path: Path) -> str | None:
    """The lock's text, None if there is none. Raises `InputError`."""
    try:
        return files.read(path)
    except InputError:
        if path.exists():
            raise
        return None
