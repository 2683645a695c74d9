"""The options of programs that are read as getopt reads them."""

from __future__ import annotations

from collections.abc import Iterable

from pinner.values import NamedTuple


class ParsedOptions(NamedTuple):
    """The options that a command names, with their values ("" for those that take none), and its operands."""

    options: tuple[tuple[str, str], ...]
    operands: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Whether one of these options is there."""
        return any(name in names for name, _ in self.options)

    def value(self, *names: str) -> str:
        """The value of the last of these options, "" if none is there."""
        return next((value for name, value in reversed(self.options) if name in names), "")

    def values(self, *names: str) -> list[str]:
        """The values of all of these options."""
        return [value for name, value in self.options if name in names]


def read_options(words: Iterable[str], valued: str = "", long: Iterable[str] = ()) -> ParsedOptions:
    """The options of a command: `valued` are the short ones that take a value, `long` the long ones."""
    found: list[tuple[str, str]] = []
    operands: list[str] = []
    takes = frozenset(long)
    rest = iter(words)
    for word in rest:
        if word == "--":
            operands += rest
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found.append((name, value if equals else next(rest, "") if name in takes else ""))
        elif word.startswith("-") and len(word) > 1:
            for at, name in enumerate(word[1:], 1):
                if name in valued:
                    found.append((name, word[at + 1 :] or next(rest, "")))
                    break
                found.append((name, ""))
        else:
            operands.append(word)
    return ParsedOptions(tuple(found), tuple(operands))
