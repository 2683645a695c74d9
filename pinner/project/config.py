"""`pinner.toml`, or `[tool.pinner]` in pyproject.toml, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pinner import toml
from pinner.apt.sources import Keys
from pinner.archive.pace import INTERVAL
from pinner.distributions.catalogue import platform
from pinner.errors import InputError, without_login
from pinner.project import files, policy, tree
from pinner.recipe.kinds import KINDS
from pinner.shell import prefixes
from pinner.stages.policy import Policy
from pinner.stages.repositories import VouchedRepository
from pinner.values import NamedTuple

NAME = "pinner.toml"
#: What is pinned: the arguments of install commands alone, strict siblings as well, or all that they bring in.
PINS = ("arguments", "siblings", "closure")


class Service(NamedTuple):
    """How snapshots are fetched: `mirrors` of snapshot.debian.org in the order in which they are tried (none: those of
    `[mirrors]`, or the service itself), the seconds of rest before each request, and the address of what stands for
    metasnap.debian.net ("": that itself)."""

    mirrors: tuple[str, ...] = ()
    interval: float = INTERVAL
    metasnap: str = ""


class Config(NamedTuple):
    """What a project says once for all runs.

    `platforms` as Docker writes them; `suite` for stages whose image names none; `files` maps files (globs, from
    the folder of the configuration) and `images` image references (globs) to suites; `installed` image references
    (globs) to files that list what such an image holds, one for each architecture, relative to the configuration;
    `mirrors` URI prefixes to the prefixes that are fetched instead; `exclude` are globs of files that a search
    passes over; `wrappers` tells what programs run: an apt command that their arguments are added to, or "" for their
    arguments themselves; `ignore` names (globs) of packages that are never pinned; `snapshot` is a table.
    `source` are the repositories beyond the distribution's that may be read, each with the keys that sign it.
    `pin` says what is pinned (one of `PINS`), `kinds` which kinds of files a search takes.
    `policy` is a table: what moves when, and what `verify` fails on.
    """

    platforms: tuple[str, ...] = ()
    suite: str = ""
    files: Mapping[str, str] = MappingProxyType({})
    images: Mapping[str, str] = MappingProxyType({})
    installed: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    mirrors: Mapping[str, str] = MappingProxyType({})
    wrappers: Mapping[str, str] = MappingProxyType({})
    exclude: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    snapshot: Service = Service()
    source: tuple[VouchedRepository, ...] = ()
    pin: str = ""
    kinds: tuple[str, ...] = ()
    policy: Policy = Policy()


def near(word: str, known: tuple[str, ...]) -> str:
    """`did you mean …?` for the nearest of `known`, or all of them."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def _texts(value: Any, key: str, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{key} must be a list of strings", path=path)
    return tuple(value)


def _mapping(value: Any, key: str, path: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InputError(f"[{key}] must map strings to strings", path=path)
    return value


def _lists(value: Any, key: str, path: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise InputError(f"[{key}] must be a table", path=path)
    return {
        name: _texts([item] if isinstance(item, str) else item, f"{key}.{name}", path)
        for name, item in value.items()
    }


def _address(text: str, key: str, path: str) -> None:
    """Raises `InputError` unless `text` is an address with a scheme: for a host alone one would have to guess it."""
    try:
        parts = urlsplit(text)
        well = parts.scheme in {"http", "https", "file"} and bool(parts.hostname or parts.scheme == "file")
        well = well or (text in {"http://", "https://"} and key == "mirrors")
        parts.port  # noqa: B018, it raises
    except ValueError:
        well = False
    if not well:
        hint = "write its scheme, as https://mirror.example.org"
        raise InputError(f"{key}: {text} is not an address", path=path, hint=hint)


def _service(value: Any, path: str) -> Service:
    if not isinstance(value, dict):
        raise InputError("[snapshot] must be a table", path=path)
    known = Service._fields
    for key in value:
        if key not in known:
            raise InputError(f"unknown key snapshot.{key}", path=path, hint=near(key, known))
    interval = value.get("interval", INTERVAL)
    if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0 <= interval <= 3600:
        raise InputError("snapshot.interval must be a number of seconds", path=path)
    metasnap = value.get("metasnap", "")
    if not isinstance(metasnap, str):
        raise InputError("snapshot.metasnap must be a string", path=path)
    mirrors = _texts(value.get("mirrors", []), "snapshot.mirrors", path)
    for uri in (*mirrors, *filter(None, [metasnap])):
        _address(uri, "snapshot", path)
    return Service(mirrors, float(interval), metasnap)


def _sources(value: Any, path: str) -> tuple[VouchedRepository, ...]:
    """`[[source]]`: `uri`, `suite` (none: any), `key` (a file), `fingerprints` (none: each key in the file)."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError("[[source]] must be tables", path=path)
    keys = ("uri", "suite", "key", "fingerprints")
    found = []
    for item in value:
        for key in item:
            if key not in keys:
                raise InputError(f"unknown key source.{key}", path=path, hint=near(key, keys))
        uri, suite, file = (item.get(key, "") for key in keys[:3])
        if isinstance(uri, str):
            _address(uri, "source.uri", path)
        if not all(isinstance(text, str) for text in (uri, suite, file)) or "://" not in uri or not file:
            hint = 'uri = "https://apt.example.org/debian" and key = "keys/example.asc"'
            raise InputError("[[source]] needs a uri and a key", path=path, hint=hint)
        prints = _texts(item.get("fingerprints", []), "source.fingerprints", path)
        prints = tuple(text.replace(" ", "").upper() for text in prints)
        found.append(VouchedRepository(without_login(uri).rstrip("/"), suite, Keys(file, prints)))
    return tuple(found)


def from_table(table: Mapping[str, Any], path: str) -> Config:
    """The Config of a parsed table. Raises `InputError` for an unknown key (with the near name) or a wrong type."""
    known = Config._fields
    for key in table:
        if key not in known:
            raise InputError(f"unknown key {key}", path=path, hint=near(key, known))
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in {"files", "images", "mirrors", "wrappers"}:
            values[key] = _mapping(value, key, path)
        elif key == "installed":
            values[key] = _lists(value, key, path)
        elif key == "source":
            values[key] = _sources(value, path)
        elif key == "policy":
            values[key] = policy.from_table(value, path)
        elif key == "snapshot":
            values[key] = _service(value, path)
        elif key in {"suite", "pin"}:
            if not isinstance(value, str):
                raise InputError(f"{key} must be a string", path=path)
            if key == "pin" and value not in PINS:
                raise InputError(f"pin must not be {value!r}", path=path, hint=near(value, PINS))
            values[key] = value
        else:
            values[key] = _texts(value, key, path)
    for uri in (*values.get("mirrors", {}), *values.get("mirrors", {}).values()):
        _address(uri, "mirrors", path)
    for name, command in values.get("wrappers", {}).items():
        if command and not prefixes.behind_prefixes(command):
            hint = 'write "apt-get install", say, or "" for a program that runs what it is given'
            raise InputError(f"wrappers.{name}: {command} is no command of apt", path=path, hint=hint)
    for kind in values.get("kinds", ()):
        if kind not in KINDS:
            raise InputError(f"unknown kind {kind}", path=path, hint=near(kind, KINDS))
    values["platforms"] = tuple(canonical_platform(name, path) for name in values.get("platforms", ()))
    return Config(**values)


def canonical_platform(name: str, path: str = "") -> str:
    """Docker's canonical spelling of a platform. Raises `InputError` for one that no Debian architecture serves."""
    found = platform(name)
    if found is None:
        from difflib import get_close_matches

        from pinner.distributions.catalogue import PLATFORMS

        known = {each.removeprefix("linux/"): each for each in PLATFORMS}
        close = get_close_matches(name.removeprefix("linux/"), known, n=1)
        hint = f"did you mean {known[close[0]]}?" if close else f"known are {', '.join(PLATFORMS)}"
        raise InputError(f"unknown platform {name}", path=path, hint=hint)
    return found


def load(start: Path, root: Path) -> tuple[Config, Path | None]:
    """The config that holds for the folder `start`: the nearest upwards, up to `root` (`tree.root_of`); and its file.

    Raises `InputError` for one that cannot be used, or that names files which lie outside of `root`.
    """
    start = start if start.is_relative_to(root) else root
    for folder in (start, *start.parents):
        own, project = folder / NAME, folder / "pyproject.toml"
        if os.path.lexists(own) and not own.is_dir():
            return _located(from_table(_parsed(files.read(own, root), own), str(own)), folder, root, own), own
        is_there = os.path.lexists(project) and not project.is_dir()
        if is_there and "[tool.pinner" in (text := files.read(project, root)):
            table = _parsed(text, project).get("tool", {}).get("pinner")
            if isinstance(table, dict):
                config = from_table(table, f"{project} [tool.pinner]")
                return _located(config, folder, root, project), project
        if folder == root:
            break
    return Config(), None


def _located(config: Config, folder: Path, root: Path, path: Path) -> Config:
    """The config with its files found from anywhere; they are files inside of the work tree."""

    def located(name: str) -> str:
        place = tree.inside(folder / name, root)
        if Path(name).is_absolute() or (place.exists() and not place.is_file()):
            raise InputError(
                f"names {name}, which is not a file of the work tree", path=str(path), hint="copy it there"
            )
        if not place.exists():
            raise InputError(f"names {name}, which is not there", path=str(path))
        return str(place)

    found = {glob: tuple(map(located, names)) for glob, names in config.installed.items()}
    sources = tuple(
        known._replace(keys=known.keys._replace(keyring=located(known.keys.keyring)))
        for known in config.source
    )
    return config._replace(installed=found, source=sources)


def _parsed(text: str, path: Path) -> dict[str, Any]:
    if len(text) > toml.LARGEST:
        raise InputError(f"larger than the {toml.LARGEST} characters that are read", path=str(path))
    try:
        return toml.loads(text)
    except ValueError as error:
        raise InputError(f"not valid TOML: {error}", path=str(path)) from None
