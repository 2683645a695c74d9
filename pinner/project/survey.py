"""The files of a folder that may install packages, as git sees them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from pinner.project import git, tree
from pinner.project.files import relative
from pinner.recipe import kinds
from pinner.recipe.kinds import FileKind
from pinner.values import NamedTuple

_SHEBANG = 128  # bytes that a first line may take
_TAKEN = frozenset({
    ".azure-pipelines", ".buildkite", ".circleci", ".devcontainer", ".github", ".gitlab", ".semaphore", ".woodpecker",
})  # fmt: skip
_FEW = 100  # folders, files
_PASSED_OVER = frozenset({"node_modules", "__pycache__"})
#: What lists the files below a folder, as `git.files` does.
Listing = Callable[[Path], Sequence[str] | None]


class FoundFile(NamedTuple):
    """A file that may install packages: its kind ("" for one that only `other` names), and why a search passes
    it over, "" for one that is taken."""

    path: Path
    kind: FileKind
    passed: str = ""
    other: str = ""

    @property
    def is_template(self) -> bool:
        """Whether it is passed over for being a template."""
        return self.passed == kinds.TEMPLATE


def find(
    folder: Path,
    exclude: Sequence[str] = (),
    only: Collection[FileKind] = kinds.KINDS,
    listing: Listing = git.files,
    known: Container[str] = (),
) -> list[Path]:
    """The files below `folder` that a search takes, as `survey` says, but for those that are `known`."""
    return [
        each.path for each in survey(folder, exclude, only, listing=listing, known=known) if not each.passed
    ]


def survey(
    folder: Path,
    exclude: Sequence[str] = (),
    only: Collection[FileKind] = kinds.KINDS,
    listed: Callable[[Path], bool] = lambda path: False,
    wrappers: Iterable[str] = (),
    listing: Listing = git.files,
    known: Container[str] = (),
) -> list[FoundFile]:
    """The files below `folder` that may install packages, in order of path, as git sees them.

    That is, tracked, or untracked and not ignored. Dockerfiles are taken whatever they hold, files of other kinds if
    they speak of installing packages, or are GitLab's and include others; scripts also without a suffix, if they are
    executable and name a shell; lists of packages if they are `listed`. Templates of Dockerfiles are passed over.
    """
    names = listing(tree.resolve(folder))
    if names is None:
        names = _walk(folder)
    place = tree.resolve(folder).as_posix()
    found = []
    for name in sorted(set(names)):
        if name in known or ((by_name := kinds.by_name(name)) and by_name not in only):
            continue
        each = _judged(folder / name, f"{place}/{name}", listed, wrappers)
        if each is None or (each.kind not in only and not each.other):
            continue
        if any(fnmatchcase(name, pattern) for pattern in exclude):
            each = each._replace(passed="excluded by the configuration")
        found.append(each)
    return found


def around(
    folder: Path, paths: Iterable[Path], wanted: Callable[[str], bool], listing: Listing = git.files
) -> list[str]:
    """The files below `folder` of such names as are wanted, by path from there: as git sees them, or else those in the
    folders of `paths`, and above these."""
    few = _few(folder)
    if few is not None and not any(map(wanted, few)):
        return []
    names = listing(folder)
    if names is not None:
        return sorted(name for name in names if wanted(name))
    found = set()
    for place in {own for path in paths for own in path.parents if own.is_relative_to(folder)}:
        for each in (place, place / ".devcontainer"):
            with suppress(OSError):
                found |= {relative(each / name, folder) for name in os.listdir(each) if wanted(name)}  # noqa: PTH208
    return sorted(found)


def _few(folder: Path) -> list[str] | None:
    """All files below `folder`, ignored ones too, by path from there; None for more than git would list sooner."""
    found, cut = list[str](), len(os.path.join(folder, ""))  # noqa: PTH118
    for number, (base, folders, names) in enumerate(os.walk(folder)):
        folders[:] = (name for name in folders if name != ".git")
        found += (os.path.join(base, name)[cut:].replace(os.sep, "/") for name in names)  # noqa: PTH118
        if number == _FEW or len(found) > _FEW:
            return None
    return found


def _judged(
    path: Path, name: str, listed: Callable[[Path], bool], wrappers: Iterable[str]
) -> FoundFile | None:
    kind = kinds.by_name(name)
    other = "" if kind else kinds.other(name)
    bare = "." not in name.rpartition("/")[2]
    if not (kind or other or (bare and os.access(path, os.X_OK)) or kinds.may_look(name)):
        return None
    if path.is_symlink() and not tree.is_file(path, tree.root_of(path)):
        if kind == "dockerfile":
            return FoundFile(path, kind)  # to read it is an error
        return FoundFile(path, kind, "a link that leads out of the work tree") if kind else None
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            begin = file.read(_SHEBANG)
            if bare and not (kind or other) and not begin.startswith(b"#"):
                return None
            text = (begin + file.read(tree.LARGEST)).decode("utf-8", "replace")
    except OSError:
        return FoundFile(path, kind) if kind == "dockerfile" else None
    if other:
        return FoundFile(path, "", "not read", other) if kinds.installs(other, text) else None
    kind = kind or kinds.by_look(name, text, search=True)
    if kind is None:
        return FoundFile(path, "", "not read", "YAML") if kinds.runs_apt(name, text) else None
    if kinds.is_listing(kind):
        return FoundFile(
            path, kind, "" if listed(path) else "a list of packages, which is read if it is named"
        )
    return FoundFile(path, kind, kinds.passed_over(kind, name, text, wrappers))


def _walk(folder: Path) -> list[str]:
    names = []
    for base, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if (not name.startswith(".") or name in _TAKEN) and name not in _PASSED_OVER
        ]
        names += [Path(base, name).relative_to(folder).as_posix() for name in files]
    return names
