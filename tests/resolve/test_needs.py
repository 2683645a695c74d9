"""Whether a version satisfies a relation, asked of one version and of all."""

from __future__ import annotations

from itertools import product

import pytest

from pinner.apt.relations import Relation
from pinner.resolve.needs import fulfils
from pinner.resolve.universe import Universe
from tests.resolve.stories import index, package, stanzas

PROVIDES = ("", "a", "v", "v (= 2), a (= 3)", "b:any, v:i386", "v (>= 2), v (= 1)", "a (= 9), b (= 1)")
STORY = "\n".join(
    f"{name}={number}  Architecture: {{arch}}; Multi-Arch: {multi}; Size: {number}; Provides: {provides}"
    for name in "ab"
    for number, (multi, provides) in enumerate(product(("no", "same", "foreign", "allowed"), PROVIDES), 1)
)


@pytest.mark.parametrize("foreign", [(), ("i386",)])
def test_one_version_is_asked_as_all_are_looked_for(foreign: tuple[str, ...]) -> None:
    indexes = [index(STORY.format(arch=arch), arch=arch) for arch in ("amd64", *foreign)]
    other = [package(each) for each in stanzas("a=7.5 Architecture: s390x; Provides: v\nc Provides: a, v")]
    universe = Universe(indexes, arch="amd64", foreign=foreign, installed=other)
    names = ("a", "b", "c", "v", "a:i386", "b:i386", "v:i386", "a:s390x")
    offers = [offer for name in names for offer in universe.versions(name)]
    ranges = (("", ""), ("=", "3"), (">=", "9"), ("<<", "4"), ("!=", "2"))
    named = names if foreign else names[:4]
    for name, arch, (op, text) in product(named, ("", "any", "native", "i386", "s390x"), ranges):
        relation = Relation(name, arch, op, text)
        found = set(universe.targets(relation))
        assert {offer for offer in offers if fulfils(offer, relation, universe)} == found, relation
