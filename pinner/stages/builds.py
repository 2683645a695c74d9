"""How the Dockerfiles of a project are built, by its Compose, Bake and Dev Containers files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from pinner.errors import InputError
from pinner.recipe import kinds
from pinner.recipe.builds import Build
from pinner.recipe.kinds import Around
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.formats import compose

_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDES = later(r"(.*?)[._-]?override(\..*)")


def says(path: str) -> bool:
    """Whether a file of this name says how Dockerfiles are built."""
    return kinds.by_name(path) in ("compose", "bake", "devcontainer")


def matter(path: str, text: str) -> bool:
    """Whether a file may mean something else by how it, or what runs or lists it, is built: or by a `.env`."""
    return kinds.of(path, text) in ("dockerfile", "compose", "script", "packages", "devcontainer")


def around(
    texts: Mapping[str, str],
    variables: Mapping[str, Mapping[str, str | None]],
    is_file: Callable[[str], bool],
    read: Callable[[str], str] = lambda path: "",
) -> dict[str, Around]:
    """The builds of each Dockerfile, by path from the root of the project, their contexts are such paths, too; and the
    variables of each Compose file.

    `variables` are those of the `.env` files, by folder; `read` gives the text of a file that others name, "" if it is
    not there. What cannot be read says nothing: that it cannot is said where it is read itself.
    """
    if not texts:
        return {}
    from pinner.recipe.formats import compose

    found: dict[str, list[Build]] = {}
    composed = compose.Files(lambda path: texts[path] if path in texts else read(path), variables)
    for path, text in texts.items():
        with suppress(InputError):
            for folder, each in _read(path, text, texts, composed):
                # Bake's paths begin where it is run: beside its file, or at the root.
                for base in dict.fromkeys((folder, "" if "bake" in path else folder)):
                    name = normpath(join(base, each.dockerfile))
                    if is_file(name):
                        context = normpath(join(base, each.context)) if each.context else ""
                        found.setdefault(name, []).append(each._replace(dockerfile=name, context=context))
                        break
    own = {path: Around(variables=known) for path, known in composed.variables()}
    built = {path: tuple(_different(each)) for path, each in found.items()}
    return own | {path: own.get(path, Around())._replace(builds=each) for path, each in built.items()}


def _different(builds: Iterable[Build]) -> Iterator[Build]:
    """The builds that do not do the same as an earlier one. What a devcontainer.json makes, its commands run in."""
    seen = set()
    for each in builds:
        own = each.by if kinds.by_name(each.by) == "devcontainer" else ""
        key = (own, each.target, each.context, *map(frozenset, (each.args.items(), each.contexts.items())))
        if key not in seen:
            seen.add(key)
            yield each


def _read(
    path: str, text: str, texts: Mapping[str, str], composed: compose.Files
) -> Iterator[tuple[str, Build]]:
    """The builds that a file speaks of, and the folder that their paths begin at."""
    kind = kinds.of(path, text)
    here = dirname(path)
    if kind == "devcontainer":
        from pinner.recipe.formats import devcontainer

        yield from ((here, each) for each in devcontainer.builds_of(text, path))
        files, service = devcontainer.compose_of(text)
        paths = [normpath(join(here, each)) for each in files]
        if paths and not any(each.startswith(("..", "/")) for each in paths):
            for each in composed.builds(paths, path):
                if each.by == f"{path} ({service})":
                    yield "", each._replace(by=path)
    elif kind == "compose":
        default = (join(here, name) for name in _COMPOSE)
        below = [] if basename(path) in _COMPOSE else [each for each in default if each in texts][:1]
        yield from (("", each) for each in composed.builds([*below, path], path))
    elif kind == "bake":
        from pinner.recipe.formats import bake

        if _OVERRIDES.fullmatch(basename(path)) and any(
            each != path and dirname(each) == here and kinds.by_name(each) == "bake" for each in texts
        ):
            return  # it is put over the file beside it
        over = {
            each: own
            for each, own in texts.items()
            if dirname(each) == here and each != path
            if (match := _OVERRIDES.fullmatch(basename(each))) and f"{match[1]}{match[2]}" == basename(path)
        }
        yield from ((here, each) for each in bake.builds_of({path: text, **over}))
