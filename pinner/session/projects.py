"""Projects: files that share a configuration and a lock, found and read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cached_property, partial
from pathlib import Path
from posixpath import basename, dirname

from pinner.archive import reach
from pinner.errors import InputError, PinnerError, printable
from pinner.lock import reader
from pinner.lock.schema import LARGEST as LARGEST_LOCK
from pinner.lock.schema import NAME as LOCK_NAME
from pinner.lock.schema import Lock
from pinner.project import files, git, journal, survey, tree
from pinner.project.config import Config, load
from pinner.project.context import ContextFiles, Names
from pinner.project.survey import FoundFile, Listing
from pinner.recipe import kinds
from pinner.recipe.kinds import KINDS, Around, FileKind
from pinner.shell.prefixes import Wrappers
from pinner.stages import builds, includes, lists, wrappers
from pinner.values import NamedTuple

STDIN = "-"
_GITLAB = ".gitlab-ci.yml"


class Project:
    """Files that share a configuration and a lock. `texts` are what they hold, by the name the lock gives them.

    What the files, the lock and the configuration name is read inside of `root` alone (`tree.root_of`).
    """

    def __init__(self, config: Config, lock_path: Path, root: Path, listing: Listing = git.files) -> None:
        self.config, self.lock_path, self.root, self.listing = config, lock_path, root, listing
        self.paths: dict[str, Path] = {}
        self.texts: dict[str, str] = {}
        self._contexts: dict[str, ContextFiles] = {}
        self._below: Names = {}

    def shown(self, name: str) -> str:
        """How a file of this project is named to people: as they did, on one line."""
        return printable(str(self.paths.get(name, name)), line=True)

    def placed(self, error: PinnerError, name: str = "") -> PinnerError:
        """An error about a file, which is named as it is shown."""
        if isinstance(error, InputError):
            error.path = self.shown(name or error.path)
        return error

    def relative(self, name: str) -> str:
        """How a file of this project is named to machines: relative to the current directory."""
        if not self.paths and name in self.texts:  # standard input
            return name
        place = self.paths.get(name, self.lock_path.parent / name)
        return printable(files.relative(place, Path.cwd()), line=True)

    @cached_property
    def lists(self) -> frozenset[str]:
        """The files that list packages for the project's Dockerfiles."""
        found = {kinds.of(name, text) for name, text in self.texts.items()}
        own = lists.of(self.texts, self.context)
        if "dockerfile" in found and not any(map(kinds.is_listing, found)):
            return own
        every = lists.of({**self.texts, **self.beside()}, self.context)
        return every & (own | self.texts.keys()) if "dockerfile" in found else every

    @cached_property
    def wrappers(self) -> Mapping[str, Wrappers]:
        """What the programs run that the scripts call which the project's Dockerfiles run."""
        if not any(kinds.of(name, text) == "script" for name, text in self.texts.items()):
            return {}  # nothing else asks
        return wrappers.in_scripts({**self.texts, **self.beside()}, self.context)

    @cached_property
    def around(self) -> Mapping[str, Around]:
        """What the project's other files say of each of its files."""
        texts: Mapping[str, str] = self.texts
        if any(kinds.of(name, text) == "gitlab" for name, text in texts.items()):
            texts = {**_gitlab(self.lock_path.parent, self.root), **texts}
        found = includes.around(texts)
        root = self.lock_path.parent
        own = [name for name, text in self.texts.items() if builds.matter(name, text)]
        if not own or not self.paths:
            return found
        says = {name: text for name, text in self.texts.items() if builds.says(name)}
        variables = {}
        places = [root / name for name in own]
        for name in survey.around(
            root, places, lambda name: builds.says(name) or name.endswith(".env"), self.listing
        ):
            if not any(fnmatchcase(name, pattern) for pattern in self.config.exclude):
                with suppress(InputError):
                    if builds.says(name):
                        says.setdefault(name, files.read(root / name, self.root))
                    elif basename(name) == ".env":
                        from pinner.recipe.formats import compose

                        variables[dirname(name)] = compose.settings(files.read(root / name, self.root))

        def named(name: str) -> str:
            return files.read(root / name, self.root) if tree.is_file(root / name, self.root) else ""

        return {
            **found,
            **builds.around(says, variables, lambda name: tree.is_file(root / name, self.root), named),
        }

    def context(self, name: str) -> ContextFiles | None:
        """The build context of a file; None if it is not known where that file is."""
        if name not in self._contexts:
            path = self.paths.get(name, self.lock_path.parent / name)
            if name not in self.paths and not path.is_file():
                return None
            folders = {each.context for each in self.around.get(name, Around()).builds}
            own = [self.lock_path.parent / each for each in sorted(folders) if each]
            self._contexts[name] = ContextFiles(path, self.lock_path.parent, self.root, own, self._below)
        return self._contexts[name]

    def beside(self) -> dict[str, str]:
        """The Dockerfiles of the project that were not named."""
        return {name: text for name, text in self._beside.items() if name not in self.texts}

    @cached_property
    def _beside(self) -> dict[str, str]:
        root = self.lock_path.parent
        found = {}
        for path in survey.find(root, self.config.exclude, [kinds.KINDS[0]], self.listing, self.texts):
            with suppress(InputError):
                found[files.relative(path, root)] = files.read(path, self.root)
        return found

    def take(self, name: str, path: Path, text: str) -> None:
        """Take a file, whose text was read from `path`."""
        self.texts[name], self.paths[name] = text, path

    def take_beside(self, name: str) -> None:
        """Take a file that another one names, if it is there. Raises `InputError` if it cannot be read."""
        path = self.lock_path.parent / name
        if tree.is_file(path, self.root):
            self.take(name, Path(files.relative(path, Path.cwd())), files.read(path, self.root))

    def gone(self, lock: Lock) -> list[str]:
        """The files that the lock knows and that are not there any more."""
        return [name for name in lock.files() if not (self.lock_path.parent / name).exists()]


def _gitlab(folder: Path, root: Path) -> dict[str, str]:
    """The file that GitLab begins with, and what it includes, by path from `folder`; none if it cannot be read."""
    with suppress(InputError):
        text = {_GITLAB: files.read(folder / _GITLAB, root)}
        return {**text, **_included(folder, root, text)}
    return {}


def _included(folder: Path, root: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """The local files that GitLab's files among `texts` include, and those that these include. Raises `InputError`."""
    found: dict[str, str] = {}
    new = texts
    while new:
        names = {name for named, _ in includes.named(new).values() for name in named}
        missing = sorted(names - texts.keys() - found.keys())
        new = {name: files.read(folder / name, root) for name in missing if tree.is_file(folder / name, root)}
        found |= new
    return found


class Collected(NamedTuple):
    """The projects of the files that were named, the errors of those that cannot be used, and what was passed over."""

    projects: list[Project]
    errors: list[PinnerError]
    passed: list[FoundFile]
    notes: list[str]


def collect(paths: Sequence[str], *, kinds: Sequence[str] = (), writes: bool = False) -> Collected:
    """The projects of the named files and directories (none: the current directory).

    A search takes files of these kinds alone, or else of those that the configuration or the lock says. A lock lies
    beside the configuration, or else at the root that `tree.root_of` tells. A command that `writes` finishes what a
    killed run left, and takes no file that is a link out of the work tree; one that does not takes such a file if the
    user has named it, but not in CI. A project whose configuration or lock cannot be used stops no other one. Raises
    `InputError` for the configuration of a directory that is searched.
    """
    collected = Collected([], [], [], [])
    listing = git.once()
    named = _named(paths, kinds, collected, listing)
    places = {tree.resolve(path): path for path in named}
    projects: dict[Path, Project] = {}
    roots: dict[Path, Path] = {}
    settings: dict[Path, tuple[Config, Path]] = {}
    for place, path in places.items():
        if path.parent not in roots:
            roots[path.parent] = tree.root_of(path)
        folder, root = place.parent, roots[path.parent]
        # In CI a link may be another's: what it leads to would be shown in messages.
        anywhere = named[path] and not writes and not reach.is_guarded()
        if anywhere and not place.is_relative_to(root):
            root = tree.root_of(place)
        try:
            text = files.read(path, None if anywhere else root)
        except InputError as error:
            collected.errors.append(error)
            continue
        if folder not in settings:
            try:
                config, source = load(folder, root)
            except InputError as error:
                if len({each.parent for each in places}) == 1:
                    raise
                collected.errors.append(error)
                continue
            settings[folder] = config, (source.parent if source else root) / LOCK_NAME
        config, lock_path = settings[folder]
        if lock_path not in projects:
            if journal.is_there(lock_path.parent):
                collected.notes.extend(_look_after(lock_path.parent, writes=writes))
                # It may be the run that was killed which has written it.
                text = files.read(path, None if anywhere else root)
            projects[lock_path] = Project(config, lock_path, root, listing)
        projects[lock_path].take(files.relative(place, lock_path.parent), path, text)
    for lock_path in [*projects] if len(projects) > 1 else ():
        try:
            read_lock(lock_path, merge=True)
        except InputError as error:
            collected.errors.append(error)
            del projects[lock_path]
    for project in projects.values():
        for name in _included(project.lock_path.parent, project.root, project.texts):
            project.take_beside(name)
        for name in sorted((project.lists | project.wrappers.keys()) - project.texts.keys()):
            project.take_beside(name)
    collected.projects.extend(each for each in projects.values() if each.texts)
    return collected


def _named(
    paths: Sequence[str], kinds: Sequence[str], collected: Collected, listing: Listing
) -> dict[Path, bool]:
    """The files that are named or found, and whether the user has named each; `collected` gets what is passed over."""
    named: dict[Path, bool] = {}
    for name in paths or (".",):
        path = Path(name)
        if os.path.isdir(path):  # noqa: PTH112, it takes any name
            named |= {each: False for each in _search(path, kinds, collected, listing) if each not in named}
        else:
            named[path] = True
    if collected.passed:
        places = {tree.resolve(path): path for path in named}.values()
        collected.passed[:] = [each for each in collected.passed if each.path not in places]
    templates = [str(each.path) for each in collected.passed if each.is_template]
    if templates:
        shown = ", ".join(map(printable, templates))
        collected.notes.append(f"passed over, as a template is read only if it is named: {shown}")
    return named


def _search(path: Path, kinds: Sequence[str], collected: Collected, listing: Listing) -> list[Path]:
    """The files in a directory and below that may install packages; `collected` gets what is passed over."""
    root = tree.root_of(path / LOCK_NAME)
    config, source = load(tree.resolve(path), root)
    wanted = _kinds(kinds or config.kinds, (source.parent if source else root) / LOCK_NAME, root)
    listed = partial(_is_listed, config, source)
    surveyed = survey.survey(path, config.exclude, wanted, listed, config.wrappers, listing)
    collected.passed.extend(each for each in surveyed if each.passed)
    if "gitlab" in wanted and (place := tree.resolve(path)) != root:
        known = {tree.resolve(each.path) for each in surveyed if not each.passed}
        included = (root / name for name in _gitlab(root, root))
        below = (each for each in included if each.is_relative_to(place) and each not in known)
        surveyed += (FoundFile(path / each.relative_to(place), "gitlab") for each in below)
    if not surveyed:
        what = f"file of the kind {' or '.join(wanted)}"
        what = "Dockerfile, and no other file that installs packages," if wanted is KINDS else what
        text, hint = f"no {what} in this directory or below", "name the file, or another directory"
        collected.errors.append(InputError(text, path=str(path), hint=hint))
    return [each.path for each in surveyed if not each.passed]


def _look_after(folder: Path, *, writes: bool) -> Iterable[str]:
    """What a killed run left in a project is finished or undone by a command that writes, and reported by others."""
    if writes:
        journal.recover(folder)
        return
    journal.refuse_foreign(folder)
    name = printable(str(folder / journal.NAME), line=True)
    yield f"{name}: a run was interrupted while it wrote; `pinner lock` finishes or undoes it"


def from_here(path: str) -> str:
    """How a file is named to machines: relative to the current directory."""
    return os.path.relpath(path) if os.path.isabs(path) else path  # noqa: PTH117


def standard_input() -> bytes:
    """All of it. Raises `InputError` if it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed", path="<stdin>")
    return tree.bounded(sys.stdin.buffer, "<stdin>")


def _kinds(said: Sequence[str], lock_path: Path, root: Path) -> Sequence[FileKind]:
    """The kinds of files that a search takes: those that are said, or else those of the lock, or all."""
    if not said and os.path.lexists(lock_path):
        with suppress(InputError):  # what is wrong with a lock is said where it counts
            text = files.read(lock_path, root, LARGEST_LOCK)
            if ', kinds = "' in text:
                said = tuple(reader.loads(text).settings_of("").kinds.split())
    return [kind for kind in KINDS if kind in said] or KINDS


def _is_listed(config: Config, source: Path | None, path: Path) -> bool:
    name = files.relative(tree.resolve(path), source.parent) if source else ""
    return any(fnmatchcase(name, pattern) for pattern in config.files)


def from_stdin() -> Project:
    """A project of the text on standard input alone."""
    root = tree.root_of(Path(LOCK_NAME))
    config, _ = load(tree.current(), root)
    project = Project(config, Path(LOCK_NAME), root)
    project.texts["<stdin>"] = files.decode(standard_input(), "<stdin>")
    return project


def read_lock(path: Path, *, merge: bool = False) -> tuple[str | None, Lock]:
    """The lock, and its text; an empty one and None if there is none; `merge` as `reader.loads` says it.

    Raises `InputError`.
    """
    if not os.path.lexists(path):
        return None, Lock()
    text = files.read(path, tree.root_of(path), LARGEST_LOCK)
    return text, reader.loads(text, str(path), merge=merge)
