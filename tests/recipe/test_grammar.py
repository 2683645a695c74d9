"""Scripts by a grammar, in every kind of file: pinned, they run as before, but that apt gets versions.

`pytest --hypothesis-profile=search` draws new ones; a longer search has found what is now rows and golden cases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pinner.edit.span import apply
from pinner.errors import PinnerError
from pinner.recipe import kinds
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.installs import Install, Request, find, pin
from tests.recipe import execution
from tests.recipe.execution import Sandbox, assert_only_pinned

VERSION = "1:2-3*"
_WORDS = r"""
a b g++ 'c' "d" e=1 f- $P ${P} "$P" ${Q:-q} "$@" $1 "${L[@]}" $p {h,i} \{h,i} j* -y k$V $(x) >o 2>&1 '' é l\m
"""
WORDS = st.lists(st.sampled_from([*_WORDS.split(), "-t s", "\\\n", "# n\n"]), max_size=5).map(" ".join)
CALLS = st.tuples(
    st.sampled_from(["", "", "", "sudo -E ", "env X=1 ", "X=1 ", "$SUDO ", "echo ", "! "]),
    st.sampled_from(["apt-get install -y ", "apt-get install -y ", "apt -qq install ", "apt-get purge "]),
    WORDS,
).map("".join)
SIMPLE = st.one_of(
    CALLS,
    CALLS,
    st.sampled_from(
        ["x", "echo $P", "# c", "# pinner: ignore", "P=", "read P", "shift", "dpkg -s $P", "cat >o"]
    ),
    st.tuples(
        st.sampled_from(["P='", "P+='", "Q='", "V='"]), WORDS.map(lambda text: text.replace("'", ""))
    ).map(lambda parts: "".join(parts) + "'"),
    WORDS.map(lambda text: f"L=({text}\n)"),
    WORDS.map(lambda text: f"f {text}"),
)
HEREDOCS = st.tuples(
    st.sampled_from(
        ["cat >o", "cat", "bash", "sh -e", "sudo bash -s x", "ssh h", "chroot d bash", "bash x", "bash 3"]
    ),
    st.sampled_from(["<<E", "<<'E'", "<<-E", '<<-"E"', "<< E"]),
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lines = st.lists(inner, min_size=1, max_size=3).map("\n".join)
    escaped = str.maketrans({char: f"\\{char}" for char in '\\"$`'})
    return st.one_of(
        lines,
        lines.map(lambda text: f"if x; then\n{text}\nfi"),
        lines.map(lambda text: f"if [[ $X = y* ]]; then\n{text}\nelse\n{text}\nfi"),
        st.tuples(WORDS, lines).map(lambda parts: f"for p in {parts[0]}\ndo\n{parts[1]}\ndone"),
        lines.map(lambda text: f"case $X in\na|b)\n{text}\n;;\nesac"),
        # One that called itself would never end.
        lines.map(lambda text: "f() {\n" + re.sub(r"(?<!\S)f ", "x ", text) + "\n}"),
        lines.map(lambda text: f"( {text}\n)"),
        lines.map(lambda text: f"y=$( {text}\n)"),
        lines.map(lambda text: "bash -c '" + text.replace("'", "'\\''") + "'"),
        lines.map(lambda text: f'bash -c "{text.translate(escaped)}"'),
        st.tuples(HEREDOCS, lines).map(lambda parts: f"{parts[0][0]} {parts[0][1]}\n{parts[1]}\nE"),
    )


SHELLS = st.recursive(SIMPLE, blocks, max_leaves=8)


def block(text: str) -> str:
    return "".join(f"      {line}\n" if line else "\n" for line in text.split("\n"))


JOB = "jobs:\n a:\n  runs-on: ubuntu-24.04\n  steps:\n"
FILES: dict[str, Callable[[str], str]] = {
    "x.sh": lambda text: f"#!/bin/bash\n{text}\n",
    "Dockerfile": lambda text: f"FROM debian:12\nRUN <<END\n{text}\nEND\n",
    "b.Dockerfile": lambda text: f'FROM debian:12\nRUN ["bash", "-c", {json.dumps(text)}]\n',
    "c.Dockerfile": lambda text: f"FROM debian:12\nRUN cat <<A >o; bash <<'B'\n{text}\nA\n{text}\nB\n",
    ".github/workflows/x.yml": lambda text: f"{JOB}  - run: |\n{block(text)}",
    ".gitlab-ci.yml": lambda text: f"a:\n  script:\n  - {json.dumps(text)}\n",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("sandbox"))


def requests(parsed: Dockerfile) -> list[Request]:
    return [request for call in find(parsed) if isinstance(call, Install) for request in call.requests]


def runs(path: str, parsed: Dockerfile) -> list[list[str]]:
    """What of a file is run, as arguments."""
    if path.endswith("Dockerfile"):
        every = [each for stage in parsed.stages for each in stage.instructions]
        return [execution._argv(parsed.text, each, ["sh", "-c"]) for each in every]
    if path.endswith(".sh"):
        return [["bash", "-c", parsed.text]]
    loaded = yaml.safe_load(parsed.text)
    return [
        [
            "bash",
            "-c",
            loaded["jobs"]["a"]["steps"][0]["run"] if "jobs" in loaded else loaded["a"]["script"][0],
        ]
    ]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(list(FILES)), st.lists(SHELLS, min_size=1, max_size=3).map("\n".join))
def test_a_pinned_file_runs_as_before(sandbox: Sandbox, path: str, shell: str) -> None:
    text = FILES[path](shell)
    try:
        parsed = kinds.parse(kinds.of(path, text), text)
        found = requests(parsed)
    except PinnerError:
        return
    edits = pin(text, {request: VERSION for request in found if request.action == "pin"})
    new = apply(text, edits)
    stripped = new
    for edit in edits:  # the first is taken out first, so that the next is at its place
        begin, end = edit.span.start, edit.span.start + len(edit.replacement)
        assert stripped[begin:end] == edit.replacement
        stripped = stripped[:begin] + stripped[end:]
    assert stripped == text
    again = kinds.parse(kinds.of(path, new), new)
    now = requests(again)
    assert [(each.name, each.arch) for each in now] == [(each.name, each.arch) for each in found]
    assert [each.pin for each in now] == [VERSION if each.action == "pin" else each.pin for each in found]
    for old, pinned in zip(runs(path, parsed), runs(path, again), strict=True):
        if old != pinned:
            before, after = (sandbox.calls(each, {"FUNCNEST": "5"}) for each in (old, pinned))
            assert_only_pinned(before, after, [VERSION])
