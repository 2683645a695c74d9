"""A real registry, filled by buildah from a debootstrapped root: what is read is what dpkg and apt see inside.

Needs root, the network, and the Debian packages buildah, debootstrap and docker-registry.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from pinner.apt.installed import listed, packages
from pinner.archive.cache import Cache
from pinner.archive.network import Network
from pinner.images.image_archive import inspect_archive
from pinner.images.registry import Registry
from tests.registry import DOCKER, OCI

TOOLS = ("buildah", "debootstrap", "docker-registry")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason=f"needs root and {', '.join(TOOLS)}",
    ),
]

SOURCES = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n"
# A second layer that removes, replaces and adds; a third that makes a directory anew.
STEPS = [
    "rm /etc/apt/sources.list && dpkg --purge --force-all tzdata usr-is-merged >/dev/null 2>&1"
    f" && printf '{SOURCES.replace(chr(10), chr(92) + 'n')}' >/etc/apt/sources.list.d/debian.sources"
    " && printf 'Package: *\\nPin: release a=x\\nPin-Priority: 1\\n' >/etc/apt/preferences.d/none"
    " && echo hostname hold | dpkg --set-selections && head -c 3000000 /dev/urandom >/srv/noise",
    "rm -r /etc/apt/apt.conf.d && mkdir /etc/apt/apt.conf.d && echo 'APT::Install-Recommends \"0\";'"
    " >/etc/apt/apt.conf.d/99none && rm /etc/apt/preferences.d/none",
]


@dataclass
class Stage:
    """The built image as its own dpkg sees it, and where the registry is."""

    host: str
    log: Path
    installed: str
    path: Path

    def written(self) -> int:
        """All bytes that the registry has sent in answers."""
        return sum(map(int, re.findall(r"http\.response\.written=(\d+)", self.log.read_text())))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("images")
    environment = os.environ | {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}

    def buildah(*words: str) -> str:
        command = ["buildah", "--root", f"{path}/storage", "--runroot", f"{path}/run", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        return done.stdout.strip()

    root = path / "root"
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", str(root), "http://deb.debian.org/debian"],
        check=True,
        capture_output=True,
    )
    for platform in ("amd64", "arm64"):
        container = buildah("from", "scratch")
        buildah("config", "--arch", platform, container)
        # The other platform only has to be told from the first.
        tree = root if platform == "amd64" else root / "var"
        buildah("add", container, str(tree), "/" if platform == "amd64" else "/var")
        buildah("commit", container, f"{platform}:1")
    for number, step in enumerate(STEPS, 2):
        container = buildah("from", f"localhost/amd64:{number - 1}")
        buildah("run", container, "sh", "-ec", step)
        buildah("commit", container, f"amd64:{number}")
    installed = buildah(
        "run", container, "dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\n"
    )
    buildah("manifest", "create", "both")
    for image in ("amd64:3", "arm64:1"):
        buildah("manifest", "add", "both", f"containers-storage:localhost/{image}")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = path / "registry.yml"
    settings.write_text(
        "version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {path}/registry}}}}\nhttp: {{addr: '{host}'}}\n"
    )
    log = path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(["docker-registry", "serve", str(settings)], stdout=output, stderr=output)
    try:
        while "listening on" not in log.read_text():
            assert server.poll() is None, log.read_text()
        push = ("push", "--tls-verify=false")
        # Under another name of the host, since buildah takes blobs that it knows to be there, however packed.
        for packing, form, name in (
            ("gzip", "v2s2", host),
            ("zstd", "oci", host.replace("127.0.0.1", "localhost")),
        ):
            words = ("--format", form, "--compression-format", packing)
            buildah(*push, *words, "localhost/amd64:3", f"docker://{name}/{packing}:3")
        buildah("manifest", *push, "--all", "both", f"docker://{host}/both:1")
        buildah("push", "localhost/amd64:3", f"oci-archive:{path}/oci.tar")
        buildah("push", "localhost/amd64:3", f"docker-archive:{path}/docker.tar")
        buildah("push", "localhost/amd64:3", f"oci:{path}/layout")
        present = [
            line.split("\t", 1)[1] for line in installed.splitlines() if line.startswith("installed\t")
        ]
        yield Stage(host, log, "\n".join(present), path)
    finally:
        server.terminate()
        server.wait()


def client(stage: Stage, cache: Path) -> Registry:
    return Registry(Network(Cache(cache), datetime.now(UTC)), insecure=[stage.host])


@pytest.mark.parametrize("name", ["gzip:3", "zstd:3", "both:1", "oci.tar", "docker.tar", "layout"])
def test_what_is_read_is_what_is_inside(stage: Stage, tmp_path: Path, name: str) -> None:
    if ":" in name:
        image = client(stage, tmp_path).inspect(f"{stage.host}/{name}", "linux/amd64")
    else:
        image = inspect_archive(stage.path / name, "linux/amd64")
    inside = sorted((entry.name, entry.version) for entry in listed(stage.installed))
    assert sorted((package.name, package.version) for package in packages(image.status)) == inside
    assert len(inside) > 80
    assert "tzdata" not in dict(inside)
    assert (image.distribution, image.suite, image.suite_from) == ("debian", "bookworm", "os-release")
    assert image.sources == (("/etc/apt/sources.list.d/debian.sources", SOURCES),)
    assert image.apt_conf == (("/etc/apt/apt.conf.d/99none", 'APT::Install-Recommends "0";\n'),)
    assert image.preferences == ()


def test_the_other_platform(stage: Stage, tmp_path: Path) -> None:
    image = client(stage, tmp_path).inspect(f"{stage.host}/both:1", "linux/arm64")
    assert len(packages(image.status)) > 80
    assert image.sources == ()


@pytest.mark.parametrize("name", ["gzip:3", "zstd:3"])
def test_bytes_and_memory(stage: Stage, tmp_path: Path, name: str) -> None:
    """All layers have to be read: each could hold a file of apt's directories."""
    packing = name.partition(":")[0]
    manifest = requests.get(
        f"http://{stage.host}/v2/{packing}/manifests/3", headers={"Accept": f"{OCI}, {DOCKER}"}
    )
    assert manifest.text.count(packing) == 3
    script = (
        "import re, sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from pinner.archive.cache import Cache; from pinner.archive.network import Network\n"
        "from pinner.images.registry import Registry\n"
        "sizes = set()\n"
        "progress = lambda name, done, size: sizes.add(size)\n"
        "network = Network(Cache(Path(sys.argv[1])), datetime.now(UTC), progress=progress)\n"
        "registry = Registry(network, insecure=[sys.argv[2]])\n"
        "registry.inspect(f'{sys.argv[2]}/{sys.argv[3]}', 'linux/amd64')\n"
        # ru_maxrss would count what the process was forked from
        "print(sum(sizes), re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    before = stage.written()
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), stage.host, name],
        capture_output=True,
        text=True,
        check=True,
    )
    layers, memory = map(int, done.stdout.split())
    sent = stage.written() - before
    print(f"{name}: {layers} bytes of layers, {sent} sent, {memory} KiB of memory")
    assert layers <= sent <= 1.2 * layers
    assert memory <= 100 << 10
