"""Third-party repositories that are known by their address, and who signs them: `repositories.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pinner.distributions.tables import Addresses, Row, rows
from pinner.values import NamedTuple

#: What a repository may serve of which that is not known: anything.
ANYTHING = ("*",)


class KnownRepository(NamedTuple):
    """A row of the catalogue as a source names it.

    `uri` is the address to read: the source's own, over https where the `shared` key proves nothing by itself. `keys`
    are the addresses of the owner's key file, `fingerprints` the primary keys that may sign, `retired` those that did
    and may not now, `serves` globs of the names that it may serve.
    """

    name: str
    uri: str
    keys: tuple[str, ...]
    fingerprints: tuple[str, ...]
    retired: tuple[str, ...] = ()
    shared: bool = False
    serves: tuple[str, ...] = ANYTHING


def find(uri: str, suite: str) -> KnownRepository | None:
    """The repository of a source (its address and suite as sources.list(5) has them); None if none is known."""
    address = _address(uri)
    for row in _matching(address):
        if any(_means(glob, suite) for glob in row["suites"]):
            return _known(row, uri, suite)
    base, _, last = address.rpartition("/")
    if base and suite in ("/", "./"):  # a flat suite that the address names itself
        found = find(f"{uri.partition('://')[0]}://{base}", f"{last}/")
        return found and found._replace(uri=f"https://{address}" if found.shared else uri)
    return None


def of_key(uri: str, origin: str, fingerprints: Sequence[str]) -> KnownRepository | None:
    """The repository at an address whose key was taken from `origin`, or had one of these fingerprints then."""
    for row in _matching(_address(uri)):
        known = _known(row, uri, "")
        if origin in known.keys or {*known.fingerprints, *known.retired} & set(fingerprints):
            return known
    return None


def named(name: str) -> KnownRepository:
    """The repository that the catalogue calls `name`. Raises `KeyError`."""
    row = _by_name()[name].fields
    return _known(row, f"https://{row['uris'][0]}", "")


def every() -> Iterator[KnownRepository]:
    """All that are known, each by its first address, or where its key's address depends on it, by an example."""
    for name, row in _by_name().items():
        example = row.named("example")
        yield _known(row.fields, *example) if example else named(name)


def _known(row: Mapping[str, Any], uri: str, suite: str) -> KnownRepository:
    own = f"https://{_address(uri)}"
    shared = row.get("shared", False)
    return KnownRepository(
        row["name"],
        own if shared else uri,
        tuple(key.replace("{uri}", own).replace("{suite}", suite) for key in row["keys"]),
        tuple(row["fingerprints"]),
        tuple(row.get("retired", ())),
        shared,
        tuple(row.get("serves", ANYTHING)),
    )


def _matching(address: str) -> Iterator[Mapping[str, Any]]:
    return _index().matching(address) if address else iter(())


@cache
def _index() -> Addresses:
    return Addresses(rows("repository"), "uris")


@cache
def _by_name() -> Mapping[str, Row]:
    return {row.named("name")[0]: row for row in rows("repository")}


def _address(uri: str) -> str:
    """An address without its scheme and the slash at its end; nothing for what is not of the web, has a login or goes
    up."""
    scheme, _, rest = uri.partition("://")
    odd = "@" in rest or "/.." in rest
    return rest.rstrip("/") if scheme in ("http", "https") and not odd else ""


def _means(glob: str, suite: str) -> bool:
    from fnmatch import fnmatchcase

    if glob == "/":
        return suite in ("/", "./")
    return fnmatchcase(suite.strip("/"), glob.strip("/").replace("CODENAME", "[a-z]*"))
