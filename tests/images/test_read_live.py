"""An image that is read gets the pins of one that is not: built here with the files of the official ones.

Needs root, the network, and debootstrap.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pinner import distributions
from tests.registry import Registry, make, official, serve, tar

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or shutil.which("debootstrap") is None,
        reason="needs root and debootstrap",
    ),
]
SUITES = {
    "bookworm": ("debian", "http://deb.debian.org/debian"),
    "trixie": ("debian", "http://deb.debian.org/debian"),
    "noble": ("ubuntu", "http://archive.ubuntu.com/ubuntu"),
}
PACKAGES = "curl jq git python3 openssh-client postgresql-client"


def layer(root: Path) -> bytes:
    """What an image says of its packages, of a root that debootstrap made."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("var/lib/dpkg/status", "var/lib/apt/extended_states"):
            if (root / name).exists():
                archive.add(root / name, name)
    return buffer.getvalue()


@pytest.mark.parametrize("suite", SUITES)
def test_the_same_pins(suite: str, tmp_path: Path) -> None:
    distribution, mirror = SUITES[suite]
    root = tmp_path / "root"
    keyring = Path(distributions.__file__).with_name(f"{distribution}-archive-keyring.pgp")
    command = ["debootstrap", "--variant=minbase", f"--keyring={keyring}", suite, str(root), mirror]
    command += (
        ["gutsy"] if distribution == "ubuntu" else []
    )  # the script for all since, whatever this debootstrap knows
    subprocess.run(command, check=True, capture_output=True)
    pins = []
    with serve(Registry()) as registry:
        registry.put(f"{distribution}:{suite}", make(tar(official(suite)), layer(root)))
        for image, images in (
            (f"{registry.host}/{distribution}:{suite}", "always"),
            (f"{distribution}:{suite}", "never"),
        ):
            folder = tmp_path / images
            folder.mkdir()
            (folder / "Dockerfile").write_text(
                f"FROM {image}\nRUN apt-get update && apt-get install -y {PACKAGES}\n"
            )
            words = f"lock --images {images} --insecure-registry {registry.host} --platform linux/amd64"
            done = subprocess.run(
                [sys.executable, "-P", "-m", "pinner", *words.split()],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PINNER_CACHE_DIR": str(tmp_path / "cache")},
            )
            assert done.returncode == 0, done.stderr
            pins.append(re.findall(r"\S+=\S+", (folder / "Dockerfile").read_text().partition("RUN")[2]))
    assert len(pins[0]) == len(PACKAGES.split())
    assert pins[0] == pins[1]
