from __future__ import annotations

import pytest

from pinner.apt import relations
from pinner.apt.relations import Relation
from pinner.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("a", ((Relation("a"),),)),
        ("a, b", ((Relation("a"),), (Relation("b"),))),
        ("a | b|c", ((Relation("a"), Relation("b"), Relation("c")),)),
        ("a (>= 1.0)", ((Relation("a", "", ">=", "1.0"),),)),
        ("a(<<1:2-3~)", ((Relation("a", "", "<<", "1:2-3~"),),)),
        ("a (< 1)", ((Relation("a", "", "<=", "1"),),)),
        ("a (> 1)", ((Relation("a", "", ">=", "1"),),)),
        ("a ( = 1 )", ((Relation("a", "", "=", "1"),),)),
        ("python3:any (>= 3.2~)", ((Relation("python3", "any", ">=", "3.2~"),),)),
        ("libc6:amd64", ((Relation("libc6", "amd64"),),)),
        ("g++, libstdc++6 (>= 5)", ((Relation("g++"),), (Relation("libstdc++6", "", ">=", "5"),))),
        ("a,\n b,", ((Relation("a"),), (Relation("b"),))),
        (", a", ((Relation("a"),),)),
    ],
)
def test_parse(text: str, expected: object) -> None:
    assert relations.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["a b", "a (1)", "a (>= )", "a (>= 1", "a | ", "a (!= 1)", "a [amd64]", "a <!nocheck>", "(a)"]
)
def test_refuse(text: str) -> None:
    with pytest.raises(InputError):
        relations.parse(text)


@pytest.mark.parametrize(
    ("relation", "version", "expected"),
    [
        ("a", "1", True),
        ("a", "", True),
        ("a (= 1.0)", "1.0", True),
        ("a (= 1.0)", "0:1.00", True),
        ("a (= 1.0)", "1.0-1", False),
        ("a (>= 1.0)", "1.0", True),
        ("a (>= 1.0)", "1.0~", False),
        ("a (>= 1.0)", "", False),
        ("a (<< 1.0)", "1.0", False),
        ("a (<< 1.0)", "1.0~rc1", True),
        ("a (<= 1.0)", "1.0", True),
        ("a (>> 1.0)", "1.0", False),
        ("a (>> 1.0)", "1.0-1", True),
    ],
)
def test_satisfied(relation: str, version: str, expected: bool) -> None:
    ((parsed,),) = relations.parse(relation)
    assert relations.satisfied(parsed, version) is expected


def test_text_of_a_relation() -> None:
    ((relation,),) = relations.parse("python3:any(>=3.2)")
    assert str(relation) == "python3:any (>= 3.2)"
