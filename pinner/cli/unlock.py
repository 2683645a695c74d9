"""`pinner unlock`."""

from __future__ import annotations

from pathlib import Path

import click

from pinner.cli import common
from pinner.edit.span import apply
from pinner.errors import InputError, printable
from pinner.project import files
from pinner.recipe.blocks import BEGIN, END
from pinner.recipe.dockerfile import parse
from pinner.workflow.sources_block import removals


@click.command("unlock")
@common.options(common.PATHS)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything would change.")
@click.option("-q", "--quiet", is_flag=True, help="Print only what fails.")
def command(paths: tuple[str, ...], check: bool, quiet: bool) -> int:
    """Take the sources blocks that `lock --write-sources` made out of files; pins and lock stay.

    Without FILE, takes every Dockerfile and Containerfile below the current directory.
    """
    if common.STDIN in paths:
        raise click.UsageError("standard input cannot be unlocked: name the file")
    projects, errors = common.collect(paths, writes=not check)
    texts: dict[Path, str] = {}
    before: dict[Path, str | None] = {}
    folders: dict[Path, Path] = {}
    for project in projects:
        for name, text in project.texts.items():
            if BEGIN not in text and END not in text:
                continue
            try:
                edits = removals(parse(text))
            except InputError as error:
                error.path = project.shown(name)
                errors.append(error)
                continue
            if edits:
                path = project.paths[name]
                texts[path], before[path] = apply(text, edits), text
                folders[path] = project.lock_path.parent
    if not check:
        files.write(texts, before, folders)
    if not quiet:
        for path in texts:
            verb = "would be" if check else "is"
            name = printable(files.relative(path, Path.cwd()), line=True)
            click.echo(f"{name}: its build {verb} back to the live archive")
    for problem in errors:
        click.echo(f"pinner: {problem}", err=True)
    return max((error.exit_status for error in errors), default=int(check and bool(texts)))
