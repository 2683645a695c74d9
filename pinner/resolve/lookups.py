"""What an index was asked for and what it has: kept beside its store, since later runs mostly ask for the same.

The form is text: the version of pinner; a line for each package, with the fields of `Package`; an empty line; a line
for each question, with the numbers of the packages that are its answer.
"""

from __future__ import annotations

from pinner import __version__
from pinner.apt.packages import Package

_MOST = 2048  # packages that are kept
_FIELDS = Package._fields.index("held")  # what follows is known only of installed ones
_ESSENTIAL, _IMPORTANT, _SIZE = map(Package._fields.index, ("essential", "important", "size"))


class Lookups:
    """Questions with their answers, those of earlier runs and of this one. A question is a name, behind one character
    for what is asked of it."""

    def __init__(self, kept: bytes = b"") -> None:
        """`kept` is what `text` has given; what another version of pinner gave counts as nothing."""
        first, _, rest = kept.decode().partition("\n")
        packages, _, questions = rest.partition("\n\n") if first == __version__ else ("", "", "")
        self._lines = packages.split("\n")
        self._kept = dict([line.split("\t", 1) for line in questions.split("\n")]) if questions else {}
        self._packages: dict[str, Package] = {}
        self._asked: dict[str, tuple[Package, ...]] = {}
        self._passing: set[str] = set()
        self._new = 0

    def get(self, question: str) -> tuple[Package, ...] | None:
        """The answer, None for a question that was not asked before."""
        found = self._asked.get(question)
        if found is None and (numbers := self._kept.get(question)) is not None:
            found = tuple([self._package(self._lines[int(number)]) for number in numbers.split()])
            self._asked[question] = found
        return found

    def add(self, question: str, answer: tuple[Package, ...], *, keep: bool) -> None:
        """Remember an answer, which later runs may `keep` as well."""
        self._asked[question] = answer
        if keep:
            self._new += 1
        else:
            self._passing.add(question)

    def text(self) -> bytes:
        """What to keep: what was asked in this run comes before what was not. Nothing if most of that is kept."""
        if self._new <= len(self._kept) // 8:
            return b""
        self._new = 0
        answers = {
            question: [_line(each) for each in answer]
            for question, answer in self._asked.items()
            if question not in self._passing
        }
        for question, numbers in self._kept.items():
            answers.setdefault(question, [self._lines[int(number)] for number in numbers.split()])
        places: dict[str, int] = {}
        questions = []
        for question, lines in answers.items():
            if not question.isprintable() or any(
                "\n" in line or line.count("\t") >= _FIELDS for line in lines
            ):
                continue
            if len(places) + len(lines) > _MOST:
                break
            numbers = " ".join([str(places.setdefault(line, len(places))) for line in lines])
            questions.append(f"{question}\t{numbers}")
        return "\n".join([__version__, *places, "", *questions]).encode()

    def _package(self, line: str) -> Package:
        found = self._packages.get(line)
        if found is None:
            values: list[str | bool | int] = [*line.split("\t")]
            for place in (_ESSENTIAL, _IMPORTANT):
                values[place] = values[place] == "True"
            values[_SIZE] = int(values[_SIZE])
            found = self._packages[line] = Package._make((*values, False, False))
        return found


def _line(package: Package) -> str:
    return "\t".join(map(str, package[:_FIELDS]))
