"""Debian's changelogs (deb-changelog(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pinner.regex import later
from pinner.values import NamedTuple

_HEAD = later(r"^(\S+) \(([^()\s]+)\)[^;\n]*;(.*)$", re.MULTILINE)
_URGENCY = later(r"\burgency=([a-z]+)", re.IGNORECASE)
_TRAILER = later(r"^ -- .*?>  ?(.+)$", re.MULTILINE)
_IDS = later(r"\b(?:CVE-\d{4}-\d{4,7}|(?:DSA|DLA|USN)-\d{1,5}-\d{1,3})\b")


class ChangelogEntry(NamedTuple):
    """One upload: its version, the text below it, and its urgency, "" if it states none (Debian Policy 5.6.17)."""

    version: str
    text: str
    urgency: str = ""

    @property
    def date(self) -> date | None:
        """The day on which its changelog was finished."""
        from email.utils import parsedate_to_datetime

        trailers = _TRAILER.findall(self.text)
        try:
            return parsedate_to_datetime(trailers[-1]).date() if trailers else None
        except (ValueError, OverflowError):
            return None

    @property
    def ids(self) -> tuple[str, ...]:
        """The CVE, DSA, DLA and USN numbers in it."""
        return tuple(dict.fromkeys(_IDS.findall(self.text)))


def entries(text: str) -> Iterator[ChangelogEntry]:
    """The uploads in a changelog, in its order."""
    heads = list(_HEAD.finditer(text))
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        urgency = _URGENCY.search(head[3])
        yield ChangelogEntry(
            head[2], text[head.end() : end].strip("\n"), urgency[1].lower() if urgency else ""
        )
