"""Files: finding them, reading them as exact text, and writing several so that each is old or new, never half."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path

from pinner.errors import InputError
from pinner.project import git, journal, tree
from pinner.project.journal import FileMove
from pinner.project.tree import Folder
from pinner.recipe import kinds
from pinner.recipe.kinds import FileKind
from pinner.values import NamedTuple

_SHEBANG = 128  # bytes that a first line may take
_TAKEN = frozenset(
    {
        ".github",
        ".gitlab",
        ".devcontainer",
        ".circleci",
        ".woodpecker",
        ".azure-pipelines",
        ".buildkite",
        ".semaphore",
    }
)
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


def read(path: Path, root: Path | None = None, limit: int = tree.LARGEST) -> str:
    """The text of a file, every character of it: line ends and BOM stay. Raises `InputError`.

    A `root` is that of what others have named: only a regular file inside of it is read (`tree.read`).
    """
    try:
        if root is not None:
            return decode(tree.read(path, root, limit), str(path))
        with path.open("rb") as file:
            data = tree.bounded(file, str(path), limit)
    except (OSError, ValueError) as error:
        hint = "name the files in it, or let pinner find them" if isinstance(error, IsADirectoryError) else ""
        raise InputError(getattr(error, "strerror", None) or str(error), path=str(path), hint=hint) from None
    return decode(data, str(path))


def decode(data: bytes, path: str) -> str:
    """UTF-8 `data` as text; `InputError` names the line and column of the first byte that is not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        byte = data[error.start]
        raise InputError(
            f"not UTF-8: byte 0x{byte:02x}",
            path=path,
            line=line,
            column=column,
            hint="convert the file to UTF-8",
        ) from None


def write(
    texts: Mapping[Path, str],
    expected: Mapping[Path, str | None],
    folders: Mapping[Path, Path] | None = None,
) -> list[str]:
    """Write several files: all are laid down beside their places and synced, then renamed one after the other.

    A kill leaves each file old or new. `expected` is what each file held when it was read (None: there was none); one
    that has changed since is not overwritten. Owner, mode and attributes stay as far as this user may give them. A link
    inside of the work tree stays, and what it points to is written; none leads out of it (`tree`). `folders` names the
    project folder of a file: the files of a project are replaced as one (`journal`), what a kill leaves undone is done
    by `journal.recover`. Returns notes for people. Raises `InputError`, with no file changed, for anything that cannot
    be written.
    """
    token = os.urandom(4).hex()
    staged: dict[Path, FileMove] = {}
    projects: dict[Folder, list[FileMove]] = {}
    notes = []
    with ExitStack() as stack:
        opened: dict[Path, Folder] = {}

        def folder_at(place: Path, root: Path) -> Folder:
            if place not in opened:
                opened[place] = stack.enter_context(Folder(place, root))
            return opened[place]

        for path, text in texts.items():
            root = tree.root_of(path)
            project = (folders or {}).get(path)
            if project is not None and not tree.is_root(root):  # without git it is the project's folder
                own = tree.resolve(project)
                root = root if own.is_relative_to(root) else own
            place = tree.inside(path, root)
            try:
                folder = folder_at(place.parent, root)
                names = folder.stat(place.name).st_nlink if folder.has(place.name) else 1
                of_project = None if project is None else folder_at(tree.resolve(project), root)
            except OSError as error:
                raise _unwritable(path, error) from None
            if names > 1:
                notes.append(f"{path} had {names - 1} more names (hard links): they keep the old text")
            before = expected.get(path)
            staged[path] = move = FileMove(
                folder,
                journal.draft_of(place.name, token),
                place.name,
                journal.digest(None if before is None else before.encode("utf-8", "surrogateescape")),
                journal.digest(text.encode("utf-8")),
            )
            if of_project is not None and place.is_relative_to(of_project.path):
                projects.setdefault(of_project, []).append(move)
        for folder in sorted(projects, key=lambda each: each.path):
            stack.enter_context(journal.alone(folder.path))
        _replace(staged, texts, expected, projects)
    return notes


def _replace(
    staged: Mapping[Path, FileMove],
    texts: Mapping[Path, str],
    expected: Mapping[Path, str | None],
    projects: Mapping[Folder, Sequence[FileMove]],
) -> None:
    """Lay the new files down, and rename them unless an old one has changed; the journal knows of it meanwhile."""
    settled = True
    try:
        _note(projects, complete=False)
        for path, move in staged.items():
            _stage(path, move, texts[path])
        for path, before in expected.items():
            if _now(path, staged[path]) != before:
                raise InputError(
                    "was changed by somebody else while pinner worked on it",
                    path=str(path),
                    hint="nothing was written; run pinner again",
                )
        settled = False
        _note(projects, complete=True)
        _rename(staged, expected)
        settled = True
    except InputError:
        settled = True
        raise
    except BaseException:
        if not settled:  # an interrupt in the middle of renaming
            for folder, moves in projects.items():
                journal.finish(folder.path, moves)
            settled = True
        raise
    finally:
        if settled:
            _tidy(staged.values(), projects)


def put(path: Path, text: str) -> None:
    """Write a file that the user has named, whatever it holds: a pipe or terminal, too. What a run that was killed has
    left of it goes away. Raises `InputError`."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
    except OSError as error:
        raise _unwritable(path, error) from None
    place = tree.resolve(path)
    with journal.alone(place.parent):
        for draft in place.parent.glob(journal.draft_of(escape(place.name), "?" * 8)):
            draft.unlink(missing_ok=True)
        write({path: text}, {})


def _tidy(moves: Iterable[FileMove], projects: Iterable[Folder]) -> None:
    for move in moves:
        with suppress(OSError):
            move.folder.remove(move.draft)
    for project in projects:
        project.sync()
        with suppress(OSError):
            journal.remove(project)


def _note(projects: Mapping[Folder, Sequence[FileMove]], *, complete: bool) -> None:
    for project, moves in projects.items():
        try:
            journal.write(project, moves, complete=complete)
        except OSError as error:
            raise _unwritable(project.path / journal.NAME, error) from None


def _rename(staged: Mapping[Path, FileMove], expected: Mapping[Path, str | None]) -> None:
    """Put the new files in their places; where that fails (a file that is a mount of its own), the old ones again."""
    done: list[Path] = []
    for path, move in staged.items():
        try:
            move.folder.rename(move.draft, move.name)
        except OSError as error:
            for earlier in done:
                before, one = expected.get(earlier), staged[earlier]
                if before is None:
                    one.folder.remove(one.name)
                else:
                    _stage(earlier, one, before)
                    one.folder.rename(one.draft, one.name)
            raise InputError(
                f"cannot be replaced: {error.strerror or error}", path=str(path), hint="nothing was changed"
            ) from None
        done.append(path)


def _now(path: Path, move: FileMove) -> str | None:
    try:
        data = move.folder.read(move.name)
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path), hint="nothing was changed") from None
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be written: {error.strerror or error}", path=str(path), hint="nothing was changed"
    )


def _stage(path: Path, move: FileMove, text: str) -> None:
    folder, like = move.folder, None
    try:
        if folder.has(move.name):
            like = move.name
            if not folder.stat(like).st_mode & 0o222 or not folder.is_writable(like):
                raise PermissionError(13, "the file is read-only")
        folder.create(move.draft, text.encode("utf-8"), like)
    except OSError as error:
        raise _unwritable(path, error) from None


def relative(path: Path, folder: Path) -> str:
    """`path` as a lock names it: relative to `folder`, with forward slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()
