"""`pinner cache`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pinner.archive import suites
from pinner.archive.cache import Cache
from pinner.cli import document, flags
from pinner.session.access import cache_dir


@click.group("cache")
def command() -> None:
    """Look after the verified package indices that pinner keeps.

    PINNER_CACHE_DIR names another place for them. Nothing in it is needed: what is missing is fetched again.
    """


@command.command("dir")
@flags.options(flags.JSON)
def directory(as_json: bool) -> None:
    """Print the directory."""
    path = str(cache_dir())
    _tell({"directory": path}, path, as_json=as_json)


@command.command("prune")
@click.option(
    "--unused",
    type=flags.Duration(),
    default="30d",
    show_default=True,
    metavar="AGE",
    help="How long a suite must not have been asked for.",
)
@flags.options(flags.JSON)
def prune(unused: timedelta, as_json: bool) -> None:
    """Remove the indices of suites that were not used lately, and what killed runs left behind."""
    cache, now = Cache(cache_dir()), datetime.now(UTC)
    _freed(cache.prune(suites.forget(cache, now - unused), now.timestamp()), as_json=as_json)


@command.command("clear")
@flags.options(flags.JSON)
def clear(as_json: bool) -> None:
    """Remove everything that is cached."""
    _freed(Cache(cache_dir()).clear(), as_json=as_json)


def _freed(size: int, *, as_json: bool) -> None:
    _tell({"freed": size}, f"freed {size / 1e6:.1f} MB" if size else "nothing to remove", as_json=as_json)


def _tell(value: dict[str, str | int], text: str, *, as_json: bool) -> None:
    if as_json:
        document.show(0, value)
    else:
        click.echo(text)
