"""Which kind of file a text is, and how each kind is read."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from pinner.errors import InputError
from pinner.recipe import dockerfile
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later
from pinner.shell import nested

if TYPE_CHECKING:
    from pinner.recipe.yamltext import Node


class Around(NamedTuple):
    """The texts that make up a configuration with a file, those that are merged before it and those after it.

    `complete` tells whether there are no more of them; None leaves that to the file.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    complete: bool | None = None


FileKind = Literal["dockerfile", "script", "github", "gitlab", "devcontainer"]
KINDS: tuple[FileKind, ...] = ("dockerfile", "script", "github", "gitlab", "devcontainer")

_DOCKERFILE = later(r"(?:dockerfile|containerfile)(?:\..+)?|.+\.(?:dockerfile|containerfile)", re.IGNORECASE)
_NOT = later(r".*\.(?:dockerignore|containerignore|lock|bak|orig|rej|swp)|.*~", re.IGNORECASE)
_GITHUB = later(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml|(?:.*/)?action\.ya?ml")
_GITLAB = later(r"(?:.*/)?(?:[^/]*\.)?gitlab-ci\.ya?ml")
_DEVCONTAINER = later(r"(?:.*/)?\.?devcontainer\.json")
_SCRIPT = later(r"(?:.*/)?[^/]+\.(?:sh|bash)")
_JOBS = later(r"^(?:jobs|runs)[ \t]*:", re.MULTILINE)


def by_name(path: str) -> FileKind | None:
    """The kind of file that a path (with forward slashes) names; None if the name does not tell."""
    name = path.rpartition("/")[2]
    if _GITHUB.fullmatch(path):
        return "github"
    if _GITLAB.fullmatch(path):
        return "gitlab"
    if _DEVCONTAINER.fullmatch(path):
        return "devcontainer"
    if _DOCKERFILE.fullmatch(name) and not _NOT.fullmatch(name):
        return "dockerfile"
    return "script" if _SCRIPT.fullmatch(path) else None


def of(path: str, text: str) -> FileKind:
    """The kind of a file; what neither name nor first line tells is taken for a Dockerfile."""
    found = by_name(path)
    if found is not None:
        return found
    if is_script(text):
        return "script"
    if path.endswith((".yml", ".yaml")):
        return "github" if _JOBS.search(text) else "gitlab"
    return "dockerfile"


def is_script(text: str) -> bool:
    """Whether a text's first line names a shell."""
    return text.startswith("#!") and nested.interpreter(text[:200]) in nested.POSIX_SHELLS


def parse(kind: FileKind, text: str, around: Around = Around()) -> Dockerfile:  # noqa: B008
    """The text as stages and RUNs. Raises `InputError`.

    `around` is the configuration that a file of GitLab's belongs to.
    """
    if kind == "dockerfile":
        return dockerfile.parse(text)
    from pinner.recipe import scripts

    if kind == "script":
        return scripts.script(text)
    if kind == "devcontainer":
        return scripts.devcontainer(text)
    from pinner.recipe import gitlab, workflows, yamltext

    root = yamltext.parse(text)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    if kind == "github":
        return scripts.jobs(text, workflows.github(root))
    before, after = _roots(around.before), _roots(around.after)
    files = [*before, root, *after]
    complete = around.complete and len(files) > len(around.before) + len(around.after)
    return scripts.jobs(text, gitlab.jobs(root, files, complete=complete))


def _roots(texts: tuple[str, ...]) -> list[Node]:
    """The texts as YAML; what is wrong with one is told of where that file itself is read."""
    from pinner.recipe import yamltext

    found = []
    for text in texts:
        with suppress(InputError):
            root = yamltext.parse(text)
            found += [root] if root is not None else []
    return found
