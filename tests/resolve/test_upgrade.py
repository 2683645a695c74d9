"""`apt-get upgrade` and `dist-upgrade` by the solver of apt 3.1: what is kept back, and what real apt does."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import pytest

from pinner.resolve.marks import Marks
from pinner.resolve.solver3 import solver as solver3
from tests.resolve.test_solver import NEW, Story, apt, expected, steps, universe_of

#: By extent, apt-get's words for it.
COMMANDS: dict[Literal["none", "install", "all"], tuple[str, ...]] = {
    "none": ("upgrade",),
    "install": ("upgrade", "--with-new-pkgs"),
    "all": ("dist-upgrade",),
}

#: Archive, what is installed, and what each extent does.
UPGRADES = {
    "a new need": ("a=2.0 Depends: b\nb", "a", ("", "a=2.0 b", "a=2.0 b")),
    "a conflict": ("a=2.0 Conflicts: b\nb", "a\nb", ("", "", "")),
    "a new version that does without": ("a=2.0\nb=2.0 Depends: gone", "a Depends: b\nb", ("a=2.0",) * 3),
    "a new recommendation": ("a=2.0 Recommends: b\nb", "a", ("", "a=2.0 b", "a=2.0 b")),
    "one that cannot be had": ("a=2.0 Recommends: b (>= 2)\nb", "a\nb", ("", "", "a=2.0")),
    "one that was not fulfilled before": ("a=2.0 Recommends: b | c\nb", "a Recommends: c", ("a=2.0",) * 3),
    "one that was": ("a=2.0 Recommends: b (>= 3)", "a Recommends: b\nb", ("a=2.0",) * 3),
    "a new alternative": ("a=2.0 Recommends: b (>= 3) | c", "a Recommends: b\nb", ("", "", "a=2.0")),
    "siblings": ("a=2.0 Source: s\nb=2.0 Source: s; Depends: a (= 2.0)", "a Source: s\nb", ("a=2.0 b=2.0",) * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", UPGRADES)
def test_upgrade(name: str) -> None:
    archive, installed, outcomes = UPGRADES[name]
    for extent, outcome in zip(COMMANDS, outcomes, strict=True):
        marks = Marks(universe_of(Story("", archive, "", "", installed)), recommends=True, suggests=False)
        assert steps(solver3.upgrade(marks, extent, apt=NEW)) == expected(outcome), extent


@pytest.mark.live
@pytest.mark.parametrize("name", UPGRADES)
def test_upgrade_with_apt(name: str, tmp_path: Path) -> None:
    """With the apt of a root that `PINNER_CHROOT` names, 3.1.10 or later."""
    chroot = os.environ.get("PINNER_CHROOT", "")
    if not chroot:
        pytest.skip("PINNER_CHROOT names no root")
    archive, installed, outcomes = UPGRADES[name]
    for (extent, command), outcome in zip(COMMANDS.items(), outcomes, strict=True):
        root = Path(chroot, tmp_path.relative_to("/"), extent)
        story = Story("", archive, "", "", installed)
        ran = apt(root, tmp_path / extent, ("chroot", chroot), story, "apt-get", "-s", *command)
        found = set(re.findall(r"^Inst (\S+) (?:\[[^]]+\] )?\((\S+)", ran.stdout, re.M))
        gone = {f"-{each}" for each in re.findall(r"^Remv (\S+)", ran.stdout, re.M)}
        assert {f"{package}={version}" for package, version in found} | gone == expected(outcome), extent
