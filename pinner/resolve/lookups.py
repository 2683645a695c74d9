"""What an index was asked for and what it has: kept beside its store, since later runs mostly ask for the same.

The form is text: the version of pinner; the number of packages; a line for each, with the fields of `Package`; a line
of the questions that nothing answers; a line for each other question, with the numbers of the packages that answer it.
"""

from __future__ import annotations

from typing import Any

from pinner import __version__
from pinner.apt.packages import Package

_MOST, _MOST_ABSENT = 2048, 8192  # packages that are kept, and questions that nothing answers
_FIELDS = Package._fields.index("held")  # what follows is known only of installed ones
_ESSENTIAL, _IMPORTANT, _SIZE = map(Package._fields.index, ("essential", "important", "size"))


class Lookups:
    """Questions with their answers, those of earlier runs and of this one. A question is a name, behind one character
    for what is asked of it."""

    def __init__(self, kept: bytes = b"") -> None:
        """`kept` is what `text` has given; what another version of pinner gave counts as nothing."""
        lines = kept.decode().split("\n")
        if lines[0] != __version__:
            lines = ["", "0", ""]
        end = 2 + int(lines[1])
        self._lines = lines[2:end]
        self._kept = dict([line.split("\t", 1) for line in lines[end + 1 :]])
        #: The answers that were looked at, and the empty ones; that of the empty question at least.
        self.answers: dict[str, tuple[Package, ...]] = dict.fromkeys(["", *lines[end].split("\t")], ())
        self._packages: dict[str, Package] = {}
        self._passing: set[str] = set()
        self._new = self._found = 0

    def kept(self, question: str) -> tuple[Package, ...] | None:
        """The answer of an earlier run, None if there is none."""
        numbers = self._kept.get(question)
        if numbers is None:
            return self.answers.get(question)
        self._found += 1
        found = tuple([self._package(self._lines[int(number)]) for number in numbers.split(" ")])
        self.answers[question] = found
        return found

    def add(self, question: str, answer: tuple[Package, ...], *, keep: bool) -> None:
        """Remember an answer, which later runs may `keep` as well."""
        self.answers[question] = answer
        if keep:
            self._new += 1
        else:
            self._passing.add(question)

    def text(self) -> bytes:
        """What to keep: what was asked in this run comes before what was not. Nothing if most of what was asked is kept
        already, or if there is a tab in a field."""
        if self._new <= self._found // 8:
            return b""
        self._new = 0
        asked = [
            (question, answer)
            for question, answer in self.answers.items()
            if question not in self._passing and question.isprintable()
        ]
        known: dict[int, str] = {}
        lines = [(question, [_line(each, known) for each in answer]) for question, answer in asked if answer]
        lines += [
            (question, [self._lines[int(number)] for number in numbers.split(" ")])
            for question, numbers in self._kept.items()
            if question not in self.answers
        ]
        places: dict[str, int] = {}
        found = []
        for question, own in lines:
            if len(places) + len(own) > _MOST:
                break
            numbers = " ".join([str(places.setdefault(line, len(places))) for line in own])
            found.append(f"{question}\t{numbers}")
        packages = "\n".join(places)
        if packages.count("\t") != len(places) * (_FIELDS - 1) or packages.count("\n") >= max(len(places), 1):
            return b""
        absent = [question for question, answer in asked if not answer][-_MOST_ABSENT:]
        return "\n".join([__version__, str(len(places)), *places, "\t".join(absent), *found]).encode()

    def _package(self, line: str) -> Package:
        found = self._packages.get(line)
        if found is None:
            values: list[str | bool | int] = [*line.split("\t")]
            for place in (_ESSENTIAL, _IMPORTANT):
                values[place] = values[place] == "True"
            values[_SIZE] = int(values[_SIZE])
            found = self._packages[line] = Package._make((*values, False, False))
        return found


def _line(package: Package, known: dict[int, str]) -> str:
    line = known.get(id(package))
    if line is None:
        values: list[Any] = list(package[:_FIELDS])
        for place in (_ESSENTIAL, _IMPORTANT, _SIZE):
            values[place] = str(values[place])
        line = known[id(package)] = "\t".join(values)
    return line
