"""`pinner diff`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pinner.cli import document
from pinner.errors import InputError
from pinner.lock import reader
from pinner.lock.schema import LARGEST, NAME, Lock
from pinner.project import files, git, tree
from pinner.report import difference as report
from pinner.session.projects import read_lock
from pinner.workflow.difference import between


@click.command("diff")
@click.argument("old")
@click.argument("new", default=NAME)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)
def command(old: str, new: str, form: str) -> int:
    """Show what moved from the lock OLD to the lock NEW, or to pinner.lock; exits 1 if anything differs.

    Each is a file, a revision of git (the lock of the current directory in it), or REVISION:FILE as git has it:
    `pinner diff HEAD~1`. No network is used.
    """
    found = between(_read(old), _read(new))
    if form == "json":
        document.show(int(bool(found)), report.data(found))
    else:
        for line in report.markdown(found) if form == "markdown" else report.lines(found):
            click.echo(line)
    return int(bool(found))


def _read(name: str) -> Lock:
    """The lock that an argument names. Raises `InputError`."""
    revision, _, path = name.partition(":")
    is_there = os.path.lexists(name)
    if is_there and "/" in name:
        return read_lock(Path(name))[1]
    content = git.content(tree.current(), revision, path or f"./{NAME}", LARGEST)
    if is_there and content is not None:
        raise InputError("is a file and a revision", path=name, hint=f"name ./{name}, or {revision}:{NAME}")
    if is_there:
        return read_lock(Path(name))[1]
    if content is None:
        hint = f"name a file, a revision, or a file of a revision: {NAME}, HEAD~1, HEAD~1:{NAME}"
        raise InputError("there is no such lock", path=name, hint=hint)
    return reader.loads(files.decode(content, name), name)
