"""What is known of a file while its install calls are read: what may hold one, and which variables name packages."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from pinner.edit.span import Span
from pinner.recipe.arguments import Request
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later
from pinner.shell import prefixes
from pinner.shell.expand import Variable
from pinner.shell.prefixes import Wrappers
from pinner.shell.trace import Trace
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.recipe.roots import Root
    from pinner.recipe.uses import Uses

_MENTION = later(
    r"apt[-_.](?:get[-_.])?install|\b(?:apt(?:-get|itude|-fast)?|nala|install_packages|gdebi|dpkg|mk-build-deps|tasksel|c?debootstrap|mmdebstrap|sbuild-createchroot|unattended-upgrades?|ansible)(?![\w./-])"
)
_INSTALLERS = (
    *("apt", "nala", "install_packages", "gdebi", "dpkg", "mk-build-deps", "tasksel", "debootstrap"),
    *("mmdebstrap", "sbuild-createchroot", "unattended", "ansible"),
)
_INSTALLER = later("|".join(_INSTALLERS))
# bash that is set not to expand braces.
_NO_BRACES = later(r"[ \t]\+\w*B|\bbraceexpand\b")
# A variable whose value begins with apt's program, perhaps behind others.
_HOLDS = later(
    r"""(?:\b(\w+)=|\bENV[ \t]+(\w+)[ \t]+)["']?(?:(?:sudo|env|eatmydata|\w+=\S*|-\S+)[ \t]+)*"""
    r"""(?:apt(?:-get)?|aptitude|nala)(?=[\s"'])"""
)


class Skipped(NamedTuple):
    """An instruction or call that asks for packages, or may, and is not read; `allowed` if a comment allows that."""

    stage: int
    span: Span
    reason: str
    detail: str
    allowed: bool = False


class Notes:
    """What is known of a file while it is read: the programs that run others (`wrappers`), and which variables a
    request stands in (`carried`), the roots that calls make."""

    def __init__(self, dockerfile: Dockerfile, wrappers: Wrappers = {}) -> None:  # noqa: B006
        self.dockerfile = dockerfile
        self.wrappers = wrappers
        self.carried: dict[Request, frozenset[Variable]] = {}
        self.roots: list[Root] = []
        #: What is said of variables that hold calls, and how often each of these was followed.
        self.held: dict[Skipped, str] = {}
        self.followed: Counter[str] = Counter()

    def holds(self, skipped: Skipped, text: str) -> Skipped:
        """What is said of a variable that holds a call, by the text that sets it."""
        names = [match[1] or match[2] for match in _HOLDS.finditer(text)]
        self.held[skipped] = names[0] if len(names) == 1 else ""
        return skipped

    @cached_property
    def holders(self) -> frozenset[str]:
        """The variables that may hold a call of apt's."""
        text = self.dockerfile.text
        lines = [each for each in text.splitlines() if "apt" in each or "nala" in each] if "$" in text else []
        text = "\n".join(each for each in lines if "=" in each or "ENV" in each)
        return frozenset(match[1] or match[2] for match in _HOLDS.finditer(text))

    def is_followed(self, skipped: Skipped) -> bool:
        """Whether a variable that holds a call is followed wherever it is used."""
        name = self.held.get(skipped, "")
        uses = len(re.findall(rf"\$\{{?{name}\b", self.dockerfile.text)) if name else -1
        return 0 < uses == self.followed[name]

    @cached_property
    def installer(self) -> re.Pattern[str]:
        """What the text of a command holds that may install packages."""
        names = "".join(f"|{re.escape(name)}" for name in self.wrappers)
        names += "".join(rf"|\$\{{?{name}\b" for name in self.holders)
        return re.compile(f"{_INSTALLER.pattern}{names}") if names else _INSTALLER

    def mentions(self, text: str, *reach: int) -> bool:
        """Whether a text may install packages."""
        return (
            mentions(text, *reach)
            or any(name in text for name in self.wrappers)
            or any(f"${name}" in text or f"${{{name}" in text for name in self.holders)
        )

    @cached_property
    def harmless(self) -> frozenset[str]:
        """Programs that install nothing, whatever they are given."""
        return prefixes.HARMLESS - self.wrappers.keys()

    @cached_property
    def expands_braces(self) -> bool:
        """Whether nothing in the file tells bash not to expand braces."""
        return _NO_BRACES.search(self.dockerfile.text) is None

    @cached_property
    def trace(self) -> Trace:
        """What the expansions in the file may be."""
        from pinner.recipe.traced import Traced

        return Traced(self.dockerfile).trace

    @cached_property
    def uses(self) -> Uses:
        """What variables are used for."""
        from pinner.recipe.uses import Uses

        return Uses(self.dockerfile, self.trace)


def mentions(text: str, *reach: int) -> bool:
    """Whether a text may install packages."""
    if f" {text}".find(" apt-get ", *reach) >= 0:
        return True  # as it is usually called
    return any(each in text for each in _INSTALLERS) and _MENTION.search(text, *reach) is not None
