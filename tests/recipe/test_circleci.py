"""CircleCI's configuration."""

from __future__ import annotations

import pytest

from pinner.recipe import kinds
from tests.recipe.tables import VERSION, pins_where_marked


@pytest.mark.parametrize(
    ("steps", "reasons"),
    [
        ("[checkout, {run: apt-get install a^}]", ()),
        ("\n      - run:\n          command: |\n            apt-get install a^ \\\n              b^", ()),
        ("[{run: {command: apt-get install a^ << parameters.b >>, name: x}}]", ("variable-unknown",)),
        ("[{when: {condition: x, steps: [{run: apt-get install a^}]}}]", ()),
        ("[{run: {shell: /bin/sh -e, command: apt-get install a^}}]", ()),
    ],
)
@pytest.mark.parametrize("section", ["jobs", "commands"])
def test_words(section: str, steps: str, reasons: tuple[str, ...]) -> None:
    text = f"{section}:\n  x:\n    steps: {steps}\n"
    assert pins_where_marked("circleci", text, f'="{VERSION}"') == reasons


@pytest.mark.parametrize(
    ("job", "base", "runner"),
    [
        ("docker: [{image: debian:12}, {image: postgres}]", "debian:12", ""),
        ("docker: [{image: 'debian:<< parameters.x >>'}]", "", ""),
        ("machine: {image: ubuntu-2204:current}", "", "ubuntu-2204:current"),
        ("machine: true", "", "machine"),
        ("executor: e", "debian:11", ""),
        ("executor: {name: e}", "debian:11", ""),
    ],
)
def test_what_a_job_runs_on(job: str, base: str, runner: str) -> None:
    text = f"executors: {{e: {{docker: [{{image: debian:11}}]}}}}\njobs:\n  x:\n    {job}\n    steps: []\n"
    (stage,) = kinds.parse("circleci", text).stages
    assert (stage.base, stage.runner) == (base, runner)
