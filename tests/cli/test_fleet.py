"""Many repositories: one line each, shards that take each one once, and a killed shard that goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pinner.cli.fleet import Shard
from tests.cli.workbench import Workbench


@pytest.fixture
def fleet(bench: Workbench) -> Workbench:
    """Six repositories with the same lock; the second has lost a pin, the third a configuration that can be read."""
    assert bench.run("lock").status == 0
    names = [f"repo-{number}" for number in range(6)]
    for name in names:
        (bench.folder / name).mkdir()
        for file in ("Dockerfile", "pinner.lock", "pinner.toml"):
            shutil.copy(bench.folder / file, bench.folder / name / file)
    bench.write(
        "repo-1/Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl=7.88.1-9 jq=1.6-2.1\n"
    )
    bench.write("repo-2/pinner.toml", "nosuch = 1\n")
    bench.write("repositories", "# all of them\n\n" + "\n".join([*names, "nowhere", "repo-0"]) + "\n")
    return bench


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_by_itself(fleet: Workbench) -> None:
    done = fleet.run("verify", "--repositories", "repositories")
    found = {each["repository"]: each for each in lines(done.out)}
    assert done.status == 3
    assert len(found) == len(done.out.splitlines()) == 7
    statuses = {name: each["status"] for name, each in found.items()}
    assert statuses == {**dict.fromkeys(found, 0), "repo-1": 1, "repo-2": 3, "nowhere": 3}
    assert found["repo-0"]["counts"] == {
        **dict.fromkeys(
            ("superseded", "gone", "unknown", "security", "unpinned", "unread", "locked_gone"), 0
        ),
        "live": 2,
    }
    (gone,) = (each for each in found["repo-1"]["diagnostics"] if each["code"] == "gone")
    assert (gone["path"], gone["line"], gone["subject"]) == ("Dockerfile", 2, "curl=7.88.1-9")
    assert "unknown key nosuch" in found["repo-2"]["errors"][0]["message"]
    assert found["repo-0"]["locked"].startswith("2025-01-11")


def test_shards_share_nothing_and_lose_nothing(fleet: Workbench) -> None:
    parts = [
        fleet.run("verify", "--repositories", "repositories", "--shard", f"{n}/3").out for n in (1, 2, 3)
    ]
    found = [each["repository"] for part in parts for each in lines(part)]
    assert len(found) == len(set(found)) == 7
    assert fleet.run("verify", "--repositories", "repositories", "--shard", "0/3").out.count("\n") == len(
        lines(parts[2])
    )


def test_which_shard_depends_on_the_path_alone() -> None:
    names = [f"/checkouts/team/service-{number}" for number in range(1000)]
    sizes = [sum(Shard(n, 8).has(name) for name in names) for n in range(8)]
    assert sum(sizes) == 1000 and min(sizes) > 90
    assert [name for name in names[:30] if Shard(3, 8).has(name)] == [
        names[n] for n in (0, 14, 15, 17, 21, 22, 28)
    ]


def test_a_killed_shard_goes_on(fleet: Workbench) -> None:
    whole = ("verify", "--repositories", "repositories", "--results", "out.jsonl")
    fleet.run(*whole)
    before = fleet.read("out.jsonl")
    cut = before.splitlines(keepends=True)
    fleet.write("out.jsonl", "".join(cut[:2]) + cut[2][:50])
    requests = len(fleet.archive.requests)
    done = fleet.run(*whole)
    assert done.status == 3
    after = lines(fleet.read("out.jsonl"))
    assert [each["repository"] for each in after] == [each["repository"] for each in lines(before)]
    assert len(fleet.archive.requests) - requests < 10  # each index is asked for once
    assert fleet.run(*whole).out == "" and lines(fleet.read("out.jsonl")) == after
    fleet.write("out.jsonl", "something else\n")
    assert fleet.run(*whole).status == 3 and fleet.read("out.jsonl") == "something else\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "--shard 0/2",
        "--results x",
        *(
            f"--repositories repositories {more}"
            for more in ("--shard 3/2", "--shard 1", "--shard 0/0", "repo-0")
        ),
    ],
)
def test_slips(fleet: Workbench, arguments: str) -> None:
    assert fleet.run("verify", *arguments.split()).status == 2


def test_report(fleet: Workbench) -> None:
    for number in (1, 2):
        shard = ("--shard", f"{number}/2", "--results", f"{number}.jsonl")
        fleet.run("verify", "--repositories", "repositories", *shard)
    old = json.loads(fleet.read("1.jsonl").splitlines()[0])
    hostile = {**old, "repository": "<script>alert(1)</script>\x1b[31m", "status": 1}
    older = {**old, "date": "2020-01-01T00:00:00Z", "status": 6}
    fleet.write("3.jsonl", "".join(json.dumps(each) + "\n" for each in (hostile, older)))
    files = ("1.jsonl", "2.jsonl", "3.jsonl")
    done = fleet.run("report", *files, "--html", "page.html")
    assert done.status == 0
    assert done.out.splitlines()[-1] == "8 results, 4 of them good: 1 gone, 2 not read"
    assert done.out.splitlines()[0].startswith("repo-1 ")
    page = fleet.read("page.html")
    assert "<script" not in page and "&lt;script&gt;" in page and "\x1b" not in page
    assert "http://" not in page and "https://" not in page  # it opens without a network
    document = json.loads(fleet.run("report", *files, "--json").out)
    assert document["repositories"] == 8
    assert document["totals"]["gone"] == 1
    assert document["packages"][0] == {"code": "gone", "package": "curl", "repositories": 1}
    assert fleet.run("report", "repositories").status == 3
    assert Path(fleet.folder / "page.html").stat().st_size < 20_000


def test_refresh_makes_a_branch_in_each(fleet: Workbench) -> None:
    for number in (0, 1):
        folder = fleet.folder / f"repo-{number}"
        for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm all"):
            subprocess.run(["git", *command.split()], cwd=folder, check=True)
        subprocess.run(["git", "config", "user.email", "a@b"], cwd=folder, check=True)
        subprocess.run(["git", "config", "user.name", "a"], cwd=folder, check=True)
    before = fleet.read("repo-1/Dockerfile")
    fleet.write("repositories", "repo-0\nrepo-1\nrepo-2\n")
    whole = ("refresh", "--repositories", "repositories", "--results", "out.jsonl", "--branch", "pins")
    assert fleet.run(*whole).status == 3
    same, moved, wrong = lines(fleet.read("out.jsonl"))
    assert (same["changed"], same["branches"], wrong["status"]) == (False, [], 3)
    assert moved["changed"] and moved["counts"]["moved"] == len(moved["moves"]) == 1
    assert moved["moves"][0]["name"] == "curl" and moved["moves"][0]["old"] == "7.88.1-9"
    assert moved["branches"][0]["name"] == "pins"
    shown = ["git", "show", "pins:Dockerfile"]
    new = subprocess.run(
        shown, cwd=fleet.folder / "repo-1", check=True, capture_output=True, text=True
    ).stdout
    assert "curl=7.88.1-10" in new and fleet.read("repo-1/Dockerfile") == before
    assert fleet.run(*whole).out == "" and len(lines(fleet.read("out.jsonl"))) == 3
    assert fleet.run("refresh", "--repositories", "repositories", "--rescue").status == 2
    assert fleet.run("report", "out.jsonl").status == 0
