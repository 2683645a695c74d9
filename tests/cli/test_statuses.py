"""What each command exits with, and the head of its JSON: the same for all of them."""

from __future__ import annotations

import json

import pytest

from tests.cli.workbench import Workbench

_STAGES = ("lock", "verify", "refresh", "scan", "why curl", "resolve curl", "snapshot find")
_VALUES = ("--platform linux/arm46", "--suite bookwurm", "--images maybe", "--archive nowhere")
_CASES = [
    *((f"{command} {value}", 2) for command in _STAGES for value in _VALUES),
    ("lock --snapshot someday", 2),
    ("refresh --snapshot someday", 2),
    ("refresh --min-age soon", 2),
    ("verify --fail-on nothing", 2),
    ("resolve curl --from FOO:::", 2),
    ("resolve curl --suite bookworm -t nosuch", 2),
    ("resolve nosuch --suite bookworm", 1),
    ("why nosuch", 1),
    ("resolve curl --suite bookworm", 0),
    ("why curl", 0),
    ("cache dir", 0),
    ("scan", 0),
    ("scan nowhere", 3),
    ("lock --check", 1),
    ("lock nowhere", 3),
    ("verify", 0),
    ("verify nowhere", 3),
    ("refresh", 0),
    ("refresh nowhere", 3),
    ("audit --installed nowhere", 3),
]


@pytest.mark.parametrize(("arguments", "status"), _CASES, ids=[arguments for arguments, _ in _CASES])
def test_exit_status(bench: Workbench, arguments: str, status: int) -> None:
    done = bench.run(*arguments.split(), "--json")
    assert done.status == status, done
    if done.out:
        document = json.loads(done.out)
        assert (document["schema_version"], document["status"]) == (1, status)
        assert status < 2 or document["errors"][0]["message"]
    else:  # the command line itself is not understood
        assert status == 2


def test_paths_are_relative_to_the_current_directory(bench: Workbench) -> None:
    place = bench.folder / "Dockerfile"
    for command in ("scan", "lock", "verify"):
        found = json.loads(bench.run(command, "--json", str(place)).out)
        shown = found["pins"] if command == "verify" else found["files"]
        assert {each if command == "scan" else each["path"] for each in shown} == {"Dockerfile"}
