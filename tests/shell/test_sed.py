"""sed, as people write it against apt's files; real sed is the judge."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pinner.shell.programs.sed import edit

TEXT = "deb http://a.x.org/d bookworm main\n# a comment\ndeb http://s.x.org/d bookworm-security main\n\nTypes: deb\n"

SCRIPTS = [
    "s|a.x.org|m|g; s|s.x.org|n|g",
    "s/main$/main contrib non-free/",
    "/security/d",
    "/security/!d",
    r"s/^deb \(.*\)/deb-src \1/",
    r"s/bookworm\b/& x/",
    r"s#\(http\)://[^/]*/#\1://m/#",
    "1d",
    "$d",
    "2,3d",
    "/comment/,/^$/d",
    "/^$/,$d",
    "s/o/0/2",
    "s/[[:space:]]*$/!/",
    "y/abc/ABC/",
    "1i\\first",
    "$a\\last",
    "/Types/c\\Types: deb deb-src",
    "s/x\\.org/y.org/;s/deb/DEB/g",
    "/a\\.x/{s/main/M/;p}",
    "s,http://[^ ]*,https://m,I",
    "2q",
    "s/\\(a\\)\\|\\(s\\)/<&>/g",
    "s/^#*/## /",
]


@pytest.mark.skipif(shutil.which("sed") is None, reason="no sed here")
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("options", ["", "-n"])
def test_as_sed(script: str, options: str) -> None:
    done = subprocess.run(
        ["sed", *options.split(), script], input=TEXT, capture_output=True, text=True, check=True
    )
    assert edit(script, TEXT, extended=False, quiet=options == "-n") == done.stdout


@pytest.mark.skipif(shutil.which("sed") is None, reason="no sed here")
@pytest.mark.parametrize(
    "script",
    [
        r"s/^(deb) (http)/\1 [x=y] \2/",
        "s/(main|contrib)+$/x/",
        r"s/\(x\)?/y/",
        "s/o{2}k?/00/",
        r"s/a+|s+/<&>/g",
    ],
)
def test_as_sed_with_extended_expressions(script: str) -> None:
    done = subprocess.run(["sed", "-E", script], input=TEXT, capture_output=True, text=True, check=True)
    assert edit(script, TEXT, extended=True, quiet=False) == done.stdout


@pytest.mark.parametrize("script", ["s/a/b/e", "w /tmp/x", "N;P;D", ":a;ta", "s/a", "/x/{p", "s/\\(/b/"])
def test_what_is_not_followed(script: str) -> None:
    assert edit(script, TEXT, extended=False, quiet=False) is None
