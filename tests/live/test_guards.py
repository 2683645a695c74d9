"""Why `check_packages curl` is not pinned: `dpkg -s curl=VERSION` fails, so that the guard means something else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live.apt import KEYRING, AptRoot

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        shutil.which("apt-get") is None or not Path(KEYRING).exists(),
        reason="needs apt and debian-archive-keyring",
    ),
]

HELPER = """
check_packages() {
    if ! dpkg --admindir "$ADMIN" -s "$@" >/dev/null 2>&1; then
        apt-get -s -y install --no-install-recommends "$@"
    fi
}
check_packages %s
"""
STATUS = """Package: hello
Status: install ok installed
Version: 2.9
Architecture: amd64
Maintainer: x
Description: x

"""


def test_a_pin_turns_the_guard_around(tmp_path: Path) -> None:
    root = AptRoot(tmp_path, [("http://deb.debian.org/debian", "bookworm")], "amd64")
    status = root.path / "var/lib/dpkg/status"
    status.write_text(STATUS)

    def done(word: str) -> str:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "APT_CONFIG": str(root.path / "apt.conf"),
            "ADMIN": str(status.parent),
            "LC_ALL": "C",
        }
        script = HELPER % word
        return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True).stdout

    assert done("hello") == ""
    assert "Inst hello [2.9] (2.10-3 " in done("hello=2.10-3")
