"""The JSON of a command: one document with its schema's version, the exit status, and the errors beside the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from pinner.errors import InputError, PinnerError
from pinner.session.projects import from_here

if TYPE_CHECKING:
    from pinner.cli.flags import Output
    from pinner.report.diagnostic import Report

#: Rises when a key goes, or means something else; new keys do not count.
SCHEMA_VERSION = 1


def show(status: int, body: Mapping[str, Any], errors: Iterable[PinnerError] = ()) -> None:
    """Print what a command found, `body`, and the status that it ends with. Errors go to stderr, too, by the caller."""
    click.echo(_text(status, body, errors))


def _text(status: int, body: Mapping[str, Any], errors: Iterable[PinnerError]) -> str:
    from pinner.report.diagnostic import dumps

    failures = list({str(each): of_error(each) for each in errors}.values())
    return dumps({"schema_version": SCHEMA_VERSION, "status": status, **body, "errors": failures})


def report(
    output: Output,
    found: Report,
    body: Callable[[], Mapping[str, Any]],
    status: int,
    errors: Iterable[PinnerError],
) -> None:
    """Print a run's report unless that is text, and write it to the files that are wanted. Errors go to stderr, too, by
    the caller. Raises `InputError`."""
    from pinner.project import files
    from pinner.report.diagnostic import to_dicts
    from pinner.report.formats import render

    for form, path in ((output.form, None), *output.files):
        if form == "json":
            text = _text(status, {**body(), "diagnostics": to_dicts(found.diagnostics)}, errors)
        else:
            text = render(form, found) if form != "text" else ""
        if path is not None:
            files.put(path, f"{text}\n" if text else "")
        elif text:
            click.echo(text)


def of_error(error: PinnerError) -> dict[str, Any]:
    """An error with its place, a path relative to the current directory; "" and 0 where it has none."""
    place: dict[str, Any] = {"path": "", "line": 0, "column": 0}
    if isinstance(error, InputError):
        place = {"path": from_here(error.path), "line": error.line, "column": error.column}
    return {"message": error.message, "hint": error.hint, **place, "exit_status": error.exit_status}


def fail(arguments: Sequence[str], error: PinnerError) -> None:
    """Print what a command line that fails as a whole owes to programs: a document, or a report, of its error alone."""
    own = list(arguments)
    own = own[: own.index("--")] if "--" in own else own
    form = next((value for option, value in pairwise(own) if option == "--format"), "")
    form = next((each.removeprefix("--format=") for each in own if each.startswith("--format=")), form)
    if form == "json" or "--json" in own:
        show(error.exit_status, {}, [error])
    elif form:
        from datetime import UTC, datetime

        from pinner.report.diagnostic import Report, of_error
        from pinner.report.formats import FORMATS, render

        if FORMATS.get(form):
            command = next((each for each in own if not each.startswith("-")), "")
            found = of_error(error, from_here)
            click.echo(render(form, Report(command, "failed", (found,), (), (), datetime.now(UTC))))
