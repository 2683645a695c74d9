"""Each file of each golden case, run before and after: apt gets the same arguments, `=version` added to some.

Rewritten scripts are such that `bash -n` takes them; rewritten YAML says the same but for the strings that were edited.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pinner.recipe import kinds
from tests.recipe.execution import Call, Sandbox, assert_only_pinned, of_dockerfile

GOLDEN = Path(__file__).parent.parent / "golden" / "lock"
EDITED = sorted(
    (path, path.parents[depth] / path.relative_to(path.parents[depth] / "expected"))
    for path in GOLDEN.rglob("*")
    if path.is_file() and path.name not in ("output", "pinner.lock") and "virtual_renamed" not in path.parts
    for depth in range(len(path.relative_to(GOLDEN).parts) - 1)
    if path.relative_to(path.parents[depth]).parts[0] == "expected"
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.mark.parametrize(
    ("new", "old"), EDITED, ids=[new.relative_to(GOLDEN).as_posix() for new, _ in EDITED]
)
def test_apt_gets_the_same_words(new: Path, old: Path, sandbox: Sandbox) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (old, new)]
    assert texts[0] != texts[1]
    kind = kinds.of(old.relative_to(GOLDEN).as_posix(), texts[0])
    before, after = (list(runs(kind, text, sandbox)) for text in texts)
    assert len(before) == len(after)
    for calls, pinned in zip(before, after, strict=True):
        assert_only_pinned(calls, pinned)


def runs(kind: str, text: str, sandbox: Sandbox) -> Iterator[list[Call]]:
    """The apt calls of each part of a file that is run."""
    if kind == "dockerfile":
        yield from of_dockerfile(sandbox, kinds.parse("dockerfile", text))
    elif kind == "script":
        subprocess.run(["bash", "-n"], input=text.encode(), check=True, capture_output=True)
        yield sandbox.calls(["bash", "-c", text])
    else:
        for string in strings(yaml.safe_load(text)):
            yield sandbox.calls(["bash", "-c", string]) if "apt-get" in string else [[string]]


def strings(value: Any) -> Iterator[str]:
    """Every key and scalar of a YAML document, in order."""
    if isinstance(value, dict):
        value = [each for pair in value.items() for each in pair]
    if isinstance(value, list):
        for each in value:
            yield from strings(each)
    else:
        yield str(value)
