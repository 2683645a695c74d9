"""What is released: the manual, the completions, the message where a compiled library is missing."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from pinner.cli.main import cli
from pinner.codes import HOME
from scripts.man_page import page

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_manual_has_every_command() -> None:
    text = page()
    for name in cli.list_commands(click.Context(cli)):
        assert f'.SS "pinner {name}' in text
    assert not [line for line in text.splitlines() if line.startswith(("'", ". "))]
    assert "\\-\\-platform" in text


def test_all_files_name_the_same_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    names = [
        name.decode() for name in listed.split(b"\0") if name.endswith((b".md", b".yml", b".yaml", b".toml"))
    ]
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    named = re.findall(r"(?:uses: |github\.com/)([\w-]+/(?:apt-)?pinner)\b", text)
    assert {*named} <= {HOME.removeprefix("https://github.com/")}


def test_data_files_are_there() -> None:
    for name in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]:
        assert (ROOT / name).stat().st_size > 100


@pytest.mark.parametrize("module", ["tree_sitter", "pysequoia", "yaml"])
def test_a_compiled_library_that_is_not_there(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(
        f"raise ImportError('no module {module} for you', name='{module}')\n"
    )
    (tmp_path / "ci.yml").write_text(
        "jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: apt-get install -y jq\n"
    )
    (tmp_path / "Dockerfile").write_text("FROM debian:bookworm\nRUN apt-get install -y jq\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from pinner.cli.main import main; main()"
    lock = (
        "lock",
        "--dry-run",
        "--images",
        "never",
        "--archive",
        str(ROOT / "snapshots"),
        str(tmp_path / "ci.yml"),
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            *(lock if module == "yaml" else (*lock[:-1], str(tmp_path / "Dockerfile"))),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if module in done.stderr:  # pysequoia is needed only where something is verified
        assert done.returncode == 3
        assert "Traceback" not in done.stderr and "use the container image" in done.stderr
