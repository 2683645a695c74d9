"""Brace expansion, with bash as the judge: what is written out is what bash makes of the braces."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinner.recipe import kinds
from pinner.recipe.installs import Install, find
from pinner.shell import braces

BASH = shutil.which("bash")
_WORDS = r"""
python3{,-dev} lib{a,b}{c,d} a{b,c{d,e}} {{a,b},c} {a{b,c}} {a}{b,c} {},{a,b} {}{a,b} a{}{b,c} a{b,c{d,e} a{b} {a,b a,b}
{1..3} {01..3} {-01..2} {5..1} {1..10..3} {9..1..4} {a..c} {c..a..2} {X..Z} {1..2}x{3..4} {,} {,a,} {a,b}{ {a,b}}
\{a,b} {a\,b,c} {a,b\} {a,\}} '{a,b}' {'a,b',c} {'a,b'} "{a,b}" {"a,b",c} "x"{a,b} {a,'}'} ${V}{a,b} {${V},b} {$V,"$V"}
"${V}{a,b}" "$V"{a,b} ${V}-{a,b}=1.* {1..2}{a..b}{,x}
"""
WORDS = _WORDS.split()
PIECES = st.lists(
    st.sampled_from(
        [*"ab{}{},,13-0.=", "..", "\\{", "\\,", "'a'", "'{'", '"b,"', '"$V"', "${V}", "{a,b}", "{1..3}", "{}"]
    ),
    min_size=1,
    max_size=9,
).map("".join)


def told(setting: str, words: list[str]) -> list[str]:
    """What a bash with this setting makes of each of the texts."""
    assert BASH is not None
    script = f"{setting}; V=v\n" + "".join(f"printf '<%s>' {word}\necho\n" for word in words)
    result = subprocess.run([BASH, "-c", script], capture_output=True, text=True, check=True)
    assert not result.stderr
    return result.stdout.splitlines()


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_as_bash_does() -> None:
    found = [braces.expanded(word) for word in WORDS]
    assert all(found)
    assert told("set +B", [" ".join(each) for each in found]) == told("set -B", WORDS)


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
@settings(max_examples=20)
@given(st.lists(PIECES, min_size=50, max_size=100))
def test_as_bash_does_with_anything(words: list[str]) -> None:
    found = {word: " ".join(each) for word in words if (each := braces.expanded(word))}
    assert told("set +B", list(found.values())) == told("set -B", list(found))


@pytest.mark.parametrize(
    "word",
    [
        "{1..99999}",
        "{a,b}" * 12,
        "{a..é}",
        "{1..x}",
        "{a,$(b)}",
        "{a,`b`}",
        "{a,<(b)}",
        "{a," * 30 + "}" * 30,
    ],
)
def test_what_is_not_followed(word: str) -> None:
    assert braces.expanded(word) == ()


@pytest.mark.parametrize(
    ("path", "text", "expansion"),
    [
        ("x.sh", "#!/bin/bash\napt-get install {a,b}\n", ("a", "b")),
        ("x.sh", "#!/usr/bin/env -S bash -e\napt-get install {a,b}\n", ("a", "b")),
        ("x.sh", "#!/bin/bash\nP=({a,b})\napt-get install ${P[@]}\n", ("a", "b")),
        ("x.sh", "#!/bin/bash\napt-get install 'a'{b,c}\n", ("'a'b", "'a'c")),
        ("x.sh", "#!/bin/sh\nbash -c 'apt-get install {a,b}'\n", ("a", "b")),
        ("x.sh", "#!/bin/sh\napt-get install {a,b}\n", ()),
        ("x.sh", "apt-get install {a,b}\n", ()),
        ("x.sh", "#!/bin/bash\nset +B\napt-get install {a,b}\n", ()),
        ("x.sh", "#!/bin/bash\nset +o braceexpand\napt-get install {a,b}\n", ()),
        ("x.sh", "#!/bin/bash\nsh -c 'apt-get install {a,b}'\n", ()),
        ("x.sh", "#!/bin/bash\nbash -c \"apt-get install {'a',b}\"\n", ()),
        ("x.sh", "#!/bin/bash\napt-get install {a,b*}\n", ()),
        ("x.sh", "#!/bin/bash\napt-get install {a,b} # pinner: ignore\n", ()),
        ("x.sh", "#!/bin/bash\nP=({a,b})\napt-get install ${P[@]}\ntouch ${P[@]}\n", ()),
        ("Dockerfile", 'FROM x\nSHELL ["/bin/bash", "-c"]\nRUN apt-get install {a,b}\n', ("a", "b")),
        ("Dockerfile", 'FROM x\nRUN ["bash", "-c", "apt-get install {a,b}"]\n', ("a", "b")),
        ("Dockerfile", "FROM x\nRUN <<E bash\napt-get install {a,b}\nE\n", ("a", "b")),
        ("Dockerfile", "FROM x\nRUN apt-get install {a,b}\n", ()),
        ("Dockerfile", 'FROM x\nSHELL ["/bin/zsh", "-c"]\nRUN apt-get install {a,b}\n', ()),
        (
            ".github/workflows/x.yml",
            "jobs:\n a:\n  runs-on: ubuntu-24.04\n  steps:\n  - run: apt-get install {a,b}\n",
            ("a", "b"),
        ),
        (
            ".github/workflows/x.yml",
            "jobs:\n a:\n  runs-on: ubuntu-24.04\n  container: x\n  steps:\n  - run: apt-get install {a,b}\n",
            (),
        ),
        (
            ".github/workflows/x.yml",
            "jobs:\n a:\n  container: x\n  steps:\n  - run: apt-get install {a,b}\n    shell: bash -e {0}\n",
            ("a", "b"),
        ),
        (".gitlab-ci.yml", "a:\n  script:\n  - apt-get install {a,b}\n", ()),
    ],
)
def test_only_bash_expands(path: str, text: str, expansion: tuple[str, ...]) -> None:
    calls = find(kinds.parse(kinds.of(path, text), text))
    assert [
        request.expansion for call in calls if isinstance(call, Install) for request in call.requests
    ] == [expansion]
