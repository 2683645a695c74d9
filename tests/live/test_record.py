"""`scripts/record_snapshot` cuts an archive on which pinner locks what real apt said about it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pinner.cli import main

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.live


def test_a_recorded_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [sys.executable, str(ROOT / "scripts" / "record_snapshot.py")]
    subprocess.run([*script, str(tmp_path / "archive"), "bookworm", "jq"], cwd=ROOT, check=True)
    monkeypatch.chdir(tmp_path / "archive")
    monkeypatch.setenv("PINNER_CACHE_DIR", str(tmp_path / "cache"))
    assert main.run(["lock", "--archive", ".", "Dockerfile"]) == 0
    lock = tomllib.loads((tmp_path / "archive" / "pinner.lock").read_text())
    for arch in ("amd64", "arm64"):
        said = re.findall(r"^Inst (\S+) \((\S+) ", Path("apt", arch).read_text(), re.MULTILINE)
        target = next(each for each in lock["target"] if each["platform"] == f"linux/{arch}")
        locked = [re.sub(r":\w+=", "=", each["id"]) for each in target["packages"]]
        assert sorted(locked) == sorted("=".join(each) for each in said)
