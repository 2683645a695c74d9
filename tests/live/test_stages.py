"""Stages made at random are built by real apt in a chroot: what is pinned is its candidate, or is said not to be known.

The archive is simulated, and serves each package in another version at each place, so that the candidates tell what
apt reads and prefers. PINNER_STAGES is how many stages (60), PINNER_SEED the first one's seed (1), PINNER_ROOT a root
of bookworm instead of one that debootstrap makes. `pytest -s -m live tests/live/test_stages.py` prints what comes out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

from pinner.distributions.catalogue import DISTRIBUTIONS
from pinner.stages.image_names import Named
from pinner.stages.repositories import texts_of
from tests.cli.workbench import Workbench
from tests.live.grammar import KEY, MOST_CALLS, PACKAGES, SIGNED, Made, make
from tests.simulator import SimulatedArchive

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("debootstrap"), reason="needs root and debootstrap"
    ),
]

COUNT, SEED = int(os.environ.get("PINNER_STAGES", "60")), int(os.environ.get("PINNER_SEED", "1"))
SHIM = """#!/bin/sh
# Stands before apt-get: where packages are installed, it notes their candidates instead.
case " $* " in *" install "*) ;; *) exec /usr/bin/apt-get "$@" ;; esac
options="" names=""
while [ $# -gt 0 ]; do
  case "$1" in
    -t | -o | -c | --target-release) options="$options $1 $2"; shift ;;
    -t* | --target-release=* | -o* | -c*) options="$options $1" ;;
    c[0-9]p*) names="$names $1" ;;
  esac
  shift
done
LC_ALL=C apt-cache policy $options $names > /tmp/policy || { echo "fails $names" >> /log; exit 100; }
cat /tmp/policy >> /log
"""
FOLDERS = ("etc/apt", "opt", "tmp", "var/lib/apt/lists")


def archive() -> SimulatedArchive:
    """Each suite and component has each package, in versions whose order differs from package to package."""
    made = SimulatedArchive(now=datetime.now(UTC))
    automatic = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    debian = {"Origin": "Debian", "Label": "Debian"}
    backports = {**debian, "Label": "Debian Backports", "Suite": "oldstable-backports", **automatic}
    security = {**debian, "Label": "Debian-Security", "Suite": "oldstable-security", "Version": "12"}
    suites = [
        ("bookworm", "debian", {**debian, "Suite": "oldstable", "Version": "12.12"}),
        ("bookworm-updates", "debian", {**debian, "Suite": "oldstable-updates", "Version": "12-updates"}),
        ("bookworm-backports", "debian", backports),
        ("trixie", "debian", {**debian, "Suite": "stable", "Version": "13.1"}),
        ("bullseye", "debian", {**debian, "Suite": "oldoldstable", "Version": "11.11"}),
        ("bookworm-security", "debian-security", security),
        *((name, "r", {"Origin": "X", "Label": "X"}) for name in ("a", "b", "bookworm", "bookworm-updates")),
        *(
            (name, "debian-security", security)
            for name in ("trixie-security", "bullseye", "bookworm-backports")
        ),
        ("trixie-updates", "debian", debian),
    ]
    order = Random(0)
    places = []
    for name, path, fields in suites:
        components = ("main", "extra") if path == "r" else ("main", "contrib")
        suite = made.suite(name, path=path, components=components, fields=fields)
        places += [(suite, component) for component in components]
    flat = made.suite(
        "flat", path="flat", fields={"Origin": "Y", "Label": "Y", "Suite": None, "Codename": None}
    )
    flat.flat = True
    places.append((flat, "main"))
    for call in range(MOST_CALLS):
        for number in range(PACKAGES):
            order.shuffle(places)
            for rank, (suite, component) in enumerate(places):
                suite.package(f"c{call}p{number}", f"{rank % 4 + 1}.{rank}", component=component)
    for suite in made.suites:
        if suite.name == "bookworm":
            suite.package("apt", "2.6.1")
    return made


class _Proxy(BaseHTTPRequestHandler):
    """What apt in the chroot asks for, whatever the host, the simulated archive answers."""

    protocol_version = "HTTP/1.1"
    archive: SimulatedArchive

    def do_GET(self) -> None:
        path = re.sub(r"^https?://[^/]+", "", self.path)
        answer = self.archive.answer(path, dict(self.headers))
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Chroot:
    """A root in which instructions are run one after the other."""

    def __init__(self, root: Path, key: bytes, proxy: str) -> None:
        self.root = root
        self._environment = {
            "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "http_proxy": proxy,
            "HOME": "/root",
        }
        for path in (SIGNED, KEY):
            (root / path.lstrip("/")).write_bytes(key)
        shim = root / "usr/local/sbin/apt-get"
        shim.parent.mkdir(parents=True, exist_ok=True)
        shim.write_text(SHIM)
        shim.chmod(0o755)
        distribution = next(each for each in DISTRIBUTIONS if each.name == "debian")
        suite = next(each for each in distribution.suites if each.codename == "bookworm")
        self._sources = texts_of(Named(distribution, suite), "amd64")

    def build(self, made: Made) -> tuple[dict[str, list[str]], bool]:
        """The candidates of each package, one for each time that it was asked for, and whether all was run."""
        for name in FOLDERS:
            shutil.rmtree(self.root / name)
            (self.root / name).mkdir()
        for name in ("apt.conf.d", "preferences.d", "sources.list.d", "trusted.gpg.d", "keyrings"):
            (self.root / "etc/apt" / name).mkdir()
        (self.root / "tmp").chmod(0o1777)
        for path, text in self._sources.items():
            (self.root / path.lstrip("/")).write_text(text)
        (self.root / "log").write_text("")
        self._run(["/usr/bin/apt-get", "update", "-qq"])
        done = True
        for keyword, text in made.instructions:
            if keyword == "COPY":
                name, target = text.split()
                place = self.root / target.lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(made.files[name])
            elif not self._run(["/bin/sh"] if keyword == "SCRIPT" else ["/bin/sh", "-c", text], text):
                done = False
                break
        found: dict[str, list[str]] = {}
        for name, version in re.findall(
            r"(?m)^(c\dp\d):\n.*\n  Candidate: (.*)$", (self.root / "log").read_text()
        ):
            found.setdefault(name, []).append(version)
        return found, done

    def _run(self, command: list[str], text: str = "") -> bool:
        done = subprocess.run(
            ["chroot", str(self.root), *command],
            input=text, env=self._environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        self.said = done.stderr[-300:]
        return done.returncode == 0


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of bookworm that may be changed."""
    place = tmp_path_factory.mktemp("stages") / "root"
    if own := os.environ.get("PINNER_ROOT"):
        subprocess.run(["cp", "-a", own, str(place)], check=True)
    else:
        subprocess.run(
            ["debootstrap", "--variant=minbase", "bookworm", str(place)], check=True, capture_output=True
        )
    return place


@pytest.fixture
def served() -> Iterator[tuple[SimulatedArchive, str]]:
    """The archive, and the proxy through which apt sees it."""
    made = archive()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Proxy", (_Proxy,), {"archive": made}))
    thread = threading.Thread(target=server.serve_forever)
    with made.serve():
        thread.start()
        try:
            yield made, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def test_stages(root: Path, served: tuple[SimulatedArchive, str], tmp_path: Path) -> None:
    simulated, proxy = served
    key = bytes(simulated.key.certificate)
    folder = tmp_path / "project"
    bench = Workbench(folder, simulated, tmp_path)
    hosts = ("deb.debian.org", "x.example", "y.example")
    mirrors = "".join(f'"http://{host}" = "{simulated.url}"\n' for host in hosts)
    own = "".join(
        f'[[source]]\nuri = "{uri}"\nkey = "key.pgp"\n'
        for uri in ("http://x.example/r", "http://y.example/flat")
    )
    bench.write("pinner.toml", f"{own}[mirrors]\n{mirrors}")
    bench.write("key.pgp", key)
    stages = {seed: make(seed) for seed in range(SEED, SEED + COUNT)}
    for seed, made in stages.items():
        bench.write(f"{seed}/Dockerfile", made.dockerfile)
        for name, text in made.files.items():
            bench.write(f"{seed}/{name}", text)
    result = bench.run("lock", "--dry-run", "--json", "--platform", "linux/amd64")
    files = {each["path"]: each["words"] for each in json.loads(result.out)["files"]}
    chroot = Chroot(root, key, proxy)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for seed, made in stages.items():
        real, done = chroot.build(made)
        words = files.get(f"{seed}/Dockerfile", [])
        counts["stages"] += 1
        counts["stages that apt refuses"] += not done
        for word in words:
            ours, theirs = word.get("version", ""), set(real.get(word["raw"], ()))
            status = word["status"]
            if status == "pinned":
                right = theirs == {ours} or (not theirs and not done)
                counts[
                    "pinned, as apt" if theirs == {ours} else "pinned, not reached" if right else "WRONG"
                ] += 1
            elif status == "missing":
                right = theirs <= {"(none)"}
                counts["no candidate, as apt" if right else "WRONG"] += 1
            else:
                right = True
                reason = (
                    "apt refuses"
                    if not theirs
                    else re.sub(r"line \d+|\(.*?\)|http\S+", "…", word.get("detail", ""))
                )
                counts[f"not pinned: {word.get('reason', status)}: {reason}"[:150]] += 1
            if not right:
                wrong.append(
                    f"{seed}: {word['raw']} {status} {ours} {word.get('detail', '')}: apt has {theirs} {chroot.said}"
                )
    for what, count in counts.most_common():
        print(f"{count:6} {what}")
    assert not wrong, "\n".join(wrong)
