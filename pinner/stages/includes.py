"""Which of GitLab's files make up one configuration, by `include: local` (GitLab docs, "include")."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import normpath

from pinner.errors import InputError
from pinner.recipe import kinds
from pinner.recipe.kinds import Around

# GitLab allows 150 files.
_MOST = 200


def named(texts: Mapping[str, str]) -> dict[str, tuple[list[str], bool]]:
    """The local files that each of GitLab's files among `texts` includes, by path from the root of the project.

    And whether these are all that it includes.
    """
    found = {}
    for path, text in texts.items():
        if "include" in text and kinds.of(path, text) == "gitlab":
            from pinner.recipe.formats import gitlab, yamltext

            try:
                root = yamltext.parse(text)
            except InputError:
                continue  # it is reported where the file itself is read
            if root is not None:
                names, complete = gitlab.included(root)
                found[path] = [normpath(name.lstrip("/")) for name in names], complete
    return found


def around(texts: Mapping[str, str]) -> dict[str, Around]:
    """The configuration that each file is in, if that is in more than one file: of a file that none includes."""
    includes = named(texts)
    inner = {name for names, _ in includes.values() for name in names}
    found: dict[str, list[Around]] = {}
    for path in includes:
        if path not in inner:
            order: list[str] = []
            complete = _gather(path, includes, texts, order)
            own = [texts[name] for name in order]
            for at, each in enumerate(order):
                around_it = Around(tuple(own[:at]), tuple(own[at + 1 :]), complete)
                found.setdefault(each, []).append(around_it)
    # A file in several configurations is read in none of them.
    return {path: each[0] if len(each) == 1 else Around(complete=False) for path, each in found.items()}


def _gather(
    path: str, includes: Mapping[str, tuple[list[str], bool]], texts: Mapping[str, str], order: list[str]
) -> bool:
    """Adds to `order` what a file includes, then the file; whether all of that is there."""
    todo: list[tuple[str, bool]] = [(path, False)]
    seen: set[str] = set()
    whole = True
    while todo:
        name, done = todo.pop()
        if done:
            order.append(name)
        elif name not in texts or len(seen) > _MOST:
            whole = False
        elif name not in seen:
            seen.add(name)
            names, complete = includes.get(name, ([], True))
            whole &= complete
            todo.append((name, True))
            todo += ((each, False) for each in reversed(names))
    return whole
