"""The table of `tests.attacks.registries`, each row against the real command line."""

from __future__ import annotations

import re
import time

import pytest

from tests.attacks.registries import REGISTRY, Mischief
from tests.cli.workbench import Workbench
from tests.registry import Registry, serve

_SECONDS = 40.0  # CPU; none takes 10


@pytest.mark.parametrize("mischief", REGISTRY, ids=lambda mischief: mischief.name)
def test_attack(mischief: Mischief, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    if mischief.ci:
        monkeypatch.setenv("CI", "true")
    with serve(Registry()) as registry:
        mischief.do(registry)
        text = f"FROM {registry.host}/app:1\nRUN apt-get install -y curl\n"
        bench.write("Dockerfile", text)
        before = bench.files()
        begun = time.process_time()
        done = bench.run(
            "lock", "--images", "always", "--platform", "linux/amd64", "--insecure-registry", registry.host
        )
    assert time.process_time() - begun < _SECONDS
    assert done.status == mischief.status, done.err
    assert re.search(mischief.says, done.out + done.err), done.err
    assert "Traceback" not in done.err
    if mischief.status:
        assert bench.files() == before
    else:
        assert ("curl=" not in bench.read("Dockerfile")) == mischief.unpinned
