"""The help of commands: everyday options first, the others by what they are about; and what every command takes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import click

from pinner.cli.say import wished

_SECTIONS = {
    "Files and platforms": ("--kind", "--platform", "--suite", "--exclude"),
    "Base images": ("--installed", "--images", "--image-archive", "--insecure-registry", "--pin-images"),
    "Archives": (
        *("--archive", "--offline", "--max-age", "--allow-older", "--allow-private", "--trust-new-keys"),
        *("--snapshot", "--write-sources", "--snapshots"),
    ),
    "Many repositories": ("--repositories", "--shard", "--results"),
    "Output": (
        *("--format", "--json", "--summary", "--commit-message", "--changelogs", "--html", "--title"),
        *("--quiet", "--verbose", "--color", "--help"),
    ),
}


def prepare(command: click.Command) -> click.Command:
    """The command with what all have: --color, and a help with sections."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            prepare(each)
        return command
    color = click.Option(
        ["--color"],
        type=click.Choice(["always", "auto", "never"]),
        default="auto",
        expose_value=False,
        callback=_keep,
        help="When to print in colours; auto: on a terminal, unless NO_COLOR or FORCE_COLOR says otherwise.",
    )
    if not any(each.name == "color" for each in command.params):
        command.params.append(color)
        command.format_options = partial(_write, command)  # type: ignore[method-assign]
    return command


def sections(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, list[click.Option]]]:
    """The options by section, as help lists them."""
    params = [each for each in command.get_params(ctx) if isinstance(each, click.Option) and not each.hidden]
    of = {name: title for title, names in _SECTIONS.items() for name in names}
    for title in ("Options", *_SECTIONS):
        found = [each for each in params if next((of[o] for o in each.opts if o in of), "Options") == title]
        if found:
            yield title, found


def _write(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    for title, found in sections(command, ctx):
        with formatter.section(title):
            formatter.write_dl([record for each in found if (record := each.get_help_record(ctx))])


def _keep(ctx: click.Context, param: click.Parameter, value: str) -> None:
    """`ctx.color` tells click, too, what to do with colours in what is printed."""
    ctx.color = wished(value)
