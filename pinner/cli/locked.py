"""What commands that read only the lock share: finding it, and choosing among its targets."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from pinner.cli.flags import Group, into
from pinner.cli.say import say
from pinner.errors import InputError, printable, value_of
from pinner.lock.schema import NAME, Lock, Target
from pinner.project import files, tree
from pinner.project.config import Config, canonical_platform, load
from pinner.recipe.dockerfile import parse
from pinner.session.projects import read_lock
from pinner.workflow import export


@dataclass(frozen=True)
class LoadedLock:
    """A lock, the configuration beside it, and the targets that were chosen; `incomplete` if not all is known of
    these."""

    config: Config
    path: Path
    lock: Lock
    targets: tuple[Target, ...]
    incomplete: bool = False


def _find(
    named: Sequence[str], stages: Sequence[str], platforms: Sequence[str], *, built: bool = False
) -> LoadedLock:
    """The lock of the first named file, or else of the current directory, and the chosen targets. With `built` a stage
    that installs nothing itself is the stage that it is built on.

    Raises `InputError` if there is no lock, or nothing in it is what was chosen.
    """
    first = Path(named[0]) if named else Path(NAME)
    top = tree.root_of(first)
    config, source = load(tree.resolve(first).parent, top)
    root = source.parent if source else top
    path = root / NAME
    text, lock = read_lock(path)
    if text is None:
        raise InputError("there is no lock", path=str(path), hint="run `pinner lock`")
    names = [files.relative(tree.resolve(Path(name)), root) for name in named]
    with value_of("--platform"):
        canonical = [canonical_platform(name) for name in platforms]
    if built:
        stages = [_nearest(lock, root, names, stage) for stage in stages]
    targets = export.select(lock, names, stages, canonical)
    gaps = export.gaps(lock, targets)
    for gap in gaps:
        say("warning", f"the lock is incomplete: {printable(gap)}")
    return LoadedLock(config, path, lock, targets, bool(gaps))


def _nearest(lock: Lock, root: Path, names: Sequence[str], stage: str) -> str:
    """The stage itself where the lock has it, or else the nearest one below it that the lock has, as its Dockerfile
    says."""
    if any(target.stage == stage for target in lock.targets):
        return stage
    for name in names or sorted(lock.files()):
        with suppress(InputError):
            found = parse(files.read(root / name, tree.root_of(root))).stages
            at = next((each for each in found if stage == (each.name or str(each.index))), None)
            there = {target.stage for target in lock.of(name)}
            while at is not None and at.parent is not None:
                at = found[at.parent]
                if (below := at.name or str(at.index)) in there:
                    say(
                        "note",
                        f"stage {printable(stage)} has no target in the lock; {below} is what it is built on",
                    )
                    return below
    return stage


_FIELDS = ("named", "stages", "platforms")
#: The argument `loaded`.
CHOICE: Group = [
    into("loaded", _find, _FIELDS),
    click.option("--file", "named", multiple=True, metavar="FILE", help="Only this Dockerfile; repeatable."),
    click.option("--stage", "stages", multiple=True, metavar="STAGE", help="Only this stage; repeatable."),
    click.option(
        "--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Only this platform; repeatable."
    ),
]
#: The same for a command that compares what was built.
BUILT = [into("loaded", partial(_find, built=True), _FIELDS), *CHOICE[1:]]
