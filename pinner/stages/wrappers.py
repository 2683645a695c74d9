"""Programs and functions of the build context that run install commands, and add what they are given to these."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pinner.errors import InputError
from pinner.recipe import dockerfile, kinds
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later
from pinner.shell.content import BuildContext
from pinner.shell.prefixes import Wrappers
from pinner.stages import running
from pinner.stages.views import alone

# One of these is in every text that brings in a file, or writes one.
_WRITES = ("copy", "add", "mount", ">", "tee")
# What may be of the build context: a file that is read into a shell, or a program that is called as if it installs.
# Behind a separator or a keyword: each begins with a literal, which is found quickly.
_CALLED = (
    r"\s*+(?:(?:\.|source)\s+(?!\S*(?:os|lsb)-release)[\w./$\"'{~]"
    r"|(?!apt(?:-(?:get|key|mark|cache)|itude)?\s|dpkg\s|install\s+-|pip|npm\b|apk\b|\w+=)"
    r"[\w./-]*(?:install|apt|pkg|package)[\w.-]*\s+[\w-])"
)
_SOURCES = (
    later(rf"[\n;&|(]{_CALLED}"),
    *(later(rf"{word}(?<!\w{word}){_CALLED}") for word in ("then", "do", "RUN")),
)
_GIVEN = r"[\"',]*[ \t]+(?:\\\n\s*)?[\"\w$-]"
_NO_SHELL = r"(?<![\w.-]{0})(?<!shell /bin/{0})(?<!shell=/bin/{0})"
# A script, or a shell or another path that is given something. Each begins with a literal, which is found quickly.
_CALLS = (
    later(rf"\.(?:ba)?sh{_GIVEN}"),
    *(
        later(rf"{name}{_NO_SHELL.format(name)}[\"',\s](?:[\"',\s]*-\S+)*[\"',\s]+[\w./-]+{_GIVEN}")
        for name in ("sh", "bash", "dash")
    ),
    later(r"/(?:(?<=[\s\"]/)|(?<=[\s\"]\./)|(?<=[\s\"]\.\./))(?!usr/|s?bin/|etc/|dev/)[\w./-]+" + _GIVEN),
)
# What may stand before a program that is run: a separator, a keyword, what runs others, an option, a variable.
_RUN = later(
    r"(?:^|[;&|({!\n]|(?<![\w./-])(?:then|do|else|if|elif|while|until|sudo|sh|bash|dash|env|exec|time|nice|eatmydata|retry)"
    r"(?=\s)|(?<=\s)--?\S+|\w=\S*)\s*+(?:\S*/)?\Z"
)
_LONGEST = 4_096  # characters of two words
_SCRIPT = later(r"\.(?:ba)?sh(?![\w.])|\b(?:ba|da)?sh\s+[\w./-]+/")


def may_run(dockerfile: Dockerfile) -> bool:
    """Whether a Dockerfile seems to run a file of its build context with arguments, or to read one into its shell."""
    text = dockerfile.text
    begun = f"\n{text}"
    if not any(each in text.lower() for each in _WRITES):
        return False
    return (
        any(each.search(text) for each in _CALLS)
        or any(each.search(begun) for each in _SOURCES)
        or _runs_copied(dockerfile)
    )


def _runs_copied(dockerfile: Dockerfile) -> bool:
    """Whether a file that COPY or ADD brings in seems to be run with arguments."""
    every = [each for stage in dockerfile.stages for each in stage.instructions]
    copied = (each.text.text.split() for each in every if each.keyword in ("COPY", "ADD"))
    names = {word.rstrip("/").rpartition("/")[2] for words in copied for word in words[-2:]} - {"", "."}
    texts = [each.text.text for each in every if each.keyword == "RUN"]
    return any(name in text and _is_run(name, text) for name in names for text in texts)


def _is_run(name: str, text: str) -> bool:
    """Whether a program of this name seems to be run with arguments, by what stands before it."""
    at = text.find(name)
    while at >= 0:
        if text[at + len(name) : at + len(name) + 1].isspace():
            before = text[max(at - _LONGEST, 0) : at]
            words = before.rsplit(None, 2)  # the last two tell
            begin = at - len(before) + (len(words[0]) if len(words) == 3 else 0)
            if _RUN.search(text, begin, at):
                return True
        at = text.find(name, at + 1)
    return False


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
        if (parsed.once(may_run) or _SCRIPT.search(text)) and running.runs_files(parsed, own):
            walk = alone(parsed, own).walk
            for file in {place[0] for place in walk.adding} - {""}:
                found[own.name(file)] = {**found.get(own.name(file), {}), **walk.wrappers}
    return found
