"""The error tree and the exit statuses; the ground floor, which imports nothing of ours.

Statuses: 0 done or nothing to do, 1 a difference or a fault was found (`UnknownPackage`), 2 the command line
(`OptionError`), 3 `InputError`, 4 `Unsatisfiable`, 5 `FetchError`, 6 `TrustError`, 130 interrupted; see `worst`.
Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar

# Control characters (C0, C1), those that change direction, that are not seen or that end a line, lone surrogates, tags.
_CONTROL = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LOGIN = r"(://)(?:[^/\s\"'<>]*@|[^/\s@:\[\"'<>]*:(?!\d*/)[^\s@\"'<>]*@)"
_WORST_FIRST = (130, 2, 3, 6, 5, 4, 1, 0)
_COMMAND = r"(?m)^\s*(?=::)|#(?=#(?:\[|vso))"


def printable(text: str, *, line: bool = False) -> str:
    """`text` fit for a terminal or a log: characters that are not seen or move others as escapes, no logins.

    Newline and tab stay, unless it is to be one `line`, as a name is. No line begins with `::`, and none has `##[` or
    `##vso`: these are commands to the runners of GitHub and Azure. Everything that comes from a file, an archive or a
    lock goes through here before it is shown.
    """
    if text.isascii() and text.isprintable() and ":" not in text and "#" not in text:
        return text
    text = re.sub(f"{_CONTROL}|[\n\t]" if line else _CONTROL, _escape, without_login(text))
    return re.sub(_COMMAND, r"\g<0>\\", text) if "::" in text or "##" in text else text


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def without_login(text: str) -> str:
    """`text` without user information in its addresses (RFC 3986, 3.2.1): `https://bot:secret@host` names the host."""
    return re.sub(_LOGIN, r"\1", text) if "@" in text and "://" in text else text


@contextmanager
def value_of(option: str) -> Iterator[None]:
    """What is read in here is the value of an option. Raises `OptionError` for what cannot be used."""
    try:
        yield
    except InputError as error:
        raise OptionError(f"{option}: {error.message}", hint=error.hint) from None


def worst(statuses: Iterable[int]) -> int:
    """The exit status of a run to which several apply."""
    return min(statuses, key=_WORST_FIRST.index, default=0)


def status_of(errors: Iterable[PinnerError], *, failed: bool = False) -> int:
    """The exit status of a run with these errors; without any, of one that has `failed` or not."""
    return worst([error.exit_status for error in errors] or [int(failed)])


class PinnerError(Exception):
    """What happened and where (`message`), and what to do next (`hint`)."""

    exit_status: ClassVar[int] = 3
    #: The code of the diagnostic, see `codes`.
    code: ClassVar[str] = "unusable"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message as shown: where, what, excerpt, one `hint:` line."""
        text = self.message
        if self.hint:
            text += f"\nhint: {self.hint}"
        return printable(text)


class InputError(PinnerError):
    """A file, lock, config or argument cannot be used. `line` and `column` are 1-based; 0 means the whole file."""

    exit_status = 3

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int = 0,
        column: int = 0,
        excerpt: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line
        self.column = column
        self.excerpt = excerpt

    def __str__(self) -> str:
        """`path:line:column: message`, the excerpt with its caret, the hint."""
        path = printable(self.path, line=True)
        where = ":".join(str(part) for part in (path, self.line, self.column) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.excerpt:
            text += f"\n{self.excerpt}"
        if self.hint:
            text += f"\nhint: {self.hint}"
        return printable(text)


class OptionError(InputError):
    """A value on the command line cannot be used."""

    exit_status = 2


class CacheError(PinnerError):
    """The cache cannot be written: no fault of any file, so that no file is read without what could not be kept."""


class Unsatisfiable(PinnerError):
    """apt would find no solution; the message holds the chain of causes."""

    exit_status = 4
    code = "unsatisfiable"


class UnknownPackage(Unsatisfiable):
    """There is no such package: a fault in what was asked, as in a file that names it."""

    exit_status = 1
    code = "unknown-package"


class Refused(Unsatisfiable):
    """apt may find a solution, but pinner does not follow how: it does not guess."""

    code = "unfollowed"


class FetchError(PinnerError):
    """Bytes could not be had. `status` is the HTTP status, 0 without an answer; `tries` how often it was asked."""

    exit_status = 5
    code = "unreachable"

    def __init__(self, message: str, *, url: str, status: int = 0, tries: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.url = url
        self.status = status
        self.tries = tries


class TrustError(PinnerError):
    """Bytes came, but not the ones that were vouched for: signature, digest, size, date."""

    exit_status = 6
    code = "untrusted"
