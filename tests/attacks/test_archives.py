"""The tables of `tests.attacks.archives`, each row against the real command line; `scripts/attack` runs them."""

from __future__ import annotations

import re
import shutil
import time

import pytest

from tests.attacks.archives import ARCHIVE, CHANGELOG, DOWNLOAD, Attack, bookworm
from tests.cli.workbench import Workbench

_SECONDS = 20.0  # CPU; none takes 1


@pytest.mark.parametrize("attack", (*ARCHIVE, *CHANGELOG, *DOWNLOAD), ids=lambda attack: attack.name)
def test_attack(attack: Attack, bench: Workbench) -> None:
    if attack in (*CHANGELOG, *DOWNLOAD):
        bookworm(bench).remove("curl").deb("curl", "7")
        bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
    for command in attack.setup:
        assert bench.run(*command, *(("--platform", "linux/amd64") if attack in DOWNLOAD else ())).status == 0
    shutil.rmtree(bench.cache, ignore_errors=True)
    attack.mischief(bench)
    before = bench.files()
    begun = time.process_time()
    done = bench.run(*attack.command)
    assert time.process_time() - begun < _SECONDS
    assert done.status == attack.status, done.err
    assert re.search(attack.says, done.out + done.err), done.err
    assert "Traceback" not in done.err
    assert attack.status == 0 or bench.files() == before
    outside = bench.folder.parent / "outside"
    assert not outside.exists() or [path.read_bytes() for path in outside.rglob("*")] == [b"mine"]
