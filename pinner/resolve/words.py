"""The packages that a word on apt's command line stands for: a name, a task, a glob, or a regular expression
(apt-get(8))."""

from __future__ import annotations

import re

from pinner.errors import Refused, UnknownPackage
from pinner.regex import is_slow
from pinner.resolve.patterns import glob
from pinner.resolve.solver3.cache_order import cache_key
from pinner.resolve.universe import Universe

LONGEST_NAME = 60  # characters; few names have more
_EXACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.:_-]*")


def names(universe: Universe, word: str, program: str = "apt-get") -> tuple[str, ...]:
    """The names that a word without version or release selects, in apt's order.

    A name that anything mentions is itself; `name^`, a regular expression in apt's eyes, is a task, whose packages say
    so in their field Task. Else a glob is tried if it may be one, and if that finds nothing a regular expression, which
    may fit anywhere in a name. `apt` takes fewer words for these.

    Raises `UnknownPackage` for a word that finds nothing, `Refused` for a search pattern.
    """
    if word.startswith(("?", "~")):
        raise Refused(f"{word} is a search pattern, which is not followed")
    task = word.removesuffix("+")  # apt's mark for installing it
    if task.endswith("^") and (members := universe.in_task(_expression(task[:-1]))):
        return tuple(sorted(members, key=cache_key))
    name, _, arch = word.partition(":")
    if arch in ("native", "any", "all", universe.arch):
        word = name
    if _EXACT.fullmatch(word) and (universe.known(word) or universe.installed(word) is not None):
        return (word,)
    found: list[str] = []
    every = dict.fromkeys((*universe.names(), *(offer.name for offer in universe.all_installed())))
    if any(char in word for char in ".?*[]!") and (
        program != "apt" or re.fullmatch(r"[A-Za-z0-9+.:*-]+", word)
    ):
        found = [each for each in every if glob(word).fullmatch(each)]
    if (
        not found
        and any(char in word for char in ".?+*|[^$")
        and (program != "apt" or word.startswith("^") or word.endswith("$"))
    ):
        pattern = re.compile(_expression(word))
        found = [each for each in every if pattern.search(each)]
    if not found:
        raise UnknownPackage(f"there is no package {word}")
    return tuple(sorted(found, key=cache_key))


def _expression(word: str) -> str:
    """The word as a regular expression that is safe to use. Raises `Refused` if it is none."""
    try:
        if is_slow(word, LONGEST_NAME):
            raise re.error("too many repeats")
        re.compile(word)
    except re.error:
        raise Refused(f"{word} is a regular expression that is not followed") from None
    return word
