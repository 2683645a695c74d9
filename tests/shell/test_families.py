"""Every program of a family is in the table by which the family is found."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from pinner.shell import programs


@pytest.mark.parametrize("family", programs.FAMILIES)
def test_rows(family: str) -> None:
    rows = import_module(f"pinner.shell.programs.{family}").ROWS
    assert {*programs.FAMILIES[family].split()} == rows.keys()
    assert all(programs.row_of(name) is row for name, row in rows.items())


def test_all_modules() -> None:
    modules = (each for each in Path(programs.__file__).parent.glob("*.py") if "\nROWS" in each.read_text())
    assert {each.stem for each in modules} == programs.FAMILIES.keys()
