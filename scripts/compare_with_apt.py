"""Compares the resolver with real apt: `apt-get -s install` in an isolated root with the minbase set installed.

    scripts/compare_with_apt --suite bookworm --count 2000 --sets 500

Draws names of main and sets of 2 to 15 names in random order (`--seed`), asks both, each with and without
Recommends, and prints every difference and the agreement. Same means: the same exit status and the same set of
name=version, old version and removal. The indices are apt's own lists files.

Needs apt, debootstrap and the network. Where the suite's apt is another one than the host's, `--chroot DIR` runs
apt inside of DIR, which is made by debootstrap (as root) if it is not there.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pinner.apt import release as releases
from pinner.apt.packages import Package
from pinner.apt.sources import Keys, Source
from pinner.archive.index import SqliteIndex
from pinner.archive.store import build, cut
from pinner.errors import PinnerError, Unsatisfiable
from pinner.resolve.resolution import Asked
from pinner.resolve.solver import solve
from pinner.resolve.universe import Universe

HOST = "http://deb.debian.org"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
POCKETS = (("debian", ""), ("debian", "-updates"), ("debian-security", "-security"))
NOT_IN_STATUS = ("Filename", "Size", "SHA256", "MD5sum", "Tag", "Description-md5", "Homepage", "Description")

# `Inst name [old] (new …)`, `Remv name [old]`.
LINE = re.compile(r"^(Inst|Remv) (\S+) (?:\[([^]]+)\] ?)?(?:\((\S+))?", re.MULTILINE)

Outcome = tuple[int, frozenset[tuple[str, str, str, str]]]


@dataclass(frozen=True)
class Root:
    """An isolated apt root (apt.conf(5)); `inside` is its path as apt sees it, `prefix` runs apt."""

    path: Path
    inside: Path
    prefix: tuple[str, ...]

    def apt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of apt in the root."""
        return subprocess.run(
            [*self.prefix, "env", f"APT_CONFIG={self.inside}/apt.conf", "LC_ALL=C", *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def simulate(self, words: Sequence[str], *, recommends: bool) -> Outcome:
        """What `apt-get install` of these words would do."""
        option = "--install-recommends" if recommends else "--no-install-recommends"
        ran = self.apt("apt-get", "-s", option, "install", *words)
        steps = LINE.findall(ran.stdout) if ran.returncode == 0 else []
        return ran.returncode, frozenset((kind, name, old, new) for kind, name, old, new in steps)


def make_root(work: Path, suite: str, arch: str, chroot: Path | None) -> Root:
    """The root with its sources and apt's lists; made once."""
    if chroot is not None and not (chroot / "usr/bin/apt-get").exists():
        run("debootstrap", "--variant=minbase", suite, str(chroot), f"{HOST}/debian")
    path = (chroot / "root-of-comparison" if chroot else work / f"{suite}-{arch}").resolve()
    inside = Path("/root-of-comparison") if chroot else path
    root = Root(path, inside, ("chroot", str(chroot)) if chroot else ())
    if (path / "apt.conf").exists():
        return root
    for folder in (
        "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d",
        "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg",
    ):  # fmt: skip
        (path / folder).mkdir(parents=True, exist_ok=True)
    (path / "var/lib/dpkg/status").write_text("")
    (path / "etc/apt/sources.list").write_text(
        "".join(f"deb [signed-by={KEYRING}] {HOST}/{base} {suite}{pocket} main\n" for base, pocket in POCKETS)
    )
    (path / "apt.conf").write_text(
        f'Dir "{inside}"; Dir::State::status "{inside}/var/lib/dpkg/status";\n'
        'Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null"; APT::Sandbox::User "root";\n'
        f'APT::Architecture "{arch}"; APT::Architectures {{ "{arch}"; }}; Acquire::Languages "none";\n'
        'APT::Get::List-Cleanup "0"; Debug::NoLocking "1";\n'
    )
    if chroot:
        for name in ("etc/resolv.conf", "etc/hosts"):
            Path(chroot, name).write_bytes(Path("/", name).read_bytes())
    updated = root.apt("apt-get", "update", "-qq", "--error-on=any")
    if updated.returncode:
        sys.exit(updated.stderr)
    return root


def run(*command: str) -> str:
    """The standard output of a command that must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def load_indexes(root: Root, work: Path, suite: str, arch: str) -> list[SqliteIndex]:
    """apt's lists files in the order of the sources."""
    host = HOST.removeprefix("http://")
    indexes = []
    for base, pocket in POCKETS:
        stem = root.path / "var/lib/apt/lists" / f"{host}_{base}_dists_{suite}{pocket}_"
        text = Path(f"{stem}main_binary-{arch}_Packages").read_bytes()
        signed = Path(f"{stem}InRelease").read_bytes()
        digest = sha256(text).hexdigest()
        store = work / f"{digest}.sqlite"

        def rebuild(text: bytes = text, digest: str = digest, store: Path = store) -> None:
            store.unlink(missing_ok=True)
            build(cut([text]), digest, store)

        if not store.exists():
            rebuild()
        body = signed.partition(b"\n\n")[2].partition(b"\n-----BEGIN PGP SIGNATURE")[0]
        source = Source(f"{HOST}/{base}", suite + pocket, ("main",), arch, Keys("debian"))
        indexes.append(
            SqliteIndex(
                store,
                source=source,
                component="main",
                release=releases.parse(body.decode()),
                release_sha256=sha256(signed).hexdigest(),
                rebuild=rebuild,
                keep=keep,
            )
        )
    return indexes


def keep(path: Path, content: bytes) -> None:
    """Write a file beside an index."""
    path.write_bytes(content)


def install_minbase(root: Root, universe: Universe, suite: str, arch: str) -> list[Package]:
    """Write the status file: the packages debootstrap would install, at their candidates."""
    with tempfile.TemporaryDirectory() as scratch:
        printed = run(
            "debootstrap", "--variant=minbase", f"--arch={arch}", "--print-debs", suite, f"{scratch}/x",
            f"{HOST}/debian",
        )  # fmt: skip
    names = sorted(set(printed.split()))
    packages = [offer.package for name in names if (offer := universe.candidate(name)) is not None]
    shown = root.apt("apt-cache", "show", "--no-all-versions", *(package.name for package in packages)).stdout
    stanzas = []
    for stanza in shown.split("\n\n"):
        if stanza.strip():
            fields = re.split(r"\n(?=\S)", stanza.strip())
            kept = [line for line in fields if line.partition(":")[0] not in NOT_IN_STATUS]
            kept.insert(1, "Status: install ok installed")
            stanzas.append("\n".join(kept))
    (root.path / "var/lib/dpkg/status").write_text("\n\n".join(stanzas) + "\n")
    checked = root.apt("apt-get", "check", "-qq")
    if checked.returncode:
        sys.exit(f"the starting set is not consistent: {checked.stderr}")
    return packages


def resolve(universe: Universe, words: Sequence[str], *, recommends: bool) -> tuple[Outcome, str]:
    """Our outcome in apt's words, and the message if there is one."""
    try:
        asked = [Asked(universe.select(word)) for word in words]
        resolution = solve(universe, asked, recommends=recommends)
    except Unsatisfiable as error:
        return (100, frozenset()), str(error)
    steps = {
        ("Inst", one.offer.name, one.replaces.version if one.replaces else "", one.offer.version)
        for one in resolution.chosen
    }
    steps |= {("Remv", gone.name, gone.version, "") for gone in resolution.removed}
    return (0, frozenset(steps)), ""


def show(words: Sequence[str], recommends: bool, theirs: Outcome, ours: Outcome, message: str) -> None:
    """Print one difference."""
    print(f"\n{'recommends' if recommends else 'bare'}: {' '.join(words)}")
    print(f"  exit status: apt {theirs[0]}, pinner {ours[0]} {message}")
    for title, steps in (("apt only", theirs[1] - ours[1]), ("pinner only", ours[1] - theirs[1])):
        texts = [
            f"{name}={new or old}" + (" (removed)" if kind == "Remv" else "")
            for kind, name, old, new in steps
        ]
        if texts:
            print(
                f"  {title}: {' '.join(sorted(texts)[:12])}{f' … {len(texts)} in all' if len(texts) > 12 else ''}"
            )


def draw(names: Sequence[str], seed: int, count: int, sets: int) -> list[tuple[str, ...]]:
    """The calls to compare: single names, then sets."""
    dice = random.Random(seed)
    singles = [(name,) for name in dice.sample(names, min(count, len(names)))]
    return singles + [tuple(dice.sample(names, dice.randint(2, 15))) for _ in range(sets)]


def main() -> int:
    """Compare, print, and return 1 if there was a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--arch", default="amd64")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="single names")
    parser.add_argument("--sets", type=int, default=50, help="sets of 2 to 15 names")
    parser.add_argument(
        "--recommends", action=argparse.BooleanOptionalAction, help="default: with and without"
    )
    parser.add_argument("--chroot", type=Path, help="run the apt of this root")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "pinner-compare")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("words", nargs="*", help="compare this one call instead")
    options = parser.parse_args()

    options.work.mkdir(parents=True, exist_ok=True)
    root = make_root(options.work, options.suite, options.arch, options.chroot)
    indexes = load_indexes(root, options.work, options.suite, options.arch)
    bare = Universe(indexes, arch=options.arch)
    universe = bare.with_installed(install_minbase(root, bare, options.suite, options.arch))
    print(
        root.apt("apt-get", "--version").stdout.splitlines()[0],
        f"{len(universe.packages)} packages installed",
    )
    if options.words:
        calls = [tuple(options.words)]
    else:
        calls = draw(sorted(indexes[0].names()), options.seed, options.count, options.sets)
    modes = (True, False) if options.recommends is None else (options.recommends,)
    jobs = [(words, recommends) for words in calls for recommends in modes]
    same, refused, spent = 0, 0, timedelta()
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = pool.map(lambda job: root.simulate(job[0], recommends=job[1]), jobs)
        for (words, recommends), theirs in zip(jobs, outcomes, strict=True):
            started = time.perf_counter()
            ours, message = resolve(universe, words, recommends=recommends)
            spent += timedelta(seconds=time.perf_counter() - started)
            if ours == theirs:
                same += 1
            else:
                refused += ours[0] != 0
                show(words, recommends, theirs, ours, message)
                sys.stdout.flush()
    wrong = len(jobs) - same - refused
    print(f"\n{same} of {len(jobs)} identical ({same / len(jobs):.2%}), {refused} refused, {wrong} wrong")
    print(f"pinner {spent / len(jobs) / timedelta(milliseconds=1):.1f} ms a call")
    return int(same != len(jobs))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PinnerError as error:
        sys.exit(str(error))
