"""git, the only place from which it is started: nothing that a repository's own configuration names runs.

A folder of a checkout may look like a bare repository (`HEAD`, `config`, `objects`, `refs` are ordinary files), and a
`.git` may come from an archive that others packed. What git's configuration can start: git-config(1).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pinner import program
from pinner.errors import FetchError, InputError
from pinner.project import tree

if TYPE_CHECKING:
    from subprocess import CompletedProcess

#: Whatever a configuration says, no hook, monitor, pager, editor, helper, filter of output or bare repository counts.
SAFE = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=false",
    "core.alternateRefsCommand=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.sshCommand=false",
    "core.askPass=",
    "credential.helper=",
    "gpg.program=false",
    "gpg.openpgp.program=false",
    "gpg.ssh.program=false",
    "gpg.ssh.defaultKeyCommand=",
    "gpg.x509.program=false",
    "diff.external=",
    "submodule.recurse=false",
)
LONGEST = 60.0  # seconds for a question to a repository on this machine; a FIFO in it would never end
#: What says where a repository is: a hook's own is not that of the folder that is looked at (git-rev-parse(1)).
_LOCAL = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE",
    "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF", "GIT_PAGER",
})  # fmt: skip


def work_tree(folder: Path) -> Path | None:
    """The root of the git work tree that `folder` lies in, or None."""
    return next((each for each in (folder, *folder.parents) if tree.is_root(each)), None)


def files(folder: Path) -> list[str] | None:
    """The files below `folder`, which is absolute: those tracked, and those neither tracked nor ignored.

    None if it lies in no work tree, or git cannot tell.
    """
    root = work_tree(folder)
    if root is None or all((root / name).exists() for name in ("HEAD", "objects", "refs")):
        return None  # git before 2.38 would take a root that looks like a bare repository for one
    inner = folder.relative_to(root).as_posix()
    listing = _run(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", inner)
    if listing is None:
        return None
    cut = 0 if inner == "." else len(inner) + 1
    names = (os.fsdecode(name)[cut:] for name in listing.split(b"\0") if name)
    return [name for name in names if name]


def once() -> Callable[[Path], list[str] | None]:
    """`files`, by one question for a folder; from the second folder of a work tree on by one for all of it."""
    answers: dict[Path, dict[Path, list[str] | None]] = {}

    def listing(folder: Path) -> list[str] | None:
        root = work_tree(folder)
        if root is None:
            return None
        known = answers.setdefault(root, {})
        if folder not in known and not known:
            known[folder] = files(folder)
        elif folder not in known:
            if root not in known:
                known[root] = files(root)
            below = f"{folder.relative_to(root).as_posix()}/"
            every = known[root]
            if folder != root:
                known[folder] = every and [name[len(below) :] for name in every if name.startswith(below)]
        return known[folder]

    return listing


def tracks(path: Path) -> bool:
    """Whether git has the file at `path`, or one below it, in the index of its work tree; `path` is absolute."""
    root = work_tree(path.parent)
    if root is None:
        return False
    return bool(_run(root, "ls-files", "-z", "--cached", "--", path.relative_to(root).as_posix()))


def content(folder: Path, revision: str, name: str, limit: int) -> bytes | None:
    """What the file `name` held in a revision (gitrevisions(7)): below the root of the work tree that `folder` lies in,
    or below `folder` if it begins with `./` or `../`. None if there is none, or more than `limit` bytes of it."""
    root = work_tree(folder)
    if root is None or revision.startswith("-"):
        return None
    if name.startswith(("./", "../")):
        place = Path(os.path.normpath(folder / name))
        if not place.is_relative_to(root):
            return None
        name = place.relative_to(root).as_posix()
    size = _run(root, "cat-file", "-s", f"{revision}:{name}")
    if size is None or int(size) > limit:
        return None
    return _run(root, "cat-file", "blob", f"{revision}:{name}")


def call(root: Path, *arguments: str, settings: Iterable[str] = ()) -> str:
    """What git says in the work tree at `root`, without the newline at its end. `settings` are `key=value`, after the
    safe ones. Raises `InputError`."""
    done = _start(root, arguments, settings)
    if done is None:
        raise InputError("git is not installed", hint="put it on the PATH")
    if done.returncode:
        raise InputError(f"git {arguments[0]}: {_said(done)}", path=str(root))
    return os.fsdecode(done.stdout).removesuffix("\n")


def ask(root: Path, *arguments: str) -> str:
    """What git says once it has spoken to a remote, as the repository says (address, ssh, logins): only where the user
    wants that. No hook runs. Raises `FetchError`."""
    own = [each for each in SAFE if not each.startswith(("core.sshCommand", "core.askPass", "credential."))]
    done = _start(root, arguments, (), safe=own, protocols="file:http:https:ssh")
    if done is None or done.returncode:
        said = _said(done) if done is not None else "is not installed"
        raise FetchError(f"git {arguments[0]}: {said}", url="")
    return os.fsdecode(done.stdout).removesuffix("\n")


def own_setting(root: Path, key: str, default: str) -> str:
    """What the user's own configuration says, or the system's; the repository's is left out."""
    for place in ("--global", "--system"):
        value = _run(root, "config", place, "--includes", "--get", key)
        if value:
            return os.fsdecode(value).removesuffix("\n")
    return default


def _said(done: CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    lines = [each for each in lines if each.startswith(("fatal: ", "error: "))] or lines
    return "; ".join(lines[-3:]) or f"ended with status {done.returncode}"


def is_reviewed(path: Path) -> bool:
    """Whether a file is as the last commit has it, and in a run for a pull request as its base has it (GitHub Actions,
    GitLab CI), as far as git can tell; also one outside of a work tree. `path` is absolute."""
    if work_tree(path.parent) is None:
        return True
    own = path.read_bytes()
    base = os.environ.get("GITHUB_BASE_REF", "")
    base = f"refs/remotes/origin/{base}" if base else os.environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    return all(
        content(path.parent, revision, f"./{path.name}", len(own)) == own
        for revision in ("HEAD", base)
        if revision
    )


def _run(root: Path, *arguments: str) -> bytes | None:
    """What git says of the work tree at `root`; None if it fails."""
    done = _start(root, arguments, ())
    return None if done is None or done.returncode else done.stdout


def _start(
    root: Path,
    arguments: Iterable[str],
    settings: Iterable[str],
    *,
    safe: Iterable[str] = SAFE,
    protocols: str = "",
) -> CompletedProcess[bytes] | None:
    """git, looking for its directory in `root` and nowhere above, whatever `core.worktree` says. None without git."""
    import subprocess

    git = program.find("git")
    if git is None:
        return None
    options = [item for each in (*safe, *settings) for item in ("-c", each)]
    environment = {name: value for name, value in os.environ.items() if name not in _LOCAL} | {
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_WORK_TREE": str(root),
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    try:
        return subprocess.run(
            [git, *options, *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=None if protocols else LONGEST,
        )
    except OSError:
        return None
    except subprocess.TimeoutExpired:
        raise InputError(f"git did not answer within {LONGEST:g} seconds", path=str(root)) from None
