"""Imports go down a floor, never up; the pure floors do not touch the world."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pinner"

# Ground first: a folder is a floor. A module may import from its own floor and from every floor below.
FLOORS = (
    "edit", "apt", "distributions", "shell", "recipe", "resolve", "lock", "archive", "images", "stages", "workflow",
    "search", "report", "project", "session", "cli",
)  # fmt: skip
#: Modules beside the folders: what every floor may use.
GROUND = ("codes", "errors", "regex", "toml", "program", "values")
PURE = (
    "codes",
    "errors",
    "regex",
    "toml",
    "values",
    "edit",
    "apt",
    "distributions",
    "shell",
    "recipe",
    "resolve",
    "lock",
    "stages",
    "workflow",
    "search",
    "report",
)
BANNED = {
    "requests",
    "os",
    "subprocess",
    "time",
    "click",
    "sqlite3",
    "pathlib",
    "io",
    "random",
    "socket",
    "urllib",
}


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found.append((name, path))
    return found


def floor_of(module: str) -> int:
    """The number of the floor that a module stands on; the ground is below all."""
    room = module.partition(".")[0]
    if room in GROUND:
        return -1
    return len(FLOORS) if room in ("", "__main__") else FLOORS.index(room)


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize(("module", "path"), modules())
def test_imports_go_down(module: str, path: Path) -> None:
    known = {name for name, _ in modules()}
    for name in imports(path):
        inner = name.removeprefix("pinner.")
        if name.startswith("pinner.") and inner in known:
            assert floor_of(inner) <= floor_of(module), f"{module} imports {inner} from above"


@pytest.mark.parametrize(("module", "path"), [item for item in modules() if item[0].startswith(PURE)])
def test_pure_floors_do_not_touch_the_world(module: str, path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    assert not roots & BANNED
    assert "datetime.now" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", sorted({path.parent for _, path in modules()}), ids=lambda path: path.name)
def test_a_folder_can_be_surveyed(folder: Path) -> None:
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 30


def test_the_map_names_what_is_there() -> None:
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `(\w+)/` \| .* \| (.*) \|$", text, re.MULTILINE)
    assert [room for room, _ in rooms] == list(FLOORS)
    for room, told in rooms:
        for name in re.findall(r"(?:^|, |; |and )`([a-z_0-9.]+)/?`", re.sub(r"\([^()]*\)", "", told)):
            found = ROOT / room / name
            assert found.exists() or found.with_suffix(".py").exists(), f"{room}/{name}"
    for path in re.findall(r"`((?:tests|pinner|scripts)/[a-z0-9_/.]+|[a-z]+/test_[a-z0-9_]+\.py)`", text):
        assert (ROOT.parent / path).exists() or (ROOT.parent / "tests" / path).exists(), path
