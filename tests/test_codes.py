"""The codes of diagnostics: each is used, none is used that is not in the table, and their page is up to date."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pinner.apt.command_line import UNPINNED
from pinner.codes import Code
from pinner.shell.prefixes import INSTALLERS
from scripts.docs_pages import codes

ROOT = Path(__file__).parent.parent
TREES = {
    path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "pinner").rglob("*.py"))
    if path.name != "codes.py"
}
#: Calls whose argument of this number is a code; one by the keyword `reason` or `code` always is.
CODED = {"Unknown": 0, "_skip": 1, "Notice": 0, "diagnostic": 0, "Stay": 4}


def given() -> Iterator[tuple[str, str]]:
    """Each string that stands where a code does, with its place."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                at = 2 if path.name == "arguments.py" else CODED.get(name, 99)
                found = [each.value for each in node.keywords if each.arg in ("reason", "code")]
                found += node.args[at : at + 1] if name in CODED else []
                for value in found:
                    for each in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
                        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value:
                            yield f"{path}:{node.lineno}", each.value


def test_codes_are_in_the_table() -> None:
    known = {code.value for code in Code}
    assert [each for each in given() if each[1] not in known] == []
    assert {code for code, _ in UNPINNED.values()} <= known
    assert {code for code, _, _ in INSTALLERS.values()} <= known


def test_codes_are_used() -> None:
    words = {
        word
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in node.value.split()
    }
    assert [code for code in Code if code not in words] == []


def test_codes_say_what_they_mean_and_what_to_do() -> None:
    assert [code for code in Code if not code.meaning.endswith(".") or not code.help.endswith(".")] == []


def test_the_page_is_made_from_the_table() -> None:
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert page == codes(), "run scripts/docs_pages.py as a module"
