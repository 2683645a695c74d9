"""How the Dockerfiles of a project are built, by its Compose, Bake and Dev Containers files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from posixpath import basename, dirname, join, normpath

from pinner.errors import InputError
from pinner.recipe import kinds
from pinner.recipe.builds import Build
from pinner.regex import later

_NAMES = later(r"^include[ \t]*:|\bextends[ \t]*:", re.MULTILINE)
_OVERRIDES = later(r"(.*?)[._-]?override(\..*)")


def says(path: str) -> bool:
    """Whether a file of this name says how Dockerfiles are built."""
    return kinds.by_name(path) in ("compose", "bake", "devcontainer")


def matter(path: str, text: str) -> bool:
    """Whether a file may mean something else by how it, or what runs or lists it, is built: or by a `.env`."""
    return kinds.of(path, text) in ("dockerfile", "compose", "script", "packages", "devcontainer")


def of(
    texts: Mapping[str, str],
    variables: Mapping[str, Mapping[str, str | None]],
    is_file: Callable[[str], bool],
) -> dict[str, tuple[Build, ...]]:
    """The builds of each Dockerfile, by path from the root of the project; their contexts are such paths, too.

    `variables` are those of the `.env` files, by folder. What cannot be read says nothing: that it cannot is said where
    it is read itself.
    """
    found: dict[str, list[Build]] = {}
    for path, text in texts.items():
        with suppress(InputError):
            for each in _read(path, text, texts, variables):
                # Bake's paths begin where it is run: beside its file, or at the root.
                for folder in dict.fromkeys((dirname(path), "" if "bake" in path else dirname(path))):
                    name = normpath(join(folder, each.dockerfile))
                    if is_file(name):
                        context = normpath(join(folder, each.context)) if each.context else ""
                        found.setdefault(name, []).append(each._replace(dockerfile=name, context=context))
                        break
    return {path: tuple(_different(each)) for path, each in found.items()}


def named(path: str, text: str) -> list[str]:
    """The files that a Compose file includes or extends, by path from the root of the project."""
    if not (kinds.may_look(path) and _NAMES.search(text) and kinds.of(path, text) == "compose"):
        return []
    from pinner.recipe.formats import compose

    with suppress(InputError):
        return [
            own for each in compose.named(text) if each and not (own := _beside(path, each)).startswith("..")
        ]
    return []


def _beside(path: str, name: str) -> str:
    return normpath(join(dirname(path), name))


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
    path: str, text: str, texts: Mapping[str, str], variables: Mapping[str, Mapping[str, str | None]]
) -> Iterator[Build]:
    kind = kinds.of(path, text)
    if kind == "devcontainer":
        from pinner.recipe.formats import compose, devcontainer

        yield from devcontainer.builds_of(text, path)
        files, service = devcontainer.compose_of(text)
        below = ""
        for file in files:
            own = _beside(path, file)
            known = variables.get(dirname(own), {})
            found = compose.builds_of(texts[own], below, own, known) if own in texts else ()
            below = below or texts.get(own, "")
            for build in found:
                if build.by == f"{own} ({service})":
                    folder = join(*[".."] * (path.count("/")), dirname(own))
                    context = join(folder, build.context) if build.context else ""
                    yield build._replace(by=path, dockerfile=join(folder, build.dockerfile), context=context)
    elif kind == "compose":
        from pinner.recipe.formats import compose

        names = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
        base = (
            ""
            if basename(path) in names
            else next((texts[each] for name in names if (each := join(dirname(path), name)) in texts), "")
        )
        known = variables.get(dirname(path), {})
        yield from compose.builds_of(text, base, path, known, lambda name: texts.get(_beside(path, name), ""))
    elif kind == "bake":
        from pinner.recipe.formats import bake

        if _OVERRIDES.fullmatch(basename(path)) and any(
            each != path and dirname(each) == dirname(path) and kinds.by_name(each) == "bake"
            for each in texts
        ):
            return  # it is put over the file beside it
        over = {
            each: own
            for each, own in texts.items()
            if dirname(each) == dirname(path) and each != path
            if (match := _OVERRIDES.fullmatch(basename(each))) and f"{match[1]}{match[2]}" == basename(path)
        }
        yield from bake.builds_of({path: text, **over})
