"""The job around pinner: scripts/refresh against a real remote, scripts/action as GitHub would run it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.workbench import _LAUNCH, REPOSITORY
from tests.hostile import ATTRIBUTES, Traps
from tests.scenarios.story import Story

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


class Job:
    """A story's project as a clone of a remote, and the scripts beside pinner."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.folder = story.bench.folder
        self.aside = self.folder.parent
        self.pinner = self.aside / "pinner-simulated"
        self.pinner.write_text(
            f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(_LAUNCH)} "
            f'{shlex.quote(str(story.bench.keyrings))} "$@"\n'
        )
        self.pinner.chmod(0o755)
        story.lock()
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "begin")
        self.git("init", "--quiet", "--bare", str(self.aside / "remote.git"))
        self.git("remote", "add", "origin", str(self.aside / "remote.git"))
        self.git("push", "--quiet", "origin", "main")

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **IDENTITY,
            "PYTHONPATH": str(REPOSITORY),
            "PINNER": str(self.pinner),
            "PINNER_CACHE_DIR": str(self.story.bench.cache),
            "PINNER_IMAGES": "never",
        }

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**os.environ, **IDENTITY}, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def start(self, script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [REPOSITORY / "scripts" / script, *arguments], cwd=self.folder, text=True,
            env={**self.environment, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, script: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(script, *arguments, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def job(story: Story) -> Job:
    return Job(story)


def release(job: Job, version: str) -> None:
    job.story.main.remove("jq").package("jq", version)


# scripts/refresh


def test_nothing_to_do_leaves_no_trace(job: Job) -> None:
    before = job.git("for-each-ref")
    assert job.run("refresh", "--push")[:2] == (0, "")
    assert job.git("for-each-ref") == before
    assert job.git("worktree", "list").count("\n") == 0


def test_one_commit_on_a_branch_of_its_own(job: Job) -> None:
    release(job, "1.7-1")
    status, out, err = job.run("refresh", "--push", "--summary", str(job.aside / "s.md"))
    assert (status, out) == (0, "pinner/refresh\n"), err
    assert job.git("ls-remote", "origin", "pinner/refresh").startswith(job.git("rev-parse", "pinner/refresh"))
    assert job.git("log", "--format=%s", "main..pinner/refresh") == "build(deps): refresh 1 apt pin"
    assert job.git("diff", "--name-only", "main", "pinner/refresh") == "Dockerfile\npinner.lock"
    assert "jq=1.7-1" in job.git("show", "pinner/refresh:Dockerfile")
    assert (job.aside / "s.md").read_text().startswith("## Refresh 1 apt pin\n")
    # the checkout is as it was
    assert job.git("status", "--porcelain", "--branch") == "## main"
    assert job.story.words() == "curl=7.88.1-10 jq=1.6-2"


def test_the_same_change_is_not_pushed_again_and_a_newer_one_replaces_it(job: Job) -> None:
    release(job, "1.7-1")
    job.run("refresh", "--push")
    first = job.git("ls-remote", "origin", "pinner/refresh")
    status, out, err = job.run("refresh", "--push")
    assert (status, out) == (0, "pinner/refresh\n")
    assert "origin has this change on pinner/refresh already" in err
    assert job.git("ls-remote", "origin", "pinner/refresh") == first
    release(job, "1.8-1")
    assert job.run("refresh", "--push")[0] == 0
    assert job.git("ls-remote", "origin", "pinner/refresh") != first
    assert job.git("log", "--format=%s", "main..pinner/refresh").count("\n") == 0
    assert "jq=1.8-1" in job.git("show", "pinner/refresh:Dockerfile")


def test_without_push_the_branch_stays_here(job: Job) -> None:
    release(job, "1.7-1")
    assert job.run("refresh", "--branch", "pins")[:2] == (0, "pins\n")
    assert job.git("ls-remote", "origin", "pins") == ""
    assert "jq=1.7-1" in job.git("show", "pins:Dockerfile")


def test_a_dry_run_changes_nothing(job: Job) -> None:
    release(job, "1.7-1")
    before = job.git("for-each-ref")
    status, out, _ = job.run("refresh", "--dry-run", "--push")
    assert status == 0
    assert "+RUN apt-get install -y curl=7.88.1-10 jq=1.7-1\n" in out
    assert job.git("for-each-ref") == before


def test_options_behind_a_double_dash_are_for_pinner(job: Job) -> None:
    release(job, "1.7-1")
    assert job.run("refresh", "--", "--exclude", "jq")[:2] == (1, "")
    assert job.run("refresh", str(job.folder), "--", "--only", "gone")[1] == "pinner/refresh\n"


def test_what_is_refused_is_not_committed(job: Job) -> None:
    job.story.main.remove("jq").package("jq", "1-1", arch="amd64").package("jq", "2-1", arch="arm64")
    status, out, err = job.run("refresh", "--push")
    assert (status, out) == (4, "")
    assert "nothing was refreshed" in err
    assert job.git("ls-remote", "origin", "pinner/refresh") == ""


def test_runs_do_not_overlap(job: Job) -> None:
    release(job, "1.7-1")
    job.story.bench.archive.stall("*/InRelease", times=1)
    first = job.start("refresh")
    lock = job.folder / ".git" / "pinner-refresh" / "pid"
    while not lock.exists() or not lock.read_text():
        time.sleep(0.01)
    status, _, err = job.run("refresh")
    assert status == 75
    assert f"another run is under way ({first.pid})" in err
    first.terminate()
    first.communicate(timeout=60)


def test_a_killed_run_does_not_block_the_next(job: Job) -> None:
    release(job, "1.7-1")
    lock = job.folder / ".git" / "pinner-refresh"
    lock.mkdir()
    dead = subprocess.Popen(["true"])
    dead.wait()
    (lock / "pid").write_text(f"{dead.pid}\n")
    job.git("worktree", "add", "--quiet", "--detach", str(lock / "tree"))
    status, out, err = job.run("refresh")
    assert (status, out) == (0, "pinner/refresh\n"), err
    assert not lock.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--branch",), "--branch needs a value"),
        (("--wat",), "unknown option --wat"),
        (("--base", "nowhere"), "there is no commit nowhere"),
        (("--branch", "a..b"), "a..b cannot be a branch's name"),
        (("--branch", "main"), "main is checked out"),
        (("/",), "/ is no git repository"),
    ],
)
def test_what_cannot_be(job: Job, arguments: tuple[str, ...], problem: str) -> None:
    status, _, err = job.run("refresh", *arguments)
    assert status == 2
    assert problem in err


def test_nothing_that_the_repository_names_runs(job: Job) -> None:
    """Its configuration names programs for whatever git can start, and attributes of the checkout choose filters."""
    release(job, "1.7-1")
    (job.folder / ".gitattributes").write_text(ATTRIBUTES)
    job.git("add", "--all")
    job.git("commit", "--quiet", "--message", "attributes")
    traps = Traps(job.aside)
    traps.git(job.folder / ".git")
    job.git("config", "commit.gpgSign", "false")
    status, out, err = job.run("refresh", "--push")
    assert (status, out) == (0, "pinner/refresh\n"), err
    assert traps.sprung == []


def test_a_repository_may_not_name_the_program_that_signs(job: Job) -> None:
    release(job, "1.7-1")
    traps = Traps(job.aside)
    traps.git(job.folder / ".git")
    job.run("refresh", PATH=f"{job.aside / 'traps'}:{os.environ['PATH']}", HOME=str(job.aside))
    assert traps.sprung == []


def test_a_folder_that_looks_like_a_bare_repository_is_none(job: Job) -> None:
    traps = Traps(job.aside)
    for name in ("objects", "refs"):
        (job.folder / "bare" / name).mkdir(parents=True)
    (job.folder / "bare" / "HEAD").write_text("ref: refs/heads/main\n")
    (job.folder / "bare" / "config").write_text("[core]\n\tbare = true\n")
    traps.git(job.folder / "bare")
    status, _, err = job.run("refresh", "bare")
    assert (status, traps.sprung) == (2, [])
    assert "bare is no git repository" in err


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
    assert "2 live" in summary
    release(job, "1.7-1")
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
    release(job, "1.7-1")
    status, log, outputs, summary = act(job, COMMAND="refresh", SUMMARY="true")
    assert (status, outputs["changed"], outputs["gone"]) == (0, "true", "1"), log
    assert summary == Path(outputs["summary"]).read_text()
    assert summary.startswith("## Refresh 1 apt pin\n")
    assert (job.aside / "pinner-commit-message").read_text().startswith("build(deps): refresh 1 apt pin\n")
    assert act(job, COMMAND="refresh", SUMMARY="false")[2:] == (
        {"changed": "false", "gone": "0", "security": "0", "summary": outputs["summary"]},
        "",
    )
    assert act(job, COMMAND="lock")[2]["changed"] == "false"


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
