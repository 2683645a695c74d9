"""Which kind of file a text is, and how each kind is read."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pinner.errors import InputError
from pinner.text import dockerfile, nested
from pinner.text.dockerfile import Dockerfile


class Around(NamedTuple):
    """The texts that make up a configuration, in the order in which they are merged; whether there are no more."""

    texts: tuple[str, ...] = ()
    complete: bool = True


FileKind = Literal["dockerfile", "script", "github", "gitlab", "devcontainer"]
KINDS: tuple[FileKind, ...] = ("dockerfile", "script", "github", "gitlab", "devcontainer")

_DOCKERFILE = re.compile(
    r"(?:dockerfile|containerfile)(?:\..+)?|.+\.(?:dockerfile|containerfile)", re.IGNORECASE
)
_NOT = re.compile(r".*\.(?:dockerignore|containerignore|lock|bak|orig|rej|swp)|.*~", re.IGNORECASE)
_GITHUB = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml|(?:.*/)?action\.ya?ml")
_GITLAB = re.compile(r"(?:.*/)?(?:[^/]*\.)?gitlab-ci\.ya?ml")
_DEVCONTAINER = re.compile(r"(?:.*/)?\.?devcontainer\.json")
_SCRIPT = re.compile(r"(?:.*/)?[^/]+\.(?:sh|bash)")
_JOBS = re.compile(r"^(?:jobs|runs)[ \t]*:", re.MULTILINE)


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


def parse(kind: FileKind, text: str, image: str = "", around: Around = Around()) -> Dockerfile:  # noqa: B008
    """The text as stages and RUNs; `image` is what a script runs on, if that is known. Raises `InputError`.

    `around` is the configuration that a file of GitLab's belongs to.
    """
    if kind == "dockerfile":
        return dockerfile.parse(text)
    from pinner.text import scripts

    if kind == "script":
        return scripts.script(text, image)
    if kind == "devcontainer":
        return scripts.devcontainer(text)
    from pinner.text import gitlab, workflows, yamltext

    root = yamltext.parse(text)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    if kind == "github":
        return scripts.jobs(text, workflows.github(root))
    files = []
    complete = around.complete
    for each in around.texts:
        try:
            other = root if each == text else yamltext.parse(each)
        except InputError:
            other = None  # it is told of where that file itself is read
        files += [other] if other is not None else []
        complete &= other is not None
    return scripts.jobs(text, gitlab.jobs(root, files, complete=complete if files else None))
