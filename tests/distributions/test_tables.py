from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from pinner.distributions import tables

FILES = {
    "image": ("images", "names"),
    "program": ("programs", "urls"),
    "repository": ("repositories", "uris"),
}


@pytest.mark.parametrize(("kind", "file", "field"), [(kind, *rest) for kind, rest in FILES.items()])
def test_rows_are_what_a_parser_reads_in_the_whole_file(kind: str, file: str, field: str) -> None:
    whole = tomllib.loads((Path(tables.__file__).parent / f"{file}.toml").read_text())
    rows = tables.rows(kind)
    assert [row.fields for row in rows] == whole[kind]
    assert [list(row.named(field)) for row in rows] == [row[field] for row in whole[kind]]
    for row in rows:
        name = row.fields.get("name")
        assert list(row.named("name")) == ([] if name is None else [name])
        assert list(row.named("example")) == row.fields.get("example", [])
    assert kind != "repository" or isinstance(whole["date"], date)
