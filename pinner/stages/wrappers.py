"""Programs and functions of the build context that run install commands, and add what they are given to these."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pinner.errors import InputError
from pinner.recipe import dockerfile, kinds
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later
from pinner.shell.content import BuildContext
from pinner.shell.prefixes import Wrappers
from pinner.stages.views import alone

# What may be of the build context: a file that is read into a shell, or a program that is called as if it installs.
_SOURCES = later(
    r"(?:^|[;&|(]|\bthen|\bdo|\bRUN)\s*+(?:(?:\.|source)\s+(?!\S*(?:os|lsb)-release)[\w./$\"'{~]"
    r"|(?!apt(?:-(?:get|key|mark|cache)|itude)?\s|dpkg\s|install\s+-|pip|npm\b|apk\b|\w+=)"
    r"[\w./-]*(?:install|apt|pkg|package)[\w.-]*\s+[\w-])"
    r"|(?:\.(?:ba)?sh|(?<![\w.-])(?<!shell /bin/)(?<!shell=/bin/)(?:ba|da)?sh[\"',\s]"
    r"(?:[\"',\s]*-\S+)*[\"',\s]+[\w./-]+|[\s\"]\.{0,2}/(?!usr/|s?bin/|etc/|dev/)[\w./-]+)"
    r"[\"',]*[ \t]+(?:\\\n\s*)?[\"\w$-]",
    re.MULTILINE,
)
# What may stand before a program that is run: a separator, a keyword, what runs others, an option, a variable.
_RUN = (
    r"(?:^|[;&|({!\n]|(?<![\w./-])(?:then|do|else|if|elif|while|until|sudo|sh|bash|dash|env|exec|time|nice|eatmydata|retry)"
    r"(?=\s)|(?<=\s)--?\S+|\w=\S*)\s*+"
)
_SCRIPT = later(r"\.(?:ba)?sh(?![\w.])|\b(?:ba|da)?sh\s+[\w./-]+/")


def may_run(dockerfile: Dockerfile) -> bool:
    """Whether a Dockerfile seems to run a file of its build context with arguments, or to read one into its shell."""
    return _SOURCES.search(dockerfile.text) is not None or _runs_copied(dockerfile)


def _runs_copied(dockerfile: Dockerfile) -> bool:
    """Whether a file that COPY or ADD brings in seems to be run with arguments."""
    every = [each for stage in dockerfile.stages for each in stage.instructions]
    copied = (each.text.text.split() for each in every if each.keyword in ("COPY", "ADD"))
    names = {word.rstrip("/").rpartition("/")[2] for words in copied for word in words[-2:]} - {"", "."}
    texts = [each.text.text for each in every if each.keyword == "RUN"]
    runs = (
        re.compile(rf"{_RUN}(?:\S*/)?{re.escape(name)}\s")
        for name in names
        if any(f"{name}{blank}" in text for text in texts for blank in " \t\n\r\f\v")
    )
    return any(each.search(text) for each in runs for text in texts)


def in_scripts(
    texts: Mapping[str, str], context: Callable[[str], BuildContext | None]
) -> dict[str, Wrappers]:
    """Those that the scripts call which the Dockerfiles among `texts` run, by the path of the script."""
    found: dict[str, Wrappers] = {}
    for path, text in texts.items():
        if kinds.of(path, text) != "dockerfile" or (own := context(path)) is None:
            continue
        try:
            parsed = dockerfile.parse(text)
        except InputError:
            continue  # it is said where the file itself is read
        if may_run(parsed) or _SCRIPT.search(text):
            walk = alone(parsed, own).walk
            for file in {place[0] for place in walk.adding} - {""}:
                found[own.name(file)] = {**found.get(own.name(file), {}), **walk.wrappers}
    return found
