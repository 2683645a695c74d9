"""Whatever is killed on the way leaves nothing half done, and the next run comes to the same end.

Killed is at file operations, evenly spread, and at moments drawn by lot. PINNER_KILLS is how many of each;
`scripts/attack` takes 200.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.attacks.archives import LOG, PATH, ar, update
from tests.cli.workbench import RELEASED, Workbench, debian
from tests.registry import tar
from tests.simulator import Key, SimulatedArchive

_KILLS = int(os.environ.get("PINNER_KILLS", "4"))
_KILLER = """
import os, signal, sys
left, count = {left}, 0
def hook(event, arguments):
    global left, count
    if event == "open":
        counts = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    else:
        counts = event in ("os.rename", "os.remove", "os.mkdir", "os.chmod", "os.truncate", "sqlite3.connect")
    if counts:
        count += 1
        if left < 0:
            os.write(2, b"moments: %d " % count)
        if count > left >= 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""
_VENDOR, _RING = "https://vendor.example", "/usr/share/keyrings/vendor.gpg"
_FILE = f"""\
FROM debian:bookworm
RUN curl {_VENDOR}/key.asc | gpg --dearmor -o {_RING} \\
 && echo "deb [signed-by={_RING}] {_VENDOR}/debian bookworm main" > /etc/apt/sources.list.d/v.list
RUN apt-get update && apt-get install -y curl tool
"""
_QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}


class Story(NamedTuple):
    command: tuple[str, ...]
    before: Callable[[Workbench], object] = lambda bench: None


def locked(bench: Workbench) -> None:
    assert bench.run("lock", "--trust-new-keys").status == 0


def outdated(bench: Workbench) -> None:
    locked(bench)
    update(ar(tar({PATH: LOG})))(bench)


STORIES = {
    "download": Story(("download", "out"), locked),
    "new keys": Story(("lock", "--trust-new-keys")),
    "report": Story(("verify", "--format", "sarif=summary.sarif"), locked),
    "changelogs": Story(("refresh", "--changelogs", "--summary", "summary.md"), outdated),
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """curl of Debian's, and the tool of a vendor whose key the file fetches."""
    archive = SimulatedArchive(now=datetime.now(UTC))
    debian(archive, "bookworm").deb("curl", "7")
    vendor = archive.suite("bookworm", path="vendor").deb("tool", "2.0")
    vendor.signers, vendor.date = [Key("Vendor")], RELEASED
    archive.pool["/keys/key.asc"] = bytes(vendor.signers[0].certificate)
    (tmp_path / "project").mkdir()
    with archive.serve():
        bench = Workbench(tmp_path / "project", archive, tmp_path)
        bench.configure('platforms = ["linux/amd64"]')
        mirrors = f'"{_VENDOR}/debian" = "{archive.url}/vendor"\n"{_VENDOR}" = "{archive.url}/keys"\n'
        bench.write("pinner.toml", bench.read("pinner.toml") + mirrors)
        bench.write("Dockerfile", _FILE)
        yield bench


def texts(bench: Workbench) -> dict[str, bytes]:
    """All but summaries: that of the next run tells what was left to do, and when."""
    others = ("out/partial/", "summary")
    return {name: text for name, (text, _) in bench.files().items() if not name.startswith(others)}


@pytest.mark.parametrize("name", STORIES)
def test_kills(bench: Workbench, name: str, tmp_path: Path) -> None:
    story = STORIES[name]
    story.before(bench)
    old, start = texts(bench), tmp_path / "start"
    shutil.copytree(bench.cache, start, dirs_exist_ok=True) if bench.cache.exists() else start.mkdir()

    def anew() -> None:
        for place in (bench.folder, bench.cache):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(start, bench.cache)
        for path, text in old.items():
            bench.write(path, text)

    begun = time.monotonic()
    whole = bench.process(*story.command, first=_KILLER.format(left=-1), environment=_QUIET)
    lasted = time.monotonic() - begun
    assert whole.status == 0, whole.err
    new = texts(bench)
    moments = int(whole.err.rpartition("moments: ")[2].split()[0])
    draw = random.Random(12)
    places = sorted({number * moments // _KILLS for number in range(_KILLS)})
    for left in (*places, *[None] * _KILLS):
        anew()
        if left is None:
            process = bench.start(*story.command, environment=_QUIET)
            time.sleep(draw.uniform(0.2, 1.1) * lasted)
            process.kill()
            process.communicate()
        else:
            killed = bench.process(*story.command, first=_KILLER.format(left=left), environment=_QUIET)
            # The last places may lie beyond the end: how often a run opens files differs by a few.
            assert killed.status == -signal.SIGKILL or (killed.status == 0 and left > moments * 0.9), (
                killed.err
            )
        for path, text in texts(bench).items():  # a .deb is whole, or is not there
            assert not path.endswith(".deb") or text == new[path], (left, path)
        again = bench.run(*story.command)
        assert again.status == 0, (left, again.err)
        assert texts(bench) == new, left


def test_what_runs_remember_cannot_be_written(bench: Workbench) -> None:
    locked(bench)
    shutil.rmtree(bench.cache / "seen")
    (bench.cache / "seen").write_text("")
    true = bench.read("pinner.lock")
    bench.write("Dockerfile", bench.read("Dockerfile").replace("curl=7", "curl"))
    for command in ("lock", "verify", "refresh"):
        (bench.folder / "pinner.lock").unlink() if command == "lock" else None
        done = bench.run(command, "--trust-new-keys") if command == "lock" else bench.run(command)
        assert (done.status, "note: nothing is remembered for later runs: " in done.err) == (0, True), done
        assert done.out and bench.read("pinner.lock") == true
