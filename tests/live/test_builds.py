"""Images built for real: from the lock's preferences and from its .debs, dpkg has installed what the lock says.

Needs root, the network, and the Debian packages buildah and debootstrap.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pinner.lock import reader

TOOLS = ("buildah", "debootstrap")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason=f"needs root and {', '.join(TOOLS)}",
    ),
]
BASE = "localhost/pinner-test-base"
SOURCES = """\
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
LINES = [
    "--no-install-recommends curl ca-certificates jq",
    "git openssh-client rsync",
    "--no-install-recommends build-essential pkg-config libssl-dev",
    "--no-install-recommends python3 python3-pip python3-venv",
    "--no-install-recommends postgresql-client libpq-dev",
    "nginx openssl",
    "--no-install-recommends default-jre-headless unzip",
    "--no-install-recommends imagemagick ghostscript fonts-dejavu-core",
    "php-cli php-curl php-mbstring",
    "xdg-utils xterm",
]


def run(*command: str, **given: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **given)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return str(done.stdout)


def versions(listing: str) -> dict[str, str]:
    pairs = (line.split("\t") for line in listing.splitlines())
    return {name.partition(":")[0]: version for name, version in pairs if version}


@dataclass(frozen=True)
class Base:
    """The debootstrapped image: what dpkg lists there, and dpkg's own file."""

    listing: str
    status: str


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    root = tmp_path_factory.mktemp("base") / "root"
    run("debootstrap", "--variant=minbase", "bookworm", str(root), "http://deb.debian.org/debian")
    (root / "etc/apt/sources.list").unlink()
    (root / "etc/apt/sources.list.d/debian.sources").write_text(SOURCES)
    container = run("buildah", "from", "scratch").strip()
    run("buildah", "add", container, str(root), "/")
    shutil.rmtree(root)
    run("buildah", "commit", "--rm", container, BASE)
    yield Base(inside(BASE, "dpkg-query", "-W"), inside(BASE, "cat", "/var/lib/dpkg/status"))
    run("buildah", "rmi", "--force", BASE)


def inside(image: str, *command: str) -> str:
    container = run("buildah", "from", "--pull-never", image).strip()
    try:
        return run("buildah", "run", "--isolation", "chroot", container, "--", *command)
    finally:
        run("buildah", "rm", container)


class Project:
    """A directory with a Dockerfile and what pinner makes of it."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        (folder / "pinner.toml").write_text('platforms = ["linux/amd64"]\nsuite = "bookworm"\n')

    def pinner(self, *arguments: str, status: int = 0, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pinner", *arguments],
            cwd=self.folder,
            env={**os.environ, "PINNER_CACHE_DIR": str(self.cache)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def locked(self, stage: str = "0") -> dict[str, str]:
        lock = reader.loads((self.folder / "pinner.lock").read_text())
        target = lock.target(("Dockerfile", stage, "linux/amd64"))
        assert target is not None
        packages = lock.by_id
        return {
            packages[locked.id].name: packages[locked.id].version
            for each in reversed(lock.chain(target))
            for locked in each.closure.members
        }

    def build(self, dockerfile: str, then: Callable[[str], None]) -> None:
        """Builds, and hands over the image, which is removed afterwards."""
        image = f"localhost/pinner-test-{self.folder.name}"
        (self.folder / "build.Dockerfile").write_text(dockerfile)
        command = ["buildah", "build", "--isolation", "chroot", "--pull-never", "--tag", image]
        run(*command, "--file", "build.Dockerfile", ".", cwd=self.folder)
        try:
            then(image)
        finally:
            run("buildah", "rmi", "--force", image)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path, cache: Path) -> Project:
    folder = tmp_path / tmp_path.name.replace("_", "-").strip("-").lower()
    folder.mkdir()
    return Project(folder, cache)


def dockerfile(line: str, before: str = "") -> str:
    return (
        f"FROM {BASE}\nENV DEBIAN_FRONTEND=noninteractive\n{before}"
        f"RUN apt-get update && apt-get install -y {line}\n"
    )


OFFLINE = (
    "COPY repository /repository\n"
    "RUN rm -r /etc/apt/sources.list.d/* /var/lib/apt/lists/*"
    ' && echo "deb [trusted=yes] file:/repository ./" > /etc/apt/sources.list\n'
)
PREFERENCES = "COPY preferences /etc/apt/preferences.d/pinner\n"


@pytest.mark.parametrize("line", LINES)
def test_builds_obey_the_lock(line: str, base: Base, project: Project) -> None:
    (project.folder / "Dockerfile").write_text(dockerfile(line))
    # both forms in turn
    told = base.status if LINES.index(line) % 2 else base.listing
    (project.folder / "base").write_text(told)
    project.pinner("lock", "--installed", "base")
    expected = versions(base.listing) | project.locked()

    def obeys(image: str) -> None:
        listing = inside(image, "dpkg-query", "-W")
        assert versions(listing) == expected
        audit = ("audit", "--base", "base", "--installed", "-")
        project.pinner(*audit, stdin=listing)
        last = line.split()[-1]
        changed = "".join(each for each in listing.splitlines(True) if not each.startswith(last))
        project.pinner(*audit, stdin=changed, status=1)

    (project.folder / "preferences").write_text(project.pinner("export", "preferences"))
    project.build(dockerfile(line, PREFERENCES), obeys)
    project.pinner("download", "repository")
    project.build(dockerfile(line, OFFLINE), obeys)
    project.pinner("lock", "--installed", "base", "--closure")
    closed = (project.folder / "Dockerfile").read_text()
    assert all(f"{name}={version}" in closed for name, version in project.locked().items())
    project.build(closed, obeys)


def test_an_older_version_is_taken_from_preferences_and_repository(base: Base, project: Project) -> None:
    """The lock holds less than the newest of libssl3 and openssl; plain `apt-get install openssl` must follow."""
    madison = inside(BASE, "sh", "-c", "apt-get update >/dev/null && apt-cache madison openssl")
    offered = list(dict.fromkeys(row.split("|")[1].strip() for row in madison.splitlines()))
    if len(offered) < 2:
        pytest.skip("the archive has one version of openssl today")
    older = f"openssl={offered[1]} libssl-dev={offered[1]} libssl3={offered[1]}"
    (project.folder / "Dockerfile").write_text(dockerfile(older))
    (project.folder / "base").write_text(base.listing)
    project.pinner("lock", "--installed", "base")
    expected = versions(base.listing) | project.locked()
    assert expected["libssl3"] == offered[1]

    def obeys(image: str) -> None:
        listing = inside(image, "dpkg-query", "-W")
        assert versions(listing) == expected
        project.pinner("audit", "--base", "base", "--installed", "-", stdin=listing)

    def differs(image: str) -> None:
        listing = inside(image, "dpkg-query", "-W")
        out = project.pinner("audit", "--base", "base", "--installed", "-", stdin=listing, status=1)
        assert f"differs  openssl  {offered[0]} instead of {offered[1]}" in out

    plain = "openssl libssl-dev"
    (project.folder / "preferences").write_text(project.pinner("export", "preferences"))
    project.build(dockerfile(plain, PREFERENCES), obeys)
    project.build(dockerfile(plain), differs)
    project.pinner("download", "repository")
    project.build(dockerfile(plain, OFFLINE), obeys)


def test_a_stage_built_on_a_stage(base: Base, project: Project) -> None:
    first, second = "--no-install-recommends curl", "--no-install-recommends git"
    text = dockerfile(first).replace("\n", " AS tools\n", 1)
    (project.folder / "Dockerfile").write_text(
        f"{text}FROM tools\nRUN apt-get update && apt-get install -y {second}\n"
    )
    (project.folder / "base").write_text(base.listing)
    project.pinner("lock", "--installed", "base")
    project.pinner("download", "repository")

    def obeys(image: str) -> None:
        listing = inside(image, "dpkg-query", "-W")
        assert versions(listing) == versions(base.listing) | project.locked("1")
        audit = ("audit", "--base", "base", "--installed", "-")
        project.pinner(*audit, "--stage", "1", stdin=listing)
        project.pinner(*audit, "--stage", "tools", stdin=listing, status=1)

    project.build(f"{dockerfile(first, OFFLINE)}RUN apt-get install -y {second}\n", obeys)
