"""What every command prints as JSON is as its schema says, and has nothing that the schema does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.workbench import Workbench

FOLDER = Path(__file__).parent.parent.parent / "pinner" / "report" / "schemas"
#: Commands by schema; they are run one after the other in one project.
COMMANDS = {
    "scan": ("scan --json", "scan --sources --json", "scan nowhere --json"),
    "scan-files": ("scan --files --json",),
    "lock": ("lock --check --json", "lock --json", "lock nowhere --format json"),
    "verify": ("verify --json", "verify --json --archive nothing"),
    "refresh": ("refresh --check --json", "refresh --json"),
    "why": ("why curl --json", "why nosuch --json"),
    "resolve": ("resolve curl --suite bookworm --json", "resolve nosuch --suite bookworm --json"),
    "audit": ("audit --installed installed --platform linux/amd64 --json",),
    "diff": ("diff old.lock --format json", "diff nowhere --format json"),
    "export-json": ("export json --platform linux/amd64",),
    "snapshot-find": ("snapshot find --offline --json",),
    "cache": ("cache dir --json", "cache prune --json"),
    "fleet-line": ("verify --repositories list",),
    "report": ("report lines --json",),
}


def strict(schema: Any) -> Any:
    """The schema without room for keys that it does not name."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    if "properties" in found and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def undescribed(schema: Any) -> Iterator[str]:
    """The keys of which a schema does not say what they mean."""
    if isinstance(schema, dict):
        for key, value in schema.get("properties", {}).items():
            if not value.keys() & {"description", "$ref"}:
                yield key
        for value in (each for name, each in schema.items() if name != "if"):
            yield from undescribed(value)


def test_each_schema_is_one_and_has_commands() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")}
    assert names == set(COMMANDS)
    for name in names:
        schema = json.loads((FOLDER / f"{name}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        assert list(undescribed(schema)) == [], name


def test_documents(bench: Workbench) -> None:
    (bench.folder / "nothing").mkdir()
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl $EXTRA\n")
    bench.run("lock")
    bench.write("old.lock", bench.read("pinner.lock"))
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm\nRUN apt-get install -y curl=1 jq $EXTRA\nRUN xargs apt-get install\n",
    )
    bench.write("installed", "apt\t2.6.1\tamd64\ncurl\t1\tamd64\n")
    bench.write("list", ".\n")
    for name, commands in COMMANDS.items():
        schema = strict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
        for command in commands:
            done = bench.run(*command.split())
            assert done.out, (command, done)
            document = json.loads(done.out)
            assert document["status"] == done.status, command
            problems = jsonschema.Draft202012Validator(schema).iter_errors(document)
            assert [f"{command}: {list(each.path)} {each.message}" for each in problems] == []
            if name == "fleet-line":
                bench.write("lines", done.out)


@pytest.mark.parametrize("word", ["diagnostic", "error"])
def test_what_is_common_is_the_same_everywhere(word: str) -> None:
    found = [json.loads(path.read_text())["$defs"].get(word) for path in FOLDER.glob("*.json")]
    assert len({json.dumps(each) for each in found if each}) == 1
