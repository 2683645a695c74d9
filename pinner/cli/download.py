"""`pinner download`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import click

from pinner.archive.network import MAX_AGE
from pinner.cli import flags, locked
from pinner.cli.say import say
from pinner.errors import InputError, printable
from pinner.project import files, journal, tree
from pinner.session.access import wiped
from pinner.session.keys import known
from pinner.workflow import export, repository

_LARGEST = 1 << 28  # bytes of a package of the build context


def _inside(ctx: click.Context, param: click.Parameter, root: Path) -> Path:
    """No link leads out of the work tree, or of the folder itself."""
    tree.inside(root, tree.root_of(root))
    tree.inside(root / "dists", tree.resolve(root))
    return root


@click.command("download")
@click.argument("root", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), callback=_inside)
@flags.options(locked.CHOICE, flags.NETWORK)
@click.option(
    "--sign-with",
    "key",
    metavar="FILE",
    default="",
    help="Sign it with this secret OpenPGP key; PINNER_SIGN_PASSWORD has its password, if there is one.",
)
@flags.options(flags.QUIET)
def command(root: Path, loaded: locked.LoadedLock, key: str, quiet: bool) -> int:
    """Fetch the locked packages into DIR, a repository from which apt-get can install without a network.

    Each .deb is verified by the lock's size and digest before it gets its name. What is there already is not fetched
    again, and an interrupted download is continued. Packages of the build context are copied to DIR/context. Exits 1
    if one of these is not as it was locked, or if the lock does not know all that the stages install.
    """
    access = flags.access(quiet=quiet, max_age=MAX_AGE)
    archives = access.archives(loaded.config)
    vouched = known(access, loaded.config, loaded.lock, loaded.path.parent)
    wanted = repository.wanted(loaded.lock, loaded.targets, vouched)
    indexes = archives.load(tuple(wanted))
    index = export.index(wanted, indexes)
    texts = repository.suites(wanted, indexes)
    texts |= {"Packages": index, "Release": export.release(loaded.lock, loaded.targets, index)}
    signed = _signed(texts, Path(key), os.environ.get("PINNER_SIGN_PASSWORD")) if key else {}
    packages = export.packages(loaded.lock, loaded.targets)
    complete = _copied(loaded, root)
    progress = access.progress("packages")
    with wiped(progress):
        fetched = access.pool(root, loaded.config, progress).fetch(packages)
    made = {root / name: text for name, text in (texts | signed).items()}
    for folder in dict.fromkeys(path.parent for path in made):
        tree.inside(folder, tree.resolve(root))
        folder.mkdir(parents=True, exist_ok=True)
    if journal.is_there(root):
        journal.recover(root)
    for old in (root / "InRelease", *root.glob("dists/**/InRelease")):
        old.unlink(missing_ok=True)  # apt would read it, and not the new Release
    files.write(made, {}, dict.fromkeys(made, root))
    flags.tell(archives.notes | access.snapshots(loaded.config).notes, quiet=quiet)
    if not quiet:
        size = sum(package.size for package in fetched) / 1e6
        there = len(packages) - len(fetched)
        click.echo(
            f"{root} holds {len(packages)} packages: fetched {len(fetched)} ({size:.1f} MB), {there} were there"
        )
    return int(loaded.incomplete or not complete)


def _copied(loaded: locked.LoadedLock, root: Path) -> bool:
    """Copy the packages of the build context below `context`; whether all were there as they are locked."""
    complete = True
    for each in export.files(loaded.lock, loaded.targets):
        try:
            content = tree.read(loaded.path.parent / each.path, tree.root_of(loaded.path), _LARGEST)
            if sha256(content).hexdigest() != each.digest:
                raise InputError(
                    "it is not the file that was locked", path=each.path, hint="run `pinner lock`"
                )
            target = tree.inside(root / "context" / each.path, tree.resolve(root))
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f"{target.name}.part")
            draft.write_bytes(content)
            draft.replace(target)
        except (InputError, OSError) as error:
            say("warning", printable(f"not copied: {error}"))
            complete = False
    return complete


def _signed(texts: Mapping[str, str], path: Path, password: str | None) -> dict[str, str]:
    """The InRelease files of these Releases, and the certificate to verify them by. Raises `InputError`."""
    from pysequoia import SignatureMode, Tsk, sign

    try:
        key = Tsk.from_bytes(path.read_bytes())
        signer = key.signer(password) if password else key.signer()
        found = {
            name.removesuffix("Release") + "InRelease": sign(
                signer, text.encode(), mode=SignatureMode.CLEAR
            ).decode()
            for name, text in texts.items()
            if name.rpartition("/")[2] == "Release"
        }
        found["keyring.asc"] = str(key.extract_certificate())
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path)) from None
    except Exception as error:  # what the library raises has no type of its own
        hint = (
            "write one by `gpg --export-secret-keys --armor KEY`; its password goes into PINNER_SIGN_PASSWORD"
        )
        raise InputError(f"no secret key that can sign: {error}", path=str(path), hint=hint) from None
    return found
