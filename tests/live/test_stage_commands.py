"""Stages made at random of all that apt-get, apt-mark and dpkg do: built for real, `audit` finds no difference.

PINNER_STAGES is how many stages (30), PINNER_SEED the first one's seed (1), PINNER_SUITE the suite (bookworm),
PINNER_ROOT a root of it instead of one that debootstrap makes. Needs root, the network, and debootstrap.
`pytest -s -m live tests/live/test_stage_commands.py` prints each stage.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.images.test_image_archive import archive, saved
from tests.registry import Content, make

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or not shutil.which("debootstrap"),
        reason="needs root and debootstrap",
    ),
]
COUNT, SEED = int(os.environ.get("PINNER_STAGES", "30")), int(os.environ.get("PINNER_SEED", "1"))
SUITE = os.environ.get("PINNER_SUITE", "bookworm")
OFFICIAL = Path(__file__).parent.parent / "official"
POOL = (
    *(
        "jq",
        "make",
        "tree",
        "wget",
        "curl",
        "gnupg",
        "xz-utils",
        "zip",
        "procps",
        "sqlite3",
        "file",
        "less",
        "gawk",
    ),
    *(
        "tini",
        "netcat-openbsd",
        "rsync",
        "patch",
        "ed",
        "bsd-mailx",
        "python3-minimal",
        "libssl-dev",
        "binutils",
    ),
    *("gettext-base", "tzdata", "perl-base", "lsof", "cron"),
)
GLOBS = ("libjq*", "^libonig[0-9]", "zip*")
NO_RECOMMENDS = "--no-install-recommends "
IMPORTANT = "-o APT::AutoRemove::RecommendsImportant=false "


class Stage:
    """Makes the commands of one stage."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._asked: list[str] = []

    def make(self) -> str:
        """Some commands, an install first."""
        kinds = (
            *[self._install] * 3,
            *[self._remove] * 4,
            *[self._mark] * 2,
            self._sweep,
            self._upgrade,
            self._saved,
            self._unknown,
            self._decided,
            self._odd,
        )
        commands = [
            self._install(),
            *(self._random.choice(kinds)() for _ in range(self._random.randint(2, 5))),
        ]
        return " && ".join(commands)

    def _maybe(self, text: str, chance: float = 0.5) -> str:
        return text if self._random.random() < chance else ""

    def _some(self) -> str:
        names = self._random.sample(POOL, self._random.randint(1, 3))
        self._asked += names
        return " ".join(names)

    def _one(self) -> str:
        return self._random.choice(self._asked)

    def _install(self) -> str:
        return f"apt-get install -y {self._maybe(NO_RECOMMENDS, 0.7)}{self._some()}"

    def _remove(self) -> str:
        verb = self._random.choice(("remove", "purge"))
        return f"apt-get {verb} -y {self._maybe('--auto-remove ', 0.7)}{self._maybe(IMPORTANT, 0.3)}{self._one()}"

    def _mark(self) -> str:
        return f"apt-mark {self._random.choice(('auto', 'manual', 'auto', 'hold'))} {self._one()} > /dev/null"

    def _sweep(self) -> str:
        return f"apt-get {self._random.choice(('autoremove', 'autopurge', 'purge --auto-remove'))} -y"

    def _upgrade(self) -> str:
        verb = self._random.choice(("apt-get upgrade", "apt-get dist-upgrade", "apt full-upgrade"))
        return f"{verb} -y {self._maybe('--auto-remove', 0.2)}"

    def _saved(self) -> str:
        return (
            f'saved="$(apt-mark showmanual)" && {self._install()} && apt-mark auto ".*" > /dev/null'
            ' && { [ -z "$saved" ] || apt-mark manual $saved > /dev/null; }'
            f" && apt-get purge -y --auto-remove {self._maybe(IMPORTANT)}"
        )

    def _unknown(self) -> str:
        return (
            "apt-mark auto '.*' > /dev/null && ldd /usr/bin/dpkg-deb | awk '/=>/ { print $3 }' | sort -u"
            " | xargs -r dpkg-query --search 2> /dev/null | cut -d: -f1 | sort -u"
            " | xargs -r apt-mark manual > /dev/null && apt-get purge -y --auto-remove"
        )

    def _decided(self) -> str:
        """What the platform decides, as official images write it."""
        asked = list(self._asked)
        other = self._install()
        self._asked = asked  # what the other way installs is not there
        here = self._random.choice((self._install, self._remove, self._sweep))()
        return self._random.choice(
            (
                f'case "$(dpkg --print-architecture)" in amd64) {here} ;; *) {other} && mk-build-deps x ;; esac',
                f'arch="$(uname -m)" && if [ "$arch" = aarch64 ]; then {other}; else {here}; fi',
                f'{{ [ "$(dpkg --print-architecture)" = amd64 ] || {other}; }} && {here}',
            )
        )

    def _odd(self) -> str:
        return self._random.choice(
            (
                f"apt-get install -y {NO_RECOMMENDS}'{self._random.choice(GLOBS)}'",
                f"apt-get install -y --only-upgrade {self._one()} {self._random.choice(POOL)}",
                f"apt-get install -y --no-upgrade {NO_RECOMMENDS}{self._some()}",
                f"apt-get install -y --reinstall {self._one()}",
                f"apt-get install -y {NO_RECOMMENDS}{self._some()} {self._one()}-",
                f"apt-get satisfy -y {NO_RECOMMENDS}'{self._random.choice(POOL)} | nosuch, lsof'",
                f"echo 'APT::AutoRemove::RecommendsImportant \"{self._random.choice(('false', 'true'))}\";'"
                " > /etc/apt/apt.conf.d/90auto",
                f"apt-get install -y -d {NO_RECOMMENDS}{self._random.choice(POOL)}",
                f'if [ -n "${{NOTHING:-}}" ]; then apt-get purge -y --auto-remove {self._one()}; fi',
            )
        )


def run(*command: str, status: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def inside(root: Path, text: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C",
        "PATH": os.defpath + ":/usr/sbin:/sbin",
    }
    command = ["chroot", str(root), "sh", "-ec", text]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root like that of the official image."""
    root = tmp_path_factory.mktemp("base") / "root"
    own = os.environ.get("PINNER_ROOT")
    if own:
        run("cp", "-a", own, str(root))
    else:
        run("debootstrap", "--variant=minbase", SUITE, str(root), "http://deb.debian.org/debian")
    for name in ("docker-autoremove-suggests", "docker-no-languages"):
        shutil.copy(OFFICIAL / name, root / "etc/apt/apt.conf.d" / name)
    (root / "etc/dpkg/dpkg.cfg.d/docker-apt-speedup").write_text("force-unsafe-io\n")
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(Path("/etc") / name, root / "etc" / name)
    done = inside(root, "apt-mark auto '.*' && apt-get update")
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def image(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root's files that pinner reads, as `docker save` writes them."""
    paths = [base / "var/lib/dpkg/status", base / "var/lib/apt/extended_states", base / "usr/lib/os-release"]
    paths += [
        path for folder in ("sources.list.d", "apt.conf.d") for path in (base / "etc/apt" / folder).iterdir()
    ]
    paths += [path for path in [base / "etc/apt/sources.list"] if path.exists()]
    files: dict[str, Content] = {str(path.relative_to(base)): path.read_bytes() for path in paths}
    return archive(
        tmp_path_factory.mktemp("image"), saved(make(files, platform="linux/amd64", packing="plain"))
    )


@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_what_is_left_is_what_the_lock_says(seed: int, base: Path, image: Path, tmp_path: Path) -> None:
    text = Stage(seed).make()
    print(f"\n{seed}: {text}")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text(f"FROM app:1\nRUN {text}\n")

    def pinner(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "pinner", *arguments]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)

    locked = pinner("lock", "--platform", "linux/amd64", "--image-archive", str(image))
    pinned = (project / "Dockerfile").read_text().split("RUN ", 1)[1]
    root = tmp_path / "root"
    run("cp", "-a", str(base), str(root))
    try:
        built = inside(root, pinned)
        print(re.sub(r"(?m)^", "    ", locked.stdout + locked.stderr))
        if built.returncode:  # then the lock must not say that all is well
            lock = (project / "pinner.lock").read_text()
            incomplete = re.search(r"\nincomplete = \[\n(?!\])", lock)
            assert locked.returncode or incomplete, f"the build fails:\n{built.stderr}"
            return
        assert locked.returncode == 0, locked.stdout + locked.stderr
        (project / "status").write_bytes((root / "var/lib/dpkg/status").read_bytes())
        result = pinner("audit", "--installed", "status", "--image-archive", str(image))
        assert result.returncode == 0, result.stdout + result.stderr
    finally:
        shutil.rmtree(root)
