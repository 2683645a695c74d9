"""scripts/action as GitHub would run it, and what surrounds it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.workbench import REPOSITORY
from tests.hostile import Traps
from tests.scenarios.job import Job


def test_no_module_of_the_checkout_runs(job: Job) -> None:
    """The scripts as they are, in a folder with modules of the names that Python will look for."""
    if not (REPOSITORY / ".venv" / ".installed-test").is_file():
        pytest.skip("there is no virtual environment as scripts/test makes it")
    traps = Traps(job.aside)
    traps.modules(job.folder)
    python = job.aside / "pinner-venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    for path in (".", "", str(job.folder)):
        status, out, err = job.run("pinner", "scan", "Dockerfile", PYTHONPATH=path)
        assert (status, "curl" in out, traps.sprung) == (0, True, []), err
    assert (
        act(job, COMMAND="verify", PINNER="", PYTHONPATH=".")[0] == 6
    )  # the simulation's key is not Debian's
    assert traps.sprung == []


def test_python_is_started_isolated_everywhere() -> None:
    files = (path for path in (REPOSITORY / "scripts").rglob("*") if path.is_file())
    scripts = [path for path in files if path.name != "test" and path.suffix != ".pyc"]
    for path in (*scripts, REPOSITORY / "action.yml", REPOSITORY / ".pre-commit-hooks.yaml"):
        for line in path.read_text().splitlines():
            if re.search(r"""(python3?|\$python|candidate)"? -(?!I\b)""", line):
                assert line.lstrip().startswith("#"), f"{path}: {line}"


# scripts/action


def act(job: Job, **inputs: str) -> tuple[int, str, dict[str, str], str]:
    """The status, the log, the outputs and the job's summary."""
    output, summary = job.aside / "output", job.aside / "summary"
    output.write_text("")
    summary.write_text("")
    status, log, err = job.run(
        "action", RUNNER_TEMP=str(job.aside), GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary), **inputs
    )  # fmt: skip
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return status, log + err, outputs, summary.read_text()


def test_the_action_verifies(job: Job) -> None:
    status, _, outputs, summary = act(job, COMMAND="verify")
    assert (status, outputs["gone"], outputs["security"], outputs["changed"]) == (0, "0", "0", "false")
    assert "cache" not in outputs  # nothing is new in it
    assert "2 live" in summary
    job.release("1.7-1")
    job.story.security.package("curl", "7.88.1-11", depends="libcurl4 (= 7.88.1-10)")
    status, log, outputs, summary = act(job, PATHS="Dockerfile", PLATFORMS="linux/amd64 linux/arm64")
    assert (status, outputs["gone"], outputs["security"]) == (1, "1", "1")
    assert "::error file=Dockerfile,title=pinner%3A gone,line=2," in log
    assert "🔴 [gone]" in summary


def test_the_action_is_strict_if_asked(job: Job) -> None:
    job.story.dockerfile("$NOTHING")
    (job.folder / "pinner.lock").unlink()
    assert act(job, COMMAND="verify")[0] == 0
    assert act(job, COMMAND="verify", STRICT="true")[0] == 1
    job.story.dockerfile("jq")
    assert act(job, COMMAND="lock", STRICT="true")[0] == 1


def test_the_action_locks_and_refreshes(job: Job) -> None:
    job.release("1.7-1")
    status, log, outputs, summary = act(
        job, COMMAND="refresh", SUMMARY="true", MIN_AGE="1d", KINDS="dockerfile"
    )
    assert (status, outputs["changed"], outputs["gone"]) == (0, "true", "1"), log
    assert summary == Path(outputs["summary"]).read_text()
    assert summary.startswith("## Refresh jq to 1.7-1\n")
    assert "jq 1.6-2 → 1.7-1" in log
    assert "::notice file=Dockerfile,title=pinner%3A gone,line=2," in log
    assert json.loads(Path(outputs["sarif"]).read_text())["runs"]
    assert (job.aside / "pinner-commit-message").read_text().startswith("build(deps): refresh jq to 1.7-1\n")
    status, log, outputs, summary = act(job, COMMAND="refresh", SUMMARY="false")
    assert (outputs["changed"], outputs["gone"], outputs["branches"], summary) == ("false", "0", "[]", "")
    status, log, outputs, _ = act(job, COMMAND="lock")
    assert (status, outputs["changed"]) == (0, "false")
    assert "2 of 2 packages pinned already" in log


def test_the_action_changes_nothing_where_it_only_looks(job: Job) -> None:
    job.story.dockerfile("jq tree")
    job.story.main.package("tree", "1")
    before = job.story.bench.files()
    status, log, outputs, _ = act(job, COMMAND="lock", STRICT="true", ARGUMENTS="--verbose --suite bookworm")
    assert (status, outputs["changed"], job.story.bench.files()) == (1, "false", before)
    assert "tree" in log


def test_the_action_refreshes_on_branches(job: Job) -> None:
    job.release("1.7-1")
    status, log, outputs, summary = act(job, COMMAND="refresh", BRANCH="pins", GROUP_BY="source")
    (branch,) = json.loads(outputs["branches"])
    assert (status, outputs["changed"], branch["name"]) == (0, "true", "pins-jq"), log
    assert job.git("ls-remote", "origin", "pins-jq")
    assert job.git("status", "--porcelain") == ""
    assert summary == Path(branch["summary"]).read_text()
    assert act(job, COMMAND="refresh", BRANCH="pins", GROUP_BY="source")[2]["changed"] == "false"


def test_the_action_takes_no_other_command(job: Job) -> None:
    assert act(job, COMMAND="cache clear; id")[0] == 2


@pytest.mark.live
def test_the_action_installs_by_hash(job: Job) -> None:
    job.story.bench.write("pinner.toml", "")
    (job.folder / "pinner.lock").unlink()
    job.story.dockerfile("tini=0.19.0-1+b3")
    cache = str(job.aside / "fresh")
    status, log, outputs, _ = act(job, PINNER="", PYTHONPATH="", PATHS="Dockerfile", PINNER_CACHE_DIR=cache)
    assert (status, outputs.get("gone")) == (0, "0"), log


def test_the_metadata_fit_the_scripts() -> None:
    action = (REPOSITORY / "action.yml").read_text()
    script = (REPOSITORY / "scripts" / "action").read_text()
    for name in re.findall(r"^        ([A-Z]+): \$\{\{ inputs\.", action, re.MULTILINE):
        assert f"${{{name}:" in script
    for name in re.findall(r"steps\.run\.outputs\.(\w+)", action):
        assert f"{name}=" in script
    for path in (REPOSITORY / "scripts" / "examples").glob("*.json"):
        json.loads(path.read_text())


def test_the_requirements_cover_what_the_project_needs() -> None:
    text = (REPOSITORY / "scripts" / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    project = (REPOSITORY / "pyproject.toml").read_text().partition("\ndependencies = [")[2].partition("]")[0]
    needed = {
        name.lower().replace(".", "-") for name in re.findall(r'^  "([A-Za-z0-9._-]+)', project, re.MULTILINE)
    }
    assert needed <= pinned
    assert len(re.findall("--hash=sha256:", text)) > len(pinned)
