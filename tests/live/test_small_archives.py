"""Small archives at random, with held and automatic packages: what real apt does to them, and what the resolver says.

PINNER_CHROOT names a debootstrapped root, whose apt is asked; PINNER_ARCHIVES and PINNER_SEED say how many and which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from pinner.errors import Refused, Unsatisfiable
from pinner.resolve import solver
from pinner.resolve.resolution import Extent, ResolvedArgument
from pinner.resolve.universe import Universe
from tests.resolve.stories import index, package, stanzas
from tests.resolve.test_solver import FAILS, Story, apt, ask, run, simulated, steps

CHROOT = os.environ.get("PINNER_CHROOT", "")
COUNT, SEED = int(os.environ.get("PINNER_ARCHIVES", "20")), int(os.environ.get("PINNER_SEED", "1"))
pytestmark = [pytest.mark.live, pytest.mark.skipif(not CHROOT, reason="PINNER_CHROOT names no root")]

COMMANDS: dict[str, Extent | None] = {
    "install": None, "upgrade": "none", "upgrade --with-new-pkgs": "install", "dist-upgrade": "all", "autoremove": None,
}  # fmt: skip


class World(NamedTuple):
    """What `tests.resolve.stories` makes an archive and a root of, and the arguments of the command."""

    archive: str
    installed: str
    automatic: frozenset[str]
    words: tuple[str, ...]


def draw(dice: random.Random, command: str) -> World:
    """A world of four to nine packages."""
    names = "abcdefghi"[: dice.randint(4, 9)]
    there = [name for name in names if dice.random() < 0.6]
    before = {name: fields(name, there, dice, offered=False) for name in there}
    archive = []
    for name in names:
        if name in there and dice.random() < 0.5:
            archive.append(f"{name} {before[name]}")
        elif name not in there and dice.random() < 0.3:
            archive.append(f"{name} {fields(name, names, dice, offered=True)}")
        if dice.random() < 0.75:
            archive.append(f"{name}=2.0 {fields(name, names, dice, offered=True)}")
    held = [name for name in there if dice.random() < 0.12]
    installed = [
        f"{name} {before[name]}{'; Status: hold ok installed' * (name in held)}".replace(" ; ", " ")
        for name in there
    ]
    known = sorted({line.split()[0].partition("=")[0] for line in (*archive, *installed)})
    words = dice.sample(known, min(len(known), dice.randint(1, 3)))
    if command == "autoremove" or (command != "install" and dice.random() < 0.6):
        words = []
    return World(
        "\n".join(archive),
        "\n".join(installed),
        frozenset(name for name in there if dice.random() < 0.4),
        tuple(f"{name}{'-' * (dice.random() < 0.15)}" for name in words),
    )


def fields(name: str, names: Sequence[str], dice: random.Random, *, offered: bool) -> str:
    """What a version needs and gives; of those offered by the archive some exclude others or provide a name."""
    others = [other for other in names if other != name] or [name]
    targets = others + ["v", "w"] * offered

    def alternatives(targets: Sequence[str]) -> str:
        some = ("", "", " (>= 1)", " (= 1.0)", " (<< 2)", *(" (>= 2)", " (= 2.0)", " (>= 3)") * offered)
        return " | ".join(dice.choice(targets) + dice.choice(some) for _ in range(dice.choice((1, 1, 2))))

    chances = [
        (0.6, "Depends", ", ".join(alternatives(targets) for _ in range(dice.choice((1, 1, 2))))),
        (0.3, "Recommends", alternatives(others)),
        (0.15, "Suggests", dice.choice(others)),
        (0.25 * offered, "Conflicts", alternatives(others).partition(" |")[0]),
        (0.2 * offered, "Breaks", alternatives(others).partition(" |")[0]),
        (0.2 * offered, "Provides", dice.choice("vw")),
        (0.15, "Source", "s"),
        (0.04, "Essential", "yes"),
        (0.1, "Priority", dice.choice(("required", "important", "extra"))),
    ]
    return "; ".join(f"{field}: {text}" for chance, field, text in chances if dice.random() < chance)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("number", range(COUNT))
def test_small_archive(number: int, command: str, tmp_path: Path) -> None:
    world = draw(random.Random(f"{SEED} {number} {command}"), command)
    root = Path(CHROOT, tmp_path.relative_to("/"))
    (root / "var/lib/apt").mkdir(parents=True)
    (root / "var/lib/apt/extended_states").write_text(
        "".join(
            f"Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n" for name in sorted(world.automatic)
        )
    )
    story = Story("", world.archive, "", "", world.installed)
    prefix = ("chroot", CHROOT)
    ran = apt(root, tmp_path, prefix, story, "apt-get", "-s", *command.split(), *world.words)
    if run(prefix, tmp_path, "apt-get", "-s", "check").returncode:
        pytest.skip("the root is broken before")
    if "Conf Broken" in ran.stderr or "Internal Inconsistency" in ran.stderr:
        pytest.skip("apt's simulation contradicts itself")
    own = run(prefix, tmp_path, "apt-get", "--version").stdout.split()[1]
    theirs = {FAILS} if ran.returncode else simulated(ran.stdout)
    assert ours(world, command, own) == theirs, (
        f"{command} {world.words}\n{world.archive}\n\n{world.installed}"
    )


def ours(world: World, command: str, own: str) -> set[str]:
    """The steps as apt would print them; skips where the resolver refuses to guess."""
    held = {each["Package"] for each in stanzas(world.installed) if "Status" in each}
    there = [
        package(each)._replace(held=each["Package"] in held, automatic=each["Package"] in world.automatic)
        for each in stanzas(f"apt={own}\n{world.installed}")
    ]
    universe = Universe([index(world.archive)], arch="amd64", installed=there)
    try:
        if command == "autoremove":
            keeps = {"recommends_important": True, "suggests_important": True}
            gone = solver.autoremove(universe, recommends=True, suggests=False, **keeps)
            return {f"-{offer.name}" for offer in gone}
        asked: list[ResolvedArgument] = [ask(universe, word) for word in world.words]
        return steps(solver.solve(universe, asked, COMMANDS[command]))
    except Refused as error:
        pytest.skip(str(error))
    except Unsatisfiable:
        return {FAILS}
