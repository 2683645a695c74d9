"""A table of platforms and Pythons: which of the versions in scripts/requirements.txt have no wheel. pip is asked."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_LIBCS = {
    "manylinux": ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_31", "manylinux_2_39"),
    "musllinux": ("musllinux_1_1", "musllinux_1_2"),
}
_MACHINES = ("x86_64", "aarch64", "armv7l", "i686", "ppc64le", "s390x", "riscv64")
#: The tags that pip on such a machine takes (https://packaging.python.org, platform compatibility tags).
PLATFORMS = {
    f"{libc}-{machine}": tuple(f"{tag}_{machine}" for tag in tags)
    for libc, tags in _LIBCS.items()
    for machine in _MACHINES
} | {
    "macos-arm64": tuple(
        f"macosx_{major}_0_{kind}" for major in (11, 12, 13, 14) for kind in ("arm64", "universal2")
    ),
    "macos-x86_64": (
        "macosx_10_9_x86_64",
        "macosx_10_12_x86_64",
        "macosx_10_13_x86_64",
        "macosx_10_9_universal2",
    ),
    "windows-amd64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
}


def lacking(platform: str, python: str, wanted: Iterable[str]) -> list[str]:
    """Those of the requirements that have no wheel there: pip names one, then the others are asked for."""
    left, found = list(wanted), list[str]()
    tags = [f"--platform={tag}" for tag in PLATFORMS[platform]]
    while True:
        with tempfile.TemporaryDirectory() as place:
            options = ["--quiet", "--dry-run", "--no-deps", "--only-binary=:all:", "--ignore-installed"]
            options += [f"--target={place}", f"--python-version={python}", *tags]
            pip = [sys.executable, "-I", "-m", "pip", "install", *options, *left]
            done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode == 0:
            return found
        missing = re.search("No matching distribution found for (.+?)==", done.stderr)
        if missing is None:
            sys.exit(done.stderr)
        found.append(missing[1])
        left = [each for each in left if not each.startswith(f"{missing[1]}==")]


def main(names: list[str]) -> int:
    """Print the table; 1 if anything is lacking."""
    text = (Path(__file__).parent / "requirements.txt").read_text(encoding="utf-8")
    rows = re.findall(r"^([a-z0-9-]+==\S+)(?: ; (.*?))? \\$", text, re.MULTILINE)
    found: dict[tuple[str, str], list[str]] = {}
    for platform in names or PLATFORMS:
        for python in PYTHONS:
            windows = platform.startswith("windows")
            wanted = [
                name
                for name, marker in rows
                if not (
                    ("full_version < '3.14'" in marker and python == "3.14")
                    or ("win32" in marker and not windows)
                )
            ]
            found[platform, python] = lacking(platform, python, wanted)
            print(f"{platform:20} {python}  {', '.join(found[platform, python]) or 'all'}", flush=True)
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
