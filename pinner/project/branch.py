"""Commits on branches of their own, made in a work tree beside the user's: neither that nor its index is touched.

Two runs in one repository never overlap. Nothing runs that the repository's own configuration or attributes name; the
programs that sign are those of the user's configuration. What a run that was killed has left is cleared by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pinner.errors import InputError, OptionError
from pinner.project import git
from pinner.values import NamedTuple

#: How the subject of each of these commits begins, by which a later run knows its own.
SUBJECT = "build(deps): refresh "
_FOLDER = "pinner-refresh"
_SIGNERS = (
    ("gpg.program", "gpg"), ("gpg.openpgp.program", ""), ("gpg.ssh.program", "ssh-keygen"),
    ("gpg.x509.program", "gpgsm"), ("gpg.ssh.defaultKeyCommand", ""),
)  # fmt: skip


class Made(NamedTuple):
    """A branch with one commit. `pushed` is the remote that has it now, "" if it stays here; `new` is false if that had
    the very same change on the same base already."""

    name: str
    commit: str
    pushed: str
    new: bool


class Beside:
    """A work tree of the repository at `root`, at the commit `base`; `place` is where it is."""

    def __init__(self, root: Path, place: Path, base: str) -> None:
        self.root = root
        self.place = place
        self.base = base
        self._settings: list[str] = []

    def prepare(self) -> None:
        """Check it out, without the filters that attributes choose (git-lfs is one): what they unpack is not ours."""
        git.call(
            self.root, "worktree", "add", "--quiet", "--detach", "--no-checkout", str(self.place), self.base
        )
        pattern = r"^filter\..*\.(clean|smudge|process|required)$"
        names: list[str] = []
        with suppress(InputError):  # there are none
            names = git.call(self.place, "config", "--name-only", "--get-regexp", pattern).splitlines()
        if any("=" in each for each in names):  # `-c` takes what stands before the first one
            raise InputError("git's configuration has a filter with `=` in its name", path=str(self.root))
        self._settings = [
            f"{each}={'false' if each.endswith('.required') else ''}" for each in dict.fromkeys(names)
        ]
        self.reset()

    def reset(self) -> None:
        """Make it as the base is."""
        git.call(self.place, "reset", "--quiet", "--hard", self.base, settings=self._settings)
        git.call(self.place, "clean", "--quiet", "--force", "-x", settings=self._settings)

    def commit(self, message: str) -> str:
        """Commit all that has changed; "" if nothing has. By `pinner`, where git does not know who the user is."""
        git.call(self.place, "add", "--all", settings=self._settings)
        if not git.call(self.place, "status", "--porcelain", settings=self._settings):
            return ""
        signers = ((key, git.own_setting(self.root, key, default)) for key, default in _SIGNERS)
        settings = [*self._settings, *(f"{key}={value}" for key, value in signers if value)]
        try:
            git.call(self.place, "var", "GIT_COMMITTER_IDENT", settings=["user.useConfigOnly=true"])
        except InputError:
            settings += ["user.name=pinner", "user.email=pinner@localhost"]
        git.call(
            self.place,
            "commit",
            "--quiet",
            "--no-verify",
            "--cleanup=whitespace",
            "-m",
            message,
            settings=settings,
        )
        return git.call(self.place, "rev-parse", "HEAD")

    def publish(self, name: str, commit: str, remote: str) -> Made:
        """Set the branch `name` to a commit, and push it to a remote if there is one.

        Raises `InputError` where it has commits of others, `FetchError`.
        """
        ref = f"refs/heads/{name}"
        made = Made(name, commit, remote, new=True)
        old = git.call(self.root, "for-each-ref", "--format=%(objectname)", ref)
        if remote:
            pack = "git-upload-pack"
            listed = git.ask(self.root, "ls-remote", f"--upload-pack={pack}", "--heads", remote, ref)
            old = listed.partition("\t")[0]
            if old:
                shallow = git.call(self.root, "rev-parse", "--is-shallow-repository") == "true"
                depth = ["--depth=2"] if shallow else []  # the others would be cut off at that depth
                git.ask(self.root, "fetch", "--quiet", f"--upload-pack={pack}", *depth, remote, ref)
        if old and self._is_same(old, commit):
            made = made._replace(commit=old, new=False)
        elif old and not self._is_own(old, commit):
            raise InputError(
                f"{remote + '/' if remote else ''}{name} has a commit that pinner did not make: {old[:12]}",
                hint="merge or delete the branch, or take another one by --branch",
            )
        elif remote:
            lease = f"--force-with-lease={ref}:{old}"
            pack = "--receive-pack=git-receive-pack"
            git.ask(self.root, "push", "--quiet", "--no-verify", pack, lease, remote, f"{commit}:{ref}")
        git.call(self.root, "update-ref", ref, made.commit)
        return made

    def _is_same(self, old: str, new: str) -> bool:
        """Whether a commit makes the same change of the same base."""
        tree = "--format=%P %T"
        return git.call(self.root, "log", "-1", tree, old) == git.call(self.root, "log", "-1", tree, new)

    def _is_own(self, old: str, new: str) -> bool:
        """Whether a commit was made by an earlier run, or merges the base into such a one."""
        show = ("log", "-1", "--format=%ce %s")
        who = git.call(self.root, "log", "-1", "--format=%ce", new)
        parents = git.call(self.root, "log", "-1", "--format=%P", old).split()
        made = parents[0] if len(parents) > 1 else old
        return git.call(self.root, *show, made).startswith(f"{who} {SUBJECT}")


def root_of(folder: Path) -> Path:
    """The root of the work tree that a folder lies in, without links. Raises `InputError`."""
    root = git.work_tree(Path(os.path.realpath(folder)))
    if root is None:
        raise InputError("is in no git work tree", path=str(folder))
    return root


@contextmanager
def beside(root: Path, base: str, names: str) -> Iterator[Beside]:
    """A work tree at the commit that `base` names, until the end of the block, for branches that begin with `names`.

    Raises `InputError`: the folder is in no repository, another run is under way; `OptionError`: there is no such
    commit, the name cannot be a branch's, or is that of one that is checked out.
    """
    common = Path(git.call(root, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    try:
        git.call(root, "check-ref-format", f"refs/heads/{names}")
    except InputError:
        raise OptionError(f"--branch: {names!r} cannot be a branch's name") from None
    try:
        commit = git.call(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    except InputError:
        raise OptionError(f"--base: there is no commit {base}") from None
    for line in git.call(root, "worktree", "list", "--porcelain").splitlines():
        taken = line.removeprefix("branch refs/heads/")
        if line != taken and (taken == names or taken.startswith(f"{names}-")):
            raise OptionError(f"--branch: {taken} is checked out in a work tree, which would change")
    folder = common / _FOLDER
    with _locked(folder):
        tree = Beside(root, folder / "tree", commit)
        _clear(tree)
        try:
            tree.prepare()
            yield tree
        finally:
            _clear(tree)


def _clear(tree: Beside) -> None:
    shutil.rmtree(tree.place, ignore_errors=True)
    git.call(tree.root, "worktree", "prune")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made; the system lets go of it however the process ends."""
    try:
        folder.mkdir(exist_ok=True)
        if folder.is_symlink():
            raise InputError("is a link", path=str(folder))
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", path=str(folder)) from None
    try:
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError("another run is under way", path=str(folder)) from None
        yield
    finally:
        os.close(handle)
