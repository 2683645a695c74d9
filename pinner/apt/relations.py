"""Relations between packages: `Depends` and its kin (Debian Policy 7.1, deb-control(5)) parsed and tested."""

from __future__ import annotations

from functools import lru_cache

from pinner.apt import version as versions
from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

_RELATION = later(
    r"\s*+(?P<name>[^\s()|,:\[<]++)(?::(?P<arch>[^\s()|,:\[<]++))?"
    r"\s*+(?:\(\s*+(?P<op><<|<=|>=|>>|=|<|>)\s*+(?P<version>[^\s()<=>]++)\s*+\))?\s*+\Z"
)

# The single-character operators are obsolete and mean the inclusive ones (Policy 7.1).
_OPERATORS = {"<": "<=", ">": ">="}


class Relation(NamedTuple):
    """`name:arch (op version)`; `arch`, `op` and `version` are empty where the text has none.

    `op` is one of `<<`, `<=`, `=`, `>=`, `>>`, or `!=` (apt's own). `arch` is an architecture, `any` or `native`.
    """

    name: str
    arch: str = ""
    op: str = ""
    version: str = ""

    def __str__(self) -> str:
        """As a control file would write it."""
        name = f"{self.name}:{self.arch}" if self.arch else self.name
        return f"{name} ({self.op} {self.version})" if self.op else name


Clause = tuple[Relation, ...]
"""Alternatives, in the order written: any one of them is enough."""


@lru_cache(maxsize=1 << 16)
def parse(text: str) -> tuple[Clause, ...]:
    """The clauses of a relation field, in the order written.

    Empty clauses (a comma too many) are passed over as apt does. Raises `InputError` for text that is no
    relation: an index that holds such a one is not used, since apt refuses it as well. Restrictions
    (`[amd64]`, `<!nocheck>`) belong to source packages and are refused too.
    """
    return tuple(
        tuple(_relation(item) for item in clause.split("|"))
        for clause in text.split(",")
        if not clause.isspace() and clause
    )


@lru_cache(maxsize=1 << 16)
def _relation(text: str) -> Relation:
    found = _RELATION.match(text)
    if found is None:
        raise InputError(f"not a package relation: {text.strip()!r}")
    op = found["op"] or ""
    return Relation(found["name"], found["arch"] or "", _OPERATORS.get(op, op), found["version"] or "")


@lru_cache(maxsize=1 << 16)
def satisfied(relation: Relation, version: str) -> bool:
    """Whether a version is in the relation's range; an unversioned relation takes every version.

    `version` is that of the package, or the one in `Provides: name (= version)`. An unversioned provide has
    none, the empty text, which satisfies no versioned relation (Policy 7.5).
    """
    if not relation.op:
        return True
    if not version:
        return False
    order = versions.compare(version, relation.version)
    match relation.op:
        case "<<":
            return order < 0
        case "<=":
            return order <= 0
        case "=":
            return order == 0
        case ">=":
            return order >= 0
        case "!=":
            return order != 0
        case _:
            return order > 0
