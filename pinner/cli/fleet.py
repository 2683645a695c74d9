"""Many checkouts in one run, each by itself: one JSON line a repository, as soon as it is there."""

from __future__ import annotations

import gc
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import click

from pinner.cli import document
from pinner.cli.flags import FILE, Group, into
from pinner.cli.say import say
from pinner.errors import InputError, OptionError, PinnerError, printable, worst
from pinner.report.fleet import read_line
from pinner.session.projects import STDIN, standard_input
from pinner.values import NamedTuple

_TIDY = 10  # repositories


class Shard(NamedTuple):
    """The part `number` of `of`; which one a repository is in depends on its path in the list alone."""

    number: int = 0
    of: int = 1

    def has(self, name: str) -> bool:
        """Whether a repository is in it."""
        digest = sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.of == self.number


class _ShardType(click.ParamType[Shard]):
    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """`I/N`. Who counts from 1 ends with N/N, which is 0/N to who counts from 0."""
        if isinstance(value, Shard):
            return value
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", str(value))
        index, count = (int(match[1]), int(match[2])) if match else (1, 0)
        if index > count or not count:
            self.fail(f"{value!r} is not a part like 0/10 or 10/10", param, ctx)
        return Shard(index % count, count)


class Many(NamedTuple):
    """The checkouts of --repositories, a part of them, and the file of their results."""

    repositories: str
    shard: Shard | None
    results: Path | None


def _many(repositories: str | None, shard: Shard | None, results: Path | None) -> Many | None:
    if repositories is None and (shard is not None or results is not None):
        raise click.UsageError("--shard and --results need --repositories")
    return None if repositories is None else Many(repositories, shard, results)


#: The argument `many`.
FLEET: Group = [
    into("many", _many, Many._fields),
    click.option(
        "--repositories",
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Take the checkouts that FILE names, one path a line, each by itself; print one JSON line for each.",
    ),
    click.option(
        "--shard",
        type=_ShardType(),
        metavar="I/N",
        help="Of the repositories take the I-th of N parts, counted from 0 or from 1.",
    ),
    click.option(
        "--results",
        type=FILE,
        metavar="FILE",
        help="Append the lines to FILE, and pass over the repositories that it has already.",
    ),
]

#: What is done in one repository, which is the current directory: the body of its line, the errors, and the status.
Once = Callable[[], tuple[dict[str, Any], Sequence[PinnerError], int]]


def run(command: str, once: Once, paths: tuple[str, ...], many: Many) -> int:
    """Do it in each repository of the shard; the worst of their statuses. None of them ends the run."""
    repositories, shard, results = many
    if paths:
        raise click.UsageError("--repositories and FILE exclude each other")
    named = standard_input() if repositories == STDIN else Path(repositories).read_bytes()
    listed = (line.strip() for line in named.decode("utf-8", "surrogateescape").splitlines())
    names = dict.fromkeys(line for line in listed if line and not line.startswith("#"))
    mine = [name for name in names if shard is None or shard.has(name)]
    with _lines(results) as (out, there):
        known = {each["repository"]: int(each["status"]) for each in there if each["command"] == command}
        statuses = [known[name] for name in mine if name in known]
        for number, name in enumerate(each for each in mine if each not in known):
            if number % _TIDY == 0:  # the collector is not in a hurry (see `main`), and this run is long
                gc.collect()
                gc.freeze()
            found = _line(command, name, once)
            statuses.append(found["status"])
            out.write(f"{json.dumps(found, separators=(',', ':'))}\n".encode())
            out.flush()
    return worst(statuses)


def _line(command: str, name: str, once: Once) -> dict[str, Any]:
    body: dict[str, Any] = {}
    errors: Sequence[PinnerError]
    try:
        with chdir(name):
            body, errors, status = once()
    except (click.ClickException, click.Abort, OptionError):
        raise  # it would end each of them
    except PinnerError as error:
        errors, status = [error], error.exit_status
    except OSError as error:
        errors, status = [InputError(error.strerror or str(error), path=name)], InputError.exit_status
    except Exception as error:
        import traceback

        traceback.print_exc()
        hint = "please report it, with the traceback on stderr"
        errors, status = [InputError(f"internal error: {error!r}", hint=hint)], InputError.exit_status
    for text in dict.fromkeys(map(str, errors)):
        say("error", f"{printable(name, line=True)}: {text}")
    return {
        "schema_version": document.SCHEMA_VERSION,
        "command": command,
        "repository": name,
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "status": status,
        **body,
        "errors": [document.of_error(each) for each in errors],
    }


@contextmanager
def _lines(path: Path | None) -> Iterator[tuple[IO[bytes], list[dict[str, Any]]]]:
    """Where lines go, and those that are there; what a killed run has left of a line is taken back."""
    if path is None:
        yield sys.stdout.buffer, []
        return
    with path.open("ab+") as file:
        file.seek(0)
        end = 0
        there: list[dict[str, Any]] = []
        for text in file:
            if not text.endswith(b"\n"):
                file.truncate(end)
                break
            end += len(text)
            there.append(read_line(text, str(path), len(there) + 1))
        yield file, there
