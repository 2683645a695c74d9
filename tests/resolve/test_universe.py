from __future__ import annotations

from typing import Any

import pytest

from pinner.apt.relations import Relation
from pinner.errors import Unsatisfiable
from pinner.resolve.universe import Offer, Universe
from tests.resolve.stories import index, package, stanzas

BACKPORTS = {"not_automatic": True, "but_automatic_upgrades": True}
EXPERIMENTAL = {"not_automatic": True}


def universe(installed: str = "", target_release: str = "", **suites: str) -> Universe:
    flags: dict[str, dict[str, Any]] = {"bpo": BACKPORTS, "exp": EXPERIMENTAL}
    return Universe(
        [index(story, name, **flags.get(name, {})) for name, story in suites.items()],
        arch="amd64",
        installed=map(package, stanzas(installed)),
        target_release=target_release,
    )


def text(offer: Offer | None) -> str:
    return "" if offer is None else f"{offer.name}={offer.version}"


@pytest.mark.parametrize(
    ("suites", "installed", "target", "expected"),
    [
        ({"a": "q=1"}, "", "", "q=1"),
        ({"a": "q=1", "b": "q=2"}, "", "", "q=2"),
        ({"a": "q=2", "b": "q=1"}, "", "", "q=2"),
        ({"a": "q=1\nq=3\nq=2"}, "", "", "q=3"),
        ({"a": "q=1.1", "bpo": "q=1.2"}, "", "", "q=1.1"),
        ({"a": "q=1.1", "exp": "q=1.2"}, "", "", "q=1.1"),
        ({"bpo": "q=1", "exp": "q=2"}, "", "", "q=1"),
        ({"exp": "q=2"}, "", "", "q=2"),
        ({"a": "q=1", "b": "q=2"}, "", "a", "q=1"),
        ({"a": "q=1", "bpo": "q=2"}, "", "bpo", "q=2"),
        ({"a": "q=1", "b": "q=2"}, "", "*", "q=2"),
        ({"a": "q=1", "b": "q=2"}, "", "n=a", "q=1"),
        ({"a": "q=1", "b": "q=2"}, "", "o=Syn", "q=2"),
        ({"a": "q=1"}, "q=2", "", "q=2"),
        ({"a": "q=2"}, "q=1", "", "q=2"),
        ({"a": "q=1", "bpo": "q=2", "exp": "q=3"}, "q=1.5", "", "q=2"),
        ({"a": "q=1"}, "q=2", "a", "q=2"),
        ({"a": "p"}, "", "", ""),
    ],
)
def test_candidate(suites: dict[str, str], installed: str, target: str, expected: str) -> None:
    assert text(universe(installed, target, **suites).candidate("q")) == expected


def test_target_release_must_exist() -> None:
    with pytest.raises(Unsatisfiable, match="'stable'"):
        universe(a="q", target_release="stable")


def test_one_version_in_two_pockets_is_one() -> None:
    both = universe(a="q=1\nq=2", b="q=2\nq=3").versions("q")
    assert [(offer.version, [i.source.suite for i in offer.pockets]) for offer in both] == [
        ("3", ["b"]),
        ("2", ["a", "b"]),
        ("1", ["a"]),
    ]
    assert both[1].index is both[1].pockets[0]


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ("q", "q", 1),
        ("q Depends: a (>= 1), b", "q Depends: a(>=1),b", 1),
        ("q Depends: a", "q Depends: b", 2),
        ("q Size: 1", "q Size: 2", 2),
        ("q Installed-Size: 1", "q Installed-Size: 2", 2),
        ("q Multi-Arch: foreign", "q", 2),
        ("q Replaces: a", "q", 2),
        ("q Recommends: a", "q Recommends: b", 1),
        ("q Provides: a", "q", 1),
    ],
)
def test_identity(first: str, second: str, count: int) -> None:
    assert len(universe(a=first, b=second).versions("q")) == count


def test_installed_version_is_the_archive_s_if_it_is_the_same() -> None:
    one = universe("q=1 Depends: a", a="q=1 Depends: a")
    assert one.installed("q") is one.candidate("q")
    other = universe("q=1 Depends: b", a="q=1 Depends: a")
    assert other.installed("q") is not other.candidate("q")
    assert text(other.candidate("q")) == "q=1"


OPENSSL = "\n".join(
    f"q={v}" for v in ("3.0.22-1~deb12u1", "3.0.20-1~deb12u2", "3.0.17-1~deb12u2", "4:12.2-3")
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("3.0.20-1~deb12u2", "3.0.20-1~deb12u2"),
        ("3.0.20*", "3.0.20-1~deb12u2"),
        ("3.0.1?-1~deb12u2", "3.0.17-1~deb12u2"),
        ("3.0.*", "3.0.22-1~deb12u1"),
        ("*", "4:12.2-3"),
        ("3.0.[12]*-1~*", ""),
        ("3.0.[12]0-1~deb12u2", "3.0.20-1~deb12u2"),
        ("3.0.2[!2]-1~deb12u2", "3.0.20-1~deb12u2"),
        ("3.0.2[2-1]-1~deb12u2", ""),
        ("3.0.2[!2-1]-1~deb12u2", "3.0.20-1~deb12u2"),
        ("3.0.2[2-10]-1~deb12u2", "3.0.20-1~deb12u2"),
        ("3.0.20-1~DEB12u2", "3.0.20-1~deb12u2"),
        ("3.0", ""),
        ("0:3.0.20-1~deb12u2", ""),
        ("4:12*", "4:12.2-3"),
        ("*12.2-3", "4:12.2-3"),
        ("12.2-3", ""),
        ("3.0.20-1~deb12u2[", ""),
    ],
)
def test_match(pattern: str, expected: str) -> None:
    found = universe(a=OPENSSL).match("q", pattern)
    assert (found.version if found else "") == expected


def test_match_ignores_priority_and_takes_self_provides() -> None:
    assert text(universe(a="q=1.1", bpo="q=1.2").match("q", "1.*")) == "q=1.2"
    assert text(universe(a="q=1 Provides: q (= 9)").match("q", "9")) == "q=1"


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("a", "q=1"),
        ("B", "q=2"),
        ("*", "q=3"),
        ("[ab]", "q=2"),
        ("none", ""),
        ("12", "q=1"),
        ("12.15", "q=1"),
        ("1", ""),
    ],
)
def test_in_release(release: str, expected: str) -> None:
    one = Universe(
        [
            index("q=1", "a", version="12.15" if release == "12.15" else "12"),
            index("q=2", "b"),
            index("q=3", "c"),
        ],
        arch="amd64",
    )
    assert text(one.in_release("q", release)) == expected


@pytest.mark.parametrize(
    ("story", "name", "version_text", "expected"),
    [
        ("p Provides: v", "v", "", "p=1.0"),
        ("p Provides: v\np=2 Provides: v", "v", "", "p=2"),
        ("p Provides: v (= 7)", "v", "7", "p=1.0"),
        ("v=1\np Provides: v", "v", "", "v=1"),
        ("v=1\nv=2", "v", "newest", "v=2"),
        ("v=1", "v", "candidate", "v=1"),
    ],
)
def test_select(story: str, name: str, version_text: str, expected: str) -> None:
    assert text(universe(a=story).select(name, version_text=version_text)) == expected


@pytest.mark.parametrize(
    ("story", "name", "version_text", "message"),
    [
        ("p Provides: v\nq Provides: v", "v", "", "virtual package provided by q, p"),
        ("p=1 Provides: v\np=2", "v", "", "no installation candidate"),
        ("p Provides: v (= 7)", "v", "1.0", "no installation candidate"),
        ("p Provides: v (= 7)", "v", "7*", "no installation candidate"),
        ("p Depends: v", "v", "", "no installation candidate"),
        ("curl", "crul", "", "no package crul\nhint: did you mean curl?"),
        ("p=1", "p", "2", "'2' of p was not found\nhint: there is 1"),
        ("p=1", "p", "installed", "not installed"),
    ],
)
def test_select_refuses(story: str, name: str, version_text: str, message: str) -> None:
    with pytest.raises(Unsatisfiable) as caught:
        universe(a=story).select(name, version_text=version_text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        (Relation("v"), "v=2 v=1 q=1.0 p=1.0"),
        (Relation("v", "", ">=", "2"), "v=2 q=1.0"),
        (Relation("v", "any"), "m=1.0"),
        (Relation("m", "any"), "m=1.0"),
        (Relation("v", "amd64"), "v=2 v=1 q=1.0 p=1.0"),
        (Relation("v", "arm64"), ""),
        (Relation("w"), ""),
    ],
)
def test_targets(relation: Relation, expected: str) -> None:
    one = universe(
        a="""
            v=1
            v=2
            p Provides: v
            q Provides: v (= 3)
            m Multi-Arch: allowed; Provides: v:any
            o Provides: w (>= 1)
        """
    )
    assert " ".join(map(text, one.targets(relation))) == expected


def test_installed_only_packages_count() -> None:
    one = universe("local=5 Provides: v", a="local=4\np Provides: v")
    assert " ".join(map(text, one.targets(Relation("v")))) == "local=5 p=1.0"
    assert " ".join(map(text, one.versions("local"))) == "local=5 local=4"
    assert one.order("local") < one.order("nothing")


def test_order_counts_the_first_mention() -> None:
    one = universe(a="need Depends: z | y, z; Provides: w\nx\ny", b="a\nx")
    names = ["need", "z", "y", "w", "x", "a"]
    assert sorted(names, key=one.order) == names


def test_with_installed_shares_the_versions() -> None:
    one = universe(a="q=1\nq=2")
    other = one.with_installed(map(package, stanzas("q=3")))
    assert other.versions("q")[1:] == one.versions("q")
    assert (text(one.candidate("q")), text(other.candidate("q"))) == ("q=2", "q=3")


def test_known() -> None:
    one = universe(a="p Depends: mentioned; Provides: v")
    assert [one.known(name) for name in ("p", "v", "mentioned", "nothing")] == [True, True, True, False]


def test_a_newer_source_has_given_up_a_binary() -> None:
    first = index(
        "old Source: s (1)\nsame Source: s (2)\ndoc Source: t (1); Architecture: amd64\nother Source: t (2)"
    )
    universe = Universe([first], arch="amd64")
    told = {
        name: universe.has_newer_source(universe.select(name)) for name in ("old", "same", "doc", "other")
    }
    # a binary for one architecture is not compared with those for all
    assert told == {"old": True, "same": False, "doc": False, "other": False}


def test_a_newer_source_of_lower_priority_does_not_count() -> None:
    indexes = [index("old Source: s (1)"), index("new Source: s (2)", "bpo", not_automatic=True)]
    universe = Universe(indexes, arch="amd64")
    assert not universe.has_newer_source(universe.select("old"))
