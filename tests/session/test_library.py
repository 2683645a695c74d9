"""`import pinner`: what the commands do, as functions; the example of docs/library.md runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pinner
from pinner.archive import trust
from tests.cli.workbench import Workbench

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def here(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The bench's project as the current directory."""
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("PINNER_CACHE_DIR", str(bench.cache))
    monkeypatch.setattr(trust, "_SHIPPED", bench.keyrings)
    yield bench


NEVER = pinner.Asked(images="never")


def test_lock_scan_and_verify(here: Workbench, capfd: pytest.CaptureFixture[str]) -> None:
    before = here.read("Dockerfile")
    (curl, jq) = pinner.scan(["Dockerfile"]).diagnostics
    assert (curl.code, curl.severity, curl.place.line, jq.subject) == ("unpinned", "note", 2, "jq")
    planned = pinner.lock(write=False, asked=NEVER)
    assert planned.wrote == ("Dockerfile", "pinner.lock") and here.read("Dockerfile") == before
    assert "curl=7.88.1-10+deb12u14" in planned.texts["Dockerfile"]
    assert planned.document["would_write"] == ["Dockerfile", "pinner.lock"]
    assert pinner.lock([Path("Dockerfile")], asked=NEVER).status == 0
    assert here.read("Dockerfile") == planned.texts["Dockerfile"]
    assert pinner.verify(asked=NEVER).status == 0
    here.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl=1 nosuch\n")
    found = pinner.verify(asked=NEVER)
    assert found.status == 1 and pinner.Code.GONE in {each.code for each in found.diagnostics}
    assert pinner.lock(write=False, asked=NEVER).status == 1
    here.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl=1\n")
    moved = pinner.refresh(write=False, asked=NEVER)
    assert (moved.status, moved.document["changes"][0]["name"]) == (0, "curl")
    assert "curl=7.88.1-10+deb12u14" in moved.texts["Dockerfile"]
    assert capfd.readouterr() == ("", "")


def test_what_stops_a_run_is_raised(here: Workbench) -> None:
    here.write("pinner.toml", "nosuch = 1\n")
    with pytest.raises(pinner.PinnerError, match="nosuch"):
        pinner.scan()


def test_importing_it_loads_nothing() -> None:
    code = "import pinner, sys; print(*sorted(name for name in sys.modules if name.startswith('pinner')))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "pinner\n"


def test_the_function_and_the_room_of_one_name() -> None:
    from pinner.lock import reader

    assert callable(pinner.lock) and callable(reader.loads)


def test_the_example_runs(here: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```$", page)
    exec(compile(example, "docs/library.md", "exec"), {})
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == "Dockerfile:2: note [unpinned] curl: it has no pin"
