"""What counts as installed, in dpkg's status text and in the output of `dpkg-query -W`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pinner.apt.installed import Listed, listed, packages
from pinner.errors import InputError


def stanza(
    name: str, status: str = "install ok installed", version: str = "1.0-1", arch: str = "amd64"
) -> str:
    return (
        f"Package: {name}\nStatus: {status}\nPriority: required\nSection: admin\n"
        f"Architecture: {arch}\nVersion: {version}\nDepends: libc6 (>= 2.36)\n"
        "Conffiles:\n /etc/x 0123 obsolete\nDescription: short\n long: text\n .\n more\n\n"
    )


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("deinstall ok installed", True),
        ("install reinstreq installed", True),
        ("install ok unpacked", True),
        ("install ok half-configured", True),
        ("install ok triggers-pending", True),
        ("install ok triggers-awaited", True),
        ("deinstall ok config-files", False),
        ("purge ok not-installed", False),
        ("unknown ok not-installed", False),
    ],
)
def test_states(status: str, counts: bool) -> None:
    text = stanza("bash") + stanza("curl", status)
    assert [p.name for p in packages(text)] == ["bash", *(["curl"] if counts else [])]


def test_the_fields() -> None:
    (value,) = packages(
        "Package: libc6\nEssential: yes\nStatus: install ok installed\nPriority: optional\nProtected: yes\n"
        "Installed-Size: 12\nArchitecture: amd64\nMulti-Arch: same\nSource: glibc (2.36-9)\nVersion: 2.36-9+b1\n"
        "Provides: libc\nDepends: libgcc-s1,\n libcrypt1 (>= 1:4)\nDescription: x\n"
    )
    assert (value.name, value.version, value.architecture) == ("libc6", "2.36-9+b1", "amd64")
    assert (value.source, value.source_version) == ("glibc", "2.36-9")
    assert (value.multi_arch, value.essential, value.important) == ("same", True, True)
    assert value.depends == "libgcc-s1, libcrypt1 (>= 1:4)"
    assert value.provides == "libc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\n", []),
        # status.d of distroless: no Status field, a file may end without a blank line.
        ("Package: tzdata\nArchitecture: all\nVersion: 2024a\n", ["tzdata all 2024a"]),
        (stanza("a1", version="1:2-3").replace("\n", "\r\n"), ["a1 amd64 1:2-3"]),
        ("package: a1\nARCHITECTURE: all\nversion: 1\nstatus: Install ok Installed\n", ["a1 all 1"]),
        # Of the same name and architecture the later counts; another architecture is another package.
        (stanza("a1") + stanza("b1") + stanza("a1", version="2"), ["b1 amd64 1.0-1", "a1 amd64 2"]),
        (stanza("a1") + stanza("a1", "purge ok not-installed"), []),
        (stanza("a1") + stanza("a1", arch="i386"), ["a1 amd64 1.0-1", "a1 i386 1.0-1"]),
        # Against Policy, but dpkg installs it.
        ("Package: Any_Desk\nArchitecture: amd64\nVersion: v6\n", ["Any_Desk amd64 v6"]),
        # No version: dpkg knows of it only.
        ("Package: a1\nStatus: install ok half-installed\nArchitecture: all\n", []),
    ],
)
def test_texts(text: str, expected: list[str]) -> None:
    assert [f"{p.name} {p.architecture} {p.version}" for p in packages(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "Package: ../x\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n",
        "Package: a1\nStatus: install ok installed\nArchitecture: all\nVersion: 1 2\n",
        "Package: a1\nStatus: install ok installed\nVersion: 1\n",
        "Status: install ok installed\nArchitecture: all\nVersion: 1\n",
        "<html>\n",
        "Package: a1\nVersion: 1\nArchitecture: all\nnonsense\n",
    ],
)
def test_unusable(text: str) -> None:
    with pytest.raises(InputError, match="list of installed packages"):
        packages(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("bash\t5.2-1\n", [("bash", "", "5.2-1")]),
        ("libc6:amd64\t2.36-9\nlibstdc++6:arm64\t1:12~rc1+b2\n", [("libc6", "amd64", "2.36-9"),
                                                                  ("libstdc++6", "arm64", "1:12~rc1+b2")]),
        ("bash 5.2-1  \r\n\n", [("bash", "", "5.2-1")]),
        # Known to dpkg, not installed.
        ("awk\t\ncurl\t7\n", [("curl", "", "7")]),
    ],
)  # fmt: skip
def test_listed(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert listed(text) == tuple(Listed(*item) for item in expected)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("bash\t5\nii  curl  7  amd64  tool\n", 2),
        ("Package: bash\n", 1),
        ("bash\t5.2\tamd64\n", 1),
        ("-bash\t5.2\n", 1),
        ("bash\t=5.2\n", 1),
        ("bash:\t5.2\n", 1),
        ("bash\t5.2\x1b[2J\n", 1),
    ],
)
def test_listed_refuses(text: str, line: int) -> None:
    with pytest.raises(InputError) as caught:
        listed(text, "packages.txt")
    assert (caught.value.path, caught.value.line) == ("packages.txt", line)
    assert "dpkg-query -W" in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.live
@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="not a Debian system")
def test_both_agree_about_this_machine() -> None:
    form = "${db:Status-Status}\t${Package}\t${Version}\n"
    output = subprocess.run(
        ["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split("\t", 1)[1] for line in output.splitlines() if line.startswith("installed\t")]
    found = packages(Path("/var/lib/dpkg/status").read_text())
    assert sorted((p.name, p.version) for p in found) == sorted(
        (entry.name, entry.version) for entry in listed("\n".join(lines))
    )
