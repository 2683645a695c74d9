"""What building a source package needs, by architecture, parts and profiles (Debian Policy 7.1)."""

from __future__ import annotations

import pytest

from pinner.apt.source_packages import read
from pinner.errors import InputError

STANZA = """\
Package: thing
Binary: thing, lib
Version: 1:2.0-1
Build-Depends: jq, tree [arm64], less [!arm64] <!nocheck>, file <stage1>,
 ed:native | other (>= 2), zip [linux-any] | unzip, arm [any-arm], a [s390x] | b <x y> <z>
Build-Depends-Indep: lsof
Build-Depends-Arch: rsync
Build-Conflicts: patch, xz-utils [arm64]
"""
BASE = "ed:native | other (>= 2), zip | unzip"


@pytest.mark.parametrize(
    ("arch", "parts", "profiles", "depends", "conflicts"),
    [
        ("amd64", ("arch", "indep"), (), f"jq, less, {BASE}, rsync, lsof", "patch"),
        ("amd64", ("arch",), ("nocheck",), f"jq, {BASE}, rsync", "patch"),
        ("arm64", ("indep",), ("stage1", "z"), f"jq, tree, file, {BASE}, b, lsof", "patch, xz-utils"),
        ("armhf", (), ("x",), f"jq, less, {BASE}, arm", "patch"),
        ("s390x", (), ("x", "y"), f"jq, less, {BASE}, a | b", "patch"),
    ],
)
def test_what_is_needed(
    arch: str, parts: tuple[str, ...], profiles: tuple[str, ...], depends: str, conflicts: str
) -> None:
    (found,) = read(STANZA)
    assert (found.name, found.version) == ("thing", "1:2.0-1")
    assert found.needs(arch, parts, profiles) == (depends, conflicts)


def test_a_field_that_is_none() -> None:
    (found,) = read("Package: a\nVersion: 1\nBuild-Depends: b [amd64\n")
    with pytest.raises(InputError, match="not a relation"):
        found.needs("amd64")
