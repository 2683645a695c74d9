"""What a .deb in hand says of its package, and whether it changes what apt reads."""

from __future__ import annotations

import pytest

from pinner.archive.deb import read
from pinner.errors import InputError
from tests.archive.test_changelog import PACK, deb

CONTROL = (
    b"Package: tool\nVersion: 1:2-3\nArchitecture: amd64\nDepends: jq (>= 1),\n tree\nDescription: x\n more\n"
)


@pytest.mark.parametrize("form", PACK)
@pytest.mark.parametrize(
    ("files", "script", "quiet"),
    [
        ({"./usr/bin/tool": b"x"}, b"#!/bin/sh\nldconfig\n", True),
        ({"./etc/apt/sources.list.d/tool.list": b"deb http://x ./\n"}, b"", False),
        ({"usr/share/keyrings/tool.gpg": b"x"}, b"", False),
        ({"./usr/bin/tool": b"x"}, b"echo deb > /etc/apt/sources.list.d/tool.list\n", False),
        ({"./usr/../etc/./apt//tool.list": b"x"}, b"", False),
        ({"./usr/bin/tool": b"x"}, b"#" * 1_000_001, False),
        ({"./usr/bin/tool": b"x"}, b"-> /usr/share/tool/postinst", False),
    ],
)
def test_a_package_file(form: str, files: dict[str, bytes], script: bytes, quiet: bool) -> None:
    found = read(deb(files, form=form, control={"./control": CONTROL, "./postinst": script}), "debs/tool.deb")
    assert (found.package.name, found.package.version, found.package.architecture) == (
        "tool",
        "1:2-3",
        "amd64",
    )
    assert found.package.depends == "jq (>= 1), tree"
    assert found.quiet is quiet


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"!<arch>\n",
        deb({}),
        deb({}, control={"./control": b"Package: tool\n"}),
        deb({}, control={"./control": CONTROL.replace(b"2-3", b"2;id")}),
        deb({}, control={"./control": CONTROL.replace(b"tool", b"../tool")}),
        deb({}, control={}),
        deb({"x": b"y"}, control={"./control": CONTROL})[:200],
    ],
)
def test_what_is_none(content: bytes) -> None:
    with pytest.raises(InputError):
        read(content, "tool.deb")
