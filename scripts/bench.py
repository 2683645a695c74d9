"""Whole-process timings of pinner against real apt in an isolated root, or against a fixed goal; see scripts/bench.

Goals in milliseconds and in files are of CPU time, which a busy machine changes least; ratios are of wall-clock time,
in pairs. The figures of the last run that was told to `--write` are in docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pinner.distributions import minbase

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.bench_inputs import NAMES, Link, dockerfile, repository  # noqa: E402
from tests.registry import Made, Registry, digest, index, make, official, serve  # noqa: E402

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
MAIN_ALONE = (
    "RUN rm /etc/apt/sources.list.d/debian.sources && "
    "echo 'deb http://deb.debian.org/debian bookworm main' > /etc/apt/sources.list && "
)
PINNER = [sys.executable, "-I", "-m", "pinner"]
FOLDERS = (
    *("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d"),
    *("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"),
)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Run(NamedTuple):
    """One process: wall-clock seconds, peak resident set in MB, exit status, seconds of CPU time."""

    seconds: float
    megabytes: float
    status: int
    cpu: float = 0


class Figure(NamedTuple):
    """A row: what was measured, its goal, and whether it is met. `unit` is `ratio`, `ms`, `files/s`, `repositories/s`,
    `MB` or `power`.

    `wall` and `cpu` are seconds of pinner, `peer` those of what it is compared with, `peak` MB.
    """

    title: str
    unit: str
    value: float
    goal: float
    met: bool
    wall: float = 0
    cpu: float = 0
    peer: float = 0
    peak: float = 0

    def line(self) -> str:
        """For people."""
        digits = 2 if self.unit in ("ratio", "power") else 0
        shown = f"{self.title:58} {self.value:8.{digits}f} {self.unit:8} goal {self.goal:7.{digits}f} "
        shown += f"{'ok' if self.met else 'MISSED':6}"
        times = f"  wall {self.wall * 1000:6.0f} ms  CPU {self.cpu * 1000:6.0f} ms" if self.wall else ""
        peer = f"  peer {self.peer * 1000:6.0f} ms" if self.peer else ""
        return f"{shown}{times}{peer}" + (f"  peak {self.peak:4.0f} MB" if self.peak else "")


def run(*commands: list[str], env: dict[str, str], cwd: Path) -> Run:
    """The commands one after the other, as one run."""
    start = time.perf_counter()
    peak, status, cpu = 0.0, 0, 0.0
    for command in commands:
        Path("/proc/self/clear_refs").write_text(
            "5"
        )  # a child's peak begins with what this process has now, no more
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
        cpu += usage.ru_utime + usage.ru_stime
        if child.returncode not in (0, 1) or b"Traceback" in said:
            sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{said.decode()}")
        status = status or child.returncode
    return Run(time.perf_counter() - start, peak, status, cpu)


class Bench:
    """Roots, caches and files of one run, below one temporary folder."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.figures: list[Figure] = []
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

    def status(self, arch: str) -> str:
        """dpkg's status of a minimal root of that architecture, with the versions that the archive has today."""
        conf = self.root / f"{arch}.conf"
        conf.write_text((self.root / "apt.conf").read_text().replace("amd64", arch))
        env = {**self.apt_env, "APT_CONFIG": str(conf)}
        run(["apt-get", "update"], env=env, cwd=self.folder)
        show = ["apt-cache", "show", "--no-all-versions", *minbase.names("bookworm", arch)]
        shown = subprocess.run(show, env=env, capture_output=True, text=True, check=True).stdout
        left_out = ("Filename:", "Size:", "SHA256:", "MD5sum:", "Description-md5:", " ")
        return "".join(
            line + ("Status: install ok installed\n" if line.startswith("Package:") else "")
            for line in shown.splitlines(keepends=True)
            if not line.startswith(left_out)
        )

    def install_minbase(self) -> None:
        """Make apt believe that the minimal set of packages is installed."""
        (self.root / "var/lib/dpkg/status").write_text(self.status("amd64"))

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

    def note(self, figure: Figure) -> None:
        """Keep a row, and show it."""
        self.figures.append(figure)
        print(figure.line(), flush=True)

    def pair(
        self,
        title: str,
        goal: float,
        ours: Callable[[], Run],
        theirs: Callable[[], Run],
        before: Callable[[], object] = lambda: None,
    ) -> None:
        """Time both in turns: the median of the ratios."""
        pairs = []
        for number in range(self.runs):
            sides: list[Run | None] = [None, None]
            for side in (0, 1) if number % 2 else (1, 0):
                before()
                sides[side] = (ours, theirs)[side]()
            assert sides[0] and sides[1]
            pairs.append((sides[0], sides[1]))
        ratio = statistics.median(a.seconds / b.seconds for a, b in pairs)
        mine = [a for a, _ in pairs]
        self.note(
            Figure(
                title,
                "ratio",
                ratio,
                goal,
                ratio <= goal,
                statistics.median(each.seconds for each in mine),
                statistics.median(each.cpu for each in mine),
                statistics.median(b.seconds for _, b in pairs),
                max(each.megabytes for each in mine),
            )
        )

    def alone(
        self, title: str, goal: float, ours: Callable[[], Run], before: Callable[[], object] = lambda: None
    ) -> None:
        """The median of the CPU time, in milliseconds."""
        done = []
        for _ in range(self.runs):
            before()
            done.append(ours())
        cpu = statistics.median(each.cpu for each in done)
        wall, peak = statistics.median(each.seconds for each in done), max(each.megabytes for each in done)
        self.note(Figure(title, "ms", cpu * 1000, goal, cpu * 1000 <= goal, wall, cpu, peak=peak))


@contextmanager
def _link(bench: Bench, rate: float, rtt: float) -> Iterator[Link]:
    """Both sides behind a link."""
    link = Link(rate, rtt)
    before = bench.env, bench.apt_env
    with link.serve() as address:
        bench.env, bench.apt_env = ({**each, "http_proxy": address} for each in before)
        try:
            yield link
        finally:
            bench.env, bench.apt_env = before


def cold(bench: Bench) -> None:
    """One platform, nothing cached, near and behind links."""
    folder = bench.file("cold")
    ours = partial(bench.pinner, "lock --check --platform linux/amd64 Dockerfile", folder)
    theirs = partial(bench.apt, "apt-get update", f"apt-cache policy {' '.join(PACKAGES)}")
    bench.pair("cold, one platform, near", 0.40, ours, theirs, bench.clear)
    for name, goal, rate, rtt in (
        ("100 Mbit/s, 20 ms", 0.50, 100e6, 0.02),
        ("20 Mbit/s, 80 ms", 0.80, 20e6, 0.08),
    ):
        with _link(bench, rate, rtt):
            for side in (ours, theirs):  # the link keeps what it has fetched
                bench.clear()
                side()
            bench.pair(f"cold, one platform, {name}", goal, ours, theirs, bench.clear)


def trusted(bench: Bench) -> None:
    """A fresh runner whose lock is believed where no Release has moved."""
    folder = bench.file("trusted")
    shutil.rmtree(folder / ".git")  # outside of a work tree a lock counts as it is
    bench.pinner("lock --platform linux/amd64 Dockerfile", folder)
    theirs = partial(bench.apt, "apt-get update", f"apt-cache policy {' '.join(PACKAGES)}")
    for command in ("verify", "lock --check"):
        ours = partial(bench.pinner, f"{command} --trust-lock Dockerfile", folder)
        bench.pair(f"cold, {command} --trust-lock, nothing moved", 0.12, ours, theirs, bench.clear)
    bench.alone("the same, verify alone", 1000, ours, bench.clear)


def suites(bench: Bench) -> None:
    """Several suites in one cold run."""
    folder = bench.file("suites")
    images = ("debian:bookworm", "debian:trixie", "ubuntu:22.04", "ubuntu:24.04")
    texts = (DOCKERFILE.format("curl").replace("debian:bookworm-slim", image) for image in images)
    (folder / "Dockerfile").write_text("".join(texts))
    done = []
    for _ in range(min(bench.runs, 3)):
        bench.clear()
        done.append(bench.pinner("lock --check --platform linux/amd64 Dockerfile", folder))
    peak = max(each.megabytes for each in done)
    wall, cpu = (
        statistics.median(values) for values in zip(*((each.seconds, each.cpu) for each in done), strict=True)
    )
    bench.note(Figure("four suites in one cold run", "MB", peak, 150, peak <= 150, wall, cpu))


def _warmed(bench: Bench, folder: Path, arguments: str = "lock Dockerfile") -> None:
    bench.apt("apt-get update", "apt-get -s install hello")
    bench.pinner(arguments, folder)


def revalidate(bench: Bench) -> None:
    """Everything cached, the archive asked anew, nothing has changed."""
    folder = bench.file("revalidate")
    _warmed(bench, folder)
    ours = partial(bench.pinner, "lock --check --max-age 0s Dockerfile", folder)
    bench.pair("nothing changed, asked anew", 0.20, ours, partial(bench.apt, "apt-get update"))


def warm(bench: Bench) -> None:
    """Ten packages, two platforms, nothing asked; then with one word more, and against the lock."""
    folder = bench.file("warm")
    _warmed(bench, folder)
    ours = partial(bench.pinner, "lock --check --max-age 1d Dockerfile", folder)
    theirs = partial(bench.apt, f"apt-get -s install {' '.join(PACKAGES)}")
    bench.pair("warm lock --check, ten packages, two platforms", 0.15, ours, theirs)
    click = partial(run, *[[sys.executable, "-c", "import click"]] * 3, env=bench.env, cwd=folder)
    bench.pair("the same against three times `import click`", 0.65, ours, click)
    for command in ("verify", "refresh --dry-run"):
        bench.pinner(f"{command} Dockerfile", folder)
        bench.alone(f"warm {command}", 150, partial(bench.pinner, f"{command} Dockerfile", folder))
    text = (folder / "Dockerfile").read_text()
    (folder / "Dockerfile").write_text(text.rstrip("\n") + " make\n")
    more = partial(bench.pinner, "lock --dry-run --max-age 1d Dockerfile", folder)
    seen = bench.cache / "seen"
    bench.alone("warm lock with one word more", 170, more, partial(shutil.rmtree, seen, ignore_errors=True))


def scan(bench: Bench) -> None:
    """Dockerfiles as long and as mixed as real ones."""
    for count in (1000, 8000):
        folder = bench.folder / f"scan{count}"
        for number in range(count):
            (folder / str(number)).mkdir(parents=True, exist_ok=True)
            (folder / str(number) / "Dockerfile").write_text(dockerfile(number))
        done = [bench.pinner("scan .", folder) for _ in range(bench.runs if count == 1000 else 1)]
        cpu = statistics.median(each.cpu for each in done)
        wall, peak = statistics.median(each.seconds for each in done), max(each.megabytes for each in done)
        rate = count / cpu
        title = f"scan of {count:,} Dockerfiles of 4 to 5 kB"
        if count == 1000:
            bench.note(
                Figure(f"{title}, per CPU second", "files/s", rate, 400, rate >= 400, wall, cpu, peak=peak)
            )
        else:
            bench.note(Figure(title, "MB", peak, 150, peak <= 150, wall, cpu))


def _image(bench: Bench, arch: str) -> Made:
    """A minimal image of 30 MB."""
    files = {
        **official("bookworm"),
        "var/lib/dpkg/status": bench.status(arch),
        "usr/lib/big": "x" * 30_000_000,
    }
    return make(files, platform=f"linux/{arch}")


def runner(bench: Bench) -> None:
    """A fresh CI runner verifies a lock of two platforms whose images were read; two pockets have moved since."""
    registry, images = Registry(), [_image(bench, arch) for arch in ("amd64", "arm64")]
    registry.put("app:1", *images, top=index(*images))
    with serve(registry):
        folder = bench.file("runner")
        shutil.rmtree(folder / ".git")  # outside of a work tree a lock counts as it is
        text = (folder / "Dockerfile").read_text()
        (folder / "Dockerfile").write_text(text.replace("debian:bookworm-slim", f"{registry.host}/app:1"))
        images_read = f"--images always --insecure-registry {registry.host} Dockerfile"
        bench.pinner(f"lock {images_read}", folder)
        lines = (folder / "pinner.lock").read_text().splitlines(keepends=True)
        moved = [
            re.sub(r'digest = "[0-9a-f]{8}', 'digest = "00000000', line) if "bookworm-" in line else line
            for line in lines[: lines.index("targets = [\n")]
        ]
        (folder / "pinner.lock").write_text("".join([*moved, *lines[len(moved) :]]))
        title = "a fresh runner, two platforms, images read, two pockets moved: verify"
        registry.log.clear()
        trusting = partial(bench.pinner, f"verify --trust-lock {images_read}", folder)
        bench.alone(f"{title} --trust-lock", 1000, trusting, bench.clear)
        bench.alone(title, 2000, partial(bench.pinner, f"verify {images_read}", folder), bench.clear)
        layers = {f"/v2/app/blobs/{digest(layer)}" for each in images for layer in each.layers}
        if layers & {each.path for each in registry.log}:
            sys.exit("a layer was read, though the lock knows it")
        with _link(bench, 1e12, 0) as link:
            bench.clear()
            bench.env = {**bench.env, "no_proxy": "127.0.0.1"}
            done = trusting()
        kilobytes = link.sent / 1000
        bench.note(
            Figure(f"{title} --trust-lock, fetched", "kB", kilobytes, 1000, kilobytes <= 1000, done.seconds)
        )


def image(bench: Bench) -> None:
    """A base image that is read, from a registry on loopback."""
    registry = Registry()
    registry.put("app:1", _image(bench, "amd64"))
    with serve(registry):
        host = registry.host
        folder = bench.file("image")
        text = DOCKERFILE.format("curl").replace("debian:bookworm-slim", f"{host}/app:1")
        (folder / "Dockerfile").write_text(text)
        arguments = (
            f"lock --check --images always --insecure-registry {host} --platform linux/amd64 Dockerfile"
        )
        bench.pinner(arguments, folder)
        images = partial(shutil.rmtree, bench.cache / "images", ignore_errors=True)
        bench.alone(
            "an image of 30 MB read from a registry on loopback",
            600,
            partial(bench.pinner, arguments, folder),
            images,
        )


def solver3(bench: Bench, root: Path | None) -> None:
    """The solver of apt 3.1 on, against an apt that has it, in a root of Ubuntu resolute."""
    if root is None:
        print("solver3 needs --resolute ROOT, a root with that apt whose lists are fetched", flush=True)
        return
    folder = bench.file("solver3")
    status = root / "var/lib/dpkg/status"
    request = f"resolve --suite resolute --platform linux/amd64 --installed {status} --max-age 1d --json "
    request += " ".join(PACKAGES)
    bench.pinner(request, folder)
    inside = ["chroot", str(root), "apt-get", "-s", "install", *PACKAGES]
    theirs = partial(run, inside, env={**os.environ, "LC_ALL": "C"}, cwd=bench.folder)
    theirs()
    bench.pair(
        "apt 3.1's solver, resolute, ten packages", 0.35, partial(bench.pinner, request, folder), theirs
    )


def sizes(bench: Bench) -> None:
    """How the CPU time grows with the number of files, words and platforms: the exponent from n to 4n."""

    def files(count: int) -> Run:
        folder = bench.folder / f"files{count}"
        folder.mkdir(exist_ok=True)
        for number in range(count):
            (folder / f"{number}.Dockerfile").write_text(dockerfile(number))
        return bench.pinner("scan .", folder)

    def words(count: int) -> Run:
        folder = bench.file(f"words{count}", [f"lib{number}-dev" for number in range(count)])
        return bench.pinner("scan Dockerfile", folder)

    def targets(count: int) -> Run:
        folder = bench.folder / f"targets{count}"
        folder.mkdir(exist_ok=True)
        for number in range(count):
            names = " ".join(PACKAGES[number % 7 :])
            (folder / f"{number}.Dockerfile").write_text(DOCKERFILE.format(names))
        bench.pinner("lock --quiet --max-age 1d .", folder)
        return bench.pinner("lock --check --quiet --max-age 1d .", folder)

    def repositories(count: int) -> Run:
        listed = _fleet(bench, f"repositories{count}", count)
        bench.pinner(f"verify --repositories {listed}", bench.folder)
        return bench.pinner(f"verify --repositories {listed}", bench.folder)

    def solved(packages: Sequence[str], platforms: Sequence[str]) -> Run:
        """What is not answered from earlier runs; without the security pocket, which mirrors may have of few
        architectures."""
        shown = " ".join(f"--platform linux/{each}" for each in platforms)
        arguments = f"lock --dry-run --quiet --max-age 1d {shown} Dockerfile"
        folder = bench.file("solved", [*packages])
        (folder / "Dockerfile").write_text((folder / "Dockerfile").read_text().replace("RUN ", MAIN_ALONE, 1))
        bench.pinner(arguments, folder)
        shutil.rmtree(bench.cache / "seen", ignore_errors=True)
        return bench.pinner(arguments, folder)

    def platforms(count: int) -> Run:
        return solved(PACKAGES, ("amd64", "arm64", "arm/v7", "386")[:count])

    def closure(count: int) -> Run:
        return solved(NAMES[:count], ["amd64"])

    base = bench.pinner("--version", bench.folder).cpu
    for title, measure, count in (
        ("files", files, 125),
        ("words a file", words, 1000),
        ("targets", targets, 50),
        ("repositories", repositories, 10),
        ("platforms", platforms, 1),
        ("packages whose closure is solved", closure, 18),
    ):
        try:
            times = [max(measure(count * factor).cpu - base, 0.001) for factor in (1, 2, 4)]
        except SystemExit as problem:
            print(f"growth with {title}: not measured: {problem}", file=sys.stderr)
            continue
        power = math.log(times[2] / times[0], 4)
        shown = f"growth with {title}: {', '.join(f'{count * factor:,}' for factor in (1, 2, 4))}"
        bench.note(Figure(shown, "power", power, 1.15, power <= 1.15, sum(times), sum(times)))


def _fleet(bench: Bench, name: str, count: int) -> Path:
    """A list of that many locked repositories; their folders lie beside it."""
    listed = bench.folder / name / "list"
    folders = [listed.parent / str(number) for number in range(count)]
    for number, folder in enumerate(folders):
        repository(folder, number)
    for begin in range(0, count, 20):
        shown = " ".join(map(str, folders[begin : begin + 20]))
        bench.pinner(f"lock --quiet --max-age 1d {shown}", listed.parent)
    listed.write_text("".join(f"{folder}\n" for folder in folders))
    return listed


def fleet(bench: Bench, count: int) -> None:
    """Many repositories of six files in one process, and in ten shards that share a cache."""
    listed = _fleet(bench, "fleet", count)
    for command, goal in (("verify", 60), ("refresh", 25)):
        arguments = f"{command} --repositories {listed}"
        bench.pinner(arguments, bench.folder)
        done = [bench.pinner(arguments, bench.folder) for _ in range(min(bench.runs, 3))]
        cpu, wall = (
            statistics.median(each) for each in zip(*((run.cpu, run.seconds) for run in done), strict=True)
        )
        peak, title = max(run.megabytes for run in done), f"{command} of {count:,} repositories of six files"
        rate = count / cpu
        bench.note(Figure(f"{title}, per CPU second", "repositories/s", rate, goal, rate >= goal, wall, cpu))
        bench.note(Figure(f"{title}, memory", "MB", peak, 150, peak <= 150))
    alone = 0.0
    for at_once in (1, 2, 4, 8):
        with tempfile.TemporaryDirectory(dir=bench.folder) as name:
            begin = time.perf_counter()
            _shards(bench, listed, Path(name), at_once)
            wall = time.perf_counter() - begin
            lines = "".join(each.read_text() for each in Path(name).iterdir()).splitlines()
        if sorted(json.loads(each)["repository"] for each in lines) != sorted(listed.read_text().split()):
            sys.exit("shards have lost a repository, or verified one twice")
        rate = count / wall
        alone = alone or rate
        title = f"ten shards of {count:,} repositories, {at_once} at once, one of them killed: verified per second"
        bench.note(Figure(title, "repositories/s", rate, 0.9 * alone, rate >= 0.9 * alone, wall))


def _shards(bench: Bench, listed: Path, folder: Path, at_once: int) -> None:
    """Verify in ten shards; the first is killed as soon as it has a line, and started again."""

    def start(number: int) -> subprocess.Popen[bytes]:
        command = f"verify --repositories {listed} --shard {number}/10 --results {folder / str(number)}"
        return subprocess.Popen(
            [*PINNER, *command.split()],
            env=bench.env,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    running, waiting = dict[int, "subprocess.Popen[bytes]"](), list(range(10))
    killed = False
    while running or waiting:
        while waiting and len(running) < at_once:
            number = waiting.pop(0)
            running[number] = start(number)
        for number, shard in list(running.items()):
            first = folder / "0"
            if number == 0 and not killed and first.exists() and first.stat().st_size:
                shard.kill()
                shard.wait()
                killed, running[0] = True, start(0)
            elif shard.poll() is not None:
                del running[number]
        time.sleep(0.01)


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
        theirs = partial(bench.apt, f"apt-get -s install {' '.join(packages)}")
        bench.pair(title, goal, partial(bench.pinner, request, folder), theirs)


BENCHES: dict[str, Callable[[Bench], None]] = {
    "cold": cold,
    "trusted": trusted,
    "suites": suites,
    "revalidate": revalidate,
    "warm": warm,
    "closures": closures,
    "scan": scan,
    "image": image,
    "runner": runner,
    "sizes": sizes,
}


def page(figures: list[Figure], runs: int) -> str:
    """docs/performance.md."""
    lines = [
        "# Performance",
        "",
        "Made by `scripts/bench --write`; not edited by hand. Ratios are of the wall-clock time of whole processes:",
        f"the median of {runs} paired runs against real apt (or what the row names) in an isolated root. Milliseconds",
        "and files or repositories per CPU second are of CPU time. `power` is the exponent with which the time grows.",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} CPUs.",
        "",
        "| what | measured | goal | met | CPU | wall | peak |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in figures:
        digits = 2 if each.unit in ("ratio", "power") else 0
        cells = (
            each.title,
            f"{each.value:.{digits}f} {each.unit}",
            f"{each.goal:.{digits}f}",
            "yes" if each.met else "no",
            f"{each.cpu * 1000:.0f} ms",
            f"{each.wall * 1000:.0f} ms",
            f"{each.peak:.0f} MB" if each.peak else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


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
    parser.add_argument("--only", action="append", choices=(*BENCHES, "fleet", "solver3"))
    parser.add_argument("--repositories", type=int, default=200, help="how many the row fleet takes")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON at the end")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--resolute", type=Path, help="a root of Ubuntu resolute, for the row solver3")
    parser.add_argument(
        "--growth", action="store_true", help="print how times grow with hostile input, no more"
    )
    arguments = parser.parse_args()
    if arguments.growth:
        growth()
        return
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), arguments.runs)
        for chosen in arguments.only or (*BENCHES, "fleet", "solver3"):
            try:
                if chosen == "solver3":
                    solver3(bench, arguments.resolute)
                elif chosen == "fleet":
                    fleet(bench, arguments.repositories)
                else:
                    BENCHES[chosen](bench)
            except SystemExit as problem:  # one that cannot be measured today stops no other
                print(f"{chosen}: not measured to its end: {problem}", file=sys.stderr)
    if arguments.write:
        (REPOSITORY / "docs" / "performance.md").write_text(page(bench.figures, arguments.runs))
    if arguments.json:
        print(json.dumps([each._asdict() for each in bench.figures], indent=1))


if __name__ == "__main__":
    main()
