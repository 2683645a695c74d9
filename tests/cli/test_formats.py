"""Every format of every command that reports on files: the same diagnostics, well-formed."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.workbench import Workbench

#: What SARIF 2.1.0 demands of the parts that are used (3.13, 3.14, 3.19, 3.27 to 3.30, 3.49, appendix on rules).
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "message": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}},
        },
        "level": {"enum": ["none", "note", "warning", "error"]},
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "additionalProperties": False,
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "additionalProperties": False,
                    "properties": {"driver": {"$ref": "#/$defs/driver"}},
                },
                "automationDetails": {"type": "object", "properties": {"id": {"type": "string"}}},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "driver": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "version": {"type": "string"},
                "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/rule"}},
            },
        },
        "rule": {
            "type": "object",
            "required": ["id", "help", "helpUri"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "shortDescription": {"$ref": "#/$defs/message"},
                "help": {"$ref": "#/$defs/message"},
                "helpUri": {"type": "string", "format": "uri", "pattern": "^https://.*#[a-z-]+$"},
                "defaultConfiguration": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"level": {"$ref": "#/$defs/level"}},
                },
                "properties": {
                    "type": "object",
                    "properties": {"tags": {"type": "array", "uniqueItems": True}},
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message", "ruleId", "ruleIndex", "level"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/message"},
                "locations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "location": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "physicalLocation": {
                    "type": "object",
                    "required": ["artifactLocation"],
                    "additionalProperties": False,
                    "properties": {
                        "artifactLocation": {
                            "type": "object",
                            "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                        },
                        "region": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                f"{side}{unit}": {"type": "integer", "minimum": 1}
                                for side in ("start", "end")
                                for unit in ("Line", "Column")
                            },
                        },
                    },
                }
            },
        },
    },
}
DOCKERFILE = "FROM debian:bookworm\nRUN apt-get install -y curl jq=1.5 $EXTRA nosuch\n"
CODES = {
    "lock --check": {"unpinned", "gone", "variable-unknown", "unknown-package", "unusable"},
    "scan": {"unpinned", "variable-unknown", "unusable"},
    "verify": {"gone", "unknown-package", "unusable"},
    "refresh --check": {"gone", "unknown-package", "unusable"},
}


@pytest.mark.parametrize("command", CODES)
def test_formats(bench: Workbench, command: str) -> None:
    bench.write("Dockerfile", DOCKERFILE)
    bench.write("other/Dockerfile", "FROM debian:bookworm\nRUM apt-get install jq\n")

    def run(form: str) -> str:
        done = bench.run(*command.split(), "--format", form)
        assert done.status == 3, done
        return done.out

    text = run("text")
    document = json.loads(run("json"))
    of_the_project = ("drift", "stale-release")
    found = [each for each in document["diagnostics"] if each["code"] not in of_the_project]
    codes = {each["code"] for each in found}
    assert codes == CODES[command]
    moved = {"gone"} if command.startswith("refresh") else set()  # said in other words
    assert [code for code in codes - moved - {"unusable", "unpinned"} if f"[{code}]" not in text] == []
    assert {each["path"] for each in found} == {"Dockerfile", "other/Dockerfile"}
    assert all(each["url"].endswith(f"#{each['code']}") and each["help"] for each in found)
    assert [each["severity"] for each in found if each["code"] == "gone"] == ["error"] * ("gone" in codes)
    sarif = json.loads(run("sarif"))
    jsonschema.validate(sarif, SARIF, format_checker=jsonschema.FormatChecker())
    results = sarif["runs"][0]["results"]
    assert {each["ruleId"] for each in results if each["ruleId"] not in of_the_project} == codes
    failures = ElementTree.fromstring(run("junit").encode()).iter("failure")
    assert {each.get("type") for each in failures} <= {*codes, "drift"}
    annotations = run("github").splitlines()
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in annotations)
    assert len(annotations) == len(results) == len(document["diagnostics"])
    table = run("markdown").splitlines()
    assert table[0].startswith(f"### pinner {command.split()[0]}: ") and len(table) == 4 + len(results)


@pytest.mark.parametrize("form", ["sarif", "junit", "github", "markdown"])
def test_a_run_that_fails_as_a_whole(bench: Workbench, form: str) -> None:
    bench.write("pinner.toml", "nosuch = 1\n")
    done = bench.run("verify", "--format", form)
    assert done.status == 3 and "nosuch" in done.err
    assert "unusable" in done.out and "pinner.toml" in done.out and str(bench.folder) not in done.out
    if form == "sarif":
        jsonschema.validate(json.loads(done.out), SARIF, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("command", ["lock", "scan", "verify", "refresh"])
def test_one_run_writes_several_formats(bench: Workbench, command: str) -> None:
    files = [f"--format={form}=../{form}" for form in ("json", "sarif", "junit", "github", "markdown")]
    done = bench.run(command, *files)
    again = {form: (bench.folder.parent / form).read_text() for form in ("json", "sarif", "markdown")}
    assert json.loads(again["json"])["status"] == done.status
    assert json.loads(again["sarif"])["runs"]
    assert again["markdown"].startswith(f"### pinner {command}: ")
    assert done.out and not done.out.startswith("{")  # text, as without them
    assert bench.run(command, "--format=text=x").status == 2
