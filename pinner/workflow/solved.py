"""What has been solved already: the same commands, seen by the same Releases, are not solved again.

A question is what the stages of a file ask for on one platform, with all that decides what apt makes of it. An answer
is what they install; "" where it is known only that apt can install it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256

from pinner import __version__
from pinner.lock.schema import LockedPackage, LockedRelease, Target
from pinner.stages.install_commands import InstallCommand


class Solved:
    """Answers by question, those of earlier runs and those that are `new`. All were without a problem."""

    def __init__(self, known: Callable[[str], str | None] = lambda question: None) -> None:
        self.known = known
        self.new: dict[str, str] = {}

    def answer(self, question: str) -> str | None:
        """The answer, None for a question that was not solved yet."""
        return self.new[question] if question in self.new else self.known(question)

    def keep(self, question: str, answer: str = "") -> None:
        """Remembers an answer; what a stage installs counts more than that it can be installed."""
        if answer or self.answer(question) is None:
            self.new[question] = answer


def question(
    bare: Iterable[Target], calls: Iterable[InstallCommand], releases: Iterable[LockedRelease]
) -> str:
    """What is asked: targets without their members, the calls that they are made of, and the Releases that are read."""
    asked = [
        (call.architectures, call.recommends, call.install.suggests, call.install.target_release)
        for call in calls
    ]
    return _digest(
        __version__, [(each.inputs, each.closure.incomplete) for each in bare], asked, sorted(releases)
    )


def answer(targets: Iterable[Target], packages: Mapping[str, LockedPackage]) -> str:
    """What the stages install, and which files these are: `packages` has them by id."""
    return _digest(
        *(
            (
                each.stage,
                [(*member[1:], _line(packages[member.id])) for member in each.closure.members],
                each.closure.gone,
            )
            for each in targets
            if each.closure.members or each.closure.gone
        )
    )


@cache
def _line(package: LockedPackage) -> str:
    return _digest(package)  # many files have the same packages


def _digest(*parts: object) -> str:
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
