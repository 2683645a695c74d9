"""Small stories, each told to the resolver and, in the live run, to real apt."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from pinner.apt.version import compare
from pinner.distributions.suite import SOLVER_3_SINCE
from pinner.errors import Refused, Unsatisfiable
from pinner.resolve import classic
from pinner.resolve import solver as solver_choice
from pinner.resolve.resolution import Resolution, ResolvedArgument
from pinner.resolve.solver3 import solver as solver3
from pinner.resolve.universe import Universe
from tests.resolve.stories import index, package, stanzas

FAILS = "fails"
UNIMPORTANT = "-oAPT::AutoRemove::SuggestsImportant=false"
SUGGESTED = "a Recommends: b; Suggests: c\nb Depends: c, d\nc\nd Depends: e\ne Depends: gone"
OLD, NEW = "2.6.1", "3.2.0"


@dataclass(frozen=True)
class Story:
    """`asked` is what stands after `apt-get install`; `expected` are the steps: `name` or `name=version` to
    install (without a version it is 1.0), `-name` to remove. `since_3_1` are those of apt 3.1.10 and later, where they
    differ. `foreign` is an architecture that was added to amd64."""

    name: str
    archive: str | Mapping[str, str]
    asked: str
    expected: str
    installed: str = ""
    since_3_1: str = ""
    foreign: str = ""

    def steps(self, apt: str) -> str:
        """What this version of apt does."""
        return self.since_3_1 if self.since_3_1 and apt == NEW else self.expected

    @property
    def suites(self) -> Mapping[str, str]:
        return {"a": self.archive} if isinstance(self.archive, str) else self.archive


XY = "need Depends: x | y\nz Depends: y\nx\ny"
RELEASES: dict[str, dict[str, bool]] = {"bpo": {"not_automatic": True, "but_automatic_upgrades": True}}

STORIES = [
    Story("what is suggested is not dropped once it is there", SUGGESTED, "a", "a c", since_3_1="a"),
    Story("unless the image says otherwise", SUGGESTED, f"{UNIMPORTANT} a", "a"),
    Story(
        "a solution that is named twice counts twice",
        "c\nf\ng Depends: f | c, c | c",
        "g",
        "c f g",
    ),
    Story(
        "siblings are upgraded in the reverse order of reading",
        "a=2.0 Source: s\ne=2.0 Source: s\ng=2.0 Depends: e (<< 2); Source: s",
        "a",
        "a=2.0 e=2.0",
        "e\ng",
        since_3_1="a=2.0 g=2.0",
    ),
    Story(
        "a recommendation that cannot be had is not waited for",
        "a\nb=2.0 Recommends: a | d\nc Recommends: d | d, b (<< 2)\nd",
        "b c",
        "a b=2.0 c d",
    ),
    Story(
        "an upgrade keeps what its old version suggests",
        "a=2.0 Suggests: x\nb Conflicts: x; Depends: a (>= 2)\nx",
        "b",
        "b a=2.0 -x",
        "a Suggests: x\nx",
    ),
    Story(
        "what is broken is seen before it is dropped, though nobody needs it any more",
        "a Recommends: f; Conflicts: c\nb Depends: e\nc Depends: c, c; Conflicts: d, f\nd Conflicts: e, e\ne\n"
        "f Depends: d, c",
        "a b",
        FAILS,
        since_3_1="a b e",
    ),
    Story("one", "a", "a", "a"),
    Story(
        "pre-depends come first", "a Depends: b; Pre-Depends: c\nb Conflicts: d\nc Depends: d\nd", "a", FAILS
    ),
    Story("order of the command line, the chooser first", XY, "need z", "x y need z", since_3_1="y need z"),
    Story("order of the command line, the other first", XY, "z need", "y need z"),
    Story("an alternative that is asked for", XY, "need y", "y need"),
    Story(
        "order in a field: the choice later", "need Depends: z, x | y\nz Depends: y\nx\ny", "need", "y need z"
    ),
    Story(
        "order in a field: the choice first",
        "need Depends: x | y, z\nz Depends: y\nx\ny",
        "need",
        "x y need z",
        since_3_1="y z need",
    ),
    Story("an alternative that is missing", "need Depends: missing | real\nreal", "need", "need real"),
    Story("an alternative that is installed", "need Depends: x | y\nx\ny", "need", "need", "y"),
    Story(
        "an alternative whose needs cannot be met",
        "need Depends: x | y\nx Depends: gone\ny",
        "need",
        "need y",
    ),
    Story(
        "an alternative that fails deeper down",
        "need Depends: x | y\nx Depends: x1, x2\nx1\nx2 Depends: x3\nx3 Depends: gone\ny",
        "need",
        "need y",
    ),
    Story(
        "provider met last wins",
        "need Depends: v\np1 Provides: v\np2 Provides: v\np3 Provides: v",
        "need",
        "need p3",
        since_3_1="need p1",
    ),
    Story(
        "a provider mentioned earlier is met earlier",
        "need Depends: v; Suggests: p3\np1 Provides: v\np2 Provides: v\np3 Provides: v",
        "need",
        "need p2",
        since_3_1="need p1",
    ),
    Story(
        "an architecture-qualified mention is of another name",
        "need Depends: v; Suggests: p2:any\np1 Provides: v\np2 Provides: v",
        "need",
        "need p2",
        since_3_1="need p1",
    ),
    Story(
        "provider of higher priority wins",
        "need Depends: v\np1 Provides: v; Priority: important\np2 Provides: v",
        "need",
        "need p1",
    ),
    Story(
        "the real package wins over any provider",
        "need Depends: real\nreal\np Provides: real; Priority: required",
        "need",
        "need real",
    ),
    Story(
        "provider that is asked for wins",
        "need Depends: v\np1 Provides: v\np2 Provides: v",
        "need p1",
        "need p1",
    ),
    Story(
        "provider that is installed",
        "need Depends: v\np1 Provides: v\np2 Provides: v",
        "need",
        "need",
        "p1 Provides: v",
    ),
    Story(
        "an essential provider wins",
        "need Depends: v\np1 Provides: v; Essential: yes\np2 Provides: v; Priority: required",
        "need",
        "need p1",
    ),
    Story(
        "unversioned provide does not satisfy a version",
        "need Depends: v (>= 1)\np Provides: v",
        "need",
        FAILS,
    ),
    Story(
        "versioned provide", "need Depends: v (>= 1)\np Provides: v (= 2)\nq Provides: v", "need", "need p"
    ),
    Story(
        "provide that is not exact is ignored", "need Depends: v (>= 1)\np Provides: v (>= 2)", "need", FAILS
    ),
    Story("sole provider as an argument", "p Provides: v", "v", "p"),
    Story("several providers as an argument", "p Provides: v\nq Provides: v", "v", FAILS),
    Story("unknown", "a", "b", FAILS),
    Story("dependency that is missing", "need Depends: gone", "need", FAILS),
    Story("candidates only", "need Depends: q (= 1.0)\nq=1.0\nq=2.0", "need", FAILS),
    Story("a version asked for", "need Depends: q (= 1.0)\nq=1.0\nq=2.0", "need q=1.0", "need q"),
    Story("a version asked for, first", "need Depends: q (= 1.0)\nq=1.0\nq=2.0", "q=1.0 need", "need q"),
    Story("the last of two versions counts", "q=1.0\nq=2.0", "q q=1.0", "q"),
    Story("the last of two versions counts, the other", "q=1.0\nq=2.0", "q=1.0 q", "q=2.0"),
    Story(
        "a pin fixes one name",
        {"a": "app=2.0 Depends: lib (= 2.0)\nlib=2.0", "b": "app Depends: lib (= 1.0)\nlib"},
        "app=1.0",
        FAILS,
    ),
    Story(
        "pins of siblings on one line",
        {"a": "app=2.0 Depends: lib (= 2.0)\nlib=2.0", "b": "app Depends: lib (= 1.0)\nlib"},
        "app=1.0 lib=1.0",
        "app lib",
    ),
    Story(
        "a release switches what it needs",
        {"a": "app=2.0 Depends: lib (= 2.0)\nlib=2.0", "b": "app Depends: lib (= 1.0)\nlib"},
        "app/b",
        "app lib",
    ),
    Story("backports wait to be asked", {"a": "q=1.0", "bpo": "q=2.0"}, "q", "q"),
    Story("backports by glob", {"a": "q=1.0", "bpo": "q=2.0"}, "q=*", "q=2.0"),
    Story("backports by release", {"a": "q=1.0", "bpo": "q=2.0 Depends: r\nr=2.0"}, "q/bpo", "q=2.0 r=2.0"),
    Story("conflict of two requests", "a Conflicts: b\nb", "a b", FAILS),
    Story("conflict with a dependency", "a Depends: c\nb Conflicts: c\nc", "a b", FAILS),
    Story(
        "conflict avoided by another alternative",
        "a Conflicts: x\nneed Depends: x | y\nx\ny",
        "a need",
        "a need y",
    ),
    Story(
        "conflict met later than the choice",
        "a Conflicts: x\nneed Depends: x | y\nx\ny",
        "need a",
        "a need y",
    ),
    Story("conflict with oneself through a provide", "a Provides: v; Conflicts: v\nb", "a", "a"),
    Story("a conflict removes what is installed", "a Conflicts: b\nb", "a", "a -b", "b"),
    Story(
        "a conflict spares the essential", "a Conflicts: b\nb Essential: yes", "a", FAILS, "b Essential: yes"
    ),
    Story(
        "a conflict spares the protected", "a Conflicts: b\nb Protected: yes", "a", FAILS, "b Protected: yes"
    ),
    Story("a break upgrades what is installed", "a Breaks: b (<< 2)\nb=2.0", "a", "a b=2.0", "b"),
    Story("a break removes what has no upgrade", "a Breaks: b (<< 2)\nb=1.0", "a", "a -b", "b"),
    Story(
        "what depends on the removed goes too",
        "a Conflicts: b\nb\nc Depends: b",
        "a",
        "a -b -c",
        "b\nc Depends: b",
    ),
    Story("an upgrade for a version", "a Depends: b (>= 2)\nb=2.0", "a", "a b=2.0", "b"),
    Story("an installed package asked for is upgraded", "b=2.0", "b", "b=2.0", "b"),
    Story("an installed package at its version", "b", "b", "", "b"),
    Story("an installed package newer than the archive", "b", "b", "", "b=2.0"),
    Story("newer installed than a strict sibling", "a Depends: b (= 1.0)\nb", "a", FAILS, "b=2.0"),
    Story(
        "siblings of one source are upgraded together",
        "lib=2.0 Source: s\ntool=2.0 Source: s\nother=2.0 Source: t",
        "lib",
        "lib=2.0 tool=2.0",
        "lib Source: s\ntool Source: s\nother Source: t",
    ),
    Story(
        "what needs the old version is upgraded",
        "lib=2.0\napp=2.0 Depends: lib (= 2.0)",
        "lib",
        "lib=2.0 app=2.0",
        "lib\napp Depends: lib (= 1.0)",
    ),
    Story(
        "what needs the old version and has no upgrade",
        "lib=2.0\napp Depends: lib (= 1.0)",
        "lib",
        "lib=2.0 -app",
        "lib\napp Depends: lib (= 1.0)",
    ),
    Story("a downgrade that is asked for", "b=1.0\nb=2.0", "b=1.0", "b", "b=2.0"),
    Story("recommends come along", "a Recommends: b\nb Recommends: c\nc", "a", "a b c"),
    Story("recommends switched off", "a Recommends: b\nb", "--no-install-recommends a", "a"),
    Story("suggests do not", "a Suggests: b\nb", "a", "a"),
    Story("suggests switched on", "a Suggests: b\nb", "--install-suggests a", "a b"),
    Story("enhances never", "a Enhances: b\nb Enhances: a", "a", "a"),
    Story("a recommendation that is missing", "a Recommends: gone", "a", "a"),
    Story("a recommendation that fails", "a Recommends: b\nb Depends: c, gone\nc", "a", "a"),
    Story("a recommendation that conflicts", "a Recommends: b\nb Conflicts: a", "a", "a"),
    Story(
        "a recommendation that conflicts with a request", "a Recommends: b\nb\nc Conflicts: b", "a c", "a c"
    ),
    Story("recommended alternatives", "a Recommends: gone | b\nb", "a", "a b"),
    Story(
        "what a failed recommendation brought is swept",
        "a Recommends: b\nb Depends: c, d\nc\nd Depends: e\ne Depends: gone",
        "a",
        "a",
    ),
    Story(
        "what the newest version of its source provides as well is swept",
        "a Depends: old\nold=1.0 Depends: new; Source: s\nnew=2.0 Source: s; Provides: old",
        "a",
        "a new=2.0",
    ),
    Story("recommends of an upgrade: a new one", "a=2.0 Recommends: b\nb", "a", "a=2.0 b", "a"),
    Story("recommends of an upgrade: an old one", "a=2.0 Recommends: b\nb", "a", "a=2.0", "a Recommends: b"),
    Story("removal bars", "new Depends: x | y\nx\ny", "new x-", "new y"),
    Story("removal of an installed package", "a\nb", "a b-", "a -b", "b"),
    Story("removal of what is needed", "a Depends: b\nb", "a b-", FAILS),
    Story("a name that ends in a dash", "x-\nx", "x-", "x-"),
    Story(
        "a break leaves another choice",
        "w Conflicts: y\nneed Depends: x | y\nx\ny",
        "w",
        "w -y x",
        "y\nneed Depends: x | y",
    ),
    Story("cycle", "a Depends: b\nb Depends: c\nc Depends: a", "a", "a b c"),
    Story("cycle with a recommendation", "a Depends: b\nb Recommends: a", "b", "a b"),
    Story("any: allowed", "a Depends: b:any\nb Multi-Arch: allowed; Architecture: amd64", "a", "a b"),
    Story(
        "any: foreign is not allowed",
        "a Depends: b:any\nb Multi-Arch: foreign; Architecture: amd64",
        "a",
        FAILS,
    ),
    Story("any: no", "a Depends: b:any\nb Architecture: amd64", "a", FAILS),
    Story(
        "any: a versioned one",
        "a Depends: b:any (>= 2)\nb=2.0 Multi-Arch: allowed; Architecture: amd64",
        "a",
        "a b=2.0",
    ),
    Story(
        "any: through a provide",
        "a Depends: v:any\nb Multi-Arch: allowed; Architecture: amd64; Provides: v",
        "a",
        "a b",
    ),
    Story("native architecture by name", "a Depends: b:amd64\nb Architecture: amd64", "a", "a b"),
    Story("a foreign architecture", "a Depends: b:arm64\nb Architecture: amd64", "a", FAILS),
    Story("multi-arch same", "a Depends: b\nb Multi-Arch: same; Architecture: amd64", "a", "a b"),
    Story(
        "two pockets, the security one newer",
        {"a": "lib=1.0\napp Depends: lib (>= 1.1)", "b": "lib=1.1"},
        "app",
        "app lib=1.1",
    ),
    Story(
        "a choice that conflicts with a later need",
        "need Depends: x | y, w\nx Conflicts: w\ny\nw",
        "need",
        FAILS,
        since_3_1="w y need",
    ),
    Story(
        "a protected chain bars what it conflicts with",
        "a Depends: b\nb Conflicts: x\nneed Depends: x | y\nx\ny",
        "a need",
        "a b need y",
    ),
    Story(
        "recommended alternative given up for a later dependency",
        "a Recommends: x; Depends: b\nb Conflicts: x\nx",
        "a",
        "a b",
    ),
    Story(
        "a break against a candidate",
        "a Depends: b, c\nb Breaks: c (<< 2)\nc=1.0",
        "a",
        FAILS,
    ),
    Story(
        "a virtual conflict among providers",
        "need Depends: m\np Provides: m; Conflicts: m\nq Provides: m; Conflicts: m",
        "need",
        "need q",
        since_3_1="need p",
    ),
    Story(
        "two providers that exclude each other",
        "p Provides: m; Conflicts: m\nq Provides: m; Conflicts: m",
        "p q",
        FAILS,
    ),
    Story(
        "a provider changes",
        "p Provides: m; Conflicts: m\nq Provides: m; Conflicts: m",
        "p",
        "p -q",
        "q Provides: m; Conflicts: m",
    ),
]


SAME = "Multi-Arch: same; Architecture"
TWO = [
    Story("a package of the other architecture", f"lib {SAME}: i386\nlib {SAME}: amd64", "lib:i386", "lib:i386"),
    Story(
        "its needs are of its architecture",
        "app Architecture: i386; Depends: lib\nlib Architecture: i386\nlib Architecture: amd64", "app:i386",
        "app:i386 lib:i386",
    ),
    Story("without a qualifier, where only the other one has it", "wine Architecture: i386", "wine", "wine:i386"),
    Story(
        "a tool for all architectures",
        "app Architecture: i386; Depends: tool\ntool Architecture: amd64; Multi-Arch: foreign", "app:i386",
        "app:i386 tool",
    ),
    Story(
        "a tool for its own alone", "app Architecture: i386; Depends: tool\ntool Architecture: amd64", "app:i386", FAILS
    ),
    Story(
        "what is for all architectures is native", "app Architecture: i386; Depends: data\ndata", "app:i386", FAILS
    ),
    Story(
        "unless it says that it is foreign", "app Architecture: i386; Depends: data\ndata Multi-Arch: foreign",
        "app:i386",
        "app:i386 data",
    ),
    Story(
        "any architecture of what allows it",
        "app Architecture: i386; Depends: py:any\npy Architecture: amd64; Multi-Arch: allowed", "app:i386",
        "app:i386 py",
    ),
    Story("both at one version", f"lib {SAME}: i386\nlib {SAME}: amd64", "lib lib:i386", "lib lib:i386"),
    Story("not at two versions", f"lib=2.0 {SAME}: i386\nlib=1.0 {SAME}: amd64", "lib lib:i386", FAILS),
    Story("not both of what is no library", "app Architecture: i386\napp Architecture: amd64", "app app:i386", FAILS),
    Story(
        "one gives way to the other", "app Architecture: i386\napp Architecture: amd64", "app:i386", "app:i386 -app",
        "app Architecture: amd64",
    ),
    Story(
        "an installed sibling is upgraded",
        f"lib=2.0 {SAME}: i386\nlib=2.0 {SAME}: amd64", "lib:i386", "lib:i386=2.0 lib=2.0", f"lib {SAME}: amd64",
    ),
    Story(
        "a conflict holds for all architectures",
        "app Conflicts: lib\nlib Architecture: i386\nlib Architecture: amd64", "app lib:i386", FAILS,
    ),
    Story(
        "a library may exclude what else provides it",
        f"lib {SAME}: i386; Provides: v; Conflicts: v\nlib {SAME}: amd64; Provides: v; Conflicts: v", "lib lib:i386",
        "lib lib:i386",
    ),
    Story(
        "the native provider comes first",
        "app Depends: v\na Architecture: i386; Multi-Arch: foreign; Provides: v\n"
        "b Architecture: amd64; Multi-Arch: foreign; Provides: v", "app", "app b",
    ),
    Story(
        "a cross compiler", f"cross Architecture: amd64; Depends: lib:i386\nlib {SAME}: i386\nlib {SAME}: amd64",
        "cross",
        "cross lib:i386",
    ),
    Story(
        "a name that only the added one has, though another package provides it",
        "v Architecture: i386\np Architecture: amd64; Provides: v", "v", "v:i386",
    ),
    Story(
        "a name for all that only the added one has, in one version",
        "v=2.0 Architecture: i386; Multi-Arch: foreign\np Architecture: amd64; Provides: v (= 2.0)", "v=2.0",
        "v:i386=2.0",
    ),
    Story(
        "what provides the name of a package may stand beside it",
        "app Depends: v\nv Architecture: amd64; Multi-Arch: foreign; Depends: q\n"
        "v Architecture: i386; Multi-Arch: foreign\nq Architecture: amd64; Multi-Arch: foreign; Provides: v",
        "app", "app v q",
    ),
]  # fmt: skip
STORIES += [replace(each, foreign="i386") for each in TWO]


def call(story: Story) -> tuple[list[str], dict[str, bool]]:
    words = story.asked.split()
    options = {
        "recommends": "--no-install-recommends" not in words,
        "suggests": "--install-suggests" in words,
        "suggests_important": UNIMPORTANT not in words,
    }
    return [word for word in words if not word.startswith("-")], options


def ask(universe: Universe, word: str) -> ResolvedArgument:
    if word.endswith("-") and not universe.versions(word):
        return ResolvedArgument(universe.versions(word[:-1])[0], remove=True)
    name, _, version = word.partition("=")
    name, _, release = name.partition("/")
    return ResolvedArgument(universe.select(name, version_text=version, release=release), release=release)


def universe_of(story: Story) -> Universe:
    archs = ("amd64", *story.foreign.split())
    indexes = [
        index(text, suite, arch=arch, **RELEASES.get(suite, {}))
        for suite, text in story.suites.items()
        for arch in archs
    ]
    installed = map(package, stanzas(story.installed))
    return Universe(indexes, arch="amd64", foreign=archs[1:], installed=installed)


def steps(resolution: Resolution) -> set[str]:
    found = {f"{one.offer.name}={one.offer.version}" for one in resolution.chosen}
    return found | {f"-{gone.name}" for gone in resolution.removed}


def expected(text: str) -> set[str]:
    return {word if "=" in word or word.startswith("-") else f"{word}=1.0" for word in text.split()}


SOLVERS: dict[str, Callable[..., Resolution]] = {OLD: classic.solve, NEW: partial(solver3.solve, apt=NEW)}
both = pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("apt", [OLD, NEW])
def test_story(story: Story, apt: str) -> None:
    words, options = call(story)
    universe = universe_of(story)
    try:
        resolution = SOLVERS[apt](universe, [ask(universe, word) for word in words], **options)
    except Unsatisfiable as error:
        assert story.steps(apt) == FAILS, error
    else:
        assert story.steps(apt) != FAILS
        assert steps(resolution) == expected(story.steps(apt))
        assert all(one.causes for one in resolution.chosen)


EQUALS = Story(
    "two of equal standing, each of which can stay only without the other",
    "a Conflicts: base\nbase\np=2.0 Conflicts: q\nq=2.0 Conflicts: p",
    "a",
    FAILS,
    "base\np Depends: base\nq Depends: base",
)


def test_an_accident_of_apt_is_refused() -> None:
    universe = universe_of(EQUALS)
    with pytest.raises(Refused, match="does not guess"):
        classic.solve(universe, [ask(universe, "a")])


@both
def test_causes(solve: Callable[..., Resolution]) -> None:
    universe = universe_of(
        Story("", "a Depends: b | x; Recommends: c\nb Depends: c\nc\nlib=2.0", "", "", "lib=1.0 Breaks: z")
    )
    resolution = solve(universe, [ask(universe, word) for word in ("a", "lib")])
    told = {
        one.offer.name: [
            f"{cause.parent.name if cause.parent else ''}/{cause.need or ''}" for cause in one.causes
        ]
        for one in resolution.chosen
    }
    assert told == {
        "lib": ["/"],
        "a": ["/"],
        "b": ["a/Depends: b | x"],
        "c": ["b/Depends: c", "a/Recommends: c"],
    }
    lib = next(one for one in resolution.chosen if one.offer.name == "lib")
    assert (lib.requested, lib.replaces and lib.replaces.version) == (True, "1.0")


@both
def test_a_failure_tells_the_chain(solve: Callable[..., Resolution]) -> None:
    universe = universe_of(Story("", "a Depends: b\nb Depends: c (>= 2)\nc=1.0\nc=0.5", "", ""))
    with pytest.raises(Unsatisfiable) as caught:
        solve(universe, [ask(universe, "a")])
    assert str(caught.value) == ("b 1.0 needs c (>= 2), but c 1.0 is the candidate, required by a 1.0")


@both
def test_calls_in_a_row(solve: Callable[..., Resolution]) -> None:
    universe = universe_of(Story("", "need Depends: x | y\nx\ny\nw Conflicts: y", "", ""))
    first = solve(universe, [ask(universe, "y")])
    second = solve(universe.with_installed(first.after), [ask(universe, "need")])
    assert steps(second) == {"need=1.0"}
    third = universe.with_installed(second.after)
    assert steps(solve(third, [ask(third, "w")])) == {"w=1.0", "-y", "x=1.0"}


@both
@pytest.mark.parametrize(
    ("archive", "asked", "installed", "name", "cause"),
    [
        ("a Breaks: b (<< 2)\nb=2.0", "a", "b", "b", "a/Breaks: b (<< 2)"),
        ("lib=2.0\napp=2.0", "lib", "lib\napp Depends: lib (= 1.0)", "app", "lib/Depends: lib (= 1.0)"),
        ("lib=2.0 Source: s\ntool=2.0 Source: s", "lib", "lib Source: s\ntool Source: s", "tool", "lib/"),
        ("a Depends: b (>= 2)\nb=2.0", "a", "b", "b", "a/Depends: b (>= 2)"),
    ],
)
def test_causes_of_an_upgrade(
    solve: Callable[..., Resolution], archive: str, asked: str, installed: str, name: str, cause: str
) -> None:
    universe = universe_of(Story("", archive, "", "", installed))
    chosen = {one.offer.name: one for one in solve(universe, [ask(universe, asked)]).chosen}
    first = chosen[name].causes[0]
    assert f"{first.parent and first.parent.name}/{first.need or ''}" == cause


@pytest.mark.parametrize(
    ("archive", "asked", "message", "hint"),
    [
        ("a Depends: b\nb Depends: gone", "a", "b 1.0 needs gone, but there is no gone, required by a 1.0", ""),
        (
            "a Depends: q (= 1.0)\nq=1.0\nq=2.0", "a", "a 1.0 needs q (= 1.0), but q 2.0 is the candidate",
            "ask for q=1.0 as well: apt takes candidates only",
        ),
        ("a Depends: c\nb Conflicts: c\nc", "a b", "b 1.0 conflicts with c, and c 1.0 would be there", ""),
        (
            "a Depends: x | y\nx Depends: gone\ny Conflicts: a", "a",
            "x 1.0 needs gone, but there is no gone, required by a 1.0; "
            "y 1.0 conflicts with a, and a 1.0 would be there", "",
        ),
        ("a Depends: b\nb", "a b-", "a 1.0 needs b, but b is to be removed", ""),
    ],
)  # fmt: skip
def test_failures_since_3_1(archive: str, asked: str, message: str, hint: str) -> None:
    universe = universe_of(Story("", archive, "", ""))
    with pytest.raises(Unsatisfiable) as caught:
        solver3.solve(universe, [ask(universe, word) for word in asked.split()], apt=NEW)
    assert (caught.value.message, caught.value.hint) == (message, hint)


BETWEEN = "need Depends: x | y, w\nx Conflicts: w\ny\nw"


@pytest.mark.parametrize(("apt", "error"), [("2.6.1", Unsatisfiable), ("3.0.4", Refused), ("3.1.9", Refused)])
def test_where_the_classic_solver_has_a_fallback(apt: str, error: type[Exception]) -> None:
    universe = universe_of(Story("", BETWEEN, "", "", f"apt={apt}"))
    with pytest.raises(Unsatisfiable) as caught:
        solver_choice.solve(universe, [ask(universe, "need")])
    assert type(caught.value) is error


def test_a_failure_of_both_solvers_is_one() -> None:
    universe = universe_of(Story("", "a Depends: gone", "", "", "apt=3.0.4"))
    with pytest.raises(Unsatisfiable, match="there is no gone") as caught:
        solver_choice.solve(universe, [ask(universe, "a")])
    assert not isinstance(caught.value, Refused)


@pytest.mark.parametrize(
    ("archive", "installed", "asked", "message"),
    [
        (
            "a Depends: libc\nlibc", "sh Depends: libc\nmawk Depends: libc\nlibc", "libc- a",
            "a 1.0 needs libc, but libc is to be removed",
        ),
        (
            "a Conflicts: tool\nplugin Depends: tool (= 1.0)\ntool", "", "a plugin",
            "plugin 1.0 needs tool (= 1.0), but tool 1.0 conflicts with a 1.0",
        ),
    ],
)  # fmt: skip
def test_failures_name_the_cause(archive: str, installed: str, asked: str, message: str) -> None:
    universe = universe_of(Story("", archive, "", "", installed))
    with pytest.raises(Unsatisfiable) as caught:
        classic.solve(universe, [ask(universe, word) for word in asked.split()])
    assert caught.value.message == message
    assert caught.value.hint == ""


@pytest.mark.parametrize(
    ("apt", "provider"), [("2.6.1", "z"), ("3.1.9", "z"), ("3.1.10", "b"), ("3.3.5", "b")]
)
def test_the_root_s_apt_decides(apt: str, provider: str) -> None:
    """The last provider that is met wins with the classic solver, the first by name with the other one."""
    universe = universe_of(Story("", "a Depends: v\nb Provides: v\nz Provides: v", "", "", f"apt={apt}"))
    resolution = solver_choice.solve(universe, [ask(universe, "a")])
    assert steps(resolution) == {"a=1.0", f"{provider}=1.0"}


#: What changed in the classic solver: since which apt, archive, installed, asked, before, since.
CHANGES: dict[str, tuple[str, str, str, str, str, str]] = {
    "siblings are upgraded": (
        "2.5.2", "lib=2.0 Source: s\ntool=2.0 Source: s", "lib Source: s\ntool Source: s", "lib",
        "lib=2.0", "lib=2.0 tool=2.0",
    ),
    "the command line's order counts": ("2.5.3", XY, "", "z need", "x y need z", "y need z"),
    "what needs the old version is upgraded": (
        "2.4.7", "lib=2.0\napp=2.0", "lib\napp Depends: lib (= 1.0) | lib", "lib", "lib=2.0", "app=2.0 lib=2.0"
    ),
    "essential packages are not removed": ("2.3.12", "a Conflicts: e", "e Essential: yes", "a", "-e a", FAILS),
    "a package cannot be replaced by what it needs": (
        "2.1.0", "a Recommends: o\no Depends: k; Recommends: p\np Conflicts: o; Provides: o\nk", "", "a",
        "a p", "a k o",
    ),
}  # fmt: skip
#: The apts of bionic, focal, bullseye, jammy, bookworm and trixie.
CLASSIC_APTS = ("1.6.17", "2.0.11", "2.2.4", "2.4.15", "2.6.1", "3.0.4")


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_the_classic_solver(name: str) -> None:
    since, archive, installed, asked, before, now = CHANGES[name]
    for apt in CLASSIC_APTS:
        universe = universe_of(Story("", archive, "", "", f"apt={apt}\n{installed}"))
        told = now if compare(apt, since) >= 0 else before
        try:
            resolution = classic.solve(universe, [ask(universe, word) for word in asked.split()])
        except Unsatisfiable:
            assert told == FAILS, apt
        else:
            assert steps(resolution) == expected(told), apt


@pytest.mark.live
@pytest.mark.parametrize("name", CHANGES)
def test_changes_with_apt(name: str, tmp_path: Path) -> None:
    """With the apt of a root that `PINNER_CHROOT` names."""
    chroot = os.environ.get("PINNER_CHROOT", "")
    own = run(("chroot", chroot), Path("/"), "apt-get", "--version").stdout.split()[1] if chroot else "9"
    if compare(own, SOLVER_3_SINCE) >= 0:
        pytest.skip("PINNER_CHROOT names no root with the classic solver")
    since, archive, installed, asked, before, now = CHANGES[name]
    root = Path(chroot, tmp_path.relative_to("/"))
    ran = apt(root, tmp_path, ("chroot", chroot), Story("", archive, "", "", installed),
              "apt-get", "-s", "install", *asked.split())  # fmt: skip
    told = now if compare(own, since) >= 0 else before
    assert (ran.returncode != 0) == (told == FAILS), ran.stderr
    assert ran.returncode or simulated(ran.stdout) == expected(told)


@pytest.mark.live
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story_with_apt(story: Story, tmp_path: Path) -> None:
    """With the machine's apt, or that of a debootstrapped root that `PINNER_CHROOT` names."""
    chroot = os.environ.get("PINNER_CHROOT")
    root = Path(chroot, tmp_path.relative_to("/")) if chroot else tmp_path
    words, _ = call(story)
    options = [word for word in story.asked.split() if word.startswith("-")]
    prefix = ("chroot", chroot) if chroot else ()
    ran = apt(root, tmp_path, prefix, story, "apt-get", "-s", *options, "install", *words)
    told = run(prefix, tmp_path, "apt-get", "--version").stdout.split()[1]
    version = NEW if compare(told, SOLVER_3_SINCE) >= 0 else OLD
    if story.steps(version) == FAILS:
        assert ran.returncode == 100, ran.stdout
        return
    assert ran.returncode == 0, ran.stderr
    assert simulated(ran.stdout) == expected(story.steps(version))


def simulated(output: str) -> set[str]:
    """The steps that `apt-get -s` prints."""
    found = re.findall(r"^Inst (\S+) (?:\[[^]]+\] )?\((\S+)", output, re.M)
    gone = re.findall(r"^Remv (\S+)", output, re.M)
    return {f"{name}={new}" for name, new in found} | {f"-{name}" for name in gone}


def apt(
    root: Path, inside: Path, prefix: tuple[str, ...], story: Story, *command: str
) -> subprocess.CompletedProcess[str]:
    """Run apt in a root of its own (apt.conf(5)), which it sees as `inside`, with the story's suites as sources."""
    for folder in (
        "etc/apt/preferences.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/lib/dpkg",
    ):
        (root / folder).mkdir(parents=True)
    status = "".join(
        stanza_text({"Status": "install ok installed", **stanza}) for stanza in stanzas(story.installed)
    )
    (root / "var/lib/dpkg/status").write_text(status)
    lines = []
    for suite, text in story.suites.items():
        repository = root / "repo" / suite
        repository.mkdir(parents=True)
        body = "".join(
            stanza_text(
                {"Size": "1", "SHA256": "0" * 64, "Filename": f"./{s['Package']}_{s['Version']}.deb", **s}
            )
            for s in stanzas(text)
        )
        (repository / "Packages").write_text(body)
        flags = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"} if suite in RELEASES else {}
        release = {"Origin": "Syn", "Label": "Syn", "Suite": suite, "Codename": suite, **flags}
        digest = hashlib.sha256(body.encode()).hexdigest()
        (repository / "Release").write_text(
            "".join(f"{key}: {value}\n" for key, value in release.items())
            + f"Date: Mon, 02 Nov 2026 00:00:00 UTC\nSHA256:\n {digest} {len(body)} Packages\n"
        )
        lines.append(f"deb [trusted=yes] file:{inside}/repo/{suite} ./\n")
    (root / "etc/apt/sources.list").write_text("".join(lines))
    (root / "apt.conf").write_text(
        f'Dir "{inside}"; Dir::State::status "{inside}/var/lib/dpkg/status"; Dir::Etc::main "/dev/null";\n'
        'Dir::Etc::parts "/dev/null"; APT::Architecture "amd64";\n'
        f"APT::Architectures {{ amd64; {''.join(f'{arch};' for arch in story.foreign.split())} }};\n"
        'Acquire::Languages "none"; APT::Sandbox::User "root"; Debug::NoLocking "1";\n'
    )
    updated = run(prefix, inside, "apt-get", "update", "-qq")
    assert updated.returncode == 0, updated.stderr
    return run(prefix, inside, *command)


def run(prefix: tuple[str, ...], inside: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "APT_CONFIG": f"{inside}/apt.conf", "LC_ALL": "C"}
    return subprocess.run([*prefix, *command], env=environment, capture_output=True, text=True, check=False)


def stanza_text(stanza: Mapping[str, str]) -> str:
    fields = {"Package": "", "Maintainer": "x", "Description": "x", **stanza}
    return "".join(f"{key}: {value}\n" for key, value in fields.items()) + "\n"
