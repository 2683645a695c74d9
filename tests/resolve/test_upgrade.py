"""`apt-get upgrade` and `dist-upgrade` by both solvers: what is kept back, and what real apt does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pinner.apt.version import compare
from pinner.distributions.suite import SOLVER_3_SINCE
from pinner.errors import Unsatisfiable
from pinner.resolve.resolution import Extent
from tests.resolve.test_solver import (
    FAILS,
    NEW,
    OLD,
    SOLVERS,
    Story,
    apt,
    ask,
    expected,
    run,
    simulated,
    steps,
    universe_of,
)

#: By extent, apt-get's words for it.
COMMANDS: dict[Extent, tuple[str, ...]] = {
    "none": ("upgrade",),
    "install": ("upgrade", "--with-new-pkgs"),
    "all": ("dist-upgrade",),
}

#: Archive, what is installed, what each extent does, and where it differs what each does by the classic solver.
UPGRADES: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "a new need": ("a=2.0 Depends: b\nb", "a", ("", "a=2.0 b", "a=2.0 b"), ()),
    "a conflict": ("a=2.0 Conflicts: b\nb", "a\nb", ("", "", ""), ("", "", "a=2.0 -b")),
    "a new version that does without": (
        "a=2.0\nb=2.0 Depends: gone", "a Depends: b\nb", ("a=2.0",) * 3, ()
    ),
    "a new recommendation": (
        "a=2.0 Recommends: b\nb", "a", ("", "a=2.0 b", "a=2.0 b"), ()
    ),
    "one that cannot be had": ("a=2.0 Recommends: b (>= 2)\nb", "a\nb", ("", "", "a=2.0"), ()),
    "one that was not fulfilled before": (
        "a=2.0 Recommends: b | c\nb", "a Recommends: c", ("a=2.0",) * 3, ("a=2.0", "a=2.0 b", "a=2.0 b")
    ),
    "one that was": ("a=2.0 Recommends: b (>= 3)", "a Recommends: b\nb", ("a=2.0",) * 3, ("", "", "a=2.0")),
    "a new alternative": ("a=2.0 Recommends: b (>= 3) | c", "a Recommends: b\nb", ("", "", "a=2.0"), ()),
    "siblings": (
        "a=2.0 Source: s\nb=2.0 Source: s; Depends: a (= 2.0)", "a Source: s\nb", ("a=2.0 b=2.0",) * 3, ()
    ),
    "what is in the way is kept back, not all that is named": (
        "a=2.0 Depends: x\nb=2.0\nc=2.0", "a\nb\nc Depends: a (= 1.0) | b (= 1.0)", ("b=2.0 c=2.0",) * 3, ()
    ),
    "the better known one has its way": (
        "b=2.0 Breaks: c (= 2.0)\nc=2.0 Priority: required", "b\nc Priority: required",
        ("b=2.0", "b=2.0", "c=2.0"), ("c=2.0", "b=2.0", "c=2.0"),
    ),
    "what turns up on the way": (
        "b=2.0 Depends: d\nd Depends: c (>= 2); Conflicts: e\nc=2.0\ne=2.0", "b\nc\ne Priority: required",
        ("c=2.0 e=2.0",) * 3, ("c=2.0 e=2.0", "c=2.0", "-e b=2.0 c=2.0 d"),
    ),
    "an essential package that is not there": (
        "a=2.0\ne Essential: yes; Depends: f; Recommends: g\nf\ng", "a", ("a=2.0", "a=2.0", "a=2.0 e f g"), ()
    ),
    "what a version provides that was given up": (
        "a=2.0 Depends: gone; Provides: v\nc=2.0\nf=2.0 Depends: v, c (>= 2); Conflicts: c", "a\nc\nf",
        ("c=2.0",) * 3, ("c=2.0", "", "c=2.0")
    ),
    "one that cannot be there": (
        "a=2.0\ne Essential: yes; Depends: gone", "a", ("a=2.0", "a=2.0", FAILS), ("a=2.0",) * 3
    ),
}  # fmt: skip

#: The same for upgrades with arguments.
NAMED = {
    "b": ("a=2.0\nb Depends: c\nc", "a", (FAILS, "a=2.0 b c", "a=2.0 b c"), ("a=2.0 b c",) * 3),
    "a": (
        "a=2.0 Depends: x (= 2.0)\nx=2.0\nb=2.0 Depends: x (= 1.0)", "a\nb Depends: x (= 1.0)\nx",
        (FAILS, FAILS, "-b a=2.0 x=2.0"), ("-b a=2.0 x=2.0",) * 3,
    ),
    "b-": ("a=2.0\nb=2.0", "a\nb\nc Depends: b", (FAILS, FAILS, "-b -c a=2.0"), ()),
}  # fmt: skip


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", [*UPGRADES, *NAMED])
def test_upgrade(name: str, solver: str) -> None:
    archive, installed, asked, outcomes = _case(name, solver)
    universe = universe_of(Story("", archive, "", "", installed))
    for extent, outcome in zip(COMMANDS, outcomes, strict=True):
        words = [ask(universe, word) for word in asked.split()]
        try:
            found = steps(SOLVERS[solver](universe, words, extent))
        except Unsatisfiable:
            assert outcome == FAILS, extent
        else:
            assert found == expected(outcome), extent


def _case(name: str, solver: str) -> tuple[str, str, str, tuple[str, ...]]:
    archive, installed, outcomes, classic = {**UPGRADES, **NAMED}[name]
    return archive, installed, name if name in NAMED else "", (solver == OLD and classic) or outcomes


@pytest.mark.live
@pytest.mark.parametrize("name", [*UPGRADES, *NAMED])
def test_upgrade_with_apt(name: str, tmp_path: Path) -> None:
    """With the apt of a root that `PINNER_CHROOT` names."""
    chroot = os.environ.get("PINNER_CHROOT", "")
    if not chroot:
        pytest.skip("PINNER_CHROOT names no root")
    own = run(("chroot", chroot), Path("/"), "apt-get", "--version").stdout.split()[1]
    archive, installed, asked, outcomes = _case(name, NEW if compare(own, SOLVER_3_SINCE) >= 0 else OLD)
    for (extent, command), outcome in zip(COMMANDS.items(), outcomes, strict=True):
        root = Path(chroot, tmp_path.relative_to("/"), extent)
        story = Story("", archive, "", "", installed)
        words = asked.split()
        ran = apt(root, tmp_path / extent, ("chroot", chroot), story, "apt-get", "-s", *command, *words)
        assert (ran.returncode != 0) == (outcome == FAILS), ran.stderr
        assert simulated(ran.stdout) == (set() if outcome == FAILS else expected(outcome)), extent
