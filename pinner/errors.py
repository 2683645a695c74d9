"""The error tree and the exit statuses; the ground floor, which imports nothing of ours.

Statuses: 0 done or nothing to do, 1 a difference was found (a result, never an exception), 2 usage,
3 `InputError`, 4 `Unsatisfiable`, 5 `FetchError`, 6 `TrustError`, 130 interrupted.
Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import re
from typing import ClassVar

_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"


def printable(text: str) -> str:
    """`text` fit for a terminal: control and direction-changing characters as escapes.

    Newline and tab stay. Everything that comes from a file, an archive or a lock goes through here
    before it is shown, so that none of it can move the cursor or retitle a window.
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_CONTROL, lambda m: m[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


class PinnerError(Exception):
    """What happened and where (`message`), and what to do next (`hint`)."""

    exit_status: ClassVar[int] = 3

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
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.excerpt:
            text += f"\n{self.excerpt}"
        if self.hint:
            text += f"\nhint: {self.hint}"
        return printable(text)


class Unsatisfiable(PinnerError):
    """apt would find no solution; the message holds the chain of causes."""

    exit_status = 4


class Refused(Unsatisfiable):
    """apt may find a solution, but pinner does not follow how: it does not guess."""


class FetchError(PinnerError):
    """Bytes could not be had. `status` is the HTTP status, 0 without an answer; `tries` how often it was asked."""

    exit_status = 5

    def __init__(self, message: str, *, url: str, status: int = 0, tries: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.url = url
        self.status = status
        self.tries = tries


class TrustError(PinnerError):
    """Bytes came, but not the ones that were vouched for: signature, digest, size, date."""

    exit_status = 6
