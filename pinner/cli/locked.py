"""What commands that read only the lock share: finding it, and choosing among its targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from pinner.cli.flags import into
from pinner.cli.say import say
from pinner.errors import InputError, printable, value_of
from pinner.lock.schema import NAME, Lock, Target
from pinner.project import files, tree
from pinner.project.config import Config, canonical_platform, load
from pinner.session.projects import read_lock
from pinner.workflow import export

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class LoadedLock:
    """A lock, the configuration beside it, and the targets that were chosen; `incomplete` if not all is known of
    these."""

    config: Config
    path: Path
    lock: Lock
    targets: tuple[Target, ...]
    incomplete: bool = False


def _find(named: Sequence[str], stages: Sequence[str], platforms: Sequence[str]) -> LoadedLock:
    """The lock of the first named file, or else of the current directory, and the chosen targets.

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
    targets = export.select(lock, names, stages, canonical)
    gaps = export.gaps(lock, targets)
    for gap in gaps:
        say("warning", f"the lock is incomplete: {printable(gap)}")
    return LoadedLock(config, path, lock, targets, bool(gaps))


#: The argument `found`.
CHOICE: list[Callable[[_F], _F]] = [
    into("found", _find, ("named", "stages", "platforms")),
    click.option("--file", "named", multiple=True, metavar="FILE", help="Only this Dockerfile; repeatable."),
    click.option("--stage", "stages", multiple=True, metavar="STAGE", help="Only this stage; repeatable."),
    click.option(
        "--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Only this platform; repeatable."
    ),
]
