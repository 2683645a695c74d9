"""Which files of the build context list packages for a Dockerfile's install commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pinner.errors import InputError
from pinner.recipe import dockerfile, kinds, lists
from pinner.shell.state import Context
from pinner.stages.views import alone


def of(texts: Mapping[str, str], context: Callable[[str], Context | None]) -> frozenset[str]:
    """The lists that the Dockerfiles among `texts` read, by path from the root of the project."""
    found: set[str] = set()
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
        for seen in alone(parsed, own).seen.values():
            found.update(own.name(name) for each in seen for name in each.lists)
    return frozenset(
        name for name in found if kinds.by_name(name) in (None, "packages") and not name.startswith("..")
    )
