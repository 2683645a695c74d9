"""Size and depth are no matter in any kind of file: quadratic time would be minutes here, recursion an error."""

from __future__ import annotations

import pytest

from pinner.errors import PinnerError
from pinner.recipe import kinds, lists
from pinner.recipe.installs import find

SH, GITHUB, GITLAB = "x.sh", ".github/workflows/x.yml", ".gitlab-ci.yml"
JOB = "jobs:\n a:\n  runs-on: ubuntu-24.04\n  steps:\n"


def counted(pattern: str, times: int) -> str:
    return "".join(pattern.replace("#", str(number)) for number in range(times))


LARGE = {
    "words": (SH, "apt-get install " + counted(" \\\n  p#", 20_000)),
    "calls": (SH, "#!/bin/bash\n" + "apt-get install -y a b\n" * 4_000),
    "variables": (SH, counted("P#='a b'\napt-get install $P#\n", 2_000)),
    "a variable set often": (SH, "if x; then P=a; fi\napt-get install $P\n" * 2_000),
    "a variable put together": (SH, "P=a\n" + "P+=' b'\n" * 8_000 + "apt-get install $P\n"),
    "loops": (SH, "for p in a b; do apt-get install $p; done\n" * 2_000),
    "functions": (SH, counted('f#() { apt-get install "$@"; }\nf# a\n', 1_500)),
    "calls of a function": (SH, 'f() { apt-get install "$@"; }\n' + "f a b\n" * 1_500),
    "sourced": (SH, ". /etc/os-release\nP=a\napt-get install $P\n" * 2_000),
    "here-documents": (SH, "cat <<E\napt-get install a\nE\nbash <<E\napt-get install a\nE\n" * 1_500),
    "here-documents in a line": (SH, "cat <<E " * 8_000 + "\n" + "E\n" * 8_000),
    "strings": (SH, 'bash -c "apt-get install a $P"\n' * 1_500),
    "ignored": (SH, "apt-get install a # pinner: ignore\n" * 2_000),
    "broken": (SH, "apt-get install a\n)\n" * 2_000),
    "apt, never installed": (SH, "echo '" + "apt " * 20_000 + "' ; install\n)\n"),
    "steps": (GITHUB, JOB + "  - run: apt-get install a\n" * 2_000),
    "jobs": (
        GITHUB,
        "jobs:\n" + counted(" a#:\n  env: {P#: a}\n  steps: [{run: apt-get install $P#}]\n", 1_500),
    ),
    "env": (GITHUB, "env:\n" + counted(" P#: a\n", 8_000) + JOB + "  - run: apt-get install $P1\n"),
    "block": (GITHUB, f"{JOB}  - run: >\n" + "      apt-get install a;\n" * 4_000),
    "GitLab's variables": (
        GITLAB,
        "variables:\n" + counted("  P#: a\n", 1_500) + counted("a#: {script: apt-get install $P#}\n", 1_500),
    ),
    "extends": (
        GITLAB,
        ".b: {image: debian:12}\n" + counted("a#: {extends: .b, script: apt install a}\n", 1_500),
    ),
    "references": (GITLAB, ".b: {script: [x]}\na:\n  script:\n" + "  - !reference [.b, script]\n" * 2_000),
    "list": ("list", "a\n# c\n" * 20_000),
}
DEEP = {
    "if": (SH, "if x; then\n" * 1_000 + "apt-get install a\n" + "fi\n" * 1_000),
    "parentheses": (SH, "(" * 1_000 + "apt-get install a" + ")" * 1_000),
    "substitutions": (SH, 'x "$(' * 1_000 + "apt-get install a" + ')"' * 1_000),
    "no arithmetic": (SH, "x $((" * 1_000 + "1" + ") x)" * 1_000 + "\napt-get install a <<E\nE\n"),
    "braces": (SH, "#!/bin/bash\napt-get install " + "{a," * 1_000 + "}" * 1_000),
    "here-documents": (SH, counted("bash <<E#\n", 1_000) + "apt-get install a\n" + counted("E#\n", 1_000)),
    "variables": (SH, "P=a\n" + counted("P#=$P\nP=$P#\n", 1_000) + "apt-get install $P\n"),
    "lists": (GITLAB, "a:\n  script: " + "[" * 900 + "apt-get install a" + "]" * 900),
    "mappings": (GITLAB, "".join(" " * depth + "a:\n" for depth in range(1_000))),
    "extends": (
        GITLAB,
        "a: {script: apt-get install a}\n" + counted("b#: {extends: c#}\nc#: {extends: b#}\n", 1_000),
    ),
}


@pytest.mark.parametrize(("path", "text"), [*LARGE.values(), *DEEP.values()], ids=[*LARGE, *DEEP])
def test_size_and_depth_are_no_matter(path: str, text: str) -> None:
    parsed = None
    try:
        parsed = lists.parse(text) if path == "list" else kinds.parse(kinds.of(path, text), text)
    except PinnerError:
        assert path == GITLAB  # libyaml knows depths that it refuses
    if parsed is not None:
        find(parsed)
