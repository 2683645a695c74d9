"""devcontainer.json: features with lists of packages, and commands (Dev Container specification, "Reference").

JSON with comments is YAML once these are blank, so that one reader gives the places of its strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pinner.recipe import scripts
from pinner.recipe.builds import Build
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.formats import yamltext
from pinner.recipe.formats.yamltext import Node, scalar
from pinner.recipe.scripts import Job, Step
from pinner.regex import later
from pinner.shell import prefixes

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

#: Commands that run in the container.
_COMMANDS = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
_FEATURE = later(r"(?:.*/)?apt(?:-get)?-packages(?:[:@].*)?")
_VARIABLE = later(
    r"\$\{(?:localEnv|containerEnv|localWorkspace\w*|containerWorkspace\w*|devcontainerId)\b[^}]*\}"
)
_DEFAULT = later(r"\$\{localEnv:\w+:([^{}]*)\}")
_WORD = later(r"[^\s,]+")


def read(text: str, around: Around) -> Dockerfile:
    """The container as one job. Raises `InputError`."""
    plain = yamltext.plain_json(text)
    root = yamltext.parse(plain)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    image = root.get("image")
    base = image.text if image is not None and "$" not in image.text else ""
    job = Job("devcontainer", root.span, base, base or "of this container")
    features = root.get("features")
    for name, feature in (features.entries if features is not None else None) or ():
        packages = feature.get("packages")
        if packages is not None and _FEATURE.fullmatch(name.text):
            written = scalar(plain, packages)
            found = _WORD.finditer(written.text) if written is not None else ()
            names = tuple(written.part(*match.span()) for match in found if written is not None)
            if names:
                job.steps.append(Step(packages, names=names))
    for key in _COMMANDS:
        if (command := root.get(key)) is not None:
            job.steps += _steps(plain, command)
    job.steps.sort(key=lambda step: step.text.span)
    return scripts.jobs(plain, iter([job]), root)._replace(text=text)


def _steps(plain: str, command: Node) -> Iterator[Step]:
    """A command for a shell, or several by name; one that is a list of words runs without a shell."""
    if command.entries is not None:
        for _, each in command.entries:
            yield from _steps(plain, each)
    elif command.items is None:
        yield Step(command, hidden=_VARIABLE)
    elif len(command.items) == 3 and command.items[1].text.startswith("-") and "c" in command.items[1].text:
        yield Step(command.items[2], command.items[0].text.rpartition("/")[2], hidden=_VARIABLE)
    elif command.items:
        words = tuple(word for each in command.items if (word := scalar(plain, each)) is not None)
        if prefixes.asks(" ".join(word.text for word in words)):
            yield Step(command, words=words)


def compose_of(text: str) -> tuple[list[str], str]:
    """The Compose files of whose services the container is one, and which. Raises `InputError`."""
    root = yamltext.parse(yamltext.plain_json(text))
    files = root.get("dockerComposeFile") if root is not None else None
    service = root.get("service") if root is not None else None
    if files is None or service is None:
        return [], ""
    return [each.text for each in files.texts()], service.text


def builds_of(text: str, by: str) -> Iterator[Build]:
    """How the container's Dockerfile is built; `by` is what people call the file. Raises `InputError`."""
    root = yamltext.parse(yamltext.plain_json(text))
    if root is None:
        return
    build = root.get("build") or root
    name = build.get("dockerfile") or root.get("dockerFile")
    context = build.get("context") or root.get("context")
    args, target = build.get("args"), build.get("target")
    entries = (args.entries if args is not None else None) or ()
    if name is not None and "$" not in name.text:
        defaults = {key.text: _DEFAULT.sub(r"\1", value.text) for key, value in entries}
        values = {key: None if "${" in value else value for key, value in defaults.items()}
        folder = context.text if context is not None else "."
        yield Build(by, name.text, folder, values, {}, target.text if target is not None else "")
