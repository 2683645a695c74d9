"""action.yml as GitHub would run it, and what surrounds it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

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
        act(job, environment={"PINNER": "", "PYTHONPATH": "."}).status == 6
    )  # the simulation's key is not Debian's
    assert traps.sprung == []


def test_python_is_started_isolated_everywhere() -> None:
    files = (path for path in (REPOSITORY / "scripts").rglob("*") if path.is_file())
    scripts = [path for path in files if path.name != "test" and path.suffix != ".pyc"]
    for path in (*scripts, REPOSITORY / "action.yml", REPOSITORY / ".pre-commit-hooks.yaml"):
        for line in path.read_text().splitlines():
            if re.search(r"""(python3?|\$python|candidate)"? -(?!I\b)""", line):
                assert line.lstrip().startswith("#"), f"{path}: {line}"


# The Action: its steps that are shell, in order, as GitHub's runner runs them; what others' actions do is left out.


def act(job: Job, *, environment: Mapping[str, str] | None = None, **inputs: str) -> Act:
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    unknown = inputs.keys() - {name.replace("-", "_") for name in action["inputs"]}
    assert not unknown
    values = {f"inputs.{name}": each.get("default", "") for name, each in action["inputs"].items()}
    values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    values |= {"runner.temp": str(job.aside), "runner.os": "Linux", "github.run_id": "1"}

    def said(text: str) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda match: values[match[1]], text)

    summary, log, status = job.aside / "summary", "", 0
    summary.write_text("")
    for step in action["runs"]["steps"]:
        if "run" not in step:
            continue
        output = job.aside / "output"
        output.write_text("")
        given = {name: said(value) for name, value in step.get("env", {}).items()}
        script = job.aside / "step.sh"
        script.write_text(said(step["run"]))
        runner = {
            "PINNER_CACHE_DIR": str(job.story.bench.cache),
            "RUNNER_TEMP": str(job.aside),
            "GITHUB_ACTION_PATH": str(REPOSITORY),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        given = {**job.environment, **given, **runner, **(environment or {})}
        done = subprocess.run(["sh", "-e", script], cwd=job.folder, capture_output=True, text=True, env=given)
        log, status = log + done.stdout + done.stderr, status or done.returncode
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            values[f"steps.{step['id']}.outputs.{name}"] = value
    outputs = {name: values.get(each["value"][4:-3], "") for name, each in action["outputs"].items()}
    keeps = values.get("steps.run.outputs.cache") == "changed"
    return Act(status, log, outputs, summary.read_text(), keeps)


class Act(NamedTuple):
    """What a run of the Action comes to; `keeps` tells that it saves the cache."""

    status: int
    log: str
    outputs: Mapping[str, str]
    summary: str
    keeps: bool


def test_the_action_verifies(job: Job) -> None:
    status, _, outputs, summary, keeps = act(job, command="verify")
    assert (status, outputs["gone"], outputs["security"], outputs["changed"]) == (0, "0", "0", "false")
    assert not keeps  # nothing is new in the cache
    assert "2 live" in summary
    assert (
        "--trust-lock" in act(job, trust_lock="true").log
    )  # the note, that the lock is believed or why it is not
    job.release("1.7-1")
    job.story.security.package("curl", "7.88.1-11", depends="libcurl4 (= 7.88.1-10)")
    status, log, outputs, summary, _ = act(job, paths="Dockerfile", platforms="linux/amd64 linux/arm64")
    assert (status, outputs["gone"], outputs["security"]) == (1, "1", "1")
    assert "::error file=Dockerfile,title=pinner%3A gone,line=2," in log
    assert "🔴 [gone]" in summary


def test_the_action_is_strict_if_asked(job: Job) -> None:
    job.story.dockerfile("$NOTHING")
    (job.folder / "pinner.lock").unlink()
    assert act(job, command="verify").status == 0
    assert act(job, command="verify", strict="true").status == 1
    job.story.dockerfile("jq")
    assert act(job, command="lock", strict="true").status == 1


def test_the_action_locks_and_refreshes(job: Job) -> None:
    job.release("1.7-1")
    status, log, outputs, summary, _ = act(job, command="refresh", min_age="1d", kinds="dockerfile")
    assert (status, outputs["changed"], outputs["gone"]) == (0, "true", "1"), log
    assert summary == Path(outputs["summary"]).read_text()
    assert summary.startswith("## Refresh jq to 1.7-1\n")
    assert "jq 1.6-2 → 1.7-1" in log
    assert "::notice file=Dockerfile,title=pinner%3A gone,line=2," in log
    assert json.loads(Path(outputs["sarif"]).read_text())["runs"]
    assert (job.aside / "pinner-commit-message").read_text().startswith("build(deps): refresh jq to 1.7-1\n")
    status, log, outputs, summary, _ = act(job, command="refresh", summary="false")
    assert (outputs["changed"], outputs["gone"], outputs["branches"], summary) == ("false", "0", "[]", "")
    status, log, outputs, *_ = act(job, command="lock")
    assert (status, outputs["changed"]) == (0, "false")
    assert "2 of 2 packages pinned already" in log


def test_the_action_changes_nothing_where_it_only_looks(job: Job) -> None:
    job.story.dockerfile("jq tree")
    job.story.main.package("tree", "1")
    before = job.story.bench.files()
    status, log, outputs, *_ = act(job, command="lock", strict="true", arguments="--verbose --suite bookworm")
    assert (status, outputs["changed"], job.story.bench.files()) == (1, "false", before)
    assert "tree" in log


def test_the_action_refreshes_on_branches(job: Job) -> None:
    job.release("1.7-1")
    status, log, outputs, summary, _ = act(job, command="refresh", branch="pins", group_by="source")
    (branch,) = json.loads(outputs["branches"])
    assert (status, outputs["changed"], branch["name"]) == (0, "true", "pins-jq"), log
    assert job.git("ls-remote", "origin", "pins-jq")
    assert job.git("status", "--porcelain") == ""
    assert summary == Path(branch["summary"]).read_text()
    assert act(job, command="refresh", branch="pins", group_by="source").outputs["changed"] == "false"


def test_the_action_takes_no_other_command(job: Job) -> None:
    assert act(job, command="cache clear; id").status == 2


@pytest.mark.live
def test_the_action_installs_by_hash(job: Job) -> None:
    job.story.bench.write("pinner.toml", "")
    (job.folder / "pinner.lock").unlink()
    job.story.dockerfile("tini=0.19.0-1+b3")
    fresh = {"PINNER": "", "PYTHONPATH": "", "PINNER_CACHE_DIR": str(job.aside / "fresh")}
    status, log, outputs, *_ = act(job, environment=fresh, paths="Dockerfile")
    assert (status, outputs.get("gone")) == (0, "0"), log


def test_the_requirements_cover_what_the_project_needs() -> None:
    text = (REPOSITORY / "scripts" / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    project = (REPOSITORY / "pyproject.toml").read_text().partition("\ndependencies = [")[2].partition("]")[0]
    needed = {
        name.lower().replace(".", "-") for name in re.findall(r'^  "([A-Za-z0-9._-]+)', project, re.MULTILINE)
    }
    assert needed <= pinned
    assert len(re.findall("--hash=sha256:", text)) > len(pinned)
