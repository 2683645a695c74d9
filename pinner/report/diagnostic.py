"""What is said of a file, by whichever command, and a run's report, which every format shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pinner.edit.span import Place
from pinner.errors import InputError, PinnerError, printable, without_login
from pinner.values import NamedTuple

if TYPE_CHECKING:  # the table is made only where there is something to report
    from pinner.codes import Code, Severity


import re

Shown = Callable[[str], str]


class Diagnostic(NamedTuple):
    """`severity` is `error` exactly where the run must not count as good. `subject` is the argument, command or thing
    that it is about, "" for an error; `help` says what to do about this one, "" where only the code's own help does.
    """

    code: Code
    severity: Severity
    place: Place
    subject: str
    message: str
    help: str = ""

    @property
    def url(self) -> str:
        """Where the code is documented."""
        return self.code.url

    @property
    def text(self) -> str:
        """Subject, message and help on one line."""
        text = f"{self.subject}: {self.message}" if self.subject else self.message
        return f"{text} ({self.help})" if self.help else text


class Report(NamedTuple):
    """A run of `command` as every format shows it. `passed` are the arguments with which nothing is wrong, `files` all
    that took part; names are those that are shown. `now` is aware."""

    command: str
    summary: str
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    passed: tuple[tuple[Place, str], ...]
    now: datetime


def diagnostic(
    code: str, severity: Severity, place: Place, subject: str, message: str, help_: str = ""
) -> Diagnostic:
    """A diagnostic of this code."""
    from pinner.codes import Code

    return Diagnostic(Code(code), severity, place, subject, message, help_)


def of_error(error: PinnerError, shown: Shown = str, otherwise: str = "") -> Diagnostic:
    """An error, at the file that it names or else at `otherwise`."""
    path, line, column = "", 0, 0
    if isinstance(error, InputError):
        path, line, column = error.path, error.line, error.column
    place = Place(shown(path) if path else otherwise, line, column, line, column)
    return diagnostic(error.code, "error", place, "", error.message, error.hint)


def at(place: Place) -> str:
    """`path:line`, or the path alone."""
    return f"{place.path}:{place.line}" if place.line else place.path


def to_dicts(found: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """As data; the path is "" and numbers are 0 for what stands nowhere."""
    return [
        {
            "code": each.code.value,
            "severity": each.severity,
            **each.place._asdict(),
            "path": printable(each.place.path, line=True),
            "subject": each.subject,
            "message": each.message,
            "help": each.help or each.code.help,
            "url": each.url,
        }
        for each in found
    ]


def fields(value: object, names: str) -> dict[str, Any]:
    """Some fields of a value, by the names that JSON has for them, too."""
    return {name: getattr(value, name) for name in names.split()}


def encoded(path: str) -> str:
    """A path as part of a URI: everything but letters, digits and `._~/+:-` as percent escapes."""
    data = path.encode("utf-8", "surrogateescape")
    return re.sub(rb"[^A-Za-z0-9._~/+:-]", lambda byte: b"%%%02X" % byte[0][0], data).decode()


def dumps(value: Any) -> str:
    """`value` as indented JSON, without logins in addresses and without what is a command to a runner (`##vso`)."""
    import json

    text = without_login(json.dumps(value, indent=2, ensure_ascii=True))
    return text.replace("##[", r"#\u0023[").replace("##vso", r"#\u0023vso")
