"""`pinner refresh --branch`: commits on branches of their own, with real git and a real remote."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.test_schemas import FOLDER as SCHEMAS
from tests.cli.test_schemas import strict
from tests.hostile import ATTRIBUTES, Traps
from tests.scenarios.job import Job


def test_nothing_to_do_leaves_no_trace(job: Job) -> None:
    before = job.git("for-each-ref")
    assert job.refresh("--push").status == 0
    assert job.git("for-each-ref") == before
    assert job.git("worktree", "list").count("\n") == 0


def test_one_commit_on_a_branch_of_its_own(job: Job) -> None:
    job.release("1.7-1")
    job.story.dockerfile("nothing committed of this")
    (job.folder / "new").write_text("")
    job.git("add", "new")
    before = job.git("status", "--porcelain", "--branch")
    result = job.refresh("--push", "--summary", "../s.md", "--commit-message", "../m")
    assert result.status == 0, result.err
    assert result.out.endswith("; origin has it\n")
    assert job.git("ls-remote", "origin", "pinner/refresh").startswith(job.git("rev-parse", "pinner/refresh"))
    assert job.git("log", "--format=%s", "main..pinner/refresh") == "build(deps): refresh jq to 1.7-1"
    assert job.git("diff", "--name-only", "main", "pinner/refresh") == "Dockerfile\npinner.lock"
    assert "jq=1.7-1" in job.git("show", "pinner/refresh:Dockerfile")
    assert (job.aside / "s.md").read_text().startswith("## Refresh jq to 1.7-1\n")
    assert (job.aside / "m").read_text().startswith("build(deps): refresh jq to 1.7-1\n")
    # the checkout is as it was
    assert job.git("status", "--porcelain", "--branch") == before
    assert job.story.words() == "nothing committed of this"
    assert job.git("worktree", "list").count("\n") == 0


def test_the_same_change_is_not_pushed_again_and_a_newer_one_replaces_it(job: Job) -> None:
    job.release("1.7-1")
    job.refresh("--push")
    first = job.git("ls-remote", "origin", "pinner/refresh")
    assert "; origin has it already\n" in job.refresh("--push").out
    assert job.git("ls-remote", "origin", "pinner/refresh") == first
    job.release("1.8-1")
    assert job.refresh("--push").status == 0
    assert job.git("ls-remote", "origin", "pinner/refresh") != first
    assert job.git("log", "--format=%s", "main..pinner/refresh").count("\n") == 0
    assert "jq=1.8-1" in job.git("show", "pinner/refresh:Dockerfile")


@pytest.mark.parametrize("push", [True, False])
def test_what_others_have_committed_on_the_branch_is_not_thrown_away(job: Job, push: bool) -> None:
    arguments = ("--push",) if push else ()
    job.release("1.7-1")
    job.refresh(*arguments)
    # merging main into it, as a button of the host does, is no such thing
    job.git("commit", "--quiet", "--allow-empty", "--message", "main goes on")
    job.git("switch", "--quiet", "pinner/refresh")
    job.git("merge", "--quiet", "--no-edit", "main")
    job.git("switch", "--quiet", "main")
    job.git("push", "--quiet", "origin", "pinner/refresh")
    job.release("1.8-1")
    assert job.refresh(*arguments).status == 0
    job.git("switch", "--quiet", "pinner/refresh")
    job.git("commit", "--quiet", "--allow-empty", "--message", "a fix by hand")
    job.git("push", "--quiet", "--force", "origin", "pinner/refresh")
    job.git("switch", "--quiet", "main")
    job.release("1.9-1")
    before = job.git("rev-parse", "pinner/refresh"), job.git("ls-remote", "origin")
    result = job.refresh(*arguments)
    assert result.status == 3
    assert "pinner/refresh has a commit that pinner did not make" in result.err
    assert (job.git("rev-parse", "pinner/refresh"), job.git("ls-remote", "origin")) == before


def test_a_dry_run_changes_nothing(job: Job) -> None:
    job.release("1.7-1")
    before = job.git("for-each-ref")
    result = job.refresh("--dry-run", "--push")
    assert result.status == 0
    assert "+RUN apt-get install -y curl=7.88.1-10 jq=1.7-1\n" in result.out
    assert job.refresh("--check").status == 1
    assert job.git("for-each-ref") == before


def test_what_is_refused_is_not_committed(job: Job) -> None:
    job.story.main.remove("jq").package("jq", "1-1", arch="amd64").package("jq", "2-1", arch="arm64")
    result = job.refresh("--push")
    assert (result.status, job.branches()) == (4, [])
    assert "nothing was refreshed" in result.out


def test_a_folder_and_a_base_of_ones_own(job: Job) -> None:
    job.story.dockerfile("jq", "b/Dockerfile")
    job.story.lock()
    job.commit("another one")
    job.release("1.7-1")
    job.story.bench.write("c/x", "")
    assert job.refresh("b", "--base", "main~1").status == 3  # there is no such folder yet
    result = job.refresh(str(job.folder / "b"))
    assert result.status == 0, result.err
    assert job.git("diff", "--name-only", "main", "pinner/refresh") == "b/Dockerfile\npinner.lock"


def test_runs_do_not_overlap(job: Job) -> None:
    job.release("1.7-1")
    folder = job.folder / ".git" / "pinner-refresh"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = job.refresh()
    assert (result.status, job.branches()) == (3, [])
    assert "another run is under way" in result.err
    # what a killed run has left is in nobody's way
    job.git("worktree", "add", "--quiet", "--detach", str(folder / "tree"))
    assert (job.refresh().status, job.branches()) == (0, ["pinner/refresh"])
    assert job.git("worktree", "list").count("\n") == 0


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (("--push",), 2, "--push, --base, --remote and --group-by need --branch"),
        (("--branch", "b", "--base", "nowhere"), 2, "there is no commit nowhere"),
        (("--branch", "a..b"), 2, "'a..b' cannot be a branch's name"),
        (("--branch", "main"), 2, "main is checked out"),
        (("--branch", "b", "--rescue"), 2, "exclude each other"),
        (("--branch", "b", ".."), 3, "is not in this work tree"),
        (("--branch", "b", "-"), 3, "is not in this work tree"),
        (("--branch", "b", "--push", "--remote", "nowhere"), 5, "nowhere"),
    ],
)
def test_what_cannot_be(job: Job, arguments: tuple[str, ...], status: int, problem: str) -> None:
    job.release("1.7-1")
    result = job.story.bench.run("refresh", *arguments)
    assert (result.status, problem in result.err) == (status, True), result.err
    assert job.branches() == []


def test_outside_of_a_repository(job: Job) -> None:
    (job.folder / ".git").rename(job.aside / "gone")
    result = job.refresh()
    assert (result.status, "is in no git work tree" in result.err) == (3, True)


# Groups


def three(job: Job) -> None:
    """Three source packages in two files, all of which move."""
    job.story.main.package("tree", "1").package("openssl", "3-1").package("libssl3", "3-1", source="openssl")
    job.story.dockerfile("tree openssl libssl3", "b/Dockerfile")
    job.story.lock()
    job.commit("more")
    job.story.security.package("tree", "2")
    job.story.main.package("openssl", "3-2").package("libssl3", "3-2", source="openssl").package(
        "jq", "1.7-1"
    )


@pytest.mark.parametrize(
    ("by", "branches"),
    [
        (
            "source",
            {
                "jq": ("refresh jq to 1.7-1", ["Dockerfile"]),
                "openssl": ("refresh openssl to 3-2", ["b/Dockerfile"]),
                "tree": ("refresh tree to 2 (security update)", ["b/Dockerfile"]),
            },
        ),
        (
            "security",
            {
                "others": ("refresh 3 apt pins", ["Dockerfile", "b/Dockerfile"]),
                "security": ("refresh tree to 2 (security update)", ["b/Dockerfile"]),
            },
        ),
        (
            "file",
            {
                "Dockerfile": ("refresh jq to 1.7-1", ["Dockerfile"]),
                "b-Dockerfile": ("refresh 3 apt pins (1 security update)", ["b/Dockerfile"]),
            },
        ),
    ],
)
def test_groups(job: Job, by: str, branches: dict[str, tuple[str, list[str]]]) -> None:
    three(job)
    result = job.refresh("--group-by", by, "--push", "--json", "--summary", "../s.md")
    data = json.loads(result.out)
    schema = json.loads((SCHEMAS / "refresh.json").read_text())
    assert list(jsonschema.Draft202012Validator(strict(schema)).iter_errors(data)) == []
    assert result.status == 0
    assert {each["name"] for each in data["branches"]} == {f"pinner/refresh-{name}" for name in branches}
    for each in data["branches"]:
        title, files = branches[each["name"].removeprefix("pinner/refresh-")]
        assert each["title"] == f"build(deps): {title}"
        assert job.git("log", "--format=%s", f"main..origin/{each['name']}") == each["title"]
        changed = job.git("diff", "--name-only", "main", each["name"]).splitlines()
        assert changed == sorted([*files, "pinner.lock"])
        assert Path(each["summary"]).read_text().startswith(f"## R{title[1:]}\n")
    # one after the other they come to what one branch for all does
    (job.folder / ".git" / "info" / "attributes").write_text(
        "pinner.lock merge=union\nDockerfile merge=union\n"
    )
    for each in data["branches"] if by != "security" else ():
        job.git("merge", "--quiet", "--no-edit", each["name"])


def test_what_cannot_move_alone_moves_together(job: Job) -> None:
    """libcurl4 is of another source package here, and strict; what is gone in one file must move in one commit."""
    story = job.story
    story.dockerfile("curl libcurl4", "a/Dockerfile")
    story.main.package("tree", "1")
    story.dockerfile("jq tree", "b/Dockerfile")
    story.lock()
    job.commit("more")
    story.main.package("curl", "7.88.1-11", depends="libcurl4 (= 7.88.1-11)").package("libcurl4", "7.88.1-11")
    job.release("1.7-1")
    story.main.remove("tree").package("tree", "2")
    result = job.refresh("--group-by", "source")
    assert result.status == 0, result.out + result.err
    together = {name: job.git("diff", "--name-only", "main", name).splitlines() for name in job.branches()}
    assert len(together) == 1  # curl and jq share ./Dockerfile, in which jq is gone
    for name in together:
        job.git("switch", "--quiet", name)
        assert story.verify().status == 0


# Safety


@pytest.fixture
def traps(job: Job) -> Traps:
    return Traps(job.aside)


def test_nothing_that_the_repository_names_runs(job: Job, traps: Traps) -> None:
    """Its configuration names programs for whatever git can start, and attributes of the checkout choose filters."""
    job.release("1.7-1")
    (job.folder / ".gitattributes").write_text(ATTRIBUTES)
    job.commit("attributes")
    traps.git(job.folder / ".git")
    job.git("config", "commit.gpgSign", "false")
    result = job.refresh("--push")
    assert (result.status, job.branches()) == (0, ["pinner/refresh"]), result.err
    assert traps.sprung == []


def test_a_repository_may_not_name_the_program_that_signs(
    job: Job, traps: Traps, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.release("1.7-1")
    traps.git(job.folder / ".git")
    monkeypatch.setenv("PATH", f"{job.aside / 'traps'}:{os.environ['PATH']}")
    job.refresh()
    assert traps.sprung == []


def test_a_folder_that_looks_like_a_bare_repository_is_none(job: Job, traps: Traps) -> None:
    for name in ("objects", "refs"):
        (job.folder / "bare" / name).mkdir(parents=True)
    (job.folder / "bare" / "HEAD").write_text("ref: refs/heads/main\n")
    (job.folder / "bare" / "config").write_text("[core]\n\tbare = true\n")
    traps.git(job.folder / "bare")
    assert (job.refresh("bare").status, traps.sprung) == (3, [])


def test_a_filter_that_cannot_be_switched_off(job: Job, traps: Traps) -> None:
    job.release("1.7-1")
    (job.folder / ".gitattributes").write_text("* filter=a=b\n")
    job.commit("attributes")
    for key in ("smudge", "clean"):
        job.git("config", f"filter.a=b.{key}", str(traps.program(f"a-{key}")))
    assert (job.refresh().status, traps.sprung) == (3, [])


def test_a_base_whose_folder_is_a_link_leads_nowhere(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.release("1.7-1")
    (job.aside / "victim").mkdir()
    (job.aside / "victim" / "Dockerfile").write_bytes((job.folder / "Dockerfile").read_bytes())
    (job.folder / "sub").symlink_to(job.aside / "victim")
    job.commit("a link")
    (job.folder / "sub").unlink()
    (job.folder / "sub").mkdir()
    bench, text = job.story.bench, (job.folder / "Dockerfile").read_bytes()
    monkeypatch.setattr(bench, "folder", job.folder / "sub")
    assert job.refresh().status == 3
    assert (job.aside / "victim" / "Dockerfile").read_bytes() == text


def test_a_folder_of_gits_that_is_a_link_leads_nowhere(job: Job) -> None:
    job.release("1.7-1")
    (job.aside / "victim" / "tree").mkdir(parents=True)
    (job.folder / ".git" / "pinner-refresh").symlink_to(job.aside / "victim")
    assert job.refresh().status == 3
    assert (job.aside / "victim" / "tree").is_dir()


def test_without_an_identity_it_is_pinners(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{name}_{part}")
    monkeypatch.setenv("HOME", str(job.aside))
    job.release("1.7-1")
    assert job.refresh().status == 0
    assert job.git("log", "-1", "--format=%an", "pinner/refresh") == "pinner"


def test_a_shallow_clone(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CI has it, week after week."""
    for version in ("1.7-1", "1.8-1"):
        job.release(version)
        clone = job.aside / version
        url = (job.aside / "remote.git").as_uri()
        subprocess.run(["git", "clone", "--quiet", "--depth=1", "--branch=main", url, str(clone)], check=True)
        monkeypatch.setattr(job.story.bench, "folder", clone)
        assert job.refresh("--push").status == 0
    assert "jq=1.8-1" in subprocess.run(
        ["git", "show", "pinner/refresh:Dockerfile"], cwd=job.aside / "remote.git", capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
