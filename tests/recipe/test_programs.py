"""Made-up shell programs in every kind of file: pinned, read back, and run to see what apt gets."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinner.edit.span import apply
from pinner.recipe import kinds
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.installs import Install, Request, find, pin
from tests.recipe.execution import Sandbox, assert_only_pinned, of_dockerfile

VERSION = "1:2-3*"
STATEMENTS = st.sampled_from(
    [
        *(
            "p='a b'",
            'p="c"',
            'p="$p d"',
            'p+=" e"',
            "q=$p",
            'q="$p r $v"',
            'l=(a "b" $p)',
            "l+=(c)",
            "v=12",
            "export p",
        ),
        *(
            "apt-get install $p",
            'sudo apt-get install -y "$p" x',
            "apt-get install $q ${p}",
            "apt-get purge $p $q",
        ),
        *(
            'apt-get install "${l[@]}"',
            "apt-get install ${l[*]} z",
            "apt-get install $l",
            "echo $p",
            'x "$q"',
        ),
        *("for i in $p f; do apt-get install $i; done", 'for i in "${l[@]}"; do apt-get install "$i"; done'),
        *(
            "for i in a b; do p=$i; done",
            "for p in g h; do apt-get install $p; done",
            'for i in 1 2; do p="$p $i"; done',
        ),
        *(
            "if x; then p=z; fi",
            "x || p=y",
            "false && p=w",
            "( p=u )",
            "{ p=t; }",
            "p=s true",
            "unset p",
            "read p",
        ),
        *(
            'f() { apt-get install "$@"; }',
            'f() { apt-get install "$1" y; }',
            "f $p g",
            'f "h"',
            "f",
            "f i j",
        ),
        *('bash -c "apt-get install h $p"', "sh -c 'apt-get install \"i\"'", "bash -c 'apt-get install $p'"),
        *(
            "apt-get install a-$v lib${v}b",
            "apt-get install k=$v m=1.$v",
            "apt-get install $UNKNOWN n",
            "apt-get install ${p%b}",
        ),
        *(
            "apt-get install $(echo o) `echo p` q",
            "apt-get install {a,b}-c",
            "apt-get install a* 'b'",
            "o=-y; apt-get install $o a",
        ),
        *(
            "[[ $p == *a* && -n $v ]]",
            'apt-get install "a b"',
            "apt-get install a > x b",
            "apt-get install a'b'\"c\"",
            "set -e",
        ),
    ]
)
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=7)
BEFORE = st.sampled_from(
    ["", 'ARG p="a b"\n', "ENV p=a v=2\n", 'ENV p="k l"\nENV q="$p m"\n', "ARG v=3\nARG p\n"]
)


def dockerfile(head: str, body: str) -> str:
    return f'FROM debian\nSHELL ["bash", "-c"]\n{head}RUN {body}\n'


def yaml_step(written: str) -> str:
    return f"jobs:\n  x:\n    steps:\n      - run: {written}\n"


FORMS = {
    "shell": lambda head, lines: dockerfile(head, "; \\\n  ".join(lines)),
    "exec": lambda head, lines: dockerfile(head, json.dumps(["bash", "-c", "\n".join(lines)])),
    "here-document": lambda head, lines: dockerfile(head, "<<EOF\n" + "\n".join(lines) + "\nEOF"),
    "quoted here-document": lambda head, lines: dockerfile(
        head, "bash <<'EOF'\n" + "\n".join(lines) + "\nEOF"
    ),
    "script": lambda head, lines: "#!/bin/bash\n" + "\n".join(lines) + "\n",
    "block": lambda head, lines: yaml_step("|\n          " + "\n          ".join(lines)),
    "folded": lambda head, lines: yaml_step(">-\n          " + ";\n          ".join(lines)),
    "double": lambda head, lines: yaml_step(json.dumps("\n".join(lines))),
    "single": lambda head, lines: yaml_step("'" + "; ".join(lines).replace("'", "''") + "'"),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("sandbox"))


def requests(parsed: Dockerfile) -> list[Request]:
    return [request for call in find(parsed) if isinstance(call, Install) for request in call.requests]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(FORMS)), BEFORE, PROGRAMS)
def test_programs(sandbox: Sandbox, form: str, head: str, lines: list[str]) -> None:
    check(sandbox, form, FORMS[form](head, lines))


def check(sandbox: Sandbox, form: str, text: str) -> None:
    path = {"script": "x.sh"}.get(
        form, "Dockerfile" if text.startswith("FROM") else ".github/workflows/x.yml"
    )
    kind = kinds.of(path, text)
    parsed = kinds.parse(kind, text)
    found = requests(parsed)
    assert all(request.word.span.of(text) == request.word.raw for request in found)
    edits = pin(text, {request: VERSION for request in found if request.action == "pin"})
    new = apply(text, edits)
    after = kinds.parse(kind, new)
    again = requests(after)
    assert [(r.name, r.arch) for r in again] == [(r.name, r.arch) for r in found]
    assert [r.pin for r in again] == [VERSION if r.action == "pin" else r.pin for r in found]
    if edits:
        for old_calls, new_calls in zip(calls(sandbox, parsed), calls(sandbox, after), strict=True):
            assert_only_pinned(old_calls, new_calls, [VERSION])


def calls(sandbox: Sandbox, parsed: Dockerfile) -> list[list[list[str]]]:
    if parsed.stages[0].base:
        return [[list(call) for call in run] for run in of_dockerfile(sandbox, parsed)]
    runs = [each.text.text for each in parsed.stages[0].instructions if each.keyword == "RUN"]
    return [[list(call) for call in sandbox.calls(["bash", "-c", text])] for text in runs]
