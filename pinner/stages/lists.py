"""Which files of the build context list packages for a Dockerfile's install commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from pinner.edit.span import Edit, Span, apply
from pinner.errors import InputError
from pinner.recipe import dockerfile, kinds, lists
from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.shell.content import BuildContext, EditedContext
from pinner.stages.views import alone

# A pin that shows whether pins get through what a stage does with the words of a list.
_PIN = "=1:2.3+b4~5-6"


def _brings(instruction: Instruction, context: BuildContext) -> bool:
    """Whether an instruction may bring a file of the build context that lists packages into the stage."""
    if any(each.startswith("--mount") for each in instruction.flags):
        return True
    if instruction.keyword not in ("COPY", "ADD") or any(
        each.startswith("--from") for each in instruction.flags
    ):
        return False
    for source in instruction.argv[:-1] or instruction.text.text.split()[:-1]:
        path = source.strip("\"'/").removeprefix("./")
        path = "" if path == "." else path
        if any(char in path for char in "$*?[<\\") or context.is_file(path):
            return True
        if any(kinds.by_name(name) in (None, "packages") for name in context.names(path)):
            return True
    return False


def of(texts: Mapping[str, str], context: Callable[[str], BuildContext | None]) -> frozenset[str]:
    """The lists that the Dockerfiles among `texts` read, by path from the root of the project.

    Only those whose words, with pins too, apt-get gets as they are written.
    """
    found: dict[str, bool] = {}
    for path, text in texts.items():
        if not lists.may_be_read(text) or kinds.of(path, text) != "dockerfile":
            continue
        own = context(path)
        if own is None:
            continue
        try:
            parsed = dockerfile.parse(text)
        except InputError:
            continue  # it is said where the file itself is read
        if not any(
            _brings(instruction, own) for stage in parsed.stages for instruction in stage.instructions
        ):
            continue
        for name, passes in _read(parsed, own):
            name = own.name(name)
            found[name] = found.get(name, True) and passes
    return frozenset(
        name
        for name, passes in found.items()
        if passes and kinds.by_name(name) in (None, "packages") and not name.startswith("..")
    )


def _read(parsed: Dockerfile, context: BuildContext) -> Iterable[tuple[str, bool]]:
    """The files of the context that words come from, and whether these come through as they are."""
    got = _words(parsed, context)
    pinned: dict[str, str] = {}
    for name in got:
        text = context.text(name) or ""
        words = [
            span for line in lists.lines(text) for span in line if not re.search("[=/]|^-", span.of(text))
        ]
        pinned[name] = apply(text, [Edit(Span(each.end, each.end), _PIN) for each in words])
    behind = _words(parsed, EditedContext(context, pinned.get)) if got else {}
    for name, own in got.items():
        written = context.text(name)  # None: it is in doubt which file is meant
        yield (
            name,
            written is None or (_whole(written, own) and _whole(pinned[name], behind.get(name, set()))),
        )


def _whole(text: str, words: set[str]) -> bool:
    """Whether these are the words of some lines of a list, and no others but those of its comments."""
    lines = [{span.of(text) for span in line} for line in lists.lines(text)]
    return words <= set(text.split()) and all(line <= words or not line & words for line in lines)


def _words(parsed: Dockerfile, context: BuildContext) -> dict[str, set[str]]:
    """The words that install commands take from files of the context."""
    found: dict[str, set[str]] = {}
    for stage in alone(parsed, context).seen.values():
        for seen in stage:
            for name in seen.lists:
                found.setdefault(name, set()).update(each.rstrip("\r") for each in seen.words)
    return found
