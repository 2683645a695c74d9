"""What the grammar for bash is not given, since it would take all of the machine's time or memory."""

from __future__ import annotations

import time

import pytest

from pinner.shell import tree
from pinner.shell.words import UnparsableError


@pytest.mark.parametrize(
    "text",
    [
        "a |\n" * 16_000 + "b -y c",  # 2 GB
        "A ${A##*\n" * 16_000,
        "[[ a =~ b\n" * 16_000,
        "a=(\n" * 16_000,
        "f()\n" * 16_000,
    ],
    ids=lambda text: text[:9].strip(),
)
def test_a_text_that_would_take_too_long_is_left(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(UnparsableError):
        tree.read(text)
    assert time.process_time() - begun < 10
    assert not tree.read("apt-get install -y curl").root.has_error


def test_a_long_script_is_read() -> None:
    lines = 'if [ -n "${A}" ] && (echo a | b); then apt-get install -y curl; fi\n'
    assert not tree.read(lines * 2_500).root.has_error
