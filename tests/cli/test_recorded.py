"""The recorded archives of snapshots/: locked without a network, as apt said when they were made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pinner.cli import main
from pinner.lock.reader import loads

RECORDED = Path(__file__).parent.parent.parent / "snapshots"
INSTALLS = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", re.MULTILINE)


@pytest.fixture(params=sorted(path.name for path in RECORDED.iterdir()))
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    recorded = RECORDED / str(request.param)
    shutil.copy(recorded / "Dockerfile", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINNER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return recorded


def test_a_recorded_archive_locks_what_apt_said(project: Path, tmp_path: Path) -> None:
    assert main.run(["lock", "--archive", str(project), "Dockerfile"]) == 0
    lock = loads((tmp_path / "pinner.lock").read_text())
    for arch in ("amd64", "arm64"):
        target = next(each for each in lock.targets if each.platform == f"linux/{arch}")
        ids = [member.id for member in target.closure.members]
        locked = {
            name.rpartition(":")[0]: version for name, _, version in (each.partition("=") for each in ids)
        }
        said = dict(INSTALLS.findall((project / "apt" / arch).read_text()))
        assert locked == said
    assert "deb.debian.org" in (tmp_path / "pinner.lock").read_text()


def test_other_commands_take_it_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = ("--archive", str(project))
    assert main.run(["lock", *archive, "Dockerfile"]) == 0
    assert main.run(["verify", *archive, "Dockerfile"]) == 0
    assert main.run(["refresh", *archive, "Dockerfile"]) == 0
    assert main.run(["why", *archive, "curl", "Dockerfile"]) == 0
    assert main.run(["resolve", *archive, "--suite", project.name, "curl"]) == 0
    assert main.run(["export", "packages", *archive, "--platform", "amd64"]) == 0
    captured = capsys.readouterr()
    assert "Package: curl\n" in captured.out
    assert main.run(["lock", *archive, "--snapshot", "latest", "Dockerfile"]) == 5
