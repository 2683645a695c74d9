"""What RUN lines leave behind when they are run, as apt reads it, is what was read off them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from pinner.apt import sources_list
from tests.apt_root import AptRoot
from tests.recipe.test_walk import WRITTEN, walked

pytestmark = pytest.mark.live

LISTS = "/etc/apt/sources.list"
DOCKER = f"""RUN echo \\
  "deb [arch="$(dpkg --print-architecture)" signed-by=/etc/apt/keyrings/x.asc] https://download.docker.com/debian \\
  $(. /etc/os-release && echo "$VERSION_CODENAME") stable" | tee {LISTS}.d/docker.list > /dev/null"""
X, Y = "deb https://x.example a main", "deb https://y.example a b"
BODIES = [
    body for body, *_ in WRITTEN if body.startswith("RUN ") and not re.match("RUN (.*add-apt|<<)", body)
] + [
    f"RUN echo '{X}' > {LISTS}.d/x.list && echo '{Y}' > {LISTS}.d/x.list",
    f"RUN echo '{X}' > {LISTS}.d/x.list && rm {LISTS}.d/x.list",
    f"RUN echo '{X}' > {LISTS}.d/x.list; rm -rf {LISTS}.d/*; echo '{Y}' > {LISTS}",
    DOCKER,
    f"RUN printf 'deb https://x.example a main\\ndeb https://x.example b main contrib\\n' > {LISTS}",
    f"RUN echo 'deb https://x.example a main' > {LISTS} && echo 'deb https://x.example ./' >> {LISTS}",
    f"RUN echo 'deb-src https://x.example a main\\ndeb [arch=amd64] https://y.example b main' > {LISTS}.d/y.list",
    f"RUN cat <<EOF > {LISTS}.d/z.sources\nTypes: deb\nURIs: https://z.example\nSuites: a b\nComponents: c d\nEOF",
]
COMMANDS = {
    "dpkg": "echo arm64",
    "lsb_release": 'test "$1" != -a || printf "Codename:\\t"; echo bookworm',
    "sudo": 'exec "$@"',
    "apt-get": ":",
    "curl": "echo key",
    "gpg": "cat > /dev/null",
}


@pytest.mark.parametrize("body", BODIES)
def test_as_apt_reads_it(body: str, tmp_path: Path) -> None:
    state = walked(body, {"/etc/os-release": "ID=debian\nVERSION_CODENAME=bookworm\n"}).stage(0)
    entries = [
        entry
        for path, content in state.sources().items()
        for entry in sources_list.read(path if path.endswith(".sources") else "x.list", content.known or "")
    ]

    root = tmp_path / "root"
    apt = AptRoot(root, "arm64", {})
    (root / "etc/os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    (root / "bin").mkdir()
    for name, text in COMMANDS.items():
        (root / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (root / "bin" / name).chmod(0o755)
    script = body.removeprefix("RUN ").replace("/etc/", f"{root}/etc/")
    environment = {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], cwd=root, env=environment, check=True)
    printed = apt.run(
        "apt-get",
        "indextargets",
        "--no-release-info",
        "--format",
        "$(ARCHITECTURE) $(SITE) $(RELEASE) $(COMPONENT)",
        "Identifier: Packages",
    )
    lines = printed.replace("$(ARCHITECTURE)", "arm64").replace(" $(COMPONENT)", "").splitlines()
    theirs = {tuple(line.split()[1:]) for line in lines if line.startswith("arm64 ")}

    ours = {
        tuple(filter(None, (each.uri, each.suite, component)))
        for each in entries
        if each.serves("arm64")
        for component in each.components or ("",)
    }
    assert ours == {tuple(part.rstrip("/") if "://" in part else part for part in line) for line in theirs}
