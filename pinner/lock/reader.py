"""The lock's text as any TOML may spell it → the lock, or an error that names the place, as in `package[3].sha256`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from pinner.errors import InputError
from pinner.lock.lockfile import SCHEMA, Lock, Locked, LockedKey, LockedPackage, LockedSource, Target


class _Reader:
    """Takes typed values out of parsed TOML; a wrong one is named by its path, as in `package[3].sha256`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def error(self, where: str, problem: str) -> InputError:
        return InputError(
            f"{where}: {problem}",
            path=self.path,
            hint="restore the lock from version control, or delete it and run `pinner lock`",
        )

    def tables(self, data: Mapping[str, Any], key: str, where: str = "") -> list[Mapping[str, Any]]:
        value = data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"{where}{key}", "must be a list of tables")
        return value

    def text(self, table: Mapping[str, Any], key: str, where: str, *, optional: bool = False) -> str:
        value = table.get(key, "" if optional else None)
        if not isinstance(value, str):
            raise self.error(f"{where}.{key}", "is missing" if value is None else "must be a string")
        return value

    def texts(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(f"{where}.{key}", "must be a list of strings")
        return tuple(value)

    def only(self, table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        unknown = sorted(table.keys() - set(known))
        if unknown:
            raise self.error(f"{where}.{unknown[0]}" if where else unknown[0], "is not a key of a lock")


def read(text: str, path: str) -> Lock:
    """The lock that `text` describes. Raises `InputError` as `lockfile.loads` says."""
    marker = re.search(r"^(?:<{7}|={7}|>{7})(?: |$)", text, re.MULTILINE)
    if marker:
        raise InputError(
            "the lock holds unresolved merge conflicts",
            path=path,
            line=text.count("\n", 0, marker.start()) + 1,
            hint="take either side (`git checkout --ours` or `--theirs`), then run `pinner lock` again",
        )
    reader = _Reader(path)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise reader.error("not a lock", str(error)) from None
    schema = data.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise reader.error("schema", "must be a number")
    if schema > SCHEMA:
        raise InputError(
            f"the lock has schema {schema}, this pinner reads up to {SCHEMA}",
            path=path,
            hint="use a newer pinner",
        )
    reader.only(data, ("schema", "source", "key", "target", "package"), "")
    sources = []
    for number, table in enumerate(reader.tables(data, "source")):
        where = f"source[{number}]"
        keys = ("uri", "suite", "component", "platform", "date", "sha256")
        reader.only(table, keys, where)
        values = {key: reader.text(table, key, where, optional=key == "component") for key in keys}
        sources.append(LockedSource(**values))
    keys_told = []
    for number, table in enumerate(reader.tables(data, "key")):
        where = f"key[{number}]"
        reader.only(table, ("uri", "origin", "fingerprints"), where)
        prints = reader.texts(table, "fingerprints", where)
        if not prints or not all(re.fullmatch(r"[0-9A-F]{40,}", each) for each in prints):
            raise reader.error(f"{where}.fingerprints", "must be fingerprints of keys")
        keys_told.append(
            LockedKey(reader.text(table, "uri", where), reader.text(table, "origin", where), prints)
        )
    packages = []
    for number, table in enumerate(reader.tables(data, "package")):
        where = f"package[{number}]"
        texts = ("name", "version", "arch", "pocket", "uri", "filename", "sha256")
        reader.only(table, (*texts, "size"), where)
        values = {key: reader.text(table, key, where) for key in texts}
        size = table.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise reader.error(f"{where}.size", "must be a number of bytes")
        if not re.fullmatch(r"[0-9a-f]{64}", values["sha256"]):
            raise reader.error(f"{where}.sha256", "must be 64 hexadecimal digits")
        packages.append(LockedPackage(size=size, **values))
    known = {package.id for package in packages}
    targets = []
    for number, table in enumerate(reader.tables(data, "target")):
        where = f"target[{number}]"
        said = (
            "file",
            "stage",
            "parent",
            "platform",
            "image",
            "digest",
            "suite",
            "installed",
            "apt",
            "problem",
        )
        reader.only(table, (*said, "calls", "packages"), where)
        values = {
            key: reader.text(
                table, key, where, optional=key in {"parent", "image", "digest", "apt", "problem"}
            )
            for key in said
        }
        content = []
        for index, item in enumerate(reader.tables(table, "packages", f"{where}.")):
            place = f"{where}.packages[{index}]"
            reader.only(item, ("id", "asked", "by"), place)
            locked = Locked(
                reader.text(item, "id", place),
                reader.text(item, "asked", place, optional=True),
                reader.text(item, "by", place, optional=True),
            )
            if locked.id not in known:
                raise reader.error(f"{place}.id", f"there is no package {locked.id}")
            content.append(locked)
        targets.append(Target(calls=reader.texts(table, "calls", where), packages=tuple(content), **values))
    return Lock(tuple(sources), tuple(targets), tuple(packages), schema, tuple(keys_told))
