"""A base image older than the archive: what an install line brings in and upgrades, against real apt."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pinner.distributions import minbase
from tests.live.apt import KEYRING, AptRoot

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        shutil.which("apt-get") is None or not Path(KEYRING).exists(),
        reason="needs apt and debian-archive-keyring",
    ),
]
DEBIAN, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
POCKETS = ((DEBIAN, "bookworm"), (DEBIAN, "bookworm-updates"), (SECURITY, "bookworm-security"))
LINES = [
    "g++",
    "perl",
    "git",
    "xz-utils",
    "apt-utils",
    "libpcre2-dev",
    "openssh-server",
    "build-essential",
    "tzdata",
    "libc6-dev curl",
    "gnupg",
    "bsdutils libblkid-dev",
    "e2fsprogs",
    "libpam-systemd",
    "login passwd",
]


@pytest.fixture(scope="module")
def apt(tmp_path_factory: pytest.TempPathFactory) -> AptRoot:
    """A root that holds an old minimal set; `status` and `listing` lie in it."""
    apt = AptRoot(tmp_path_factory.mktemp("apt"), POCKETS, "amd64")
    shown = apt.run("apt-cache", "show", "--no-all-versions", *minbase.names("bookworm", "amd64"))
    status = aged(shown)
    (apt.path / "var/lib/dpkg/status").write_text(status)
    assert apt.run("apt-get", "-qq", "check") == ""
    (apt.path / "status").write_text(status)
    (apt.path / "listing").write_text("".join(map(listed, status.strip().split("\n\n"))))
    return apt


def installs(apt: AptRoot, line: str) -> dict[str, str]:
    out = apt.run("apt-get", "-s", "-qq", "-o", "Debug::NoLocking=1", "install", *line.split())
    return dict(re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", out, re.MULTILINE))


def aged(text: str) -> str:
    """The stanzas as dpkg has them, each version made an older one, also where siblings name it."""
    text = re.sub(r"^(Filename|Size|MD5sum|SHA256|Description-md5):.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(Package: .*\n)", r"\1Status: install ok installed\n", text, flags=re.MULTILINE)
    for version in sorted(set(re.findall(r"^Version: (\S+)$", text, re.MULTILINE)), key=len, reverse=True):
        old = re.sub(r"-([^-]+)$", r"-0.\1", version)
        text = text.replace(f"Version: {version}\n", f"Version: {old}\n").replace(f" {version})", f" {old})")
    return text


def listed(stanza: str) -> str:
    """The stanza's line of `dpkg-query -W`."""
    fields = dict(re.findall(r"^(\S+): (.*)$", stanza, re.MULTILINE))
    arch = f":{fields['Architecture']}" if fields.get("Multi-Arch") == "same" else ""
    return f"{fields['Package']}{arch}\t{fields['Version']}\n"


@pytest.mark.parametrize("form", ["status", "listing"])
@pytest.mark.parametrize("line", LINES)
def test_as_apt(line: str, form: str, apt: AptRoot) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "pinner", "resolve", *line.split(), "--json"),
            *("--suite", "bookworm", "--platform", "linux/amd64", "--installed", str(apt.path / form)),
        ],
        env={**os.environ, "PINNER_CACHE_DIR": str(apt.path / "pinner")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    packages = json.loads(done.stdout)["platforms"]["linux/amd64"]["packages"]
    assert {each["name"]: each["version"] for each in packages} == installs(apt, line)
