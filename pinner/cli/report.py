"""`pinner report`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pinner.cli import document, flags
from pinner.project import files
from pinner.report import fleet
from pinner.session.projects import STDIN, standard_input


@click.command("report")
@click.argument(
    "results", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE..."
)
@click.option(
    "--html", type=flags.FILE, metavar="FILE", help="Write one page of HTML, which needs no network."
)
@click.option("--title", default="apt pins", show_default=True, help="The page's title.")
@flags.options(flags.JSON)
def command(results: tuple[str, ...], html: Path | None, title: str, as_json: bool) -> int:
    """Merge the results of many repositories, as `verify --repositories` and `refresh --repositories` write them.

    Of each repository the newest result counts. FILE may be - for standard input.
    """
    lines = fleet.merged(
        fleet.read_line(line, name, number)
        for name in results
        for number, line in enumerate(_lines(name), 1)
        if line.strip()
    )
    if html is not None:
        files.put(html, fleet.page(lines, title))
    if as_json:
        document.show(0, fleet.data(lines))
        return 0
    for line in fleet.text(lines):
        click.echo(line)
    return 0


def _lines(name: str) -> Iterator[bytes]:
    if name == STDIN:
        yield from standard_input().splitlines()
        return
    with Path(name).open("rb") as file:
        yield from file
