"""Paired whole-process timings of pinner and of real apt in an isolated root; see scripts/bench."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pinner.distributions import minbase

PACKAGES = [
    "ca-certificates",
    "curl",
    "git",
    "gnupg",
    "jq",
    "libpq-dev",
    "nginx",
    "openssl",
    "python3-pip",
    "vim",
]
DOCKERFILE = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y {}\n"
PINNER = [sys.executable, "-I", "-m", "pinner"]
FOLDERS = (
    *("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d"),
    *("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"),
)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Run(NamedTuple):
    """One process: wall-clock seconds, peak resident set in MB, exit status."""

    seconds: float
    megabytes: float
    status: int


def run(*commands: list[str], env: dict[str, str], cwd: Path) -> Run:
    """The commands one after the other, as one run."""
    start = time.perf_counter()
    peak, status = 0.0, 0
    for command in commands:
        child = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert child.stderr is not None
        said = child.stderr.read()
        _, code, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
        peak = max(peak, usage.ru_maxrss / 1024)
        if child.returncode not in (0, 1):
            sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{said.decode()}")
        status = status or child.returncode
    return Run(time.perf_counter() - start, peak, status)


class Bench:
    """Roots, caches and files of one run, below one temporary folder."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.cache = folder / "cache"
        # apt reads no registries, so neither does pinner here.
        self.env = {**os.environ, "PINNER_CACHE_DIR": str(self.cache), "PINNER_IMAGES": "never"}
        self.root = self._apt_root(folder / "root")
        self.apt_env = {**os.environ, "APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C"}

    def _apt_root(self, root: Path) -> Path:
        for name in FOLDERS:
            (root / name).mkdir(parents=True)
        for folder in (self.folder, root):
            folder.chmod(0o755)
        (root / "var/lib/dpkg/status").touch()
        (root / "apt.conf").write_text(
            f'Dir "{root}"; Dir::State::status "{root}/var/lib/dpkg/status"; Dir::Etc::main "/dev/null";\n'
            'Dir::Etc::parts "/dev/null"; APT::Architecture "amd64"; APT::Architectures { "amd64"; };\n'
            'Acquire::Languages "none"; APT::Sandbox::User "root";\n'
        )
        (root / "etc/apt/sources.list.d/debian.sources").write_text(
            "".join(
                f"Types: deb\nURIs: http://deb.debian.org/{path}\nSuites: {suites}\nComponents: main\n"
                f"Signed-By: {KEYRING}\n\n"
                for path, suites in (
                    ("debian", "bookworm bookworm-updates"),
                    ("debian-security", "bookworm-security"),
                )
            )
        )
        return root

    def install_minbase(self) -> None:
        """Make apt believe that the minimal set of packages is installed."""
        show = ["apt-cache", "show", "--no-all-versions", *minbase.names("bookworm", "amd64")]
        shown = subprocess.run(show, env=self.apt_env, capture_output=True, text=True, check=True).stdout
        left_out = ("Filename:", "Size:", "SHA256:", "MD5sum:", "Description-md5:", " ")
        status = "".join(
            line + ("Status: install ok installed\n" if line.startswith("Package:") else "")
            for line in shown.splitlines(keepends=True)
            if not line.startswith(left_out)
        )
        (self.root / "var/lib/dpkg/status").write_text(status)

    def file(self, name: str, packages: list[str] = PACKAGES) -> Path:
        """A folder with a Dockerfile that installs the packages."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / ".git").mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(DOCKERFILE.format(" ".join(packages)))
        return folder

    def apt(self, *commands: str) -> Run:
        """apt commands in the isolated root."""
        return run(*(command.split() for command in commands), env=self.apt_env, cwd=self.folder)

    def pinner(self, arguments: str, folder: Path) -> Run:
        """One pinner command in a folder."""
        return run([*PINNER, *arguments.split()], env=self.env, cwd=folder)

    def clear(self) -> None:
        """Forget what apt and pinner have fetched."""
        shutil.rmtree(self.cache, ignore_errors=True)
        for path in (self.root / "var/lib/apt/lists").glob("*_*"):
            path.unlink()
        for path in (self.root / "var/cache/apt").glob("*.bin"):
            path.unlink()

    def pair(
        self,
        title: str,
        goal: float,
        ours: Callable[[], Run],
        theirs: Callable[[], Run],
        before: Callable[[], None],
    ) -> None:
        """Time both in turns; print the medians and the median of the ratios."""
        pairs = []
        for number in range(self.runs):
            sides: list[Run | None] = [None, None]
            for side in (0, 1) if number % 2 else (1, 0):
                before()
                sides[side] = (ours, theirs)[side]()
            assert sides[0] and sides[1]
            pairs.append((sides[0], sides[1]))
        mine, other = (statistics.median(pair[side].seconds for pair in pairs) for side in (0, 1))
        ratio = statistics.median(a.seconds / b.seconds for a, b in pairs)
        peak = max(a.megabytes for a, _ in pairs)
        verdict = "ok" if ratio <= goal else "ABOVE"
        print(
            f"{title:46} {mine * 1000:8.0f} ms {other * 1000:8.0f} ms  ratio {ratio:5.2f}  goal {goal:4.2f} {verdict:5}"
            f"  peak {peak:4.0f} MB",
            flush=True,
        )


def cold(bench: Bench) -> None:
    """One platform, nothing cached."""
    folder = bench.file("cold")
    bench.pair(
        "cold, one platform",
        0.60,
        lambda: bench.pinner("lock --check --platform linux/amd64 Dockerfile", folder),
        lambda: bench.apt("apt-get update", f"apt-cache policy {' '.join(PACKAGES)}"),
        bench.clear,
    )


def _warmed(bench: Bench, folder: Path, arguments: str = "lock Dockerfile") -> None:
    bench.apt("apt-get update", "apt-get -s install hello")
    bench.pinner(arguments, folder)


def revalidate(bench: Bench) -> None:
    """Everything cached, the archive asked anew, nothing has changed."""
    folder = bench.file("revalidate")
    _warmed(bench, folder)
    bench.pair(
        "nothing changed, asked anew",
        0.35,
        lambda: bench.pinner("lock --check --max-age 0s Dockerfile", folder),
        lambda: bench.apt("apt-get update"),
        lambda: None,
    )


def warm(bench: Bench) -> None:
    """Ten packages, two platforms, nothing asked."""
    folder = bench.file("warm")
    _warmed(bench, folder)
    ours = lambda: bench.pinner("lock --check --max-age 1d Dockerfile", folder)  # noqa: E731
    bench.pair(
        "warm lock --check, ten packages, two platforms",
        0.15,
        ours,
        lambda: bench.apt(f"apt-get -s install {' '.join(PACKAGES)}"),
        lambda: None,
    )
    bench.pair(
        "the same against three times `import click`",
        1.0,
        ours,
        lambda: run(*[[sys.executable, "-c", "import click"]] * 3, env=bench.env, cwd=folder),
        lambda: None,
    )


def many(bench: Bench) -> None:
    """A thousand Dockerfiles in one run, warm."""
    folder = bench.folder / "many"
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    for number in range(1000):
        (folder / f"{number}.Dockerfile").write_text(
            DOCKERFILE.format(" \\\n      ".join(PACKAGES[number % 7 :] + PACKAGES[: number % 3]))
        )
    bench.pinner("lock --quiet --max-age 1d .", folder)
    done = [bench.pinner("lock --check --quiet --max-age 1d .", folder) for _ in range(bench.runs)]
    seconds = statistics.median(each.seconds for each in done)
    rate = 1000 / seconds
    peak = max(each.megabytes for each in done)
    verdict = "ok" if rate >= 200 else "BELOW"
    print(f"{'1,000 Dockerfiles, warm':46} {rate:8.0f} files/s  goal 200 {verdict}  peak {peak:.0f} MB")


def closures(bench: Bench) -> None:
    """What requests bring in, on one platform, from a minimal root; small and huge ones."""
    folder = bench.file("closures")
    _warmed(bench, folder)
    bench.install_minbase()
    for title, goal, packages in (
        ("closure of ten packages", 0.5, PACKAGES),
        ("closure of build-essential", 0.5, ["build-essential"]),
        ("closure of default-jdk", 0.5, ["default-jdk"]),
        ("closure of gnome", 1.0, ["gnome"]),
    ):
        request = f"resolve --suite bookworm --platform linux/amd64 --max-age 1d --json {' '.join(packages)}"
        bench.pair(
            title,
            goal,
            partial(bench.pinner, request, folder),
            partial(bench.apt, f"apt-get -s install {' '.join(packages)}"),
            lambda: None,
        )


BENCHES = {"cold": cold, "revalidate": revalidate, "warm": warm, "closures": closures, "many": many}


def growth() -> None:
    """How the time of each construct grows with the number of its repetitions."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.growth import GROWTH, exponent

    print(f"{'CPU seconds at':30} {'1,000':>8} {'2,000':>8} {'4,000':>8} {'exponent':>9}")
    for name, row in GROWTH.items():
        *times, power = exponent(row, 1_000)
        print(f"{name:30} {' '.join(f'{each:8.3f}' for each in times)} {power:9.2f}")


def main() -> None:
    """Run the chosen benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", action="append", choices=tuple(BENCHES))
    parser.add_argument(
        "--growth", action="store_true", help="print how times grow with hostile input, no more"
    )
    arguments = parser.parse_args()
    if arguments.growth:
        growth()
        return
    print(f"{'':46} {'pinner':>11} {'apt':>11}   (medians of {arguments.runs} paired runs)")
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), arguments.runs)
        for chosen in arguments.only or BENCHES:
            BENCHES[chosen](bench)


if __name__ == "__main__":
    main()
